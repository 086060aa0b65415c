"""A Ray of two workers on this machine: what a lost worker was at is made by another."""

from __future__ import annotations

import itertools
import os
import signal
import socket
from collections import Counter
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from batches import batch, sound_of, sounds
from eutectic.config import LearnSettings, SamplingSettings, data_folder
from eutectic.engine.engine import Engine
from eutectic.engine.loading import load_for_use
from eutectic.engine.store import Store
from eutectic.errors import BadInput
from eutectic.rendering.local import LocalFolder
from eutectic.rendering.pool import Reference, Setup
from eutectic.rendering.work import Batch, Row
from eutectic.rendering.worker import Worker
from sound_files import bad_clip

pytest.importorskip("ray", reason="Ray has no wheel for this system")

from eutectic.rendering import on_ray
from eutectic.rendering.on_ray import OnRay

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("renders")


@pytest.fixture(scope="module")
def pool(folder: Path) -> Generator[OnRay]:
    """Two workers, which every test uses, and may kill."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EUTECTIC_DATA", str(folder / "data"))
        with OnRay(Setup("toy", str(folder / "out"), "cpu"), "local", workers=2) as pool:
            yield pool


def planned(folder: Path, seeds: range, learning: LearnSettings | None = None) -> list[Batch]:
    *originals, reference = sounds(folder, 0.5, 0.6, 0.7, 0.5)
    return [
        batch(originals, reference, (0.3, 0.7), SamplingSettings(seed, steps=4, recall=0.5),
              learning, number=seed)
        for seed in seeds
    ]  # fmt: skip


def keys(batches: list[Batch]) -> Counter[str]:
    return Counter(item.key for each in batches for piece in each.pieces for item in piece.items)


def made(pool: OnRay, batches: list[Batch]) -> list[Row]:
    rows: list[Row] = []
    pool.run(iter(batches), rows.append)
    return rows


def kill(row: Row) -> None:
    os.kill(int(row.worker.split()[-1]), signal.SIGKILL)


def test_a_worker_killed_in_the_middle_changes_nothing_of_what_is_made(
    pool: OnRay, folder: Path, tmp_path: Path
) -> None:
    batches, rows, killed = planned(tmp_path, range(10)), list[Row](), list[Row]()

    def done(row: Row) -> None:
        rows.append(row)
        if not killed:
            killed.append(row)
            kill(row)

    pool.run(iter(batches), done)
    alone, others = Worker(engine(), LocalFolder(tmp_path / "alone"), "alone"), list[Row]()
    for each in batches:
        alone.render(each, others.append)
    expected = {row.key: sound_of(row) for row in others}
    assert Counter(row.key for row in rows) == keys(batches)
    assert {row.key: sound_of(row) for row in rows} == expected
    assert len({row.worker for row in rows}) > 1
    listed = (row for row in LocalFolder(folder / "out").rows() if row.key in expected)
    assert {row.key: sound_of(row) for row in listed} == expected
    assert files(folder / "out", others) == files(tmp_path / "alone", others)


def test_originals_that_are_gone_since_they_were_encoded_are_had_from_the_cluster(
    pool: OnRay, tmp_path: Path
) -> None:
    *_, last = batches = planned(tmp_path, range(20, 24))
    made(pool, batches[:-1])
    for piece in last.pieces:
        Path(piece.original.path).unlink()
    Path(last.reference.source.path).unlink()
    assert {row.reason for row in made(pool, [last])} == {""}


def test_what_is_lost_with_its_workers_twice_is_left_out_and_says_so(
    pool: OnRay, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = planned(tmp_path, range(30, 32))
    deadly = batches[0].pieces[1]
    give = pool._give

    def kill_at(hand: object, batch: Batch) -> object:
        ref = give(hand, batch)  # type: ignore[arg-type]
        if deadly in batch.pieces:
            os.kill(int(hand.name.split()[-1]), signal.SIGKILL)  # type: ignore[attr-defined]
        return ref

    monkeypatch.setattr(pool, "_give", kill_at)
    monkeypatch.setattr(on_ray, "AT_ONCE", 1)  # so that it is at what it is given
    every = made(pool, batches)
    assert keys(batches) == Counter(row.key for row in every)
    rows = {row.key: row for row in every}
    failed = {item.key for item in deadly.items}
    assert {key for key, row in rows.items() if row.reason} == failed
    assert {rows[key].reason for key in failed} == {"its worker was lost, 2 times"}
    listed = {row.key: row.reason for row in LocalFolder(folder / "out").rows()}
    assert all(listed[key] == rows[key].reason for key in failed)


def test_once_stopped_nothing_more_is_begun(
    pool: OnRay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches, rows = planned(tmp_path, range(50, 60)), list[Row]()
    monkeypatch.setattr(pool, "_is_stopped", lambda: bool(rows))
    pool.run(itertools.takewhile(lambda _: not rows, batches), rows.append)
    given = keys(batches[: on_ray.AT_ONCE * pool.size]).total()
    assert 0 < len(rows) <= given


def test_a_worker_that_is_not_there_yet_is_not_waited_for_once_stopped(
    pool: OnRay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, rows = iter((False, True)), list[Row]()
    monkeypatch.setattr(pool, "_hands", [])
    monkeypatch.setattr(pool, "_share", replace(pool._share, gpus=1))  # which there are none of
    pool._hands.append(pool._start())
    monkeypatch.setattr(pool, "_is_stopped", lambda: next(answers))
    pool.run(iter(planned(tmp_path, range(60, 62))), rows.append)
    assert rows == []


@pytest.mark.training
def test_a_reference_is_learned_once_and_handed_to_all(pool: OnRay, tmp_path: Path) -> None:
    batches = planned(tmp_path, range(40, 44), LearnSettings(steps=3))
    bad = batch([], bad_clip(tmp_path, "silent"), learning=LearnSettings(steps=3))
    found: list[Reference] = []
    pool.learn([batches[0].reference, bad.reference], found.append)
    reasons = {each.wanted: each.reason for each in found}
    assert reasons[batches[0].reference] == "" and "is silent" in reasons[bad.reference]
    (digest,) = {each.known.digest for each in found if each.known is not None}
    for learned in (data_folder() / "references").iterdir():
        learned.unlink()
    rows = made(pool, batches)
    assert {row.learned for row in rows} == {digest}
    assert not list((data_folder() / "references").iterdir()), "nothing was learned again"


def test_a_cluster_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    setup = Setup("toy", str(tmp_path / "out"), "cpu")
    with pytest.raises(BadInput, match="'nowhere' is no address"):
        OnRay(setup, "nowhere").__enter__()
    with socket.socket() as taken:  # and listens to nobody
        taken.bind(("127.0.0.1", 0))
        for scheme in ("", "ray://"):
            address = f"{scheme}127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(BadInput, match=rf"{address}: no Ray cluster .*refused"):
                OnRay(setup, address).__enter__()


def engine() -> Engine:
    return Engine(load_for_use("toy", "cpu"), Store(data_folder()))


def files(folder: Path, rows: list[Row]) -> list[bytes]:
    return [(folder / row.name).read_bytes() for row in rows]
