"""Which sounds are compared: pairs of files, listed or found in a folder."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from eutectic.errors import BadInput
from eutectic.experiments.quality.recordings import SHORTEST_SECONDS
from eutectic.files import toml
from eutectic.reading import sections
from eutectic.training.recordings import check_recordings, is_held_out

SOUND_FILES = frozenset({".aif", ".aiff", ".flac", ".mp3", ".oga", ".ogg", ".wav"})

FEWEST_UNRELATED = 12
"""Recordings that likeness needs besides those that are compared."""

COUNT = 12
"""Pairs made of a folder's recordings, if it has enough."""


@dataclass(frozen=True)
class Pair:
    """The files of an original and a reference."""

    original: Path
    reference: Path

    @property
    def name(self) -> str:
        """Both files' names."""
        return f"{self.original.stem} → {self.reference.stem}"


class Listed(msgspec.Struct, forbid_unknown_fields=True):
    """A line of a list: files, relative to its folder."""

    original: str
    reference: str


class PairList(msgspec.Struct, forbid_unknown_fields=True):
    """A TOML list of pairs: tables named `[[pair]]`."""

    pair: list[Listed]
    format: int = toml.FORMAT


def find_pairs(source: Path | None, recordings: Path) -> list[Pair]:
    """The pairs of a list (`.toml` or `.csv`) or a folder; else of held-out recordings.

    Args:
        source: a list, or a folder of which every recording may be taken.
        recordings: a folder of which only those are taken that no model was trained on.

    Raises:
        BadInput: no pair is found, or a file is missing or isn't a sound.
    """
    if source is None:
        held_out = [path for path in sound_files(recordings) if is_held_out(path.stem)]
        return _from_files(held_out, recordings)
    if source.is_dir():
        return _from_files(sound_files(source), source)
    if not source.exists():
        raise BadInput(f"{source}: no such list or folder of recordings")
    listed = _csv(source) if source.suffix.lower() == ".csv" else toml.read(source, PairList).pair
    if not listed:
        raise BadInput(f"{source}: lists no pair")
    pairs = [Pair(source.parent / each.original, source.parent / each.reference) for each in listed]
    for path in files_of(pairs):
        sections.check(path)
    return pairs


def files_of(pairs: Sequence[Pair]) -> list[Path]:
    """The files that the pairs consist of, each once."""
    return list(dict.fromkeys(path for pair in pairs for path in (pair.original, pair.reference)))


def sound_files(folder: Path) -> list[Path]:
    """The sound files below a folder, sorted; of those with the same name the first.

    Raises:
        BadInput: there is no such folder.
    """
    check_recordings(folder)
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SOUND_FILES)
    return sorted({path.stem: path for path in reversed(found)}.values())


def unrelated_files(folder: Path, besides: Iterable[Path]) -> list[Path]:
    """The sound files below a folder whose names are those of none that are compared.

    Raises:
        BadInput: there is no such folder, or it has fewer than FEWEST_UNRELATED of them.
    """
    compared = {path.stem for path in besides}
    others = [path for path in sound_files(folder) if path.stem not in compared]
    if len(others) < FEWEST_UNRELATED:
        raise BadInput(
            f"{folder}: likeness needs {FEWEST_UNRELATED} or more recordings besides those that "
            f"are compared; there are {len(others)}"
        )
    return others


def made_of(paths: Sequence[Path], count: int = COUNT) -> list[Pair]:
    """Pairs of recordings that are far apart in the list, where neighbours are often of a kind.

    Each recording is as often original as reference, and no pair is there twice. Of more than
    `count` recordings, those whose pairs are spread evenly over the list.
    """
    size = len(paths)
    distances = sorted(range(1, size), key=lambda distance: abs(distance - size / 2 + 0.75))
    every = [(start, (start + far) % size) for far in distances for start in range(size)]
    if size > count:
        every = [every[number * size // count] for number in range(count)]
    return [Pair(paths[one], paths[other]) for one, other in every[:count]]


def _from_files(paths: Sequence[Path], folder: Path) -> list[Pair]:
    pairs = made_of([path for path in paths if _long_enough(path)])
    if not pairs:
        raise BadInput(
            f"{folder}: has fewer than two recordings of {SHORTEST_SECONDS:g} s or more to compare"
        )
    return pairs


def _long_enough(path: Path) -> bool:
    import soundfile

    try:
        return soundfile.info(path).duration >= SHORTEST_SECONDS
    except soundfile.LibsndfileError:
        return False


def _csv(path: Path) -> list[Listed]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [msgspec.convert(row, Listed) for row in csv.DictReader(file)]
    except (OSError, ValueError, csv.Error) as error:
        raise BadInput(
            f"{path}: can't be read as lines of original,reference under that header ({error})"
        ) from None
