"""The engine process, driven as the daemon drives it."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from eutectic import environment
from eutectic.config import LearnSettings, Level, Place, SamplingSettings
from eutectic.link import protocol as link
from eutectic.link.protocol import Canvas, Priority, ReferenceSpec, Result, Source
from eutectic.link.wire import engine_arguments
from eutectic.system.shared_memory import sweep

RATE_HZ, TAIL = 48_000, 2400


class Process:
    """A running engine, and every result it sent."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.results: list[Result] = []
        self.numbers = itertools.count(1)

    def send(self, command: link.Command) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(link.encode(command))
        self.process.stdin.flush()

    def until(self, matches: Callable[[Result], bool]) -> Result:
        """Read results up to the first that matches."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.results.append(link.decode_result(line))
            if matches(self.results[-1]):
                return self.results[-1]
        raise AssertionError(f"the engine ended; its last results: {self.results[-5:]}")

    def end(self, job: int) -> link.Done | link.Failed:
        """The one result that ends a job."""
        result = self.until(lambda r: isinstance(r, link.Done | link.Failed) and r.job == job)
        assert isinstance(result, link.Done | link.Failed)
        return result

    def begun(self, job: int) -> None:
        self.until(lambda r: isinstance(r, link.Begun) and r.job == job)

    def load(self, source: Source, key: str | None = None) -> link.Done | link.Failed:
        number = next(self.numbers)
        self.send(link.Load(number, source, key))
        return self.end(number)

    def learn(self, spec: ReferenceSpec) -> int:
        number = next(self.numbers)
        self.send(link.Learn(number, spec))
        return number

    def fuse(
        self,
        original: link.Loaded,
        reference: ReferenceSpec,
        blends: list[float],
        priority: Priority = Priority.TRIGGER,
        level: Level = "match",
    ) -> tuple[int, list[Canvas]]:
        number = next(self.numbers)
        frames = round(original.frames * RATE_HZ / 44_100)
        canvases = [Canvas.make(2, frames, TAIL, RATE_HZ) for _ in blends]
        places = [Place(blend=blend) for blend in blends]
        key, sampling = original.key, SamplingSettings()
        self.send(link.Fuse(number, key, reference, places, sampling, level, canvases, priority))
        return number, canvases

    def chunks(self, job: int, index: int = 0) -> list[tuple[int, int]]:
        """Frames that were reported so far."""
        return [
            (result.start, result.stop)
            for result in self.results
            if isinstance(result, link.Chunk) and (result.job, result.index) == (job, index)
        ]


@contextmanager
def running(store: Path, model: str = "toy", memory_bytes: int = 200 << 20) -> Generator[Process]:
    arguments = engine_arguments(model, store, memory_bytes, "cpu")
    command = [*environment.command("eutectic.engine"), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Process(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
            sweep(os.getpid())


def reference_spec(clip: link.Loaded, prompt: str = "glass", **settings: int) -> ReferenceSpec:
    return ReferenceSpec(clip.key, prompt, LearnSettings(**settings))
