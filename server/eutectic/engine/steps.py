"""Sampler steps of DPM-Solver++, as pure values.

With h = log(s/s′), H = (1+η)h and d the denoised estimate, every step is affine in the state,
the newest estimates and fresh noise z:

    y′ = a·y + Σ_j b_j·d_(−j) + e·z

- order 1: a = e^(−H), b_0 = 1 − e^(−H), e = s′√(1 − e^(−2ηh)); η 1 is the paper's SDE (Eq. 2),
  η 0 its ODE (Eq. 7; DDIM)
- order 2 adds φ·(d − d₋₁)/r with r = h₋₁/h and φ = ½(1 − e^(−H)) for `midpoint`,
  φ = (1 − e^(−H))/(−H) + 1 for `heun` (k-diffusion's `sample_dpmpp_2m_sde`; `2m` at η 0)
- order 3 as k-diffusion's `sample_dpmpp_3m_sde`
- `pingpong`: y′ = d + s′·z (few-step models)
- the last step, to s′ = 0, gives y = d

A step from s = ∞ starts at the unit noise: the ODE keeps it (y′ = d + s′·y), any η > 0 replaces
it. The orders are tested on a denoiser with an exact solution: slopes 1, 2, 2.06.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeVar

from torch import Tensor

Solver = Literal["midpoint", "heun", "pingpong"]
Value = TypeVar("Value", Tensor, float)


@dataclass(frozen=True)
class Step:
    """Coefficients of one step: on the state, on the estimates (newest first), on the noise."""

    state: float
    denoised: tuple[float, ...]
    noise: float

    def apply(self, state: Value, denoised: tuple[Value, ...], noise: Value) -> Value:
        """y′ from y, the estimates d, d₋₁, … (as many as there are coefficients) and z."""
        result = self.denoised[0] * denoised[0]
        for weight, estimate in zip(self.denoised[1:], denoised[1:], strict=False):
            result = result + weight * estimate
        if self.state:
            result = result + self.state * state
        if self.noise:
            result = result + self.noise * noise
        return result


def make_step(
    sigma: float,
    sigma_next: float,
    widths: tuple[float, ...],
    order: int = 2,
    eta: float = 1.0,
    solver: Solver = "midpoint",
) -> Step:
    """The step from sigma to sigma_next.

    Args:
        sigma: level of the state; infinite only where the state is unit noise.
        sigma_next: the lower level to go to.
        widths: log spacings h₋₁, h₋₂ of d₋₁, d₋₂, newest first; missing ones lower the order, as
            at the start of a run.
        order: at most 1, 2 or 3.
        eta: 0 (ODE) to 1 (SDE).
        solver: the second-order rule, or `pingpong`.
    """
    if sigma_next == 0:
        return Step(0.0, (1.0,), 0.0)
    if solver == "pingpong":
        return Step(0.0, (1.0,), sigma_next)
    if math.isinf(sigma):
        return Step(0.0, (1.0,), sigma_next) if eta else Step(sigma_next, (1.0,), 0.0)
    h = math.log(sigma / sigma_next)
    big_h = (1.0 + eta) * h
    drift = -math.expm1(-big_h)
    noise = sigma_next * math.sqrt(-math.expm1(-2.0 * eta * h))
    usable = tuple(width for width in widths[: order - 1] if math.isfinite(width))
    correction = _correction(h, big_h, drift, usable, order, solver)
    return Step(math.exp(-big_h), (drift + correction[0], *correction[1:]), noise)


def _correction(
    h: float, big_h: float, drift: float, widths: tuple[float, ...], order: int, solver: Solver
) -> tuple[float, ...]:
    """What orders above 1 add to the weights of d, d₋₁ and d₋₂."""
    if not widths:
        return (0.0,)
    phi_2 = 1.0 - drift / big_h
    if order == 2:
        phi = (0.5 * drift if solver == "midpoint" else phi_2) * h / widths[0]
        return (phi, -phi)
    if len(widths) == 1:
        phi = phi_2 * h / widths[0]
        return (phi, -phi)
    phi_3 = phi_2 / big_h - 0.5
    r0, r1 = widths[0] / h, widths[1] / h
    # d1 = g0 + (g0 − g1)·r0/(r0+r1) and d2 = (g0 − g1)/(r0+r1), with the divided differences
    # g0 = (d − d₋₁)/r0 and g1 = (d₋₁ − d₋₂)/r1; the step adds φ2·d1 − φ3·d2.
    on_g0 = phi_2 + (phi_2 * r0 - phi_3) / (r0 + r1)
    on_g1 = -(phi_2 * r0 - phi_3) / (r0 + r1)
    return (on_g0 / r0, -on_g0 / r0 + on_g1 / r1, -on_g1 / r1)
