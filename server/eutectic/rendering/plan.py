"""The plan: which sounds there will be, under which names, and in which batches they are made.

It streams. What is gathered is small, and every item, its key and its name follow from it when they
are asked for, so that a million of them are never held; what is kept of each is eight bytes of its
name, while names are compared.

Items are numbered by original, reference, preset, recall, seed and blend, which is the manifest's
order. Batches go by reference, preset, recall and seed, and take originals of about one length:
what they share is made once. They are the same whatever is done already.
"""

from __future__ import annotations

import hashlib
import itertools
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import msgspec
import numpy as np

from eutectic.config import LearnSettings, SamplingSettings
from eutectic.errors import BadSetting
from eutectic.fusion_options import SAMPLING
from eutectic.link.errands import Wanted
from eutectic.rendering import naming
from eutectic.rendering.gathering import Asked, Block, Gathered, Variant
from eutectic.rendering.models import ModelAsked
from eutectic.rendering.naming import Template
from eutectic.rendering.sounds import Heard
from eutectic.rendering.work import Batch, Item, Piece

FORMAT = 1
"""Of keys: another number makes everything again."""

BATCHES = 8
"""There are so many for each worker, if there is enough to do, so that none waits for long."""

MOST_PIECES, MOST_ITEMS = 16, 128
"""Of a batch: what is lost if its worker dies, and what is waited for after Ctrl-C."""

Asks = Callable[[Item], bool]
"""Whether something is so of an item, such as that it is there already."""


@dataclass(frozen=True)
class Survey:
    """How many items a plan has, how many of them are done, and how many can't be made.

    `taken`: those whose names other files have. `seconds`: of sound that is still to be made.
    """

    count: int
    done: int
    unusable: int
    taken: int
    seconds: float

    @property
    def missing(self) -> int:
        """How many are to be made."""
        return self.count - self.done - self.unusable - self.taken


@dataclass(frozen=True)
class Plan:
    """All that is wanted, what the sounds hold, and what the files are called.

    `heard`: of each section; what can't be read is planned, too, and named in the manifest.
    """

    gathered: Gathered
    heard: Sequence[Heard]
    template: Template
    model: ModelAsked

    def items(self) -> Iterator[Item]:
        """Every item, in the manifest's order.

        Raises:
            BadSetting: a name isn't one.
        """
        for block in self.gathered.blocks:
            for original in block.originals:
                for reference, variant in itertools.product(block.references, block.variants):
                    yield from self._items(original, reference, variant)

    def batches(self, pieces: int = MOST_PIECES, is_done: Asks | None = None) -> Iterator[Batch]:
        """Batches of so many originals at most, without what is done; none is empty.

        What can't be read is in none: see `unusable`.
        """
        numbers = itertools.count()
        for block, reference, variant in self._groups():
            originals = [
                each for each in self._by_length(block)
                if not (self.heard[each].reason or self._reason(reference))
            ]  # fmt: skip
            yield from self._batches(numbers, originals, reference, variant, pieces, is_done)

    def unusable(self, is_done: Asks | None = None) -> Iterator[tuple[Batch, str]]:
        """What can't be made because a sound can't be read, as batches of one piece, and why."""
        if not any(each.reason for each in self.heard):
            return
        numbers = itertools.count()
        for block, reference, variant in self._groups():
            for original in block.originals:
                reason = self._reason(reference) or self.heard[original].reason
                if reason:
                    batches = self._batches(numbers, [original], reference, variant, 1, is_done)
                    yield from ((batch, reason) for batch in batches)

    def wanted(self, is_done: Asks | None = None) -> list[Wanted]:
        """The references of which something is learned or loaded for what isn't done, each once."""
        found: dict[int, Wanted] = {}
        for block, reference, variant in self._groups():
            asked, chosen = self.gathered.references[reference], self.gathered.variants[variant]
            if reference in found or self._reason(reference) or not self._is_heard(asked, chosen):
                continue
            usable = (each for each in block.originals if not self.heard[each].reason)
            if any(self._missing(each, reference, variant, is_done) for each in usable):
                found[reference] = self._wanted(asked, chosen)
        return list(found.values())

    def pieces(self, workers: int) -> int:
        """How many originals a batch should have at most."""
        pairs = sum(block.pairs for block in self.gathered.blocks)
        return min(MOST_PIECES, max(1, pairs // (BATCHES * workers)))

    def survey(
        self, is_done: Asks | None = None, is_taken: Asks | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Survey:  # fmt: skip
        """Look at every item once, before any work.

        Raises:
            BadSetting: two names are the same on some file system, or one isn't a name on each.
        """
        done = unusable = taken = 0
        seconds = 0.0
        hashes = array("Q")
        for block, reference, variant in self._groups():
            for original in block.originals:
                items = list(self._items(original, reference, variant))
                for item in items:
                    naming.check_name(item.name, "name")
                hashes.extend(_hash(item.name) for item in items)
                if self._reason(reference) or self.heard[original].reason:
                    unusable += len(items)
                    continue
                left = [item for item in items if is_done is None or not is_done(item)]
                clashing = 0 if is_taken is None else sum(map(is_taken, left))
                done += len(items) - len(left)
                taken += clashing
                seconds += (len(left) - clashing) * self.heard[original].seconds
            progress(len(hashes))
        self._check_different(hashes)
        return Survey(len(hashes), done, unusable, taken, seconds)

    def _check_different(self, hashes: array[int]) -> None:
        """Raises:
        BadSetting: two names are the same.
        """
        found = np.frombuffer(hashes, np.uint64).copy()
        found.sort()
        twice = found[1:][found[1:] == found[:-1]]
        if len(twice):
            clashing = set(twice.tolist())
            name = next(item.name for item in self.items() if _hash(item.name) in clashing)
            raise BadSetting(
                f"name {self.template.text!r}: two sounds would be called {name}; something in it "
                "must tell them apart, or the same is wanted twice"
            )

    def _groups(self) -> Iterator[tuple[Block, int, int]]:
        """Blocks by reference, then by variant: one of each."""
        order = sorted(
            (reference, number)
            for number, block in enumerate(self.gathered.blocks)
            for reference in block.references
        )
        for reference, number in order:
            block = self.gathered.blocks[number]
            for variant in block.variants:
                yield block, reference, variant

    def _by_length(self, block: Block) -> array[int]:
        return self._sorted.setdefault(
            id(block), array("I", sorted(block.originals, key=lambda n: self.heard[n].seconds))
        )

    @cached_property
    def _sorted(self) -> dict[int, array[int]]:
        return {}

    def _batches(
        self, numbers: Iterator[int], originals: Sequence[int], reference: int, variant: int,
        most: int, is_done: Asks | None,
    ) -> Iterator[Batch]:  # fmt: skip
        """A group's originals, some at a time; what is done already has its number, too."""
        asked, chosen = self.gathered.references[reference], self.gathered.variants[variant]
        most = max(1, min(most, MOST_ITEMS // len(chosen.places)))
        for start in range(0, len(originals), most):
            number = next(numbers)
            pieces = tuple(
                Piece(self.gathered.sections[original], self.heard[original].digest, items)
                for original in originals[start : start + most]
                if (items := self._missing(original, reference, variant, is_done))
            )
            if pieces:
                yield Batch(
                    number, self._wanted(asked, chosen),
                    self.heard[asked.sound].digest, chosen.sampling, chosen.preset, chosen.level,
                    self.template.suffix, pieces,
                )  # fmt: skip

    def _missing(
        self, original: int, reference: int, variant: int, is_done: Asks | None
    ) -> tuple[Item, ...]:
        items = self._items(original, reference, variant)
        return tuple(each for each in items if is_done is None or not is_done(each))

    def _items(self, original: int, reference: int, variant: int) -> Iterator[Item]:
        """The items of a pair, one for each place."""
        chosen = self.gathered.variants[variant]
        values = self._values[variant] | {
            "original": self._original_labels[original],
            "reference": self._reference_labels[reference],
        }
        hashed = self._hashed(reference, variant).copy()
        heard, section = self.heard[original], self.gathered.sections[original]
        hashed.update((heard.digest or repr(section)).encode() + b"\0")
        for place in chosen.places:
            values["blend"] = naming.place_value(place)
            name = self.template.name(values)
            own = hashed.copy()
            own.update(f"{place.blend} {place.remaining} {name}".encode())
            yield Item(own.hexdigest(), name, place)

    def _hashed(self, reference: int, variant: int) -> hashlib.blake2b:
        """What the keys of a reference and a variant begin with."""
        if (found := self._hashes.get((reference, variant))) is None:
            asked, chosen = self.gathered.references[reference], self.gathered.variants[variant]
            sound = self.heard[asked.sound].digest or repr(self.gathered.sections[asked.sound])
            is_heard = self._is_heard(asked, chosen)
            lora = self._loras.get(asked.lora or "", "") if is_heard else ""
            parts = (
                FORMAT, self.model.identity, sound, asked.prompt,
                _chosen(asked.learning) if is_heard and asked.learning else None, lora,
                _chosen(chosen.sampling), chosen.level,
            )  # fmt: skip
            found = hashlib.blake2b(msgspec.json.encode(parts), digest_size=16)
            self._hashes.clear() if len(self._hashes) > 4096 else None
            self._hashes[reference, variant] = found
        return found

    @cached_property
    def _hashes(self) -> dict[tuple[int, int], hashlib.blake2b]:
        return {}

    @cached_property
    def _values(self) -> list[dict[str, Any]]:
        """What a template is filled in with, by variant."""
        return [
            naming.values_of(each.preset, each.sampling, each.level)
            for each in self.gathered.variants
        ]

    @cached_property
    def _loras(self) -> dict[str, str]:
        """The digests of LoRA files."""
        files = {each.lora for each in self.gathered.references if each.lora is not None}
        return {each: _file_digest(each) for each in files}

    @cached_property
    def _original_labels(self) -> dict[int, str]:
        places = self.gathered.originals
        return dict(
            zip(places, naming.labels([self.gathered.sections[n] for n in places]), strict=True)
        )

    @cached_property
    def _reference_labels(self) -> list[str]:
        asked = self.gathered.references
        return naming.labels(
            [self.gathered.sections[each.sound] for each in asked], [each.prompt for each in asked]
        )

    def _wanted(self, asked: Asked, variant: Variant) -> Wanted:
        return asked.wanted(self.gathered.sections[asked.sound], variant.sampling)

    def _is_heard(self, asked: Asked, variant: Variant) -> bool:
        """Whether what the network has learned of a reference has a part in a sound."""
        recall = variant.sampling.recall
        learns = asked.learning is not None or asked.lora is not None
        return learns and (self.model.defaults.recall if recall is None else recall) < 1

    def _reason(self, reference: int) -> str:
        """Why a reference can't be used, or nothing."""
        return self.heard[self.gathered.references[reference].sound].reason


def varied(gathered: Gathered) -> list[str]:
    """What has several values, as a template names it, but for what differs with the preset."""
    found = {"original": len(gathered.originals) > 1, "reference": len(gathered.references) > 1}
    by_preset: dict[str, list[Variant]] = {}
    for each in gathered.variants:
        by_preset.setdefault(each.preset, []).append(each)
    found["preset"] = len(by_preset) > 1
    for some in by_preset.values():
        values = {name: {getattr(each.sampling, name) for each in some} for name in SAMPLING}
        values["level"] = {each.level for each in some}
        values["blend"] = {place for each in some for place in each.places}
        for name, different in values.items():
            found[name] = found.get(name, False) or len(different) > 1
    return [name for name, several in found.items() if several]


def _chosen(settings: SamplingSettings | LearnSettings) -> dict[str, object]:
    """What isn't left at its default: settings that a later version adds change no key."""
    values = {each.name: (getattr(settings, each.name), each.default) for each in fields(settings)}
    return {name: value for name, (value, default) in values.items() if value != default}


def _hash(name: str) -> int:
    digest = hashlib.blake2b(naming.folded(name).encode(), digest_size=8).digest()
    return int.from_bytes(digest)


def _file_digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
