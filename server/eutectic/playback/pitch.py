"""Sounds at other pitches: resampled once, ahead of their playing, and kept for the next time.

Resampling is some thousand times faster than playing. So the first moment is made at once and a
thread makes the rest, and the mix has only to slice, with the best filter there is.
"""

from __future__ import annotations

import importlib
import math
import threading
import weakref
from collections import deque
from typing import Any

import numpy as np

from eutectic.playback.cursor import Section
from eutectic.playback.sounds import SIDES, Sound
from eutectic.system.cache import Cache

FIRST_SECONDS, CHUNK_SECONDS = 0.1, 0.25
"""How much is made at once, and then at a time, so that a chord's notes keep pace."""

MAX_CHUNK_FRAMES = 1 << 16
"""Taken at a time: however much a high note skips, no thread is kept waiting."""

LONGEST_SECONDS = 60.0
"""Of a pitched sound: a low note of a long one isn't made further."""

MAX_OCTAVES = 5.0

WAIT_SECONDS = 0.005
"""Between looks at sounds that are still being decoded."""


def ratio_of(note: float, root: float) -> float:
    """How much faster a sound is played as a note than as the note at which it is as made."""
    return 2 ** min(max((note - root) / 12, -MAX_OCTAVES), MAX_OCTAVES)


class Pitches:
    """Makes sounds of other pitches and keeps them; asked by one thread, with one of its own."""

    def __init__(self, rate_hz: int, kept_bytes: int) -> None:
        self._rate_hz = rate_hz
        self._kept: Cache[tuple[weakref.ref[Sound], Section, float], Sound] = Cache(kept_bytes)
        self._unfinished: deque[_Pitching] = deque()
        self._there = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="pitches", daemon=True)
        self._thread.start()

    def of(self, sound: Sound, section: Section, ratio: float) -> tuple[Sound, Section]:
        """A section of a sound, `ratio` times as fast: a sound that grows, and what to play of it.

        At ratio 1 that is the sound itself.
        """
        if ratio == 1:
            return sound, section
        key = weakref.ref(sound), section, ratio
        pitched = self._kept.get(key)
        if pitched is None:
            pitching = _Pitching(sound, section, ratio, self._rate_hz)
            pitched = pitching.pitched
            pitching.begin(round(FIRST_SECONDS * self._rate_hz))
            self._kept.put(key, pitched, pitched.samples.nbytes)
            with self._there:
                self._unfinished.append(pitching)
                self._there.notify()
        return pitched, Section()

    def close(self) -> None:
        """End the thread."""
        with self._there:
            self._is_closed = True
            self._there.notify()
        self._thread.join()

    def _run(self) -> None:
        importlib.import_module("soxr")  # before the first note needs it
        waiting = 0
        while True:
            with self._there:
                while not self._unfinished and not self._is_closed:
                    self._there.wait()
                if self._is_closed:
                    return
                pitching = self._unfinished.popleft()
            is_further = pitching.advance(round(CHUNK_SECONDS * self._rate_hz))
            waiting = 0 if is_further else waiting + 1
            with self._there:
                if not pitching.is_over:
                    self._unfinished.append(pitching)
                if waiting > len(self._unfinished):  # all wait for the decoder
                    self._there.wait(WAIT_SECONDS)
                    waiting = 0


class _Pitching:
    """A sound on its way to another pitch; one thread at a time advances it.

    One that is still being decoded isn't kept alive: what nobody else has any more will never be.
    """

    def __init__(self, sound: Sound, section: Section, ratio: float, rate_hz: int) -> None:
        import soxr

        self._section, self._rate_hz = section, rate_hz
        self._source = weakref.ref(sound)
        self._whole_source: Sound | None = None
        passage = section.of(sound, rate_hz)
        self._samples, self._taken = passage.samples, 0
        frames = max(1, round(min(passage.frames / ratio, LONGEST_SECONDS * rate_hz)))
        tail = round(passage.tail / ratio)
        self._whole = min(passage.samples.shape[1], math.ceil((frames + tail) * ratio))
        self.pitched = Sound(frames, tail)
        self._chunk = max(1.0, ratio)
        self._resampler: Any = soxr.ResampleStream(ratio, 1.0, SIDES, "float32", quality="VHQ")

    @property
    def is_over(self) -> bool:
        return self.pitched.complete or self._source() is None

    def begin(self, frames: int) -> None:
        """Make the first frames, as far as they are decoded."""
        while self.pitched.ready < frames and self.advance(frames):
            pass

    def advance(self, frames: int) -> bool:
        """Make about so many frames more; false if no more are decoded, or all are made."""
        sound = self._source()
        if sound is None or self.pitched.complete:
            return False
        if sound.complete:
            self._whole_source = sound
        ready = min(self._section.ready(sound, self._rate_hz), self._whole)
        stop = min(self._taken + min(round(frames * self._chunk), MAX_CHUNK_FRAMES), ready)
        if stop == self._taken and stop < self._whole:
            return False
        chunk = np.ascontiguousarray(self._samples[:, self._taken : stop].T)
        self._taken = stop
        is_last = stop == self._whole
        made = self._resampler.resample_chunk(chunk, last=is_last).T
        left = self.pitched.samples.shape[1] - self.pitched.ready
        if is_last and made.shape[1] < left:
            made = np.pad(made, ((0, 0), (0, left - made.shape[1])))
        self.pitched.write(self.pitched.ready, made[:, :left])
        return True
