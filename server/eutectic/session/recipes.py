"""How a fusion of the session was made, for the file that it is written to."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from eutectic.audio import check_section
from eutectic.config import Place
from eutectic.errors import BadAudio
from eutectic.link.protocol import ModelFacts, Source
from eutectic.recipe import FORMAT, Learned, LoraUsed, ModelUsed, Recipe, Section
from eutectic.session.pair import Pair


def recipe_of(pair: Pair, where: Place, facts: ModelFacts | None) -> Recipe:
    """All that it takes to make a fusion again; reads its sources, for their digests."""
    spec = pair.reference.spec
    return Recipe(
        format=FORMAT, version=version("eutectic"), original=_section(pair.original.source),
        reference=_section(pair.reference.source), prompt=spec.prompt, place=where,
        level=pair.level, sampling=pair.sampling,
        learned=None if spec.settings is None else Learned(spec.settings),
        lora=LoraUsed.of(Path(pair.reference.lora)) if pair.reference.lora else None,
        model=None if facts is None else ModelUsed(facts.name, facts.digest),
    )  # fmt: skip


def _section(source: Source) -> Section:
    """A clip's source; without a digest if it can't be read any more."""
    path, start, duration = Path(source.path), source.start_seconds, source.duration_seconds
    try:
        digest = check_section(path, start, duration)
    except BadAudio:
        digest = ""
    return Section.of(path, digest, start, duration)
