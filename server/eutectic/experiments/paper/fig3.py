"""Figure 3 (4.2): a reference, and what its prompt alone yields before and after learning.

Learned in full, as in the paper, and as low-rank factors. The paper finds the reference restored
fairly completely, under a layer of blurry noise.
"""

from __future__ import annotations

from collections.abc import Mapping

from eutectic.config import Method, Place
from eutectic.engine.distances import log_mel_distance, texture_distance
from eutectic.engine.fuser import Reference
from eutectic.experiments.paper.study import Sound, Study, Tables, latent_error
from eutectic.experiments.pictures import Panel, draw_panels
from eutectic.experiments.report import Row, Table

REFERENCES = ("loop_3d_printer", "ambi_haunted_hum", "loop_drone_g_97")
WAYS: Mapping[Method | None, str] = {
    None: "before learning", "lora": "low-rank", "full": "full",
}  # fmt: skip
FIGURES = ("log_mel", "texture", "latent_error")


def make(study: Study) -> Tables:
    """Sample each reference before learning and learned by each method; draw them all."""
    items: list[tuple[str, Method | None]] = [
        (name, method) for name in REFERENCES for method in WAYS
    ]
    made = {item: _make(study, *item) for item in study.each(items)}
    rows: list[Row] = [
        (name, WAYS[method], *(sound.figures[figure] for figure in ("steps", *FIGURES)))
        for (name, method), sound in made.items()
    ]
    panels: list[list[Panel]] = [
        [
            (study.keep(f"{name}-reference", study.clip(name).waveform), name),
            *((made[name, method].waveform, way) for method, way in WAYS.items()),
        ]
        for name in REFERENCES
    ]
    draw_panels(panels, study.folder / "fig3.png")
    notes = (
        "distances of the prompt's own sample from the codec's round trip; latent_error over the "
        "latent's RMS",
    )
    columns = ("reference", "learned", "steps", *FIGURES)
    table = Table("fig3: a reference before and after learning", columns, tuple(rows), notes)
    return table, table


def _make(study: Study, name: str, method: Method | None) -> Sound:
    return study.sound(f"{name}-{method or 'before'}", lambda: _sample(study, name, method))


def _sample(study: Study, name: str, method: Method | None) -> Sound:
    """Sample the prompt alone."""
    clip, reference = study.clip(name), Reference(study.prompt(name), study.clip(name), None)
    if method is not None:
        reference = study.learned(name, method)
    (made,) = study.engine.fuse(
        clip, reference, [Place(blend=0.0)], study.settings(), watch=study.quiet
    )
    trip = study.trip(name)
    return Sound(
        made.waveform,
        {
            "steps": reference.adapter.about["steps"] if reference.adapter else 0,
            "log_mel": log_mel_distance(made.waveform, trip),
            "texture": texture_distance(made.waveform, trip),
            "latent_error": latent_error(study, made.latent, name),
        },
    )
