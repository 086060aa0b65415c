"""How loud the clicks in a recording of sustained tones are."""

from __future__ import annotations

import numpy as np
import scipy.signal
from numpy.typing import NDArray

LIMIT_DB = -65.0
"""What is left of a recording above 4 kHz stays under this, of its tone."""

EDGE_FRAMES = 2048
"""Left out at both ends, where the filter knows nothing of what was before."""


def longest_silence(samples: NDArray[np.float32]) -> int:
    """Frames of the longest stretch in which nothing is heard, -90 dB of full scale or less."""
    heard = np.flatnonzero(np.abs(samples).max(axis=1) > 3e-5)
    edges = np.concatenate(([-1], heard, [len(samples)]))
    return int(np.diff(edges).max()) - 1


def click_db(samples: NDArray[np.float32], rate_hz: int) -> float:
    """Peak above 4 kHz over the peak of the whole, dB; `samples` is (frame,) or (frame, channel).

    The filter is zero-phase, so that a click stays where it is and as high as it is.
    """
    mono = samples if samples.ndim == 1 else samples.mean(axis=1)
    sections = scipy.signal.butter(8, 4000, "highpass", fs=rate_hz, output="sos")
    padded = np.pad(mono.astype(np.float64), EDGE_FRAMES)
    high = scipy.signal.sosfiltfilt(sections, padded)[2 * EDGE_FRAMES : -2 * EDGE_FRAMES]
    return float(20 * np.log10(np.abs(high).max() / np.abs(mono).max()))
