"""Makes the paper's figures: each leaves its sounds, a CSV of its figures and a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.experiments.paper import (
    Figure,
    fig1,
    fig2,
    fig3,
    fig4,
    figa1,
    figc1,
    figd1,
    inversions,
)
from eutectic.experiments.paper.study import Study, Tables
from eutectic.experiments.report import Table, save_csv

MAKERS: Mapping[Figure, Callable[[Study], Tables]] = {
    Figure.FIG1: fig1.make,
    Figure.FIG2: fig2.make,
    Figure.FIG3: fig3.make,
    Figure.FIG4: fig4.make,
    Figure.FIG_A1: figa1.make,
    Figure.FIG_C1: figc1.make,
    Figure.FIG_D1: figd1.make,
    Figure.INVERSIONS: inversions.make,
}


def make(figure: Figure, study: Study, watch: Watch = UNWATCHED) -> Table:
    """Make one figure in the study's subfolder of that name, which must exist.

    Returns a summary table.

    Raises:
        BadOutput: it can't be written.
        Cancelled: the watch was asked to stop.
    """
    folder = study.folder / figure
    table, summary = MAKERS[figure](replace(study, folder=folder, watch=watch))
    save_csv(table, folder / f"{figure}.csv")
    return summary
