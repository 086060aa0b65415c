"""Figure A.1 (4.1.3): the latent injected at several times, with samplers of order 1, 2 and 3.

The null prompt, and Eq. 6's latent. The paper finds the injected features vaguer at order 3, since
the steps still look back on estimates from before the injection.
"""

from __future__ import annotations

from eutectic.experiments.paper.fig1 import CLIPS, FIGURES, NOTES
from eutectic.experiments.paper.study import PAPER_STEPS, Sound, Study, Tables, reconstruct
from eutectic.experiments.pictures import Panel, draw_panels
from eutectic.experiments.report import Row, Table

ORDERS = (1, 2, 3)
TIMES = (0, 80, 120, 140, 160)


def make(study: Study) -> Tables:
    """Reconstruct each clip at each order and time; draw the first clip."""
    items = [(name, order, t) for name in CLIPS for order in ORDERS for t in TIMES]
    made = {item: _make(study, *item) for item in study.each(items)}
    rows: list[Row] = [
        (
            name, order, t, study.remaining(1 - t / PAPER_STEPS),
            *(sound.figures[figure] for figure in FIGURES),
        )
        for (name, order, t), sound in made.items()
    ]  # fmt: skip
    trip = study.keep(f"{CLIPS[0]}-codec", study.trip(CLIPS[0]))
    panels: list[list[Panel]] = [
        [
            *((made[CLIPS[0], order, t].waveform, f"order {order}, t = {t}") for t in TIMES),
            (trip, "through the codec"),
        ]
        for order in ORDERS
    ]
    draw_panels(panels, study.folder / "figA1.png")
    columns = ("original", "order", "t", "remaining", *FIGURES)
    table = Table("figA1: intervention across orders", columns, tuple(rows), NOTES)
    return table, table


def _make(study: Study, name: str, order: int, t: int) -> Sound:
    remaining = study.remaining(1 - t / PAPER_STEPS)
    return reconstruct(study, f"{name}-order{order}-t{t}", name, remaining, order=order)
