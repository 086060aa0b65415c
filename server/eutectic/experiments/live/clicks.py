"""What a click is: a jump above what the material itself has; and a hole: silence within sound.

A second difference shows a jump in a slow tone, but music has differences of its own as large. So a
linear predictor is fitted to every stretch of the recording, of which the second difference is the
simplest: what it can't foresee is small in music, too, and stands out where something broke. That
is compared with the larger of what it couldn't foresee around; see Godsill and Rayner, *Digital
Audio Restoration*, 1998, chapter 5, for such detectors. Only what reaches above EDGE_HZ counts: a
fade of a few milliseconds can't be foreseen either, and isn't heard as a click.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LIMIT_DB = -65.0
"""What a click has above EDGE_HZ is over this, of the peak around it."""

FLOOR_DB = -100.0
"""Of full scale: quieter ones are nobody's."""

EDGE_HZ = 4000.0

EDGE_FRAMES = 2048
"""Left out at both ends, where a filter knows nothing of what was before."""

ABOVE = 4.0
"""A click is as many times what the material has around it; honest material reaches 2, a struck
bell 3.5."""

ORDER, WINDOW_FRAMES = 32, 2048
"""Of the predictor, and what it is fitted to; its hop is half of that."""

BLOCK_FRAMES, AROUND_BLOCKS, RANK_PERCENT = 64, 33, 85
"""Around is 44 ms at 48 kHz: of its blocks' largest, this percentile, so that a few clicks there
don't hide each other."""

NEXT_BLOCKS = 5
"""Of an attack, after its first two, that are heard as one with it."""

CHUNK_FRAMES = 1 << 20
"""Of a long recording, analysed at once."""

SILENCE = 3e-5
"""-90 dB of full scale: what is never louder is nothing."""

HOLE_SECONDS = 0.002


class Click(NamedTuple):
    """Where a jump is, how loud it is above EDGE_HZ, and how far over what the material has."""

    at_seconds: float
    channel: int
    level_db: float
    above_db: float


class Hole(NamedTuple):
    """A silence between sounds."""

    at_seconds: float
    seconds: float


def clicks(samples: NDArray[np.float32], rate_hz: int) -> list[Click]:
    """The clicks in a recording, (frame,) or (frame, channel): one for each place, as its worst.

    It can be of anything, but the first moment of an attack of under 2 ms is a jump like others.
    """
    columns = samples[:, None] if samples.ndim == 1 else samples
    found = [
        click
        for channel in range(columns.shape[1])
        for start in range(0, len(columns), CHUNK_FRAMES)
        for click in _of_chunk(columns[:, channel], channel, start, rate_hz)
    ]
    found.sort(key=lambda click: click.above_db)
    worst = {round(click.at_seconds * rate_hz) // BLOCK_FRAMES: click for click in found}
    return [worst[block] for block in sorted(worst) if block - 1 not in worst]


def holes(samples: NDArray[np.float32], rate_hz: int, seconds: float = HOLE_SECONDS) -> list[Hole]:
    """Silences of this length or longer between a recording's first sound and its last."""
    heard = np.flatnonzero(_peaks(samples) > SILENCE)
    lengths = np.diff(heard) - 1
    return [
        Hole(float(heard[index] + 1) / rate_hz, float(lengths[index]) / rate_hz)
        for index in np.flatnonzero(lengths >= max(1, round(seconds * rate_hz)))
    ]


def longest_silence(samples: NDArray[np.float32]) -> int:
    """Frames of the longest stretch in which nothing is heard, at the ends, too."""
    heard = np.flatnonzero(_peaks(samples) > SILENCE)
    edges = np.concatenate(([-1], heard, [len(samples)]))
    return int(np.diff(edges).max()) - 1


def click_db(samples: NDArray[np.float32], rate_hz: int) -> float:
    """Peak above EDGE_HZ over the peak of the whole, dB, of (frame,) or (frame, channel).

    Stricter than `clicks`, for low tones alone: what they have above EDGE_HZ is all clicks, even if
    there is one in every block. Over LIMIT_DB it is heard.
    """
    mono = samples if samples.ndim == 1 else samples.mean(axis=1)
    high = _above_edge(np.pad(mono, EDGE_FRAMES), rate_hz)[2 * EDGE_FRAMES : -2 * EDGE_FRAMES]
    return float(20 * np.log10(high.max() / np.abs(mono).max()))


def _peaks(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.abs(samples) if samples.ndim == 1 else np.abs(samples).max(axis=1)


def _of_chunk(wave: NDArray[np.float32], channel: int, start: int, rate_hz: int) -> Iterator[Click]:
    """Clicks of a stretch of CHUNK_FRAMES, analysed with EDGE_FRAMES more at both ends."""
    import scipy.ndimage

    first, last = max(0, start - EDGE_FRAMES), start + CHUNK_FRAMES + EDGE_FRAMES
    piece = wave[first:last].astype(np.float64)
    count = len(piece) // BLOCK_FRAMES
    if not count or not piece.any():
        return
    peak, edge = _blocks(np.abs(piece)), _blocks(_above_edge(piece, rate_hz))
    left = _blocks(_unforeseen(piece))
    around = scipy.ndimage.percentile_filter(left, RANK_PERCENT, AROUND_BLOCKS) + 1e-7
    around = np.maximum(around, _next_to(left))
    level = scipy.ndimage.maximum_filter1d(peak, AROUND_BLOCKS)
    edge = scipy.ndimage.maximum_filter1d(edge, 3)  # the predictor's place may be the next block
    least = np.maximum(level * 10 ** (LIMIT_DB / 20), 10 ** (FLOOR_DB / 20))
    is_top = left == scipy.ndimage.maximum_filter1d(left, NEXT_BLOCKS)
    for block in np.flatnonzero(is_top & (left > ABOVE * around) & (edge > least)):
        at = first + int(block) * BLOCK_FRAMES
        is_known = EDGE_FRAMES <= at < len(wave) - EDGE_FRAMES
        if is_known and start <= at < start + CHUNK_FRAMES:
            level_db, above_db = 20 * np.log10((edge[block], left[block] / around[block]))
            yield Click(at / rate_hz, channel, float(level_db), float(above_db))


def _blocks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest value of each whole block."""
    count = len(values) // BLOCK_FRAMES
    return values[: count * BLOCK_FRAMES].reshape(count, BLOCK_FRAMES).max(axis=1)


def _next_to(left: NDArray[np.float64]) -> NDArray[np.float64]:
    """The second largest of what each block has just before it, or just after, if that is more.

    A struck bell goes on for ten milliseconds, a click for none.
    """
    import scipy.ndimage

    second = scipy.ndimage.rank_filter(np.pad(left, NEXT_BLOCKS), -2, NEXT_BLOCKS)
    reach = NEXT_BLOCKS // 2 + 2
    centre = slice(NEXT_BLOCKS, len(second) - NEXT_BLOCKS)
    return np.maximum(np.roll(second, reach)[centre], np.roll(second, -reach)[centre])


def _above_edge(wave: NDArray[np.floating], rate_hz: int) -> NDArray[np.float64]:
    """Size of what a wave has above EDGE_HZ (frame), where it is: the filter is zero-phase."""
    import scipy.signal

    sections = scipy.signal.butter(8, EDGE_HZ, "highpass", fs=rate_hz, output="sos")
    padding = min(EDGE_FRAMES, len(wave) - 1)
    high = scipy.signal.sosfiltfilt(sections, wave.astype(np.float64), padlen=padding)
    return np.abs(high)


def _unforeseen(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    """Size of what a linear predictor fitted around each frame (frame,) gets wrong."""
    from scipy.linalg import solve_toeplitz

    hop = WINDOW_FRAMES // 2
    whole = -(-len(wave) // hop) * hop
    padded = np.pad(wave, (hop, hop + whole - len(wave)))
    window = np.hanning(WINDOW_FRAMES)
    left = np.zeros(whole)
    for at in range(0, whole, hop):
        centre = padded[at + hop // 2 : at + hop // 2 + WINDOW_FRAMES] * window
        power = np.abs(np.fft.rfft(centre, 2 * WINDOW_FRAMES)) ** 2
        correlation = np.fft.irfft(power)[: ORDER + 1]
        correlation[0] = correlation[0] * (1 + 1e-9) + 1e-12  # or a pure tone can't be solved
        coefficients = solve_toeplitz(correlation[:-1], correlation[1:])
        known = padded[at + hop - ORDER : at + 2 * hop]
        left[at : at + hop] = np.convolve(known, np.append(1.0, -coefficients), "valid")
    return np.abs(left[: len(wave)])
