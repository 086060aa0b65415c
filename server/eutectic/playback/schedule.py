"""What waits for a frame or a beat. The mixing thread alone uses it."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

from eutectic.playback.timeline import Beat, Timeline


class _Waiting(NamedTuple):
    """`at`: a frame or a beat's number; `number`: the order of arrival."""

    at: float
    number: int
    begin: Callable[[Beat | None], None]
    drop: Callable[[], None]
    beat: Beat | None


class Schedule:
    """What begins at frames, and what at beats, wherever those move to."""

    def __init__(self) -> None:
        self._frames: list[_Waiting] = []
        self._beats: list[_Waiting] = []
        self._numbers = itertools.count()

    def add(
        self, at: int | Beat, begin: Callable[[Beat | None], None],
        drop: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """Call `begin` at a frame or a beat, with that beat; `drop`, if it is cleared before."""
        number = next(self._numbers)
        if isinstance(at, Beat):
            heapq.heappush(self._beats, _Waiting(at.number, number, begin, drop, at))
        else:
            heapq.heappush(self._frames, _Waiting(at, number, begin, drop, None))

    def next_frame(self, timeline: Timeline) -> float:
        """The frame at which the next is due; infinite if none is."""
        heaps = (self._frames, self._beats)
        return min((_due(heap[0], timeline) for heap in heaps if heap), default=math.inf)

    def begin_due(self, frame: int, timeline: Timeline) -> None:
        """Begin what is due by a frame, in the order of frames, then of arrival."""
        while self.next_frame(timeline) <= frame:
            firsts = [(_due(heap[0], timeline), heap[0].number, heap)
                      for heap in (self._frames, self._beats) if heap]  # fmt: skip
            due = heapq.heappop(min(firsts)[2])
            due.begin(due.beat)

    def moved(self, beat: float) -> None:
        """The timeline is another, in which it is this beat now."""
        moved = [(each, (each.beat or Beat(each.at)).again(beat)) for each in self._beats]
        self._beats = [each._replace(at=again.number, beat=again) for each, again in moved]
        heapq.heapify(self._beats)

    def clear(self) -> None:
        """Drop everything."""
        dropped = sorted(self._frames + self._beats, key=lambda each: each.number)
        self._frames, self._beats = [], []
        for each in dropped:
            each.drop()


def _due(waiting: _Waiting, timeline: Timeline) -> float:
    return waiting.at if waiting.beat is None else timeline.whole_frame_of(waiting.at)
