"""Inversions compared (beyond the paper): the cost, reconstruction and fusion of each.

All `methods` use the same clips, injections and learned references. A reconstruction continues
from the inverted latent under the condition it was inverted with: the null prompt, or the clip's
own prompt if the method is guided. A fusion continues under the reference's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from eutectic.config import Place
from eutectic.engine.distances import log_mel_distance, texture_distance
from eutectic.engine.engine import Engine
from eutectic.engine.fusion import at_remaining
from eutectic.experiments.paper.methods import METHODS, Method, fuse, invert, reconstruct
from eutectic.experiments.paper.null_text import has_tokens
from eutectic.experiments.paper.study import Figures, Sound, Study, Tables, as_loud, latent_error
from eutectic.experiments.pictures import save_figure
from eutectic.experiments.report import Row, Table, median
from eutectic.window import likeness

PAIRS = (("perc_bell", "loop_3d_printer"), ("loop_weirdo", "ambi_dark_woosh"))
"""Original and reference."""

SHARES = (1.0, 0.7, 0.5, 0.35, 0.2)
"""Shares of the grid left at the injection."""

HEARD = 3
"""The share, by index, whose fusion is kept as a sound."""

COSTS = ("inversion_evaluations", "inversion_seconds", "sampling_evaluations", "sampling_seconds")
PLACED = ("remaining", "latent_error", "log_mel", "like_original", "like_reference")
NOTES = (
    "inverting, sampling: network evaluations (a guided one counts twice, null-text's gradients "
    "don't count) and seconds, to invert a clip and to sample it again from the top",
    "error: relative error of the reconstruction's latent; log_mel: its distance from the codec's "
    "round trip; injected at the top of the grid, and halfway down",
    "balance: the greatest likeness of any fusion along the window to both sources at once; "
    "medians over the pairs",
)
Pair = tuple[str, str]


def make(study: Study) -> Tables:
    """Measure every method on every pair; draw its curves over the grid."""
    items = [(pair, method) for pair in PAIRS for method in METHODS]
    made = {item: _known(study, *item) for item in study.each(items)}
    rows = tuple(
        (*pair, method.name, *(figures[cost] for cost in COSTS), *placed)
        for (pair, method), figures in made.items()
        for placed in zip(*(figures[name] for name in PLACED), strict=True)
    )
    by_method = {method: [made[pair, method] for pair in PAIRS] for method in METHODS}
    _draw(by_method, study.folder / "inversions.png")
    summary = tuple(_summary(method, pairs) for method, pairs in by_method.items())
    title = "inversions: what each costs and gives"
    columns = ("method", "inverting", "seconds", "sampling", "seconds", "error, top", "half",
               "log_mel, top", "half", "balance")  # fmt: skip
    return (
        Table(title, ("original", "reference", "method", *COSTS, *PLACED), rows),
        Table(title, columns, summary, NOTES),
    )


def _summary(method: Method, pairs: Sequence[Figures]) -> Row:
    half = SHARES.index(0.5)
    return (
        method.name,
        *(median(each[cost] for each in pairs) for cost in COSTS),
        *(
            median(each[name][place] for each in pairs)
            for name in ("latent_error", "log_mel")
            for place in (0, half)
        ),
        median(map(_balance, pairs)),
    )


def _balance(figures: Figures) -> float:
    """The greatest likeness to both sources at once; NaN if no fusion is finite."""
    both = zip(figures["like_original"], figures["like_reference"], strict=True)
    return max((min(pair) for pair in both if all(map(math.isfinite, pair))), default=math.nan)


def _known(study: Study, pair: Pair, method: Method) -> Figures:
    """The figures of a method on a pair; NaN if it doesn't apply to this model."""
    if method.null_text and not has_tokens(study.engine.model):
        costs = dict.fromkeys(COSTS, math.nan)
        return {**costs, **{name: [math.nan] * len(SHARES) for name in PLACED}}
    label = f"{pair[0]}-{pair[1]}-{method.name.replace(', ', '-').replace(' ', '-')}"
    return study.sound(label, lambda: _make(study, pair, method, label)).figures


def _make(study: Study, pair: Pair, method: Method, label: str) -> Sound:
    """The reconstruction from the highest level, with all figures; a fusion is saved beside it."""
    clock = _Clock(study.engine)
    inverted = invert(study, pair[0], method)
    inverting = clock.lap()
    points = [at_remaining(study.remaining(share), inverted.sampler) for share in SHARES]
    clock.lap()
    latents = reconstruct(study, inverted, points[:1])
    sampling = clock.lap()
    latents += reconstruct(study, inverted, points[1:])
    backs = [as_loud(study, latent, pair[0]) for latent in latents]
    fused = fuse(study, inverted, study.learned(pair[1]), points)
    fusions = [as_loud(study, latent, pair[0]) for latent in fused]
    study.keep(f"{label}-fusion", fusions[HEARD])
    trips = study.trip(pair[0]), study.trip(pair[1])
    own = study.figures("-".join(pair), lambda: _own(study, pair))["from_original"]
    span = texture_distance(*trips)
    return Sound(
        backs[0],
        {
            "inversion_evaluations": inverting[0],
            "inversion_seconds": inverting[1],
            "sampling_evaluations": sampling[0] * (2 if method.guided else 1),
            "sampling_seconds": sampling[1],
            "remaining": [point.remaining(inverted.sampler) for point in points],
            "latent_error": [latent_error(study, latent, pair[0]) for latent in latents],
            "log_mel": [log_mel_distance(sound, trips[0]) for sound in backs],
            "like_original": [
                likeness(log_mel_distance(sound, trips[0]), own) for sound in fusions
            ],
            "like_reference": [
                likeness(texture_distance(sound, trips[1]), span) for sound in fusions
            ],
        },
    )


class _Clock:
    """Counts network evaluations and seconds between laps."""

    def __init__(self, engine: Engine) -> None:
        self._model = engine.model
        self._last = (self._model.evaluations, time.monotonic())

    def lap(self) -> tuple[int, float]:
        before, self._last = self._last, (self._model.evaluations, time.monotonic())
        return self._last[0] - before[0], self._last[1] - before[1]


def _own(study: Study, pair: Pair) -> Figures:
    """Distance of the reference's own sampling from the original: zero likeness."""
    (own,) = study.engine.fuse(
        study.clip(pair[0]), study.learned(pair[1]), [Place(blend=0.0)], study.settings(),
        watch=study.quiet,
    )  # fmt: skip
    return {"from_original": log_mel_distance(own.waveform, study.trip(pair[0]))}


def _draw(made: Mapping[Method, Sequence[Figures]], path: Path) -> None:
    """Draw error and likenesses over the grid: a line for each method, medians over the pairs."""
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    panels = {
        "latent_error": "relative latent error of the reconstruction",
        "like_original": "fusion: likeness to the original",
        "like_reference": "fusion: likeness to the reference",
    }
    grid = figure.subplots(1, len(panels))
    colours = colormaps["tab20"](np.arange(len(made)))
    for axes, (name, title) in zip(grid, panels.items(), strict=True):
        for number, (method, pairs) in enumerate(made.items()):
            curve = np.median([each[name] for each in pairs], axis=0)
            axes.plot(
                SHARES, curve, "os^D"[number % 4] + "-", color=colours[number], markersize=4,
                label=method.name,
            )  # fmt: skip
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("share of the grid left")
        axes.invert_xaxis()
        axes.grid(alpha=0.3)
    grid[0].set_yscale("log")
    for axes in grid[1:]:
        axes.set_ylim(-0.6, 1.05)
    figure.legend(
        *grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9
    )
    save_figure(figure, path)
