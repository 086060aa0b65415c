"""How well the network denoises latents of held-out recordings, against trivial predictors."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from eutectic.engine.denoiser import Denoiser
from eutectic.engine.model import Model
from eutectic.engine.noise import Noise
from eutectic.experiments.quality.recordings import looped_note
from eutectic.experiments.quality.setup import Setup
from eutectic.experiments.report import Row, Table

SIGMAS = tuple(float(sigma) for sigma in np.geomspace(0.03, 100, 8))
Errors = Float[Tensor, " channel"]


def measure(setup: Setup) -> list[Table]:
    """Mean squared errors over recordings, for all channels and for the codec's envelope.

    The network denoises without guidance, prompted with the recording's name. A predictor that
    knows only each channel's variance v has error v·s²/(v + s²) at best (Wiener); v is measured on
    the recordings themselves. Predicting zero has error v.
    """
    model = setup.engine.model
    sections = [recording.section(setup.seconds) for recording in setup.recordings]
    latents = [model.codec.seen(model.codec.encode(section)) for section in sections]
    conditions = [
        model.condition(recording.prompt, setup.seconds) for recording in setup.recordings
    ]
    errors: list[Errors] = []
    for number, sigma in enumerate(SIGMAS):
        each = [
            squared_error(model.denoiser(condition), latent, sigma, _noise(model, latent, seed))
            for seed, (latent, condition) in enumerate(zip(latents, conditions, strict=True))
        ]
        errors.append(torch.stack(each).mean(0))
        setup.watch.progress(number + 1, len(SIGMAS))
    variances = torch.stack([latent[0].square().mean(-1) for latent in latents]).mean(0)
    note = looped_note(setup.recordings, setup.seconds)
    return [_table(errors, variances, note)]


def squared_error(
    denoiser: Denoiser,
    latent: Float[Tensor, "1 channel frame"],
    sigma: float,
    noise: Float[Tensor, "1 channel frame"],
) -> Errors:
    """Mean over time of (D(x0 + s·n; s) − x0)²."""
    level = torch.tensor([sigma], dtype=torch.float64)
    with torch.no_grad():
        denoised = denoiser(latent + sigma * noise, level)
    return (denoised - latent)[0].square().mean(-1)


def wiener(variances: Errors, sigma: float) -> float:
    """Mean error of the best linear predictor given each channel's variance and the noise level."""
    return float((variances * sigma**2 / (variances + sigma**2)).mean())


def _noise(model: Model, latent: Tensor, seed: int) -> Tensor:
    return Noise(seed, latent.shape[1], latent.shape[2], model.device).initial()


def _table(errors: list[Errors], variances: Errors, note: str) -> Table:
    rows: list[Row] = []
    for sigma, error in zip(SIGMAS, errors, strict=True):
        own, best = float(error.mean()), wiener(variances, sigma)
        unit = wiener(torch.ones(1), sigma)
        rows.append((sigma, own, own / best, best, unit, float(variances.mean())))
    columns = ("sigma", "network", "over Wiener", "Wiener", "Wiener of unit variance", "zero")
    title = f"denoising: squared error, {len(variances)} channels"
    return Table(title, columns, tuple(rows), (note,))
