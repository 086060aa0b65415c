"""More than any patch sends: the daemon survives, the sound goes on, and memory stays constant."""

from __future__ import annotations

import random
import socket
from collections.abc import Generator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemons import daemon, prepare, until, wait_for
from eutectic.client.daemon_process import Daemon, status
from eutectic.client.replies import NoAnswer
from eutectic.client.sync import Client
from eutectic.experiments.live.clicks import longest_silence
from eutectic.experiments.live.jack_server import RATE_HZ, Jack
from eutectic.osc.answers import Started
from eutectic.osc.packets import bundle, encode
from eutectic.osc.spec import PREFIX
from takes import GAP_FRAMES, PERIOD, take

pytestmark = pytest.mark.realtime

MESSAGES, MUTATED, A_TIME = 20_000, 100_000, 2000
GROWTH_BYTES = 64 << 20

# No @steps: a mutation could make minutes of learning of them.
FLOOD: list[tuple[str, tuple[int | float | str, ...]]] = [
    ("/ping", (1,)), ("/scrub", (1, 0.3)), ("/fuse", (2, 2, "a", "r", "@seed", 5)),
    ("/status", (3,)), ("/voice/set", (3, "gain", -3.0)), ("/stop", (4, "x")), ("/nothing", ()),
    ("/clip/load", (5, "z", "nothing.wav")), ("/fan", (6, "a", "r", 3)), ("/cancel", (7, 6)),
    ("/notify", (1,)), ("/reference/learn", (8, "q", "a", "x")),
]  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    folder = tmp_path_factory.mktemp("flood")
    options = ("--rate", str(RATE_HZ), "--log-level", "error")
    with Jack(PERIOD), daemon(folder, *options, device="system") as process:
        with process.client() as client:
            prepare(client)
            client.request("/fuse", 1, "a", "r", "@blend", 1, "@loop", 1, "@level", "raw")
        yield process
        assert "Traceback" not in process.log


def memory(running: Daemon) -> int:
    return psutil.Process(running.pid).memory_info().rss


def responds(running: Daemon) -> bool:
    """A ping may be lost in a flood, as any datagram."""
    with running.client() as client:
        try:
            client.request("/ping", timeout=1)
        except NoAnswer:
            return False
        return True


def idle(client: Client) -> None:
    """Wait until all that the flood asked of the engine has been done, or refused."""
    until(lambda: status(client)["requests"].startswith("1 "), 120)


def flood(running: Daemon, packets: list[bytes]) -> None:
    """As fast as loopback takes them, answers unread."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", running.port))
        for packet in packets:
            sender.send(packet)


def test_a_flood_is_survived_and_the_sound_goes_on(running: Daemon, tmp_path: Path) -> None:
    packets = [encode(PREFIX + address, values) for address, values in FLOOD]
    before = memory(running)

    def play() -> None:
        flood(running, [packets[number % len(packets)] for number in range(MESSAGES)])
        until(lambda: responds(running))

    samples = take(tmp_path, play)
    assert longest_silence(samples[RATE_HZ // 10 :]) < GAP_FRAMES
    with running.client() as client:
        idle(client)
        client.request("/fuse", 2, "a", "r", "@seed", 6)
    assert memory(running) < before + GROWTH_BYTES


@settings(
    max_examples=MUTATED // A_TIME, deadline=None, database=None, derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(seed=st.integers(0, 2**32), flips=st.integers(1, 8))
def test_mutated_packets_are_survived(running: Daemon, seed: int, flips: int) -> None:
    """Bytes changed, cut out, doubled, and bundles of what comes of that."""
    chance = random.Random(seed)
    good = [encode(PREFIX + address, values) for address, values in FLOOD]
    before = memory(running)
    packets: list[bytes] = []
    for _ in range(A_TIME):
        packet = bytearray(chance.choice(good))
        for _ in range(flips):
            at = chance.randrange(len(packet))
            kind = chance.randrange(4)
            if kind == 0:
                packet[at] = chance.randrange(256)
            elif kind == 1:
                packet[at:at] = packet[: chance.randrange(1, 9)]
            elif kind == 2 and len(packet) > 8:
                del packet[at : at + chance.randrange(1, 5)]
            else:
                packet = bytearray(bundle(chance.uniform(0, 2e9), bytes(packet)))
        packets.append(bytes(packet))
    flood(running, packets)
    until(lambda: responds(running))
    assert memory(running) < before + GROWTH_BYTES


def test_a_flood_leaves_later_requests_answered(running: Daemon, tmp_path: Path) -> None:
    with running.client() as client:
        client.send("/panic")
        idle(client)
        number = client.begin("/fuse", 1, "a", "r", "@blend", 0.5)
        wait_for(client, Started)
        client.end("/fuse", number)
