"""What the sampling loop calls: a denoiser, and guidance between two of its estimates."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor


@runtime_checkable
class Denoiser(Protocol):
    """Estimates the clean latent: D(y; s) in variance-exploding coordinates.

    `state` is y, float32, and `sigma` one level per row. Where sigma is infinite (flow models),
    `state` is the unit noise itself. Returns float32 of the state's shape. May be called with
    any number of rows, which don't influence each other.
    """

    def __call__(
        self, state: Float[Tensor, "batch channel frame"], sigma: Float[Tensor, " batch"]
    ) -> Float[Tensor, "batch channel frame"]: ...


def guide(
    conditional: Float[Tensor, "batch channel frame"],
    unconditional: Float[Tensor, "batch channel frame"],
    scale: float | Float[Tensor, ""],
) -> Float[Tensor, "batch channel frame"]:
    """Classifier-free guidance, Algorithm 1: ω·D(C) + (1−ω)·D(U).

    Linear in D, so guiding the denoised estimates equals guiding the predicted noise.
    """
    return scale * conditional + (1.0 - scale) * unconditional


def guide_projected(
    conditional: Float[Tensor, "batch channel frame"],
    unconditional: Float[Tensor, "batch channel frame"],
    scale: float | Float[Tensor, ""],
    share: float | Float[Tensor, ""],
) -> Float[Tensor, "batch channel frame"]:
    """Adaptive projected guidance of denoised estimates (Sadat et al., arXiv 2410.02416).

    `share` is how much of the guidance's part along the conditional estimate is left out: at 0 it
    is `guide`, at 1 only the part at right angles to that estimate guides, so that high scales
    don't overdrive it. Momentum and rescaling are left out, as in stable-audio-tools.
    """
    difference = conditional - unconditional
    norm = torch.linalg.vector_norm(conditional, dim=(1, 2), keepdim=True).clamp(min=1e-12)
    direction = conditional / norm
    along = (difference * direction).sum(dim=(1, 2), keepdim=True) * direction
    return conditional + (scale - 1) * (difference - share * along)
