"""Cancellation, preemption and progress of long work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eutectic.errors import Cancelled


def _never() -> bool:
    return False


def _ignore(_done: int, _total: int) -> None:
    pass


@dataclass(frozen=True)
class Watch:
    """`cancelled` is called before every network evaluation, `progress` with (done, total) after.

    In the engine process `cancelled` also runs whatever is more urgent.
    """

    cancelled: Callable[[], bool] = _never
    progress: Callable[[int, int], None] = _ignore

    def checkpoint(self) -> None:
        """Let more urgent work run, then stop here if cancelled.

        Whole other jobs may run before this returns, within this very call and in the same
        thread. They leave other weights in the network, so anything that depends on those must
        activate its own afterwards, as `NetworkDenoiser` does.

        Raises:
            Cancelled: `cancelled` returned true.
        """
        if self.cancelled():
            raise Cancelled("cancelled")


UNWATCHED = Watch()
