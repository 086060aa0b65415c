"""Wishes put together: every sound, reference and setting once, and what is made of which.

A million fusions are few sounds, references and settings. A block says by number that each of its
originals is fused with each of its references at each of its settings; rows of a list that differ
in their original alone become one block, so that a row takes four bytes.
"""

from __future__ import annotations

import itertools
import os
from array import array
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, TypeVar

from eutectic.config import LearnSettings, Level, Place, SamplingSettings, data_folder
from eutectic.errors import BadInput, BadInputs
from eutectic.files import names
from eutectic.files.learned import lora_path
from eutectic.fusion_options import Options, fuse_request, place, preset_options, sampling
from eutectic.link.errands import Wanted
from eutectic.link.protocol import Source
from eutectic.rendering.sounds import Finder
from eutectic.rendering.wishes import MOST_MISTAKES, Wish

Value = TypeVar("Value", bound=Hashable)


class Numbered(Generic[Value]):
    """Values, each once, by the order in which they came first."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self._numbers: dict[Value, int] = {}

    def number(self, value: Value) -> int:
        """A value's number, from 0."""
        found = self._numbers.setdefault(value, len(self.values))
        if found == len(self.values):
            self.values.append(value)
        return found


@dataclass(frozen=True)
class Variant:
    """How a pair is fused: a sampling with its seed and recall, and the places on its prefix."""

    preset: str
    sampling: SamplingSettings
    level: Level
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Asked:
    """A reference: its section, by number, and what it is to be learned or loaded with."""

    sound: int
    prompt: str
    learning: LearnSettings | None
    lora: str | None

    def wanted(self, source: Source, sampling: SamplingSettings) -> Wanted:
        """As an engine takes it; the same for all seeds."""
        alike = replace(sampling, seed=0)
        return Wanted(source, self.prompt, self.learning, self.lora, alike)


@dataclass
class Block:
    """Each of the originals with each of the references as each of the variants, by number."""

    originals: array[int]
    references: tuple[int, ...]
    variants: tuple[int, ...]

    @property
    def pairs(self) -> int:
        """How many sounds there are, but for the places of a variant."""
        return len(self.originals) * len(self.references) * len(self.variants)


@dataclass
class Gathered:
    """Everything that is wanted: sections of sound files, and the rest by number."""

    sections: list[Source]
    references: list[Asked]
    variants: list[Variant]
    blocks: list[Block] = field(default_factory=list[Block])

    @property
    def count(self) -> int:
        """How many sounds are wanted."""
        return sum(
            len(block.originals) * len(block.references) * len(self.variants[each].places)
            for block in self.blocks
            for each in block.variants
        )

    @property
    def originals(self) -> list[int]:
        """The sections that are originals, in order."""
        return sorted(set(itertools.chain(*(block.originals for block in self.blocks))))

    @property
    def used(self) -> list[int]:
        """The references' sections, in order."""
        return sorted({each.sound for each in self.references})


class Gatherer:
    """Takes wishes one by one, and keeps little of each."""

    def __init__(self, finder: Finder, learning: LearnSettings | None) -> None:
        self._finder, self._learning = finder, learning
        self._sections = Numbered[Source]()
        self._references = Numbered[Asked]()
        self._variants = Numbered[Variant]()
        self._blocks: dict[tuple[tuple[int, ...], tuple[int, ...]], Block] = {}
        self._known: dict[Hashable, tuple[int, ...]] = {}
        self._presets: dict[str, Options] = {}

    def add_all(self, wishes: Iterator[Wish]) -> set[str]:
        """Take wishes; returns the paths that are named on the command line.

        Raises:
            BadInputs: some can't be understood; each with its file and line, if it has one.
        """
        mistakes: list[BadInput] = []
        typed: set[str] = set()
        for wish in wishes:
            if not wish.where:
                typed.update(os.path.abspath(each) for each in wish.originals + wish.references)  # noqa: PTH100
            try:
                self._add(wish)
            except BadInput as error:
                mistakes.append(type(error)(f"{wish.where}: {error}") if wish.where else error)
                if len(mistakes) == MOST_MISTAKES:
                    break
        if mistakes:
            raise BadInputs(mistakes)
        return typed

    def gathered(self) -> Gathered:
        """What was taken."""
        for block in self._blocks.values():
            block.originals = array("I", dict.fromkeys(block.originals))
        return Gathered(
            self._sections.values, self._references.values, self._variants.values,
            list(self._blocks.values()),
        )  # fmt: skip

    def _add(self, wish: Wish) -> None:
        key = wish.originals, wish.original_start, wish.original_duration
        originals = self._once(("original", *key), lambda: self._found(*key))
        references = self._asked(wish)
        settings = (wish.presets, wish.blends, wish.recalls, wish.seeds, *wish.options.items())
        variants = self._once(settings, lambda: tuple(
            dict.fromkeys(map(self._variants.number, self._variants_of(wish)))
        ))  # fmt: skip
        block = self._blocks.setdefault(
            (references, variants), Block(array("I"), references, variants)
        )
        block.originals.extend(originals)

    def _once(self, key: Hashable, make: Callable[[], tuple[int, ...]]) -> tuple[int, ...]:
        """What the same words stood for before."""
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]

    def _found(self, texts: Sequence[str], start: float, duration: float | None) -> tuple[int, ...]:
        """The sections of the files that some texts stand for."""
        paths = itertools.chain(*map(self._finder.find, texts))
        sections = (Source(str(path), start, duration) for path in paths)
        return tuple(dict.fromkeys(map(self._sections.number, sections)))

    def _asked(self, wish: Wish) -> tuple[int, ...]:
        key = wish.references, wish.reference_start, wish.reference_duration
        whole = ("reference", *key, wish.prompt, wish.lora)
        return self._once(whole, lambda: self._references_of(wish, self._found(*key)))

    def _references_of(self, wish: Wish, sounds: Sequence[int]) -> tuple[int, ...]:
        if wish.prompt is not None and len(sounds) > 1:
            raise BadInput(f"prompt: there are {len(sounds)} references; a list names one for each")
        lora = None
        if wish.lora is not None:
            path = lora_path(data_folder(), Path(wish.lora).expanduser())
            if not path.is_file():
                raise BadInput(names.missing(path))
            lora = str(path.absolute())
        learning = None if lora else self._learning
        return tuple(
            self._references.number(
                Asked(sound, names.words(path) if wish.prompt is None else wish.prompt, learning,
                      lora)
            )
            for sound in sounds
            for path in [self._sections.values[sound].path]
        )  # fmt: skip

    def _variants_of(self, wish: Wish) -> Iterator[Variant]:
        """All that a wish's presets, recalls and seeds make, in this order."""
        for preset in wish.presets or ("",):
            if preset not in self._presets:
                self._presets[preset] = preset_options(preset) if preset else {}
            options = self._presets[preset] | wish.options
            for recall in sorted(wish.recalls) or (options.get("recall"),):
                for seed in sorted(wish.seeds) or (options.get("seed", 0),):
                    yield _variant(preset, options, {"recall": recall, "seed": seed}, wish.blends)


def _variant(
    preset: str, options: Options, more: Mapping[str, int | float | str | None],
    blends: Sequence[float],
) -> Variant:  # fmt: skip
    """One variant.

    Raises:
        BadSetting: its options exclude each other.
    """
    given = options | {name: value for name, value in more.items() if value is not None}
    if blends:
        given = {name: given[name] for name in given if name not in ("blend", "remaining")}
    elif "remaining" in options and "blend" in options:
        given = {name: given[name] for name in given if name != "blend"}
    request = fuse_request(given)
    places = tuple(Place(blend) for blend in sorted(set(blends))) or (place(request),)
    return Variant(preset, sampling(request), request.level or "match", places)
