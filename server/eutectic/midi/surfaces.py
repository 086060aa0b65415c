"""All controllers together, as the session has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from eutectic.config import PadState
from eutectic.midi.maps import Control, mapped_control
from eutectic.midi.surface import Current, Surface
from eutectic.osc.server import Handler
from eutectic.osc.table import Fuse


class Surfaces:
    """Controllers, each with its own map; owned by the event loop."""

    def __init__(self, surfaces: Sequence[Surface]) -> None:
        self._all = surfaces

    def connect(self, take: Handler, current: Current) -> None:
        """As `Surface.connect`."""
        for each in self._all:
            each.connect(take, current)

    def show(self, pad: Callable[[Fuse], PadState]) -> None:
        """As `Surface.show`."""
        for each in self._all:
            each.show(pad)

    async def learn(self, text: str, seconds: float) -> str:
        """Assign the next control that moves on any of them to a target; returns which one it is.

        Raises:
            BadRequest: the table has no such request.
            BadOutput: the changed map can't be saved.
            TimeoutError: no control was moved.
        """
        mapped_control(Control("cc", text))
        waiting = {asyncio.ensure_future(each.moved()): each for each in self._all}
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            for moved, surface in waiting.items():
                if moved.done():
                    return await surface.assign(moved.result(), text)
            raise TimeoutError
        finally:
            for moved in waiting:
                moved.cancel()

    async def follow(self) -> None:
        """Read maps again whose files have changed."""
        for each in self._all:
            if each.stale:
                await each.reload()
