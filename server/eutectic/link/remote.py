"""An engine on another machine, as the daemon sees it.

What the host sends goes over the wire as it is, but for what lies in this machine's files and
shared memory: the samples of a chunk are written to its canvas as they come, before the host hears
of it; a clip's sound and a LoRA file go once (see `parcels`), and what was heard goes along with
its job. The other side's heartbeats tell that it is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
from collections import defaultdict
from collections.abc import Coroutine
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from eutectic.errors import BadInput, BadModel, BadSetting, EutecticError
from eutectic.files.stalls import answered
from eutectic.link import keys, parcels
from eutectic.link import messages as wire
from eutectic.link import protocol as link
from eutectic.link.messages import PART_BYTES, Message
from eutectic.link.outbox import Outbox
from eutectic.link.parcels import Parcel
from eutectic.link.protocol import AddLora, Canvas, Chunk, Command, Fuse, Load, Result
from eutectic.link.wire import End, Engine, Engines, Lost

if TYPE_CHECKING:  # ZeroMQ takes a moment to import, and most shows need none
    from eutectic.link.line import Line

log = logging.getLogger("eutectic.link")

MAX_PORT = 65535

HELLO_SECONDS = 5.0
"""A machine that hasn't answered by then isn't there."""

BEAT_SECONDS, LOST_SECONDS = 0.5, 4.0
"""Between heartbeats; and without any, the other side is lost."""

READERS = 2
"""Files that are read at once: each may be in memory as a whole."""

SENT_SECONDS = 0.1
"""Between reports of how much of a file has gone."""

DAEMON = secrets.token_hex(8)
"""Identifies this process to an engine's machine."""


def place(text: str) -> str:
    """A machine and a port, `HOST:PORT`; an IPv6 address is in brackets.

    Raises:
        BadSetting: it isn't one.
    """
    host, _, port = text.rpartition(":")
    is_port = port.isdecimal() and 0 < int(port) <= MAX_PORT
    if not host or not is_port or (":" in host and not host.startswith("[")):
        raise BadSetting(f"an engine's place is HOST:PORT, not {text!r}")
    return f"{host}:{int(port)}"


class Remote(Engines):
    """Engines of another machine, where `eutectic engine --listen` runs.

    `model`: its name, as there. `data`: the folder that keys are in. `digest`: what the model's
    must be; any, if empty.

    Attributes:
        digests: of files that were read, by what they are and when they were changed.
    """

    def __init__(self, where: str, model: str, data: Path, digest: str = "") -> None:
        self.where = where
        self._model, self._data, self._digest = model, data, digest
        self.digests: dict[tuple[object, ...], str] = {}

    async def engine(self, beside: bool = False) -> RemoteEngine:
        """Another one, on the first connection that one of the keys opens.

        Raises:
            BadInput: the other side has none for this daemon.
            Lost: it can't be reached, or another daemon uses it.
        """
        from eutectic.link.line import WrongKey

        hello = wire.Hello(
            DAEMON, socket.gethostname(), version("eutectic"), wire.PROTOCOL, self._model,
            self._digest, beside,
        )  # fmt: skip
        curves = self._curves()
        for curve in curves:
            with contextlib.suppress(WrongKey):
                return RemoteEngine(self, await self._connected(curve, hello))
        known = "takes none of this machine's keys" if any(curves) else "asks for a key"
        raise BadSetting(f"{self.where} {known}: `eutectic engine keys` there shows one")

    def _curves(self) -> list[keys.Curve | None]:
        """What to try, one after another; no key is for this machine alone.

        Raises:
            BadSetting: there is no key for another machine.
        """
        from eutectic.link.line import is_loopback

        found = keys.taken_keys(self._data)
        if is_loopback(self.where.rpartition(":")[0]):
            return [*found, None]
        if not found:
            raise BadSetting(f"there is no key for {self.where}: `eutectic engine keys` there "
                             "shows one, and `eutectic engine keys --take` here takes it")  # fmt: skip
        return [*found]

    async def _connected(self, curve: keys.Curve | None, hello: wire.Hello) -> Line:
        """A connection over which the other side has welcomed this one.

        Raises:
            WrongKey: it asks for another key.
            BadInput: it refuses, for good.
            Lost: it can't be reached, or refuses for now.
        """
        import zmq

        from eutectic.link.line import Line

        try:
            line = Line(self.where, curve)
        except zmq.ZMQError as error:
            raise BadSetting(f"{self.where}: can't be connected to ({error.strerror})") from None
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
            raise BadSetting(f"{self.where}: no engine of Eutectic answers there")
        text = f"{self.where}: {answer.text}"
        raise Lost(text) if answer.later else BadModel(text)

    async def _answer(self, line: Line) -> Message:
        """What the other side says first.

        Raises:
            WrongKey, BadSetting, Lost: nothing.
        """
        broken = asyncio.ensure_future(line.broken())
        receiving = asyncio.ensure_future(line.receive())
        both = {broken, receiving}
        try:
            await asyncio.wait(both, timeout=HELLO_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if receiving.done():
                return receiving.result()[0]
            if broken.done():
                broken.result()
        except msgspec.DecodeError:
            raise BadSetting(f"{self.where}: has another version of Eutectic") from None
        finally:
            for each in both:
                each.cancel()
            await asyncio.gather(*both, return_exceptions=True)
        raise Lost(f"no engine answers at {self.where}")


class RemoteEngine(Engine):
    """One engine over there; owned by the event loop."""

    def __init__(self, remote: Remote, line: Line) -> None:
        super().__init__()
        self._remote, self._line = remote, line
        self._outbox = Outbox(line.send)
        self._results: asyncio.Queue[Result | None] = asyncio.Queue()
        self._end: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self._facts: link.ModelFacts | None = None
        self._canvases: dict[int, list[Canvas]] = {}
        self._mapped: dict[tuple[int, int], NDArray[np.float32]] = {}
        self._asked: dict[str, asyncio.Future[bool]] = {}
        self._couriers: dict[int, asyncio.Task[None]] = {}
        self._readers = asyncio.Semaphore(READERS)
        self._sending: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._excuses: dict[int, EutecticError] = {}
        """Why a job's file couldn't be read, which the other side may know anyway."""
        self._heard, self._received = self._now(), 0
        self._tasks = [
            asyncio.ensure_future(each) for each in (self._read(), self._watch(), self._beat())
        ]

    # As the host uses it

    def send(self, command: Command) -> None:
        if self._end.done():
            return
        if isinstance(command, link.Cancel):
            self._cancel(command)
        elif isinstance(command, Load | AddLora):
            task = asyncio.ensure_future(self._deliver(command))
            self._couriers[command.job] = task
            task.add_done_callback(partial(self._delivered, command))
        else:
            if isinstance(command, Fuse):
                self._canvases[command.job] = command.canvases
                if command.heard is not None and not self._sends_heard(command, command.heard):
                    return
            self._put(command)

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

    # Commands

    def _put(self, command: link.Work, digest: str = "", name: str = "") -> None:
        self._outbox.put(command.job, command.priority, wire.Do(command, digest, name))

    def _cancel(self, command: link.Cancel) -> None:
        task = self._couriers.get(command.job)
        if task is not None:
            task.cancel()
        self._forget(command.job)
        self._outbox.drop(command.job)
        self._line.send(wire.Do(command))

    def _sends_heard(self, command: Fuse, heard: Canvas) -> bool:
        """Queue the samples that a job is made of; False if they are gone, with the job."""
        try:
            samples = memoryview(heard.map()).cast("B")
        except FileNotFoundError:
            self._results.put_nowait(link.Failed(command.job, "cancelled", "cancelled"))
            return False
        for at in range(0, len(samples), PART_BYTES):
            part = samples[at : at + PART_BYTES]
            message = wire.Heard(command.job, heard, at)
            self._outbox.put(
                command.job, command.priority, message, len(part), partial(_same, part)
            )
        return True

    async def _deliver(self, command: Load | AddLora) -> None:
        """Send a command, and before that its file, unless that is there."""
        async with self._readers:
            try:
                digest, name = await self._sent(command)
            except EutecticError as error:
                if not command.key:
                    raise
                self._excuses[command.job] = error
                digest = name = ""
        self._put(command, digest, name)

    def _delivered(self, command: Load | AddLora, task: asyncio.Task[None]) -> None:
        self._couriers.pop(command.job, None)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if not isinstance(error, EutecticError):
            log.error("job %d", command.job, exc_info=error)
        code, text = getattr(error, "code", "internal"), str(error)
        self._results.put_nowait(link.Failed(command.job, code, text))

    async def _sent(self, command: Load | AddLora) -> tuple[str, str]:
        """Have a command's file over there; its digest and what it is called there.

        Raises:
            EutecticError: it can't be read.
        """
        path = command.source.path if isinstance(command, Load) else command.path
        name = parcels.SOUND if isinstance(command, Load) else Path(path).name
        known = await self._stamped(command, path)
        digest = self._remote.digests.get(known, "")
        if not (digest and await self._is_there(digest, name)):
            parcel = await answered(path, partial(self._parcel, command))
            digest = self._remote.digests[known] = parcel.digest
            async with self._sending[digest]:
                if not await self._is_there(digest, name):
                    await self._send_parcel(command, parcel)
        return digest, name

    async def _stamped(self, command: Load | AddLora, path: str) -> tuple[object, ...]:
        """What a file's bytes follow from."""
        what = command.source if isinstance(command, Load) else path
        facts = self._facts
        form = None if facts is None else (facts.rate_hz, facts.channels, facts.max_seconds)
        with contextlib.suppress(OSError):
            return what, form, *await answered(path, lambda _: parcels.stamp(path))
        return what, form

    def _parcel(self, command: Load | AddLora, alive: Any) -> Parcel:
        if isinstance(command, AddLora):
            return parcels.lora(Path(command.path), alive)
        assert self._facts is not None  # as the host sends nothing before
        return parcels.sound(command.source, self._facts, alive)

    async def _is_there(self, digest: str, name: str) -> bool:
        asked = self._asked.get(digest)
        if asked is None:
            asked = self._asked[digest] = asyncio.get_running_loop().create_future()
            self._line.send(wire.Ask(digest, name))
        return await asyncio.shield(asked)

    async def _send_parcel(self, command: Load | AddLora, parcel: Parcel) -> None:
        """Queue a file's parts in its job's stream, and wait until the last is on its way."""
        gone = asyncio.get_running_loop().create_future()
        reported = self._now()

        def read(at: int) -> bytes:
            nonlocal reported
            stop = min(at + PART_BYTES, parcel.size)
            if stop == parcel.size and not gone.done():
                gone.set_result(None)
            if self._now() - reported >= SENT_SECONDS:
                reported = self._now()
                share = stop / parcel.size
                self._results.put_nowait(link.Progress(command.job, link.SENDING, share))
            return parcel.read(at, stop)

        for at in range(0, parcel.size, PART_BYTES):
            size = min(PART_BYTES, parcel.size - at)
            part = wire.Part(parcel.digest, parcel.name, parcel.size, at)
            self._outbox.put(command.job, command.priority, part, size, partial(read, at))
        await gone

    # Results

    async def _read(self) -> None:
        try:
            while True:
                message, frame = await self._line.receive()
                self._heard = self._now()
                if frame is not None:
                    self._received += len(frame)
                    self._line.send(wire.Got(self._received))
                self._take(message, frame)
        except (msgspec.DecodeError, ValueError) as error:
            log.error("protocol error from %s: %s", self._remote.where, error)
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
        elif isinstance(message, wire.Has):
            asked = self._asked.pop(message.digest, None)
            if asked is not None and not asked.done():
                asked.set_result(message.is_there)
        elif isinstance(message, wire.Over):
            code = "engine_lost" if message.lost else "engine_died"
            self._finish(End(code, message.text))
        elif isinstance(message, wire.Refused):
            text = f"{self._remote.where}: {message.text}"
            self._results.put_nowait(link.State("failed", 0.0, text))
            self._finish(End("engine_died", text))

    def _say(self, result: Result, frame: bytes | None) -> None:
        if isinstance(result, Chunk) and not self._write(result, frame or b""):
            return
        if isinstance(result, link.ModelFacts):
            self._facts = result
        if isinstance(result, link.Done | link.Failed):
            self._forget(result.job)
            excuse = self._excuses.pop(result.job, None)
            if excuse is not None and isinstance(result, link.Failed):
                result = link.Failed(result.job, excuse.code, str(excuse))
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
        from eutectic.link.line import WrongKey

        with contextlib.suppress(WrongKey):
            await self._line.broken()
        self._lose("is gone")

    async def _beat(self) -> None:
        """Say that the daemon is there, and notice that nothing comes from the other side."""
        slept = self._now()
        while True:
            self._line.send(wire.Beat())
            await asyncio.sleep(BEAT_SECONDS)
            now = self._now()
            if now - slept > 2 * BEAT_SECONDS:  # it was this process that stood still
                self._heard = max(self._heard, now - BEAT_SECONDS)
            slept = now
            if now - self._heard > LOST_SECONDS:
                self._lose(f"hasn't answered for {LOST_SECONDS:g} s")

    def _lose(self, why: str) -> None:
        self._finish(End("engine_lost", f"{self._remote.where} {why}"))

    def _finish(self, end: End) -> None:
        if self._end.done():
            return
        self._end.set_result(end)
        self._results.put_nowait(None)
        for each in (*self._couriers.values(), *self._tasks):
            each.cancel()
        self._tasks.append(asyncio.ensure_future(self._line.close()))

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _same(part: memoryview) -> memoryview:
    return part
