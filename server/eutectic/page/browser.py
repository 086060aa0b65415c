"""One browser: its bridge to the daemon, what it may send, and the page's own requests."""

from __future__ import annotations

from typing import Any

from starlette.websockets import WebSocket

from eutectic.osc.packets import Value
from eutectic.osc.request import Request
from eutectic.page.bridge import Bridge
from eutectic.page.outbox import Outbox
from eutectic.page.remote import check_any, check_remote
from eutectic.page.settings import PageSettings


class Browser:
    """One browser; owned by the event loop."""

    def __init__(self, socket: WebSocket, settings: PageSettings, is_local: bool) -> None:
        self._settings, self._is_local = settings, is_local
        self.outbox = Outbox(socket)
        daemon = settings.osc_host, settings.osc_port
        self._bridge = Bridge(socket, self.outbox, daemon, self._check, self._own, self._heard)

    async def run(self) -> None:
        """Serve it until it leaves."""
        await self._bridge.run()

    async def _check(self, request: Request) -> None:
        check_any(request)
        if not self._is_local:
            await check_remote(request, self._settings.folders)

    def _own(self, address: str, values: list[Value]) -> None:
        self.outbox.post("/page/fail", values[0] if values else -1, f"there is no {address}")

    def _heard(self, address: str, values: tuple[Any, ...]) -> None:
        """Note what the daemon tells the browser, as far as the page's own requests need it."""
