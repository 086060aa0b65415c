"""The long line that remote engines are tried on: late and in order, as TCP would have it."""

from __future__ import annotations

import contextlib
import random
import select
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from eutectic.experiments.live.line import TIMEOUT_SECONDS, Line, Way

LONG = random.Random(0).randbytes(1 << 20)


@contextmanager
def ends(way: Way) -> Generator[tuple[Line, socket.socket, socket.socket]]:
    """A line, and a connection's two ends."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        Line(server.getsockname()[1], way) as line,
    ):
        near = socket.create_connection(("127.0.0.1", line.port))
        far, _ = server.accept()
        with near, far:
            yield line, near, far


def received(end: socket.socket, size: int) -> bytes:
    end.settimeout(30)
    found = bytearray()
    while len(found) < size and (data := end.recv(1 << 16)):
        found += data
    return bytes(found)


def test_all_that_is_sent_arrives_in_order_whatever_is_lost() -> None:
    with ends(Way(0.001, 0.002, 0.01)) as (_, near, far):
        for source, target in ((near, far), (far, near)):
            threading.Thread(target=source.sendall, args=(LONG,), daemon=True).start()
            assert received(target, len(LONG)) == LONG


def test_what_is_sent_takes_its_time_on_both_ways() -> None:
    with ends(Way(0.05)) as (_, near, far):
        began = time.monotonic()
        near.sendall(b"there")
        far.sendall(received(far, 5))
        assert received(near, 5) == b"there"
        assert time.monotonic() - began >= 0.1


def test_nothing_arrives_while_it_is_cut_and_all_of_it_once_it_has_healed() -> None:
    with ends(Way()) as (line, near, far):
        line.cut()
        near.sendall(b"held")
        assert select.select([far], [], [], 0.1)[0] == []
        near.close()  # nor is it told that the other has left
        assert select.select([far], [], [], 0.1)[0] == []
        line.heal()
        assert received(far, 5) == b"held"


def test_both_ends_are_told_of_a_reset_and_can_connect_again() -> None:
    with ends(Way()) as (line, near, far):
        near.sendall(b"x")
        received(far, 1)
        line.reset()
        for end in (near, far):
            end.settimeout(30)
            with contextlib.suppress(ConnectionError):
                assert end.recv(1) == b""
        again = socket.create_connection(("127.0.0.1", line.port))
        again.close()


def test_a_lost_segment_is_late_by_a_round_trip_where_others_tell_of_it_and_else_by_a_timeout() -> (
    None
):
    chance = random.Random(0)
    way = Way(0.05, 0.0, 0.02)
    counts, early, late = 0, list[float](), list[float]()
    for _ in range(1000):
        for index, held in way.lateness(45, chance):
            counts += 1
            (early if index < 45 - 3 else late).append(held)
    assert counts == pytest.approx(0.02 * 45_000, rel=0.1)
    assert min(early) == pytest.approx(0.1) and min(late) == pytest.approx(0.1 + TIMEOUT_SECONDS)
    assert max(early) >= 0.2 + TIMEOUT_SECONDS  # sent again, and lost again
    assert not list(Way(0.05).lateness(45, chance))
