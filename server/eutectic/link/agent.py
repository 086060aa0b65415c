"""`eutectic engine --listen`: this machine's engine for a daemon on another.

It starts engines as a daemon does, and lends one daemon at a time what it asks for. An engine that
nobody uses stays, with its model and all that it knows, for the daemon that comes back: others are
let in once the one before has left, or hasn't been heard of for some seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import msgspec
import psutil

from eutectic.errors import BadInput, BadModel, BadSetting
from eutectic.link import messages as wire
from eutectic.link import models
from eutectic.link import protocol as link
from eutectic.link.door import Door
from eutectic.link.guest import Guest
from eutectic.link.messages import Message
from eutectic.link.outbox import Frame
from eutectic.link.parcels import Received
from eutectic.link.protocol import Result
from eutectic.link.remote import BEAT_SECONDS, LOST_SECONDS
from eutectic.link.spare import Spare
from eutectic.link.wire import End, Local, LocalEngine, engine_arguments
from eutectic.system.shared_memory import sweep

log = logging.getLogger("eutectic.link")


@dataclass(frozen=True)
class Lent:
    """What an engine's machine lends: a model that is loaded at once, and others by their names.

    `host`, `port`: where it listens. `data`: the folder of its models, of what is learned and kept.
    """

    host: str
    port: int
    model: str
    compute: str | None
    memory_bytes: int
    data: Path


class _Held:
    """An engine of this machine, and what it said last of itself."""

    def __init__(self, model: str, engine: LocalEngine) -> None:
        self.model, self.engine = model, engine
        self.facts: link.ModelFacts | None = None
        self.state: link.State | None = None
        self.visit: _Visit | None = None
        self.reading: asyncio.Task[None] | None = None
        self._is_killed = False

    async def kill(self) -> None:
        self._is_killed = True
        await self.engine.kill()

    @property
    def is_wanted(self) -> bool:
        """Whether it is of use, or its end came by itself."""
        return not self._is_killed and not self.has_failed

    def note(self, result: Result) -> None:
        if isinstance(result, link.State):
            self.state = result
        elif isinstance(result, link.ModelFacts):
            self.facts = result

    @property
    def has_failed(self) -> bool:
        return self.state is not None and self.state.state == "failed"


@dataclass
class _Visit:
    """A daemon's use of an engine: how to answer it, and when it was last heard."""

    peer: bytes
    hello: wire.Hello
    held: _Held
    guest: Guest
    heard: float


class Agent:
    """Lends engines to daemons; owned by the event loop."""

    def __init__(self, lent: Lent, spare: Spare) -> None:
        self._lent, self._spare = lent, spare
        self._files = Received(lent.data)
        self._held: list[_Held] = []
        self._visits: dict[bytes, _Visit] = {}
        self._numbers = itertools.count(1)
        self._name = socket.gethostname()
        self._door = Door(lent.data)
        self._is_closing = False
        self._worked = 0.0
        """When there was a job last."""

    async def run(self, ready: Callable[[str], None]) -> None:
        """Lend them until SIGINT or SIGTERM; `ready` is called with lines to show.

        Raises:
            BadInput: it can't listen there, or its own model can't be loaded.
        """
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(number, stop.set)
        try:
            how = self._door.open(self._lent.host, self._lent.port)
            ready(f"{how}; the engine is starting")
            sweep()
            own = await self._start(self._lent.model)
            self._spare.keep(self._idle_seconds)
            tasks = [asyncio.ensure_future(each) for each in (self._serve(), self._look())]
            waiting = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(_failed(own))]
            await asyncio.wait([*tasks, *waiting], return_when=asyncio.FIRST_COMPLETED)
            for each in (*tasks, *waiting):
                each.cancel()
            done = await asyncio.gather(*tasks, *waiting, return_exceptions=True)
            for error in done:
                if isinstance(error, Exception):
                    raise error
        finally:
            await self._close()

    # Engines

    async def _start(self, model: str) -> _Held:
        """Another engine.

        Raises:
            BadInput: none is installed.
            OSError: none can be started.
        """
        lent = self._lent
        path = str(models.folder(lent.data, model) or model)
        arguments = engine_arguments(path, lent.data, lent.memory_bytes, lent.compute)
        held = _Held(model, await Local(self._spare, arguments).engine())
        held.reading = asyncio.ensure_future(self._read(held))
        self._held.append(held)
        return held

    async def _read(self, held: _Held) -> None:
        """Pass on what an engine says, to its end."""
        try:
            while (result := await held.engine.receive()) is not None:
                held.note(result)
                if isinstance(result, link.State):
                    log.info("engine: %s %s", result.state, result.text)
                if held.visit is not None:
                    self._pass_on(held.visit, result)
            end = await held.engine.ended()
        except (msgspec.DecodeError, ValueError) as error:
            log.error("protocol error from the engine: %s", error)
            await held.engine.kill()
            end = End("engine_died", "the engine broke the protocol")
        self._held.remove(held)
        if held.visit is not None:
            self._send(held.visit.peer, wire.Over(end.text))
            self._end(held.visit)
        if held.is_wanted and not self._is_closing:
            log.error("%s", end.text)

    def _pass_on(self, visit: _Visit, result: Result) -> None:
        facts, wanted = result, visit.hello.digest
        if isinstance(facts, link.ModelFacts) and wanted and facts.digest != wanted:
            self._send(visit.peer, wire.Refused(_other_digest(facts)))
            self._end(visit)
            return
        visit.guest.say(result)

    def _idle_seconds(self) -> float | None:
        """How long the engines have had nothing to do; None if one isn't ready."""
        ready = all(each.state is not None and each.state.state == "ready" for each in self._held)
        return self._now() - self._worked if ready else None

    # Daemons

    async def _serve(self) -> None:
        while True:
            peer, *frames = await self._door.socket.recv_multipart()
            frame = frames[1] if len(frames) > 1 else None
            visit = self._visits.get(peer)
            try:
                message = wire.decode(frames[0])
                if isinstance(message, wire.Hello) and visit is None:
                    await self._greet(peer, message)
                elif visit is None:
                    self._send(peer, wire.Refused("the connection was given up", later=True))
                else:
                    visit.heard = self._now()
                    await self._take(visit, message, frame)
            except (msgspec.DecodeError, ValueError) as error:
                log.warning("a daemon breaks the protocol: %s", error)
                self._send(peer, wire.Refused("that was no message of this version of Eutectic"))
                if visit is not None:
                    self._end(visit)
            except Exception:  # what one daemon sends must not end it for all
                log.exception("a message of a daemon's")
                self._send(peer, wire.Refused("that made no sense", later=True))
                if visit is not None:
                    self._end(visit)

    async def _take(self, visit: _Visit, message: Message, frame: bytes | None) -> None:
        if not isinstance(message, wire.Leave):
            visit.guest.take(message, frame)
            if isinstance(message, wire.Do) or visit.guest.is_busy:
                self._worked = self._now()
            return
        self._end(visit)
        log.info("the daemon on %s has left", visit.hello.name)
        if message.kill:
            await visit.held.kill()

    async def _greet(self, peer: bytes, hello: wire.Hello) -> None:
        """Give a daemon an engine, or say why not."""
        try:
            held = await self._engine_for(hello)
        except _Later as error:
            self._send(peer, wire.Refused(str(error), later=True, memory=error.memory))
            return
        except (BadInput, OSError) as error:
            self._send(peer, wire.Refused(str(error)))
            return

        def send(message: Message, frame: Frame | None) -> None:
            self._send(peer, message, frame)

        guest = Guest(held.engine.send, send, self._files, lambda: next(self._numbers))
        visit = held.visit = _Visit(peer, hello, held, guest, self._now())
        self._visits[peer] = visit
        self._send(peer, wire.Welcome(self._name))
        log.info("the daemon on %s uses the engine with the model %s", hello.name, held.model)
        for known in (held.facts, held.state):
            if known is not None:
                guest.say(known)

    async def _engine_for(self, hello: wire.Hello) -> _Held:
        """One that is there, or a new one.

        Raises:
            _Later: another daemon uses them, or there is no memory for two.
            BadInput: this daemon gets none.
            OSError: none can be started.
        """
        mine = version("eutectic")
        if (hello.version, hello.protocol) != (mine, wire.PROTOCOL):
            raise BadSetting(f"has Eutectic {mine}, and this machine {hello.version}: both need "
                             "the same")  # fmt: skip
        for visit in list(self._visits.values()):
            if visit.hello.daemon != hello.daemon:
                raise _Later(f"is in use by the daemon on {visit.hello.name}")
            if visit.hello.connection not in hello.others:  # it has lost or left that one
                self._end(visit)
        if not models.is_known(self._lent.data, hello.model, self._lent.model):
            known = ", ".join(dict.fromkeys((self._lent.model, *models.available(self._lent.data))))
            raise BadModel(f"has no model {hello.model}: it has {known}")
        for held in self._held:
            if held.visit is None and held.model == hello.model and held.is_wanted:
                if hello.digest and held.facts is not None and held.facts.digest != hello.digest:
                    raise BadModel(_other_digest(held.facts))
                return held
        for held in [each for each in self._held if each.visit is None]:
            await held.kill()
        if self._visits:
            needed = models.needed_bytes(self._lent.data, hello.model)
            if psutil.virtual_memory().available < needed:
                raise _Later("has no memory for two models at once", memory=True)
        return await self._start(hello.model)

    def _end(self, visit: _Visit) -> None:
        """A daemon uses its engine no longer."""
        if self._visits.pop(visit.peer, None) is not None:
            visit.held.visit = None
            visit.guest.close()

    async def _look(self) -> None:
        """Notice daemons that aren't there any more."""
        slept = self._now()
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            now = self._now()
            stood_still = now - slept > 2 * BEAT_SECONDS
            slept = now
            for visit in list(self._visits.values()):
                if stood_still:  # all of them have been heard since, perhaps
                    visit.heard = max(visit.heard, now - BEAT_SECONDS)
                is_there = self._send(visit.peer, wire.Beat(0.0))
                if not is_there or now - visit.heard > LOST_SECONDS:
                    log.warning("the daemon on %s is gone; its jobs are cancelled",
                                visit.hello.name)  # fmt: skip
                    self._end(visit)

    def _send(self, peer: bytes, message: Message, frame: Frame | None = None) -> bool:
        """Hand a message to the network; False if that daemon's connection is gone."""
        frames = [peer, wire.encode(message)]
        sending = self._door.socket.send_multipart(frames if frame is None else [*frames, frame])
        assert isinstance(sending, asyncio.Future)
        return sending.done() and sending.exception() is None  # at once: there is no HWM

    # The end

    async def _close(self) -> None:
        self._is_closing = True
        for visit in list(self._visits.values()):
            self._send(visit.peer, wire.Over(f"the engine on {self._name} is shutting down", True))
            self._end(visit)
        for held in list(self._held):
            await held.engine.leave()
            if held.reading is not None:
                await held.reading
        await self._spare.stop()
        await self._door.close()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


class _Later(Exception):
    """A daemon gets no engine now; its text says why. `memory`: for want of that."""

    def __init__(self, text: str, memory: bool = False) -> None:
        super().__init__(text)
        self.memory = memory


async def _failed(held: _Held) -> None:
    """Wait until an engine has said that it has no model.

    Raises:
        BadModel: that is now.
    """
    assert held.reading is not None
    await asyncio.wait([held.reading])
    if held.has_failed and held.state is not None:
        raise BadModel(held.state.text)
    await asyncio.Event().wait()


def _other_digest(facts: link.ModelFacts) -> str:
    return f"its model {facts.name} is another than this machine's of that name"
