"""The questionnaire over HTTP: a static page, the sounds, and a small JSON API.

    GET  /api/questions                   the questions
    POST /api/respondents                 add a respondent: {token}
    GET  /api/respondents/TOKEN           their progress
    POST /api/respondents/TOKEN/answers   {question, value}, and {set} if it is about one
    POST /api/respondents/TOKEN/plays     {set, sound}: it was played
    GET  /sounds/TOKEN/SET/PLACE.wav      place a, b or sound

An invalid request is refused with 400, an unknown token with 404, each with one line of text, and
changes nothing. Everything runs on one thread; no addresses are logged.
"""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eutectic.errors import BadInput, BadSetting
from eutectic.listening_test.answers import Respondent
from eutectic.listening_test.blind import PLACES, Place
from eutectic.listening_test.survey import Survey

PAGE = Path(__file__).parent / "page"
MAX_BODY_BYTES = 8192
STOP_SECONDS = 2

HEADERS = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}
"""Sent with every response: the page loads nothing from elsewhere and sends no referrer."""


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    """An answer as the page sends it."""

    question: str
    value: int | str
    set: str | None = None


class Play(msgspec.Struct, forbid_unknown_fields=True):
    """A sound that was played, as the page reports it."""

    set: str
    sound: Place


Body = TypeVar("Body", Answer, Play)


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


class Api:
    """The API's handlers."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._answers = survey.answers

    async def questions(self, _request: Request) -> Response:
        return _json(self._survey.questions())

    async def enrol(self, _request: Request) -> Response:
        return _json({"token": self._answers.enrol()}, 201)

    async def state(self, request: Request) -> Response:
        return _json(self._survey.state(self._respondent(request)))

    async def answer(self, request: Request) -> Response:
        who = self._respondent(request)
        body = await _body(request, Answer)
        self._survey.answer(who, body.set, body.question, body.value)
        return Response(status_code=204)

    async def play(self, request: Request) -> Response:
        who = self._respondent(request)
        body = await _body(request, Play)
        self._survey.play(who, body.set, body.sound)
        return Response(status_code=204)

    async def sound(self, request: Request) -> Response:
        who = self._respondent(request)
        for place in PLACES:
            if request.path_params["file"] == f"{place}.wav":
                path = self._survey.sound(who, request.path_params["set"], place)
                return FileResponse(path, media_type="audio/wav")
        raise HTTPException(404, "no such sound")

    def _respondent(self, request: Request) -> Respondent:
        who = self._answers.find(request.path_params["token"])
        if who is None:
            raise HTTPException(404, "no such respondent")
        return who


def application(survey: Survey) -> Starlette:
    """The page, the sounds and the API."""
    api = Api(survey)
    one = "/api/respondents/{token}"
    routes = [
        Route("/api/questions", api.questions),
        Route("/api/respondents", api.enrol, methods=["POST"]),
        Route(one, api.state),
        Route(f"{one}/answers", api.answer, methods=["POST"]),
        Route(f"{one}/plays", api.play, methods=["POST"]),
        Route("/sounds/{token}/{set}/{file}", api.sound),
        Mount("/", StaticFiles(directory=PAGE, html=True)),
    ]
    refusals = {BadInput: _refused, HTTPException: _failed, sqlite3.Error: _not_saved}
    return Starlette(routes=routes, middleware=[Middleware(Headers)], exception_handlers=refusals)


def listen(host: str, port: int) -> socket.socket:
    """Open a socket for the questionnaire; port 0 picks a free one.

    Raises:
        BadSetting: the address or port isn't available.
    """
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise BadSetting(f"can't listen on {host}:{port} ({error.strerror})") from None


def addresses(listener: socket.socket) -> list[str]:
    """The questionnaire's URLs; for 0.0.0.0 all of this machine's, the local one first."""
    host, port = listener.getsockname()[:2]
    if host != "0.0.0.0":
        return [f"http://{host}:{port}"]
    import psutil

    own = {
        each.address for some in psutil.net_if_addrs().values() for each in some
        if each.family == socket.AF_INET
    }  # fmt: skip
    return [f"http://{each}:{port}" for each in sorted(own, key=lambda at: at != "127.0.0.1")]


def serve(survey: Survey, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until Ctrl-C or SIGTERM; calls `ready` once the socket accepts requests."""
    config = uvicorn.Config(
        application(survey), log_level="warning", access_log=False, server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS, lifespan="off", ws="none",
    )  # fmt: skip
    server = uvicorn.Server(config)
    try:
        ready()
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        return


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


async def _body(request: Request, kind: type[Body]) -> Body:
    """The body of a request, of at most MAX_BODY_BYTES.

    Raises:
        BadInput: it is too long or invalid.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise BadInput("send application/json")  # which no other site can send without permission
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise BadInput(f"send at most {MAX_BODY_BYTES} bytes")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"invalid request: {error}") from None


def _line(text: str, status: int) -> Response:
    return PlainTextResponse(" ".join(text.split()) + "\n", status)


async def _refused(_request: Request, error: Exception) -> Response:
    return _line(str(error), 400)


async def _failed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _line(error.detail, error.status_code)


async def _not_saved(_request: Request, error: Exception) -> Response:
    """The disk is full or another program holds the file; the page will retry."""
    return _line(f"not saved ({error})", 503)
