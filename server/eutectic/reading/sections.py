"""A section of a sound file, its channels as the file has them.

No length in a header is trusted: what is wanted is read block by block, until there is no more.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import os
import stat
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from eutectic.errors import BadAudio, NoFile
from eutectic.files import names
from eutectic.reading import ffmpeg
from eutectic.reading.decoder import Decoder, decoder
from eutectic.reading.layouts import Speakers
from eutectic.reading.streams import Stream, is_text, streams_of
from eutectic.reading.wave import BadHeader

log = logging.getLogger("eutectic.audio")

MAX_SAMPLES = 100_000_000
"""Most samples read from one file, over all channels: a header may claim anything."""

MORE_SECONDS = 0.01
"""So much more than may be is read, to see whether there is more."""

CHECKED_SECONDS = 0.1

FFMPEG_SECONDS = 3600.0
"""Of what ffmpeg decodes if no limit is known."""

_OTHERS = (soundfile.LibsndfileError, BadHeader)
"""Of files that libsndfile can't read; ffmpeg may."""


@dataclass(frozen=True)
class Piece:
    """Samples (channel, frame) at a file's own rate, full scale at ±1; whose channels they are.

    `left`: frames of the file after them, None if that isn't known.
    """

    samples: NDArray[np.float32]
    rate_hz: int
    speakers: Speakers | None
    left: int | None

    @property
    def seconds(self) -> float:
        return self.samples.shape[1] / self.rate_hz


def _ignore() -> None:
    pass


def check(path: Path, alive: Callable[[], None] = _ignore) -> None:
    """Check that a path is a sound file, before any long work.

    Raises:
        BadAudio: missing, not a file, unreadable, not audio.
    """
    with _opened(path) as file:
        try:
            with decoder(file, streams_of(file)[0], 0.0, alive):
                pass
        except _OTHERS as error:
            _by_ffmpeg(path, file, 0.0, CHECKED_SECONDS, alive, error)


def read_section(
    path: Path,
    start_seconds: float = 0.0,
    duration_seconds: float | None = None,
    max_seconds: float | None = None,
    alive: Callable[[], None] = _ignore,
) -> list[Piece]:
    """A section of a sound file; several pieces where the file is a chain of streams.

    `alive` is called whenever the disk has answered.

    Raises:
        BadAudio: missing, not a file, unreadable, not audio, longer than max_seconds, or it ends
            before the section starts.
    """
    most = math.inf if max_seconds is None else max_seconds
    wanted = min(math.inf if duration_seconds is None else duration_seconds, most + MORE_SECONDS)
    with _opened(path) as file:
        try:
            pieces = _decoded(path, file, streams_of(file), start_seconds, wanted, alive)
        except _OTHERS as error:
            found = _by_ffmpeg(path, file, start_seconds, wanted, alive, error)
            pieces = _decoded(path, found, streams_of(found), 0.0, wanted, alive)
    if start_seconds and not any(piece.samples.size for piece in pieces):
        raise BadAudio(f"{path}: ends before the section's start at {start_seconds:g} s")
    _check_size(path, pieces, duration_seconds, most)
    return pieces


def _decoded(
    path: Path, file: BinaryIO, streams: Sequence[Stream], start_seconds: float, wanted: float,
    alive: Callable[[], None],
) -> list[Piece]:  # fmt: skip
    """So many seconds from a start on, of streams that follow each other."""
    pieces: list[Piece] = []
    for number, stream in enumerate(streams):
        with decoder(file, stream, start_seconds, alive) as sound:
            first = round(start_seconds * sound.rate_hz)
            is_last = number == len(streams) - 1
            if first and not is_last and (count := sound.count()) <= first:
                start_seconds -= count / sound.rate_hz
                continue
            seconds = wanted - sum(piece.seconds for piece in pieces)
            pieces.append(_piece(path, sound, first, seconds))
            start_seconds = 0.0
        if sum(piece.seconds for piece in pieces) >= wanted:
            break
    return pieces


def _piece(path: Path, sound: Decoder, first: int, seconds: float) -> Piece:
    channels, rate_hz = sound.sound.channels, sound.rate_hz
    most = MAX_SAMPLES // channels + 1
    wanted = most if seconds == math.inf else min(most, round(seconds * rate_hz))
    blocks: list[NDArray[np.float32]] = [np.zeros((0, channels), np.float32)]
    read = 0
    try:
        for block in sound.blocks(first):
            blocks.append(block)
            read += len(block)
            if read >= wanted:
                break
    except soundfile.LibsndfileError as error:
        if not read:
            raise
        log.warning("%s: damaged after %.1f s (%s); what comes before is used", path,
                    (first + read) / rate_hz, _reason(error))  # fmt: skip
    samples = np.concatenate(blocks)[:wanted]
    end = first + len(samples)
    left = None if sound.frames is None or sound.frames < end else sound.frames - end
    return Piece(samples.T, rate_hz, sound.stream.channels(channels), left)


def _check_size(
    path: Path, pieces: Sequence[Piece], duration_seconds: float | None, most: float
) -> None:
    """Raises:
    BadAudio: it is longer than it may be, or has too many samples.
    """
    seconds = sum(piece.seconds for piece in pieces)
    if any(round(piece.seconds * piece.rate_hz) > round(most * piece.rate_hz) for piece in pieces
           if most < math.inf) or seconds > most + MORE_SECONDS / 2:  # fmt: skip
        last = pieces[-1]
        whole = math.inf if last.left is None else seconds + last.left / last.rate_hz
        whole = min(whole, math.inf if duration_seconds is None else duration_seconds)
        long = f"{whole:.1f} s long" if most < whole < math.inf else "longer"
        long_ = f"{long}, where {most:.1f} s is the most"
        raise BadAudio(f"{path}: {long_}; choose a shorter section")
    if sum(piece.samples.size for piece in pieces) > MAX_SAMPLES:
        raise BadAudio(
            f"{path}: {len(pieces[0].samples)} channels at {pieces[0].rate_hz} Hz are too much to "
            "read; choose a shorter section"
        )


@contextlib.contextmanager
def _opened(path: Path) -> Generator[BinaryIO]:
    """A file to read, whatever form its name has on disk."""
    try:
        where = names.found(path)
        status = where.stat()
        if not stat.S_ISREG(status.st_mode):
            raise BadAudio(f"{path}: is {_kind(status.st_mode)}, not a sound file")
        if not os.access(where, os.R_OK):
            raise PermissionError
        with where.open("rb") as file:
            yield file
    except (FileNotFoundError, NotADirectoryError):
        raise NoFile(f"{path}: no such file") from None
    except PermissionError:
        raise BadAudio(f"{path}: no permission to read it") from None
    except (*_OTHERS, OSError, MemoryError, ValueError, TypeError) as error:
        raise BadAudio(f"{path}: can't be read as audio ({_reason(error)})") from None


def _kind(mode: int) -> str:
    """What is at a path that isn't a file."""
    kinds = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def _by_ffmpeg(
    path: Path, file: BinaryIO, start_seconds: float, wanted: float, alive: Callable[[], None],
    why: Exception,
) -> BinaryIO:  # fmt: skip
    """A section as ffmpeg decodes it.

    Raises:
        BadAudio: it can't; the reason is libsndfile's own, unless ffmpeg knows better.
    """
    if is_text(file):
        raise why
    if ffmpeg.program() is None:
        if ffmpeg.is_for_it(path):
            raise BadAudio(f"{path}: can't be read as audio without ffmpeg; {ffmpeg.HOW}")
        raise why
    seconds = min(wanted, FFMPEG_SECONDS)
    try:
        return io.BytesIO(ffmpeg.decode(Path(file.name), start_seconds, seconds, alive))
    except ffmpeg.NoSound:
        raise BadAudio(f"{path}: there is no sound in it") from None
    except ffmpeg.Unreadable:
        raise why from None


def _reason(error: BaseException) -> str:
    text = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return str(text).strip().rstrip(".")
