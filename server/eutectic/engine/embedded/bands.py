"""Bands of frequency: means over a frame's bins, and back to the bins by interpolation."""

import torch
from jaxtyping import Float
from torch import Tensor

POWER_FLOOR = 1e-9
"""Power (mean square coefficient) below which a group or band counts as silent: −90 dBFS."""

LOUDNESS_SMOOTHING = (1 / 6, 2 / 3, 1 / 6)
"""Weights of a band's loudness over three frames; unsmoothed, sampled energies sound blotchy."""


def edges(low: int, high: int, count: int) -> list[int]:
    """First bins of `count` bands from `low` to `high`, then `high`; equal ratios."""
    return [round(low * (high / low) ** (i / count)) for i in range(count + 1)]


def means(edges: list[int], hop: int) -> Float[Tensor, "band hop"]:
    """Matrix from bin powers to the mean power of each band."""
    matrix = torch.zeros(len(edges) - 1, hop)
    for row, start, end in zip(matrix, edges[:-1], edges[1:], strict=True):
        row[start:end] = 1 / (end - start)
    return matrix


def interpolation(edges: list[int], hop: int) -> Float[Tensor, "band hop"]:
    """Matrix from band values to bins, linear in log frequency between the bands' centres.

    Bins below the lowest edge get 0.
    """
    borders = torch.tensor(edges).double().clamp(min=0.5)
    centres = (borders[:-1].log() + borders[1:].log()) / 2
    bins = torch.log(torch.arange(hop) + 0.5).double().clamp(centres[0], centres[-1])
    left = (torch.searchsorted(centres, bins, right=True) - 1).clamp(0, len(centres) - 2)
    share = (bins - centres[left]) / (centres[left + 1] - centres[left])
    rows = torch.zeros(len(centres), hop, dtype=torch.float64)
    rows[left, torch.arange(hop)] = 1 - share
    rows[left + 1, torch.arange(hop)] = share
    rows[:, : edges[0]] = 0
    return rows.float()


def smooth(
    values: Float[Tensor, "batch frame *band"], weights: tuple[float, float, float]
) -> Float[Tensor, "batch frame *band"]:
    """Weighted mean over three frames; the end frames are repeated."""
    padded = with_ends(values)
    return weights[0] * padded[:, :-2] + weights[1] * values + weights[2] * padded[:, 2:]


def with_ends(values: Float[Tensor, "batch frame *band"]) -> Float[Tensor, "batch padded *band"]:
    """The first frame repeated before, the last frame after."""
    return torch.cat([values[:, :1], values, values[:, -1:]], dim=1)


def smooth_loudness(
    power: Float[Tensor, "batch frame *band"],
) -> Float[Tensor, "batch frame *band"]:
    """Power smoothed over three frames as its fourth root, close to perceived loudness."""
    return smooth(power.sqrt().sqrt(), LOUDNESS_SMOOTHING) ** 4
