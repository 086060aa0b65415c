"""The inversions that are compared, behind one interface: a trajectory and its denoisers.

Ours in closed form (3.3) with the SDE and the ODE, and those it builds on (2.1, 2.2): DDIM,
null-text optimisation on top of it (Mokady et al. 2022), edit-friendly DDPM (Huberman-Spiegelglas
et al. 2024) and its extension to order 2 (LEDITS++, Brack et al. 2023).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from eutectic.config import Residual, SamplingSettings
from eutectic.engine import fusion
from eutectic.engine.denoiser import Denoiser
from eutectic.engine.fuser import Reference
from eutectic.engine.fusion import Injection, Prefix
from eutectic.engine.inversion import OnGrid, Trajectory, invert_ddim
from eutectic.engine.sample import Sampler, start
from eutectic.experiments.paper.null_text import NullTextDenoiser, optimise
from eutectic.experiments.paper.study import Study

GUIDANCE = 3.0
"""Guidance of the guided methods; at 1, the embedded model's default, null-text has no effect."""


@dataclass(frozen=True)
class Method:
    """An inversion and the sampler that continues from it."""

    name: str
    residual: Residual
    order: int
    eta: float
    guided: bool = False
    """Inverted under the original's own prompt and sampled with GUIDANCE."""
    null_text: bool = False
    """With an optimised null condition."""


METHODS = (
    Method("SDE, clean", "clean", 2, 1.0),
    Method("SDE, gaussian", "gaussian", 2, 1.0),
    Method("SDE, stochastic", "stochastic", 2, 1.0),
    Method("SDE, scaled", "scaled", 2, 1.0),
    Method("ODE, clean", "clean", 2, 0.0),
    Method("ODE, gaussian", "gaussian", 2, 0.0),
    Method("DDIM", "ddim", 1, 0.0),
    Method("RF-inversion", "rf-inversion", 1, 0.0),
    Method("edit-friendly, order 1", "edit-friendly", 1, 1.0),
    Method("edit-friendly, order 2", "edit-friendly", 2, 1.0),
    Method("DDIM, guided", "ddim", 1, 0.0, guided=True),
    Method("null-text", "ddim", 1, 0.0, guided=True, null_text=True),
)


@dataclass(frozen=True)
class Inverted:
    """An inverted clip, its sampler, and denoisers that lead back to the clip or elsewhere."""

    trajectory: Trajectory
    sampler: Sampler
    back: Denoiser
    """Under the condition of the inversion."""
    towards: Callable[[Reference], Denoiser]
    """With a reference's weights and condition."""


def invert(study: Study, name: str, method: Method) -> Inverted:
    """Invert a shipped clip with the base network.

    Raises:
        BadModel: null-text has no tokens to optimise.
        Cancelled: the watch was asked to stop.
    """
    engine, clip = study.engine, study.clip(name)
    sampler = study.sampler(order=method.order, eta=method.eta)
    if method.guided:
        return _invert_guided(study, name, method, sampler)
    settings = SamplingSettings(seed=study.seed, residual=method.residual)
    null = engine.fuser.denoiser(clip, Reference("", clip, None), study.settings(cfg=0.0))
    return Inverted(
        engine.fuser.invert(clip, settings, sampler, study.quiet), sampler, null,
        lambda reference: engine.fuser.denoiser(clip, reference, study.settings()),
    )  # fmt: skip


def _invert_guided(study: Study, name: str, method: Method, sampler: Sampler) -> Inverted:
    """Invert by DDIM under the clip's own prompt, unguided, for guided sampling."""
    engine, clip, guided = study.engine, study.clip(name), study.settings(cfg=GUIDANCE)
    own = Reference(study.prompt(name), clip, None)
    unguided = engine.fuser.denoiser(clip, own, study.settings(cfg=1.0))
    x0 = engine.model.codec.seen(clip.latent)
    pivot = invert_ddim(unguided, x0, sampler.grid, study.quiet)
    if not method.null_text:
        return Inverted(
            pivot, sampler, engine.fuser.denoiser(clip, own, guided),
            lambda reference: engine.fuser.denoiser(clip, reference, guided),
        )  # fmt: skip
    nulls = optimise(engine.model, unguided.conditioning, pivot, sampler, GUIDANCE, study.quiet)

    def towards(reference: Reference) -> Denoiser:
        return NullTextDenoiser(engine.fuser.denoiser(clip, reference, guided), nulls)

    return Inverted(pivot, sampler, towards(own), towards)


def reconstruct(study: Study, inverted: Inverted, points: list[Injection]) -> list[Tensor]:
    """Reconstruct the clip's latent from each point with the base network.

    The noise is the inversion's own if it has any, and the steps look back on the estimates that
    the inversion rests on: for ours x0, the model output that it assumes. Rows are sampled one by
    one, as they were inverted, so that rounding is the same.
    """
    trajectory, sampler = inverted.trajectory, inverted.sampler
    known = trajectory.denoised if isinstance(trajectory, OnGrid) else {}
    noise = study.engine.fuser.noise(study.seed, trajectory.x0.shape[-1])
    estimates = tuple(known.get(level, trajectory.x0) for level in range(sampler.steps))
    prefix = Prefix(sampler, noise, start(noise, sampler), estimates)
    return fusion.fuse(inverted.back, prefix, trajectory, points, 1, study.quiet)


def fuse(
    study: Study, inverted: Inverted, reference: Reference, points: list[Injection]
) -> list[Tensor]:
    """Run Algorithm 1 at each point, looking back on the reference's own sampling."""
    engine, sampler = study.engine, inverted.sampler
    denoiser = inverted.towards(reference)
    noise = engine.fuser.noise(study.seed, inverted.trajectory.x0.shape[-1])
    prefix = Prefix.begin(sampler, noise).extend(
        denoiser, fusion.needed(points, sampler), study.quiet
    )
    batch = engine.fuser.max_batch
    return fusion.fuse(denoiser, prefix, inverted.trajectory, points, batch, study.quiet)
