"""The jobs of the engine process, run by the one thread that owns the model.

A job passes a checkpoint before every network evaluation and every decoded chunk: there it stops
if it was cancelled, and more urgent jobs run inside it before it continues. Equally urgent ones do,
too, once enough of a sound is decoded for the rest to wait (see `lead`). No trigger starts before
one that was received earlier: until its first chunk is out, nothing equally urgent interrupts it.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import torch

from eutectic.audio import Waveform
from eutectic.config import Place, SamplingSettings
from eutectic.engine.catalogue import Catalogue
from eutectic.engine.clips import Clip
from eutectic.engine.engine import Engine
from eutectic.engine.errands import LEARNING
from eutectic.engine.fuser import FusedLatent, Reference
from eutectic.engine.job_queue import Errand, Job, JobQueue, LessUrgent
from eutectic.engine.lead import Lead
from eutectic.engine.listener import Listener
from eutectic.engine.render import Renderer, RenderTarget
from eutectic.engine.watch import Watch
from eutectic.errors import Cancelled, EutecticError
from eutectic.link import protocol as link
from eutectic.link.errands import Ended, Report
from eutectic.link.protocol import AddLora, Adopt, Even, Forget, Fuse, Learn, Load, Priority, Result
from eutectic.system.memory import trim_heap

log = logging.getLogger("eutectic.engine")

PROGRESS_SECONDS = 0.1
"""A job's progress is reported at most this often."""

DENOISED = 0.5
"""How far a fusion has come when its latents are made."""

TRIM_SECONDS = 5.0
"""Between fusions the heap is trimmed at most this often: it takes 20 ms."""

WARM_UP_SECONDS = (3.0, 6.0)
"""Lengths of the fusions that are run before the first request, so that everything is loaded."""


class Worker:
    """Runs jobs; owned by the thread that owns the model."""

    def __init__(
        self, engine: Engine, queue: JobQueue, send: Callable[[Result], None],
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self.engine, self.queue, self.send, self._on_ready = engine, queue, send, on_ready
        self.catalogue = Catalogue(engine)
        self.renderer = Renderer(engine.model.codec)
        self.listener = Listener(engine)
        self._lead = Lead()
        self._trimmed = 0.0
        """When the heap was last trimmed."""

    def serve(self) -> None:
        """Run jobs forever."""
        while True:
            job = self.queue.take()
            assert job is not None
            self.run(job)

    def is_ready(self) -> None:
        """Say so; what is loaded by now stays, so later collections needn't scan it."""
        gc.freeze()
        self._on_ready()
        self.send(link.State("ready", 1.0))

    @torch.no_grad()
    def run(self, job: Job) -> None:
        """Run a job, and send its one result."""
        if job.cancelled:  # while queued, perhaps with hundreds of others: nothing to clean up
            self.queue.forget(job)
            if job.command is not None:
                self.send(link.Failed(job.number, "cancelled", "cancelled"))
            return
        try:
            result = self._try(job)
        except Cancelled:
            result = link.Failed(job.number, "cancelled", "cancelled")
        except EutecticError as error:
            result = link.Failed(job.number, error.code, str(error))
        except torch.OutOfMemoryError:
            result = link.Failed(
                job.number, "out_of_memory", "out of memory even with empty caches"
            )
        except Exception as error:  # a failing job must not end the process
            log.exception("job %d", job.number)
            result = link.Failed(job.number, "internal", f"{type(error).__name__}: {error}")
        if result is not None:
            self.queue.forget(job)
            if isinstance(job, Errand):
                failed = isinstance(result, link.Failed)
                job.answer(Ended(result.code, result.text) if failed else Ended())
            elif job.command is not None:
                self.send(result)
        urgent = isinstance(job.command, Fuse)
        if not urgent:
            gc.collect()  # learning leaves its copy of the network in reference cycles
        if not urgent or time.monotonic() - self._trimmed > TRIM_SECONDS:
            trim_heap()
            self._trimmed = time.monotonic()
        self.send(self._usage())

    def _try(self, job: Job) -> Result | None:
        try:
            return self._once(job)
        except torch.OutOfMemoryError:
            log.warning("job %d: out of memory; retrying with empty caches", job.number)
        self.engine.cache.clear()
        self.engine.model.forget_graphs()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return self._once(job)

    def _once(self, job: Job) -> Result | None:
        with self._lead.sound(job.awaited) as decoded:
            return self._begun(job, decoded)

    def _begun(self, job: Job, decoded: Callable[[float], None]) -> Result | None:
        self._watch(job, "").checkpoint()
        command = job.command
        if isinstance(job, Errand):
            return self._errand(job)
        if command is None:
            self._warm_up(job)
            return link.Done(job.number)
        if isinstance(command, Learn):
            return self._learn(job, command)
        self.send(link.Begun(job.number))
        if isinstance(command, Load):
            return self._load(job, command)
        if isinstance(command, Even):
            return self._even(job, command)
        if isinstance(command, AddLora):
            return self._add_lora(job, command)
        if isinstance(command, Forget):
            sizes = self.catalogue.forget(command.reference)
            return link.Forgotten(job.number, sum(sizes.values()), tuple(sizes))
        if isinstance(command, Adopt):
            self.engine.store.adopt(command.kind, command.key, Path(command.path))
            return link.Done(job.number)
        return self._fuse(job, command, decoded)

    def _watch(self, job: Job, stage: str, start: float = 0.0, stop: float = 1.0) -> Watch:
        """Of a stage that leads from one fraction of the job to another."""

        def cancelled() -> bool:
            self._run_more_urgent(job)
            return job.cancelled

        def progress(done: int, total: int) -> None:
            now = time.perf_counter()
            if job.command is not None and now - job.last_progress >= PROGRESS_SECONDS:
                job.last_progress = now
                fraction = start + (stop - start) * done / max(total, 1)
                self.send(link.Progress(job.number, stage, fraction))

        return Watch(cancelled, progress)

    def _errand(self, job: Errand) -> Result | None:
        try:
            job.answer(job.work(partial(self._stage, job)))
        except LessUrgent:
            job.priority = Priority.ERRAND
            self.queue.put(job)
            return None
        return link.Done(job.number)

    def _stage(self, job: Errand, what: str) -> Watch:
        """Of a stage of an errand; learning waits for whatever a performer wants.

        Raises:
            LessUrgent: the job was more urgent so far; it must be queued again.
        """
        if what == LEARNING and job.priority < Priority.ERRAND:
            raise LessUrgent

        def progress(done: int, total: int) -> None:
            job.answer(Report(what, done, total))

        return Watch(self._watch(job, what).cancelled, progress)

    def _run_more_urgent(self, job: Job) -> None:
        while (urgent := self._more_urgent(job)) is not None:
            with self._lead.interruption():
                self.run(urgent)

    def _more_urgent(self, job: Job) -> Job | None:
        urgent = self.queue.take(above=job.priority)
        if urgent is None and job.awaited and self._lead.is_enough():
            return self.queue.take(above=Priority.LOAD)  # another trigger
        return urgent

    def _load(self, job: Job, command: Load) -> Result:
        key, clip = self.catalogue.load(command.source, command.key, self._watch(job, ""))
        self.engine.prepare(clip)
        waveform = clip.waveform
        return link.Loaded(
            command.job, key, waveform.frames, waveform.seconds, clip.loudness_lufs,
            waveform.digest,
        )  # fmt: skip

    def _learn(self, job: Job, command: Learn) -> Result | None:
        """Find a reference; if it hasn't been learned, requeue the job at learning's priority."""
        spec = command.reference
        assert spec.settings is not None
        clip = self.catalogue.clip(spec.clip, self._watch(job, ""))
        adapter = self.engine.find_adapter(clip, spec.prompt, spec.settings)
        if adapter is None and job.priority < Priority.LEARN:
            job.priority = Priority.LEARN
            self.queue.put(job)
            return None
        self.send(link.Begun(job.number))
        if adapter is None:
            with torch.enable_grad():
                watch = self._watch(job, "learn")
                adapter = self.engine.learn(
                    clip, spec.prompt, spec.settings, watch, must_store=False
                ).adapter
        self.catalogue.keep(spec, clip, adapter)
        key = self.engine.stored_as(clip, spec.prompt, spec.settings)
        return link.Learned(job.number, adapter.about["steps"], key)

    def _add_lora(self, job: Job, command: AddLora) -> Result:
        key, adapter = command.key, self.engine.find_lora(command.key) if command.key else None
        if adapter is None:
            key, adapter = self.engine.open_lora(command.path, self._watch(job, "load"))
        return link.LoraAdded(job.number, key, adapter.about["kind"], adapter.about["rank"])

    def _even(self, job: Job, command: Even) -> Result:
        watch = self._watch(job, "even")
        original = self.catalogue.clip(command.original, watch)
        reference = self.catalogue.reference(command.reference, watch)
        return link.Evened(
            job.number,
            self.engine.even_blends(original, reference, command.size, command.sampling, watch),
        )

    def _fuse(self, job: Job, command: Fuse, decoded: Callable[[float], None]) -> Result:
        stages = {"queue": time.perf_counter() - job.received}
        began = self._lead.now()
        watch = self._watch(job, "denoise", 0.0, DENOISED)
        if command.heard is None:
            original, fuser = self.catalogue.clip(command.original, watch), self.engine.fuser
        else:
            original = self.listener.clip(command.heard)
            fuser = self.listener.fuser(command.sampling)
        reference = self.catalogue.reference(command.reference, watch)
        latents = fuser.latents(original, reference, command.places, command.sampling, watch)
        stages["denoise"] = self._lead.now() - began
        for index, fused in enumerate(latents):
            self._render(job, command, index, fused, (original, reference), dict(stages), decoded)
        if job.awaited:
            self._lead.took(self._lead.now() - began)
        return link.Done(job.number)

    def _render(
        self,
        job: Job,
        command: Fuse,
        index: int,
        fused: FusedLatent,
        sources: tuple[Clip, Reference],
        stages: dict[str, float],
        decoded: Callable[[float], None],
    ) -> None:
        canvas, began = command.canvases[index], self._lead.now()
        try:
            target = RenderTarget(canvas.map(), canvas.frames, canvas.rate_hz)
        except FileNotFoundError:  # the daemon unlinked it: the job's cancellation is on its way
            raise Cancelled from None
        share = (1 - DENOISED) / len(command.places)
        start = DENOISED + index * share
        watch = self._watch(job, "decode", start, start + share)

        def written(start: int, stop: int) -> None:
            stages.setdefault("first chunk", self._lead.now() - began)
            decoded(stop / canvas.rate_hz)
            self.send(link.Chunk(job.number, index, start, stop, fused.blend))

        renderer = self.renderer if command.heard is None else self.listener.renderer
        gain_db = renderer.render(
            fused, *sources, command.level, target, written, watch, job.awaited
        )
        stages["decode"] = self._lead.now() - began
        stages_ms = {stage: 1000 * seconds for stage, seconds in stages.items()}
        speed = self.renderer.speed
        self.send(
            link.Fused(job.number, index, fused.blend, fused.remaining, gain_db, stages_ms, speed)
        )

    def _usage(self) -> Result:
        cache = self.engine.cache
        is_cuda = self.engine.model.device.type == "cuda"
        on_device = torch.cuda.memory_allocated() if is_cuda else 0
        free = torch.cuda.mem_get_info()[0] if is_cuda else None
        resident = psutil.Process().memory_info().rss
        return link.Usage(
            cache.size, cache.limit, resident, on_device, len(self.queue), cache.evicted, free
        )

    def _warm_up(self, job: Job) -> None:
        """Fuse noise with noise, so that the first real fusion is as fast as any.

        A GPU records its evaluations and chooses its kernels in them.
        """
        codec, watch = self.engine.model.codec, self._watch(job, "warming")
        generator = np.random.default_rng(0)
        for count, seconds in enumerate(WARM_UP_SECONDS):
            self.send(link.State("warming", count / len(WARM_UP_SECONDS)))
            frames = min(round(seconds * codec.rate_hz), self.engine.model.max_frames)
            noise = generator.standard_normal((codec.channels, frames)).astype(np.float32)
            clip = self.engine.encode(Waveform(0.1 * noise, codec.rate_hz))
            reference = Reference("noise", clip, None)
            places, settings = [Place(blend=0.7)], SamplingSettings(recall=0.0)  # by the network
            (fused,) = self.engine.fuser.latents(clip, reference, places, settings, watch)
            target = RenderTarget(np.zeros_like(noise), frames, codec.rate_hz)
            self.renderer.render(fused, clip, reference, "match", target, _ignore, watch)
        self.is_ready()


def _ignore(_start: int, _stop: int) -> None:
    pass
