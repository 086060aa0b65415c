"""What is to be rendered, and what came of it: what planner, workers and manifest share.

A batch goes to one worker as a whole. Its sounds have one reference and one sampling, so that they
share a prefix, and originals of about one length, so that they share network evaluations.
"""

from __future__ import annotations

import msgspec

from eutectic.config import Level, Place, SamplingSettings
from eutectic.link.errands import Wanted
from eutectic.link.protocol import Source


class Item(msgspec.Struct, frozen=True):
    """One sound that is to be made: its file's name, relative and with `/`, and where it enters.

    `key`: 32 hexadecimal digits of all that determines the sound and how it is written, its name
    among it; under one name it has the same key whatever else is rendered with it.
    """

    key: str
    name: str
    place: Place


class Piece(msgspec.Struct, frozen=True):
    """What one original of a batch is made into; `digest` is that of its samples."""

    original: Source
    digest: str
    items: tuple[Item, ...]


class Batch(msgspec.Struct, frozen=True):
    """Originals with one reference and one sampling, whose seed and recall it holds.

    `number`: its place in the plan, from 0. `preset`: the name of the one that the sampling comes
    from, or nothing. `suffix`: of the files, `.wav` or `.flac`.
    """

    number: int
    reference: Wanted
    reference_digest: str
    sampling: SamplingSettings
    preset: str
    level: Level
    suffix: str
    pieces: tuple[Piece, ...]


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a manifest. Of a sound that couldn't be made, `reason` says why.

    All but `seconds`, `worker` and `at` are the same whoever makes it.
    """

    key: str
    name: str
    reason: str = ""
    original: str
    original_digest: str
    original_start: float = 0.0
    original_duration: float | None = None
    reference: str
    reference_digest: str
    reference_start: float = 0.0
    reference_duration: float | None = None
    prompt: str
    preset: str = ""
    blend: float | None = None
    remaining: int | None = None
    seed: int = 0
    recall: float | None = None
    slack: float | None = None
    cfg: float | None = None
    negative: str | None = None
    steps: int | None = None
    order: int | None = None
    solver: str | None = None
    eta: float | None = None
    residual: str = ""
    residual_amount: float | None = None
    strength: float | None = None
    level: str = ""
    model: str = ""
    model_digest: str = ""
    learned: str = ""
    """Digest of what was learned of the reference, or of the LoRA; nothing: it is remembered."""
    digest: str = ""
    """Of the samples."""
    size: int = 0
    """Of the file, in bytes."""
    duration: float | None = None
    """Seconds of sound."""
    loudness: float | None = None
    """LUFS."""
    peak_db: float | None = None
    gain_db: float | None = None
    from_original: float | None = None
    """Log-mel distance (`engine.distances`)."""
    from_reference: float | None = None
    """Texture distance."""
    seconds: float | None = None
    """That it took to make, with its share of what its batch took."""
    worker: str = ""
    at: str = ""
    """When it was done, ISO 8601, UTC."""
