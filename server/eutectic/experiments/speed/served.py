"""Triggers by stages, as in the daemon, through the engine's own worker and queue.

They run in the measuring thread, as in a second one OpenMP makes evaluations three times as slow.
"""

from __future__ import annotations

import itertools
from pathlib import Path

from eutectic.config import Place, SamplingSettings
from eutectic.engine.engine import Engine
from eutectic.engine.job_queue import Job, JobQueue
from eutectic.engine.worker import Worker
from eutectic.errors import EutecticError
from eutectic.link import protocol as link
from eutectic.link.protocol import Canvas, Fused, Priority, ReferenceSpec, Result, Source, Work

RATE_HZ = 48_000


class JobFailed(EutecticError):
    """The worker failed a job."""


class Served:
    """A worker that takes over the engine, with one clip loaded and remembered."""

    def __init__(self, engine: Engine, clip: Path, prompt: str) -> None:
        self._results: list[Result] = []
        self._numbers = itertools.count(1)
        self._queue = JobQueue()
        self._worker = Worker(engine, self._queue, self._results.append)
        results = self._do(link.Load(next(self._numbers), Source(str(clip))))
        (loaded,) = (result for result in results if isinstance(result, link.Loaded))
        self._key, self._seconds = loaded.key, loaded.seconds
        self._reference = ReferenceSpec(self._key, prompt)

    def fuse(
        self, blends: list[float], seed: int = 0, steps: int | None = None, recall: float = 0.0
    ) -> list[Fused]:
        """Fuse the clip with itself; returns the stages' times of each fusion.

        Raises:
            JobFailed: the worker failed the job.
        """
        frames = round(self._seconds * RATE_HZ)
        canvases = [Canvas.make(2, frames, 0, RATE_HZ) for _ in blends]
        priority = Priority.TRIGGER if len(blends) == 1 else Priority.FAN
        places = [Place(blend=blend) for blend in blends]
        sampling = SamplingSettings(seed, steps=steps, recall=recall)
        job = link.Fuse(
            next(self._numbers), self._key, self._reference, places, sampling, "match", canvases,
            priority,
        )  # fmt: skip
        try:
            return [result for result in self._do(job) if isinstance(result, Fused)]
        finally:
            for canvas in canvases:
                canvas.unlink()

    def _do(self, work: Work) -> list[Result]:
        self._results.clear()
        self._queue.put(Job(work, work.priority))
        job = self._queue.take()
        assert job is not None
        self._worker.run(job)
        for result in self._results:
            if isinstance(result, link.Failed):
                raise JobFailed(result.text)
        return list(self._results)
