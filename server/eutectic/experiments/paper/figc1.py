"""Figure C.1 (App. C): inverted latents, their noise maps, and sampling that retraces them.

The noise map is what a network would have to predict for its output to be x0 (Eq. 9). With it in
the network's place, D = ŷ − s·ε, sampling without fresh noise retraces the inversion: order 2, in
float64, since in float32 the difference cancels. `clean` latents are x0 at every level in these
coordinates, so their maps are 0 throughout.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from torch import Tensor

from eutectic.audio import Waveform
from eutectic.engine.inversion import ClosedForm, Kind, OwnNoise, Residual, noise_map
from eutectic.engine.sample import Row as SamplerRow
from eutectic.engine.sample import sample
from eutectic.experiments.paper.study import Study, Tables
from eutectic.experiments.pictures import save_figure
from eutectic.experiments.report import Row, Table

CLIP = "loop_weirdo"
CASES: tuple[tuple[Kind, float], ...] = (
    ("clean", 1.0), ("scaled", 1.0), ("scaled", 0.0), ("gaussian", 0.0),
)  # fmt: skip
DRAWN = (1, 3)
"""The cases whose latents and maps are drawn, by index."""

DRAWN_LEVELS = 4
COLUMNS = ("residual", "eta", "sigma", "latent_rms", "map_rms", "deviation")
NOTES = (
    "map_rms: RMS of Eq. 9's noise map; deviation: of the retraced state from the inverted latent, "
    "over the latent's RMS; the last level is x0 itself",
)


@dataclass(frozen=True)
class Retracing:
    """An inversion and the sampling that retraces it: a tensor for each level, downwards."""

    kind: Kind
    eta: float
    sigmas: tuple[float, ...]
    latents: tuple[Tensor, ...]
    maps: tuple[Tensor, ...]
    restored: tuple[Tensor, ...]

    @property
    def name(self) -> str:
        return f"{self.kind}, {'SDE' if self.eta else 'ODE'}"

    @property
    def deviations(self) -> list[float]:
        """Relative deviation of each level's restored state from its latent."""
        pairs = zip(self.restored, self.latents, strict=True)
        return [_rms(restored - latent) / _rms(latent) for restored, latent in pairs]


def make(study: Study) -> Tables:
    """Retrace each case on one clip, with figures at every level."""
    made = [_retrace(study, *case) for case in study.each(CASES)]
    codec, clip = study.engine.model.codec, study.clip(CLIP)
    study.keep(f"{CLIP}-codec", study.trip(CLIP))
    for each in made:
        whole = codec.complete(each.restored[-1].float(), clip.latent)
        samples = codec.decode(whole, clip.waveform.frames)
        study.keep(f"{CLIP}-{each.kind}-eta{each.eta:g}", Waveform(samples, codec.rate_hz))
    _draw(made, study.folder / "figC1.png")
    rows = tuple(row for each in made for row in _rows(each))
    title = "figC1: noise maps and retracing"
    summary = tuple(
        (each.kind, each.eta, _rms(each.maps[0]), _rms(each.maps[-1]), max(each.deviations))
        for each in made
    )
    columns = ("residual", "eta", "map_rms at s_max", "map_rms at s_min", "greatest deviation")
    return Table(title, COLUMNS, rows), Table(title, columns, summary, NOTES)


def _rows(made: Retracing) -> list[Row]:
    maps = [*map(_rms, made.maps), math.nan]
    return [
        (made.kind, made.eta, sigma, _rms(latent), on_map, deviation)
        for sigma, latent, on_map, deviation in zip(
            made.sigmas, made.latents, maps, made.deviations, strict=True
        )
    ]


def _retrace(study: Study, kind: Kind, eta: float) -> Retracing:
    sampler = study.sampler(eta=eta)
    x0 = study.engine.model.codec.seen(study.clip(CLIP).latent).double()
    levels = range(sampler.grid.first_finite, sampler.steps)
    sigmas = [sampler.grid.sigmas[level] for level in levels]
    unit = study.engine.fuser.noise(study.seed, x0.shape[-1]).initial().double()
    residual, flow = Residual(kind, eta=eta), study.engine.model.flow
    trajectory = ClosedForm(x0, sampler.grid.s_min, residual, unit, flow)
    latents = [trajectory.at(sigma) for sigma in sigmas]
    maps = [noise_map(latent, x0, sigma) for latent, sigma in zip(latents, sigmas, strict=True)]
    on_level = dict(zip(sigmas, maps, strict=True))

    def denoised(state: Tensor, sigma: Tensor) -> Tensor:
        return state - float(sigma) * on_level[float(sigma)]

    silence = OwnNoise({level: torch.zeros_like(x0) for level in levels})
    row = SamplerRow(latents[0], levels[0], sigmas[0])
    restored = [row.state]
    for level in levels:
        (row,) = sample(denoised, [row], sampler, silence, until=level + 1)
        restored.append(row.state)
    return Retracing(kind, eta, (*sigmas, 0.0), (*latents, x0), tuple(maps), tuple(restored))


def _rms(tensor: Tensor) -> float:
    return float(tensor.square().mean().sqrt())


def _draw(made: list[Retracing], path: Path) -> None:
    figure = Figure(figsize=(11, 7), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[9, 4], squeeze=False)[0]
    blocks = left.subfigures(len(DRAWN), 1, squeeze=False)[:, 0]
    for block, number in zip(blocks, DRAWN, strict=True):
        _draw_tensors(block, made[number])
    above, below = right.subplots(2, 1)
    for each in made:
        maps = list(map(_rms, each.maps))
        if any(maps):
            above.loglog(each.sigmas[:-1], maps, label=each.name)
        below.loglog(each.sigmas[1:-1], each.deviations[1:-1], label=each.name)
    _label(above, "RMS of the noise map (clean: 0)")
    _label(below, "relative deviation when retraced")
    save_figure(figure, path)


def _label(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("sigma")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)


def _draw_tensors(figure: SubFigure, made: Retracing) -> None:
    """Draw latents, maps and restored states at a few levels, each over its own RMS."""
    figure.suptitle(f"{made.name}: each over its own RMS", fontsize=10)
    last = len(made.maps) - 1
    levels = [round(k * last / (DRAWN_LEVELS - 1)) for k in range(DRAWN_LEVELS)]
    rows: dict[str, tuple[Tensor, ...]] = {
        "inverted": made.latents, "noise map": made.maps, "restored": made.restored,
    }  # fmt: skip
    grid: Any = figure.subplots(len(rows), len(levels), sharex=True, sharey=True)
    for cells, (name, tensors) in zip(grid, rows.items(), strict=True):
        cells[0].set_ylabel(f"{name}\nchannel", fontsize=9)
        for cell, level in zip(cells, levels, strict=True):
            tensor, rms = tensors[level][0], _rms(tensors[level])
            cell.imshow(
                (tensor / max(rms, 1e-30)).cpu().numpy(), origin="lower", aspect="auto",
                cmap=colormaps["RdBu_r"].resampled(13), vmin=-3, vmax=3,
            )  # fmt: skip
            cell.set_title(f"s = {made.sigmas[level]:.3g}, RMS {rms:.3g}", fontsize=8)
    for cell in grid[-1]:
        cell.set_xlabel("latent frame", fontsize=9)
