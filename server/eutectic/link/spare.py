"""A spare engine: a process that has imported what an engine needs, and waits for its arguments.

It knows of no model and asks no device, so it holds no memory of a GPU, and works the same on every
system. It is started while the engine has nothing to do, as importing takes both a processor and a
few seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from asyncio.subprocess import Process
from collections.abc import Callable

import psutil

from eutectic.system import processes

log = logging.getLogger("eutectic.link")

ENGINE = [sys.executable, "-m", "eutectic.engine"]
"""Command line of an engine's process, without its arguments."""

WAITING = "--spare"

IDLE_SECONDS = 4.0
"""The engine must have had nothing to do for so long before a spare is started."""

POLL_SECONDS = 0.5

NEEDED_BYTES = 2 << 30
"""Memory that must be free before a spare is started; it takes about a quarter of it."""


class Spare:
    """One spare at most; owned by the event loop."""

    def __init__(self, is_idle: Callable[[], bool]) -> None:
        self._is_idle = is_idle
        self._process: Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def waits(self) -> bool:
        """Whether there is one."""
        return self._process is not None and self._process.returncode is None

    def start(self) -> None:
        """Have one whenever the engine is idle."""
        self._keeping = asyncio.get_running_loop().create_task(self._keep())

    async def stop(self) -> None:
        """End it."""
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
        if self._process is not None:
            await processes.end(self._process)

    async def engine(self, command: list[str]) -> Process:
        """An engine of this command line: the spare, told its arguments, or a new process.

        Raises:
            OSError: none can be started.
        """
        process, self._process = self._process, None
        if process is None or process.returncode is not None or command[: len(ENGINE)] != ENGINE:
            self._process = process
            return await processes.spawn(command)
        assert process.stdin is not None
        process.stdin.write(json.dumps(command[len(ENGINE) :]).encode() + b"\n")
        return process

    async def _keep(self) -> None:
        idle_seconds = 0.0
        while True:
            await asyncio.sleep(POLL_SECONDS)
            idle_seconds = idle_seconds + POLL_SECONDS if self._is_idle() else 0.0
            if self.waits or idle_seconds < IDLE_SECONDS:
                continue
            idle_seconds = 0.0
            if psutil.virtual_memory().available < NEEDED_BYTES:
                continue
            try:
                self._process = await processes.spawn([*ENGINE, WAITING])
            except OSError as error:
                log.warning("no spare engine: %s", error)
