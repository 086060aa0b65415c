"""Has an engine, supervises it, and gets another when it dies or is lost.

Jobs the engine was running then fail with `engine_died`: one of them may have killed it, so they
aren't retried; or with `engine_lost`, if it is on a machine that can't be reached any more. Jobs it
hadn't started go to the next engine, at once if there is a spare (see `spare`). Another model, or
the same on another machine, is loaded by another engine, while this one goes on. Everything here
runs in the daemon's event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import psutil

from eutectic.errors import BadInput
from eutectic.link import protocol as link
from eutectic.link.protocol import Priority, Result, Work
from eutectic.link.spare import Spare
from eutectic.link.wire import End, Engine, Engines, Lost

log = logging.getLogger("eutectic.link")

MIN_WAIT_SECONDS, MAX_WAIT_SECONDS, MAX_LOST_SECONDS = 0.2, 10.0, 2.0
"""Before an engine that died early is restarted; doubled each time in a row. The last: before
another machine is asked again."""

STABLE_SECONDS = 2.0
"""An engine that was ready for this long didn't die early, and is restarted without a wait."""

DRAIN_SECONDS, POLL_SECONDS = 5.0, 0.02
"""How long jobs may take to end before another model is used, and how often that is looked at."""

Listener = Callable[[Result], None]


class NotLoaded(Exception):
    """An engine can't load its model; its text says why."""


class Died(NotLoaded):
    """An engine died, or was lost, as it loaded its model."""


@dataclass
class _Job:
    command: Work
    listener: Listener
    started: bool = False
    waits: bool = False
    """The engine, which was elsewhere, must have this one's sounds first."""


class Host:
    """The engine and its jobs; owned by the event loop.

    Attributes:
        engines: where it is from.
        facts: about the model; None until one is loaded.
        state: `starting`, `loading`, `warming`, `ready`, `dead`, `lost` or `failed`.
        usage: as last reported by the engine.
        failure: why it has no model, in the states `lost` and `failed`.
        deaths, losses: how often an engine died, and how often its machine was lost.
        spare: an engine of this machine that waits to take its place.
    """

    def __init__(
        self, engines: Engines, on_state: Callable[[link.State | link.ModelFacts], None],
        spare: Spare,
    ) -> None:  # fmt: skip
        self.engines, self._on_state, self.spare = engines, on_state, spare
        self._engine: Engine | None = None
        self._next: Engine | None = None
        """Takes over, once the engine has ended."""
        self._beside: set[Engine] = set()
        """Engines that load a model beside it."""
        self._restarted = asyncio.Event()
        self._jobs: dict[int, _Job] = {}
        self._numbers = itertools.count(1)
        self._stopping = False
        self._supervisor: asyncio.Task[None] | None = None
        self.facts: link.ModelFacts | None = None
        self.state = "starting"
        self.usage: link.Usage | None = None
        self.failure = ""
        self.deaths = self.losses = 0
        self._ready_since: float | None = None
        self._worked = 0.0
        """When (monotonic) it last had something to do."""

    @property
    def pid(self) -> int | None:
        """The engine's process id, while one runs on this machine."""
        return self._engine.pid if self._engine is not None else None

    @property
    def round_trip_ms(self) -> float:
        """To the engine's machine and back; 0 on this one, -1 while that isn't known."""
        if not self.engines.where:
            return 0.0
        return -1.0 if self._engine is None else self._engine.round_trip_ms

    @property
    def waiting(self) -> int:
        """Unfinished jobs that a client waits for; pieces of what is heard come and go."""
        others = Priority.AHEAD, Priority.LIVE
        return sum(job.command.priority not in others for job in self._jobs.values())

    def submit(self, work: Work, listener: Listener) -> int:
        """Send the engine a job; returns its number, which is set here.

        The listener is called with each of its results; the last is a `Done` or a `Failed`.
        """
        number = next(self._numbers)
        work = msgspec.structs.replace(work, job=number)
        self._jobs[number] = _Job(work, listener)
        self._worked = time.monotonic()
        if self.facts is not None:
            self._send(work)
        return number

    def cancel(self, job: int) -> None:
        """Cancel a job: at once while it is queued, else before its next network evaluation."""
        if job not in self._jobs:
            return
        if self.facts is not None:
            self._send(link.Cancel(job))
        if not self._jobs[job].started:
            self._finish(job, link.Failed(job, "cancelled", "cancelled"))

    def start(self) -> None:
        """Start the first engine."""
        self.spare.keep(self._idle_seconds)
        self._supervisor = asyncio.get_running_loop().create_task(self._supervise())

    async def stop(self) -> None:
        """Stop the engine; unfinished jobs fail."""
        self._stopping = True
        for engine in (*self._beside, *([self._next] if self._next else ())):
            await engine.kill()
        if self._engine is not None:
            await self._engine.leave()
        await self.spare.stop()
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
        self._fail(list(self._jobs), "cancelled", "the daemon is shutting down")

    async def load_beside(self, engines: Engines, needed_bytes: int) -> Engine | None:
        """Have an engine with another model until it is ready, while this one goes on.

        `needed_bytes`: that must be free for it, on this machine. Returns None where that doesn't
        work: none is running, there is no memory for two, or the other one died.

        Raises:
            NotLoaded: the model can't be loaded there.
        """
        if self.state != "ready" or not (engines.where or self._has_room(needed_bytes)):
            return None
        with contextlib.suppress(Died):
            return await self.load(engines)
        return None

    async def load(self, engines: Engines) -> Engine:
        """Have an engine from elsewhere until it is ready, whatever this one does meanwhile.

        Raises:
            NotLoaded: none is to be had, its model can't be loaded, or it died (`Died`).
        """
        try:
            engine = await engines.engine()
        except (BadInput, Lost) as error:
            raise NotLoaded(str(error)) from None
        self._beside.add(engine)
        try:
            if await self._is_ready(engine):
                return engine
            raise Died((await engine.ended()).text)
        except BaseException:
            await engine.kill()
            raise
        finally:
            self._beside.discard(engine)

    def _has_room(self, needed_bytes: int) -> bool:
        known = None if self.engines.where else self.usage
        on_device = None if known is None else known.device_free_bytes
        there = psutil.virtual_memory().available
        return min(there, there if on_device is None else on_device) >= needed_bytes

    async def _is_ready(self, engine: Engine) -> bool:
        """Wait for it; False if it dies."""
        with contextlib.suppress(msgspec.DecodeError, ValueError):
            while (result := await engine.receive()) is not None:
                engine.said.append(result)
                if isinstance(result, link.State) and result.state == "failed":
                    raise NotLoaded(result.text)
                if isinstance(result, link.State) and result.state == "ready":
                    return True
        return False

    async def restart(self, engines: Engines, loaded: Engine | None = None) -> None:
        """Replace the engine, to change the model or the machine; jobs that are running fail."""
        moves = engines.where != self.engines.where
        self.engines, self._next = engines, loaded
        self._restarted.set()
        if self._engine is not None and moves and self._engine.pid is None:
            await self._engine.leave()  # it stays there, with all that it knows
        elif self._engine is not None:  # by the pipe it would take the sounds of both with it
            await self._engine.kill()
        elif self._supervisor is not None and self._supervisor.done():
            self.start()

    def resume(self) -> None:
        """Send what waited when the engine moved: it has all that the session has by now."""
        for job in self._jobs.values():
            if job.waits and self.facts is not None:
                job.waits = False
                self._send(job.command)

    async def drain(self) -> None:
        """Wait for jobs that end soon, for some seconds at most."""
        until = time.monotonic() + DRAIN_SECONDS
        while self.facts is not None and time.monotonic() < until:
            if not any(_is_short(job) for job in self._jobs.values()):
                return
            await asyncio.sleep(POLL_SECONDS)

    async def _supervise(self) -> None:
        early_ends = 0
        while not self._stopping:
            self._ready_since = None
            engines = self.engines
            self._restarted.clear()
            end = await self._run_engine(engines)
            if self._stopping:
                return
            running = [number for number, job in self._jobs.items() if job.started]
            if engines is not self.engines:
                self._fail(running, "cancelled", "the engine was changed during this job")
                if engines.where != self.engines.where:
                    for job in self._jobs.values():
                        job.waits = not isinstance(job.command, link.Load)
                early_ends = 0
                continue
            how = f"on {engines.where} was lost" if end.code == "engine_lost" else "died"
            self._fail(running, end.code, f"the engine {how} during this job")
            if self.state == "failed":
                self._fail(list(self._jobs), "no_model", self.failure)
                return
            early_ends = 0 if self._was_stable() else early_ends + 1
            await self._mourn(end, early_ends)

    async def _mourn(self, end: End, early_ends: int) -> None:
        """Say that there is no engine, and wait before the next is asked for."""
        is_dead = end.code == "engine_died"
        longest = MAX_WAIT_SECONDS if is_dead else MAX_LOST_SECONDS
        wait = min(MIN_WAIT_SECONDS * 2**early_ends, longest) if early_ends else 0
        if is_dead:
            self.deaths += 1
            log.error("%s; restarting it in %.1f s", end.text, wait)
            self._update(link.State("dead", 0.0, end.text))
        elif (self.state, self.failure) != ("lost", end.text):
            self.losses += self.state != "lost"
            self._update(link.State("lost", 0.0, end.text))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._restarted.wait(), wait)

    def _was_stable(self) -> bool:
        since = self._ready_since
        return since is not None and time.monotonic() - since > STABLE_SECONDS

    def _idle_seconds(self) -> float | None:
        """How long it has had nothing to do by now; None if a spare is of no use, or no room."""
        if self.engines.where or self.state != "ready" or self._beside:
            return None
        if self._jobs:
            return 0.0
        since = max(self._worked, self._ready_since or 0.0)
        return time.monotonic() - since

    async def _run_engine(self, engines: Engines) -> End:
        """Run one engine until its end; returns why it ended."""
        engine, self._next = self._next, None
        if self.state != "lost":
            self.state, self.failure = "starting", ""
        try:
            engine = engine or await self._next_of(engines)
        except BadInput as error:
            self._update(link.State("failed", 0.0, str(error)))
            return End("engine_died", str(error))
        except Lost as error:
            return End("engine_lost", str(error))
        except OSError as error:
            return End("engine_died", f"the engine died ({error.strerror or error})")
        if engine is None or engines is not self.engines:  # changed meanwhile
            if engine is not None:
                await engine.kill()
            return End("engine_died", "the engine was replaced")
        self._engine = engine
        try:
            for result in engine.said:
                self._receive(result)
            while (result := await engine.receive()) is not None:
                self._receive(result)
        except (msgspec.DecodeError, ValueError) as error:
            log.error("protocol error from the engine: %s", error)
            await engine.kill()
        finally:
            self.facts = None
        end = await engine.ended()
        self._engine = None
        return end

    async def _next_of(self, engines: Engines) -> Engine | None:
        """Another engine; None if another place was chosen before a machine has answered.

        Raises:
            BadInput, OSError: as `engine`.
        """
        if not engines.where:
            return await engines.engine()
        asking = asyncio.ensure_future(engines.engine())
        restarted = asyncio.ensure_future(self._restarted.wait())
        try:
            await asyncio.wait([asking, restarted], return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if asking.done() else None
        finally:
            asking.cancel()
            restarted.cancel()

    def _receive(self, result: Result) -> None:
        if isinstance(result, link.Usage):
            self.usage = result
        elif isinstance(result, link.State | link.ModelFacts):
            self._update(result)
        elif isinstance(result, link.Done | link.Failed):
            self._finish(result.job, result)
        elif (job := self._jobs.get(result.job)) is not None:
            is_sending = isinstance(result, link.Progress) and result.stage == link.SENDING
            job.started = job.started or not is_sending
            _notify(job, result)

    def _update(self, result: link.State | link.ModelFacts) -> None:
        if isinstance(result, link.State):
            self.state, self.failure = result.state, result.text if result.state == "lost" else ""
            if result.state == "failed":
                why = "" if self.engines.where else "the engine has no model: "
                self.failure = f"{why}{result.text}"
            if result.state == "ready":
                self._ready_since = time.monotonic()
        else:
            self.facts = result
            for job in self._jobs.values():
                if not job.waits:
                    self._send(job.command)
        self._on_state(result)

    def _finish(self, number: int, result: link.Done | link.Failed) -> None:
        job = self._jobs.pop(number, None)  # one cancelled while queued is already removed
        if job is not None:
            self._worked = time.monotonic()
            _notify(job, result)

    def _fail(self, numbers: list[int], code: str, text: str) -> None:
        for number in numbers:
            self._finish(number, link.Failed(number, code, text))

    def _send(self, command: link.Command) -> None:
        assert self._engine is not None
        self._engine.send(command)


def _is_short(job: _Job) -> bool:
    """Whether somebody waits for it, and not for long."""
    command = job.command
    return command.priority != Priority.AHEAD and not isinstance(command, link.Learn)


def _notify(job: _Job, result: Result) -> None:
    try:
        job.listener(result)
    except Exception:  # a listener's bug must not stop the engine for others
        log.exception("job %d", job.command.job)
