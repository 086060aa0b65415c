"""OSCQuery: the table of messages over HTTP, for programs that look before they send.

After the OSCQuery proposal (https://github.com/Vidvox/OSCQueryProposal): `/?HOST_INFO`, each
address with its attributes as JSON, and one attribute alone with `?ATTRIBUTE`. Nothing is kept
between requests, nothing can be changed, and no connection serves more than one.

OSC's type tags know no optional arguments and no options: TYPE and RANGE tell what a message must
hold, DESCRIPTION what else it may. A request is write-only (ACCESS 2). What the daemon sends is
read-only (ACCESS 1), and no more than a description: values are not kept, so VALUE isn't served.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import math
import socket
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlsplit

from eutectic.osc.table import ANSWERS, PREFIX, REQUESTS, Argument, Spec

log = logging.getLogger("eutectic.osc.query")

MAX_HEAD_BYTES = 8192
MAX_CONNECTIONS, MAX_WAITING = 16, 64
"""Served at once, and accepted in one turn of the event loop."""

REQUEST_SECONDS = 3.0
"""From a connection to its answer's last byte: whoever is slower is cut off."""

SERVED = ("FULL_PATH", "DESCRIPTION", "ACCESS", "TYPE", "RANGE", "CONTENTS")
NOT_SERVED = (
    "VALUE", "TAGS", "EXTENDED_TYPE", "UNIT", "CRITICAL", "CLIPMODE", "OVERLOADS", "HTML",
)  # fmt: skip
"""Attributes that the proposal has, and no message here."""

OPTIONAL = ("ACCESS", "DESCRIPTION", "RANGE")
"""Those of SERVED that a server may leave out, and so are told as extensions."""

NOBODY, SENT, TAKEN = 0, 1, 2
"""ACCESS: no value, read-only, write-only."""

REASONS = {
    200: "OK", 204: "No Content", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
}  # fmt: skip


@dataclass(frozen=True)
class HostInfo:
    """What HOST_INFO tells; `ip` is None where the daemon listens on every address."""

    name: str
    ip: str | None
    port: int

    def attributes(self) -> dict[str, Any]:
        """As the proposal names them."""
        there = dict.fromkeys(OPTIONAL, True) | dict.fromkeys((*NOT_SERVED, "LISTEN"), False)
        ip = {} if self.ip is None else {"OSC_IP": self.ip}
        return {"NAME": self.name, **ip, "OSC_PORT": self.port, "OSC_TRANSPORT": "UDP",
                "EXTENSIONS": there}  # fmt: skip


@functools.cache
def nodes() -> dict[str, dict[str, Any]]:
    """Every node by its path, from the root, `/`, which holds all others."""
    found: dict[str, dict[str, Any]] = {}
    _container(found, "/")["DESCRIPTION"] = "Eutectic fuses two sounds into a third."
    for specs, access in ((REQUESTS, TAKEN), (ANSWERS, SENT)):
        for spec in specs:
            _container(found, PREFIX + spec.address).update(_method(spec, access))
    return found


def _container(found: dict[str, dict[str, Any]], path: str) -> dict[str, Any]:
    """The node of a path, made where it isn't there, with all above it."""
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
        parts.append(f"Arguments: {'; '.join(_said(each) for each in spec.arguments)}.")
    if spec.options:
        options = "; ".join(f"@{_said(each, always=True)}" for each in spec.options)
        parts.append(f"Then any of these options, each with its value after it: {options}.")
    if spec.answers:
        parts.append(f"Answers: {', '.join(PREFIX + answer for answer in spec.answers)}.")
    if access == TAKEN and spec.has_id:
        parts.append(f"Ends with {PREFIX}/done or {PREFIX}/fail.")
    return " ".join(parts)


def _said(argument: Argument, always: bool = False) -> str:
    """An argument in words; with what it may be, where TYPE and RANGE don't tell it."""
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
    """The whole answer to a request, of which only the first line matters."""
    line = head.split(b"\r\n", 1)[0].split(b" ")
    if len(line) != 3 or not line[2].startswith(b"HTTP/1."):
        return _answer(400)
    if line[0] not in (b"GET", b"HEAD"):
        return _answer(405)
    try:
        target = urlsplit(line[1].decode("ascii"))
        path, query = unquote(target.path, errors="strict"), unquote(target.query, errors="strict")
    except ValueError:
        return _answer(400)
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
    lines = [f"HTTP/1.1 {status} {REASONS[status]}", "Connection: close"]
    if status == 405:
        lines.append("Allow: GET, HEAD")
    if body:
        lines.append("Content-Type: application/json; charset=utf-8")
    if status != 204:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "\r\n"]).encode() + (body if with_body else b"")


class QueryServer:
    """Answers over HTTP, in the daemon's event loop, which one answer holds up for a millisecond.

    Attributes:
        port: that it listens on.
    """

    def __init__(self, name: str, osc_port: int) -> None:
        self._info = HostInfo(name, None, osc_port)
        self._connections: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @classmethod
    async def start(cls, host: str, port: int, name: str, osc_port: int) -> QueryServer:
        """Listen, on any free port where this one is taken: it is announced wherever it is.

        Raises:
            OSError: the host isn't this one.
        """
        server = cls(name, osc_port)
        try:
            await server._listen(host, port)
        except OSError:
            await server._listen(host, 0)
            log.warning("port %d is taken, and OSCQuery takes another", port)
        log.info("OSCQuery on http://%s:%d/", host, server.port)
        return server

    async def _listen(self, host: str, port: int) -> None:
        self._server = await asyncio.start_server(
            self._serve, host, port, family=socket.AF_INET, limit=MAX_HEAD_BYTES,
            backlog=MAX_WAITING,
        )  # fmt: skip
        ip, self.port = self._server.sockets[0].getsockname()
        self._info = replace(self._info, ip=None if ip == "0.0.0.0" else ip)

    async def close(self) -> None:
        """Listen no more, and cut off whoever is there."""
        for writer in list(self._connections):
            writer.transport.abort()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        self._connections.add(writer)
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                writer.write(await self._answer(reader))
                writer.close()
                await writer.wait_closed()
        except (OSError, EOFError, TimeoutError):
            pass  # gone, or too slow
        finally:
            self._connections.discard(writer)
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return _answer(431)
        return respond(head, self._info)
