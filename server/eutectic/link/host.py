"""Starts the engine process, supervises it, and restarts it when it dies.

Jobs the engine was running then fail with `engine_died`: one of them may have killed it, so they
aren't retried. Jobs it hadn't started go to the next engine, at once if there is a spare (see
`spare`). Another model is loaded by another engine, while this one goes on. Everything here runs in
the daemon's event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import psutil

from eutectic.environment import NoEngine
from eutectic.link import protocol as link
from eutectic.link.protocol import Priority, Result, Work
from eutectic.link.spare import Spare
from eutectic.system import processes

log = logging.getLogger("eutectic.link")

MIN_WAIT_SECONDS, MAX_WAIT_SECONDS = 0.2, 10.0
"""Before an engine that died early is restarted; doubled each time in a row."""

STABLE_SECONDS = 2.0
"""An engine that was ready for this long didn't die early, and is restarted without a wait."""

DRAIN_SECONDS, POLL_SECONDS = 5.0, 0.02
"""How long jobs may take to end before another model is used, and how often that is looked at."""

Listener = Callable[[Result], None]


class NotLoaded(Exception):
    """An engine can't load its model; its text says why."""


def engine_arguments(
    model: str, store: Path, memory_bytes: int, compute: str | None = None
) -> list[str]:
    """Arguments of the engine process."""
    arguments = [
        "--model", model, "--store", str(store), "--memory-bytes", str(memory_bytes),
        "--daemon-pid", str(os.getpid()),
    ]  # fmt: skip
    return arguments if compute is None else [*arguments, "--compute", compute]


@dataclass
class _Job:
    command: Work
    listener: Listener
    started: bool = False


@dataclass
class Engine:
    """An engine's process, and what it has said so far that nobody has heard yet."""

    process: Process
    said: list[Result] = field(default_factory=list[Result])


class Host:
    """The engine process and its jobs; owned by the event loop.

    Attributes:
        facts: about the model; None until one is loaded.
        state: `starting`, `loading`, `warming`, `ready`, `dead` or `failed`.
        usage: as last reported by the engine.
        failure: why it has no model, in the state `failed`.
        deaths: how often an engine died.
        spare: an engine that waits to take its place.
    """

    def __init__(
        self, arguments: list[str], on_state: Callable[[link.State | link.ModelFacts], None],
        spare: Spare,
    ) -> None:  # fmt: skip
        self._arguments, self._on_state, self.spare = arguments, on_state, spare
        self._engine: Engine | None = None
        self._next: Engine | None = None
        """Takes over, once the engine's process has ended."""
        self._beside: set[Process] = set()
        """Engines that load a model beside it."""
        self._jobs: dict[int, _Job] = {}
        self._numbers = itertools.count(1)
        self._stopping = False
        self._supervisor: asyncio.Task[None] | None = None
        self.facts: link.ModelFacts | None = None
        self.state = "starting"
        self.usage: link.Usage | None = None
        self.failure = ""
        self.deaths = 0
        self._ready_since: float | None = None
        self._worked = 0.0
        """When (monotonic) it last had something to do."""

    @property
    def pid(self) -> int | None:
        """The engine's process id, while one runs."""
        return self._engine.process.pid if self._engine is not None else None

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
        for process in (*self._beside, *([self._next.process] if self._next else ())):
            await processes.kill(process)
        if self._engine is not None:
            await processes.end(self._engine.process)
        await self.spare.stop()
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
        self._fail(list(self._jobs), "cancelled", "the daemon is shutting down")

    async def load_beside(self, arguments: Sequence[str], needed_bytes: int) -> Engine | None:
        """Load another model in an engine of its own until it is ready, while this one goes on.

        Returns None where that doesn't work: none is running, there is no memory for two, or the
        other one died.

        Raises:
            NotLoaded: the model can't be loaded.
        """
        if self.state != "ready" or not self._has_room(needed_bytes):
            return None
        engine = Engine(await self.spare.engine(arguments))
        self._beside.add(engine.process)
        try:
            if await self._is_ready(engine):
                return engine
        except BaseException:
            await processes.kill(engine.process)
            raise
        finally:
            self._beside.discard(engine.process)
        await processes.kill(engine.process)
        return None

    def _has_room(self, needed_bytes: int) -> bool:
        on_device = None if self.usage is None else self.usage.device_free_bytes
        there = psutil.virtual_memory().available
        return min(there, there if on_device is None else on_device) >= needed_bytes

    async def _is_ready(self, engine: Engine) -> bool:
        """Wait for it; False if it dies."""
        assert engine.process.stdout is not None
        with contextlib.suppress(msgspec.DecodeError, ValueError):
            async for line in engine.process.stdout:
                result = link.decode_result(line)
                engine.said.append(result)
                if isinstance(result, link.State) and result.state == "failed":
                    raise NotLoaded(result.text)
                if isinstance(result, link.State) and result.state == "ready":
                    return True
        return False

    async def restart(self, arguments: list[str], loaded: Engine | None = None) -> None:
        """Replace the engine, to change the model; jobs that are running fail."""
        self._arguments, self._next = arguments, loaded
        if self._engine is not None:  # by the pipe it would take the sounds of both with it
            await processes.kill(self._engine.process)
        elif self._supervisor is not None and self._supervisor.done():
            self.start()

    async def drain(self) -> None:
        """Wait for jobs that end soon, for some seconds at most."""
        until = time.monotonic() + DRAIN_SECONDS
        while self.facts is not None and time.monotonic() < until:
            if not any(_is_short(job) for job in self._jobs.values()):
                return
            await asyncio.sleep(POLL_SECONDS)

    async def _supervise(self) -> None:
        early_deaths = 0
        while not self._stopping:
            self._ready_since = None
            arguments = self._arguments
            code = await self._run_engine(arguments)
            if self._stopping:
                return
            running = [number for number, job in self._jobs.items() if job.started]
            if arguments is not self._arguments:
                self._fail(running, "cancelled", "the model was changed during this job")
                continue
            self._fail(running, "engine_died", "the engine died during this job")
            if self.state == "failed":
                self._fail(list(self._jobs), "no_model", self.failure)
                return
            self.deaths += 1
            early_deaths = 0 if self._was_stable() else early_deaths + 1
            wait = min(MIN_WAIT_SECONDS * 2**early_deaths, MAX_WAIT_SECONDS) if early_deaths else 0
            log.error("the engine died (%s); restarting it in %.1f s", code, wait)
            self._update(link.State("dead", 0.0, f"the engine died ({code})"))
            await asyncio.sleep(wait)

    def _was_stable(self) -> bool:
        since = self._ready_since
        return since is not None and time.monotonic() - since > STABLE_SECONDS

    def _idle_seconds(self) -> float | None:
        """How long it has had nothing to do by now; None if it isn't ready, or two are there."""
        if self.state != "ready" or self._beside:
            return None
        if self._jobs:
            return 0.0
        since = max(self._worked, self._ready_since or 0.0)
        return time.monotonic() - since

    async def _run_engine(self, arguments: list[str]) -> int | str:
        """Run one engine until it exits; returns its exit status, or why there is none."""
        engine, self._next = self._next, None
        self.state, self.failure = "starting", ""
        try:
            engine = engine or Engine(await self.spare.engine(arguments))
        except NoEngine as error:
            self._update(link.State("failed", 0.0, str(error)))
            return str(error)
        except OSError as error:
            return error.strerror or str(error)
        if arguments is not self._arguments:  # changed meanwhile
            await processes.kill(engine.process)
            return "replaced"
        self._engine = engine
        assert engine.process.stdout is not None
        try:
            for result in engine.said:
                self._receive(result)
            async for line in engine.process.stdout:
                self._receive(link.decode_result(line))
        except (msgspec.DecodeError, ValueError) as error:
            log.error("protocol error from the engine: %s", error)
            engine.process.kill()
        finally:
            self.facts = None
        code = await engine.process.wait()
        self._engine = None
        return code

    def _receive(self, result: Result) -> None:
        if isinstance(result, link.Usage):
            self.usage = result
        elif isinstance(result, link.State | link.ModelFacts):
            self._update(result)
        elif isinstance(result, link.Done | link.Failed):
            self._finish(result.job, result)
        elif (job := self._jobs.get(result.job)) is not None:
            job.started = True
            _notify(job, result)

    def _update(self, result: link.State | link.ModelFacts) -> None:
        if isinstance(result, link.State):
            self.state, self.failure = result.state, ""
            if result.state == "failed":
                self.failure = f"the engine has no model: {result.text}"
            if result.state == "ready":
                self._ready_since = time.monotonic()
        else:
            self.facts = result
            for job in self._jobs.values():
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
        assert self._engine.process.stdin is not None
        with contextlib.suppress(ConnectionError):  # the reading side notices that it died
            self._engine.process.stdin.write(link.encode(command))


def _is_short(job: _Job) -> bool:
    """Whether somebody waits for it, and not for long."""
    command = job.command
    return command.priority != Priority.AHEAD and not isinstance(command, link.Learn)


def _notify(job: _Job, result: Result) -> None:
    try:
        job.listener(result)
    except Exception:  # a listener's bug must not stop the engine for others
        log.exception("job %d", job.command.job)
