"""Figure D.1 (App. D): what the codec loses, and what the inversion loses on top of it.

An original, its round trip through the codec, and its reconstruction with the null prompt from
the inverted latent injected at step 100 of 200.
"""

from __future__ import annotations

from eutectic.audio import Waveform
from eutectic.engine.distances import log_mel_distance, texture_distance
from eutectic.experiments.paper.study import Study, Tables, reconstruct
from eutectic.experiments.pictures import Panel, draw_panels
from eutectic.experiments.report import Row, Table

CLIPS = ("loop_weirdo", "loop_3d_printer", "ambi_lunar_land", "perc_bell")
SHARE_LEFT = 0.5
COMPARED = (
    ("original", "round trip"), ("round trip", "reconstruction"), ("original", "reconstruction"),
)  # fmt: skip


def make(study: Study) -> Tables:
    """Measure the distances between the three sounds of each clip; draw every clip."""
    rows: list[Row] = []
    panels: list[list[Panel]] = []
    for name in study.each(CLIPS):
        sounds = _sounds(study, name)
        for one, other in COMPARED:
            pair = sounds[one], sounds[other]
            rows.append(
                (name, f"{one} – {other}", log_mel_distance(*pair), texture_distance(*pair))
            )
        original, *others = sounds.items()
        panels.append([(original[1], name), *((sound, kind) for kind, sound in others)])
    draw_panels(panels, study.folder / "figD1.png")
    columns = ("clip", "between", "log_mel", "texture")
    table = Table("figD1: round trips of codec and inversion", columns, tuple(rows))
    return table, table


def _sounds(study: Study, name: str) -> dict[str, Waveform]:
    remaining = study.remaining(SHARE_LEFT)
    return {
        "original": study.keep(f"{name}-original", study.clip(name).waveform),
        "round trip": study.keep(f"{name}-codec", study.trip(name)),
        "reconstruction": reconstruct(study, f"{name}-reconstruction", name, remaining).waveform,
    }
