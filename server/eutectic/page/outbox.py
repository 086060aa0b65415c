"""What one browser is sent: messages in batches, levels as their newest, pictures."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence

import msgspec
from starlette.websockets import WebSocket

BATCH_SECONDS = 0.016
"""Messages within this time, a frame of the screen, are sent as one."""

MAX_WAITING, MAX_PICTURES = 20_000, 1000
"""Messages and pictures that a browser may leave unread; one that does is sent no more."""

SEND_SECONDS = 8.0
"""For a browser to make room for what it is sent next."""

METERS, PICTURE = 1, 2
"""The first byte of binary frames, before three of padding."""


class TooSlow(Exception):
    """The browser doesn't read what it is sent."""


class Outbox:
    """Sends to one browser; owned by the event loop."""

    def __init__(self, browser: WebSocket) -> None:
        self.browser = browser
        self._messages: list[Sequence[object]] = []
        self._levels: dict[int, tuple[float, float, float, float]] = {}
        self._pictures: list[bytes] = []
        self._some = asyncio.Event()

    def post(self, *message: object) -> None:
        """Send a message: its address and its values."""
        if len(self._messages) < MAX_WAITING:
            self._messages.append(message)
        self._some.set()

    def level(self, voice: int, level: float, position: float = 0.0, limiter: float = 0.0) -> None:
        """Send a voice's level, the highest and the newest position since what was sent last."""
        _, highest, _, most = self._levels.get(voice, (0.0, level, 0.0, limiter))
        row = float(voice), max(level, highest), position, max(limiter, most)
        self._levels[voice] = row
        self._some.set()

    def picture(self, number: int, width: int, pixels: bytes) -> None:
        """Send a picture of 8 bits a pixel, the upper row first, as the answer to a request."""
        height = len(pixels) // width
        head = struct.pack("<B3xIHH", PICTURE, number, width, height)
        if len(self._pictures) < MAX_PICTURES:
            self._pictures.append(head + pixels)
        self._some.set()

    async def run(self) -> None:
        """Send what there is, at once after a pause, and then in batches.

        Raises:
            TooSlow: the browser leaves too much unread.
        """
        while True:
            await self._some.wait()
            self._some.clear()
            await self._send()
            await asyncio.sleep(BATCH_SECONDS)

    async def _send(self) -> None:
        self._check()
        for frame in self._taken():
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    if isinstance(frame, str):
                        await self.browser.send_text(frame)
                    else:
                        await self.browser.send_bytes(frame)
            except TimeoutError:
                raise TooSlow from None
            self._check()

    def _check(self) -> None:
        if len(self._messages) >= MAX_WAITING or len(self._pictures) >= MAX_PICTURES:
            raise TooSlow

    def _taken(self) -> list[str | bytes]:
        """What there is to send, which is then no longer waiting."""
        messages, self._messages = self._messages, []
        rows, self._levels = list(self._levels.values()), {}
        pictures, self._pictures = self._pictures, []
        flat = [figure for row in rows for figure in row]
        return [
            *([msgspec.json.encode(messages).decode()] if messages else []),
            *([struct.pack(f"<B3x{len(flat)}f", METERS, *flat)] if rows else []),
            *pictures,
        ]
