"""Bands of frequency: mean powers over a frame's bins, and back to the bins by interpolation."""

from __future__ import annotations

import itertools

import torch
from jaxtyping import Float
from torch import Tensor


def edges(bins: int, count: int, narrowest: int) -> list[int]:
    """First bins of the bands from 0 to `bins`, then `bins`: equal ratios, none too narrow.

    The lowest bands are widened to `narrowest` bins, so there may be fewer than `count`.
    """
    borders = [0]
    for number in range(count):
        border = round(narrowest * (bins / narrowest) ** (number / (count - 1)))
        borders.append(max(borders[-1] + narrowest, border))
    return [border for border in borders if border < bins] + [bins]


def means(edges: list[int]) -> Float[Tensor, "bin band"]:
    """Matrix from bin powers to the mean power of each band."""
    matrix = torch.zeros(edges[-1], len(edges) - 1)
    for band, (start, stop) in enumerate(itertools.pairwise(edges)):
        matrix[start:stop, band] = 1 / (stop - start)
    return matrix


def interpolation(edges: list[int]) -> Float[Tensor, "band bin"]:
    """Matrix from band values to bins: linear between the bands' centres, constant outside."""
    borders = torch.tensor(edges).double()
    centres = (borders[:-1] + borders[1:] - 1) / 2
    bins = torch.arange(edges[-1]).double().clamp(centres[0], centres[-1])
    left = (torch.searchsorted(centres, bins, right=True) - 1).clamp(0, len(centres) - 2)
    share = (bins - centres[left]) / (centres[left + 1] - centres[left])
    matrix = torch.zeros(len(centres), edges[-1], dtype=torch.float64)
    matrix[left, torch.arange(edges[-1])] = 1 - share
    matrix[left + 1, torch.arange(edges[-1])] += share
    return matrix.float()
