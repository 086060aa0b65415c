"""Figure 2 (4.1.2): what the initial latent alone can do, under "An airplane takes off."

Everything but the initial latent is the same: from scratch (noise), ours (the inverted latent in
place of the noise, for each choice of residual), and audio-to-audio as stable-audio-tools does it,
y = x0 + s·noise at a level s, from which the sampling starts. The paper finds that all sound alike
whatever the original.
"""

from __future__ import annotations

from typing import get_args

from eutectic.audio import Waveform, match_loudness
from eutectic.config import Place, SamplingSettings
from eutectic.engine.engine import Reference
from eutectic.engine.inversion import Kind
from eutectic.engine.sample import Row as SamplerRow
from eutectic.engine.sample import sample
from eutectic.experiments.distances import log_mel_distance, texture_distance
from eutectic.experiments.paper.study import Sound, Study, Tables, latent_error
from eutectic.experiments.pictures import Panel, draw_panels
from eutectic.experiments.quality.report import Row, Table

ORIGINAL, PROMPT = "loop_weirdo", "An airplane takes off."
SHARES = (1.0, 0.8, 0.6, 0.4)
"""Of the grid that audio-to-audio has left; 1 is from the highest level."""

DRAWN_RESIDUAL = "clean"
COLUMNS = ("sigma", "evaluations", "original_log_mel", "original_latent", "scratch_log_mel",
           "scratch_texture")  # fmt: skip


def make(study: Study) -> Tables:
    """Every method on one original; ours drawn with Eq. 6's latent."""
    scratch = study.sound("scratch", lambda: _injected(study, Place(blend=0.0), study.settings()))
    top = Place(remaining=study.remaining(1.0))
    sounds: dict[str, Sound] = {"scratch": scratch}
    for kind in get_args(Kind):
        settings = study.settings(residual=kind)
        sounds[f"ours, {kind}"] = study.sound(
            f"ours-{kind}", lambda settings=settings: _injected(study, top, settings)
        )
    for share in study.each(SHARES):
        remaining = study.remaining(share)
        sounds[f"audio-to-audio, remaining {remaining}"] = study.sound(
            f"audio-to-audio-{remaining}", lambda left=remaining: _audio_to_audio(study, left)
        )
    trip = study.keep("original-codec", study.trip(ORIGINAL))
    panels: list[Panel] = [(trip, "original through the codec")]
    panels += [
        (sound.waveform, name)
        for name, sound in sounds.items()
        if not name.startswith("ours") or name.endswith(DRAWN_RESIDUAL)
    ]
    draw_panels([panels[:4], panels[4:]], study.folder / "fig2.png")
    rows = tuple(_row(name, sound, trip, scratch.waveform) for name, sound in sounds.items())
    notes = (
        "sigma: level of the initial latent; original_latent: relative error of the latent; "
        "the rest are distances",
    )
    table = Table("fig2: from the initial latent alone", ("method", *COLUMNS), rows, notes)
    return table, table


def _row(name: str, sound: Sound, trip: Waveform, scratch: Waveform) -> Row:
    made = sound.waveform
    return (
        name, sound.figures["sigma"], sound.figures["evaluations"],
        log_mel_distance(made, trip), sound.figures["original_latent"],
        log_mel_distance(made, scratch), texture_distance(made, scratch),
    )  # fmt: skip


def _injected(study: Study, place: Place, settings: SamplingSettings) -> Sound:
    """Sampling whose initial latent is the original's, or noise where nothing is put in."""
    clip, engine = study.clip(ORIGINAL), study.engine
    reference = Reference(PROMPT, clip, None)
    (made,) = engine.fuse(clip, reference, [place], settings, watch=study.quiet)
    grid = engine.model.sampler(settings).grid
    sigma = grid.sigmas[0] if made.remaining is None else grid.s_max
    figures = {"sigma": sigma, "evaluations": made.remaining or grid.steps}
    return Sound(
        made.waveform, figures | {"original_latent": latent_error(study, made.latent, ORIGINAL)}
    )


def _audio_to_audio(study: Study, remaining: int) -> Sound:
    """Noise of one level on the original's latent, and the sampling from that level down."""
    clip, engine = study.clip(ORIGINAL), study.engine
    settings = study.settings()
    sampler = engine.model.sampler(settings)
    index = sampler.steps - remaining
    sigma = sampler.grid.sigmas[index]
    noise = engine.noise(study.seed, clip.latent.shape[-1])
    start = SamplerRow(clip.latent + sigma * noise.initial(), index, sigma)
    engine.switch.activate(None)
    denoiser = engine.denoiser(clip, Reference(PROMPT, clip, None), settings)
    (end,) = sample(denoiser, [start], sampler, noise, watch=study.quiet)
    codec = engine.model.codec
    raw = Waveform(codec.decode(end.state, clip.waveform.frames), codec.rate_hz)
    waveform, _ = match_loudness(raw, clip.loudness_lufs)
    figures = {"sigma": sigma, "evaluations": remaining}
    return Sound(waveform, figures | {"original_latent": latent_error(study, end.state, ORIGINAL)})
