"""Batches as a plan makes them, of sounds that a test has written."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from eutectic.audio import check_section
from eutectic.config import LearnSettings, Level, Place, SamplingSettings
from eutectic.errors import BadAudio
from eutectic.link.errands import Wanted
from eutectic.link.protocol import Source
from eutectic.rendering.work import Batch, Item, Piece, Row
from sound_files import RATE, tone, write

SAMPLING = SamplingSettings(steps=4, recall=0.5)


def sounds(folder: Path, *seconds: float) -> list[Path]:
    """Files of these lengths, each of its own pitch; the last is the reference."""
    return [
        write(folder / f"{number}.wav", tone(RATE, each, 300.0 + 170 * number))
        for number, each in enumerate(seconds)
    ]


def batch(
    originals: Sequence[Path], reference: Path, blends: Sequence[float] = (0.4, 0.8),
    sampling: SamplingSettings = SAMPLING, learning: LearnSettings | None = None,
    level: Level = "match", suffix: str = ".wav", number: int = 0,
) -> Batch:  # fmt: skip
    """All originals at all blends, with one reference."""

    def item(path: Path, blend: float) -> Item:
        words = f"{path.name} {reference.name} {blend} {sampling} {learning}"
        key = hashlib.sha256(words.encode()).hexdigest()[:32]
        name = f"{path.stem}+{reference.stem}-{blend:g}-{sampling.seed}{suffix}"
        return Item(key, name, Place(blend=blend))

    pieces = (
        Piece(Source(str(path)), digest(path), tuple(item(path, blend) for blend in blends))
        for path in originals
    )
    wanted = Wanted(Source(str(reference)), reference.stem, learning)
    return Batch(
        number, wanted, digest(reference), sampling, "", level, suffix, tuple(pieces)
    )  # fmt: skip


def digest(path: Path) -> str:
    try:
        return check_section(path)
    except BadAudio:
        return "unknown"


def sound_of(row: Row) -> tuple[object, ...]:
    """All of a row but who made it, when, and how long that took."""
    return tuple(
        getattr(row, name) for name in row.__struct_fields__
        if name not in ("seconds", "worker", "at")
    )  # fmt: skip
