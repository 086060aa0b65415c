"""Workers on this machine: a process for each GPU, or for each of the processors.

On a CPU, workers with one thread each make more than fewer with several. What the machine has to
compute on is known once the first worker has torch, so the others start after it.

A worker that dies is started again. What it hadn't done of its order is done again piece by piece,
so that what kills workers is found: it does so twice, and becomes rows with the reason.
"""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count, takewhile
from typing import Self

import msgspec

from eutectic import environment
from eutectic.errors import BadInput
from eutectic.link.errands import Wanted
from eutectic.rendering import protocol, rows
from eutectic.rendering.child import Process, Task, Tasks, how_ended, pipe_of
from eutectic.rendering.destination import Sink
from eutectic.rendering.opening import open_destination
from eutectic.rendering.pool import Done, Reference, Setup
from eutectic.rendering.protocol import (
    Answer,
    Did,
    Ended,
    Learn,
    Learned,
    Make,
    Order,
    Ready,
    Refused,
    Start,
)
from eutectic.rendering.work import Batch, Row
from eutectic.system.limits import available_bytes, processors

DEATHS = 2
"""Workers that a piece may kill before it is given up."""

STARTS = 3
"""Times in a row that a worker may die before it is ready."""

CACHE_BYTES = 1 << 30
"""Memory for a worker's cache; all caches together take a quarter of what is free at most."""

Receive = Callable[[Answer], None]


class Processes:
    """A `Pool` of processes on this machine.

    `workers`: how many (default: what is best). `module`: what they run.

    Attributes:
        workers: those that run, or are being started.
    """

    def __init__(
        self, setup: Setup, workers: int | None = None, module: str = protocol.MODULE
    ) -> None:
        self._setup, self._module = setup, module
        self._size = workers or processors()
        self._is_given = workers is not None
        self._device: Ready | None = None
        self.workers: list[Process] = []
        self._events: queue.SimpleQueue[tuple[Process, Answer | None]] = queue.SimpleQueue()
        self._sink: Sink | None = None

    @property
    def size(self) -> int:
        return self._size

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.close()
        for worker in self.workers:
            worker.wait()
        if self._sink is not None:
            self._sink.close()

    def learn(self, references: Iterable[Wanted], done: Callable[[Reference], None]) -> None:
        def receive(answer: Answer) -> None:
            if isinstance(answer, Learned):
                done(answer.reference)

        self._carry_out(map(Learn, references), receive)

    def run(self, batches: Iterator[Batch], done: Done) -> None:
        def receive(answer: Answer) -> None:
            if isinstance(answer, Did):
                done(answer.row)

        self._carry_out(map(Make, batches), receive)

    def _carry_out(self, orders: Iterator[Order], receive: Receive) -> None:
        """Have orders carried out, each once a worker is idle; returns when all are."""
        tasks = Tasks(orders)
        while True:
            for worker in self.workers:
                if worker.is_idle and tasks.waiting(1):
                    worker.give(self._shared(tasks))
            busy = self._busy
            if not busy and not tasks.waiting(1):
                return
            self._start_others(busy, tasks)
            worker, answer = self._events.get()
            if answer is None:
                self._died(worker, tasks, receive)
            else:
                self._heard(worker, answer, receive)

    @property
    def _busy(self) -> int:
        return sum(worker.task is not None for worker in self.workers)

    def _shared(self, tasks: Tasks) -> Task:
        """The next task; a reference is learned with all processors that no other needs."""
        task = tasks.take()
        if not isinstance(task.order, Learn):
            return task
        others = self._busy + tasks.waiting(self._size)
        threads = max(1, processors() // min(self._size, 1 + others))
        return replace(task, order=msgspec.structs.replace(task.order, threads=threads))

    def _start_others(self, busy: int, tasks: Tasks) -> None:
        """Start as many workers as there is work for; once all are there, none is asked for."""
        while self._device is not None and len(self.workers) < self._size:
            if len(self.workers) >= busy + tasks.waiting(self._size - busy):
                return
            self._start()

    def _heard(self, worker: Process, answer: Answer, receive: Receive) -> None:
        match answer:
            case Ready():
                worker.is_ready, worker.starts = True, 0
                if self._device is None:
                    self._device = answer
                    self._size = self._best_size(answer)
            case Refused():
                raise BadInput(answer.text)
            case Ended():
                worker.task = None
            case Did():
                worker.left.discard(answer.row.key)
                receive(answer)
            case Learned():
                receive(answer)

    def _best_size(self, first: Ready) -> int:
        """How many workers there are to be, now that one says what it takes."""
        if self._is_given:
            return self._size
        if first.device != "cpu":
            return first.devices
        others = available_bytes() // (2 * first.resident_bytes)
        return max(1, min(self._size, 1 + others))

    def _died(self, worker: Process, tasks: Tasks, receive: Receive) -> None:
        """Give a dead worker's task back, and start another in its place."""
        self.workers.remove(worker)
        reason = how_ended(worker.wait())
        if worker.task is not None:
            self._give_back(worker, worker.task, reason, tasks, receive)
        starts = 0 if worker.is_ready else worker.starts + 1
        if starts < STARTS:
            self._start(starts)
        elif self.workers:
            self._size -= 1
        else:
            raise BadInput(f"no worker can be started: the last of {STARTS} {reason}")

    def _give_back(
        self, worker: Process, task: Task, reason: str, tasks: Tasks, receive: Receive
    ) -> None:
        deaths, order = task.deaths + 1, task.order
        reason = f"its worker {reason}, {deaths} times"
        if isinstance(order, Make):
            for row in self._written(worker.left):
                worker.left.discard(row.key)
                receive(Did(row))
            left = _left(order.batch, worker.left)
            if deaths < DEATHS:
                tasks.give_back([Task(Make(each), deaths) for each in left])
                return
            for batch in left:
                for row in self._given_up(batch, reason):
                    receive(Did(row))
        elif deaths < DEATHS:
            tasks.give_back([Task(order, deaths)])
        else:
            receive(Learned(Reference(order.wanted, reason=reason)))

    def _written(self, keys: set[str]) -> list[Row]:
        """Rows that a worker has written, but didn't live to say so."""
        found = open_destination(self._setup.destination).ordered(sorted(keys))
        return [row for row in takewhile(lambda row: row.key in keys, found) if not row.reason]

    def _given_up(self, batch: Batch, reason: str) -> Iterator[Row]:
        """Rows of what can't be made, which no worker is left to write."""
        if self._sink is None:
            self._sink = open_destination(self._setup.destination).sink("given up")
        for piece in batch.pieces:
            for item in piece.items:
                row = rows.failed(batch, piece, item, reason, "")
                yield self._sink.put(row, None, None)

    def _start(self, starts: int = 0) -> None:
        """Start a worker.

        Raises:
            NoEngine: nowhere is torch.
            BadInput: processes can't be started.
        """
        taken = {worker.place for worker in self.workers}
        place = next(place for place in count() if place not in taken)
        own = max(1, processors() // self._size)
        try:
            process = subprocess.Popen(
                environment.command(self._module), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": str(own)},
            )  # fmt: skip
        except OSError as error:
            raise BadInput(f"workers can't be started ({error.strerror})") from None
        worker = Process(place, process, starts)
        self.workers.append(worker)
        memory = min(CACHE_BYTES, available_bytes() // (4 * self._size))
        worker.tell(Start(self._setup_at(place), f"worker {place + 1}", memory, own))
        threading.Thread(target=self._read, args=(worker,), daemon=True).start()

    def _setup_at(self, place: int) -> Setup:
        """Of one worker: each has a GPU to itself, as far as there are enough."""
        first, compute = self._device, self._setup.compute
        if first is None or first.device != "cuda" or compute not in (None, "cuda"):
            return self._setup
        return msgspec.structs.replace(self._setup, compute=f"cuda:{place % first.devices}")

    def _read(self, worker: Process) -> None:
        """Queue what a worker says, then that it is dead."""
        with suppress(OSError, ValueError, msgspec.DecodeError):
            for line in pipe_of(worker.process.stdout):
                self._events.put((worker, protocol.decode_answer(line)))
        self._events.put((worker, None))


def _left(batch: Batch, keys: set[str]) -> list[Batch]:
    """What is left of a batch, each piece as one of its own."""
    left: list[Batch] = []
    for piece in batch.pieces:
        items = tuple(item for item in piece.items if item.key in keys)
        if items:
            own = msgspec.structs.replace(piece, items=items)
            left.append(msgspec.structs.replace(batch, pieces=(own,)))
    return left
