"""WAV files, also those that are written for hours, and can be read at any moment.

There the header is right after every block, so that a killed process leaves a whole file. Its
sizes have 32 bits; beyond 4 GiB it becomes that of RF64 (EBU Tech 3306), for which room is left
from the start. libsndfile can do this, too, but python-soundfile gives no access to it.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Encoding = Literal["pcm24", "float32"]

MAX_RIFF_BYTES = 2**32 - 1
"""Of a file's size, as RIFF can have it."""

UNKNOWN = 2**32 - 1
"""In RF64, in place of sizes that are in the chunk `ds64`."""

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
SUBFORMAT = bytes.fromhex("000000001000800000aa00389b71")
"""The rest of a format's identifier (Microsoft's KSDATAFORMAT_SUBTYPE), after the format itself."""


def header(
    frames: int, rate_hz: int, channels: int, encoding: Encoding,
    max_riff_bytes: int = MAX_RIFF_BYTES,
) -> bytes:  # fmt: skip
    """The header of a file of so many frames; its length depends on the channels alone."""
    width = 3 if encoding == "pcm24" else 4
    block = width * channels
    data = frames * block
    kind = PCM if encoding == "pcm24" else FLOAT
    tag, more = kind, b""
    if channels > 2:
        tag, more = EXTENSIBLE, struct.pack("<HHIH14s", 22, 8 * width, 0, kind, SUBFORMAT)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16 + len(more), tag, channels, rate_hz,
                       rate_hz * block, block, 8 * width) + more  # fmt: skip
    whole = 4 + 36 + len(form) + 8 + data + data % 2
    if whole + 8 <= max_riff_bytes:
        sizes = struct.pack("<4sI28x", b"JUNK", 28)
        return struct.pack("<4sI4s", b"RIFF", whole, b"WAVE") + sizes + form + struct.pack(
            "<4sI", b"data", data
        )  # fmt: skip
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, whole, data, frames, 0)
    return struct.pack("<4sI4s", b"RF64", UNKNOWN, b"WAVE") + sizes + form + struct.pack(
        "<4sI", b"data", UNKNOWN
    )  # fmt: skip


class WavWriter:
    """A new WAV file; owned by one thread.

    Attributes:
        frames: written so far.
    """

    def __init__(
        self, path: Path, rate_hz: int, channels: int, encoding: Encoding,
        max_riff_bytes: int = MAX_RIFF_BYTES,
    ) -> None:  # fmt: skip
        """Create the file.

        Raises:
            FileExistsError: there is one.
            OSError: it can't be written.
        """
        self._form = rate_hz, channels, encoding, max_riff_bytes
        self._encoding: Encoding = encoding
        self.frames = 0
        self._file = path.open("xb", buffering=0)
        self._write_header()

    def write(self, samples: NDArray[np.float32]) -> None:
        """Append samples (frame, channel), from -1 to 1.

        Raises:
            OSError: it can't be written any more; what was there stays valid.
        """
        _write_all(self._file.fileno(), encoded(samples, self._encoding))
        self.frames += len(samples)
        self._write_header()

    def sync(self) -> None:
        """Wait until the disk has what was written, in case the power fails.

        Raises:
            OSError: it can't be written.
        """
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Pad the data to an even number of bytes, as RIFF has it, and close the file; once."""
        if self._file.closed:
            return
        try:
            if self._file.tell() % 2:
                _write_all(self._file.fileno(), b"\0")
        finally:
            self._file.close()

    def _write_header(self) -> None:
        self._file.seek(0)
        _write_all(self._file.fileno(), header(self.frames, *self._form))
        self._file.seek(0, os.SEEK_END)


def encoded(samples: NDArray[np.float32], encoding: Encoding) -> bytes:
    """Samples (frame, channel), from -1 to 1, as they follow the header."""
    if encoding == "float32":
        return np.ascontiguousarray(samples, "<f4").tobytes()
    whole = np.rint(samples.astype(np.float64) * 2**23).clip(-(2**23), 2**23 - 1).astype("<i4")
    return np.ascontiguousarray(whole).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def _write_all(file: int, data: bytes) -> None:
    """A nearly full disk takes only part of what is written."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
