"""A take: a recording of what is heard, written to its file as it grows.

It may begin by itself at a level, and lose the silence at both ends; both ends are faded, so that
neither clicks, but for an attack that it begins with. The end of a take is known only afterwards:
what may still be cut or faded is held back until then.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import MIN_SECONDS, SILENCE_DB, db_to_gain, smoothstep
from eutectic.errors import BadAudio, BadOutput
from eutectic.files.wav import WavWriter
from eutectic.playback.heard import Heard

FLOOR_DB = -60.0
"""What stays under it at both ends is silence."""

LEAD_SECONDS, TAIL_SECONDS = 0.01, 0.03
"""Kept before the first sound and after the last one: an attack begins before it is loud."""

FADE_SECONDS = 0.002

ATTACK = 0.1
"""A sound begins where what was before it had less than this share of its level."""

LOOK_SECONDS, END_SECONDS = 0.1, 0.002
"""Between looks at what was heard: usually, and while the last frames are awaited."""

BACK_SECONDS = 2.0
"""The newest isn't taken until it is clear that the take goes on: it may be stopped in the past."""

LOST_SECONDS = 1.5
"""A source that gives nothing for this long is lost."""

Samples = NDArray[np.float32]


class Take:
    """A 32-bit float WAV file being written; owned by one thread at a time.

    Attributes:
        frames: taken so far, though some may still be cut; 0 before it begins.
        error: why nothing more is written, in one line.
    """

    def __init__(
        self, path: Path, rate_hz: int, channels: int, seconds: float | None = None,
        threshold_db: float | None = None, trim: bool = False,
    ) -> None:  # fmt: skip
        """Create the file. `threshold_db`: it begins by itself when that is reached.

        Raises:
            BadOutput: the file exists, or can't be written.
        """
        self.path, self.rate_hz, self.frames = path, rate_hz, 0
        self.error: str | None = None
        self._limit = None if seconds is None else round(seconds * rate_hz)
        self._begin_db = FLOOR_DB if threshold_db is None and trim else threshold_db
        self._begun, self._trims = self._begin_db is None, trim
        self._lead, self._tail = round(LEAD_SECONDS * rate_hz), round(TAIL_SECONDS * rate_hz)
        fade = smoothstep(np.arange(1, round(FADE_SECONDS * rate_hz)) / (FADE_SECONDS * rate_hz))
        self._fade = fade.astype(np.float32)[:, None]
        self._fades_in = True
        self._before: Samples | None = None
        self._held: list[Samples] = []
        """What isn't written yet, (frame, channel)."""
        self._written, self._sounding, self._peak = 0, 0, 0.0
        try:
            self._file = WavWriter(path, rate_hz, channels, "float32")
        except FileExistsError:
            raise BadOutput(f"{path}: exists; choose another name") from None
        except OSError as error:
            raise BadOutput(f"{path}: can't be written ({error.strerror})") from None

    @property
    def left(self) -> int | None:
        """Frames that it still takes; None if there is no limit."""
        return None if self._limit is None else self._limit - self.frames

    @property
    def has_begun(self) -> bool:
        """Whether the level has been reached that it waits for, if any."""
        return self._begun

    def take(self, heard: Heard, start: int, stop: int) -> None:
        """Append frames of what was heard.

        Raises:
            ValueError: some are gone, or still to come.
        """
        if self._before is None:
            self._before = heard.read(max(heard.oldest, start - len(self._fade)), start)
        self.add(heard.read(start, stop))

    def add(self, samples: Samples) -> None:
        """Append what was heard (channel, frame); what is more than its seconds is dropped."""
        block = samples.T if self._begun else self._awaited(samples.T)
        block = block[: self.left].copy()
        if not len(block):
            return
        if not self.frames:
            self._fades_in = not self._is_attack(block)
        if self._fades_in and self.frames < len(self._fade):
            rising = self._fade[self.frames : self.frames + len(block)]
            block[: len(rising)] *= rising
        self._held.append(block)
        level = _level(block)
        self._peak = max(self._peak, float(level.max()))
        loud = np.flatnonzero(level >= db_to_gain(FLOOR_DB))
        self._sounding = self.frames + int(loud[-1]) + 1 if len(loud) else self._sounding
        self.frames += len(block)
        self._write(self._end - len(self._fade))

    def finish(self) -> None:
        """Cut and fade the end, and close the file.

        Raises:
            BadAudio: there is nothing to be heard; the file is removed.
        """
        reason = self._unusable()
        if reason:
            self.discard()
            raise BadAudio(reason)
        self.frames = self._end
        held = np.concatenate(self._held)[: self.frames - self._written]
        falling = self._fade[::-1]
        held[len(held) - len(falling) :] *= falling
        self._held = [held]
        self._write(self.frames)
        try:
            self._file.close()
        except OSError as error:
            self._failed(error)
        self.frames = self._file.frames

    def discard(self) -> None:
        """Remove the file."""
        with contextlib.suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)

    @property
    def _end(self) -> int:
        """Frames that stay, if nothing more is heard."""
        return min(self.frames, self._sounding + self._tail) if self._trims else self.frames

    def _is_attack(self, block: Samples) -> bool:
        """Whether the sound itself begins with a take's first block."""
        if self._before is None or not self._before.size:
            return False
        first = np.abs(block[: len(self._fade)]).max()
        return bool(np.abs(self._before).max() < ATTACK * first)

    def _awaited(self, block: Samples) -> Samples:
        """From a little before the level is reached; nothing before that."""
        assert self._begin_db is not None
        waiting = np.concatenate([*self._held, block])
        loud = np.flatnonzero(_level(waiting) >= db_to_gain(self._begin_db))
        if len(loud):
            self._held, self._begun = [], True
            return waiting[max(0, int(loud[0]) - self._lead) :]
        self._held = [waiting[max(0, len(waiting) - self._lead) :]]
        return waiting[:0]

    def _unusable(self) -> str:
        """Why this is no clip; empty: it is one."""
        if not self._begun:
            return f"nothing was recorded: nothing reached {self._begin_db:g} dB"
        if self._end < round(MIN_SECONDS * self.rate_hz):
            milliseconds, least = 1000 * self._end / self.rate_hz, 1000 * MIN_SECONDS
            return f"only {milliseconds:.3g} ms were heard; the shortest clip is {least:g} ms"
        if self._peak < db_to_gain(SILENCE_DB):
            return f"nothing was recorded: it is silent (peak under {SILENCE_DB:g} dB)"
        return ""

    def _write(self, stop: int) -> None:
        """Write what is held, up to a frame."""
        if stop <= self._written:
            return
        held, count = np.concatenate(self._held), stop - self._written
        self._held, self._written = [held[count:]], stop
        try:
            if self.error is None:
                self._file.write(held[:count])
        except OSError as error:
            self._failed(error)

    def _failed(self, error: OSError) -> None:
        self.error = f"{self.path}: can't be written any more ({error.strerror})"


def _level(block: Samples) -> Samples:
    """The loudest channel (frame,)."""
    return functools.reduce(np.maximum, np.abs(block).T)


class Recording:
    """What is heard from a frame on goes to a take, until that is full, or this is stopped.

    Attributes:
        gap: why some is missing, in a few words; empty: nothing is.
    """

    def __init__(self, heard: Heard, take: Take, start: int) -> None:
        self.heard, self.take, self.gap = heard, take, ""
        self._at, self._cancelled = start, False
        self._stop: int | None = None
        self._woken = threading.Event()

    @property
    def frames(self) -> int:
        """Heard since it began, taken or not yet."""
        return self.take.frames + max(0, self.heard.frames - self._at) * self.take.has_begun

    @property
    def is_stopped(self) -> bool:
        """Whether its end is known."""
        return self._stop is not None

    def stop(self, frame: int) -> None:
        """End it at a frame, which may be to come."""
        self._stop = frame
        self._woken.set()

    def cancel(self) -> None:
        """End it now, and remove the file."""
        self._cancelled = True
        self._woken.set()

    def run(self) -> None:
        """Record; blocks until it is over.

        Raises:
            BadAudio: there is nothing to be heard; the file is removed.
        """
        frames, moved = self.heard.frames, time.monotonic()
        while not self._cancelled and not self._is_over():
            if self.heard.frames != frames:
                frames, moved = self.heard.frames, time.monotonic()
            elif time.monotonic() - moved > LOST_SECONDS:
                self.gap = "the input was lost"
                self._stop = frames
            self._take(frames)
            self._wait()
        if self._cancelled:
            self.take.discard()
        else:
            self.take.finish()

    def _is_over(self) -> bool:
        is_full = self.take.left == 0 or self.take.error is not None
        return is_full or (self._stop is not None and self._at >= self._stop)

    def _take(self, frames: int) -> None:
        """Take what can be: not the last moments, in which it may yet turn out to have ended."""
        stop, left = self._stop, self.take.left
        if stop is not None:
            until = min(frames, stop)
        elif not self.take.has_begun or (left is not None and self._at + left <= frames):
            until = frames
        else:
            until = frames - round(BACK_SECONDS * self.heard.rate_hz)
        if until <= self._at:
            return
        if self._at < self.heard.oldest:
            self.gap, self._at = "the disk was too slow", self.heard.oldest
        self.take.take(self.heard, self._at, until)
        self._at = until

    def _wait(self) -> None:
        """Until there is more, or sooner if it is about to end."""
        left = self.take.left if self._stop is None else self._stop - self._at
        missing = LOOK_SECONDS
        if left is not None:
            missing = (self._at + left - self.heard.frames) / self.heard.rate_hz
        if self._woken.wait(min(max(missing, END_SECONDS), LOOK_SECONDS)):
            self._woken.clear()
