"""The stage page over HTTP: its files, a WebSocket that carries OSC's messages as JSON, uploads.

    GET  /, /page.css, …       the page; to anybody, as there is nothing in it yet
    GET  /?pin=…, POST /pin    a token for a browser on another machine, in a cookie; GET for who
                               has opened the link, not for another site's pictures or scripts
    GET  /phone.svg            a QR code that opens the page, with the PIN; for this machine alone
    POST /upload?name=…        a sound, as the request's body: {"path": …} for /clip/load
    WS   /osc                  messages both ways; closed with NEEDS_PIN without a token

What is refused is answered with one line of text, and changes nothing.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from eutectic.client.aio import AsyncClient
from eutectic.page.access import COOKIE_SECONDS, Access, TooManyPins, is_visit, phone_urls
from eutectic.page.artist import Artist
from eutectic.page.browser import Browser, Parts
from eutectic.page.files import Files
from eutectic.page.guard import Guard
from eutectic.page.settings import PageSettings
from eutectic.page.uploads import UploadRefused, Uploads

STATIC = Path(__file__).parent / "static"

MAX_PIN_BYTES = 1024
"""Of a request that gives the PIN."""

MAX_BROWSERS = 12
DAEMON_SECONDS = 10.0
"""For the daemon to answer the page's own requests."""

NEEDS_PIN, FULL = 4401, 4429
"""Codes that a WebSocket is closed with: the PIN is missing, there are too many browsers."""


class Page:
    """The handlers; owned by the event loop.

    `port` is the one that it listens on.
    """

    def __init__(self, parts: Parts, port: int, access: Access) -> None:
        settings = parts.settings
        self._parts, self._settings, self._access = parts, settings, access
        self._cookie = f"eutectic-{port}"
        self._urls = phone_urls(settings.host, port) if settings.pin else []
        self._uploads = Uploads(settings.data, settings.folders.read)
        self._browsers = 0

    async def osc(self, socket: WebSocket) -> None:
        """Serve a browser until it leaves."""
        await socket.accept()
        if not self._access.may(socket, self._cookie):
            await socket.close(NEEDS_PIN, "the PIN is missing")
            return
        if self._browsers >= MAX_BROWSERS:
            await socket.close(FULL, f"{MAX_BROWSERS} browsers are connected")
            return
        self._browsers += 1
        is_local = self._access.is_local(socket)
        try:
            browser = Browser(socket, self._parts, is_local)
            urls, pin = (self._urls, self._settings.pin) if is_local else ([], "")
            browser.outbox.post("/page/info", int(is_local), urls, pin)
            await browser.run()
        finally:
            self._browsers -= 1

    async def index(self, request: Request) -> Response:
        if "pin" not in request.query_params:
            return FileResponse(STATIC / "index.html")
        if is_visit(request.headers):
            with contextlib.suppress(HTTPException):
                return self._admitted(request, request.query_params["pin"])
        return RedirectResponse("/", 303)  # where the page asks for the right one

    async def pin(self, request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MAX_PIN_BYTES:
                raise HTTPException(413, "that is no PIN")
        return self._admitted(request, _pin_in(body))

    def _admitted(self, request: Request, pin: str) -> Response:
        """A cookie in exchange for the PIN, and back to the page.

        Raises:
            HTTPException: it is wrong, or there were too many that were.
        """
        assert request.client is not None
        try:
            token = self._access.token(pin, request.client.host)
        except TooManyPins as error:
            wait = {"retry-after": f"{error.seconds:.0f}"}
            raise HTTPException(429, str(error), wait) from None
        if not token:
            raise HTTPException(403, "that isn't the PIN")
        response = RedirectResponse("/", 303)
        response.set_cookie(
            self._cookie, token, COOKIE_SECONDS, httponly=True, samesite="strict"
        )  # fmt: skip
        return response

    async def phone(self, request: Request) -> Response:
        if not self._access.is_local(request):
            raise HTTPException(403, "this is for the machine that the daemon runs on")
        if not self._urls:
            raise HTTPException(404, "phones can't reach the page; serve --host 0.0.0.0 lets them")
        import segno

        out = io.BytesIO()
        code = segno.make(f"{self._urls[0]}?pin={self._settings.pin}", micro=False)
        code.save(out, "svg", border=2, dark="#0b0c0e", light="#efeadf", xmldecl=False)
        return Response(out.getvalue(), media_type="image/svg+xml")

    async def upload(self, request: Request) -> Response:
        if not self._access.may(request, self._cookie):
            raise HTTPException(401, "the PIN is missing")
        length = request.headers.get("content-length", "")
        announced = int(length) if length.isdecimal() else None
        try:
            name = request.query_params.get("name", "")
            path = await self._uploads.take(name, request.stream(), announced)
        except UploadRefused as error:
            raise HTTPException(error.status, str(error)) from None
        except ClientDisconnect:  # nobody reads the answer
            return Response(status_code=400)
        return JSONResponse({"path": str(path)})


def application(settings: PageSettings, port: int) -> Starlette:
    """The page and what it asks for; it listens on `port`."""
    access = Access(settings)
    daemon = AsyncClient(settings.osc_host, settings.osc_port, timeout=DAEMON_SECONDS)
    artist = Artist(settings)
    page = Page(Parts(settings, artist, daemon), port, access)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with daemon:
            yield
        artist.close()

    routes = [
        Route("/", page.index),
        Route("/pin", page.pin, methods=["POST"]),
        Route("/phone.svg", page.phone),
        Route("/upload", page.upload, methods=["POST"]),
        WebSocketRoute("/osc", page.osc),
        Mount("/", Files(directory=STATIC)),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, access=access), Middleware(GZipMiddleware)],
        exception_handlers={HTTPException: _failed}, lifespan=lifespan,
    )  # fmt: skip


def _pin_in(body: bytes) -> str:
    """The PIN in a form's field or in JSON; empty if there is none."""
    text = body.decode(errors="replace")
    try:
        found = json.loads(text)
    except ValueError:
        return parse_qs(text).get("pin", [""])[0]
    value = found.get("pin", "") if isinstance(found, dict) else found
    return f"{value:06d}" if isinstance(value, int) else str(value)


async def _failed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse(f"{error.detail}\n", error.status_code, error.headers)
