"""The work of `eutectic render`: what is asked for is planned, made and told about."""

from __future__ import annotations

import contextlib
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from types import FrameType
from typing import TYPE_CHECKING

from eutectic.cli.naming import Format
from eutectic.cli.terminal import console, errors, fail, stages, warn
from eutectic.config import LearnSettings, data_folder
from eutectic.errors import BadSetting

if TYPE_CHECKING:
    from eutectic.link.errands import Progress
    from eutectic.rendering.destination import Destination
    from eutectic.rendering.driver import Outcome, There
    from eutectic.rendering.estimate import Pace
    from eutectic.rendering.manifest import Form
    from eutectic.rendering.plan import Plan, Survey
    from eutectic.rendering.pool import Pool, Reference
    from eutectic.rendering.wishes import Wish
    from eutectic.rendering.work import Row

CANCELLED = 130
"""Exit code after Ctrl-C, as shells have it."""

IN_THE_WAY = (
    "files that were made with other settings, or changed since, keep their names; another folder "
    "or another --name has room for both"
)
"""What is to be done about names that other files have."""

HOUR, MINUTE = 3600, 60

SAME_SECONDS = 0.2
"""Signals that come so close are one."""

LINE_SECONDS = 60.0
"""Between lines where there is no terminal."""


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    wish: Wish
    wanted: Path | None
    out: str
    name: str | None
    file_format: Format
    manifest: Form
    gallery: bool
    learning: LearnSettings | None
    model: str
    compute: str | None
    workers: int | None
    ray: str | None

    def check(self) -> None:
        """Check that what is asked for can be had, before any sound is read.

        Raises:
            BadInput: a package is missing, or an address is none.
        """
        from eutectic.rendering import cluster
        from eutectic.rendering.manifest import check_form

        check_form(self.manifest)
        if self.ray is not None:
            cluster.check(self.ray)

    def pool(
        self, out: str | None = None, is_stopped: Callable[[], bool] = lambda: False
    ) -> Pool:  # fmt: skip
        """Who makes the sounds; on a cluster they are asked for ahead, unless `is_stopped`."""
        from eutectic.rendering.pool import Setup

        setup = Setup(self.model, self.out if out is None else out, self.compute)
        if self.ray is not None:
            from eutectic.rendering.on_ray import OnRay

            return OnRay(setup, self.ray, self.workers, is_stopped=is_stopped)
        from eutectic.rendering.processes import Processes

        return Processes(setup, self.workers)


def go(asked: Asked) -> int:
    """Make what is missing; returns the exit code."""
    from eutectic.rendering import driver
    from eutectic.rendering.manifest import save_manifest
    from eutectic.rendering.opening import open_destination

    asked.check()
    destination = open_destination(asked.out)
    plan = _plan(asked, destination, download=True)
    destination.settle()
    try:
        with Stop() as stop:
            with _Bar(stop) as bar:
                start = partial(asked.pool, is_stopped=lambda: stop.is_asked)
                outcome = driver.render(plan, destination, start, bar, lambda: stop.is_asked)
            keys = (item.key for item in plan.items())
            written = [save_manifest(destination, keys, asked.manifest)]
            if asked.gallery:
                from eutectic.rendering.gallery import save_gallery

                keys = (item.key for item in plan.items())
                written.append(save_gallery(destination, keys, _title(asked, destination)))
    finally:
        destination.close()
    _tell(outcome, asked.out, written)
    if stop.is_asked and outcome.missing:
        warn(f"the same command goes on: {outcome.missing} are left")
        return CANCELLED
    survey = outcome.survey
    return 2 if outcome.failed or survey.unusable or survey.taken else 0


def dry(asked: Asked) -> int:
    """Say what would be made; returns the exit code."""
    from eutectic.files.learned import learned_files
    from eutectic.rendering.driver import There
    from eutectic.rendering.estimate import alike, to_learn
    from eutectic.rendering.opening import open_destination

    asked.check()
    destination = open_destination(asked.out)
    plan = _plan(asked, destination, download=False)
    there = There.of(destination, alike(plan))
    total = plan.gathered.count
    with stages() as report:
        survey = plan.survey(
            there.is_made, there.is_taken, lambda done: report("planning", done, total)
        )  # fmt: skip
    console.print(_counts(plan, survey))
    if survey.taken:
        warn(IN_THE_WAY)
    wanted = plan.wanted(there.is_settled)
    pace, workers = _pace(asked, plan, there, survey)
    if survey.missing:
        console.print(_expected(survey, pace, workers))
    learned = to_learn(plan, wanted, learned_files(data_folder() / "references"))
    if learned:
        sounds = ", ".join(f"\u201c{each.prompt}\u201d" for each in learned[:5])
        more = ", …" if len(learned) > 5 else ""
        console.print(f"{_many(len(learned), 'reference')} to learn first: {sounds}{more}")
    first = next(plan.items())
    console.print(f"into {asked.out}, under names such as {first.name}")
    return 0


def _plan(asked: Asked, destination: Destination, download: bool) -> Plan:
    """What is wanted, every sound read; those that can't be used are told about.

    Raises:
        BadInput: what is asked for makes no sense, or no sound can be used.
    """
    from eutectic.rendering import models, planning

    model = models.asked(asked.model, download)
    with stages("reading the sounds") as report:
        plan = planning.planned(
            _wishes(asked), model, f".{asked.file_format}", asked.name, asked.learning,
            destination.folder, lambda done, total: report("reading the sounds", done, total),
        )  # fmt: skip
    reasons = planning.reasons(plan)
    for each in reasons[: planning.MOST_LINES]:
        warn(f"{each}; it is left out")
    if len(reasons) > planning.MOST_LINES:
        warn(f"{len(reasons) - planning.MOST_LINES} more can't be used; the manifest says why")
    return plan


def _title(asked: Asked, destination: Destination) -> str:
    """What the page is called: as the folder is."""
    return PurePosixPath(asked.out).name if destination.folder is None else destination.folder.name


def _wishes(asked: Asked) -> Iterator[Wish]:
    """What is asked for, from the list or from the command line alone.

    Raises:
        BadInput: neither names originals and references.
    """
    from eutectic.rendering.wishes import read_list

    if asked.wanted is not None:
        yield from read_list(asked.wanted, asked.wish)
        return
    for what, named in (("original", asked.wish.originals), ("reference", asked.wish.references)):
        if not named:
            raise BadSetting(f"no {what}s are named; name some with --{what}, or all in a list")
    yield asked.wish


class Stop:
    """Ctrl-C, or SIGTERM: what is begun is finished. The second time all ends at once.

    What ends a whole group of processes may tell this one twice, which counts as once.
    """

    def __init__(self) -> None:
        self.is_asked = False
        self._since = 0.0
        self._before: dict[int, object] = {}

    def __enter__(self) -> Stop:
        for each in (signal.SIGINT, signal.SIGTERM):
            self._before[each] = signal.signal(each, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        for each, before in self._before.items():
            signal.signal(each, before)  # pyright: ignore[reportArgumentType]

    def _stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        now = time.monotonic()
        if self.is_asked:
            if now - self._since < SAME_SECONDS:
                return
            raise KeyboardInterrupt
        self.is_asked, self._since = True, now
        errors.print("finishing what is begun; once more stops at once, and loses that")


def _counts(plan: Plan, survey: Survey) -> str:
    gathered = plan.gathered
    text = (
        f"{_many(survey.count, 'fusion')} of {_many(len(gathered.originals), 'original')} and "
        f"{_many(len(gathered.references), 'reference')}"
    )
    if survey.done:
        text += f"; {survey.done} are there already"
    if survey.unusable:
        text += f"; {survey.unusable} can't be made, as a sound can't be used"
    if survey.taken:
        text += f"; {survey.taken} can't be made, as other files have their names"
    return text


def _expected(survey: Survey, pace: Pace | None, workers: int) -> str:
    """How long what is missing takes, and how big it is, in words."""
    if pace is None:
        return f"{survey.missing} to make"
    takes = _duration(survey.seconds * pace.seconds / workers)
    size = _size(survey.seconds * pace.size)
    by = f"{pace.known} of this model and steps here" if pace.known else "a few that were timed"
    with_workers = _many(workers, "worker")
    return f"{survey.missing} to make: about {takes} with {with_workers}, {size}, by {by}"


def _pace(
    asked: Asked, plan: Plan, there: There, survey: Survey
) -> tuple[Pace | None, int]:  # fmt: skip
    """How fast it goes, by what is there or by a few sounds that are made now, and for how many."""
    from eutectic.rendering.estimate import measured, pace_of

    pool = asked.pool()
    pace = pace_of(there)
    if pace is not None or not survey.missing or asked.ray is not None:
        return pace, pool.size
    with tempfile.TemporaryDirectory() as folder:
        pool = asked.pool(folder)
        with errors.status("timing a few") if errors.is_terminal else contextlib.nullcontext():
            return measured(plan, pool, there.is_settled), pool.size


class _Bar:
    """Shows how far a run is: a bar on a terminal, else now and then a line."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._told: set[str] = set()
        self._stack = contextlib.ExitStack()
        self._report: Progress = lambda _what, _done, _total: None
        self._total = self._done = self._failed = self._first = 0
        self._began = self._next = 0.0

    def __enter__(self) -> _Bar:
        self._report = self._stack.enter_context(stages("planning", rate=True))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def planned(self, done: int, total: int) -> None:
        self._report("planning", done, total)

    def begun(self, survey: Survey, workers: int) -> None:
        self._total = survey.missing
        there = f", {survey.done} are there already" if survey.done else ""
        by = f" with {_many(workers, 'worker')}" if workers else ""
        errors.print(f"{survey.missing} to make{by}{there}")
        if survey.missing:
            self._report("loading the model", 0, survey.missing)

    def learned(self, reference: Reference, done: int, total: int) -> None:
        if reference.reason:
            self._tell(f"\u201c{reference.wanted.prompt}\u201d can't be used: {reference.reason}")
        self._report("learning references", done, total)

    def made(self, row: Row) -> None:
        if row.reason:
            self._failed += 1
            self._tell(f"{row.name}: {row.reason}")
        self._done += 1
        failed = f", {self._failed} failed" if self._failed else ""
        self._report(f"fusing{failed}", self._done, self._total)
        now = time.monotonic()
        if not self._next:  # to load and to learn took time, too, which tells nothing
            self._began, self._first, self._next = now, self._done, now + LINE_SECONDS
        if not errors.is_terminal and now >= self._next:
            self._next = now + LINE_SECONDS
            rate = (self._done - self._first) / (now - self._began)
            left = _duration((self._total - self._done) / rate)
            errors.print(f"{self._done} of {self._total}{failed}, {rate:.3g} a second, {left} left")

    def _tell(self, text: str) -> None:
        """Say each thing once, and not too many."""
        from eutectic.rendering.planning import MOST_LINES

        reason = text.rpartition(": ")[2]
        if reason not in self._told and len(self._told) < MOST_LINES:
            self._told.add(reason)
            fail(text, 2)


def _tell(outcome: Outcome, out: str, written: list[str]) -> None:
    """What came of it, in a few lines."""
    survey = outcome.survey
    parts = [f"{outcome.made} made"] if survey.missing else []
    parts += [f"{survey.done} were there already"] if survey.done else []
    failed = outcome.failed + survey.unusable
    parts += [f"{failed} couldn't be made (the manifest says why)"] if failed else []
    parts += [f"{survey.taken} not made, as other files have their names"] if survey.taken else []
    took = f" in {_duration(outcome.seconds)}, {_size(outcome.size)}" if outcome.made else ""
    console.print(f"{', '.join(parts)}{took}; {' and '.join(written)} in {out}")
    if survey.taken:
        warn(IN_THE_WAY)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _duration(seconds: float) -> str:
    """A time in words."""
    if seconds >= HOUR:
        return f"{seconds / HOUR:.1f} h"
    return f"{seconds / MINUTE:.0f} min" if seconds >= 2 * MINUTE else f"{seconds:.0f} s"


def _size(size: float) -> str:
    """Bytes in words."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
