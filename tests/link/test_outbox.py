"""What waits for a wire: its order, and that a wire is filled and not more than filled."""

from __future__ import annotations

import heapq
import random
from functools import partial

import pytest

from eutectic.link.messages import Beat, Message
from eutectic.link.outbox import LEAST_BYTES, Frame, Outbox, Window

SIZE = 32 << 10


class Sent:
    """Collects what an outbox sends."""

    def __init__(self) -> None:
        self.outbox = Outbox(self._send)
        self.marks: list[float] = []
        self.read: list[float] = []
        self._total = 0

    def _send(self, message: Message, frame: Frame | None) -> None:
        assert isinstance(message, Beat)
        self.marks.append(message.at)
        self._total += len(frame or b"")

    def put(self, stream: int, mark: float, priority: int = 0, frame: bool = True) -> None:
        if frame:
            self.outbox.put(stream, priority, Beat(mark), SIZE, partial(self._frame, mark))
        else:
            self.outbox.put(stream, priority, Beat(mark))

    def _frame(self, mark: float) -> bytes:
        self.read.append(mark)
        return bytes(SIZE)

    def receipt(self, frames: int = 1) -> None:
        self.outbox.arrived(self._total - self.outbox.window.under_way + frames * SIZE)


def test_what_is_urgent_passes_all_that_isnt_under_way_yet() -> None:
    sent = Sent()
    for mark in range(4):
        sent.put(1, mark, priority=4)
    assert sent.marks == [0, 1]
    sent.put(2, 10, priority=0)
    sent.receipt()
    assert sent.marks == [0, 1, 10]
    sent.receipt(3)
    assert sent.marks == [0, 1, 10, 2, 3]


def test_no_more_is_under_way_than_the_wire_takes_and_the_rest_is_not_even_read() -> None:
    sent = Sent()
    for mark in range(100):
        sent.put(1, mark)
    assert sent.outbox.window.under_way <= LEAST_BYTES
    assert sent.read == sent.marks == [0, 1]


def test_a_streams_order_is_kept_and_others_without_a_frame_need_not_wait() -> None:
    sent = Sent()
    for mark in range(3):
        sent.put(1, mark)
    sent.put(1, 3, frame=False)
    sent.put(2, 20, frame=False)
    assert sent.marks == [0, 1, 20]
    sent.receipt()
    assert sent.marks == [0, 1, 20, 2, 3]


def test_a_dropped_stream_is_not_sent() -> None:
    sent = Sent()
    for mark in range(3):
        sent.put(1, mark)
    assert sent.outbox.drop(1) and not sent.outbox.drop(1)
    sent.put(2, 20)
    sent.receipt(2)
    assert sent.marks == [0, 1, 20]


@pytest.mark.parametrize(
    ("rate", "way", "lost", "filled"),
    [(1e6, 0.005, 0.0, 0.9), (1e7, 0.05, 0.0, 0.9), (1e8, 0.0005, 0.0, 0.9),
     (1e7, 0.005, 0.02, 0.4)],
)  # fmt: skip
def test_a_wire_is_filled_and_little_waits_in_it(
    rate: float, way: float, lost: float, filled: float
) -> None:
    """Simulated: frames pass one after another, receipts come back after the way there and back.

    What is lost comes 0.2 s later, and all that follows no sooner.
    """
    now, chance = 0.0, random.Random(1)
    window = Window(lambda: now)
    receipts: list[tuple[float, int]] = []
    free = waited = arrival = 0.0
    total = late = 0
    while now < 20.0:
        while window.takes(SIZE):
            window.sent(SIZE)
            total += SIZE
            begins = max(free, now)
            free = begins + SIZE / rate
            if now > 10.0:
                waited = max(waited, begins - now)
                late += SIZE
            arrival = max(arrival, free + way + 0.2 * (chance.random() < lost))
            heapq.heappush(receipts, (arrival + way, total))
        now, arrived = heapq.heappop(receipts)
        window.arrived(arrived)
    assert late / 10.0 > filled * rate
    assert waited < 0.08 + 2 * SIZE / rate
    assert window.rate == pytest.approx(rate, rel=0.3) or lost
