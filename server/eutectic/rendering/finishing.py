"""What comes after the engine: rows and sounds are written, by threads where the engine is fast."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import torch

from eutectic.errors import BadInput, BadOutput, Cancelled, one_line
from eutectic.rendering.destination import Destination, Sink
from eutectic.rendering.pool import Done
from eutectic.rendering.work import Row

WAITING = 2
"""Sounds that may wait for each thread, so that they don't fill the memory."""

Finish = Callable[[Sink], Row]
"""Writes one row, and its sound if there is one."""


class Failed(Exception):
    """Something can't be made; `reason` says why, in a line."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@contextmanager
def reasons() -> Generator[None]:
    """Turn whatever one sound can fail with into its reason; what ends all work passes.

    Raises:
        Failed: something failed.
        BadOutput: it can't be written.
    """
    try:
        yield
    except (BadOutput, Cancelled, Failed):
        raise
    except BadInput as error:
        raise Failed(one_line(str(error))) from error
    except Exception as error:
        if is_memory(error):
            raise Failed("out of memory, even alone and with empty caches") from error
        raise Failed(one_line(f"{type(error).__name__}: {error}")) from error


def is_memory(error: Exception) -> bool:
    """Whether memory ran out, of the machine or of its GPU."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "allocate memory" in str(error)


class Finishing:
    """Writes in `threads`, or at once where there are none; each thread has a sink of its own.

    Owned by the thread that makes the sounds.
    """

    def __init__(self, destination: Destination, worker: str, threads: int) -> None:
        self._destination, self._worker = destination, worker
        self._threads = None
        if threads:
            same = partial(torch.set_flush_denormal, True)  # as in the thread of the engine
            self._threads = ThreadPoolExecutor(threads, "finishing", same)
        self._most = WAITING * threads
        self._local, self._sinks = threading.local(), list[Sink]()
        self._pending: deque[Future[Row]] = deque()
        self._done: Done = _ignore

    @contextmanager
    def until_done(self, done: Done) -> Generator[None]:
        """Everything that is put within the block is written at its end.

        `done` gets each row, in the order in which they were put.

        Raises:
            BadOutput: the destination can't be written.
        """
        self._done = done
        try:
            yield
            self._wait(0)
        finally:
            self._pending.clear()
            self._done = _ignore

    def put(self, finish: Finish) -> None:
        """Write a row.

        Raises:
            BadOutput: the destination can't be written.
        """
        if self._threads is None:
            self._done(finish(self._sink()))
            return
        self._pending.append(self._threads.submit(lambda: finish(self._sink())))
        self._wait(self._most)

    def close(self) -> None:
        """End the threads, and close the sinks."""
        if self._threads is not None:
            self._threads.shutdown()
        for sink in self._sinks:
            sink.close()

    def _wait(self, most: int) -> None:
        """Until no more than so many are pending; those that are done are reported."""
        while self._pending and (len(self._pending) > most or self._pending[0].done()):
            self._done(self._pending.popleft().result())

    def _sink(self) -> Sink:
        """This thread's."""
        if not hasattr(self._local, "sink"):
            self._local.sink = self._destination.sink(self._worker)
            self._sinks.append(self._local.sink)
        return self._local.sink


def _ignore(_: Row) -> None:
    pass
