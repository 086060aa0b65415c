"""One browser: its bridge to the daemon, what it may send, and the page's own requests.

/page/picture id fusion KEY            a picture of a fusion, or /page/fail id text
/page/picture id clip NAME             of a clip
/page/window id original reference     /page/window id rows balance
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from starlette.websockets import WebSocket

from eutectic.client.aio import AsyncClient
from eutectic.errors import BadInput, EutecticError, NoFile
from eutectic.osc.answers import FanReply
from eutectic.osc.packets import Value
from eutectic.osc.request import Request
from eutectic.osc.spec import PREFIX
from eutectic.page.artist import Artist
from eutectic.page.bridge import Bridge
from eutectic.page.outbox import Outbox
from eutectic.page.pictures import Pixels
from eutectic.page.remote import check_any, checked
from eutectic.page.settings import PageSettings
from eutectic.page.windows import Place

log = logging.getLogger("eutectic.page")

MAX_OPEN = 512
"""Requests of one browser that wait to be drawn."""

LARGEST_ID = 2**32 - 1


@dataclass(frozen=True)
class Parts:
    """What all browsers share: the page's settings, its artist, and its own client."""

    settings: PageSettings
    artist: Artist
    daemon: AsyncClient


class Browser:
    """One browser; owned by the event loop."""

    def __init__(self, socket: WebSocket, parts: Parts, is_local: bool) -> None:
        self._parts, self._is_local = parts, is_local
        self.outbox = Outbox(socket)
        self._clips: dict[Value, tuple[str, float]] = {}
        """File and length of each clip that the browser was told of."""
        self._remembered: dict[Value, Value] = {}
        """The clip of each reference."""
        self._open: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve it until it leaves."""
        settings = self._parts.settings
        daemon = settings.osc_host, settings.osc_port
        bridge = Bridge(self.outbox, daemon, self._check, self._own, self._heard)
        try:
            await bridge.run()
        finally:
            for task in self._open:
                task.cancel()

    async def _check(self, request: Request, values: list[Value]) -> list[Value]:
        check_any(request)
        if self._is_local:
            return values
        return await checked(request, values, self._parts.settings.folders)

    def _heard(self, address: str, values: tuple[Any, ...]) -> None:
        """Note what the daemon tells the browser, as far as the page's own requests need it."""
        match address.removeprefix(PREFIX), values:
            case "/snapshot", _:
                self._clips.clear()
                self._remembered.clear()
            case "/clip", (_, name, path, seconds, *_):
                self._clips[name] = path, seconds
            case "/reference", (_, name, clip, *_):
                self._remembered[name] = clip
            case _:
                pass

    # The page's own requests

    def _own(self, address: str, values: list[Value]) -> None:
        number, *rest = values or [-1]
        if not isinstance(number, int) or not 0 <= number <= LARGEST_ID:
            self.outbox.post("/page/fail", -1, f"{address} needs an id")
            return
        match address, rest:
            case "/page/picture", ("fusion", key):
                work = self._picture(number, self._parts.artist.fusion(str(key)))
            case "/page/picture", ("clip", name):
                work = self._picture(number, self._clip(name))
            case "/page/window", (original, reference):
                work = self._window(number, original, reference)
            case _:
                self.outbox.post("/page/fail", number, f"there is no such {address}")
                return
        if len(self._open) >= MAX_OPEN:
            work.close()
            self.outbox.post("/page/fail", number, f"{MAX_OPEN} pictures are being drawn")
            return
        task = asyncio.get_running_loop().create_task(self._answered(number, work))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _answered(self, number: int, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (EutecticError, OSError) as error:
            self.outbox.post("/page/fail", number, str(error))
        except Exception as error:  # a bug: this picture is missing, all else goes on
            log.exception("a picture can't be drawn")
            self.outbox.post("/page/fail", number, f"{type(error).__name__}: {error}")

    async def _picture(self, number: int, drawing: Coroutine[Any, Any, Pixels]) -> None:
        pixels = await drawing
        self.outbox.picture(number, pixels.shape[1], pixels.tobytes())

    async def _clip(self, name: Value) -> Pixels:
        if str(name) not in self._clips:
            raise NoFile(f"there is no clip {name}")
        return await self._parts.artist.clip(*self._clips[str(name)])

    async def _window(self, number: int, original: Value, reference: Value) -> None:
        reply = await self._parts.daemon.ask("/fan/list", original, reference)
        ready = [
            Place(each.blend, each.key) for each in reply.of(FanReply) if each.ready and not each.y
        ]  # of one row
        sound = self._clips.get(self._remembered.get(str(reference), ""))
        found = None
        if sound is not None:
            with contextlib.suppress(BadInput):  # the reference's clip is gone: what it made isn't
                found = await self._parts.artist.window(ready, sound)
        if found is None:
            found = await self._parts.artist.window(ready, None)
        rows = [[round(figure, 4) for figure in row] for row in found.rows]
        balance = -1 if found.balance is None else round(found.balance, 4)
        self.outbox.post("/page/window", number, rows, balance)
