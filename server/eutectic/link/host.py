"""Starts the engine process, supervises it, and restarts it when it dies.

Jobs the engine was running then fail with `engine_died`: one of them may have killed it, so they
aren't retried. Jobs it hadn't started go to the next engine, at once if there is a spare (see
`spare`). Everything here runs in the daemon's event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import time
from asyncio.subprocess import Process
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from eutectic.link import protocol as link
from eutectic.link.protocol import Priority, Result, Work
from eutectic.link.spare import ENGINE, Spare
from eutectic.system import processes

log = logging.getLogger("eutectic.link")

MIN_WAIT_SECONDS, MAX_WAIT_SECONDS = 0.2, 10.0
"""Before an engine that died early is restarted; doubled each time in a row."""

STABLE_SECONDS = 2.0
"""An engine that was ready for this long didn't die early, and is restarted without a wait."""

Listener = Callable[[Result], None]


def engine_command(
    model: str, store: Path, memory_bytes: int, compute: str | None = None
) -> list[str]:
    """Command line of the engine process."""
    command = [
        *ENGINE, "--model", model, "--store", str(store), "--memory-bytes", str(memory_bytes),
        "--daemon-pid", str(os.getpid()),
    ]  # fmt: skip
    return command if compute is None else [*command, "--compute", compute]


@dataclass
class _Job:
    command: Work
    listener: Listener
    started: bool = False


class Host:
    """The engine process and its jobs; owned by the event loop.

    Attributes:
        facts: about the model; None until one is loaded.
        state: `starting`, `loading`, `warming`, `ready`, `dead` or `failed`.
        usage: as last reported by the engine.
        deaths: how often an engine died.
        spare: an engine that waits to take its place; None if none is to.
    """

    def __init__(
        self, command: list[str], on_state: Callable[[link.State | link.ModelFacts], None],
        with_spare: bool = False,
    ) -> None:  # fmt: skip
        self._command, self._on_state = command, on_state
        self._process: Process | None = None
        self._jobs: dict[int, _Job] = {}
        self._numbers = itertools.count(1)
        self._stopping = False
        self._supervisor: asyncio.Task[None] | None = None
        self.facts: link.ModelFacts | None = None
        self.state = "starting"
        self.usage: link.Usage | None = None
        self.deaths = 0
        self._ready_since: float | None = None
        self.spare = Spare(self._is_idle) if with_spare else None

    @property
    def pid(self) -> int | None:
        """The engine's process id, while one runs."""
        return self._process.pid if self._process is not None else None

    @property
    def waiting(self) -> int:
        """Unfinished jobs that a client requested."""
        return sum(job.command.priority != Priority.AHEAD for job in self._jobs.values())

    def submit(self, work: Work, listener: Listener) -> int:
        """Send the engine a job; returns its number, which is set here.

        The listener is called with each of its results; the last is a `Done` or a `Failed`.
        """
        number = next(self._numbers)
        work = msgspec.structs.replace(work, job=number)
        self._jobs[number] = _Job(work, listener)
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
        if self.spare is not None:
            self.spare.start()
        self._supervisor = asyncio.get_running_loop().create_task(self._supervise())

    async def stop(self) -> None:
        """Stop the engine; unfinished jobs fail."""
        self._stopping = True
        if self._process is not None:
            await processes.end(self._process)
        if self.spare is not None:
            await self.spare.stop()
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
        self._fail(list(self._jobs), "cancelled", "the daemon is shutting down")

    async def restart(self, command: list[str]) -> None:
        """Replace the engine, to change the model; jobs it was running fail."""
        self._command = command
        if self._process is not None:
            await processes.end(self._process)
        elif self._supervisor is not None and self._supervisor.done():
            self.start()

    async def _supervise(self) -> None:
        early_deaths = 0
        while not self._stopping:
            self._ready_since = None
            command = self._command
            code = await self._run_engine(command)
            if self._stopping:
                return
            running = [number for number, job in self._jobs.items() if job.started]
            self._fail(running, "engine_died", "the engine died during this job")
            if command is not self._command:
                continue
            if self.state == "failed":
                self._fail(list(self._jobs), "no_model", "the engine has no model")
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

    def _is_idle(self) -> bool:
        return self.state == "ready" and not self._jobs

    async def _run_engine(self, command: list[str]) -> int:
        """Run one engine until it exits; returns its exit status."""
        spawn = processes.spawn if self.spare is None else self.spare.engine
        self._process = await spawn(command)
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                self._receive(link.decode_result(line))
        except (msgspec.DecodeError, ValueError) as error:
            log.error("protocol error from the engine: %s", error)
            self._process.kill()
        finally:
            self.facts = None
        code = await self._process.wait()
        self._process = None
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
            self.state = result.state
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
            _notify(job, result)

    def _fail(self, numbers: list[int], code: str, text: str) -> None:
        for number in numbers:
            self._finish(number, link.Failed(number, code, text))

    def _send(self, command: link.Command) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # the reading side notices that it died
            self._process.stdin.write(link.encode(command))


def _notify(job: _Job, result: Result) -> None:
    try:
        job.listener(result)
    except Exception:  # a listener's bug must not stop the engine for others
        log.exception("job %d", job.command.job)
