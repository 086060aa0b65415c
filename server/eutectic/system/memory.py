"""glibc's allocator, told to keep no more than is in use; elsewhere nothing is done.

Sounds come and go by the hundred, of all sizes: left to itself it grows for hours, by holes.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Generator

MMAP_BYTES, ARENAS = 128 << 10, 2
"""What is larger is mapped by itself, and heaps are few; glibc's own thresholds rise."""

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8


def mmap_large_blocks() -> None:
    """Take sounds from the system one by one: for a process that makes few, and not often."""
    with _glibc() as library:
        library.mallopt(M_MMAP_THRESHOLD, MMAP_BYTES)
        library.mallopt(M_ARENA_MAX, ARENAS)


def trim_heap() -> None:
    """Give what is free back to the system: for one that computes, and then rests a moment."""
    with _glibc() as library:
        library.malloc_trim(0)


@contextlib.contextmanager
def _glibc() -> Generator[ctypes.CDLL]:
    with contextlib.suppress(AttributeError, OSError, TypeError):
        yield ctypes.CDLL(None)
