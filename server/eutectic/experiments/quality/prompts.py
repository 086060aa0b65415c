"""What the model makes of prompts alone: levels, blotches, and whether it matches the prompt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from eutectic.audio import Waveform, gain_to_db, loudness_lufs, match_loudness
from eutectic.config import Place, SamplingSettings
from eutectic.engine.fuser import Reference
from eutectic.experiments import pictures
from eutectic.experiments.quality.classes import CLASSES, Classifier, Features, features, synthesise
from eutectic.experiments.quality.measures import level_db, unrest
from eutectic.experiments.quality.setup import Setup
from eutectic.experiments.report import Row, Table, median
from eutectic.files.atomic import atomic_path

EXAMPLES = 30
"""Synthetic sounds per class that define its centroid, and as many again that test it."""

UNREST_TARGET = 1.5
SILENCE_DB, BLOCK_SECONDS = -60.0, 0.05


@dataclass(frozen=True)
class Sampled:
    """The sounds of one prompt, one per seed."""

    name: str
    prompt: str
    sounds: tuple[Waveform, ...]


def measure(setup: Setup, examples: int = EXAMPLES) -> list[Table]:
    """Sample both prompts of every class with several seeds, at the model's defaults."""
    prompts = [(name, each.prompt) for name, each in CLASSES.items()]
    prompts += [(name, each.natural) for name, each in CLASSES.items()]
    sampled: list[Sampled] = []
    for number, (name, prompt) in enumerate(prompts):
        sounds = tuple(sample(setup, prompt, seed) for seed in range(setup.seeds))
        sampled.append(Sampled(name, prompt, sounds))
        setup.watch.progress(number + 1, len(prompts))
        kind = "scene" if number < len(CLASSES) else "natural"
        for seed, sound in enumerate(sounds):
            setup.save_sound(f"prompt-{name}-{kind}-{seed}", sound)
    if setup.out is not None:
        draw(sampled[: len(CLASSES)], setup.out / "prompts.png")
    known: dict[str, list[Features]] = {}
    own_unrest: dict[str, float] = {}
    for name in CLASSES:
        sounds = (synthesise(name, seed, setup.seconds) for seed in range(2 * examples))
        each = [(features(sound), unrest(sound)) for sound in sounds]
        known[name], own_unrest[name] = [one for one, _ in each], median(two for _, two in each)
    return [_levels(setup, sampled, own_unrest), _likeness(sampled, known, examples)]


def sample(setup: Setup, prompt: str, seed: int) -> Waveform:
    """A sample of the base model, without levelling or any reference."""
    codec = setup.engine.model.codec
    frames = round(setup.seconds * codec.rate_hz)
    silence = Waveform(np.zeros((codec.channels, frames), np.float32), codec.rate_hz)
    reference = Reference(prompt, setup.engine.encode(silence), None)
    settings = SamplingSettings(seed=seed, steps=setup.steps, recall=0.0)
    place = [Place(blend=0.0)]
    return setup.engine.fuse(reference.remembered, reference, place, settings, "raw")[0].waveform


def silent_share(waveform: Waveform) -> float:
    """Share of blocks of BLOCK_SECONDS below SILENCE_DB RMS."""
    size = round(BLOCK_SECONDS * waveform.rate_hz)
    whole = waveform.samples[:, : waveform.frames // size * size]
    blocks = np.split(whole, whole.shape[1] // size, axis=1)
    return float(np.mean([level_db(block) < SILENCE_DB for block in blocks]))


def draw(sampled: Sequence[Sampled], path: Path) -> None:
    """Draw the spectrogram of each prompt's first sound."""
    figure = Figure(figsize=(14, 7), layout="constrained")
    for axes, each in zip(figure.subplots(2, 3).flatten(), sampled, strict=True):
        pictures.draw_spectrogram(axes, each.sounds[0], each.prompt)
        axes.set(xlabel="seconds", ylabel="Hz")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")


def _levels(setup: Setup, sampled: Sequence[Sampled], own_unrest: dict[str, float]) -> Table:
    sections = [each.section(setup.seconds) for each in setup.recordings]
    real, usual_lufs = median(map(unrest, sections)), median(map(loudness_lufs, sections))
    rows: list[Row] = []
    for each in sampled:
        peaks = [gain_to_db(float(np.abs(sound.samples).max())) for sound in each.sounds]
        played = [match_loudness(sound, usual_lufs)[0].samples for sound in each.sounds]
        restless = median(map(unrest, each.sounds))
        rows.append((
            each.name, each.prompt,
            median(level_db(sound.samples) for sound in each.sounds),
            max(peaks),
            sum(int((np.abs(samples) > 1).sum()) for samples in played),
            float(np.mean([silent_share(sound) for sound in each.sounds])),
            restless / real,
            restless / own_unrest[each.name],
        ))  # fmt: skip
    columns = (
        "class", "prompt", "rms dBFS", "peak dBFS", "clipped as played", "silent share",
        "unrest over recordings'", "over its class's",
    )  # fmt: skip
    ratio = median(row[6] for row in rows)
    notes = (
        f"unrest over recordings', median: {ratio:.2f} (target {UNREST_TARGET:g})",
        f"as played: matched to {usual_lufs:.1f} LUFS, the recordings' median, peaks limited",
    )
    return Table(
        f"prompts: {setup.seeds} seeds each, {setup.seconds:g} s", columns, tuple(rows), notes
    )


def _likeness(
    sampled: Sequence[Sampled], synthetic: dict[str, list[Features]], examples: int
) -> Table:
    """The class that each sample is nearest to."""
    classifier = Classifier.of({name: each[:examples] for name, each in synthetic.items()})
    real = classifier.accuracy({name: each[examples:] for name, each in synthetic.items()})
    rows: list[Row] = []
    shares: list[float] = []
    for each in sampled:
        nearest = [classifier.nearest(features(sound)) for sound in each.sounds]
        words = ", ".join(f"{name} {count}" for name, count in Counter(nearest).most_common())
        shares.append(nearest.count(each.name) / len(nearest))
        rows.append((each.name, each.prompt, shares[-1], words))
    scene, natural = np.mean(shares[: len(CLASSES)]), np.mean(shares[len(CLASSES) :])
    notes = (
        f"right: {scene:.2f} for prompts in the scenes' words, {natural:.2f} for natural ones; "
        f"by chance {1 / len(CLASSES):.2f}, for real synthetic sounds {real:.2f}",
    )
    title = f"prompts: nearest of {len(CLASSES)} classes ({examples} examples each)"
    return Table(title, ("class", "prompt", "right", "nearest"), tuple(rows), notes)
