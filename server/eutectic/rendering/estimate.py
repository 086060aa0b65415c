"""How long a plan takes and how much it writes, from what was made before or from a few sounds."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from eutectic.files.learned import LearnedFile
from eutectic.link.errands import Wanted
from eutectic.rendering.driver import There
from eutectic.rendering.plan import Asks, Plan
from eutectic.rendering.pool import Pool
from eutectic.rendering.work import Batch, Row

PROBES = 3
"""Sounds that each worker makes to be timed; the first of them loads much."""

SAME_SECONDS = 0.05
"""Lengths that differ by less may be the same sound's at another rate."""


@dataclass(frozen=True)
class Pace:
    """Of one worker, for each second of sound: the seconds that it takes, and the bytes written.

    `known`: sounds made before that tell it; of 0, some were made to be timed.
    """

    seconds: float
    size: float
    known: int = 0


def alike(plan: Plan) -> Callable[[Row], bool]:
    """Whether a row's sound is of a plan's model, steps and format: these take about the same."""
    own = plan.model.defaults.steps
    steps = {each.sampling.steps or own for each in plan.gathered.variants}

    def is_alike(row: Row) -> bool:
        is_model = plan.model.identity in (row.model, row.model_digest)
        return is_model and row.steps in steps and row.name.endswith(plan.template.suffix)

    return is_alike


def pace_of(there: There) -> Pace | None:
    """The pace of what a destination has that is alike; None if that says nothing."""
    if not there.duration or not there.seconds:
        return None
    return Pace(there.seconds / there.duration, there.size / there.duration, there.alike)


def measured(plan: Plan, pool: Pool, is_done: Asks) -> Pace | None:
    """The pace of a few of a plan's sounds, without learning; None if none could be made.

    `pool`: one whose destination is thrown away.
    """
    first = next(plan.batches(1, is_done), None)
    if first is None:
        return None
    made: list[Row] = []
    with pool:
        pool.run(_probes(first, PROBES * pool.size), made.append)
    good = [each for each in made if not each.reason and each.seconds and each.duration]
    if not good:
        return None
    return Pace(
        statistics.median((each.seconds or 0.0) / (each.duration or 1.0) for each in good),
        statistics.median(each.size / (each.duration or 1.0) for each in good),
    )


def _probes(batch: Batch, count: int) -> Iterator[Batch]:
    """A batch's first sound so many times, with other seeds."""
    piece = batch.pieces[0]
    wanted = msgspec.structs.replace(batch.reference, learning=None, lora=None)
    for number in itertools.islice(itertools.count(), count):
        item = msgspec.structs.replace(
            piece.items[0], key=f"{number:032x}", name=f"{number}{batch.suffix}"
        )
        yield msgspec.structs.replace(
            batch, number=number, reference=wanted, sampling=replace(batch.sampling, seed=number),
            pieces=(msgspec.structs.replace(piece, items=(item,)),),
        )  # fmt: skip


def to_learn(
    plan: Plan, wanted: Sequence[Wanted], stored: Sequence[LearnedFile]
) -> list[Wanted]:  # fmt: skip
    """Those references that aren't in the store, as far as its files say without the model."""
    defaults = plan.model.learning
    seconds = {
        plan.gathered.sections[each.sound]: plan.heard[each.sound].seconds
        for each in plan.gathered.references
    }

    def is_stored(reference: Wanted) -> bool:
        asked = reference.learning or defaults
        method, steps = asked.method or defaults.method, asked.steps or defaults.steps
        return any(
            about.get("model") == plan.model.identity
            and about.get("prompt") == reference.prompt
            and (about.get("method"), about.get("steps")) == (method, steps)
            and about.get("seed") == asked.seed
            and (method == "full" or about.get("rank") == asked.rank)
            and abs(about.get("seconds", 0.0) - seconds[reference.source]) < SAME_SECONDS
            for about in (each.about for each in stored)
        )

    return [each for each in wanted if each.lora is None and not is_stored(each)]
