"""Errands of commands: what `fuse`, `learn` and `window` do with an engine, wherever it runs.

In a command's own process, or in the daemon's engine, which then listens for them.
"""

from __future__ import annotations

import hmac
import itertools
import logging
import queue
import secrets
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from eutectic.config import LearnSettings
from eutectic.engine.adapter import Adapter
from eutectic.engine.clips import Clip
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.engine.job_queue import Errand, JobQueue
from eutectic.engine.watch import Watch
from eutectic.engine.window import measure
from eutectic.link import errands as link
from eutectic.link.errands import Ended, Fused, Hello, Known, Wanted
from eutectic.window import Window

log = logging.getLogger("eutectic.engine")

Stage = Callable[[str], Watch]
"""The watch of what is done next."""

LEARNING = "learning the reference"

Answers = queue.SimpleQueue[link.Answer | None]
"""What a command is still to be sent; None is the last."""


class Errands:
    """Runs errands; owned by the thread that owns the model."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._last: tuple[Wanted, Reference] | None = None

    def remember(self, wanted: Wanted, stage: Stage) -> Known:
        """A reference from the store, or learned now.

        Raises:
            BadInput: the sound or a setting can't be used, or the store can't be written.
            Cancelled: by the watch.
        """
        engine, learning, capped = self._engine, wanted.learning, False
        if wanted.sampling is not None:
            engine.fuser.plan(wanted.places, wanted.sampling)
        is_heard = wanted.sampling is None or engine.model.recall(wanted.sampling) < 1
        clip, adapter = engine.open(wanted.source, stage("opening the reference")), None
        if is_heard and wanted.lora is not None:
            watch = stage(f"loading {Path(wanted.lora).name}")
            _, adapter = engine.open_lora(wanted.lora, watch)
        elif is_heard and learning is not None:
            adapter = engine.find_adapter(clip, wanted.prompt, learning)
            if adapter is None:
                adapter, capped = self._learn(clip, wanted.prompt, learning, stage(LEARNING))
        self._last = wanted, Reference(wanted.prompt, clip, adapter)
        model = engine.model.name, engine.model.digest, engine.model.device.type
        if adapter is None:
            return Known(*model)
        settled = None if learning is None or wanted.lora else engine.settled(learning)
        return Known(*model, dict(adapter.about), adapter.digest, settled, capped)

    def _learn(
        self, clip: Clip, prompt: str, learning: LearnSettings, watch: Watch
    ) -> tuple[Adapter, bool]:
        """What is learned of a clip, and whether its budget ended that; by one process alone."""
        engine = self._engine
        with engine.store.alone(engine.reference_key(clip, prompt, learning), watch):
            adapter = engine.find_adapter(clip, prompt, learning)
            if adapter is not None:
                return adapter, False
            with torch.enable_grad():
                learned = engine.learn(clip, prompt, learning, watch)
            return learned.adapter, learned.capped

    @torch.no_grad()
    def fuse(self, fuse: link.Fuse, stage: Stage) -> Fused:
        """Fusions, one for each place, that are as long as the original.

        Raises:
            BadInput: a sound or a setting can't be used.
            Cancelled: by the watch.
        """
        reference = self.reference(fuse.reference, stage)
        watch = stage("fusing")
        original = self._engine.open(fuse.original, watch)
        made = self._engine.fuse(
            original, reference, fuse.places, fuse.sampling, fuse.level, watch, apart=True
        )
        return Fused(self._engine.fuser.settled(reference, fuse.sampling), list(made))

    @torch.no_grad()
    def measure(self, measured: link.Measure, stage: Stage) -> Window:
        """A fusion window, measured from empty caches.

        Raises:
            BadInput: a sound or a setting can't be used.
            Cancelled: by the watch.
        """
        fuse = measured.fuse
        reference = self.reference(fuse.reference, stage)
        watch = stage("fusing")
        engine = Engine(self._engine.model, self._engine.store)
        original = engine.open(fuse.original, watch)
        return measure(engine, original, reference, fuse.places, fuse.sampling, fuse.level, watch)

    def answer(self, errand: link.Errand, stage: Stage) -> link.Answer:
        """What an errand found, as it is sent."""
        if isinstance(errand, Wanted):
            return self.remember(errand, stage)
        if isinstance(errand, link.Fuse):
            return link.sounds(self.fuse(errand, stage))
        return link.measured(self.measure(errand, stage))

    def reference(self, wanted: Wanted, stage: Stage) -> Reference:
        """A reference as the engine has it.

        Raises:
            BadInput: as `remember`.
            Cancelled: by the watch.
        """
        if self._last is None or self._last[0] != wanted:
            self.remember(wanted, stage)
        assert self._last is not None
        return self._last[1]


def listen(engine: Engine, jobs: JobQueue, data: Path, hello: Hello) -> None:
    """Take errands of this user's commands from now on; each becomes a job.

    `hello`: what commands must be like, the key apart. If nothing can be listened on, commands do
    their work themselves.
    """
    hello = Hello(secrets.token_hex(16), hello.version, hello.model, hello.compute)
    try:
        server = socket.create_server(("127.0.0.1", 0))
        link.publish(data, server.getsockname()[1], hello.key)
    except OSError as error:
        log.warning("commands can't use this engine: %s", error)
        return
    numbers = itertools.count(-2, -1)  # the daemon's are positive, and -1 is no job

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError as error:
                log.warning("a command can't use this engine: %s", error)
                time.sleep(1.0)
                continue
            serve = partial(_serve, connection, hello, Errands(engine), jobs, numbers)
            threading.Thread(target=serve, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def _serve(
    connection: socket.socket, hello: Hello, errands: Errands, jobs: JobQueue,
    numbers: itertools.count[int],
) -> None:  # fmt: skip
    """Serve one command, until it leaves."""
    with connection:
        try:
            connection.settimeout(link.HELLO_SECONDS)
            theirs = link.receive_hello(connection)
            if theirs is None or not _is_same(theirs, hello):
                return
            connection.settimeout(None)
            link.send(connection, Ended())
        except OSError:
            return
        answers: Answers = queue.SimpleQueue()  # one that is stopped mustn't hold up the engine
        threading.Thread(target=_send_all, args=(connection, answers), daemon=True).start()
        number = None
        while (errand := link.receive_errand(connection)) is not None:
            number = next(numbers)
            jobs.put(Errand(number, partial(errands.answer, errand), answers.put))
        if number is not None:
            jobs.cancel(number)
        answers.put(None)


def _is_same(theirs: Hello, own: Hello) -> bool:
    return hmac.compare_digest(theirs.key.encode(), own.key.encode()) and theirs == own


def _send_all(connection: socket.socket, answers: Answers) -> None:
    try:
        while (answer := answers.get()) is not None:
            link.send(connection, answer)
    except OSError:  # it has left
        pass
