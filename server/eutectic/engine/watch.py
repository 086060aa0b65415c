"""How long work is watched: asked whether to stop, told how far it has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eutectic.errors import Cancelled


def _never() -> bool:
    return False


def _untold(done: int, whole: int) -> None:
    pass


@dataclass(frozen=True)
class Watch:
    """`cancelled` is asked before every network evaluation; `progress` told (done, whole) after."""

    cancelled: Callable[[], bool] = _never
    progress: Callable[[int, int], None] = _untold

    def check(self) -> None:
        """Stop here if asked to.

        Raises:
            Cancelled: `cancelled` answered true.
        """
        if self.cancelled():
            raise Cancelled("cancelled")


UNWATCHED = Watch()
