"""The engine process: a queue of commands by priority, and one thread that owns the model.

A second thread only reads commands, so that a cancel is known at once. A job looks at its flag
before every network evaluation and every decoded chunk; there, more urgent jobs are also run,
inside it, and it goes on where it was. So are equally urgent ones, where a sound is decoded so far
that the rest of it can wait (see `lead`).
"""

from __future__ import annotations

import argparse
import gc
import heapq
import itertools
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NoReturn

import numpy as np
import psutil
import torch

from eutectic.audio import Waveform
from eutectic.config import Place, SamplingSettings
from eutectic.engine.clips import Clip
from eutectic.engine.engine import TAIL_SECONDS, Engine, FusedLatent, Reference
from eutectic.engine.lead import Lead
from eutectic.engine.model import choose_device, load
from eutectic.engine.precision import has_native_bfloat16
from eutectic.engine.render import Renderer, RenderTarget
from eutectic.engine.store import Store
from eutectic.engine.watch import Watch
from eutectic.errors import BadInput, Cancelled, EutecticError
from eutectic.link import protocol as link
from eutectic.link.protocol import Command, Fuse, Learn, Load, Priority, ReferenceSpec, Result
from eutectic.system.memory import trim_heap
from eutectic.system.shared_memory import sweep

log = logging.getLogger("eutectic.engine")

PROGRESS_SECONDS = 0.1
"""Progress of a job is told at most this often."""

TIDY_SECONDS = 5.0
"""Between fusions free memory is given back once in this: it takes 20 ms."""

AT_ONCE = -1
"""Before every priority: jobs that were given up while they waited."""

WARM_SECONDS = (3.0, 6.0)
"""Lengths of the fusions that are run before the first request, to have everything in memory."""


class Stale(EutecticError):
    """A clip or a reference that this model doesn't have."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Job:
    """A command in the queue."""

    def __init__(self, command: Load | Learn | Fuse | None, priority: Priority) -> None:
        self.command, self.priority = command, priority
        self.number = -1 if command is None else command.job
        self.cancelled = False
        self.received = time.perf_counter()
        self.told = 0.0
        """When its progress was last told."""


class Queue:
    """Jobs by priority, then in the order they came. Any thread."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Job]] = []
        self._jobs: dict[int, Job] = {}
        self._order = itertools.count()
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, job: Job) -> None:
        with self._changed:
            heapq.heappush(self._heap, (job.priority, next(self._order), job))
            self._jobs[job.number] = job
            self._changed.notify()

    def take(self, above: Priority | None = None) -> Job | None:
        """The most urgent job; wait for one, or take none that isn't above a priority."""
        with self._changed:
            if above is None:
                self._changed.wait_for(lambda: bool(self._heap))
            elif not self._heap or self._heap[0][0] >= above:
                return None
            return heapq.heappop(self._heap)[2]

    def cancel(self, number: int) -> None:
        """Flag a job; one that waits comes to its end before all others, however busy it is."""
        with self._changed:
            job = self._jobs.get(number)
            if job is None:
                return
            job.cancelled = True
            waiting = [entry for entry in self._heap if entry[2] is not job]
            if len(waiting) < len(self._heap):
                self._heap = [*waiting, (AT_ONCE, next(self._order), job)]
                heapq.heapify(self._heap)

    def forget(self, job: Job) -> None:
        """The job is over."""
        with self._changed:
            self._jobs.pop(job.number, None)


class Worker:
    """Does the jobs; owned by the thread that owns the model."""

    def __init__(self, engine: Engine, queue: Queue, send: Callable[[Result], None]) -> None:
        self.engine, self.queue, self.send = engine, queue, send
        self.renderer = Renderer(engine.model.codec)
        self.sources: dict[str, link.Source] = {}
        """Where the clips of this session are read again, should both kinds of memory lose them."""
        self._lead = Lead()
        self._tidied = 0.0
        """When free memory was last given back."""

    def serve(self) -> None:
        """Do jobs for ever."""
        while True:
            job = self.queue.take()
            assert job is not None
            self.do(job)

    @torch.no_grad()
    def do(self, job: Job) -> None:
        """One job, to its one result."""
        if job.cancelled:  # while it waited, perhaps with hundreds: it leaves nothing to tidy
            self.queue.forget(job)
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
                job.number, "out_of_memory", "not enough memory, even with nothing kept"
            )
        except Exception as error:  # one job's fault must not end the others
            log.exception("job %d", job.number)
            result = link.Failed(job.number, "internal", f"{type(error).__name__}: {error}")
        if result is not None:
            self.queue.forget(job)
            if job.command is not None:
                self.send(result)
        leisure = not isinstance(job.command, Fuse)  # those have no time to lose
        if leisure:
            gc.collect()  # learning leaves its copy of the network in circles
        if leisure or time.monotonic() - self._tidied > TIDY_SECONDS:
            trim_heap()
            self._tidied = time.monotonic()
        self.send(self._usage())

    def _try(self, job: Job) -> Result | None:
        try:
            return self._once(job)
        except torch.OutOfMemoryError:
            log.warning("job %d: out of memory; trying again with nothing kept", job.number)
        self.engine.cache.clear()
        self.engine.model.forget_graphs()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return self._once(job)

    def _once(self, job: Job) -> Result | None:
        self._watch(job, "").checkpoint()
        command = job.command
        if command is None:
            self._warm(job)
            return link.Done(job.number)
        if isinstance(command, Learn):
            return self._learn(job, command)
        self.send(link.Begun(job.number))
        if isinstance(command, Load):
            return self._load(command)
        return self._fuse(job, command)

    def _watch(self, job: Job, stage: str) -> Watch:
        def cancelled() -> bool:
            self._make_way(job)
            return job.cancelled

        def progress(done: int, whole: int) -> None:
            now = time.perf_counter()
            if job.command is not None and now - job.told >= PROGRESS_SECONDS:
                job.told = now
                self.send(link.Progress(job.number, stage, done / max(whole, 1)))

        return Watch(cancelled, progress)

    def _make_way(self, job: Job) -> None:
        """Run every job that is more urgent than `job`."""
        while (urgent := self._more_urgent(job)) is not None:
            with self._lead.interruption():
                self.do(urgent)

    def _more_urgent(self, job: Job) -> Job | None:
        urgent = self.queue.take(above=job.priority)
        if urgent is None and job.priority == Priority.TRIGGER and self._lead.is_enough():
            return self.queue.take(above=Priority.LOAD)  # another trigger
        return urgent

    def _load(self, command: Load) -> Result:
        clip = None
        if command.key is not None:
            clip = self.engine.kept_clip(command.key)
        if clip is None or self.engine.clip_key(clip.waveform) != command.key:  # another model's
            clip = self.engine.open(command.source)
        key = self.engine.clip_key(clip.waveform)
        self.sources[key] = command.source
        self.engine.keep_clip(key, clip)
        self.engine.prepare(clip)
        waveform = clip.waveform
        return link.Loaded(command.job, key, waveform.frames, waveform.seconds, clip.loudness_lufs)

    def _clip(self, key: str) -> Clip:
        clip = self.engine.kept_clip(key)
        if clip is None and key in self.sources:
            clip = self.engine.open(self.sources[key])
            if self.engine.clip_key(clip.waveform) != key:
                clip = None
        if clip is None:
            raise Stale("stale_clip", "the clip's file is gone or changed: load it again")
        self.engine.keep_clip(key, clip)
        return clip

    def _learn(self, job: Job, command: Learn) -> Result | None:
        """A reference by its key; what isn't known yet goes to the queue's end, to be learned."""
        known = command.reference
        clip = self._clip(known.clip)
        adapter = self.engine.known(clip, known.prompt, known.settings)
        if adapter is None and job.priority < Priority.LEARN:
            job.priority = Priority.LEARN
            self.queue.put(job)
            return None
        self.send(link.Begun(job.number))
        if adapter is None:
            with torch.enable_grad():
                watch = self._watch(job, "learn")
                adapter = self.engine.learn(clip, known.prompt, known.settings, watch).adapter
        self._keep_reference(known, Reference(known.prompt, clip, adapter))
        return link.Learned(job.number, adapter.about["steps"])

    def _keep_reference(self, known: ReferenceSpec, reference: Reference) -> None:
        assert reference.adapter is not None
        self.engine.cache.put(known, reference, *reference.adapter.tensors.values())

    def _reference(self, known: ReferenceSpec) -> Reference:
        reference: Reference | None = self.engine.cache.get(known)
        if reference is None:
            clip = self._clip(known.clip)
            adapter = self.engine.known(clip, known.prompt, known.settings)
            if adapter is None:
                raise Stale("stale_reference", "this model hasn't learned the reference: learn it")
            reference = Reference(known.prompt, clip, adapter)
            self._keep_reference(known, reference)
        return reference

    def _fuse(self, job: Job, command: Fuse) -> Result:
        stages = {"queue": time.perf_counter() - job.received}
        begun = self._lead.now()
        original, reference = self._clip(command.original), self._reference(command.reference)
        watch = self._watch(job, "denoise")
        awaited = command.priority == Priority.TRIGGER
        with self._lead.sound(awaited):
            latents = self.engine.latents(
                original, reference, command.places, command.sampling, watch
            )
        stages["denoise"] = self._lead.now() - begun
        for index, (fused, canvas) in enumerate(zip(latents, command.canvases, strict=True)):
            self._render(job, command, index, fused, (original, reference), canvas, dict(stages))
        if awaited:
            self._lead.took(self._lead.now() - begun)
        return link.Done(job.number)

    def _render(
        self,
        job: Job,
        command: Fuse,
        index: int,
        fused: FusedLatent,
        sources: tuple[Clip, Reference],
        canvas: link.Canvas,
        stages: dict[str, float],
    ) -> None:
        began = self._lead.now()
        try:
            surface = RenderTarget(canvas.map(), canvas.frames, canvas.rate_hz)
        except FileNotFoundError:  # given back: the job was given up, and its cancel is on its way
            raise Cancelled from None
        watch = self._watch(job, "decode")
        awaited = command.priority == Priority.TRIGGER
        with self._lead.sound(awaited) as decoded:

            def written(start: int, stop: int) -> None:
                stages.setdefault("first chunk", self._lead.now() - began)
                decoded(stop / canvas.rate_hz)
                self.send(link.Chunk(job.number, index, start, stop, fused.blend))

            gain_db = self.renderer.render(
                fused, *sources, command.level, surface, written, watch, awaited
            )
        stages["decode"] = self._lead.now() - began
        milliseconds = {stage: 1000 * seconds for stage, seconds in stages.items()}
        speed = self.renderer.speed
        self.send(
            link.Fused(
                job.number, index, fused.blend, fused.remaining, gain_db, milliseconds, speed
            )
        )

    def _usage(self) -> Result:
        cache = self.engine.cache
        on_device = torch.cuda.memory_allocated() if torch.cuda.is_available() else 0
        resident = psutil.Process().memory_info().rss
        return link.Usage(
            cache.kept_bytes, cache.limit_bytes, resident, on_device, len(self.queue), cache.evicted
        )

    def _warm(self, job: Job) -> None:
        """Fuse noise with noise, so that the first real fusion is as fast as any."""
        codec, watch = self.engine.model.codec, self._watch(job, "warming")
        generator = np.random.default_rng(0)
        for count, seconds in enumerate(WARM_SECONDS):
            self.send(link.State("warming", count / len(WARM_SECONDS)))
            frames = min(round(seconds * codec.rate_hz), self.engine.model.max_frames)
            noise = generator.standard_normal((codec.channels, frames)).astype(np.float32)
            clip = self.engine.encode(Waveform(0.1 * noise, codec.rate_hz))
            reference = Reference("noise", clip, None)
            places, settings = [Place(blend=0.7)], SamplingSettings()
            (fused,) = self.engine.latents(clip, reference, places, settings, watch)
            surface = RenderTarget(np.zeros_like(noise), frames, codec.rate_hz)
            self.renderer.render(fused, clip, reference, "match", surface, _unannounced, watch)
        gc.freeze()  # what is there by now stays: later collections needn't look at it
        self.send(link.State("ready", 1.0))


def _unannounced(start: int, stop: int) -> None:
    pass


def run(arguments: argparse.Namespace, commands: BinaryIO, results: BinaryIO) -> int:
    """The whole process: load the model, then do what commands say until their pipe closes."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
    torch.set_flush_denormal(True)  # near-silence would take three times as long
    daemon_pid: int = arguments.daemon_pid

    def send(result: Result) -> None:
        try:
            results.write(link.encode(result))
        except BrokenPipeError:
            _leave(daemon_pid)

    queue = Queue()
    threading.Thread(target=_read_commands, args=(commands, queue, daemon_pid), daemon=True).start()
    send(link.State("loading", 0.0))
    try:
        model = load(arguments.model, choose_device(arguments.compute))
    except BadInput as error:
        send(link.State("failed", 0.0, str(error)))
        return 2
    model.bfloat16 = has_native_bfloat16(model.device)
    engine = Engine(model, Store(Path(arguments.store)))
    engine.cache.limit_bytes = arguments.memory_bytes
    codec = model.codec
    send(
        link.ModelFacts(
            model.name, model.digest, codec.rate_hz, codec.channels, model.max_seconds, TAIL_SECONDS
        )
    )
    queue.put(Job(None, Priority.WARM))
    Worker(engine, queue, send).serve()
    return 0


def _read_commands(commands: BinaryIO, queue: Queue, daemon_pid: int) -> None:
    """Until the daemon closes the pipe, or is gone."""
    for line in commands:
        command: Command = link.decode_command(line)
        if isinstance(command, link.Cancel):
            queue.cancel(command.job)
        else:
            queue.put(Job(command, command.priority))
    _leave(daemon_pid)


def _leave(daemon_pid: int) -> NoReturn:
    """End this process at once, whatever it does, with the shared memory that was for it."""
    sweep(daemon_pid)
    os._exit(0)
