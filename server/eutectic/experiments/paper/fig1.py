"""Figure 1 (4.1.1): must the stochastic terms be omitted?

Originals are reconstructed with the null prompt from inverted latents of three variants: (a)
Eq. 6 as it stands, (b) noise added as in forward diffusion, (c) Eq. 6 with its stochastic terms.
Order 2 of the SDE; the latent is injected at t of the paper's 200 steps, at t = 0 in place of the
initial one. The paper finds (b) and (c) very noisy. In theory (b) needn't be: it is what a sampler
expects at its level, and is denoised; (c) accumulates the noise of every step, far above its level.
"""

from __future__ import annotations

from eutectic.experiments.paper.study import PAPER_STEPS, Sound, Study, Tables, reconstruct
from eutectic.experiments.pictures import Panel, draw_panels
from eutectic.experiments.report import Row, Table

CLIPS = ("loop_weirdo", "ambi_glass_rub", "perc_bell")
VARIANTS = {"a": "clean", "b": "gaussian", "c": "stochastic"}
TIMES = (0, 80, 140)
FIGURES = ("log_mel", "latent_error", "flatness_db", "gain_db")
NOTES = (
    "log_mel: distance from the codec's round trip; latent_error: RMS of the difference over the "
    "latent's RMS",
    "flatness_db: spectral flatness over the round trip's, higher is noisier; gain_db: gain that "
    "made it as loud as the original",
)


def make(study: Study) -> Tables:
    """Reconstruct each clip from each variant at each time; draw the first clip."""
    items = [(name, letter, t) for name in CLIPS for letter in VARIANTS for t in TIMES]
    made = {item: _make(study, *item) for item in study.each(items)}
    rows: list[Row] = [
        (
            name, letter, VARIANTS[letter], t, study.remaining(1 - t / PAPER_STEPS),
            *(sound.figures[figure] for figure in FIGURES),
        )
        for (name, letter, t), sound in made.items()
    ]  # fmt: skip
    trip = study.keep(f"{CLIPS[0]}-codec", study.trip(CLIPS[0]))
    panels: list[list[Panel]] = [
        [
            *(_panel(made[CLIPS[0], letter, t], f"({letter}) {kind}, t = {t}") for t in TIMES),
            (trip, "through the codec"),
        ]
        for letter, kind in VARIANTS.items()
    ]
    draw_panels(panels, study.folder / "fig1.png")
    columns = ("original", "variant", "residual", "t", "remaining", *FIGURES)
    table = Table("fig1: reconstruction with the null prompt", columns, tuple(rows), NOTES)
    return table, table


def _panel(sound: Sound, title: str) -> Panel:
    heard = sound.waveform.samples.any()
    return sound.waveform, title if heard else f"{title}: overflow"


def _make(study: Study, name: str, letter: str, t: int) -> Sound:
    remaining = study.remaining(1 - t / PAPER_STEPS)
    return reconstruct(study, f"{name}-{letter}-t{t}", name, remaining, residual=VARIANTS[letter])
