"""How far decoding is ahead of playback, so that the rest of a sound can wait for another.

Decoding is many times faster than playback. Once a sound's first chunks are out, a waiting trigger
is fused in between, if it is likely to be done before the first sound underruns.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections import deque
from collections.abc import Callable, Generator

MARGIN = 2.0
"""Multiple of the longest recent fusion that must be decoded and not yet played."""

RECENT = 8
"""Fusions whose durations are kept."""


class Lead:
    """The lead of one thread's jobs, each nested in the one that it interrupts."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._ends: list[float] = []
        """When playback catches up with each sound in progress, the outermost first."""
        self._durations: deque[float] = deque(maxlen=RECENT)
        self._interrupted = 0.0
        """Seconds that interruptions of the current job took."""

    def now(self) -> float:
        """The time in seconds, without the interruptions of the calling job."""
        return self._clock() - self._interrupted

    @contextlib.contextmanager
    def sound(self, awaited: bool = True) -> Generator[Callable[[float], None]]:
        """While a job makes a sound; yields what to call with the seconds decoded so far.

        An awaited sound counts as playing from its first chunk, and can't wait before that; any
        other can always wait.
        """
        if not awaited:
            yield lambda _: None
            return
        place = len(self._ends)
        self._ends.append(-math.inf)
        began: list[float] = []

        def decoded(seconds: float) -> None:
            if not began:
                began.append(self._clock())
            self._ends[place] = began[0] + seconds

        try:
            yield decoded
        finally:
            del self._ends[place:]

    @contextlib.contextmanager
    def interruption(self) -> Generator[None]:
        """While another job runs."""
        before, began = self._interrupted, self._clock()
        try:
            yield
        finally:
            self._interrupted = before + self._clock() - began

    def took(self, seconds: float) -> None:
        """Note how long a fusion took, up to its last chunk."""
        self._durations.append(seconds)

    def is_enough(self) -> bool:
        """Whether another fusion will likely be done before any sound in progress underruns."""
        if not self._ends or not self._durations:
            return False
        return self._clock() + MARGIN * max(self._durations) < min(self._ends)
