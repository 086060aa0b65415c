"""A cache in memory that evicts what was least recently used."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Cache(Generic[Key, Value]):
    """Values by key whose sizes add up to no more than a limit; owned by one thread.

    Attributes:
        limit: of all sizes together; may be changed.
        size: of all values together, in the limit's unit.
        evicted: how many values have had to go so far.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = self.evicted = 0
        self._values: OrderedDict[Key, tuple[Value, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: Key) -> bool:
        return key in self._values

    def get(self, key: Key) -> Value | None:
        """The value, now the most recently used; None if there is none."""
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key][0]

    def put(self, key: Key, value: Value, size: int = 1) -> None:
        """Add or replace a value, and evict others as needed."""
        self.discard(key)
        self._values[key] = value, size
        self.size += size
        while self.size > self.limit:
            self.size -= self._values.popitem(last=False)[1][1]
            self.evicted += 1

    def discard(self, key: Key) -> None:
        """Remove a value, if it is there."""
        if key in self._values:
            self.size -= self._values.pop(key)[1]

    def clear(self) -> None:
        """Evict everything."""
        self.evicted += len(self._values)
        self._values.clear()
        self.size = 0
