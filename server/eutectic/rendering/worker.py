"""A worker: one model that makes batches and writes them, wherever it runs.

Nothing that one sound needs ends the others: what can't be made becomes a row with the reason. A
group that fails is halved until what fails is alone, so that memory that is too small for many at
once is enough for fewer.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import torch

from eutectic import audio
from eutectic.audio import Samples
from eutectic.config import SamplingSettings, data_folder
from eutectic.engine.clips import Clip
from eutectic.engine.distances import LogMel, log_mel, timed_distance, timeless_distance
from eutectic.engine.engine import Engine, levelled
from eutectic.engine.errands import Errands
from eutectic.engine.fuser import FusedLatent, Reference
from eutectic.engine.loading import load_for_use
from eutectic.engine.store import Store
from eutectic.engine.watch import UNWATCHED
from eutectic.engine.window import round_trip
from eutectic.errors import BadAudio
from eutectic.link.errands import Known, Wanted
from eutectic.link.protocol import Source
from eutectic.rendering import rows
from eutectic.rendering.destination import Destination, Sink
from eutectic.rendering.finishing import Failed, Finishing, is_memory, reasons
from eutectic.rendering.opening import open_destination
from eutectic.rendering.pool import Done, Setup
from eutectic.rendering.work import Batch, Item, Piece, Row
from eutectic.system.cache import Cache
from eutectic.window import Made

ORIGINALS = 4096
"""Originals whose clips are found again without reading the file."""

REFERENCES = 16
"""References that are kept, with what was learned of them."""

MELS_BYTES = 256 << 20
"""Memory for the spectrograms of originals and references."""

DIGITS = 6
"""Of what is measured: the number of threads may change those that come after."""

Found = TypeVar("Found")

Check = Callable[[Source, str], None]
"""Raises BadInput unless a sound still is what the plan has read; the latter is its digest."""


def check_unchanged(source: Source, digest: str) -> None:
    """Check that a section of a sound file holds what it did when it was planned.

    Raises:
        BadAudio: it doesn't, or can't be read.
    """
    path = Path(source.path)
    if audio.check_section(path, source.start_seconds, source.duration_seconds) != digest:
        raise BadAudio(f"{path}: has changed since this was planned")


@dataclass(frozen=True)
class _Common:
    """What a batch's sounds have in common: the reference as the engine has it."""

    batch: Batch
    known: Known
    reference: Reference
    sampling: SamplingSettings
    """With the model's choices in it."""
    mel: LogMel
    """Of the reference."""


@dataclass(frozen=True)
class _Entry:
    """A sound that is to be made of an original, and the seconds that it has taken so far."""

    piece: Piece
    item: Item
    clip: Clip
    seconds: float


class Worker:
    """Makes batches with one engine; owned by the thread that owns the model.

    `name`: in the rows, and of its journals. `finishers`: threads that bring sounds to their level,
    measure and write them while the engine goes on; without any it does that itself.
    """

    def __init__(
        self,
        engine: Engine,
        destination: Destination,
        name: str,
        finishers: int = 0,
        check: Check = check_unchanged,
    ) -> None:
        self.engine, self.name, self._check = engine, name, check
        self._errands = Errands(engine)
        self._finishing = Finishing(destination, name, finishers)
        self._keys: Cache[tuple[Source, str], str] = Cache(ORIGINALS)
        self._references: Cache[Hashable, tuple[Known, Reference] | str] = Cache(REFERENCES)
        self._mels: Cache[str, LogMel] = Cache(MELS_BYTES)

    def close(self) -> None:
        """Close its journals."""
        self._finishing.close()

    def learn(self, wanted: Wanted) -> Known:
        """A reference from the store, or learned now.

        Raises:
            BadInput: the sound or a setting can't be used, or the store can't be written.
        """
        return self._errands.remember(wanted, lambda _: UNWATCHED)

    @classmethod
    def start(cls, setup: Setup, name: str, memory_bytes: int, processors: int = 1) -> Worker:
        """Load a model and open the destination, in the thread that will own both.

        `memory_bytes`: for what may be computed again. `processors`: those that are its own.

        Raises:
            BadInput: the model or the destination can't be used.
        """
        destination = open_destination(setup.destination)
        engine = Engine(load_for_use(setup.model, setup.compute), Store(data_folder()))
        engine.cache.limit = memory_bytes
        is_on_cpu = engine.model.device.type == "cpu"
        return cls(engine, destination, name, finishers=0 if is_on_cpu else processors)

    @torch.no_grad()
    def render(self, batch: Batch, done: Done) -> None:
        """Make a batch; each item becomes one row, which is written before `done` gets it.

        Raises:
            BadOutput: the destination or the store can't be written.
        """
        began, count = time.perf_counter(), sum(len(piece.items) for piece in batch.pieces)
        with self._finishing.until_done(done):
            try:
                common = self._common(batch)
            except Failed as failed:
                for piece in batch.pieces:
                    self._fail(batch, piece, piece.items, failed.reason)
                return
            seconds = (time.perf_counter() - began) / count
            for group in self._groups(batch, seconds):
                self._make(common, group)

    def _common(self, batch: Batch) -> _Common:
        """The batch's reference, learned if need be.

        Raises:
            Failed: it can't be used.
        """
        is_heard = self.engine.model.recall(batch.sampling) < 1
        wanted = msgspec.structs.replace(batch.reference, sampling=batch.sampling, places=())
        key = msgspec.structs.replace(wanted, sampling=None), is_heard
        found = self._references.get(key)
        if found is None:
            found = self._remember(batch, wanted)
            self._references.put(key, found)
        if isinstance(found, str):
            raise Failed(found)
        known, reference = found
        sampling = self.engine.fuser.settled(reference, batch.sampling)
        with reasons():
            mel = self._tried(lambda: self._mel(reference.remembered))
        return _Common(batch, known, reference, sampling, mel)

    def _remember(self, batch: Batch, wanted: Wanted) -> tuple[Known, Reference] | str:
        """A reference, or the reason why there is none."""
        try:
            with reasons():
                self._check(wanted.source, batch.reference_digest)
                known = self._tried(lambda: self.learn(wanted))
                return known, self._errands.reference(wanted, lambda _: UNWATCHED)
        except Failed as failed:
            return failed.reason

    def _groups(self, batch: Batch, seconds: float) -> Iterator[list[_Entry]]:
        """Sounds that are made together: of one bucket on a GPU, else of one original.

        A CPU is no faster with more at once, and what has been made so far is safe.
        """
        entries: list[_Entry] = []
        for piece in batch.pieces:
            began = time.perf_counter()
            try:
                with reasons():
                    clip = self._tried(partial(self._open, piece))
            except Failed as failed:
                self._fail(batch, piece, piece.items, failed.reason)
                continue
            each = seconds + (time.perf_counter() - began) / len(piece.items)
            own = [_Entry(piece, item, clip, each) for item in piece.items]
            if self.engine.fuser.max_batch is not None:
                yield own
            else:
                entries += own
        entries.sort(key=_frames)
        for _, group in groupby(entries, key=_frames):
            yield list(group)

    def _open(self, piece: Piece) -> Clip:
        """An original, read and checked once."""
        known = piece.original, piece.digest
        key = self._keys.get(known)
        clip = None if key is None else self.engine.find_clip(key)
        if clip is None:
            self._check(*known)
            clip = self.engine.open(piece.original)
            self._keys.put(known, self.engine.clip_key(clip.waveform))
        return clip

    def _make(self, common: _Common, entries: Sequence[_Entry]) -> None:
        """Make sounds together; if that fails, in halves."""
        began = time.perf_counter()
        every = [(entry.clip, entry.item.place) for entry in entries]
        try:
            with reasons():
                latents = self._tried(
                    lambda: self.engine.fuser.latents_together(
                        every, common.reference, common.batch.sampling, apart=True
                    )
                )
        except Failed as failed:
            if len(entries) == 1:
                self._fail(common.batch, entries[0].piece, [entries[0].item], failed.reason)
                return
            half = len(entries) // 2
            self._make(common, entries[:half])
            self._make(common, entries[half:])
            return
        seconds = (time.perf_counter() - began) / len(entries)
        for entry, fused in zip(entries, latents, strict=True):
            self._finish(common, replace(entry, seconds=entry.seconds + seconds), fused)

    def _finish(self, common: _Common, entry: _Entry, fused: FusedLatent) -> None:
        """Decode a sound, and have it finished."""
        began = time.perf_counter()
        try:
            with reasons():
                mel = self._tried(lambda: self._mel(entry.clip))
                samples = self._tried(lambda: self.engine.decode(fused, entry.clip))
        except Failed as failed:
            self._fail(common.batch, entry.piece, [entry.item], failed.reason)
            return
        entry = replace(entry, seconds=entry.seconds + time.perf_counter() - began)
        self._finishing.put(partial(self._finished, common, entry, fused, samples, mel))

    def _finished(
        self, common: _Common, entry: _Entry, fused: FusedLatent, samples: Samples, mel: LogMel,
        sink: Sink,
    ) -> Row:  # fmt: skip
        """Bring a sound to its level, measure and write it; in any thread."""
        began, batch = time.perf_counter(), common.batch
        try:
            with reasons():
                made = levelled(samples, fused, entry.clip, common.reference, batch.level)
                measured = _measured(made, mel, common.mel)
        except Failed as failed:
            row = rows.failed(batch, entry.piece, entry.item, failed.reason, self.name)
            return sink.put(row, None, None)
        row = rows.made(rows.planned(batch, entry.piece, entry.item), common.known, common.sampling)
        row = msgspec.structs.replace(
            row, **measured, worker=self.name,
            seconds=round(entry.seconds + time.perf_counter() - began, DIGITS),
        )  # fmt: skip
        recipe = rows.with_engine(
            rows.recipe(batch, entry.piece, entry.item), batch.reference, common.known,
            common.sampling,
        )  # fmt: skip
        return sink.put(row, made.waveform, recipe.tags)

    def _fail(self, batch: Batch, piece: Piece, items: Iterable[Item], reason: str) -> None:
        for item in items:
            row = rows.failed(batch, piece, item, reason, self.name)
            self._finishing.put(lambda sink, row=row: sink.put(row, None, None))

    def _mel(self, clip: Clip) -> LogMel:
        """The spectrogram of a clip through the codec."""
        digest = clip.waveform.digest
        mel = self._mels.get(digest)
        if mel is None:
            mel = log_mel(round_trip(self.engine, clip))
            self._mels.put(digest, mel, mel.nbytes)
        return mel

    def _tried(self, work: Callable[[], Found]) -> Found:
        """The result of some work, which is done again with empty caches if memory runs out."""
        try:
            return work()
        except Exception as error:
            if not is_memory(error):
                raise
        self.engine.cache.clear()
        self.engine.model.forget_graphs()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return work()


def _frames(entry: _Entry) -> int:
    return entry.clip.latent.shape[-1]


def _measured(made: Made, original: LogMel, reference: LogMel) -> dict[str, Any]:
    """What a row says of a sound; the spectrograms are those of its sources."""
    waveform, mel = made.waveform, log_mel(made.waveform)
    peak = float(np.abs(waveform.samples).max(initial=0))
    return {
        "blend": made.blend, "remaining": made.remaining, "digest": waveform.digest,
        "duration": waveform.seconds, "loudness": _rounded(audio.loudness_lufs(waveform)),
        "peak_db": _rounded(audio.gain_to_db(peak)), "gain_db": _rounded(made.gain_db),
        "from_original": _rounded(timed_distance(mel, original)),
        "from_reference": _rounded(timeless_distance(mel, reference)),
    }  # fmt: skip


def _rounded(figure: float) -> float | None:
    """A figure for a row; silence has none in decibels."""
    return round(figure, DIGITS) if math.isfinite(figure) else None
