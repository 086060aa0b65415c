"""Partials above the coefficients that the codec keeps: one a band, as level and frequency.

A partial is looked for in a long window (8192 samples), where it stands out of noise; its level is
taken from the short frame's spectrum, so that it keeps the sound's timing. Decoding sings each
partial by an oscillator whose phase runs on from frame to frame, so that a steady partial is a
steady sine, without sidebands at the frame rate. Phases themselves are not kept.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

WINDOW = 8192
"""Samples of the window in which partials are looked for."""

LOBE_BINS = 4
"""Half the width of a partial's main lobe in that window (Blackman-Harris)."""

LEAST_RATIO = 1.5
"""A partial has at least this much of the power of its band's noise; noise alone rarely does."""

LEAK_BINS = 24
"""So many frame bins to either side a partial's leakage is taken out of the noise."""

FREQUENCY_WEIGHTS = (0.01, 1.0, 0.01)
"""Of three frames: an oscillator starts and ends on the frequency that its partial has."""


@dataclass(frozen=True)
class Tones:
    """Partials, one a band and frame; where there is none, the power is 0."""

    power: Float[Tensor, "batch frame band"]
    """Sum of squared coefficients that it accounts for."""
    frequency_hz: Float[Tensor, "batch frame band"]
    noise: Float[Tensor, "batch frame band"]
    """Mean power of a coefficient beside it, over the long window."""


class ToneBands(nn.Module):
    """Finds and sings partials in adjacent bands of frame bins."""

    window: Tensor
    centre_hz: Tensor
    half_width_hz: Tensor

    def __init__(self, edges: list[int], hop: int, rate_hz: int) -> None:
        super().__init__()
        self.edges, self.hop, self.rate_hz = edges, hop, rate_hz
        self.bin_hz = rate_hz / 2 / hop
        self.context_frames = -(-(WINDOW // 2) // hop)
        self.register_buffer("window", _blackman_harris(WINDOW), persistent=False)
        low, high = (torch.tensor(e, dtype=torch.float64) * self.bin_hz for e in
                     (edges[:-1], edges[1:]))  # fmt: skip
        self.register_buffer("centre_hz", (low + high) / 2, persistent=False)
        self.register_buffer("half_width_hz", (high - low) / 2, persistent=False)

    def find(
        self,
        sound: Float[Tensor, "batch sample"],
        power: Float[Tensor, "batch frame hop"],
    ) -> Tones:
        """Partials of a sound whose frames have the given power spectra."""
        spectrum, frequency_hz = self._long_spectrum(sound, power.shape[1])
        peaks, ratios, densities = zip(
            *(self._peak(spectrum, a, b) for a, b in self._long_edges()), strict=True
        )
        peak, ratio, density = (torch.stack(each, dim=-1) for each in (peaks, ratios, densities))
        frequency_hz = frequency_hz.gather(-1, peak)
        lobe = _lobe_sum(spectrum, peak)
        level = _level(power, frequency_hz / self.bin_hz - 0.5)
        share = (1 - (2 * LOBE_BINS + 1) * density / lobe.clamp(min=1e-30)).clamp(0, 1)
        level = torch.where(ratio > LEAST_RATIO, level * share, 0.0)
        return Tones(level, frequency_hz, density / self.window.square().sum())

    def remove(
        self, power: Float[Tensor, "batch frame hop"], tones: Tones
    ) -> Float[Tensor, "batch frame hop"]:
        """The power spectra less what the partials account for."""
        position = tones.frequency_hz / self.bin_hz - 0.5
        bins, shape = _leakage(position, LEAK_BINS, power.shape[-1])
        leak = torch.zeros_like(power)
        leak.scatter_add_(-1, bins.flatten(-2), (tones.power[..., None] * shape).flatten(-2))
        return (power - leak).clamp(min=0)

    def sing(
        self,
        power: Float[Tensor, "batch frame band"],
        place: Float[Tensor, "batch frame band"],
        start: int,
        stop: int,
    ) -> Float[Tensor, "batch sample"]:
        """The partials' sound in the frames from `start` to `stop` of a whole clip.

        Args:
            power: sum of squared coefficients of each partial.
            place: frequency in its band, −1 at the lower edge to 1 at the upper.
        """
        amplitude, frequency_hz, phase = self._tracks(power, place)
        # Oscillators run from one frame's centre to the next; the ends hold their values.
        first, last = (torch.arange(start - 1 + i, stop + i) for i in (1, 2))
        pieces = [t[:, first].transpose(1, 2) for t in (amplitude, frequency_hz, phase)]
        rise = (amplitude[:, last] - amplitude[:, first]).transpose(1, 2)
        slope = (frequency_hz[:, last] - frequency_hz[:, first]).transpose(1, 2)
        active = ((pieces[0] > 0) | (rise > 0)).nonzero(as_tuple=True)
        cycles_a_hop = self.hop / self.rate_hz
        amplitude, frequency, phase, rise, slope = (
            (t[active] * unit).float()
            for t, unit in zip(
                (*pieces, rise, slope), (1, cycles_a_hop, 1, 1, cycles_a_hop), strict=True
            )
        )
        t = (torch.arange(self.hop, device=power.device) + 0.5) / self.hop
        cycles = (frequency[:, None] + slope[:, None] / 2 * t) * t + phase[:, None]
        waves = (amplitude[:, None] + rise[:, None] * t) * torch.sin(2 * math.pi * cycles)
        out = waves.new_zeros(power.shape[0] * (stop - start + 1), self.hop)
        out.index_add_(0, active[0] * (stop - start + 1) + active[2], waves)
        half = self.hop // 2
        return out.reshape(power.shape[0], -1)[:, half:-half]

    def _tracks(
        self, power: Float[Tensor, "batch frame band"], place: Float[Tensor, "batch frame band"]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Amplitude, frequency and phase in cycles at frames' centres, float64, ends repeated."""
        amplitude = (power.double() * 2 / self.hop).sqrt()
        frequency_hz = self.centre_hz + self.half_width_hz * place.double().clamp(-1, 1)
        weight = amplitude + 1e-9
        frequency_hz = smooth(weight * frequency_hz, FREQUENCY_WEIGHTS) / smooth(
            weight, FREQUENCY_WEIGHTS
        )
        amplitude, frequency_hz = (
            torch.cat([t[:, :1], t, t[:, -1:]], dim=1) for t in (amplitude, frequency_hz)
        )
        advance = (frequency_hz[:, 1:] + frequency_hz[:, :-1]) / 2 * (self.hop / self.rate_hz)
        phase = nn.functional.pad(advance.cumsum(dim=1), (0, 0, 1, 0)).remainder(1.0)
        return amplitude, frequency_hz, phase

    def _long_spectrum(
        self, sound: Float[Tensor, "batch sample"], frames: int
    ) -> tuple[Float[Tensor, "batch frame bin"], Float[Tensor, "batch frame bin"]]:
        """Power spectra around frames' centres, and the frequency by the phase's advance."""
        before = (WINDOW - self.hop) // 2
        after = frames * self.hop - sound.shape[-1] + before + 1
        padded = nn.functional.pad(sound, (before, after))
        here, later = (
            torch.fft.rfft(padded[:, i:].unfold(-1, WINDOW, self.hop)[:, :frames] * self.window)
            for i in (0, 1)
        )
        advance = torch.angle(later * here.conj()) / (2 * math.pi)
        return here.abs() ** 2, advance.abs() * self.rate_hz

    def _long_edges(self) -> list[tuple[int, int]]:
        """The bands' edges in bins of the long window."""
        scale = WINDOW / (2 * self.hop)
        places = [round(edge * scale) for edge in self.edges]
        return list(pairwise(places))

    def _peak(
        self, spectrum: Float[Tensor, "batch frame bin"], low: int, high: int
    ) -> tuple[
        Int[Tensor, "batch frame"], Float[Tensor, "batch frame"], Float[Tensor, "batch frame"]
    ]:
        """Bin of a band's highest peak, its power over the noise's, and the noise's in a bin.

        Noise is judged by the median, which other partials in the band don't raise.
        """
        band = spectrum[..., low:high]
        # Highest as far as side lobes of something higher, in the next band perhaps, could be.
        reach = 2 * LOBE_BINS
        around = spectrum[..., low - reach : high + reach]
        is_peak = band == nn.functional.max_pool1d(around, 2 * reach + 1, stride=1)
        peak = low + (band * is_peak).argmax(dim=-1)
        density = band.median(dim=-1).values / math.log(2)
        lobe = _lobe_sum(spectrum, peak[..., None])[..., 0] - (2 * LOBE_BINS + 1) * density
        found = is_peak.any(dim=-1)
        ratio = torch.where(found, lobe / (density * (high - low)).clamp(min=1e-30), 0.0)
        return peak, ratio, density


def smooth(
    values: Float[Tensor, "batch frame *band"], weights: tuple[float, float, float]
) -> Float[Tensor, "batch frame *band"]:
    """Weighted mean over three frames; the end frames are repeated."""
    before = torch.cat([values[:, :1], values[:, :-1]], dim=1)
    after = torch.cat([values[:, 1:], values[:, -1:]], dim=1)
    return weights[0] * before + weights[1] * values + weights[2] * after


def _lobe_sum(
    spectrum: Float[Tensor, "batch frame bin"], peak: Int[Tensor, "batch frame band"]
) -> Float[Tensor, "batch frame band"]:
    """Power in the main lobe around each peak."""
    around = torch.arange(-LOBE_BINS, LOBE_BINS + 1, device=peak.device)
    bins = (peak[..., None] + around).clamp(0, spectrum.shape[-1] - 1)
    return spectrum.gather(-1, bins.flatten(-2)).unflatten(-1, bins.shape[-2:]).sum(-1)


def _level(
    power: Float[Tensor, "batch frame hop"], position: Float[Tensor, "batch frame band"]
) -> Float[Tensor, "batch frame band"]:
    """Power of sines at fractional bins, from the five coefficients next to each."""
    bins, shape = _leakage(position, 2, power.shape[-1])
    near = power.gather(-1, bins.flatten(-2)).unflatten(-1, bins.shape[-2:])
    return near.sum(-1) / shape.sum(-1)


def _leakage(
    position: Float[Tensor, "batch frame band"], reach: int, count: int
) -> tuple[Int[Tensor, "batch frame band bin"], Float[Tensor, "batch frame band bin"]]:
    """Bins around fractional positions, and the shares of a sine's power that fall on them."""
    around = torch.arange(-reach, reach + 1, device=position.device)
    bins = (position.round().long()[..., None] + around).clamp(0, count - 1)
    distance = bins - position[..., None]
    # The sine window's response, which is π/4 at its two removable poles.
    pole = 1 - 4 * distance**2
    response = torch.where(pole.abs() < 1e-4, math.pi / 4, torch.cos(math.pi * distance) / pole)
    return bins, (response * math.sqrt(8) / math.pi) ** 2


def _blackman_harris(size: int) -> Float[Tensor, " size"]:
    """Four-term window with side lobes at −92 dB (Harris 1978)."""
    turn = 2 * math.pi * (torch.arange(size) + 0.5) / size
    terms = (0.35875, -0.48829, 0.14128, -0.01168)
    return torch.stack([a * torch.cos(i * turn) for i, a in enumerate(terms)]).sum(0)
