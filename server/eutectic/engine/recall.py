"""Recall: the reference remembered exactly, beside what the network makes of it.

Fine-tuning until the prompt reproduces the reference (3.4) has a limit that is known in closed
form, the best denoiser of the one clip x_ref, allowed a slack τ: that of data N(x_ref, τ²),

    D_mem(y; s) = x_ref + (y − x_ref)·τ²/(τ² + s²)

It needs no network and no learning. The estimate is a mixture, D = (1 − ρ)·D_net + ρ·D_mem, with
`recall` ρ: 0 is the paper. At ρ = 1 every estimate is affine in the state, so the whole fusion is a
weighted sum of the reference, the original's inverted latent and noise (`weights`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from eutectic.engine import fusion
from eutectic.engine.denoiser import Denoiser
from eutectic.engine.fusion import Injection
from eutectic.engine.inversion import Trajectory
from eutectic.engine.noise import SamplingNoise
from eutectic.engine.sample import Sampler
from eutectic.engine.shrinkage import kept

SEAM_FRAMES = 4
"""Latent frames over which a repeated reference crossfades into itself."""


@dataclass(frozen=True)
class Memory:
    """A clip remembered: its latent at the original's length, and the slack τ."""

    latent: Float[Tensor, "1 channel frame"]
    slack: float

    def __call__(
        self, state: Float[Tensor, "batch channel frame"], sigma: Float[Tensor, " batch"]
    ) -> Float[Tensor, "batch channel frame"]:
        """D_mem; where sigma is infinite, the clip itself."""
        share = [kept(level, self.slack) for level in sigma.double().tolist()]
        weight = torch.tensor(share, dtype=state.dtype, device=state.device)[:, None, None]
        return torch.lerp(self.latent.to(state).expand_as(state), state, weight)


@dataclass(frozen=True)
class Recalling:
    """The mixture of a network's estimate with a memory's; `recall` is neither 0 nor 1."""

    network: Denoiser
    memory: Memory
    recall: float

    def __call__(
        self, state: Float[Tensor, "batch channel frame"], sigma: Float[Tensor, " batch"]
    ) -> Float[Tensor, "batch channel frame"]:
        return torch.lerp(self.network(state, sigma), self.memory(state, sigma), self.recall)


@dataclass(frozen=True)
class Weights:
    """A fusion from memory alone: what it is the sum of."""

    reference: float
    original: float
    """Of the inverted latent that was injected; this is the original's survival."""
    noise: float
    """Of unit noise."""


@lru_cache(maxsize=1024)
def weights(injection: Injection | None, sampler: Sampler, slack: float) -> Weights:
    """What Algorithm 1 comes to where the estimate is D_mem (None: no injection).

    The sampler runs once on symbols instead of latents: channel 0 stands for the reference,
    channel 1 for the injected latent, each other one for one draw of the noise. The draws are
    independent, so their weights add as squares.
    """
    symbols = torch.eye(sampler.steps + 3, dtype=torch.float64)[:, :, None]
    reference, original, draws = symbols[:1], symbols[1:2], _Draws(symbols[2:])
    denoiser = Memory(reference, slack)
    prefix = fusion.Prefix.begin(sampler, draws)
    prefix = prefix.extend(denoiser, fusion.needed([injection], sampler))
    (sample,) = fusion.fuse(denoiser, prefix, _Constant(original), [injection])
    on_reference, on_original, *on_noise = sample.flatten().tolist()
    return Weights(on_reference, on_original, math.hypot(*on_noise))


@dataclass(frozen=True, eq=False)
class _Draws:
    """The noise of each step as a symbol."""

    symbols: Float[Tensor, "step channel 1"]

    def initial(self) -> Float[Tensor, "1 channel 1"]:
        return self.symbols[:1]

    def step(self, index: int) -> Float[Tensor, "1 channel 1"]:
        return self.symbols[index + 1 : index + 2]


@dataclass(frozen=True, eq=False)
class _Constant:
    """An inverted latent that is the same symbol at every level."""

    x0: Float[Tensor, "1 channel 1"]
    noise: None = None

    def at(self, sigma: float) -> Float[Tensor, "1 channel 1"]:  # noqa: ARG002 (a Trajectory)
        return self.x0


def remember(
    memory: Memory,
    trajectory: Trajectory,
    injections: Sequence[Injection | None],
    sampler: Sampler,
    noise: SamplingNoise,
) -> list[Float[Tensor, "1 channel frame"]]:
    """Fusions from memory alone, one for each injection, in closed form.

    Each has the distribution that sampling with D_mem has, which is the same latent where no noise
    is added. One draw of the noise serves all, so that a fan changes evenly.
    """
    latents: list[Tensor] = []
    every = [weights(injection, sampler, memory.slack) for injection in injections]
    drawn = noise.initial() if any(weight.noise for weight in every) else None
    for injection, weight in zip(injections, every, strict=True):
        latent = weight.reference * memory.latent
        if injection is not None:
            inverted = trajectory.at(injection.sigma) if injection.sigma else trajectory.x0
            latent = latent + weight.original * inverted
        if drawn is not None and weight.noise:
            latent = latent + weight.noise * drawn
        latents.append(latent)
    return latents


def fit(
    latent: Float[Tensor, "1 channel frame"], own_frames: int, frames: int, start: int = 0
) -> Float[Tensor, "1 channel fitted"]:
    """A reference's latent at the original's length: cut, or repeated with a crossfade.

    Repetitions leave out the clip's first frame, if it has others: it may hold a hard edge, which
    is an edge at a sound's beginning only.

    Args:
        own_frames: the clip's own frames, the first; silence follows them.
        frames: the original's.
        start: the frame of the clip, or of its repetitions, to start from.
    """
    own = latent[..., :own_frames]
    if own_frames >= start + frames:
        return own[..., start : start + frames]
    again = own[..., 1:] if own_frames > 2 else own
    seam = min(SEAM_FRAMES, again.shape[-1] // 2)
    rise = (torch.arange(seam) + 0.5).to(latent) / seam
    first, period = own_frames - seam, again.shape[-1] - seam
    if start >= first:
        start = first + (start - first) % period
    repeated = latent.new_zeros(*latent.shape[:-1], start + frames + own_frames)
    for at in (0, *range(first, start + frames, period)):
        piece = (again if at else own).clone()
        length = piece.shape[-1]
        piece[..., length - seam :] *= 1 - rise
        if at:
            piece[..., :seam] *= rise
        repeated[..., at : at + length] += piece
    return repeated[..., start : start + frames]
