"""Figure 2 (4.1.2): what the initial latent alone can do, under "An airplane takes off."

Only the initial latent differs: from scratch (noise), ours (the inverted latent in place of the
noise, for each residual), and audio-to-audio as in stable-audio-tools, y = x0 + s·noise at a
level s, from which sampling starts (here on the same grid, cut at that level, so that levels and
noise agree). The paper finds that all sound alike, whatever the original.
"""

from __future__ import annotations

from typing import get_args

from torch import Tensor

from eutectic.audio import Waveform
from eutectic.config import Place, SamplingSettings
from eutectic.engine.distances import log_mel_distance, texture_distance
from eutectic.engine.fuser import Reference
from eutectic.engine.inversion import Kind
from eutectic.engine.sample import Row, sample
from eutectic.experiments.paper.study import Sound, Study, Tables, as_loud, latent_error
from eutectic.experiments.pictures import Panel, draw_panels
from eutectic.experiments.report import Table

ORIGINAL, PROMPT = "loop_weirdo", "An airplane takes off."
SHARES = (1.0, 0.8, 0.6, 0.4)
"""Shares of the grid left for audio-to-audio; 1 starts at the highest level."""

DRAWN_RESIDUAL = "clean"
FIGURES = ("sigma", "evaluations", "original_log_mel", "original_latent")
COLUMNS = ("method", *FIGURES, "scratch_log_mel", "scratch_texture")


def make(study: Study) -> Tables:
    """Sample by every method from one original; of ours, draw Eq. 6's latent."""
    top, whole = study.remaining(1.0), study.settings()
    made = {"scratch": study.sound("scratch", lambda: _injected(study, whole, None))}
    for kind in get_args(Kind):
        settings = study.settings(residual=kind)
        made[f"ours, {kind}"] = study.sound(
            f"ours-{kind}", lambda settings=settings: _injected(study, settings, top)
        )
    for share in study.each(SHARES):
        left = study.remaining(share)
        made[f"audio-to-audio, {left} left"] = study.sound(
            f"audio-to-audio-{left}", lambda left=left: _audio_to_audio(study, left)
        )
    panels: list[Panel] = [
        (study.keep("original-codec", study.trip(ORIGINAL)), "original through the codec")
    ]
    panels += [
        (sound.waveform, name)
        for name, sound in made.items()
        if not name.startswith("ours") or name == f"ours, {DRAWN_RESIDUAL}"
    ]
    draw_panels([panels[:4], panels[4:]], study.folder / "fig2.png")
    rows = tuple(
        (
            name, *(sound.figures[key] for key in FIGURES),
            log_mel_distance(sound.waveform, made["scratch"].waveform),
            texture_distance(sound.waveform, made["scratch"].waveform),
        )
        for name, sound in made.items()
    )  # fmt: skip
    notes = (
        "sigma: level of the initial latent; distances to the original's round trip and to the "
        "sample from scratch; original_latent: relative error",
    )
    table = Table("fig2: from the initial latent alone", COLUMNS, rows, notes)
    return table, table


def _injected(study: Study, settings: SamplingSettings, remaining: int | None) -> Sound:
    """Sample from the original's latent, or from noise if `remaining` is None."""
    clip, engine = study.clip(ORIGINAL), study.engine
    place = Place(blend=0.0) if remaining is None else Place(remaining=remaining)
    (made,) = engine.fuse(clip, _prompted(study), [place], settings, watch=study.quiet)
    grid = engine.model.sampler(settings).grid
    sigma = grid.sigmas[0] if remaining is None else grid.s_max
    return _measured(study, made.waveform, made.latent, sigma, remaining or grid.steps)


def _audio_to_audio(study: Study, remaining: int) -> Sound:
    """Add noise of one level to the original's latent, and sample from that level down."""
    clip, engine, settings = study.clip(ORIGINAL), study.engine, study.settings()
    sampler = engine.model.sampler(settings)
    index = sampler.steps - remaining
    sigma = sampler.grid.sigmas[index]
    noise = engine.fuser.noise(study.seed, clip.latent.shape[-1])
    x0 = engine.model.codec.seen(clip.latent)
    begin = Row(x0 + sigma * noise.initial(), index, sigma)
    denoiser = engine.fuser.denoiser(clip, _prompted(study), settings)
    (end,) = sample(denoiser, [begin], sampler, noise, watch=study.quiet)
    return _measured(study, as_loud(study, end.state, ORIGINAL), end.state, sigma, remaining)


def _prompted(study: Study) -> Reference:
    return Reference(PROMPT, study.clip(ORIGINAL), None)


def _measured(
    study: Study, waveform: Waveform, latent: Tensor, sigma: float, evaluations: int
) -> Sound:
    figures = {
        "sigma": sigma,
        "evaluations": evaluations,
        "original_log_mel": log_mel_distance(waveform, study.trip(ORIGINAL)),
        "original_latent": latent_error(study, latent, ORIGINAL),
    }
    return Sound(waveform, figures)
