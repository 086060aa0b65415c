"""What a manifest and a file's tags say of one sound."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from eutectic.config import SamplingSettings
from eutectic.link.errands import Known, Wanted
from eutectic.recipe import FORMAT, Learned, LoraUsed, ModelUsed, Recipe, Section
from eutectic.rendering.work import Batch, Item, Piece, Row


def planned(batch: Batch, piece: Piece, item: Item) -> Row:
    """The row of a sound that isn't made yet."""
    original, reference, sampling = piece.original, batch.reference.source, batch.sampling
    return Row(
        key=item.key, name=item.name,
        original=original.path, original_digest=piece.digest,
        original_start=original.start_seconds, original_duration=original.duration_seconds,
        reference=reference.path, reference_digest=batch.reference_digest,
        reference_start=reference.start_seconds, reference_duration=reference.duration_seconds,
        prompt=batch.reference.prompt, preset=batch.preset,
        blend=item.place.blend, remaining=item.place.remaining, level=batch.level,
        **_sampled(sampling),
    )  # fmt: skip


def failed(batch: Batch, piece: Piece, item: Item, reason: str, worker: str) -> Row:
    """The row of a sound that can't be made."""
    return msgspec.structs.replace(planned(batch, piece, item), reason=reason, worker=worker)


def made(row: Row, known: Known, sampling: SamplingSettings) -> Row:
    """A row with the model's own choices, and what of it took part."""
    return msgspec.structs.replace(
        row, model=known.model, model_digest=known.model_digest, learned=known.digest,
        **_sampled(sampling),
    )  # fmt: skip


def recipe(batch: Batch, piece: Piece, item: Item) -> Recipe:
    """How a sound is made, as far as no model takes part."""
    original, source = piece.original, batch.reference.source
    return Recipe(
        format=FORMAT, version=version("eutectic"), place=item.place, level=batch.level,
        original=Section.of(
            Path(original.path), piece.digest, original.start_seconds, original.duration_seconds
        ),
        reference=Section.of(
            Path(source.path), batch.reference_digest, source.start_seconds, source.duration_seconds
        ),
    )  # fmt: skip


def with_engine(
    recipe: Recipe, reference: Wanted, known: Known, sampling: SamplingSettings
) -> Recipe:
    """A recipe with what an engine had to do with it; the sampling has its choices in it."""
    name = known.model
    used = ModelUsed(
        str(Path(name).absolute()) if Path(name).is_dir() else name,
        known.model_digest, known.device,
    )  # fmt: skip
    learned = lora = None
    if reference.lora is not None and known.about is not None:
        lora = LoraUsed.of(Path(reference.lora), known.about.get("file_digest", ""))
    elif known.learning is not None:
        learned = Learned(known.learning, known.digest)
    return msgspec.structs.replace(
        recipe, prompt=reference.prompt, sampling=sampling, learned=learned, lora=lora, model=used
    )


def _sampled(sampling: SamplingSettings) -> dict[str, Any]:
    names = (
        "seed", "recall", "slack", "cfg", "negative", "steps", "order", "solver", "eta", "residual",
        "residual_amount", "strength",
    )  # fmt: skip
    return {name: getattr(sampling, name) for name in names}
