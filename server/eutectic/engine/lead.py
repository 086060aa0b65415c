"""How far decoding is ahead of what is heard, so that the rest of it can wait for another sound.

Decoding is many times as fast as playing. Once a sound's first chunks are out, a trigger that waits
is fused in between, if by all that is known it will be done before the first sound runs dry.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections import deque
from collections.abc import Callable, Generator

MARGIN = 2.0
"""Times the longest of recent fusions that must be decoded and not yet played."""

RECENT = 8
"""Fusions whose time is remembered."""


class Lead:
    """Of one thread's jobs, each within the one that it interrupts."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._ends: list[float] = []
        """When each sound under way has been played as far as it is there, the outermost first."""
        self._took: deque[float] = deque(maxlen=RECENT)
        self._away = 0.0

    def now(self) -> float:
        """Seconds, not counting what interrupted the job that asks."""
        return self._clock() - self._away

    @contextlib.contextmanager
    def sound(self, awaited: bool = True) -> Generator[Callable[[float], None]]:
        """While a sound is made: given what to tell how many of its seconds are there.

        It is taken to play from its first chunk on; one that nobody waits for can always wait.
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
        """While another job is done."""
        away, began = self._away, self._clock()
        try:
            yield
        finally:
            self._away = away + self._clock() - began

    def took(self, seconds: float) -> None:
        """A fusion did, from its beginning to its last chunk."""
        self._took.append(seconds)

    def is_enough(self) -> bool:
        """Whether another fusion will most likely be done before any sound under way runs dry."""
        if not self._ends or not self._took:
            return False
        return self._clock() + MARGIN * max(self._took) < min(self._ends)
