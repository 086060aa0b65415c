"""The stage page over HTTP: static files, and a WebSocket that carries OSC's messages as JSON."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.routing import Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from eutectic.osc.packets import Value
from eutectic.page.bridge import Bridge
from eutectic.page.outbox import Outbox
from eutectic.page.settings import PageSettings

STATIC = Path(__file__).parent / "static"

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}
"""Sent with every response: the page loads nothing from elsewhere, and is shown nowhere else."""


class Headers:
    """Adds HEADERS to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, with_headers)


class Page:
    """The handlers."""

    def __init__(self, settings: PageSettings) -> None:
        self._settings = settings

    async def osc(self, browser: WebSocket) -> None:
        """Serve a browser until it leaves."""
        await browser.accept()
        outbox = Outbox(browser)
        outbox.post("/page/info", 1, [], "")

        async def check(_address: str, _values: list[Value]) -> None:
            pass

        def own(address: str, values: list[Value]) -> None:
            outbox.post("/page/fail", values[0] if values else -1, "not yet")

        at = "127.0.0.1", self._settings.osc_port
        await Bridge(browser, outbox, at, check, own, lambda _address, _values: None).run()


def application(settings: PageSettings) -> Starlette:
    """The page and what it asks for."""
    page = Page(settings)
    routes = [
        WebSocketRoute("/osc", page.osc),
        Mount("/", StaticFiles(directory=STATIC, html=True)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Headers)])
