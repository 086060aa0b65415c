"""Starts the engine process, watches it, and starts it again when it dies.

What the engine was doing then fails with `engine_died` and is never tried again by itself, since
it may be what killed it; what waited is sent to the next engine. Everything here runs in the
daemon's event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from eutectic.link import protocol as link
from eutectic.link.protocol import Fuse, Learn, Load, Priority, Result

log = logging.getLogger("eutectic.link")

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.2, 10.0
"""Before an engine that died is started again; twice as long each time it dies at once."""

STEADY_SECONDS = 30.0
"""An engine that lived so long died of something new."""

LEAVE_SECONDS = 3.0
"""An engine whose pipe is closed is killed after this."""

Work = Load | Learn | Fuse
Listener = Callable[[Result], None]


def engine_command(
    model: str, store: Path, memory_bytes: int, compute: str | None = None
) -> list[str]:
    """How the engine process is started."""
    command = [
        sys.executable, "-m", "eutectic.engine", "--model", model, "--store", str(store),
        "--memory-bytes", str(memory_bytes), "--daemon-pid", str(os.getpid()),
    ]  # fmt: skip
    return command if compute is None else [*command, "--compute", compute]


@dataclass
class _Job:
    command: Work
    listener: Listener
    begun: bool = False


class Host:
    """The engine process and the jobs it has; owned by the event loop.

    Attributes:
        facts: of the model, None until one is loaded.
        state: `starting`, `loading`, `warming`, `ready`, `dead` or `failed`.
        usage: as the engine last told it.
        deaths: how often an engine died.
    """

    def __init__(self, command: list[str], told: Callable[[link.State | link.ModelFacts], None]):
        self._command, self._told = command, told
        self._process: asyncio.subprocess.Process | None = None
        self._jobs: dict[int, _Job] = {}
        self._numbers = itertools.count(1)
        self._leaving = False
        self._runner: asyncio.Task[None] | None = None
        self.facts: link.ModelFacts | None = None
        self.state = "starting"
        self.usage: link.Usage | None = None
        self.deaths = 0

    @property
    def pid(self) -> int | None:
        """The engine's, while there is one."""
        return self._process.pid if self._process is not None else None

    @property
    def waiting(self) -> int:
        """Jobs that somebody asked for and that are not over."""
        return sum(job.command.priority != Priority.AHEAD for job in self._jobs.values())

    def submit(self, work: Work, listener: Listener) -> int:
        """Give the engine work; its `job` is set here and returned.

        The listener hears of it until `Done` or `Failed`, exactly one of which comes.
        """
        number = next(self._numbers)
        work = msgspec.structs.replace(work, job=number)
        self._jobs[number] = _Job(work, listener)
        if self.facts is not None:
            self._send(work)
        return number

    def cancel(self, job: int) -> None:
        """Give a job up: at once while it waits, else before its next network evaluation."""
        if job not in self._jobs:
            return
        if self.facts is not None:
            self._send(link.Cancel(job))
        if not self._jobs[job].begun:
            self._end(job, link.Failed(job, "cancelled", "cancelled"))

    def start(self) -> None:
        """Start the first engine."""
        self._runner = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End the engine; what it hadn't done fails."""
        self._leaving = True
        if self._process is not None:
            await _leave(self._process)
        if self._runner is not None:
            self._runner.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._runner
        self._fail(lambda job: True, "cancelled", "the daemon is leaving")

    async def restart(self, command: list[str]) -> None:
        """Another engine, of another model; what the old one was doing fails."""
        self._command = command
        if self._process is not None:
            await _leave(self._process)
        elif self._runner is not None and self._runner.done():
            self.start()

    async def _run(self) -> None:
        quick = 0
        while not self._leaving:
            began = time.monotonic()
            command = self._command
            code = await self._live(command)
            if self._leaving:
                return
            self._fail(lambda job: job.begun, "engine_died", "the engine died while it did this")
            if command is not self._command:
                continue
            if self.state == "failed":
                self._fail(lambda job: True, "no_model", "the engine has no model")
                return
            self.deaths += 1
            quick = 0 if time.monotonic() - began > STEADY_SECONDS else quick + 1
            wait = min(FIRST_WAIT_SECONDS * 2**quick, LONGEST_WAIT_SECONDS)
            log.error("the engine died (%s); starting it again in %.1f s", code, wait)
            self._tell(link.State("dead", 0.0, f"the engine died ({code})"))
            await asyncio.sleep(wait)

    async def _live(self, command: list[str]) -> int:
        """One engine, from its start to its end; returns its exit status."""
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                self._take(link.decode_result(line))
        except (msgspec.DecodeError, ValueError) as error:
            log.error("the engine said what nobody understands: %s", error)
            self._process.kill()
        finally:
            self.facts = None
        code = await self._process.wait()
        self._process = None
        return code

    def _take(self, result: Result) -> None:
        if isinstance(result, link.Usage):
            self.usage = result
        elif isinstance(result, link.State | link.ModelFacts):
            self._tell(result)
        elif isinstance(result, link.Done | link.Failed):
            self._end(result.job, result)
        elif (job := self._jobs.get(result.job)) is not None:
            job.begun = True
            _hear(job, result)

    def _tell(self, result: link.State | link.ModelFacts) -> None:
        if isinstance(result, link.State):
            self.state = result.state
        else:
            self.facts = result
            for job in self._jobs.values():
                self._send(job.command)
        self._told(result)

    def _end(self, number: int, result: link.Done | link.Failed) -> None:
        job = self._jobs.pop(number, None)  # one given up while it waited is known no more
        if job is not None:
            _hear(job, result)

    def _fail(self, which: Callable[[_Job], bool], code: str, text: str) -> None:
        for number in [number for number, job in self._jobs.items() if which(job)]:
            self._end(number, link.Failed(number, code, text))

    def _send(self, command: link.Command) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # its end is noticed where it is read
            self._process.stdin.write(link.encode(command))


def _hear(job: _Job, result: Result) -> None:
    try:
        job.listener(result)
    except Exception:  # one listener's fault must not end the others' engine
        log.exception("job %d", job.command.job)


async def _leave(process: asyncio.subprocess.Process) -> None:
    """Close an engine's pipe, which ends it; kill one that stays."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), LEAVE_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
