"""MIDI clock, read: the tempo and the beat that a stream of ticks means.

A tick arrives when a cable, a driver and a poll let it: the beat is read from a line through the
last ticks (least squares over four beats), not from the last one. Where the newest are off that
line, the tempo has changed, and the line begins anew with them. Ticks that were lost are noticed
by the gap, and counted; without any the beat goes on at the last tempo, so that what plays does.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

TICKS, SIXTEENTH = 24, 6
"""Of a quarter note, which is a beat, and of a sixteenth, in which song positions count."""

POSITION, TICK, START, CONTINUE, STOP = 0xF2, 0xF8, 0xFA, 0xFB, 0xFC

WINDOW, NEWEST = 96, 4
"""Ticks of the line, and of those that show that the tempo has changed."""

CHANGE_SECONDS, CHANGE_DEVIATIONS = 0.003, 2.5
"""They are off by that, and by so many times what single ticks are."""

SLOWER = 3
"""So many gaps of several ticks in a row are ticks of a slower tempo."""

HELD_UP = 0.5
"""Closer than that to the last one, in ticks, those that were taken for lost come after all."""

SHORTEST, LONGEST = 60 / 500 / TICKS, 60 / 15 / TICKS
"""From one tick to the next, in seconds: other lines mean nothing."""

SILENT_SECONDS = 1.0
"""Without a tick for so long, nothing comes."""


@dataclass(frozen=True)
class Reading:
    """What a clock says: which beat it was at a (monotonic) time, and how fast beats go by."""

    at: float
    beat: float
    bpm: float
    running: bool

    def beat_at(self, time: float) -> float:
        """The beat at another time."""
        return self.beat + (time - self.at) * self.bpm / 60 * self.running


class ClockReader:
    """Reads a MIDI clock; one thread gives it messages, any may take its `reading`.

    Until it has seen a start, continue or stop, ticks are beats that run.

    Attributes:
        reading: the newest; None until a tempo is known.
        heard: when the last tick came (monotonic).
    """

    def __init__(self) -> None:
        self.reading: Reading | None = None
        self.heard = -math.inf
        self._ticks: deque[tuple[int, float]] = deque(maxlen=WINDOW)
        """Numbers of ticks and when they came."""
        self._gaps: deque[tuple[int, float]] = deque(maxlen=SLOWER)
        """The last ones, in ticks, and when they ended."""
        self._lost = 0
        """Ticks that should have come in the last gap."""
        self._start, self._period = 0.0, 0.0
        """The line: when tick 0 was, and the time from one to the next, once known."""
        self._position = 0
        """The next tick's."""
        self._running, self._is_about_to = True, False

    def take(self, message: list[int], now: float) -> None:
        """Take a message, as it came in at a (monotonic) time; other kinds are passed over."""
        if not message:
            return
        kind = message[0]
        if kind == TICK:
            self._tick(now)
        elif kind == START:
            self._position, self._is_about_to = 0, True
        elif kind == CONTINUE:
            self._is_about_to = True
        elif kind == STOP:
            self._running = self._is_about_to = False
            self._read()
        elif kind == POSITION and len(message) == 3:
            self._position = SIXTEENTH * (message[1] + (message[2] << 7))
            self._read()

    def _tick(self, now: float) -> None:
        steps = self._steps(now)
        self.heard = now
        if not steps:
            return
        if self._is_about_to:
            self._running, self._is_about_to = True, False
            self._count(steps, now, 0)
        else:
            self._count(steps, now, steps - 1)
        if self._running:
            self._position += 1
        self._read()

    def _count(self, steps: int, now: float, missed: int) -> None:
        """Add a tick to the line; those that were missed before it moved the position, too."""
        last = self._ticks[-1][0] if self._ticks else 0
        if self._ticks and now - self._ticks[-1][1] > SILENT_SECONDS:
            self._ticks.clear()
        self._ticks.append((last + steps, now))
        if self._running:
            self._position += missed
        self._fit()

    def _steps(self, now: float) -> int:
        """How many ticks it is from the last one to this; 0 for one that was taken for lost."""
        if not self._ticks or not self._period:
            return 1
        gap = (now - self.heard) / self._period
        if self._lost and gap < HELD_UP:
            self._lost -= 1
            return 0
        steps = max(1, round(gap))
        self._lost = steps - 1
        self._gaps.append((steps, now))
        if steps > 1 and len(self._gaps) == SLOWER and all(each > 1 for each, _ in self._gaps):
            if self._running:  # none was missed
                self._position -= sum(each - 1 for each, _ in list(self._gaps)[:-1])
            first = self._ticks[-1][0] - len(self._gaps) + 2
            times = [time for _, time in self._gaps]
            self._ticks.clear()
            self._ticks.extend((first + k, time) for k, time in enumerate(times[:-1]))
            self._gaps.clear()
            self._lost = 0
            return 1
        return steps

    def _fit(self) -> None:
        """Draw the line; through the newest alone, if they are off the others'."""
        if len(self._ticks) > 2 * NEWEST:
            old, new = list(self._ticks)[:-NEWEST], list(self._ticks)[-NEWEST:]
            start, period = _line(old)
            spread = math.sqrt(np.mean([(at - start - k * period) ** 2 for k, at in old]))
            off = abs(float(np.median([at - start - k * period for k, at in new])))
            if off > max(CHANGE_SECONDS, CHANGE_DEVIATIONS * spread):
                self._ticks = deque(new, WINDOW)
        start, period = _line(self._ticks) if len(self._ticks) > 1 else (0.0, 0.0)
        if SHORTEST <= period <= LONGEST:
            self._start, self._period = start, period
        elif self._period:  # a tick of its own, or some that came at once
            number, at = self._ticks[-1]
            self._start = at - number * self._period

    def _read(self) -> None:
        """Make a reading at the last tick."""
        if not self._period:
            return
        at = self._start + self._ticks[-1][0] * self._period
        held = 0 if not self._running else 1
        beat = (self._position - held) / TICKS
        self.reading = Reading(at, beat, 60 / (TICKS * self._period), self._running)


def _line(ticks: Iterable[tuple[int, float]]) -> tuple[float, float]:
    """The time of tick 0 and the time from one to the next, by least squares."""
    numbers, times = np.array(list(ticks), np.float64).T
    middle, mean = numbers.mean(), times.mean()
    x = numbers - middle
    period = float(np.dot(x, times - mean) / np.dot(x, x))
    return float(mean - middle * period), period
