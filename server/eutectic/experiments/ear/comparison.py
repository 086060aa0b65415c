"""Fusions beside plain morphs of the same pairs, and the codec beside Opus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from eutectic.audio import Waveform, load_clip
from eutectic.config import LearnSettings, SamplingSettings, sdedit
from eutectic.engine.clips import Clip
from eutectic.engine.fuser import Reference
from eutectic.engine.watch import Watch
from eutectic.experiments.ear import coding, tables
from eutectic.experiments.ear.contenders import Contender, Fusions, Interpolation, plain
from eutectic.experiments.ear.embedding import Ear, unrelated
from eutectic.experiments.ear.judging import BLENDS, MIDDLE_BLEND, Figures, Judge, as_heard
from eutectic.experiments.ear.pairs import Pair, files_of, find_pairs
from eutectic.experiments.ear.variants import Variant
from eutectic.experiments.quality.recordings import Recording
from eutectic.experiments.quality.setup import Setup
from eutectic.experiments.report import Table

FUSION = "fusion"


def measure(setup: Setup) -> list[Table]:
    """Measure every contender on every pair, then the codec's round trip of each recording.

    What is known of a pair is kept in the setup's ledger, so that an interrupted run resumes.

    Raises:
        BadInput: recordings, aisfx, zimtohrli or ffmpeg are missing.
        BadSetting: a variant is invalid, or has no meaning with this model.
        Cancelled: the watch was asked to stop.
    """
    run = Comparison(setup, tuple(find_pairs(setup.pairs, setup.samples)))
    entrants, files = run.entrants(), files_of(run.pairs)
    whole = len(run.pairs) * len(entrants) + len(files)
    figures: dict[str, list[Figures]] = {entrant.name: [] for entrant in entrants}
    for place, pair in enumerate(run.pairs):
        for number, entrant in enumerate(entrants, start=1):
            figures[entrant.name].append(run.figures(pair, entrant))
            setup.watch.progress(place * len(entrants) + number, whole)
    coded: list[tuple[str, coding.Figures]] = []
    for number, path in enumerate(files, start=1):
        setup.watch.checkpoint()
        coded.append((path.stem, run.coded(path)))
        setup.watch.progress(len(run.pairs) * len(entrants) + number, whole)
    names = [pair.name for pair in run.pairs]
    ours = [entrant.name for entrant in entrants if entrant.ours]
    return [*tables.compared(names, figures, ours), *tables.coded(coded)]


@dataclass(frozen=True)
class Entrant:
    """A contender by name, with all that its sounds depend on besides model and pair.

    `ours` are those whose wins over the others are counted.
    """

    name: str
    contender: Contender
    settings: Mapping[str, Any]
    ours: bool = False


@dataclass(frozen=True)
class Comparison:
    """One run over some pairs, cut or looped to the setup's length."""

    setup: Setup
    pairs: tuple[Pair, ...]

    @cached_property
    def recordings(self) -> dict[Path, Recording]:
        """The pairs' files, as much of each as is used."""
        codec, seconds = self.setup.engine.model.codec, self.setup.seconds
        return {
            path: Recording(
                path.stem,
                load_clip(path, codec.rate_hz, codec.channels, duration_seconds=seconds),
            )
            for path in files_of(self.pairs)
        }

    @cached_property
    def sections(self) -> dict[Path, Waveform]:
        """What contenders get of each file."""
        seconds = self.setup.seconds
        return {path: recording.section(seconds) for path, recording in self.recordings.items()}

    @cached_property
    def ear(self) -> Ear:
        """Used to recordings of the setup's folder that are in no pair."""
        return Ear.used_to(map(as_heard, unrelated(self.setup.samples, files_of(self.pairs))))

    @property
    def quiet(self) -> Watch:
        """A watch that cancels but reports no progress, for work within one item."""
        return Watch(self.setup.watch.cancelled)

    def entrants(self) -> list[Entrant]:
        """Fusions at the model's defaults, then the variants, SDEdit and all that isn't ours."""
        engine = self.setup.engine
        variants = [Variant(), *map(Variant.read, dict.fromkeys(self.setup.variants))]
        fused = [
            self._fusions(f"{FUSION} {each.name}".strip(), each, each.settings, ours=True)
            for each in variants
        ]
        noised = self._fusions("sdedit", Variant(), sdedit(SamplingSettings()))
        latent = Entrant("latent", Interpolation(engine), {})
        return [
            *fused, noised, latent,
            *(Entrant(name, morph, {}) for name, morph in plain().items()),
        ]  # fmt: skip

    def _fusions(
        self, name: str, variant: Variant, settings: SamplingSettings, ours: bool = False
    ) -> Entrant:
        if settings.steps is None:
            settings = replace(settings, steps=self.setup.steps)
        budget = variant.budget_seconds
        if budget is None:
            budget = self.setup.budget_seconds
        if self.setup.engine.model.recall(settings) == 1:
            budget = 0.0  # the network isn't asked
        fusions = Fusions(self.setup.engine, self._learner(budget), settings, self.quiet)
        known = replace(variant, settings=settings, budget_seconds=budget).figures
        return Entrant(name, fusions, known, ours)

    def learned(self, clip: Clip) -> Reference:
        """A section's clip as a reference, learned within the setup's budget."""
        return self._learner(self.setup.budget_seconds)(clip)

    def _learner(self, budget_seconds: float) -> Callable[[Clip], Reference]:
        """Learns references by the model's defaults, stopped by the budget, each once only."""
        engine, store = self.setup.engine, self.setup.references
        prompts = {
            self.sections[path].digest: each.prompt for path, each in self.recordings.items()
        }

        def refer(clip: Clip) -> Reference:
            prompt = prompts[clip.waveform.digest]
            if budget_seconds == 0:
                return Reference(prompt, clip, None)
            settings = LearnSettings(budget_seconds=budget_seconds)
            key = engine.reference_key(clip, prompt, settings, capped=True)
            adapter = store.get(key)
            if adapter is None:
                adapter = engine.memorise(clip, prompt, settings, self.quiet).adapter
                store.put(key, adapter)
            return Reference(prompt, clip, adapter.on(engine.model.device))

        return refer

    def figures(self, pair: Pair, entrant: Entrant) -> Figures:
        """What is measured of one contender on one pair."""
        original, reference = self.sections[pair.original], self.sections[pair.reference]

        def make() -> Figures:
            self.setup.watch.checkpoint()
            sounds = dict(zip(BLENDS, entrant.contender(original, reference, BLENDS), strict=True))
            name = f"ear-{pair.original.stem}-{pair.reference.stem}-{entrant.name}"
            self.setup.save_sound(name, sounds[MIDDLE_BLEND])
            return Judge(self.ear, original, reference).figures(sounds)

        return self.setup.ledger.get(
            make, part="ear", model=self.setup.engine.model.digest, ear=self._ear_digest,
            original=original.digest, reference=reference.digest,
            contender=entrant.name, settings=dict(entrant.settings),
        )  # fmt: skip

    def coded(self, path: Path) -> coding.Figures:
        """What the codec and Opus make of one recording's section."""
        section = self.sections[path]
        return self.setup.ledger.get(
            lambda: coding.figures(self.setup.engine.model.codec, self.ear, section),
            part="ear: codec", model=self.setup.engine.model.digest, ear=self._ear_digest,
            recording=section.digest,
        )  # fmt: skip

    @cached_property
    def _ear_digest(self) -> str:
        """Names what the ear is used to."""
        return Waveform(self.ear.mean[None].numpy(), 1).digest
