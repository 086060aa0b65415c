"""An engine on another machine, as the daemon sees it.

What the host sends goes over the wire as it is, but for what lies in this machine's files and
shared memory: the samples of a chunk are written to its canvas as they come, before the host hears
of it; a clip's sound and a LoRA file go once (see `parcels`), and what was heard goes along with
its job. The other side's heartbeats tell that it is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import logging
import re
import secrets
import socket
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from eutectic.errors import BadSetting
from eutectic.link import keys
from eutectic.link import messages as wire
from eutectic.link import protocol as link
from eutectic.link.courier import Courier, Filed
from eutectic.link.fetcher import Fetcher
from eutectic.link.messages import PART_BYTES, Message
from eutectic.link.outbox import Outbox
from eutectic.link.protocol import Canvas, Chunk, Command, Fuse, Result
from eutectic.link.wire import BadEngine, End, Engine, Engines, Lost

if TYPE_CHECKING:  # ZeroMQ takes a moment to import, and most shows need none
    from eutectic.link.line import Line

log = logging.getLogger("eutectic.link")

MAX_PORT = 65535

HELLO_SECONDS = 5.0
"""A machine that hasn't answered by then isn't there."""

BEAT_SECONDS, LOST_SECONDS = 0.5, 4.0
"""Between heartbeats; and without any, the other side is lost."""

DAEMON = secrets.token_hex(8)
"""Identifies this process to an engine's machine."""

_numbers = itertools.count(1)

_in_use = set[int]()
"""Numbers of this process's connections. A machine may still hold others, if word of their end
didn't arrive: their engines are there for the next."""


def place(text: str) -> str:
    """A machine and a port, `HOST:PORT`; an IPv6 address is in brackets.

    Raises:
        BadSetting: it isn't one.
    """
    host, port = split(text)
    if not port:
        raise BadSetting(f"an engine's place is HOST:PORT, not {text!r}")
    return f"{host}:{port}"


def split(text: str) -> tuple[str, int]:
    """The two parts of a place; port 0 is any that is free.

    Raises:
        BadSetting: it has others.
    """
    host, _, port = text.rpartition(":")
    is_port = port.isascii() and port.isdecimal() and int(port) <= MAX_PORT
    is_host = bool(re.fullmatch(r"[\w.-]+|\[[\da-fA-F:.%\w]+\]", host))
    if not (is_host and is_port):
        raise BadSetting(f"an engine's place is HOST:PORT, not {text!r}")
    return host, int(port)


class Remote(Engines):
    """Engines of another machine, where `eutectic engine --listen` runs.

    `model`: its name, as there. `data`: the folder that keys are in. `digest`: what the model's
    must be; any, if empty.
    """

    def __init__(self, where: str, model: str, data: Path, digest: str = "") -> None:
        self.where = where
        self._model, self._data, self._digest = model, data, digest

    async def engine(self) -> RemoteEngine:
        """Another one, on the first connection that one of the keys opens.

        Raises:
            BadEngine: the other side has none for this daemon.
            OSError: it can't be reached, or another daemon uses it (`Lost`); or it has no memory.
        """
        from eutectic.link.line import Unwanted, found

        number = next(_numbers)
        hello = wire.Hello(
            DAEMON, socket.gethostname(), version("eutectic"), wire.PROTOCOL, self._model,
            self._digest, number, tuple(_in_use),
        )  # fmt: skip
        curves = self._curves()
        try:
            address, asks = await found(self.where)
        except OSError:
            raise Lost(f"no engine answers at {self.where}") from None
        except Unwanted:
            raise BadEngine(f"{self.where}: no engine of Eutectic answers there") from None
        for curve in curves:
            if asks == (curve is not None):
                with contextlib.suppress(Unwanted):
                    line = await self._connected(address, curve, hello)
                    return RemoteEngine(self.where, number, line, self._data)
        known = "takes none of this machine's keys" if any(curves) else "asks for a key"
        known = known if asks else "encrypts nothing, which only its own machine may use"
        raise BadEngine(f"{self.where} {known}: `eutectic engine keys` there shows one")

    def _curves(self) -> list[keys.Curve | None]:
        """What to try, one after another; no key is for this machine alone.

        Raises:
            BadEngine: there is no key for another machine.
        """
        from eutectic.link.line import is_loopback

        found = keys.taken_keys(self._data)
        if is_loopback(self.where.rpartition(":")[0]):
            return [*found, None]
        if not found:
            raise BadEngine(f"there is no key for {self.where}: `eutectic engine keys` shows one "
                             "there, and `eutectic engine keys --take` takes it here")  # fmt: skip
        return [*found]

    async def _connected(self, address: str, curve: keys.Curve | None, hello: wire.Hello) -> Line:
        """A connection over which the other side has welcomed this one.

        Raises:
            Unwanted: it asks for another key.
            BadEngine: it refuses, for good.
            Lost: it can't be reached, or refuses for now.
            OSError: it has no memory for two.
        """
        import zmq

        from eutectic.link.line import Line

        try:
            line = Line(address, curve)
        except zmq.ZMQError as error:
            raise BadEngine(f"{self.where}: can't be connected to ({error.strerror})") from None
        try:
            line.send(hello)
            answer = await self._answer(line)
        except BaseException:
            await line.close()
            raise
        if isinstance(answer, wire.Welcome):
            return line
        await line.close()
        if not isinstance(answer, wire.Refused):
            raise BadEngine(f"{self.where}: no engine of Eutectic answers there")
        text = f"{self.where}: {answer.text}"
        if answer.memory:
            raise OSError(errno.ENOMEM, text)
        raise Lost(text) if answer.later else BadEngine(text)

    async def _answer(self, line: Line) -> Message:
        """What the other side says first.

        Raises:
            Unwanted, BadEngine, Lost: nothing.
        """
        broken = asyncio.ensure_future(line.broken())
        receiving = asyncio.ensure_future(line.receive())
        try:
            await asyncio.wait(
                [broken, receiving], timeout=HELLO_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if receiving.done():
                return receiving.result()[0]
            if broken.done():
                broken.result()
        except msgspec.DecodeError:
            raise BadEngine(f"{self.where}: has another version of Eutectic") from None
        finally:
            broken.cancel()
            receiving.cancel()
            await asyncio.wait([broken, receiving])
        raise Lost(f"no engine answers at {self.where}")


class RemoteEngine(Engine):
    """One engine over there; owned by the event loop."""

    round_trip_ms = -1.0

    def __init__(self, where: str, number: int, line: Line, data: Path) -> None:
        super().__init__()
        self._where, self._number, self._line = where, number, line
        _in_use.add(number)
        self._outbox = Outbox(line.send)
        self._results: asyncio.Queue[Result | None] = asyncio.Queue()
        self._courier = Courier(self._outbox, line.send, self._results.put_nowait)
        self._fetcher = Fetcher(data, line.send, self._results.put_nowait)
        self._end: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self._canvases: dict[int, list[Canvas]] = {}
        self._mapped: dict[tuple[int, int], NDArray[np.float32]] = {}
        self._heard, self._received = time.monotonic(), 0
        self._tasks = [
            asyncio.ensure_future(each) for each in (self._read(), self._watch(), self._beat())
        ]

    # As the host uses it

    def send(self, command: Command) -> None:
        if self._end.done():
            return
        if isinstance(command, link.Cancel):
            self._courier.cancel(command.job)
            self._forget(command.job)
            self._outbox.drop(command.job)
            self._line.send(wire.Do(command))
        elif isinstance(command, Filed):
            self._courier.take(command)
        else:
            if isinstance(command, Fuse):
                self._canvases[command.job] = command.canvases
                if command.heard is not None and not self._sends_heard(command, command.heard):
                    return
            self._outbox.put(command.job, command.priority, wire.Do(command))

    async def receive(self) -> Result | None:
        return None if self._end.done() and self._results.empty() else await self._results.get()

    async def ended(self) -> End:
        return await self._end

    async def leave(self) -> None:
        await self._leave(kill=False)

    async def kill(self) -> None:
        await self._leave(kill=True)

    async def _leave(self, kill: bool) -> None:
        if not self._end.done():
            self._line.send(wire.Leave(kill))
            self._finish(End("engine_died", "the engine was left"))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _sends_heard(self, command: Fuse, heard: Canvas) -> bool:
        """Queue the samples that a job is made of; False if they are gone, with the job."""
        try:
            samples = heard.map().reshape(-1).view(np.uint8)
        except FileNotFoundError:
            self._results.put_nowait(link.Failed(command.job, "cancelled", "cancelled"))
            return False
        for at in range(0, len(samples), PART_BYTES):
            part = samples[at : at + PART_BYTES]
            message, read = wire.Heard(command.job, heard, at), part.tobytes
            self._outbox.put(command.job, command.priority, message, len(part), read)
        return True

    # Results

    async def _read(self) -> None:
        try:
            while True:
                message, frame = await self._line.receive()
                self._heard = time.monotonic()
                if frame is not None:
                    self._received += len(frame)
                    self._line.send(wire.Got(self._received))
                self._take(message, frame)
        except (msgspec.DecodeError, ValueError) as error:
            log.error("protocol error from %s: %s", self._where, error)
            self._lose("breaks the protocol")

    def _take(self, message: Message, frame: bytes | None) -> None:
        """Act on a message.

        Raises:
            ValueError: it makes no sense.
        """
        if isinstance(message, wire.Got):
            self._outbox.arrived(message.size)
        elif isinstance(message, wire.Said):
            self._say(message.result, frame)
        elif isinstance(message, wire.Keep):
            self._fetcher.keep(message, frame or b"")
        elif isinstance(message, wire.Has):
            self._courier.has(message)
        elif isinstance(message, wire.Beat) and message.at:
            self.round_trip_ms = 1000 * (time.monotonic() - message.at)
        elif isinstance(message, wire.Over):
            self._finish(End("engine_lost" if message.lost else "engine_died", message.text))
        elif isinstance(message, wire.Refused):
            text = f"{self._where}: {message.text}"
            if message.later:
                self._finish(End("engine_lost", text))
            else:
                self._results.put_nowait(link.State("failed", 0.0, text))
                self._finish(End("engine_died", text))

    def _say(self, result: Result, frame: bytes | None) -> None:
        """Give the host a result.

        Raises:
            ValueError: it makes no sense.
        """
        if isinstance(result, Chunk) and not self._write(result, frame or b""):
            return
        if isinstance(result, link.ModelFacts):
            self._courier.facts = result
        if isinstance(result, link.Done | link.Failed):
            if not self._courier.ended(result):
                return
            self._forget(result.job)
        if isinstance(result, link.Learned) and self._fetcher.take(result):
            return
        self._results.put_nowait(result)

    def _write(self, chunk: Chunk, frame: bytes) -> bool:
        """Write a chunk's samples to its canvas; False if that is gone, with the job.

        Raises:
            ValueError: they don't fit.
        """
        canvases = self._canvases.get(chunk.job)
        if canvases is None:
            return False
        canvas = canvases[chunk.index] if 0 <= chunk.index < len(canvases) else None
        if canvas is None or not 0 <= chunk.start < chunk.stop <= canvas.frames + canvas.tail:
            raise ValueError(f"no place for {chunk}")
        key = chunk.job, chunk.index
        try:
            if key not in self._mapped:
                self._mapped[key] = canvas.map()
        except FileNotFoundError:
            return False
        samples = np.frombuffer(frame, np.float32).reshape(canvas.channels, -1)
        self._mapped[key][:, chunk.start : chunk.stop] = samples
        return True

    def _forget(self, job: int) -> None:
        for index in range(len(self._canvases.pop(job, ()))):
            self._mapped.pop((job, index), None)

    # Its end

    async def _watch(self) -> None:
        """Notice that the connection is cut."""
        from eutectic.link.line import Unwanted

        with contextlib.suppress(Unwanted):
            await self._line.broken()
        self._lose("is gone")

    async def _beat(self) -> None:
        """Ask whether the other side is there, and notice that it isn't."""
        slept = time.monotonic()
        while True:
            self._line.send(wire.Beat(time.monotonic()))
            await asyncio.sleep(BEAT_SECONDS)
            now = time.monotonic()
            if now - slept > 2 * BEAT_SECONDS:  # it was this process that stood still
                self._heard = max(self._heard, now - BEAT_SECONDS)
            slept = now
            if now - self._heard > LOST_SECONDS:
                self._lose(f"hasn't answered for {LOST_SECONDS:g} s")

    def _lose(self, why: str) -> None:
        self._finish(End("engine_lost", f"{self._where} {why}"))

    def _finish(self, end: End) -> None:
        if self._end.done():
            return
        self._end.set_result(end)
        _in_use.discard(self._number)
        self._results.put_nowait(None)
        self._courier.close()
        self._fetcher.close()
        for each in self._tasks:
            each.cancel()
        self._tasks.append(asyncio.ensure_future(self._line.close()))
