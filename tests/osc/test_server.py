from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eutectic.client.sync import Client, NoAnswer, RequestFailed
from eutectic.errors import BadInput
from eutectic.osc import server as osc
from eutectic.osc.server import Peer, Server, Subscribers, decode, encode

Message = tuple[str, tuple[Any, ...], float | None]


class Heard:
    """A server that keeps what it hears, and answers pings."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.peers: list[Peer] = []
        self.server: Server | None = None

    def __call__(
        self, peer: Peer, address: str, values: tuple[Any, ...], due: float | None
    ) -> None:
        self.messages.append((address, values, due))
        self.peers.append(peer)
        if address == "/eutectic/ping":
            peer.send(encode("/eutectic/done", ["/eutectic/ping", values[0]]))
        if address == "/eutectic/version":
            peer.send(encode("/eutectic/version.reply", [values[0], "1.2"]))
            peer.send(encode("/eutectic/engine", ["ready", 1.0]))
            peer.send(encode("/eutectic/fail", ["/eutectic/version", values[0], "no", "why not"]))


def served(scenario: Callable[[Heard, int], Awaitable[None]]) -> None:
    async def run() -> None:
        heard = Heard()
        heard.server = await Server.start("127.0.0.1", 0, heard)
        try:
            await asyncio.wait_for(scenario(heard, heard.server.port), 60)
        finally:
            await heard.server.close()

    asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def bundle(seconds_ahead: float | None, *packets: bytes) -> bytes:
    stamp = (0, 1)
    if seconds_ahead is not None:
        when = time.time() + seconds_ahead + osc.NTP_EPOCH_SECONDS
        stamp = (int(when), int(when % 1 * 2**32))
    elements = b"".join(struct.pack(">i", len(each)) + each for each in packets)
    return b"#bundle\0" + struct.pack(">II", *stamp) + elements


@given(
    st.lists(
        st.one_of(
            st.integers(-(2**31), 2**31 - 1),
            st.floats(width=32, allow_nan=False),
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
        ),
        max_size=10,
    )
)
def test_what_is_encoded_is_decoded(values: list[osc.Value]) -> None:
    assert decode(encode("/a/b", values)) == [("/a/b", tuple(values), None)]


def test_a_bundle_tells_when_its_messages_are_due() -> None:
    inner = bundle(2.0, encode("/b", [2]))
    packet = bundle(1.0, encode("/a", [1]), inner, encode("/c", [3]))
    now = time.monotonic()
    messages = decode(packet)
    assert [(address, values) for address, values, _ in messages] == [
        ("/a", (1,)), ("/b", (2,)), ("/c", (3,)),
    ]  # fmt: skip
    assert [due - now for _, _, due in messages if due] == pytest.approx([1, 2, 1], abs=0.2)
    assert decode(bundle(None, encode("/a", [])))[0][2] is None


def test_what_is_late_or_far_off_is_done_at_once_and_told() -> None:
    assert osc.timing(None, 50.0) == (None, None)
    assert osc.timing(53.0, 50.0) == (53.0, None)
    assert osc.timing(49.0, 50.0) == (None, 1000.0)
    assert osc.timing(61.0, 50.0) == (None, 11_000.0)


def test_bundles_without_end_are_refused() -> None:
    packet = encode("/a", [])
    for _ in range(osc.MAX_BUNDLE_DEPTH + 1):
        packet = bundle(None, packet)
    with pytest.raises(ValueError, match="not an OSC packet"):
        decode(packet)


def test_a_burst_comes_through_whole_and_in_order() -> None:
    async def scenario(heard: Heard, port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for number in range(2000):
                client.sendto(encode("/n", [number]), ("127.0.0.1", port))
                if number % 50 == 49:
                    await asyncio.sleep(0)
        await until(lambda: len(heard.messages) == 2000)
        assert [values[0] for _, values, _ in heard.messages] == list(range(2000))

    served(scenario)


def test_mutated_packets_are_counted_and_the_next_ping_is_answered() -> None:
    good = [
        encode("/eutectic/fuse", [1, 1, "a", "b", "@blend", 0.5]),
        bundle(0.1, encode("/eutectic/scrub", [1, 0.5]), encode("/eutectic/panic", [])),
    ]
    generator = random.Random(4)

    async def scenario(heard: Heard, port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for number in range(5000):
                packet = bytearray(generator.choice(good))
                for _ in range(generator.randint(1, 6)):
                    packet[generator.randrange(len(packet))] = generator.randrange(256)
                client.sendto(packet[: generator.randint(0, len(packet))], ("127.0.0.1", port))
                if number % 50 == 49:
                    await asyncio.sleep(0)
            client.setblocking(False)
            client.sendto(encode("/eutectic/ping", [9]), ("127.0.0.1", port))
            answer = await asyncio.get_running_loop().sock_recv(client, 1000)
        assert decode(answer)[0][:2] == ("/eutectic/done", ("/eutectic/ping", 9))
        assert heard.server is not None and heard.server.malformed > 1000

    served(scenario)


@pytest.mark.parametrize("slipped", [False, True])
def test_tcp_takes_both_framings_in_pieces_and_answers_in_the_same(slipped: bool) -> None:
    async def scenario(heard: Heard, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        number = 0x00C0DBDC  # bytes that SLIP must escape
        packet = encode("/eutectic/ping", [number])
        frame = osc.slip(packet) if slipped else struct.pack(">i", len(packet)) + packet
        for byte in frame + frame:
            writer.write(bytes([byte]))
            await writer.drain()
        for _ in range(2):
            if slipped:
                assert await reader.readuntil(b"\xc0") == b"\xc0"
                answer = osc.unslip((await reader.readuntil(b"\xc0"))[:-1])
            else:
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                answer = await reader.readexactly(size)
            assert decode(answer)[0][1] == ("/eutectic/ping", number)
        writer.close()

    served(scenario)


def test_a_tcp_client_that_claims_too_much_or_reads_nothing_is_dropped() -> None:
    async def scenario(heard: Heard, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(struct.pack(">i", 2**30))
        assert await reader.read() == b""
        writer.close()
        deaf = socket.create_connection(("127.0.0.1", port))
        packet = encode("/eutectic/hello", [1])
        deaf.sendall(struct.pack(">i", len(packet)) + packet)
        await until(lambda: bool(heard.peers))
        big = encode("/eutectic/engine", ["x" * 60_000])
        for _ in range(2000):
            heard.peers[-1].send(big)
            await asyncio.sleep(0)
        deaf.settimeout(10)
        received = 0
        try:
            while part := deaf.recv(1 << 20):
                received += len(part)
        except ConnectionResetError:
            pass
        assert received < 2000 * len(big)
        deaf.close()

    served(scenario)


def test_a_port_that_is_taken_is_told_in_a_line() -> None:
    async def scenario(heard: Heard, port: int) -> None:
        with pytest.raises(BadInput, match=f"can't listen on 127.0.0.1:{port}"):
            await Server.start("127.0.0.1", port, heard)

    served(scenario)


def test_clients_keep_their_numbers_and_lose_their_lease() -> None:
    async def scenario(heard: Heard, port: int) -> None:
        assert heard.server is not None
        clients = Subscribers(heard.server)
        first = heard.server.udp_peer(("127.0.0.1", 5001))
        second = heard.server.udp_peer(("127.0.0.1", 5002))
        assert clients.register(first, None, False, 0.0) == 1
        assert clients.register(second, None, True, 0.0) == 2
        assert clients.register(first, None, False, 1.0) == 1
        clients.touch(second, 20.0)
        assert clients.expire(40.0) == [1]
        assert clients.leave(second) == 2 and clients.leave(second) == 0
        assert clients.register(first, None, False, 50.0) == 3

    served(scenario)


def test_answers_go_to_the_sender_and_its_reply_port_alone_events_to_all() -> None:
    async def scenario(heard: Heard, port: int) -> None:
        assert heard.server is not None
        clients = Subscribers(heard.server)
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
            each.setblocking(False)
        sender, reply, other = [each.getsockname() for each in sockets]
        peer = heard.server.udp_peer(sender)
        clients.register(peer, reply[1], False, 0.0)
        clients.register(heard.server.udp_peer(other), None, True, 0.0)
        clients.answer(peer, encode("/answer", []))
        clients.tell(encode("/event", []))
        clients.tell(encode("/meter", []), meter=True)
        await asyncio.sleep(0.1)
        got: list[list[str]] = []
        for each in sockets:
            got.append([])
            while True:
                try:
                    got[-1].append(decode(each.recv(1000))[0][0])
                except BlockingIOError:
                    break
            each.close()
        assert got == [["/answer", "/event"], ["/answer", "/event"], ["/event", "/meter"]]

    served(scenario)


@pytest.mark.parametrize("tcp", [False, True])
def test_a_client_gets_its_own_answers_and_keeps_the_rest_as_events(tcp: bool) -> None:
    async def scenario(heard: Heard, port: int) -> None:
        def talk() -> None:
            with Client(port=port, tcp=tcp) as client:
                assert client.request("/ping").found == ()
                with pytest.raises(RequestFailed, match="why not") as told:
                    client.request("/version")
                assert told.value.code == "no"
                assert client.events() == [("/engine", ("ready", 1.0))]
                with pytest.raises(NoAnswer):
                    client.request("/silence", timeout=0.2)

        await asyncio.to_thread(talk)

    served(scenario)


def test_a_client_with_no_daemon_says_so() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Client(port=port) as client, pytest.raises(NoAnswer, match="does `eutectic serve` run"):
        client.request("/ping", timeout=2)
