"""How soon a fusion that has to be made would be heard: from how long such fusions took."""

from __future__ import annotations

import heapq
import logging
import math
import statistics
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec

from eutectic.errors import BadOutput
from eutectic.files.atomic import atomic_path
from eutectic.link.protocol import ModelFacts
from eutectic.session.pair import Pair

log = logging.getLogger("eutectic.session")

KEPT = 256
"""The newest measurements."""

MAX_PREPARED = 512
"""Of what the engine has prepared; it evicts, too."""

NEAREST = 5
"""An expectation is the median of so many of the measurements that are most like it."""

UNKNOWN_SOURCE = 0.5
"""Unlikeness of a fusion whose source the engine has to prepare to one where it needn't."""


class Case(msgspec.Struct, frozen=True):
    """What the time that a fusion takes depends on.

    `evaluations`: of the network, about. `new_original`, `new_reference`: the engine has yet to
    invert the one, and to sample the other.
    """

    model: str
    evaluations: int
    recall: float
    seconds: float
    new_original: bool
    new_reference: bool
    where: str = ""
    """The engine's machine, if that is another."""


class Measured(msgspec.Struct, frozen=True):
    """How long one took, from its request to its first sample."""

    case: Case
    ms: float


class Costs:
    """Times of fusions, kept from one night to the next; owned by the event loop.

    `where`: the engine's machine is, if that is another.
    """

    def __init__(self, path: Path, where: Callable[[], str] = lambda: "") -> None:
        self._path, self._where = path, where
        self._measured: deque[Measured] = deque(_read(path), maxlen=KEPT)
        self._busy_ms: deque[float] = deque(maxlen=KEPT)
        self._facts: ModelFacts | None = None
        self._prepared: dict[tuple[object, ...], None] = {}
        """What the engine has inverted and sampled, the newest last."""
        self._expected: dict[Case, float] = {}
        """Without others ahead, until the next measurement."""

    def case(self, pair: Pair, facts: ModelFacts) -> Case:
        """What a fusion of this pair would be, with the engine as it is."""
        self._follow(facts)
        original, reference = _prepared(pair)
        return Case(
            facts.digest, _evaluations(pair, facts), pair.sampling.recall or 0.0,
            pair.original.seconds,
            original not in self._prepared, reference not in self._prepared, self._where(),
        )  # fmt: skip

    def made(self, pair: Pair, facts: ModelFacts | None) -> None:
        """The engine has made a fusion of this pair."""
        if facts is not None:
            self._follow(facts)
            for each in _prepared(pair):
                self._prepared.pop(each, None)
                self._prepared[each] = None
            while len(self._prepared) > MAX_PREPARED:
                del self._prepared[next(iter(self._prepared))]

    def add(self, case: Case, ms: float) -> None:
        """One that nothing else had to wait for took so long."""
        self._measured.append(Measured(case, ms))
        self._expected.clear()

    def add_busy(self, ms: float) -> None:
        """So long the engine was busy with one, to its last sample."""
        self._busy_ms.append(ms)

    def expected_ms(self, case: Case, ahead: int) -> float | None:
        """How soon one would be heard, with others ahead of it; None if nothing is known."""
        if case not in self._expected:
            known = [each for each in reversed(self._measured) if _is_alike(each.case, case)]
            if not known:
                return None
            nearest = heapq.nsmallest(NEAREST, known, lambda each: _unlikeness(each.case, case))
            if len(self._expected) >= KEPT:
                self._expected.clear()
            self._expected[case] = statistics.median(each.ms for each in nearest)
        waiting = ahead * statistics.median(self._busy_ms) if self._busy_ms else 0.0
        return self._expected[case] + waiting

    def close(self) -> None:
        """Keep what was measured."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(self._path) as path:
                path.write_bytes(msgspec.json.encode(list(self._measured)))
        except (OSError, BadOutput) as error:
            log.warning("times can't be kept: %s", error)

    def _follow(self, facts: ModelFacts) -> None:
        if facts is not self._facts:  # another engine, which has nothing yet
            self._facts = facts
            self._prepared.clear()


def _read(path: Path) -> list[Measured]:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=list[Measured])
        return [each for each in found if each.case.seconds > 0 and each.ms > 0]
    except (OSError, msgspec.DecodeError):  # none yet, or another version's
        return []


def _prepared(pair: Pair) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """What the engine keeps of an original and of a reference, once it has fused them."""
    alike = replace(pair.sampling, seed=0, recall=None, strength=None)
    return (pair.original.key, alike), (pair.reference.spec, pair.sampling)


def _evaluations(pair: Pair, facts: ModelFacts) -> int:
    sampling = pair.sampling
    if sampling.recall == 1:
        return 0
    steps = facts.steps if sampling.steps is None else sampling.steps
    guided = (facts.cfg if sampling.cfg is None else sampling.cfg) != 1
    return steps * (sampling.order or 1) * (2 if guided else 1)


def _is_alike(one: Case, other: Case) -> bool:
    """Whether the same engine, as far as speed goes, would make both."""
    return (one.model, one.where) == (other.model, other.where)


def _unlikeness(one: Case, other: Case) -> float:
    return (
        abs(math.log((1 + one.evaluations) / (1 + other.evaluations)))
        + abs(one.recall - other.recall)
        + abs(math.log(one.seconds / other.seconds))
        + UNKNOWN_SOURCE * (one.new_original != other.new_original)
        + UNKNOWN_SOURCE * (one.new_reference != other.new_reference)
    )
