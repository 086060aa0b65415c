"""Spectra as masses on the frequency axis, and the optimal way to move one onto another.

Henderson and Solomon, *Audio Transport: A Generalized Portamento via Optimal Transport* (DAFx
2019, arXiv 1906.06763).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class Masses:
    """A spectrum cut into segments of neighbouring bins, such as a partial's lobe.

    Segment i has the bins from starts[i] up to ends[i], around centres[i]; its magnitude is
    shares[i] of the whole spectrum's.
    """

    starts: Int[np.ndarray, " mass"]
    ends: Int[np.ndarray, " mass"]
    centres: Int[np.ndarray, " mass"]
    shares: Float[np.ndarray, " mass"]


@dataclass(frozen=True)
class Plan:
    """Which masses move onto which: `shares` of the whole, from `kept` to `guiding`, by index."""

    kept: Int[np.ndarray, " move"]
    guiding: Int[np.ndarray, " move"]
    shares: Float[np.ndarray, " move"]


def segment(magnitudes: Float[np.ndarray, " bin"], offsets: Float[np.ndarray, " bin"]) -> Masses:
    """Cut a spectrum where the reassigned frequencies part, and centre where they meet.

    Args:
        magnitudes: of the bins; their sum isn't 0.
        offsets: from each bin's frequency to its reassigned frequency. Around a partial they point
            to it: upwards below it, downwards above it.
    """
    upwards = offsets > 0
    parting = np.flatnonzero(upwards[1:] & ~upwards[:-1]) + 1
    meeting = np.flatnonzero(~upwards[1:] & upwards[:-1]) + 1
    meeting -= np.abs(offsets[meeting - 1]) < np.abs(offsets[meeting])
    starts = np.concatenate([[0], parting])
    centres = starts.copy()  # of the first and the last, in which nothing may meet
    centres[np.searchsorted(starts, meeting, side="right") - 1] = meeting
    sums = np.add.reduceat(magnitudes, starts)
    ends = np.concatenate([parting, [len(magnitudes)]])
    return Masses(starts, ends, centres, sums / sums.sum())


def transport(kept: Masses, guiding: Masses) -> Plan:
    """The optimal plan in one dimension: masses move in order, none overtakes another."""
    sums = [np.cumsum(each.shares) for each in (kept, guiding)]
    sums = [each / each[-1] for each in sums]  # both end at 1 exactly
    bounds = np.union1d(*sums)
    bounds = bounds[bounds > 0]
    shares = np.diff(bounds, prepend=0.0)
    first, second = (np.searchsorted(each, bounds - 0.5 * shares) for each in sums)
    return Plan(first, second, shares)
