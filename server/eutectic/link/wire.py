"""Where a host gets its engines: from this machine, or from another (see `remote`).

An engine is used from when it was asked for to its end. Then the next is asked for in the same
place, until the host is told another.
"""

from __future__ import annotations

import contextlib
import os
from abc import ABC, abstractmethod
from asyncio.subprocess import Process
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eutectic.errors import BadInput
from eutectic.link import protocol as link
from eutectic.link.protocol import Command, Result
from eutectic.link.spare import Spare
from eutectic.system import processes


class BadEngine(BadInput):
    """The machine that an engine is on, or its engine, can't be used by this daemon."""

    code = "bad_engine"


class Lost(ConnectionError):
    """The machine that an engine is on can't be reached, for now; its text says why."""


@dataclass(frozen=True)
class End:
    """Why there is an engine no longer, or not yet: a code, and how it came to that."""

    code: Literal["engine_died", "engine_lost"]
    text: str


class Engine(ABC):
    """One engine.

    Attributes:
        said: what it has said so far that nobody has heard yet.
        round_trip_ms: to its machine and back; 0 on this one, -1 while that isn't known.
    """

    round_trip_ms = 0.0

    def __init__(self) -> None:
        self.said: list[Result] = []

    @property
    def pid(self) -> int | None:
        """Its process id, if it is on this machine."""
        return None

    @abstractmethod
    def send(self, command: Command) -> None:
        """Give it a command; whether that arrives, its results say."""

    @abstractmethod
    async def receive(self) -> Result | None:
        """The next of its results; None at its end.

        Raises:
            msgspec.DecodeError, ValueError: it breaks the protocol.
        """

    @abstractmethod
    async def ended(self) -> End:
        """Wait for its end."""

    @abstractmethod
    async def leave(self) -> None:
        """Let it end in order; nobody uses it any more."""

    @abstractmethod
    async def kill(self) -> None:
        """End it at once: another takes its place."""


class Engines(ABC):
    """Where engines with a certain model come from.

    Attributes:
        where: of another machine, its `HOST:PORT`; empty for this one.
    """

    where = ""

    @abstractmethod
    async def engine(self) -> Engine:
        """Another one.

        Raises:
            BadInput: none is to be had here, and asking again won't help.
            OSError: none can be had now (`Lost`: the machine can't be reached).
        """


class LocalEngine(Engine):
    """A process of this machine, by its standard input and output."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._commands, self._results = process, process.stdin, process.stdout

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, command: Command) -> None:
        with contextlib.suppress(ConnectionError):  # the reading side notices that it died
            self._commands.write(link.encode(command))

    async def receive(self) -> Result | None:
        line = await self._results.readline()
        return link.decode_result(line) if line else None

    async def ended(self) -> End:
        return End("engine_died", f"the engine died ({await self._process.wait()})")

    async def leave(self) -> None:
        await processes.end(self._process)

    async def kill(self) -> None:
        await processes.kill(self._process)


class Local(Engines):
    """This machine's: the spare, if there is one, or a new process, with these arguments."""

    def __init__(self, spare: Spare, arguments: Sequence[str]) -> None:
        self._spare, self._arguments = spare, arguments

    async def engine(self) -> LocalEngine:
        return LocalEngine(await self._spare.engine(self._arguments))


def engine_arguments(
    model: str, store: Path, memory_bytes: int, compute: str | None = None
) -> list[str]:
    """Arguments of the engine process."""
    arguments = [
        "--model", model, "--store", str(store), "--memory-bytes", str(memory_bytes),
        "--daemon-pid", str(os.getpid()),
    ]  # fmt: skip
    return arguments if compute is None else [*arguments, "--compute", compute]
