"""The side signal from the mid signal: its strength in some bands, and its correlation with mid.

Parametric stereo (Breebaart et al. 2005): the part that correlates with mid, a sound's position
between left and right, is synthesised from mid itself; the rest, its width, from a decorrelated
copy. So a panned tone stays that tone, and a wide one does not become noise.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from eutectic.engine.embedded import bands
from eutectic.engine.embedded.mdct import Mdct, Spectrum

BANDS, LOWEST_BINS = 12, 3
"""Number of bands, and the width of the first in bins; the others have equal ratios."""

MAX_GAIN = 4.0
"""Limit for mid, or its copy, in side. What would need more is not in mid, and becomes noise."""

SPREAD_SAMPLES, TAPS = 1500, 30
"""Length of the decorrelating filter, and its number of pulses."""


class Stereo(nn.Module):
    """Analysis and synthesis of side; its buffers aren't stored with the weights."""

    pool: Tensor
    spread: Tensor
    delays: Tensor
    taps: Tensor

    def __init__(self, mdct: Mdct) -> None:
        super().__init__()
        self.mdct, self.bands = mdct, BANDS
        edges = [0, *bands.edges(LOWEST_BINS, mdct.hop, BANDS - 1)]
        self.register_buffer("pool", bands.means(edges, mdct.hop), persistent=False)
        self.register_buffer("spread", bands.interpolation(edges, mdct.hop), persistent=False)
        delays, taps = _velvet_noise()
        self.register_buffer("delays", delays, persistent=False)
        self.register_buffer("taps", taps, persistent=False)
        self.context_frames = -(-SPREAD_SAMPLES // mdct.hop) + 2

    def measure(
        self, mid: Spectrum, side: Spectrum
    ) -> tuple[Float[Tensor, "batch frame band"], Float[Tensor, "batch frame band"]]:
        """Mean power of side in each band, and its correlation with mid, −1 to 1."""
        product = (mid.cosine * side.cosine + mid.sine * side.sine) / 2
        cross, power, own = (
            bands.smooth(x @ self.pool.T, bands.LOUDNESS_SMOOTHING)
            for x in (product, mid.power, side.power)
        )
        correlation = cross / ((power * own).sqrt() + bands.POWER_FLOOR)
        return side.power @ self.pool.T, correlation.clamp(-1, 1)

    def side(
        self,
        mid: Float[Tensor, "batch sample"],
        power: Float[Tensor, "batch frame band"],
        correlation: Float[Tensor, "batch frame band"],
        signs: Float[Tensor, "frame hop"],
    ) -> Float[Tensor, "batch sample"]:
        """Side signal of the given power in each band, from mid, its copy, and noise."""
        direct, copy = (self.mdct.analyse(x) for x in (mid, self._decorrelated(mid)))
        target = bands.smooth_loudness(power)
        correlation = correlation.clamp(-1, 1)
        direct_gain = self._gain(correlation**2 * target, direct.power)
        copy_gain = self._gain((1 - correlation**2) * target, copy.power)
        coefficients = ((direct_gain * correlation.sign()) @ self.spread) * direct.cosine
        coefficients = coefficients + (copy_gain @ self.spread) * copy.cosine
        reached = direct_gain**2 * self._band_power(direct.power)
        reached = reached + copy_gain**2 * self._band_power(copy.power)
        noise = ((target - reached).clamp(min=0) @ self.spread).sqrt() * signs
        return self.mdct.synthesise(coefficients + noise)

    def _gain(
        self, target: Float[Tensor, "batch frame band"], power: Float[Tensor, "batch frame hop"]
    ) -> Float[Tensor, "batch frame band"]:
        """Amplitude factor that brings bands to the target power, MAX_GAIN at most."""
        return (target / (self._band_power(power) + bands.POWER_FLOOR)).sqrt().clamp(max=MAX_GAIN)

    def _band_power(
        self, power: Float[Tensor, "batch frame hop"]
    ) -> Float[Tensor, "batch frame band"]:
        return bands.smooth_loudness(power @ self.pool.T)

    def _decorrelated(self, mid: Float[Tensor, "batch sample"]) -> Float[Tensor, "batch sample"]:
        """Mid through the filter, which only delays: nothing sounds earlier than in mid."""
        padded = nn.functional.pad(mid, (SPREAD_SAMPLES, 0))
        length = mid.shape[-1]
        return sum(
            tap * padded[:, SPREAD_SAMPLES - delay : SPREAD_SAMPLES - delay + length]
            for delay, tap in zip(self.delays.tolist(), self.taps.tolist(), strict=True)
        )  # pyright: ignore[reportReturnType]


def _velvet_noise() -> tuple[Tensor, Tensor]:
    """Delays and amplitudes of sparse, decaying pulses of random sign, of unit energy."""
    generator = torch.Generator().manual_seed(1)
    grid = SPREAD_SAMPLES / TAPS
    positions = (torch.arange(TAPS) + torch.rand(TAPS, generator=generator)) * grid
    signs = torch.randint(0, 2, (TAPS,), generator=generator) * 2.0 - 1
    amplitudes = signs * torch.exp(-2 * torch.arange(TAPS) / TAPS)
    return positions.long(), amplitudes / amplitudes.square().sum().sqrt()
