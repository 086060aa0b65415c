"""What every request passes first, and what every response is sent with."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eutectic.page.access import Access

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
"""The page loads nothing from elsewhere, and nobody else shows it or parts of it."""

LOOKS = ("GET", "HEAD")
"""Methods that change nothing, so that any site may link here."""


class Guard:
    """Refuses requests for another host's name, and those that another site makes.

    Every response gets HEADERS.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refused = "" if scope["type"] == "lifespan" else self._refused(scope)
        if not refused:
            await self._app(scope, receive, with_headers)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            await PlainTextResponse(f"{refused}\n", 403)(scope, receive, with_headers)

    def _refused(self, scope: Scope) -> str:
        """Why a request is refused, as one line; empty if it isn't."""
        headers = HTTPConnection(scope).headers
        host = headers.get("host", "")
        if not self._access.knows_host(host):
            return "this machine isn't known by that name: use its address"
        looks = scope["type"] == "http" and scope["method"] in LOOKS
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if not looks and not self._access.is_own(origin, host, site):
            return "another site can't do this"
        return ""
