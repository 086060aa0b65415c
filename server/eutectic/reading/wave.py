"""WAV files of every kind, whatever their headers say about lengths.

RIFF, RIFX, RF64 and BW64. Recorders that lost power, pipes and old programs leave sizes of 0, of
2³²-1, of another file or of another byte order's, odd chunks without their padding, and chunks that
libsndfile stumbles over. What the file holds counts: the format and the extent of the samples are
looked for, and libsndfile gets a header that says just these.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from eutectic.reading import layouts
from eutectic.reading.layouts import Speakers
from eutectic.reading.views import Part, read_at

KINDS = (b"RIFF", b"RIFX", b"RF64", b"BW64")

EXTENSIBLE = 0xFFFE
PLAIN_FORMATS = (1, 3, 6, 7)
"""PCM, float, A-law and mu-law, whose frames are all of one size."""

AMBISONIC = bytes.fromhex("2107d3118644c8c1ca000000")
"""The end of the formats' GUIDs."""

SEARCHED_BYTES = 1 << 22
"""A header's chunks are searched for in so much of the file where they can't be followed."""

_MOST_32 = 0xFFFFFFFF


class BadHeader(ValueError):
    """There is no sound in it."""


@dataclass(frozen=True)
class Mended:
    """What libsndfile is to read, and whose channels these are, if that is said."""

    parts: tuple[Part, ...]
    speakers: Speakers | None


@dataclass(frozen=True)
class Chunk:
    """Where its content starts, and how long it claims to be."""

    name: bytes
    start: int
    size: int


def mend(file: BinaryIO, start: int, end: int) -> Mended:
    """A WAV file that starts and ends at these offsets, with a header that is true.

    Raises:
        BadHeader: no format, or no samples.
    """
    kind = read_at(file, start, 4)
    order = ">" if kind == b"RIFX" else "<"
    found = chunks(file, start + 12, end, order, b"data")
    if b"fmt " not in found or b"data" not in found:
        found |= _searched(file, start, end, order)
    if b"fmt " not in found or b"data" not in found:
        raise BadHeader("a WAV file without format or samples")
    format_, speakers = _format(read_at(file, found[b"fmt "].start, found[b"fmt "].size), order)
    align = struct.unpack_from(order + "H", format_, 12)[0]
    first = found[b"data"].start
    size = _data_size(file, kind, found, end, order)
    if struct.unpack_from(order + "H", format_)[0] in PLAIN_FORMATS:
        size -= size % align
        fact = b""
    else:
        fact = _copied(file, found.get(b"fact"), order)
    header = _header(format_, fact, size, order)
    return Mended((header, (first, first + size)), speakers)


def chunks(file: BinaryIO, at: int, end: int, order: str, last: bytes) -> dict[bytes, Chunk]:
    """The chunks by their names, up to `last`; `order` is that of struct."""
    found: dict[bytes, Chunk] = {}
    while at + 8 <= end and last not in found:
        name, size = struct.unpack(order + "4sI", read_at(file, at, 8))
        if not _is_name(name):
            break
        found.setdefault(name, Chunk(name, at + 8, size))
        at += 8 + size
        if size % 2 and not _is_name(read_at(file, at, 4)):  # else its padding is missing
            at += 1
    return found


def _searched(file: BinaryIO, start: int, end: int, order: str) -> dict[bytes, Chunk]:
    """Format and samples where the sizes of other chunks lead past them."""
    head = read_at(file, start, min(end - start, SEARCHED_BYTES))
    found: dict[bytes, Chunk] = {}
    at = head.find(b"fmt ")
    for name in (b"fmt ", b"data"):
        at = head.find(name, max(at, 0))
        if at >= 0 and at + 8 <= len(head):
            (size,) = struct.unpack_from(order + "I", head, at + 4)
            found[name] = Chunk(name, start + at + 8, size)
    return found


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and all(0x20 <= byte < 0x7F for byte in name)


def _data_size(file: BinaryIO, kind: bytes, found: dict[bytes, Chunk], end: int, order: str) -> int:
    """Bytes of samples: as the header says where that can be, else all that follows it."""
    data = found[b"data"]
    rest, size = end - data.start, data.size
    if kind in (b"RF64", b"BW64") and size == _MOST_32:
        long = found.get(b"ds64")
        size = 0 if long is None else struct.unpack("<Q", read_at(file, long.start + 8, 8))[0]
    elif rest > _MOST_32:  # its length doesn't fit a WAV file's header
        return rest
    if size == 0 and only_chunks(file, data.start, end, order):
        return 0
    return rest if size == 0 else min(size, rest)


def only_chunks(file: BinaryIO, at: int, end: int, order: str) -> bool:
    """Whether nothing but whole chunks is left."""
    while at + 8 <= end:
        name, size = struct.unpack(order + "4sI", read_at(file, at, 8))
        if not _is_name(name):
            return False
        at += 8 + size + size % 2
    return at >= end and at <= end + 1


def _format(content: bytes, order: str) -> tuple[bytes, Speakers | None]:
    """The format's chunk without its extension where that says nothing more, and the channels."""
    if len(content) < 16:
        raise BadHeader("a WAV file whose format is cut off")
    tag, channels, rate_hz, _, align, bits = struct.unpack_from(order + "HHIIHH", content)
    speakers = channels_of(content, order)
    if tag == EXTENSIBLE and len(content) >= 40:
        (tag,) = struct.unpack_from(order + "H", content, 24)
    if not channels or not rate_hz:
        raise BadHeader(f"a WAV file of {channels} channels at {rate_hz} Hz")
    if tag in PLAIN_FORMATS:
        if align < channels or align % channels:
            align = channels * -(-bits // 8)
        bits = 8 * align // channels
        content = struct.pack(
            order + "HHIIHH", tag, channels, rate_hz, rate_hz * align & _MOST_32, align, bits
        )
        if not align:
            raise BadHeader("a WAV file whose samples have no bits")
    return content, speakers


def channels_of(content: bytes, order: str) -> Speakers | None:
    """Whose channels they are, by the content of a format's chunk."""
    if len(content) < 40 or struct.unpack_from(order + "H", content)[0] != EXTENSIBLE:
        return None
    (channels,) = struct.unpack_from(order + "H", content, 2)
    (mask,) = struct.unpack_from(order + "I", content, 20)
    if content[28:40] == AMBISONIC and channels == 4:
        return tuple("WXYZ")
    return layouts.of_mask(mask, channels)


def _copied(file: BinaryIO, chunk: Chunk | None, order: str) -> bytes:
    """A small chunk as it is."""
    if chunk is None or chunk.size > 64:
        return b""
    content = read_at(file, chunk.start, chunk.size)
    return struct.pack(order + "4sI", chunk.name, len(content)) + content + b"\0" * (chunk.size % 2)


def _header(format_: bytes, fact: bytes, size: int, order: str) -> bytes:
    """All that comes before the samples."""
    format_ += b"\0" * (len(format_) % 2)
    about = struct.pack(order + "4sI", b"fmt ", len(format_)) + format_ + fact
    whole = 4 + len(about) + 8 + size
    if whole > _MOST_32 and order == "<":
        long = struct.pack("<4sIQQQI", b"ds64", 28, whole + 36, size, 0, 0)
        return (struct.pack("<4sI4s", b"RF64", _MOST_32, b"WAVE") + long + about
                + struct.pack("<4sI", b"data", _MOST_32))  # fmt: skip
    name = b"RIFX" if order == ">" else b"RIFF"
    return (struct.pack(order + "4sI4s", name, min(whole, _MOST_32), b"WAVE") + about
            + struct.pack(order + "4sI", b"data", min(size, _MOST_32)))  # fmt: skip
