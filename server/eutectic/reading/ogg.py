"""Ogg files link by link: a chain is several streams one after another, each with its headers.

libsndfile reads the first link alone, and no FLAC in Ogg: that it gets without its pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from eutectic.reading import layouts
from eutectic.reading.layouts import Speakers
from eutectic.reading.views import Part, read_at

LONGEST_PAGE_SECONDS = 12.0
"""Within its last page libsndfile seeks Vorbis to a wrong place: by as much as the page was cut."""

Orders = Mapping[int, Speakers]
"""Of channels, by how many there are."""

_HEADER_BYTES, _MOST_SEGMENTS = 27, 255
_BEGINS_STREAM = 2
_SEARCH_BYTES = 1 << 16
_FLAC, _FLAC_VERSION_BYTES = b"\x7fFLAC", 4


@dataclass(frozen=True)
class Page:
    """Where it starts, where its content does, and where it ends."""

    start: int
    content: int
    end: int
    begins_stream: bool


def links(file: BinaryIO, start: int, end: int) -> list[list[Page]]:
    """The pages of each of a file's links (RFC 3533: it begins with pages that begin streams)."""
    found: list[list[Page]] = []
    before = False
    for page in _pages(file, start, end):
        if not found or (page.begins_stream and not before):
            found.append([])
        found[-1].append(page)
        before = page.begins_stream
    return found


def described(file: BinaryIO, pages: Sequence[Page]) -> tuple[tuple[Part, ...], Orders]:
    """What libsndfile is to read of a link, and the orders of channels that its codec has."""
    first = read_at(file, pages[0].content, pages[0].end - pages[0].content)
    if first.startswith(_FLAC):
        content: list[Part] = [(page.content, page.end) for page in pages]
        return (first[len(_FLAC) + _FLAC_VERSION_BYTES :], *content[1:]), layouts.FLAC
    return ((pages[0].start, pages[-1].end),), layouts.VORBIS


def _pages(file: BinaryIO, at: int, end: int) -> Iterator[Page]:
    """All pages, and what is damaged left out."""
    while at < end:
        header = read_at(file, at, _HEADER_BYTES + _MOST_SEGMENTS)
        if not header.startswith(b"OggS") or len(header) < _HEADER_BYTES:
            at = _next_page(file, at + 1, end)
            continue
        content = _HEADER_BYTES + header[26]
        size = content + sum(header[_HEADER_BYTES:content])
        yield Page(at, at + content, min(at + size, end), bool(header[5] & _BEGINS_STREAM))
        at += size


def _next_page(file: BinaryIO, at: int, end: int) -> int:
    """After what is damaged."""
    while at < end:
        found = read_at(file, at, _SEARCH_BYTES).find(b"OggS")
        if found >= 0:
            return at + found
        at += _SEARCH_BYTES - 3
    return end
