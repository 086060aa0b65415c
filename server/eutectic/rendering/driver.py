"""A run: what is missing of a plan is made and counted; however it ends, the next one goes on.

The driver knows no processes and no cluster. It hands batches to a pool as they are asked for, and
of what is done it holds eight bytes each.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from eutectic.rendering import rows
from eutectic.rendering.destination import TAKEN, Destination
from eutectic.rendering.journal import KeySet
from eutectic.rendering.plan import Plan, Survey
from eutectic.rendering.pool import Pool, Reference
from eutectic.rendering.work import Item, Row

PLANNER = "plan"
"""What the driver is called in rows: it writes those of sounds that can't be read."""

Thing = TypeVar("Thing")

IsStopped = Callable[[], bool]
"""Whether nothing more is to be begun."""


class Shown(Protocol):
    """What someone sees of a run."""

    def planned(self, done: int, total: int) -> None:
        """So many items have been looked at."""
        ...

    def begun(self, survey: Survey, workers: int) -> None:
        """What is there, and what will be made by how many."""
        ...

    def learned(self, reference: Reference, done: int, total: int) -> None: ...

    def made(self, row: Row) -> None:
        """A sound is there, or the reason why it isn't."""
        ...


@dataclass
class There:
    """What a destination has: the keys of what was made and of what couldn't be, and its names.

    `alike`, `seconds`, `duration`, `size`: how many tell the pace, what they took, their length and
    bytes.
    """

    made: KeySet
    failed: KeySet
    has_name: Callable[[str], bool]
    alike: int = 0
    seconds: float = 0.0
    duration: float = 0.0
    size: int = 0

    @classmethod
    def of(
        cls, destination: Destination, is_alike: Callable[[Row], bool] = lambda _: False
    ) -> There:  # fmt: skip
        """Read all its rows; what is alike tells how fast others are made."""
        there, failed = cls(KeySet(()), KeySet(()), destination.names()), list[str]()

        def made() -> Iterator[str]:
            for row in destination.rows():
                if row.reason:
                    failed.append(row.key)
                    continue
                if is_alike(row):
                    there.alike += 1
                    there.seconds += row.seconds or 0.0
                    there.duration += row.duration or 0.0
                    there.size += row.size
                yield row.key

        there.made = KeySet(made())
        there.failed = KeySet(failed)
        return there

    def is_made(self, item: Item) -> bool:
        return item.key in self.made

    def is_taken(self, item: Item) -> bool:
        """Whether another file has its name: it would be made in vain."""
        return not self.is_made(item) and self.has_name(item.name)

    def is_settled(self, item: Item) -> bool:
        """Whether it is made, or would be in vain."""
        return self.is_made(item) or self.has_name(item.name)

    def is_told(self, item: Item) -> bool:
        """Whether there is a row that says why it isn't made."""
        return item.key in self.failed


@dataclass
class Outcome:
    """What a run came to, in so many seconds."""

    survey: Survey
    made: int = 0
    failed: int = 0
    size: int = 0
    seconds: float = 0.0

    @property
    def missing(self) -> int:
        """How many were neither made nor found to be impossible."""
        return self.survey.missing - self.made - self.failed


def render(
    plan: Plan,
    destination: Destination,
    start: Callable[[], Pool],
    shown: Shown,
    is_stopped: IsStopped,
) -> Outcome:
    """Make what is missing. `start` gives a pool, which is asked for only if anything is.

    What failed before is tried again: it may have been for want of memory. Once `is_stopped` is
    true nothing new is begun.

    Raises:
        BadInput: two names are the same, the destination can't be written, or there are no workers.
    """
    there = There.of(destination)
    total = plan.gathered.count
    survey = plan.survey(
        there.is_made, there.is_taken, lambda done: shown.planned(done, total)
    )  # fmt: skip
    outcome, began = Outcome(survey), time.monotonic()
    _write_hopeless(plan, destination, there, survey)
    if not survey.missing or is_stopped():
        shown.begun(survey, 0)
        return outcome
    with start() as pool:
        shown.begun(survey, pool.size)
        _learn(plan, pool, there, shown, is_stopped)

        def count(row: Row) -> None:
            if row.reason:
                outcome.failed += 1
            else:
                outcome.made += 1
                outcome.size += row.size
            outcome.seconds = time.monotonic() - began
            shown.made(row)

        batches = plan.batches(plan.pieces(pool.size), there.is_settled)
        if not is_stopped():
            pool.run(_until(is_stopped, batches), count)
    outcome.seconds = time.monotonic() - began
    return outcome


def _write_hopeless(
    plan: Plan, destination: Destination, there: There, survey: Survey
) -> None:  # fmt: skip
    """Rows, unless they are there, for what can't be read and for names that other files have."""
    found = plan.unusable(there.is_told)
    if survey.taken:
        others = plan.batches(1, lambda item: there.is_told(item) or not there.is_taken(item))
        found = itertools.chain(found, ((batch, TAKEN) for batch in others))
    sink = None
    try:
        for batch, reason in found:
            sink = destination.sink(PLANNER) if sink is None else sink
            for piece in batch.pieces:
                for item in piece.items:
                    row = rows.failed(batch, piece, item, reason, PLANNER)
                    sink.put(row, None, None)
    finally:
        if sink is not None:
            sink.close()


def _learn(
    plan: Plan, pool: Pool, there: There, shown: Shown, is_stopped: IsStopped
) -> None:  # fmt: skip
    """Have each reference learned that a missing item needs."""
    wanted = plan.wanted(there.is_settled)
    done = 0

    def learned(reference: Reference) -> None:
        nonlocal done
        done += 1
        shown.learned(reference, done, len(wanted))

    if wanted:
        pool.learn(_until(is_stopped, wanted), learned)


def _until(is_stopped: IsStopped, things: Iterable[Thing]) -> Iterator[Thing]:
    """Things, until nothing more is to be begun."""
    for each in things:
        if is_stopped():
            return
        yield each
