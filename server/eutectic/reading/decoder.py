"""Streams as libsndfile decodes them, block by block, whatever length it says they have."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import BinaryIO, cast

import numpy as np
import soundfile
from numpy.typing import NDArray

from eutectic.reading.streams import Stream
from eutectic.reading.views import View

BLOCK_FRAMES = 4096
PIPE_BYTES = 1 << 16

UNKNOWN_FRAMES = 1 << 48
"""Lengths from here on mean that libsndfile knows none."""

INDEXED_SECONDS, PREROLL_SECONDS = 60.0, 1.0
"""An MP3 file is decoded from its start on, unless it has an index and a section starts later than
this; then from so much before the section: its frames depend on those before them."""


class _Sequential(soundfile.SoundFile):
    """Reads on where it is; the base class seeks after every block, which not every stream can."""

    def seekable(self) -> bool:
        return False


@dataclass(frozen=True)
class Decoder:
    """A stream; `frames` is its length as libsndfile says, None if it doesn't know."""

    sound: soundfile.SoundFile
    stream: Stream
    view: View
    frames: int | None

    @property
    def rate_hz(self) -> int:
        return self.sound.samplerate

    def blocks(self, first: int) -> Generator[NDArray[np.float32]]:
        """The frames (frame, channel) from one on; none if there are no more than that.

        Raises:
            LibsndfileError: what follows is damaged.
            OSError: the disk refused to give it.
        """
        at = self._seek(first)
        while True:
            block = self.sound.read(BLOCK_FRAMES, "float32", always_2d=True)
            if self.view.error is not None:
                raise self.view.error
            if not len(block):
                return
            skipped = min(max(0, first - at), len(block))
            at += len(block)
            if skipped < len(block):
                yield np.asarray(block[skipped:], np.float32)

    def _seek(self, first: int) -> int:
        """Go to a frame, or to one before it from which it is decoded exactly; returns which."""
        if self.stream.is_mp3:
            before = first - round(PREROLL_SECONDS * self.rate_hz)
            return 0 if self.frames is None else self.sound.seek(max(0, before))
        before = max(0, first - round(self.stream.preroll_seconds * self.rate_hz))
        if before and (self.frames is None or before < self.frames):
            return self.sound.seek(before)
        return 0

    def count(self) -> int:
        """How many frames there are, by decoding them if need be."""
        return sum(map(len, self.blocks(0))) if self.frames is None else self.frames


@contextlib.contextmanager
def decoder(
    file: BinaryIO, stream: Stream, start_seconds: float, alive: Callable[[], None]
) -> Generator[Decoder]:
    """Open a stream of which a section is wanted that starts there.

    Raises:
        LibsndfileError: libsndfile can't read it.
    """
    view = View(file, stream.parts, alive)
    if stream.is_mp3 and not (stream.indexed and start_seconds > INDEXED_SECONDS):
        with _piped(view) as pipe, _Sequential(pipe, closefd=False) as sound:
            yield Decoder(sound, stream, view, None)
    else:
        with _Sequential(cast(BinaryIO, view)) as sound:
            known = sound.frames < UNKNOWN_FRAMES
            yield Decoder(sound, stream, view, sound.frames if known else None)


@contextlib.contextmanager
def _piped(view: View) -> Generator[int]:
    """All of it through a pipe: of what can't be sought, libsndfile guesses no length."""
    reading, writing = os.pipe()

    def feed() -> None:
        with contextlib.suppress(BrokenPipeError), os.fdopen(writing, "wb") as pipe:
            while some := view.read(PIPE_BYTES):
                pipe.write(some)

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    try:
        yield reading
    finally:
        os.close(reading)
        feeder.join()
