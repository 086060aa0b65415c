"""The engine's jobs: commands, by priority and then in the order received."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

from eutectic.engine.watch import Watch
from eutectic.link.errands import Answer
from eutectic.link.protocol import Priority, Work

CANCELLED = -1
"""Precedes every priority: jobs that were cancelled while queued."""


class Job:
    """A command in the queue; None: the engine's own warm-up."""

    def __init__(self, command: Work | None, priority: Priority) -> None:
        self.command, self.priority = command, priority
        self.number = -1 if command is None else command.job
        self.cancelled = False
        self.received = time.perf_counter()
        self.last_progress = 0.0
        """When its progress was last reported."""

    @property
    def awaited(self) -> bool:
        """Whether the performer is waiting to hear it."""
        return self.priority == Priority.TRIGGER


class Errand(Job):
    """Work for a command, to which it answers itself.

    `work` is given the watch of each of its stages.
    """

    def __init__(
        self, number: int, work: Callable[[Callable[[str], Watch]], Answer],
        answer: Callable[[Answer], None],
    ) -> None:  # fmt: skip
        super().__init__(None, Priority.RENDER)
        self.number, self.work, self.answer = number, work, answer


class LessUrgent(Exception):
    """An errand's next stage is less urgent than it was so far."""


class JobQueue:
    """Jobs by priority, then in the order received. Any thread."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Job]] = []
        self._jobs: dict[int, Job] = {}
        self._order = itertools.count()
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, job: Job) -> None:
        """Add a job."""
        with self._changed:
            heapq.heappush(self._heap, (job.priority, next(self._order), job))
            self._jobs[job.number] = job
            self._changed.notify()

    def take(self, above: Priority | None = None) -> Job | None:
        """The most urgent job, waiting for one; or, without waiting, one above a priority."""
        with self._changed:
            if above is None:
                self._changed.wait_for(lambda: bool(self._heap))
            elif not self._heap or self._heap[0][0] >= above:
                return None
            return heapq.heappop(self._heap)[2]

    def cancel(self, number: int) -> None:
        """Flag a job as cancelled; one that is still queued moves ahead of all others."""
        with self._changed:
            job = self._jobs.get(number)
            if job is None:
                return
            job.cancelled = True
            waiting = [entry for entry in self._heap if entry[2] is not job]
            if len(waiting) < len(self._heap):
                self._heap = [*waiting, (CANCELLED, next(self._order), job)]
                heapq.heapify(self._heap)

    def forget(self, job: Job) -> None:
        """Remove a job that has ended."""
        with self._changed:
            self._jobs.pop(job.number, None)
