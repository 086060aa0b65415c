"""OSCQuery: the table of messages over HTTP, for programs that discover what they can send.

After the OSCQuery proposal (https://github.com/Vidvox/OSCQueryProposal): `/?HOST_INFO`, each
address with its attributes as JSON, and a single attribute with `?ATTRIBUTE`. It is stateless and
read-only, and every connection serves one request.

OSC's type tags have no optional arguments and no options: TYPE and RANGE list what a message must
hold, DESCRIPTION what else it may. A request is write-only (ACCESS 2). What the daemon sends is
read-only (ACCESS 1), and only a description: values are not kept, so VALUE isn't served.

A browser that asks for `/` itself is sent on to the stage page, at the same host's name.

HTTP is written out here, and not left to Starlette and uvicorn, because this runs in the process
that mixes: importing them would double the time until the daemon answers, and uvicorn sets no limit
to how long a client may take over its request. Only the request line matters, so it's short.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import math
import re
import socket
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlsplit

from eutectic.osc.connections import Connections
from eutectic.osc.spec import PREFIX, Argument, Spec
from eutectic.osc.table import ANSWERS, REQUESTS

log = logging.getLogger("eutectic.osc.query")

MAX_HEAD_BYTES = 8192
MAX_CONNECTIONS, MAX_WAITING = 16, 64
"""Open at once, and waiting to be accepted."""

REQUEST_SECONDS = 3.0
"""From accepting a connection to its last byte; slower clients are disconnected."""

SERVED = ("FULL_PATH", "DESCRIPTION", "ACCESS", "TYPE", "RANGE", "CONTENTS")
NOT_SERVED = (
    "VALUE", "TAGS", "EXTENDED_TYPE", "UNIT", "CRITICAL", "CLIPMODE", "OVERLOADS", "HTML",
)  # fmt: skip
"""Attributes of the proposal that no message here has."""

OPTIONAL = ("ACCESS", "DESCRIPTION", "RANGE")
"""Those of SERVED that are optional, and so are listed as extensions."""

NOBODY, SENT, TAKEN, BOTH = 0, 1, 2, 3
"""ACCESS: no value, read-only, write-only, both: then TYPE and RANGE are of what is taken."""

REASONS = {
    200: "OK", 204: "No Content", 307: "Temporary Redirect", 400: "Bad Request",
    404: "Not Found", 405: "Method Not Allowed", 431: "Request Header Fields Too Large",
    501: "Not Implemented",
}  # fmt: skip

METHODS = "GET, HEAD, OPTIONS"
ANYBODY = (
    "Access-Control-Allow-Origin: *",
    f"Access-Control-Allow-Methods: {METHODS}",
    "Access-Control-Allow-Headers: *",
)
"""The description is no secret: web pages may read it, too."""

_WEBSOCKET = re.compile(rb"(?im)^upgrade:[^\r\n]*websocket")
_WANTS_HTML = re.compile(rb"(?im)^accept:[^\r\n]*text/html")
_HOST = re.compile(rb"(?im)^host:[ \t]*([A-Za-z0-9.-]+)(?::\d+)?[ \t]*\r?$")


@dataclass(frozen=True)
class HostInfo:
    """The contents of HOST_INFO; `ip` is None if the daemon listens on every address.

    `page` is the port of the stage page, which isn't among them; None while there is none.
    """

    name: str
    ip: str | None
    port: int
    page: int | None = None

    def attributes(self) -> dict[str, Any]:
        """Named as in the proposal."""
        there = dict.fromkeys(OPTIONAL, True) | dict.fromkeys((*NOT_SERVED, "LISTEN"), False)
        ip = {} if self.ip is None else {"OSC_IP": self.ip}
        return {"NAME": self.name, **ip, "OSC_PORT": self.port, "OSC_TRANSPORT": "UDP",
                "EXTENSIONS": there}  # fmt: skip


@functools.cache
def nodes() -> dict[str, dict[str, Any]]:
    """Every node by its path, starting with the root, `/`, which contains all others."""
    found: dict[str, dict[str, Any]] = {}
    _container(found, "/")["DESCRIPTION"] = "Eutectic fuses two sounds into a third."
    for specs, access in ((ANSWERS, SENT), (REQUESTS, TAKEN)):
        for spec in specs:
            node = _container(found, PREFIX + spec.address)
            sent = node["DESCRIPTION"] if node["ACCESS"] == SENT else ""
            node.update(_method(spec, access))
            if sent:
                node.update(ACCESS=BOTH, DESCRIPTION=f"{node['DESCRIPTION']} Sent: {sent}")
    return found


def _container(found: dict[str, dict[str, Any]], path: str) -> dict[str, Any]:
    """The node of a path, created with all its parents if necessary."""
    if path not in found:
        found[path] = {"FULL_PATH": path, "ACCESS": NOBODY}
        if path != "/":
            above, _, name = path.rpartition("/")
            _container(found, above or "/").setdefault("CONTENTS", {})[name] = found[path]
    return found[path]


def _method(spec: Spec, access: int) -> dict[str, Any]:
    needed = [argument for argument in spec.arguments if not argument.optional]
    ranges = [_range(argument) for argument in needed]
    described = {
        "TYPE": "".join({"int": "i", "float": "f"}.get(each.kind, "s") for each in needed),
        "ACCESS": access,
        "DESCRIPTION": _description(spec, access),
    }
    return described | ({"RANGE": ranges} if any(ranges) else {})


def _range(argument: Argument) -> dict[str, Any] | None:
    if argument.kind == "choice":
        return {"VALS": list(argument.choices)}
    whole = argument.kind == "int"
    ends = {"MIN": argument.low, "MAX": argument.high}
    return {
        name: int(end) if whole else end for name, end in ends.items() if math.isfinite(end)
    } or None


def _description(spec: Spec, access: int) -> str:
    parts = [spec.what if access == TAKEN else f"Sent by the daemon: {spec.what}"]
    if spec.arguments:
        parts.append(f"Arguments: {'; '.join(_described(each) for each in spec.arguments)}.")
    if spec.options:
        options = "; ".join(f"@{_described(each, always=True)}" for each in spec.options)
        parts.append(f"Then any of these options, each followed by its value: {options}.")
    if spec.answers:
        parts.append(f"Answers: {', '.join(PREFIX + answer for answer in spec.answers)}.")
    if access == TAKEN and spec.has_id:
        parts.append(f"Ends with {PREFIX}/done or {PREFIX}/fail.")
    return " ".join(parts)


def _described(argument: Argument, always: bool = False) -> str:
    """An argument in words; with its range, where TYPE and RANGE don't give it."""
    words = [argument.name]
    if always or argument.optional:
        words.append(f"({'optional ' if argument.optional else ''}{_allowed(argument)})")
    return f"{' '.join(words)}: {argument.what}" if argument.what else " ".join(words)


def _allowed(argument: Argument) -> str:
    if argument.kind == "choice":
        return " or ".join(argument.choices)
    if argument.kind not in ("int", "float"):
        return {"name": "number or word"}.get(argument.kind, argument.kind)
    digits = "d" if argument.kind == "int" else "g"
    low, high = (int(end) if digits == "d" else end for end in (argument.low, argument.high))
    return f"{argument.kind} {low:{digits}} to {high:{digits}}"


def respond(head: bytes, info: HostInfo) -> bytes:
    """The whole response to a request.

    Only its first line matters, any upgrade, and whether a browser sends it, to which host.
    """
    line = head.split(b"\r\n", 1)[0].split(b" ")
    if len(line) != 3 or not line[2].startswith(b"HTTP/1."):
        return _answer(400)
    if line[0] == b"OPTIONS":
        return _answer(204)
    if line[0] not in (b"GET", b"HEAD"):
        return _answer(405)
    if _WEBSOCKET.search(head):
        return _answer(501, {"ERROR": f"no WebSocket here: OSC goes to port {info.port}"})
    try:
        target = urlsplit(line[1].decode("ascii"))
        path = unquote(target.path, errors="strict")
        query = unquote(target.query.split("&")[0], errors="strict").removesuffix("=")
    except ValueError:
        return _answer(400)
    host = _HOST.search(head)
    if (path, query) == ("/", "") and host and info.page and _WANTS_HTML.search(head):
        return _redirect(f"http://{host[1].decode()}:{info.page}/")
    status, found = _look_up("/" + path.strip("/"), query, info)
    return _answer(status, found, with_body=line[0] == b"GET")


def _look_up(path: str, query: str, info: HostInfo) -> tuple[int, Any]:
    if query == "HOST_INFO":
        return 200, info.attributes()
    node = nodes().get(path)
    if node is None:
        return 404, None
    if not query:
        return 200, node
    if query not in (*SERVED, *NOT_SERVED):
        return 400, None
    return (200, {query: node[query]}) if query in node else (204, None)


def _answer(status: int, found: Any = None, with_body: bool = True) -> bytes:
    body = b"" if found is None else json.dumps(found, ensure_ascii=False).encode()
    lines = [f"HTTP/1.1 {status} {REASONS[status]}", "Connection: close", *ANYBODY]
    if status in (204, 405):
        lines.append(f"Allow: {METHODS}")
    if body:
        lines.append("Content-Type: application/json; charset=utf-8")
    if status != 204:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "\r\n"]).encode() + (body if with_body else b"")


def _redirect(url: str) -> bytes:
    lines = (f"HTTP/1.1 307 {REASONS[307]}", f"Location: {url}", "Vary: Accept",
             "Connection: close", "Content-Length: 0", "\r\n")  # fmt: skip
    return "\r\n".join(lines).encode()


class QueryServer:
    """Answers over HTTP, in the daemon's event loop; a response takes about a millisecond.

    Attributes:
        port: that it listens on.
    """

    def __init__(self, name: str, osc_port: int) -> None:
        self._info = HostInfo(name, None, osc_port)
        self._connections = Connections(MAX_CONNECTIONS)
        self._server: asyncio.Server | None = None
        self.port = 0

    @classmethod
    async def start(cls, host: str, port: int, name: str, osc_port: int) -> QueryServer:
        """Listen, on any free port if this one is taken: the announcement names the port.

        Raises:
            OSError: the host isn't one of this machine's addresses.
        """
        server = cls(name, osc_port)
        try:
            await server._listen(host, port)
        except OSError:
            await server._listen(host, 0)
            log.warning("port %d is taken: OSCQuery uses another one", port)
        log.info("OSCQuery on http://%s:%d/", host, server.port)
        return server

    async def _listen(self, host: str, port: int) -> None:
        self._server = await asyncio.start_server(
            self._serve, host, port, family=socket.AF_INET, limit=MAX_HEAD_BYTES,
            backlog=MAX_WAITING,
        )  # fmt: skip
        ip, self.port = self._server.sockets[0].getsockname()
        self._info = replace(self._info, ip=None if ip == "0.0.0.0" else ip)

    def show_page(self, port: int) -> None:
        """Send browsers on to the page at this port from now on."""
        self._info = replace(self._info, page=port)

    async def close(self) -> None:
        """Stop listening and close all connections."""
        self._connections.abort()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with self._connections.admit(writer) as admitted:
            if not admitted:
                return
            async with asyncio.timeout(REQUEST_SECONDS):
                writer.write(await self._answer(reader))
                writer.close()
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return _answer(431)
        return respond(head, self._info)
