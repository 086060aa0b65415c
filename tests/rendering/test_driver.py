"""Runs: what is missing is made, once; what can't be is a row; and any run can go on."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from eutectic.engine.engine import Engine
from eutectic.engine.loading import load_for_use
from eutectic.engine.store import Store
from eutectic.rendering.destination import TAKEN
from eutectic.rendering.driver import Outcome, There, render
from eutectic.rendering.estimate import Pace, alike, measured, pace_of
from eutectic.rendering.opening import open_destination
from eutectic.rendering.plan import Plan, Survey
from eutectic.rendering.pool import Pool, Reference
from eutectic.rendering.work import Row
from eutectic.rendering.worker import Worker
from plans import Inline, plan, sounds, wish


class Seen:
    """What was shown; `stop_after`: so many rows, after which nothing more is to be begun."""

    def __init__(self, stop_after: int = 10_000) -> None:
        self.rows: list[Row] = []
        self.references: list[Reference] = []
        self._stop_after = stop_after

    @property
    def is_stopped(self) -> bool:
        return len(self.rows) >= self._stop_after

    def planned(self, done: int, total: int) -> None:
        pass

    def begun(self, survey: Survey, workers: int) -> None:
        pass

    def learned(self, reference: Reference, done: int, total: int) -> None:
        self.references.append(reference)

    def made(self, row: Row) -> None:
        self.rows.append(row)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(load_for_use("toy", "cpu"), Store(tmp_path_factory.mktemp("store")))


Run = Callable[..., tuple[Outcome, Seen, Inline]]


@pytest.fixture
def run(engine: Engine, tmp_path: Path) -> Run:
    """Runs a plan into the folder `out`, as a process would that begins from nothing."""

    def do(made: Plan, stop_after: int = 10_000) -> tuple[Outcome, Seen, Inline]:
        destination = open_destination(str(tmp_path / "out"))
        destination.settle()
        pool, seen = Inline(Worker(engine, destination, "worker 1")), Seen(stop_after)
        started: list[Pool] = []
        try:
            outcome = render(
                made, destination, lambda: (started.append(pool), pool)[1], seen,
                lambda: seen.is_stopped,
            )  # fmt: skip
        finally:
            destination.close()
        assert bool(started) == bool(pool.given)
        return outcome, seen, pool

    return do


def files(tmp_path: Path) -> set[str]:
    out = tmp_path / "out"
    return {
        str(path.relative_to(out)) for path in out.rglob("*.wav") if ".eutectic" not in path.parts
    }


def test_a_run_makes_everything_once_and_the_next_one_nothing(run: Run, tmp_path: Path) -> None:
    made = plan(wish(sounds(tmp_path, "one", "two"), sounds(tmp_path, "bell"), blends=(0.3, 0.7)))
    outcome, seen, _ = run(made)
    assert (outcome.made, outcome.failed, outcome.missing) == (4, 0, 0)
    assert files(tmp_path) == {item.name for item in made.items()}
    assert outcome.size == sum((tmp_path / "out" / name).stat().st_size for name in files(tmp_path))
    again, seen, _ = run(made)
    assert (again.survey.done, again.made, seen.rows) == (4, 0, [])


def test_a_stopped_run_goes_on_with_what_is_missing(run: Run, tmp_path: Path) -> None:
    made = plan(wish(sounds(tmp_path, "one", "two", "six"), sounds(tmp_path, "bell", "hinge")))
    first, seen, _ = run(made, stop_after=2)
    assert (first.made, first.missing) == (2, 4)
    second, rest, _ = run(made)
    assert (second.survey.done, second.made, second.missing) == (2, 4, 0)
    keys = [row.key for row in (*seen.rows, *rest.rows)]
    assert sorted(keys) == sorted(item.key for item in made.items())


def test_a_file_that_was_deleted_is_made_again_and_to_the_bit(run: Run, tmp_path: Path) -> None:
    made = plan(wish(sounds(tmp_path, "one"), sounds(tmp_path, "bell"), blends=(0.3, 0.7)))
    run(made)
    gone = tmp_path / "out" / next(made.items()).name
    before = gone.read_bytes()
    gone.unlink()
    outcome, _, _ = run(made)
    assert (outcome.survey.done, outcome.made) == (1, 1)
    assert gone.read_bytes() == before


def test_a_bad_sound_is_a_row_with_its_reason_and_no_end(run: Run, tmp_path: Path) -> None:
    originals, bell = sounds(tmp_path, "one", "bad"), sounds(tmp_path, "bell")
    Path(originals[1]).write_text("no sound")
    asked = wish(originals, bell, blends=(0.3, 0.7))
    outcome, _, _ = run(plan(asked))
    assert (outcome.made, outcome.survey.unusable) == (2, 2)

    def rows() -> list[Row]:
        return list(open_destination(str(tmp_path / "out")).rows())

    bad = [row for row in rows() if row.reason]
    assert len(rows()) == 4
    assert {row.name for row in bad} == {"bad+bell-030-s0.wav", "bad+bell-070-s0.wav"}
    assert all("can't be read as audio" in row.reason and not row.size for row in bad)
    run(plan(asked))
    assert len(rows()) == 4
    written = "".join(path.read_text() for path in (tmp_path / "out").rglob("rows.jsonl"))
    assert written.count("bad+bell-030") == 1
    sounds(tmp_path, "bad")  # it is mended
    mended, _, _ = run(plan(asked))
    assert (mended.survey.done, mended.made, mended.survey.unusable) == (2, 2, 0)


def test_what_would_be_made_in_vain_is_not_made_and_says_so(run: Run, tmp_path: Path) -> None:
    def asked(*names: str, steps: int) -> Plan:
        originals = sounds(tmp_path, *names)
        return plan(wish(originals, sounds(tmp_path, "bell"), options={"steps": steps}))

    run(asked("one", steps=4))
    one = tmp_path / "out" / "one+bell-050-s0.wav"
    before = one.read_bytes()
    for _ in range(2):
        outcome, seen, _ = run(asked("one", "two", steps=5))
        assert outcome.survey.taken == 1 and one.read_bytes() == before
    assert (outcome.survey.done, seen.rows) == (1, [])
    rows = list(open_destination(str(tmp_path / "out")).rows())
    assert sorted(row.reason for row in rows) == ["", "", TAKEN]
    one.unlink()
    later, _, _ = run(asked("one", "two", steps=5))
    assert (later.survey.taken, later.made) == (0, 1)


def test_what_failed_is_tried_again(run: Run, tmp_path: Path) -> None:
    made = plan(wish(sounds(tmp_path, "one", "two"), sounds(tmp_path, "bell")))
    two = tmp_path / "two.wav"
    before = two.read_bytes()
    two.write_text("changed since it was planned")
    first, seen, _ = run(made)
    assert (first.made, first.failed) == (1, 1)
    assert [bool(row.reason) for row in sorted(seen.rows, key=lambda row: row.name)] == [
        False,
        True,
    ]
    two.write_bytes(before)
    second, _, _ = run(made)
    assert (second.made, second.failed) == (1, 0)


@pytest.mark.training
def test_each_reference_is_learned_once_before_the_first_sound(run: Run, tmp_path: Path) -> None:
    references = sounds(tmp_path, "bell", "hinge")
    asked = wish(sounds(tmp_path, "one"), references, recalls=(0.5, 1.0), seeds=(1, 2))
    _, seen, pool = run(plan(asked, learning=True))
    assert [each.source.path for each in pool.asked] == references
    assert all(each.known is not None and each.known.digest for each in seen.references)
    learned = {row.recall: bool(row.learned) for row in seen.rows}
    assert learned == {0.5: True, 1.0: False}


def test_a_few_sounds_tell_the_pace_and_so_does_what_is_there(
    run: Run, engine: Engine, tmp_path: Path
) -> None:
    made = plan(wish(sounds(tmp_path, "one"), sounds(tmp_path, "bell"), blends=(0.3, 0.7)))
    destination = open_destination(str(tmp_path / "probes"))
    destination.settle()
    pace = measured(made, Inline(Worker(engine, destination, "worker 1")), lambda _: False)
    destination.close()
    assert pace is not None and pace.seconds > 0
    run(made)
    other = wish(sounds(tmp_path, "six"), sounds(tmp_path, "bell"), options={"steps": 3})
    run(plan(other))

    def known(of: Plan) -> Pace | None:
        return pace_of(There.of(open_destination(str(tmp_path / "out")), alike(of)))

    there = known(made)
    assert there is not None and there.seconds > 0
    assert (there.known, pace.known) == (2, 0), "what was made with other steps tells nothing"
    assert abs(there.size / pace.size - 1) < 0.1
    assert known(plan(other, suffix=".flac")) is None
    assert known(replace(made, model=replace(made.model, identity="another"))) is None
