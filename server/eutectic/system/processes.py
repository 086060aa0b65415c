"""Child processes that end with their standard input, priorities, and a base for services.

A parent that dies closes the pipe, too: no child outlives it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:  # asyncio takes 80 ms to import, and the audio device's process needs none
    from asyncio.subprocess import Process

LEAVE_SECONDS = 3.0
"""A child that is still running this long after its standard input closed is killed."""


class Service(ABC):
    """What runs in the background: entering a `with` block starts it, leaving stops it."""

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def stop(self) -> object: ...

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


# The parent's side


async def spawn(command: list[str]) -> Process:
    """Start a child whose standard input and output are pipes.

    Raises:
        OSError: it can't be started.
    """
    import asyncio
    from asyncio.subprocess import PIPE

    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)


async def end(process: Process) -> None:
    """Close a child's standard input, which ends it; kill it if it stays."""
    import asyncio

    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), LEAVE_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


async def kill(process: Process) -> None:
    """Kill a child that has nothing to tidy up."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


# The child's side


def end_with_parent(leave: Callable[[], None]) -> None:
    """Call `leave` from a thread when standard input closes; until then, ignore Ctrl-C.

    Ctrl-C reaches the parent as well, which ends its children in order.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):  # unbuffered: no lock is held at our own end
            pass
        leave()

    threading.Thread(target=wait, name="parent", daemon=True).start()


def set_niceness(niceness: int) -> None:
    """Set this process's priority, where the system allows it."""
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, 0, niceness)


def make_thread_real_time() -> None:
    """Give the calling thread real-time priority, where the system allows it."""
    with contextlib.suppress(AttributeError, OSError):
        lowest = os.sched_get_priority_min(os.SCHED_RR)
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(lowest))
