"""Figure 4 (4.3): fusions across the grid, their equilibrium, and the window at orders 1 to 3.

The original is injected at every tenth of the grid, from the initial latent to the end. Likeness
to both sources is that of `window`; the curves cross at the paper's equilibrium. The paper finds
that the sound moves from the reference to the original as the injection comes later, within a
window in the middle and late part of the sampling that is wider at higher orders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eutectic.config import Place
from eutectic.engine.distances import log_mel_distance, texture_distance
from eutectic.experiments.paper.study import Sound, Study, Tables
from eutectic.experiments.pictures import (
    ORIGINAL_COLOUR,
    PANEL_HEIGHT,
    PANEL_WIDTH,
    REFERENCE_COLOUR,
    Panel,
    draw_rows,
    save_figure,
)
from eutectic.experiments.report import Row, Table, median
from eutectic.window import WIDTH_SHARE, Curves, likeness

PAIRS = (
    ("perc_bell", "loop_3d_printer"),
    ("ambi_glass_rub", "ambi_haunted_hum"),
    ("loop_weirdo", "ambi_dark_woosh"),
    ("ambi_lunar_land", "loop_weirdo"),
    ("loop_3d_printer", "ambi_glass_rub"),
)
"""Original and reference."""

ORDERS = (1, 2, 3)
HEARD_ORDER = 2
"""The order whose fusions are kept as sounds."""

TENTHS = tuple(tenth / 10 for tenth in range(10, -1, -1))
"""Shares of the grid left at the injection."""

COLUMNS = ("original", "reference", "order", "remaining", "from_original", "from_reference",
           "like_original", "like_reference", "equilibrium", "width")  # fmt: skip
NOTES = (
    "equilibrium: share of the grid left where the likenesses are equal; width: share of the grid "
    f"where both are at least {WIDTH_SHARE:g} of their maximum; medians and ranges over the pairs",
)


@dataclass(frozen=True)
class Case:
    """One pair at one order."""

    original: str
    reference: str
    order: int


@dataclass(frozen=True)
class Measured:
    """Distances and likenesses of a case, from the initial latent to no steps left."""

    remaining: tuple[int, ...]
    from_original: tuple[float, ...]
    from_reference: tuple[float, ...]
    curves: Curves
    """Over the share of the grid already sampled."""

    @property
    def equilibrium(self) -> float:
        """Share of the grid left where the curves cross or come closest."""
        curves = self.curves
        if curves.crossing is not None:
            return 1 - curves.crossing
        gap = np.abs(np.subtract(curves.original, curves.reference))
        return 1 - curves.places[int(gap.argmin())]


def make(study: Study) -> Tables:
    """Fuse every pair along the grid at every order, and each pair at its equilibrium."""
    cases = [Case(*pair, order) for pair in PAIRS for order in ORDERS]
    made = {case: _measure(study, case) for case in study.each(cases)}
    sets = [_set(study, case, made[case]) for case in cases if case.order == HEARD_ORDER]
    _draw(made, sets, study.folder / "fig4.png")
    title = "fig4: fusions every tenth of the grid"
    rows = tuple(row for case, measured in made.items() for row in _rows(case, measured))
    columns = ("order", "equilibrium", "lowest", "highest", "width", "lowest", "highest")
    summary = tuple(_summary(order, made) for order in ORDERS)
    return Table(title, COLUMNS, rows), Table(title, columns, summary, NOTES)


def _measure(study: Study, case: Case) -> Measured:
    places = {f"remaining-{left:03d}": left for left in map(study.remaining, TENTHS)}
    from_original, from_reference = zip(
        *(_distances(study, case, name, Place(remaining=left)) for name, left in places.items()),
        strict=True,
    )
    own, _ = _distances(study, case, "reference-alone", Place(blend=0.0))
    span = texture_distance(study.trip(case.original), study.trip(case.reference))
    curves = Curves(
        tuple(1 - left / study.steps for left in places.values()),
        tuple(likeness(distance, own) for distance in from_original),
        tuple(likeness(distance, span) for distance in from_reference),
    )
    return Measured(tuple(places.values()), from_original, from_reference, curves)


def _distances(study: Study, case: Case, name: str, place: Place) -> tuple[float, float]:
    """Distances from both sources' round trips; at HEARD_ORDER the sound is kept, too."""
    label = f"{case.original}-{case.reference}-order{case.order}-{name}"
    if case.order == HEARD_ORDER:
        figures = study.sound(label, lambda: _fuse(study, case, place)).figures
    else:
        figures = study.figures(label, lambda: _fuse(study, case, place).figures)
    return figures["from_original"], figures["from_reference"]


def _fuse(study: Study, case: Case, place: Place) -> Sound:
    (made,) = study.engine.fuse(
        study.clip(case.original), study.learned(case.reference), [place],
        study.settings(order=case.order), watch=study.quiet,
    )  # fmt: skip
    return Sound(
        made.waveform,
        {
            "from_original": log_mel_distance(made.waveform, study.trip(case.original)),
            "from_reference": texture_distance(made.waveform, study.trip(case.reference)),
        },
    )


def _set(study: Study, case: Case, measured: Measured) -> list[Panel]:
    """Original, reference and the fusion at the equilibrium: a row of the paper's figure."""
    folder = f"sets/{case.original}-{case.reference}"
    remaining = study.remaining(measured.equilibrium)
    sources = [
        study.keep(f"{folder}/{kind}", study.clip(name).waveform)
        for kind, name in (("original", case.original), ("reference", case.reference))
    ]
    fusion = study.sound(f"{folder}/fusion", lambda: _fuse(study, case, Place(remaining=remaining)))
    return [
        (sources[0], f"original: {case.original}"),
        (sources[1], f"reference: {case.reference}"),
        (fusion.waveform, f"fusion, {remaining} of {study.steps} left"),
    ]


def _rows(case: Case, measured: Measured) -> list[Row]:
    curves = measured.curves
    return [
        (case.original, case.reference, case.order, *figures, measured.equilibrium, curves.width)
        for figures in zip(
            measured.remaining, measured.from_original, measured.from_reference,
            curves.original, curves.reference, strict=True,
        )
    ]  # fmt: skip


def _summary(order: int, made: Mapping[Case, Measured]) -> Row:
    there = [measured for case, measured in made.items() if case.order == order]
    equilibria = [measured.equilibrium for measured in there]
    widths = [measured.curves.width for measured in there]
    return (
        order, median(equilibria), min(equilibria), max(equilibria),
        median(widths), min(widths), max(widths),
    )  # fmt: skip


def _draw(made: Mapping[Case, Measured], sets: list[list[Panel]], path: Path) -> None:
    heights = [3.2, PANEL_HEIGHT * len(sets)]
    figure = Figure(figsize=(3 * (PANEL_WIDTH + 0.7), sum(heights)), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=heights, squeeze=False)[:, 0]
    grid = above.subplots(1, len(ORDERS), sharey=True, squeeze=False)[0]
    for axes, order in zip(grid, ORDERS, strict=True):
        _draw_curves(axes, order, [each for case, each in made.items() if case.order == order])
    grid[0].set_ylabel("likeness")
    grid[0].legend(fontsize=8)
    draw_rows(below, sets)
    save_figure(figure, path)


def _draw_curves(axes: Axes, order: int, there: list[Measured]) -> None:
    """Draw every pair's curves as thin lines and their mean as a thick one."""
    for name, colour in (("original", ORIGINAL_COLOUR), ("reference", REFERENCE_COLOUR)):
        left = [1 - place for place in there[0].curves.places]
        every = [getattr(measured.curves, name) for measured in there]
        for curve in every:
            axes.plot(left, curve, color=colour, linewidth=0.6, alpha=0.6)
        axes.plot(left, np.mean(every, axis=0), color=colour, label=f"to the {name}")
    equilibrium = median(measured.equilibrium for measured in there)
    axes.axvline(equilibrium, color="0.5", linestyle=":")
    axes.set_title(f"order {order}: equilibrium {equilibrium:.2f}", fontsize=10)
    axes.set_xlabel("share of the grid left")
    axes.invert_xaxis()
    axes.set_ylim(-0.3, 1.05)
    axes.grid(alpha=0.3)
