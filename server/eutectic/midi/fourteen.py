"""Controls of 14 bits, sent as two of 7: whichever half comes first, and if one is left out.

MIDI 1.0 has the upper half first, and lets the lower follow alone while the upper stays the same;
some controllers send the lower first. A value made of halves of two movements would jump by up to
1/128 and back, so the half that opens a movement waits for the other.
"""

from __future__ import annotations

from typing import Literal

Half = Literal["upper", "lower"]

LSB = 32
"""From a 14-bit control's number to that of its lower half."""

PAIR_SECONDS = 0.003
"""Halves that are closer belong together, if nothing came for as long before the first."""

HOLD_SECONDS = 0.02
"""A half that has waited so long for the other is used without it."""

SURE = 4
"""So many movements outweigh those that were held up between their halves."""

MAX_VALUE = 16383


class Halves:
    """One control of 14 bits.

    Attributes:
        held: whether one half waits for the other.
        count: of halves so far.
    """

    def __init__(self) -> None:
        self.held, self.count = False, 0
        self._upper: int | None = None
        self._lower: int | None = None
        self._order = 0
        """Above 0 as far as the upper half was found to come first, below as the lower was."""
        self._opened: Half | None = None
        """The half that opened this movement, until another message came."""
        self._at = float("-inf")

    def take(self, half: Half, value: int, now: float) -> int | None:
        """Take one half; returns the value from 0 to MAX_VALUE, None if it isn't known yet."""
        self.count += 1
        self._learn_order(half, now)
        if half == "upper":
            return self._take_upper(value)
        self._lower = value
        self.held = self._upper is None or self._leader == "lower"
        return None if self.held else self._value

    def release(self) -> int | None:
        """The value, if a half waits: the other doesn't come."""
        if not self.held or self._upper is None:
            return None
        self.held = False
        if self._leader == "upper":
            self._lower = 0  # as MIDI 1.0 has it where an upper half comes alone
        return self._value

    def _take_upper(self, value: int) -> int | None:
        waiting, self.held = self.held, False
        changed, self._upper = value != self._upper, value
        if self._leader == "lower" or (waiting and self._leader is None):
            return self._value
        if self._lower is None:
            return self._value
        if waiting:  # for a lower half that wasn't sent
            self._lower = 0
            return self._value
        self.held = changed
        return None

    def _learn_order(self, half: Half, now: float) -> None:
        opens = now - self._at > PAIR_SECONDS
        if not opens and self._opened not in (None, half):
            found = 1 if self._opened == "upper" else -1
            self._order = self._order + found if self._order else SURE // 2 * found
            self._order = min(max(self._order, -SURE), SURE)
        self._opened, self._at = half if opens else None, now

    @property
    def _leader(self) -> Half | None:
        """The half that this controller sends first, once known."""
        if self._order == 0:
            return None
        return "upper" if self._order > 0 else "lower"

    @property
    def _value(self) -> int:
        return ((self._upper or 0) << 7) | (self._lower or 0)
