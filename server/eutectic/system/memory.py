"""Keeping glibc's heap small; other allocators are left alone.

Sounds of all sizes are allocated and freed by the hundred: fragmentation would grow the heap for
hours.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Generator

MMAP_BYTES, ARENAS = 128 << 10, 2
"""Larger blocks are mapped separately, and heaps are few; glibc's own thresholds rise over time."""

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8


def mmap_large_blocks() -> None:
    """Map each sound separately, for a process that allocates them rarely."""
    with _glibc() as library:
        library.mallopt(M_MMAP_THRESHOLD, MMAP_BYTES)
        library.mallopt(M_ARENA_MAX, ARENAS)


def trim_heap() -> None:
    """Return free memory to the system, for a process that computes and then pauses."""
    with _glibc() as library:
        library.malloc_trim(0)


@contextlib.contextmanager
def _glibc() -> Generator[ctypes.CDLL]:
    with contextlib.suppress(AttributeError, OSError, TypeError):
        yield ctypes.CDLL(None)
