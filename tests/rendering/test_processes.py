"""Worker processes: killed in the middle, killed again and again, and never started at all."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

from batches import batch, sound_of, sounds
from eutectic import environment
from eutectic.config import LearnSettings, SamplingSettings
from eutectic.errors import BadInput
from eutectic.rendering.child import Process, Task
from eutectic.rendering.local import LocalFolder
from eutectic.rendering.pool import Reference, Setup
from eutectic.rendering.processes import Processes
from eutectic.rendering.protocol import Make
from eutectic.rendering.work import Batch, Row
from eutectic.rendering.worker import Worker
from sound_files import bad_clip

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("renders")


@pytest.fixture(scope="module")
def pool(folder: Path) -> Generator[Processes]:
    """Two workers, which every test uses, and may kill."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EUTECTIC_DATA", str(folder / "data"))
        with Processes(Setup("toy", str(folder / "out"), "cpu"), workers=2) as pool:
            yield pool


def batches(folder: Path, seeds: range, **options: object) -> list[Batch]:
    *originals, reference = sounds(folder, 0.5, 0.6, 0.7, 0.5)
    return [
        batch(originals, reference, (0.3, 0.7), SamplingSettings(seed, steps=4, recall=0.5),
              number=seed, **options)  # type: ignore[arg-type]
        for seed in seeds
    ]  # fmt: skip


def keys(planned: list[Batch]) -> Counter[str]:
    return Counter(
        item.key for each in planned for piece in each.pieces for item in piece.items
    )  # fmt: skip


def made(pool: Processes, planned: list[Batch]) -> list[Row]:
    rows: list[Row] = []
    pool.run(iter(planned), rows.append)
    return rows


def test_every_item_becomes_one_row_and_the_sounds_are_those_of_one_worker(
    pool: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = batches(tmp_path, range(4))
    rows = made(pool, planned)
    assert Counter(row.key for row in rows) == keys(planned)
    assert all(row.reason == "" for row in rows)
    others: list[Row] = []
    monkeypatch.setenv("EUTECTIC_DATA", str(tmp_path / "data"))
    alone = Worker.start(Setup("toy", str(tmp_path / "alone"), "cpu"), "alone", 100 << 20)
    for each in planned:
        alone.render(each, others.append)
    alone.close()
    assert {row.key: sound_of(row) for row in others} == {row.key: sound_of(row) for row in rows}


def test_what_a_killed_worker_had_done_stays_and_the_rest_is_done_by_others(
    pool: Processes, folder: Path, tmp_path: Path
) -> None:
    planned, rows = batches(tmp_path, range(10, 18)), list[Row]()

    def done(row: Row) -> None:
        rows.append(row)
        if len(rows) in (3, 20):
            next(each for each in pool.workers if each.task is not None).process.kill()

    pool.run(iter(planned), done)
    assert Counter(row.key for row in rows) == keys(planned)
    assert all(row.reason == "" for row in rows)
    journals = (folder / "out").rglob("*.jsonl")
    lines = [line for journal in journals for line in journal.read_text().splitlines()]
    wanted = keys(planned)
    written = Counter(key for key in wanted for line in lines if key in line)
    assert sum(written.values()) - sum(wanted.values()) <= 2, "but for those killed in writing"
    listed = {row.key: row for row in LocalFolder(folder / "out").rows() if row.key in wanted}
    assert listed == {row.key: row for row in rows}


def test_what_kills_its_worker_twice_is_left_out_and_says_so(
    pool: Processes, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = batches(tmp_path, range(20, 22))
    deadly = planned[0].pieces[1]
    real = Process.give

    def give(self: Process, task: Task) -> None:
        real(self, task)
        assert isinstance(task.order, Make)
        if deadly in task.order.batch.pieces:
            self.process.kill()

    monkeypatch.setattr(Process, "give", give)
    rows = {row.key: row for row in made(pool, planned)}
    assert keys(planned) == Counter(rows.keys())
    failed = {item.key for item in deadly.items}
    assert {key for key, row in rows.items() if row.reason} == failed
    assert {rows[key].reason for key in failed} == {"its worker was killed by SIGKILL, 2 times"}
    listed = {row.key: row.reason for row in LocalFolder(folder / "out").rows()}
    assert all(listed[key] == rows[key].reason for key in failed)


@pytest.mark.training
def test_references_are_learned_first_and_those_that_cannot_be_say_why(
    pool: Processes, tmp_path: Path
) -> None:
    *originals, reference = sounds(tmp_path, 0.5, 0.5)
    planned = batch(originals, reference, learning=LearnSettings(steps=3))
    bad = batch(originals, bad_clip(tmp_path, "silent"), learning=LearnSettings(steps=3))
    found: list[Reference] = []
    pool.learn([planned.reference, bad.reference], found.append)
    reasons = {each.wanted: each.reason for each in found}
    assert reasons[planned.reference] == "" and "is silent" in reasons[bad.reference]
    (digest,) = {each.known.digest for each in found if each.known is not None}
    assert digest
    assert {row.learned for row in made(pool, [planned])} == {digest}


def test_a_model_that_cannot_be_loaded_is_one_line(tmp_path: Path) -> None:
    pool = Processes(Setup(str(tmp_path / "none"), str(tmp_path / "out"), "cpu"), workers=1)
    with pool, pytest.raises(BadInput, match="none"):
        made(pool, batches(tmp_path, range(1)))


def test_workers_that_never_get_ready_are_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]

    def command(_: str) -> list[str]:
        return dying

    monkeypatch.setattr(environment, "command", command)
    pool = Processes(Setup("toy", str(tmp_path / "out"), "cpu"))
    with pool, pytest.raises(BadInput, match="the last of 3 was killed by SIGKILL"):
        made(pool, batches(tmp_path, range(1)))
