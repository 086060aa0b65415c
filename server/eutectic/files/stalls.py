"""Work on disks that may not answer: in a thread of its own, and given up once nothing happens.

A thread that waits for a disk can't be ended; it is left behind, and ends when the disk answers or
the process does. A pool's threads would run out, and be waited for at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import Generic, TypeVar

from eutectic.errors import Stalled

Result = TypeVar("Result")

STALL_SECONDS = 10.0
"""A disk that has not answered for so long is given up; one that has spun down takes less."""

POLL_SECONDS = 0.01

Work = Callable[[Callable[[], None]], Result]
"""Gets what it is to call whenever the disk has answered."""


class _Attempt(Generic[Result]):
    """A piece of work in its thread, and when the disk last answered."""

    def __init__(self, work: Work[Result]) -> None:
        self.future: Future[Result] = Future()
        self._answered = time.monotonic()
        threading.Thread(target=self._run, args=[work], daemon=True, name="disk").start()

    def _run(self, work: Work[Result]) -> None:
        with contextlib.suppress(InvalidStateError):  # nobody waits any more
            try:
                self.future.set_result(work(self._alive))
            except BaseException as error:
                self.future.set_exception(error)

    def _alive(self) -> None:
        self._answered = time.monotonic()

    def check(self, what: str) -> None:
        """Raises:
        Stalled: it is time to give up.
        """
        if time.monotonic() - self._answered > STALL_SECONDS:
            raise Stalled(f"{what}: the disk hasn't answered for {STALL_SECONDS:g} s")


def wait_for(what: str, work: Work[Result], meanwhile: Callable[[], None]) -> Result:
    """The result of work on `what`; `meanwhile` is called all the time, and may raise to give up.

    Raises:
        Stalled: the disk hasn't answered for STALL_SECONDS.
    """
    attempt = _Attempt(work)
    while True:
        with contextlib.suppress(TimeoutError):
            return attempt.future.result(POLL_SECONDS)
        meanwhile()
        attempt.check(what)


async def answered(what: str, work: Work[Result]) -> Result:
    """The same for an event loop, which goes on meanwhile.

    Raises:
        Stalled: the disk hasn't answered for STALL_SECONDS.
    """
    attempt = _Attempt(work)
    future = asyncio.wrap_future(attempt.future)
    while not future.done():
        await asyncio.wait([future], timeout=POLL_SECONDS)
        if not future.done():
            attempt.check(what)
    return future.result()
