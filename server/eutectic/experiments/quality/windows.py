"""The fusion window of held-out pairs: is it monotonic, even, as loud and calm as its sources?"""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from eutectic.audio import loudness_lufs
from eutectic.config import Residual, SamplingSettings
from eutectic.engine import window
from eutectic.experiments import pictures
from eutectic.experiments.quality.measures import unrest
from eutectic.experiments.quality.recordings import looped_note
from eutectic.experiments.quality.setup import Setup
from eutectic.experiments.report import Row, Table, median, median_row, rank_correlation
from eutectic.window import Window, at_blends

PAIRS = (
    ("ambi_dark_woosh", "loop_drone_g_97"),
    ("loop_3d_printer", "ambi_haunted_hum"),
    ("ambi_lunar_land", "ambi_glass_rub"),
    ("loop_drone_g_97", "loop_3d_printer"),
    ("ambi_haunted_hum", "loop_amen_full"),
    ("loop_amen_full", "ambi_lunar_land"),
    ("ambi_glass_rub", "loop_weirdo"),
    ("loop_weirdo", "perc_bell"),
    ("perc_bell", "bass_trance_c"),
    ("bass_trance_c", "ambi_dark_woosh"),
)
"""Originals and references; each recording appears once as either."""

RESIDUAL_PAIRS = 3
"""How many pairs, counted from the first, are fused with every residual."""

BLENDS = tuple(float(blend) for blend in np.linspace(0.05, 0.95, 9))

COLUMNS = {
    "to original": "rank correlation of blend with likeness to the original (target 0.95)",
    "to reference": "the same for the reference (target −0.95)",
    "step original": "largest step of likeness to the original between neighbours",
    "step reference": "the same for the reference",
    "loudness dB": "largest deviation of loudness from the blend of the sources' (target 3)",
    "raw dip dB": "how far loudness falls below that blend at worst before it is matched",
    "unrest ratio": "median unrest over the mean of the sources' (codec's round trips)",
}


Pair = tuple[str, str]
Figures = dict[str, Any]
"""By the names in COLUMNS."""


def measure(setup: Setup) -> list[Table]:
    """Fuse all pairs with the default residual, and some with every residual.

    References are learned by the model's default method until the budget is spent.
    """
    names = {recording.name for recording in setup.recordings}
    pairs = [pair for pair in PAIRS if set(pair) <= names]
    some, usual = pairs[:RESIDUAL_PAIRS], SamplingSettings().residual
    jobs: list[tuple[Pair, Residual]] = [(pair, usual) for pair in pairs]
    jobs += [(pair, kind) for kind in get_args(Residual) for pair in some]
    figures: dict[tuple[Pair, Residual], Figures] = {}
    for number, (pair, kind) in enumerate(jobs):
        figures[pair, kind] = _known(setup, pair, kind)
        setup.watch.progress(number + 1, len(jobs))
    by_pair = {" → ".join(pair): figures[pair, usual] for pair in pairs}
    by_kind = {kind: [figures[pair, kind] for pair in some] for kind in get_args(Residual)}
    title = f"window: {len(BLENDS)} blends, {setup.seconds:g} s, residual {usual}"
    looped = looped_note(setup.recordings, setup.seconds)
    return [
        _pairs(title, by_pair, looped),
        _residuals(by_kind, "; ".join(list(by_pair)[: len(some)])),
    ]


def _pairs(title: str, by_pair: dict[str, Figures], looped: str) -> Table:
    rows: list[Row] = [(name, *figures.values()) for name, figures in by_pair.items()]
    if rows:
        rows.append(median_row("median", rows))
    notes = (*(f"{name}: {meaning}" for name, meaning in COLUMNS.items()), looped)
    return Table(title, ("original → reference", *COLUMNS), tuple(rows), notes)


def _residuals(by_kind: dict[Residual, list[Figures]], names: str) -> Table:
    rows: list[Row] = [
        (kind, *(median(each[name] for each in figures) for name in COLUMNS))
        for kind, figures in by_kind.items()
    ]
    columns = ("residual", *COLUMNS)
    return Table("window: residuals, medians", columns, tuple(rows), (f"over {names}",))


def _known(setup: Setup, pair: Pair, kind: Residual) -> Figures:
    return setup.ledger.get(
        lambda: _fuse(setup, pair, kind),
        part="window", model=setup.engine.model.digest, steps=setup.steps,
        original=pair[0], reference=pair[1], residual=kind,
        seconds=setup.seconds, budget_seconds=setup.budget_seconds,
    )  # fmt: skip


def _fuse(setup: Setup, pair: Pair, kind: Residual) -> Figures:
    recordings = {recording.name: recording for recording in setup.recordings}
    source, learned = setup.clip(recordings[pair[0]]), setup.reference(recordings[pair[1]])
    settings = SamplingSettings(steps=setup.steps, residual=kind, recall=0.0)
    made = window.measure(setup.engine, source, learned, at_blends(BLENDS), settings)
    if setup.out is not None:
        name = f"window-{pair[0]}-{pair[1]}-{kind}"
        pictures.draw_window(made, setup.out / f"{name}.png", pair)
        for point in made.points[1::3]:
            setup.save_sound(f"{name}-{100 * point.fusion.blend:03.0f}", point.fusion.waveform)
    usual = [unrest(window.round_trip(setup.engine, clip)) for clip in (source, learned.remembered)]
    sources_lufs = (source.loudness_lufs, learned.remembered.loudness_lufs)
    return figures_of(made, sources_lufs, float(np.mean(usual)))


def figures_of(made: Window, sources_lufs: tuple[float, float], usual: float) -> Figures:
    """The figures that COLUMNS defines.

    Args:
        made: the window.
        sources_lufs: loudness of original and reference.
        usual: mean unrest of the sources.
    """
    blends, loudness = made.blends, [loudness_lufs(p.fusion.waveform) for p in made.points]
    matched = [
        level - blend * sources_lufs[0] - (1 - blend) * sources_lufs[1]
        for blend, level in zip(blends, loudness, strict=True)
    ]
    raw = [level - point.fusion.gain_db for level, point in zip(matched, made.points, strict=True)]
    figures = (
        rank_correlation(blends, made.like_original),
        rank_correlation(blends, made.like_reference),
        largest_step(made.like_original),
        largest_step(made.like_reference),
        max(map(abs, matched)),
        -min(raw),
        median(unrest(point.fusion.waveform) for point in made.points) / usual,
    )
    return dict(zip(COLUMNS, figures, strict=True))


def largest_step(likenesses: list[float]) -> float:
    """The largest step between neighbours; for nine even blends over the whole range, an eighth."""
    return float(np.abs(np.diff(likenesses)).max())
