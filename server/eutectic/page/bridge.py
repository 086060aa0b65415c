"""Between one browser and the daemon: the OSC table's own messages, as JSON on one side.

Every browser has its own connection to the daemon, so that ids, names and `by` are its own. What it
sends is checked by the table here, so that a mistake is answered even without a daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec
from starlette.websockets import WebSocketDisconnect

from eutectic.osc import table
from eutectic.osc.packets import Value, decode, encode
from eutectic.osc.parse import parse
from eutectic.osc.request import Request
from eutectic.osc.spec import LARGEST_INT, PREFIX, BadRequest, printable
from eutectic.page.connection import Connection
from eutectic.page.outbox import Outbox, TooSlow

log = logging.getLogger("eutectic.page")

PING_SECONDS = 10.0
"""Between signs of life to the daemon, which forgets clients that are silent for 30 s."""

PING_ID = LARGEST_INT

RETRY_SECONDS = (0.1, 0.25, 0.5, 1.0)
"""Between attempts to reach the daemon; the last goes on."""

SLOW = 1013
"""The code that a browser which reads too slowly is closed with: try again later."""

CLOSE_SECONDS = 2.0
"""For such a browser to be told."""

LARGEST_FLOAT = (2 - 2**-23) * 2.0**127
"""Of 32 bits."""

METER, INPUT_LEVEL = f"{PREFIX}/meter", f"{PREFIX}/input/level"
DONE, PING, NOTE = f"{PREFIX}/done", f"{PREFIX}/ping", f"{PREFIX}/note"

INPUT = -1
"""The input among voices' levels, as a browser is sent them; 0 is the output."""


class Refused(Exception):
    """A message of a browser that goes no further; `code` and `id` are those of its failure."""

    def __init__(self, code: str, text: str, address: str = "", number: int = -1) -> None:
        super().__init__(text)
        self.code, self.address, self.id = code, address, number


class Bridge:
    """One browser; owned by the event loop.

    `daemon` is its host and port. `check` refuses what this browser may not send and returns the
    values of what it may, `own` handles the page's own requests, and `heard` is told what the
    daemon sends.
    """

    def __init__(
        self, outbox: Outbox, daemon: tuple[str, int],
        check: Callable[[Request, list[Value]], Awaitable[list[Value]]],
        own: Callable[[str, list[Value]], None],
        heard: Callable[[str, tuple[Any, ...]], None],
    ) -> None:  # fmt: skip
        self._browser, self._outbox, self._daemon = outbox.browser, outbox, daemon
        self._check, self._own, self._heard = check, own, heard
        self._connection: Connection | None = None
        self._first_try = asyncio.Event()
        self._sounding: set[tuple[int, float]] = set()
        """Voices and notes that the browser began and hasn't ended."""

    async def run(self) -> None:
        """Carry messages both ways until the browser leaves."""
        parts: tuple[Coroutine[Any, Any, None], ...] = (
            self._outbox.run(), self._from_daemon(), self._ping(), self._from_browser()
        )  # fmt: skip
        tasks = [asyncio.get_running_loop().create_task(each) for each in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._end_notes()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            await self._ended(task.exception())

    async def _ended(self, error: BaseException | None) -> None:
        if isinstance(error, TooSlow):
            with contextlib.suppress(RuntimeError, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._browser.close(SLOW)
        elif error is not None and not isinstance(error, WebSocketDisconnect):
            raise error

    async def _end_notes(self) -> None:
        """End the notes of a browser that has left: it can't any more."""
        if self._connection is None:
            return
        for voice, note in self._sounding:
            self._connection.send(encode(NOTE, [voice, note, 0.0]))
        await self._connection.sent()

    # From the daemon

    async def _from_daemon(self) -> None:
        """Pass on what the daemon sends; connect again when it has gone."""
        is_there, failed = True, 0
        while True:
            try:
                self._connection = await Connection.open(*self._daemon)
            except (OSError, TimeoutError):
                if is_there:
                    self._outbox.post("/page/daemon", 0)
                is_there = False
                self._first_try.set()
                await asyncio.sleep(RETRY_SECONDS[min(failed, len(RETRY_SECONDS) - 1)])
                failed += 1
                continue
            if not is_there:
                self._outbox.post("/page/daemon", 1)
            is_there, failed = True, 0
            self._sounding.clear()  # a daemon before this one played them
            self._first_try.set()
            try:
                async for packet in self._connection.packets():
                    self._pass_on(packet)
            finally:
                self._connection.close()
                self._connection = None
            self._outbox.post("/page/daemon", 0)
            is_there = False

    def _pass_on(self, packet: bytes) -> None:
        for address, values, _ in decode(packet):
            if address == METER:
                self._outbox.level(*values)
            elif address == INPUT_LEVEL:
                self._outbox.level(INPUT, *values)
            elif address != DONE or values[:2] != (PING, PING_ID):
                self._heard(address, values)
                self._outbox.post(address, *map(_short, values))

    async def _ping(self) -> None:
        """Show the daemon that the browser is there; that it is, its WebSocket knows."""
        while True:
            await asyncio.sleep(PING_SECONDS)
            if self._connection is not None:
                self._connection.send(encode(PING, [PING_ID]))

    # From the browser

    async def _from_browser(self) -> None:
        await self._first_try.wait()
        while True:
            frame = await self._browser.receive()
            if frame["type"] == "websocket.disconnect":
                return
            try:
                await self._take(frame.get("text"))
            except Refused as error:
                address = error.address.removeprefix(PREFIX)[:80]
                self._outbox.post(
                    f"{PREFIX}/fail", PREFIX + address, error.id, error.code, str(error)
                )

    async def _take(self, text: str | None) -> None:
        """Handle a message of the browser.

        Raises:
            Refused: it can't be used.
        """
        address, values = _read(text)
        if address.startswith("/page/"):
            self._own(address, values)
            return
        try:
            request = parse(address, values)
        except BadRequest as error:
            raise Refused(error.code, str(error), address, error.id) from None
        try:
            packet = encode(address, await self._check(request, values))
        except Refused as error:
            raise Refused(error.code, str(error), address, request.id) from None
        if self._connection is None:
            raise Refused("no_daemon", "no contact with the daemon", address, request.id)
        self._connection.send(packet)
        if isinstance(request, table.Note):
            self._note(request)

    def _note(self, request: table.Note) -> None:
        """Keep in mind what has to be ended."""
        which = request.voice, request.note
        if request.velocity and request.gate is None:
            self._sounding.add(which)
        else:
            self._sounding.discard(which)


def _short(value: Any) -> Any:
    """A float with the digits that 32 bits hold."""
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _read(text: str | None) -> tuple[str, list[Value]]:
    """A browser's message: its address and its values, as OSC could carry them.

    Raises:
        Refused: it is something else.
    """
    try:
        message = msgspec.json.decode(text or "", type=list[Any])
        address, *values = message
    except (msgspec.DecodeError, TypeError, ValueError):
        raise Refused("bad_message", "send an array of an address and its values") from None
    if not isinstance(address, str) or not address.isprintable():
        raise Refused("bad_message", "a message begins with its address")
    return address, [_value(each, address) for each in values]


def _value(value: Any, address: str) -> Value:
    if isinstance(value, bool):
        return int(value)
    fits = (
        isinstance(value, str)
        or (isinstance(value, int) and -LARGEST_INT <= value <= LARGEST_INT)
        or (isinstance(value, float) and -LARGEST_FLOAT <= value <= LARGEST_FLOAT)
    )
    if not fits:
        text = f"{printable(value)} is neither text nor a number of 32 bits"
        raise Refused("bad_arguments", text, address)
    return value
