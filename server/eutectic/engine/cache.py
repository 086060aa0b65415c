"""What is kept in memory because making it again takes time: least recently used goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

from torch import Tensor


class Cache:
    """Values by key, up to a number of bytes together; owned by the thread that owns the model."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.kept_bytes = 0
        self.evicted = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def get(self, key: Hashable) -> Any | None:
        """The value, now the most recently used; None where there is none."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def put(self, key: Hashable, value: Any, *tensors: Tensor) -> None:
        """Keep a value whose memory is that of these tensors; make room for it."""
        self.drop(key)
        size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        self._kept[key] = value, size
        self.kept_bytes += size
        self.make_room()

    def drop(self, key: Hashable) -> None:
        """Keep it no longer."""
        _, size = self._kept.pop(key, (None, 0))
        self.kept_bytes -= size

    def make_room(self) -> None:
        """Give up the least recently used until the rest fits."""
        while self.kept_bytes > self.limit_bytes and self._kept:
            self.drop(next(iter(self._kept)))
            self.evicted += 1

    def clear(self) -> None:
        """Give up everything."""
        self.evicted += len(self._kept)
        self._kept.clear()
        self.kept_bytes = 0
