"""The engine process: one thread reads commands, another owns the model and runs the jobs."""

from __future__ import annotations

import argparse
import logging
import os
import threading
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, NoReturn

from eutectic.config import SamplingSettings
from eutectic.engine import model_files
from eutectic.engine.engine import TAIL_SECONDS, Engine
from eutectic.engine.errands import listen
from eutectic.engine.job_queue import Job, JobQueue
from eutectic.engine.loading import load_for_use
from eutectic.engine.model import Model
from eutectic.engine.store import Store
from eutectic.engine.worker import Worker
from eutectic.errors import BadInput
from eutectic.link import protocol as link
from eutectic.link.errands import Hello
from eutectic.link.protocol import Command, Priority, Result
from eutectic.system.shared_memory import sweep
from eutectic.system.summing import Summing


def import_rest() -> None:
    """Import what only the first clip needs, which would wait for it."""
    import pyloudnorm  # noqa: F401  # pyright: ignore[reportUnusedImport]


def run(arguments: argparse.Namespace, commands: BinaryIO, results: BinaryIO) -> int:
    """Load the model, then run jobs until the pipe of commands closes."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[Summing(handler)], level=logging.INFO)
    daemon_pid: int = arguments.daemon_pid

    def send(result: Result) -> None:
        try:
            results.write(link.encode(result))
        except BrokenPipeError:
            _leave(daemon_pid)

    queue = JobQueue()
    threading.Thread(target=_read_commands, args=(commands, queue, daemon_pid), daemon=True).start()
    send(link.State("loading", 0.0))
    try:
        model = load_for_use(arguments.model, arguments.compute)
    except BadInput as error:
        send(link.State("failed", 0.0, str(error)))
        return 2
    engine = Engine(model, Store(Path(arguments.store)))
    engine.cache.limit = arguments.memory_bytes
    send(_facts(model))
    identity = model_files.identity(arguments.model)
    hello = Hello("", version("eutectic"), identity, arguments.compute)
    worker = Worker(
        engine, queue, send, partial(listen, engine, queue, Path(arguments.store), hello)
    )
    if model.device.type == "cpu":  # where all has run when the model was checked
        worker.is_ready()
    else:
        queue.put(Job(None, Priority.WARM))
    threading.Thread(target=import_rest, daemon=True).start()
    worker.serve()
    return 0


def _facts(model: Model) -> link.ModelFacts:
    codec, defaults = model.codec, model.defaults
    return link.ModelFacts(
        model.name, model.digest, codec.rate_hz, codec.channels, model.max_seconds, TAIL_SECONDS,
        defaults.recall, defaults.steps, defaults.cfg,
        model.sampler(SamplingSettings()).grid.first_finite, model.device.type,
        codec.ratio, defaults.eta, defaults.learn.method, defaults.learn.steps,
    )  # fmt: skip


def _read_commands(commands: BinaryIO, queue: JobQueue, daemon_pid: int) -> None:
    """Queue commands until the daemon closes the pipe or dies."""
    for line in commands:
        command: Command = link.decode_command(line)
        if isinstance(command, link.Cancel):
            queue.cancel(command.job)
        else:
            queue.put(Job(command, command.priority))
    _leave(daemon_pid)


def _leave(daemon_pid: int) -> NoReturn:
    """End this process at once, whatever it is doing, and unlink the daemon's shared memory."""
    sweep(daemon_pid)
    os._exit(0)
