"""A worker: the same sounds in any company, shared work, and rows for what can't be made."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from msgspec.structs import replace as replaced

from batches import SAMPLING, batch, sound_of, sounds
from eutectic.audio import Waveform
from eutectic.cli import run
from eutectic.config import LearnSettings, Place, SamplingSettings
from eutectic.engine.clips import Clip
from eutectic.engine.engine import Engine
from eutectic.engine.errands import Errands
from eutectic.engine.fuser import Entry, FusedLatent
from eutectic.engine.loading import load_for_use
from eutectic.engine.store import Store
from eutectic.engine.watch import Watch
from eutectic.recipe import read_recipe
from eutectic.rendering.local import LocalFolder
from eutectic.rendering.work import Batch, Row
from eutectic.rendering.worker import Worker
from sound_files import RATE, bad_clip, tone, write


def worker(folder: Path, model: str = "toy", finishers: int = 0) -> Worker:
    """One with an empty memory; all of a test's have one store."""
    engine = Engine(load_for_use(model, "cpu"), Store(folder / "data"))
    return Worker(engine, LocalFolder(folder / "out"), "w", finishers)


def made(worker: Worker, batch: Batch) -> list[Row]:
    rows: list[Row] = []
    worker.render(batch, rows.append)
    return rows


def test_each_item_is_a_file_that_says_how_it_was_made(tmp_path: Path) -> None:
    *originals, reference = sounds(tmp_path, 0.5, 0.7, 0.6)
    rows = made(worker(tmp_path), batch(originals, reference, suffix=".flac"))
    assert [row.name for row in rows] == [
        "0+2-0.4-0.flac", "0+2-0.8-0.flac", "1+2-0.4-0.flac", "1+2-0.8-0.flac",
    ]  # fmt: skip
    for row in rows:
        path = tmp_path / "out" / row.name
        assert row.reason == "" and path.stat().st_size == row.size
        assert row.recall == 0.5 and row.steps == 4 and row.order is not None, "model's own, too"
        assert row.from_original is not None and row.from_reference is not None
        recipe = read_recipe(path)
        assert recipe.original.file == Path(row.original)
        assert recipe.place == Place(blend=row.blend)
        assert recipe.model is not None and recipe.model.digest == row.model_digest
    far, near = (row.from_original or 0.0 for row in rows[:2])
    assert far > near, "more of it at the higher blend"
    assert [row.duration for row in rows] == [0.5, 0.5, 0.7, 0.7]


@pytest.mark.parametrize("model", ["toy", "embedded"])
def test_a_sound_is_the_same_to_the_bit_alone_together_after_a_restart_and_by_fuse(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EUTECTIC_DATA", str(tmp_path / "data"))
    *originals, reference = sounds(tmp_path, 0.5, 0.5, 1.1, 0.6)
    blends = (0.0, 0.3, 0.6, 1.0)
    together = made(worker(tmp_path, model), batch(originals, reference, blends))
    (tmp_path / "alone").mkdir()
    alone: list[Row] = []
    for original in originals[1:]:
        fresh = worker(tmp_path / "alone", model)
        for blend in blends:
            alone += made(fresh, batch([original], reference, [blend]))
    assert list(map(sound_of, alone)) == list(map(sound_of, together[len(blends) :]))
    fuse = ["fuse", str(originals[1]), str(reference), "--model", model, "--no-learn", "--alone"]
    settings = ["--compute", "cpu", "--steps", "4", "--recall", "0.5", "--blends", "0.3,0.6,1"]
    assert run([*fuse, *settings, "-o", str(tmp_path / "fused.wav")]) == 0
    for row in alone[1 : len(blends)]:
        assert row.blend is not None
        fused = tmp_path / f"fused-{round(100 * row.blend):03d}.wav"
        assert fused.read_bytes() == (tmp_path / "out" / row.name).read_bytes(), "tags, too"


def test_originals_of_one_bucket_share_evaluations_and_one_prefix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *originals, reference = sounds(tmp_path, 0.5, 0.5, 0.5, 0.6)
    subject = worker(tmp_path)
    subject.engine.fuser.max_batch = None  # as on a GPU
    calls: list[int] = []
    real = subject.engine.model.estimate

    def estimate(state: torch.Tensor, *others: Any) -> torch.Tensor:
        calls.append(len(state))
        return real(state, *others)

    monkeypatch.setattr(subject.engine.model, "estimate", estimate)
    rows = made(subject, batch(originals, reference, (0.5,)))
    assert all(row.reason == "" for row in rows)
    assert max(calls) == len(originals)
    assert len(calls) <= 2 * SAMPLING.steps, "a prefix, and all the rest at once"


def test_an_original_is_read_and_encoded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *originals, reference = sounds(tmp_path, 0.5, 0.7, 0.6)
    subject = worker(tmp_path)
    encoded: list[int] = []
    real = subject.engine.encode

    def encode(waveform: Waveform) -> Clip:
        encoded.append(waveform.frames)
        return real(waveform)

    monkeypatch.setattr(subject.engine, "encode", encode)
    for seed in range(3):
        made(subject, batch(originals, reference, sampling=SamplingSettings(seed, recall=1.0)))
    assert len(encoded) == 3


def test_what_cannot_be_used_is_a_row_and_the_others_are_made(tmp_path: Path) -> None:
    *originals, reference = sounds(tmp_path, 0.5, 0.7, 0.9, 0.6)
    silent = bad_clip(tmp_path, "silent")
    planned = batch([*originals[:1], silent, *originals[1:]], reference)
    write(originals[1], tone(RATE, 0.7, 999.0))
    originals[2].unlink()
    rows = {row.name: row.reason for row in made(worker(tmp_path), planned)}
    assert rows["0+3-0.4-0.wav"] == rows["0+3-0.8-0.wav"] == ""
    assert "is silent" in rows["bad+3-0.4-0.wav"]
    assert "has changed since this was planned" in rows["1+3-0.8-0.wav"]
    assert "no such file" in rows["2+3-0.4-0.wav"]
    assert len(rows) == 8
    listed = {row.name: row.reason for row in LocalFolder(tmp_path / "out").rows()}
    assert listed == rows, "the manifest will say so, too"


def test_a_reference_that_cannot_be_used_is_the_reason_of_all_its_rows(tmp_path: Path) -> None:
    originals, silent = sounds(tmp_path, 0.5, 0.7), bad_clip(tmp_path, "silent")
    subject = worker(tmp_path)
    for seed in range(2):
        rows = made(subject, batch(originals, silent, sampling=SamplingSettings(seed)))
        assert len(rows) == 4 and all("is silent" in row.reason for row in rows)


def test_a_place_off_the_grid_fails_alone(tmp_path: Path) -> None:
    original, reference = sounds(tmp_path, 0.5, 0.6)
    planned = batch([original], reference, (0.2, 0.4, 0.6))
    (piece,) = planned.pieces
    off = [Place(blend=0.2), Place(remaining=99), Place(blend=0.6)]
    items = [replaced(item, place=place) for item, place in zip(piece.items, off, strict=True)]
    planned = replaced(planned, pieces=(replaced(piece, items=tuple(items)),))
    rows = made(worker(tmp_path), planned)
    assert [row.reason for row in rows] == ["", rows[1].reason, ""]
    assert rows[1].reason.startswith("remaining must be 0 to 4")


def test_out_of_memory_halves_what_is_made_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *originals, reference = sounds(tmp_path, *[0.5] * 5, 0.6)
    subject = worker(tmp_path)
    subject.engine.fuser.max_batch = None
    real, sizes = subject.engine.fuser.latents_together, list[int]()

    def small(every: Sequence[Entry], *others: Any, apart: bool) -> list[FusedLatent]:
        sizes.append(len(every))
        if sizes[-1] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(every, *others, apart=apart)

    monkeypatch.setattr(subject.engine.fuser, "latents_together", small)
    rows = made(subject, batch(originals, reference, (0.5,)))
    assert [row.reason for row in rows] == [""] * 5
    assert sizes == [5, 5, 2, 3, 3, 1, 2], "each once more with empty caches"


def test_a_fault_of_one_sound_is_its_reason_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *originals, reference = sounds(tmp_path, 0.5, 0.5, 0.6)
    subject = worker(tmp_path)
    decode = subject.engine.decode

    def faulty(fused: object, original: object) -> object:
        if original is subject.engine.open(planned.pieces[1].original):
            raise RuntimeError("a kernel\nfailed")
        return decode(fused, original)  # type: ignore[arg-type]

    planned = batch(originals, reference, (0.5,))
    monkeypatch.setattr(subject.engine, "decode", faulty)
    assert [row.reason for row in made(subject, planned)] == ["", "RuntimeError: a kernel failed"]


def test_threads_that_finish_sounds_change_nothing(tmp_path: Path) -> None:
    *originals, reference = sounds(tmp_path, 0.5, 0.7, 0.9, 0.6)
    planned = batch(originals, reference, (0.2, 0.5, 0.8))
    (tmp_path / "threads").mkdir()
    subject = worker(tmp_path / "threads", finishers=3)
    rows = made(subject, planned)
    subject.close()
    assert list(map(sound_of, rows)) == list(map(sound_of, made(worker(tmp_path), planned)))
    for row in rows:
        files = [tmp_path / folder / row.name for folder in ("out", "threads/out")]
        assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.training
def test_two_processes_that_want_a_reference_learn_it_once(tmp_path: Path) -> None:
    """Two engines with one store stand for them: locks are between open files."""
    (reference,) = sounds(tmp_path, 0.6)
    wanted = batch([], reference, learning=LearnSettings(steps=3)).reference
    learned: list[str] = []
    both = threading.Barrier(2)

    def learn() -> None:
        engine = Engine(load_for_use("toy", "cpu"), Store(tmp_path))
        real = engine.learn
        engine.learn = lambda *given: (learned.append("once"), real(*given))[1]  # type: ignore[method-assign]
        both.wait()
        known.append(Errands(engine).remember(wanted, lambda _: Watch()).digest)

    known: list[str] = []
    threads = [threading.Thread(target=learn) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert learned == ["once"]
    assert len(known) == 2 and known[0] == known[1] != ""
    assert not list(tmp_path.rglob("*.lock"))


def test_a_lock_that_another_process_holds_is_waited_for_until_cancelled(tmp_path: Path) -> None:
    store, asked = Store(tmp_path), list[int]()

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 2

    with (
        store.alone("key"),
        pytest.raises(Exception, match="cancelled"),
        Store(tmp_path).alone("key", Watch(cancelled)),
    ):
        pass
    assert len(asked) == 3
