"""What is in a file, by its first bytes: its streams, and what libsndfile is to read of them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from eutectic.reading import aiff, layouts, ogg, wave
from eutectic.reading.layouts import Speakers
from eutectic.reading.views import Part, read_at, size_of

SEARCHED_BYTES = 1 << 16
"""What a header says about channels is within this."""

_W64 = b"riff\x2e\x91\xcf\x11"


@dataclass(frozen=True)
class Stream:
    """One sound: parts of the file, whose channels they are, how they are read.

    `orders` are those of its format by the number of channels, for where the file says nothing.
    An MP3 file's length is a guess unless it is decoded; it is `indexed` if places in it are known.
    `preroll_seconds`: so much is decoded before a section, too, to be at the right place.
    """

    parts: tuple[Part, ...]
    speakers: Speakers | None = None
    orders: Mapping[int, Speakers] = field(default_factory=dict[int, Speakers])
    is_mp3: bool = False
    indexed: bool = False
    preroll_seconds: float = 0.0

    def channels(self, count: int) -> Speakers | None:
        """Whose channels they are, of so many."""
        if self.speakers is None:
            return self.orders.get(count)
        return self.speakers if len(self.speakers) in (0, count) else None


def streams_of(file: BinaryIO) -> list[Stream]:
    """The streams of a file, in their order.

    Raises:
        BadHeader: it is one of those that are mended here, and there is nothing in it.
        OSError: it can't be read.
    """
    end = size_of(file)
    tag = _id3_bytes(file)
    head = read_at(file, tag, SEARCHED_BYTES)
    if head[:4] in wave.KINDS and head[8:12] == b"WAVE":
        mended = wave.mend(file, tag, end)
        return [Stream(mended.parts, mended.speakers)]
    if head[:4] == b"FORM" and head[8:12] in aiff.KINDS:
        mended = aiff.mend(file, tag, end)
        return [Stream(mended.parts, mended.speakers)]
    if head.startswith(b"OggS"):
        links = [ogg.described(file, pages) for pages in ogg.links(file, tag, end)]
        return [
            Stream(parts, orders=orders, preroll_seconds=ogg.LONGEST_PAGE_SECONDS)
            for parts, orders in links
        ]
    if head.startswith(b"fLaC"):
        return [Stream(((tag, end),), _of_flac(head), layouts.FLAC)]
    if head.startswith(b"caff"):
        return [Stream(((tag, end),), _of_caf(head))]
    if head.startswith(_W64):
        return [Stream(((tag, end),), _of_w64(head))]
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        indexed = any(name in head[:4096] for name in (b"Xing", b"Info", b"VBRI"))
        return [Stream(((0, end),), is_mp3=True, indexed=indexed)]
    return [Stream(((tag, end),))]


def is_text(file: BinaryIO) -> bool:
    """Whether it holds words, or nothing at all."""
    head = read_at(file, 0, SEARCHED_BYTES)
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # else a character is cut off
            return False
    return b"\0" not in head


def _id3_bytes(file: BinaryIO) -> int:
    """Of the ID3 tags that some programs put in front of any format."""
    at = 0
    while (head := read_at(file, at, 10)).startswith(b"ID3") and len(head) == 10:
        size = 0
        for byte in head[6:]:
            size = size << 7 | byte & 0x7F
        at += 10 + size + (10 if head[5] & 0x10 else 0)
        while read_at(file, at, 1) == b"\0":  # padding that its size doesn't count
            at += 1
    return at


def _of_flac(head: bytes) -> Speakers | None:
    """By the comment that holds a channel mask (RFC 9639, 8.6.2)."""
    at = head.upper().find(b"WAVEFORMATEXTENSIBLE_CHANNEL_MASK=")
    if at < 0:
        return None
    text = head[at + 34 : at + 44].decode("ascii", "replace").lower()
    digits = text.removeprefix("0x")
    hexadecimal = digits[: len(digits) - len(digits.lstrip("0123456789abcdef"))]
    return layouts.of_mask(int(hexadecimal or "0", 16), (head[20] >> 1 & 7) + 1)


def _of_caf(head: bytes) -> Speakers | None:
    at = head.find(b"chan")
    if at < 0 or at + 24 > len(head) or b"data" in head[:at]:
        return None
    (channels,) = struct.unpack_from(">I", head, 44)
    return layouts.of_core_audio(head[at + 12 :], channels)


def _of_w64(head: bytes) -> Speakers | None:
    at = head.find(b"fmt ")
    return wave.channels_of(head[at + 24 :], "<") if at >= 0 else None
