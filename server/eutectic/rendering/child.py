"""A worker's process, as its pool sees it, and the tasks that it is given."""

from __future__ import annotations

import signal
import subprocess
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from eutectic.rendering import protocol
from eutectic.rendering.protocol import Make, Order, Start

LEAVE_SECONDS = 3.0
"""A worker that is still running so long after its standard input closed is killed."""


@dataclass(frozen=True)
class Task:
    """An order, and how many workers it has killed."""

    order: Order
    deaths: int = 0


class Tasks:
    """What is to be done: first what a worker has left behind."""

    def __init__(self, orders: Iterator[Order]) -> None:
        self._orders = orders
        self._waiting: deque[Task] = deque()

    def waiting(self, most: int) -> int:
        """How many wait, counted up to `most`."""
        while len(self._waiting) < most and (order := next(self._orders, None)) is not None:
            self._waiting.append(Task(order))
        return len(self._waiting)

    def take(self) -> Task:
        return self._waiting.popleft()

    def give_back(self, tasks: Sequence[Task]) -> None:
        self._waiting.extendleft(reversed(tasks))


class Process:
    """One process, and what it is at.

    `place`: which of the workers it is, from 0. `starts`: deaths in a row before it was ready.
    """

    def __init__(self, place: int, process: subprocess.Popen[bytes], starts: int) -> None:
        self.place, self.process, self.starts = place, process, starts
        self.is_ready = False
        self.task: Task | None = None
        self.left: set[str] = set()
        """Keys of the items that it hasn't done."""

    @property
    def is_idle(self) -> bool:
        return self.is_ready and self.task is None

    def give(self, task: Task) -> None:
        """Have it carry out a task."""
        self.task = task
        if isinstance(task.order, Make):
            pieces = task.order.batch.pieces
            self.left = {item.key for piece in pieces for item in piece.items}
        self.tell(task.order)

    def tell(self, value: Start | Order) -> None:
        """Write to it; that it is dead is noticed by who reads."""
        with suppress(OSError):
            pipe_of(self.process.stdin).write(protocol.line(value))
            pipe_of(self.process.stdin).flush()

    def close(self) -> None:
        """Close its standard input, at which it leaves."""
        with suppress(OSError):
            pipe_of(self.process.stdin).close()

    def wait(self) -> int:
        """Its exit status; it is killed if it stays."""
        try:
            return self.process.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def how_ended(code: int) -> str:
    """How a process ended, for a sentence."""
    if code >= 0:
        return f"ended with status {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def pipe_of(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe
