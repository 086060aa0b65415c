"""Small pictures of sounds, of 8 bits a pixel, which browsers colour."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

WINDOW = 2048
COLUMNS, ROWS = 192, 128
"""Of a spectrogram."""

PER_COLUMN = 2
"""Spectra that a column is the mean of."""

LOW_HZ, HIGH_HZ = 40.0, 16_000.0
RANGE_DB = 66.0
"""From black to white."""

OVERVIEW_COLUMNS = 240
DARK_HZ, BRIGHT_HZ = 80.0, 6000.0
"""Centroids that are shown as 0 and as 255."""

SILENT_POWER = 1e-12

Pixels = NDArray[np.uint8]


def spectrogram(samples: NDArray[np.float32], rate_hz: int) -> Pixels:
    """Power in bands of equal musical width (row, column) over time, the highest in row 0.

    `samples` are (channel, frame). What is quieter than the loudest by RANGE_DB is black.
    """
    power = _spectra(samples.mean(axis=0), COLUMNS)
    edges_hz = np.geomspace(LOW_HZ, HIGH_HZ, ROWS + 1)
    edges = np.clip(edges_hz * WINDOW / rate_hz + 0.5, 0, power.shape[1])
    summed = np.pad(np.cumsum(power, axis=1), ((0, 0), (1, 0)))
    at = np.arange(summed.shape[1])
    bands = np.diff([np.interp(edges, at, column) for column in summed], axis=1)
    loudest = bands.max()
    if loudest <= SILENT_POWER:
        return np.zeros((ROWS, COLUMNS), np.uint8)
    level_db = 10 * np.log10(np.maximum(bands / loudest, 1e-12))
    return _bytes(1 + level_db / RANGE_DB).T[::-1]


def overview(samples: NDArray[np.float32], rate_hz: int) -> Pixels:
    """Peaks (row 0), against the highest, and brightness (row 1) over time."""
    frames = samples.shape[1]
    edges = np.linspace(0, frames, OVERVIEW_COLUMNS + 1).astype(int)
    loud = np.abs(samples).max(axis=0)
    peaks = np.array([loud[a : max(b, a + 1)].max(initial=0.0)
                      for a, b in itertools.pairwise(edges)])  # fmt: skip
    power = _spectra(samples.mean(axis=0), OVERVIEW_COLUMNS)
    hz = np.arange(power.shape[1]) * rate_hz / WINDOW
    centroids = (power @ hz) / np.maximum(power.sum(axis=1), SILENT_POWER)
    octaves = np.log2(np.maximum(centroids, 1.0) / DARK_HZ) / np.log2(BRIGHT_HZ / DARK_HZ)
    return np.stack([_bytes(peaks / max(float(peaks.max()), 1e-6)), _bytes(octaves)])


def _spectra(mono: NDArray[np.float32], columns: int) -> NDArray[np.float32]:
    """Power spectra (column, bin) of as many even parts of a sound."""
    padded = np.pad(mono, (WINDOW // 2, WINDOW // 2 + 1))
    count = columns * PER_COLUMN
    starts = np.linspace(0, max(len(mono) - 1, 0), count).astype(int)
    window = np.hanning(WINDOW).astype(np.float32)
    frames = padded[starts[:, None] + np.arange(WINDOW)] * window
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    return power.reshape(columns, PER_COLUMN, -1).mean(axis=1)


def _bytes(shares: NDArray[np.floating]) -> Pixels:
    return np.round(255 * np.clip(shares, 0, 1)).astype(np.uint8)
