"""A spare engine: a process that has imported what an engine needs, and waits for its arguments.

It knows of no model and asks no device, so it holds no memory of a GPU, and works the same on every
system. The first is started before anything else, so that it imports while the daemon does; later
ones while the engine has nothing to do, as importing takes both a processor and a few seconds, in
which a fusion would take longer. An engine that is never idle for long, as while the input is fused
as it comes, gets one all the same after a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence

import psutil

from eutectic import environment
from eutectic.system import processes

log = logging.getLogger("eutectic.link")

MODULE, WAITING = "eutectic.engine", "--spare"

IDLE_SECONDS = 4.0
"""The engine must have had nothing to do for so long before a spare is started."""

BUSY_SECONDS = 60.0
"""After so long it is started even so."""

POLL_SECONDS = 0.5

NEEDED_BYTES = 2 << 30
"""Memory that must be free before a spare is started; it takes about a quarter of it."""


class Spare:
    """One spare at most; owned by the event loop. `is_kept`: have one whenever there is room."""

    def __init__(self, is_kept: bool = False) -> None:
        self.is_kept = is_kept
        self._process: Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def waits(self) -> bool:
        """Whether there is one."""
        return self._process is not None and self._process.returncode is None

    async def begin(self) -> None:
        """Start one now, if there is an engine."""
        with contextlib.suppress(environment.NoEngine, OSError):
            self._process = await processes.spawn([*environment.command(MODULE), WAITING])

    def keep(self, idle_seconds: Callable[[], float | None]) -> None:
        """From now on have one, if that is wanted, once the engine has been idle for a while.

        `idle_seconds`: for how long it has been; None if it isn't ready.
        """
        if self.is_kept and self._keeping is None:
            self._keeping = asyncio.get_running_loop().create_task(self._keep(idle_seconds))

    async def stop(self) -> None:
        """End it."""
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
        if self._process is not None:
            await processes.kill(self._process)

    async def engine(self, arguments: Sequence[str]) -> Process:
        """An engine with these arguments: the spare, told them, or a new process.

        Raises:
            NoEngine: no engine is installed.
            OSError: none can be started.
        """
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return await processes.spawn([*environment.command(MODULE), *arguments])
        assert process.stdin is not None
        process.stdin.write(json.dumps(arguments).encode() + b"\n")
        return process

    async def _keep(self, idle_seconds: Callable[[], float | None]) -> None:
        without = 0.0
        while True:
            await asyncio.sleep(POLL_SECONDS)
            idle = idle_seconds()
            without = 0.0 if self.waits or idle is None else without + POLL_SECONDS
            if idle is None or without < (IDLE_SECONDS if idle >= IDLE_SECONDS else BUSY_SECONDS):
                continue
            without = 0.0
            if psutil.virtual_memory().available >= NEEDED_BYTES:
                await self.begin()
