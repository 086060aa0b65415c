"""What the player reports about the requests it plays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Started:
    """A request's first sample was mixed, at this monotonic time and frame."""

    voice: int
    token: int
    at: float
    frame: int


@dataclass(frozen=True)
class Ended:
    """A request that had started is silent."""

    voice: int
    token: int


@dataclass(frozen=True)
class Dropped:
    """A request was superseded or cleared before it started."""

    voice: int
    token: int


@dataclass(frozen=True)
class Underrun:
    """A request has played all that is decoded; it fades out until there is more."""

    voice: int
    token: int


@dataclass(frozen=True)
class Reached:
    """What `Player.call` waited for has come, at this frame; None: the schedule was cleared."""

    then: Callable[[int | None], None]
    frame: int | None


Event = Started | Ended | Dropped | Underrun | Reached


class Sounding(NamedTuple):
    """A voice's newest request, and how far into its sound it is."""

    voice: int
    token: int
    position: int
