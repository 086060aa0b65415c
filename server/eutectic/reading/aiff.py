"""AIFF and AIFF-C files, whatever their headers say about lengths, as `wave` does it for WAV."""

from __future__ import annotations

import struct
from typing import BinaryIO

from eutectic.reading import layouts, wave
from eutectic.reading.views import read_at
from eutectic.reading.wave import BadHeader, Mended

KINDS = (b"AIFF", b"AIFC")

_VERSION = struct.pack(">4sII", b"FVER", 4, 0xA2805140)

PLAIN_CODECS = {
    b"NONE": 0, b"twos": 0, b"sowt": 0, b"raw ": 0, b"in24": 24, b"in32": 32, b"fl32": 32,
    b"FL32": 32, b"fl64": 64, b"FL64": 64, b"ulaw": 8, b"ULAW": 8, b"alaw": 8, b"ALAW": 8,
}  # fmt: skip
"""Bits of their samples; 0: as the header says."""


def mend(file: BinaryIO, start: int, end: int) -> Mended:
    """An AIFF file that starts and ends at these offsets, with a header that is true.

    Raises:
        BadHeader: no format, or no samples.
    """
    kind = read_at(file, start + 8, 4)
    found = wave.chunks(file, start + 12, end, ">", b"SSND")
    if b"COMM" not in found or b"SSND" not in found:
        raise BadHeader("an AIFF file without format or samples")
    common = read_at(file, found[b"COMM"].start, found[b"COMM"].size)
    if len(common) < 18:
        raise BadHeader("an AIFF file whose format is cut off")
    channels, frames, bits = struct.unpack_from(">HIH", common)
    sound = found[b"SSND"]
    (offset,) = struct.unpack(">I", read_at(file, sound.start, 8)[:4].ljust(4, b"\0"))
    first = min(sound.start + 8 + offset, end)
    rest, size = end - first, sound.size - 8 - offset
    codec = common[18:22] if kind == b"AIFC" else b"NONE"
    if codec in PLAIN_CODECS:
        align = channels * -(-(PLAIN_CODECS[codec] or bits) // 8)
        if not align:
            raise BadHeader(f"an AIFF file of {channels} channels with {bits} bits")
        if size <= 0 and not frames:
            empty = wave.only_chunks(file, first, end, ">")
            size = 0 if empty else rest
        elif size <= 0:
            size = frames * align
        size = min(size, rest)
        size -= size % align
        common = common[:2] + struct.pack(">I", size // align) + common[6:]
    size = min(size, rest) if size > 0 else 0
    common += b"\0" * (len(common) % 2)
    about = _VERSION if kind == b"AIFC" else b""
    about += struct.pack(">4sI", b"COMM", len(common)) + common
    header = struct.pack(">4sI4s", b"FORM", min(4 + len(about) + 16 + size, 0xFFFFFFFF), kind)
    header += about + struct.pack(">4sIII", b"SSND", min(8 + size, 0xFFFFFFFF), 0, 0)
    speakers = None
    if b"CHAN" in found:
        layout = read_at(file, found[b"CHAN"].start, found[b"CHAN"].size)
        speakers = layouts.of_core_audio(layout, channels)
    return Mended((header, (first, first + size)), speakers)
