from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from eutectic.client.replies import NoAnswer, RequestFailed
from eutectic.client.sync import Client
from eutectic.errors import BadInput
from eutectic.osc import connections
from eutectic.osc.answers import Engine
from eutectic.osc.packets import decode, encode, slip, unslip
from eutectic.osc.server import Peer, Server
from eutectic.osc.subscribers import Subscribers, Wishes
from osc_messages import bundle

Message = tuple[str, tuple[Any, ...], float | None]


class Received:
    """A handler that keeps what it receives, and answers pings and `/version`."""

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


def served(scenario: Callable[[Received, int], Awaitable[None]]) -> None:
    async def run() -> None:
        received = Received()
        received.server = await Server.bind("127.0.0.1", 0)
        await received.server.serve(received)
        try:
            await asyncio.wait_for(scenario(received, received.server.port), 60)
        finally:
            await received.server.close()

    asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def test_a_burst_comes_through_whole_and_in_order() -> None:
    async def scenario(received: Received, port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for number in range(2000):
                client.sendto(encode("/n", [number]), ("127.0.0.1", port))
                if number % 50 == 49:
                    await asyncio.sleep(0)
        await until(lambda: len(received.messages) == 2000)
        assert [values[0] for _, values, _ in received.messages] == list(range(2000))

    served(scenario)


def test_mutated_packets_are_counted_and_the_next_ping_is_answered() -> None:
    good = [
        encode("/eutectic/fuse", [1, 1, "a", "b", "@blend", 0.5]),
        bundle(0.1, encode("/eutectic/scrub", [1, 0.5]), encode("/eutectic/panic", [])),
    ]
    generator = random.Random(4)

    async def scenario(received: Received, port: int) -> None:
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
        assert received.server is not None and received.server.malformed > 1000

    served(scenario)


@pytest.mark.parametrize("slipped", [False, True])
def test_tcp_takes_both_framings_in_pieces_and_answers_in_the_same(slipped: bool) -> None:
    async def scenario(received: Received, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        number = 0x00C0DBDC  # bytes that SLIP must escape
        packet = encode("/eutectic/ping", [number])
        frame = slip(packet) if slipped else struct.pack(">i", len(packet)) + packet
        for byte in frame + frame:
            writer.write(bytes([byte]))
            await writer.drain()
        for _ in range(2):
            if slipped:
                assert await reader.readuntil(b"\xc0") == b"\xc0"
                answer = unslip((await reader.readuntil(b"\xc0"))[:-1])
            else:
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                answer = await reader.readexactly(size)
            assert decode(answer)[0][1] == ("/eutectic/ping", number)
        writer.close()

    served(scenario)


def test_slip_may_begin_without_an_end() -> None:
    async def scenario(received: Received, port: int) -> None:
        packets = [encode("/eutectic/ping", [1]), bundle(None, encode("/eutectic/ping", [2]))]
        for number, packet in enumerate(packets, start=1):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(slip(packet)[1:])
            writer.write(slip(encode("/eutectic/ping", [3])))
            for expected in (number, 3):
                assert await reader.readuntil(b"\xc0") == b"\xc0"
                answer = unslip((await reader.readuntil(b"\xc0"))[:-1])
                assert decode(answer)[0][1] == ("/eutectic/ping", expected)
            writer.close()

    served(scenario)


def test_silent_connections_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that are gone without a word don't fill the places; those in use are left alone."""
    monkeypatch.setattr("eutectic.osc.server.MAX_CONNECTIONS", 2)
    ping = encode("/eutectic/ping", [1])
    framed = struct.pack(">i", len(ping)) + ping

    async def answered(stream: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> bool:
        stream[1].write(framed)
        try:
            (size,) = struct.unpack(">i", await stream[0].readexactly(4))
            return len(await stream[0].readexactly(size)) == size
        except (OSError, asyncio.IncompleteReadError):
            return False

    async def scenario(received: Received, port: int) -> None:
        silent, busy = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        assert await answered(silent) and await answered(busy)
        assert not await answered(await asyncio.open_connection("127.0.0.1", port))
        await asyncio.sleep(0.25)
        monkeypatch.setattr(connections, "IDLE_SECONDS", 0.2)
        assert await answered(busy)
        assert await answered(await asyncio.open_connection("127.0.0.1", port))
        assert not await answered(silent)

    served(scenario)


def test_a_host_that_isn_t_allowed_takes_no_silent_client_s_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("eutectic.osc.server.MAX_CONNECTIONS", 1)
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.0)
    ping = encode("/eutectic/ping", [1])

    async def run() -> None:
        received, server = Received(), await Server.bind("127.0.0.1", 0)
        await server.serve(received, lambda host: host == "127.0.0.1")
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for _ in range(2):
            writer.write(struct.pack(">i", len(ping)) + ping)
            (size,) = struct.unpack(">i", await reader.readexactly(4))
            assert await reader.readexactly(size)
            other, _ = await asyncio.open_connection(
                "127.0.0.1", server.port, local_addr=("127.0.0.2", 0)
            )
            with contextlib.suppress(ConnectionResetError):
                assert await other.read() == b""
        writer.close()
        await server.close()

    asyncio.run(asyncio.wait_for(run(), 10))


def test_a_tcp_client_that_claims_too_much_or_reads_nothing_is_dropped() -> None:
    async def scenario(received: Received, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(struct.pack(">i", 2**30))
        assert await reader.read() == b""
        writer.close()
        deaf = socket.create_connection(("127.0.0.1", port))
        packet = encode("/eutectic/hello", [1])
        deaf.sendall(struct.pack(">i", len(packet)) + packet)
        await until(lambda: bool(received.peers))
        big = encode("/eutectic/engine", ["x" * 60_000])
        for _ in range(2000):
            received.peers[-1].send(big)
            await asyncio.sleep(0)
        deaf.settimeout(10)
        size = 0
        try:
            while part := deaf.recv(1 << 20):
                size += len(part)
        except ConnectionResetError:
            pass
        assert size < 2000 * len(big)
        deaf.close()

    served(scenario)


def test_a_port_that_is_taken_is_refused_in_a_line() -> None:
    async def scenario(received: Received, port: int) -> None:
        with pytest.raises(BadInput, match=f"can't listen on 127.0.0.1:{port}"):
            await Server.bind("127.0.0.1", port)

    served(scenario)


def test_what_arrives_before_it_serves_is_handled_then() -> None:
    async def run() -> None:
        received, server = Received(), await Server.bind("127.0.0.1", 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(encode("/n", [1]), ("127.0.0.1", server.port))
            await asyncio.sleep(0.05)
            assert not received.messages
            await server.serve(received)
            await until(lambda: received.messages == [("/n", (1,), None)])
        await server.close()

    asyncio.run(asyncio.wait_for(run(), 10))


METERS = Wishes(kinds=frozenset({"event", "meter"}))


def test_subscribers_keep_their_numbers_and_lose_their_lease() -> None:
    async def scenario(received: Received, port: int) -> None:
        assert received.server is not None
        subscribers = Subscribers(received.server.udp_peer)
        first = received.server.udp_peer(("127.0.0.1", 5001))
        second = received.server.udp_peer(("127.0.0.1", 5002))
        assert subscribers.register(first, None, Wishes(), 0.0) == 1
        assert subscribers.register(second, None, METERS, 0.0) == 2
        assert subscribers.register(first, None, Wishes(), 1.0) == 1
        subscribers.touch(second, 20.0)
        assert subscribers.expire(40.0) == [1]
        assert subscribers.leave(second) == 2 and subscribers.leave(second) == 0
        third = received.server.udp_peer(("127.0.0.1", 5003))
        assert subscribers.register(third, None, Wishes(), 50.0) == 3
        assert subscribers.touch(third, 50.0) == 0
        assert subscribers.touch(first, 60.0) == 1  # a tablet that slept
        assert subscribers.touch(first, 61.0) == 0
        assert len(subscribers) == 2 and subscribers.expire(95.0) == [3, 1]
        assert subscribers.leave(first) == 1 and subscribers.touch(first, 96.0) == 0

    served(scenario)


def test_replies_go_to_the_sender_and_its_reply_port_alone_events_to_all() -> None:
    async def scenario(received: Received, port: int) -> None:
        assert received.server is not None
        subscribers = Subscribers(received.server.udp_peer)
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
            each.setblocking(False)
        sender, reply, other = [each.getsockname() for each in sockets]
        peer = received.server.udp_peer(sender)
        subscribers.register(peer, reply[1], Wishes(), 0.0)
        subscribers.register(received.server.udp_peer(other), None, METERS, 0.0)
        subscribers.reply(peer, encode("/answer", []))
        subscribers.publish(encode("/event", []))
        subscribers.publish(encode("/meter", []), "meter")
        again = received.server.udp_peer(("127.0.0.1", 9))
        subscribers.register(again, reply[1], Wishes(), 0.0)  # a second socket of the same client
        subscribers.publish(encode("/once", []))
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
        assert got == [
            ["/answer", "/event", "/once"], ["/answer", "/event", "/once"],
            ["/event", "/meter", "/once"],
        ]  # fmt: skip

    served(scenario)


@pytest.mark.parametrize("tcp", [False, True])
def test_a_client_gets_its_own_answers_and_keeps_the_rest_as_events(tcp: bool) -> None:
    async def scenario(received: Received, port: int) -> None:
        def talk() -> None:
            with Client(port=port, tcp=tcp) as client:
                assert client.request("/ping").found is None
                with pytest.raises(RequestFailed, match="why not") as failed:
                    client.request("/version")
                assert failed.value.code == "no"
                assert client.events() == [Engine("ready", 1.0)]
                with pytest.raises(NoAnswer):
                    client.request("/silence", timeout=0.2)

        await asyncio.to_thread(talk)

    served(scenario)


def test_a_client_without_a_daemon_fails_with_a_hint() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Client(port=port) as client, pytest.raises(NoAnswer, match="is `eutectic serve` running"):
        client.request("/ping", timeout=2)
