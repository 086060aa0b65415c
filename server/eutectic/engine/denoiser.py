"""What the sampling loop calls: a denoiser, and guidance between two of its estimates."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

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
