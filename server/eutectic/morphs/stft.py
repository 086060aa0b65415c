"""Short-time spectra, block by block, and the sound that they add up to.

SciPy's ShortTimeFFT holds all spectra of a sound at once: hundreds of megabytes for a minute of
zero-padded frames. Here a morph reads and writes BLOCK frames at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Complex, Float
from numpy.lib.stride_tricks import sliding_window_view

BLOCK = 64
"""Frames of one block."""


@dataclass(frozen=True)
class Stft:
    """A transform with Hann windows, from which a sound comes back exactly.

    Args:
        window: samples; a multiple of four hops, so that squared windows add up to a constant.
        hop: samples from one frame to the next.
        fft: length of the transform, of zero-padded frames if it is longer than the window.
    """

    window: int
    hop: int
    fft: int

    @cached_property
    def hann(self) -> Float[np.ndarray, " window"]:
        return 0.5 - 0.5 * np.cos(self._angles)

    @cached_property
    def slope(self) -> Float[np.ndarray, " window"]:
        """The Hann window's derivative, per sample."""
        return np.pi / self.window * np.sin(self._angles)

    @cached_property
    def _angles(self) -> Float[np.ndarray, " window"]:
        return 2 * np.pi * np.arange(self.window) / self.window

    @cached_property
    def _centring(self) -> Complex[np.ndarray, " bin"]:
        """Factors that refer phases to the window's middle: a partial's lobe has one phase."""
        return np.exp(1j * np.pi * self.window / self.fft * np.arange(self.fft // 2 + 1))

    def blocks(
        self, samples: Float[np.ndarray, "channel sample"]
    ) -> Iterator[Float[np.ndarray, "channel frame window"]]:
        """The frames of a sound, not yet windowed; its edges, too, have their full overlap."""
        before = self.window - self.hop
        count = -(-(samples.shape[1] + before) // self.hop)
        after = (count - 1) * self.hop + self.window - before - samples.shape[1]
        padded = np.pad(samples, ((0, 0), (before, after)))
        frames = sliding_window_view(padded, self.window, axis=1)[:, :: self.hop]
        for first in range(0, count, BLOCK):
            yield frames[:, first : first + BLOCK]

    def spectra(
        self,
        frames: Float[np.ndarray, "channel frame window"],
        window: Float[np.ndarray, " window"] | None = None,
    ) -> Complex[np.ndarray, "channel frame bin"]:
        """Spectra of frames under a window, by default Hann's."""
        windowed = frames * (self.hann if window is None else window)
        return np.fft.rfft(windowed, self.fft) * self._centring

    def sound(
        self, blocks: Iterable[Complex[np.ndarray, "channel frame bin"]], length: int
    ) -> Float[np.ndarray, "channel sample"]:
        """The sound, `length` samples long, whose frames have nearly these spectra.

        The least-squares estimate of Griffin and Lim (1984, Eq. 6).
        """
        added = np.zeros((0, 0))
        hann, at = self.hann / (np.square(self.hann).sum() / self.hop), 0
        for spectra in blocks:
            if not added.size:
                added = np.zeros((spectra.shape[0], length + 2 * self.window))
            frames = np.fft.irfft(spectra / self._centring, self.fft)[..., : self.window] * hann
            for index in range(frames.shape[1]):
                added[:, at : at + self.window] += frames[:, index]
                at += self.hop
        before = self.window - self.hop
        return added[:, before : before + length]
