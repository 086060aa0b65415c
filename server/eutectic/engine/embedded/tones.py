"""Partials, one per band, as level and frequency.

A partial is found in a long window (8192 samples), where it stands out of noise; its level is
taken from the short frame's spectrum, which keeps the sound's timing. Decoding synthesises each
partial by an oscillator whose phase continues from frame to frame, so a steady partial is a
steady sine, without sidebands at the frame rate. Phases themselves are not kept.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor, nn

from eutectic.engine.embedded import bands

WINDOW = 8192
"""Length in samples of the window in which partials are found."""

LOBE_BINS = 4
"""Half the width of a partial's main lobe in that window (Blackman-Harris)."""

LEAST_RATIO, LEAST_PEAK = 1.5, 2.0
"""A partial's least power relative to its band's noise, and to the noise under its lobe; noise
alone rarely reaches both."""

NOISE_BINS = 64
"""Least width of the range, in bins of that window, over which a band's noise is estimated."""

LEAST_BIN = 4
"""Below this bin of that window, 22 Hz, nothing counts as a partial."""

LEAK_BINS = 24
"""Frame bins to either side from which a partial's leakage is removed."""

INAUDIBLE = 1e-6
"""Partials below this amplitude, −120 dB, are not synthesised."""

FREQUENCY_WEIGHTS = (0.01, 1.0, 0.01)
"""Weights of frequencies over three frames, where an oscillator starts and ends its partial."""


@dataclass(frozen=True)
class Tones:
    """Partials, one per band and frame; where there is none, the power is 0."""

    power: Float[Tensor, "batch frame band"]
    """Sum of squared coefficients that the partial accounts for."""
    frequency_hz: Float[Tensor, "batch frame band"]
    noise: Float[Tensor, "batch frame band"]
    """Mean power of a coefficient beside the partial, over the long window."""


class ToneBands(nn.Module):
    """Finds and synthesises partials in adjacent bands of frame bins."""

    window: Tensor
    pool: Tensor
    widths: Tensor
    centre_hz: Tensor
    half_width_hz: Tensor

    def __init__(self, edges: list[int], hop: int, rate_hz: int) -> None:
        super().__init__()
        self.edges, self.hop, self.rate_hz = edges, hop, rate_hz
        self.bin_hz = rate_hz / 2 / hop
        self.context_frames = -(-(WINDOW // 2) // hop)
        self.register_buffer("window", _blackman_harris(WINDOW), persistent=False)
        self.register_buffer("pool", bands.means(edges, hop), persistent=False)
        self.register_buffer("widths", torch.tensor(edges).diff().float(), persistent=False)
        low, high = (torch.tensor(e, dtype=torch.float64) * self.bin_hz for e in
                     (edges[:-1], edges[1:]))  # fmt: skip
        self.register_buffer("centre_hz", (low + high) / 2, persistent=False)
        self.register_buffer("half_width_hz", (high - low) / 2, persistent=False)

    def find(
        self,
        sound: Float[Tensor, "batch sample"],
        power: Float[Tensor, "batch frame bin"],
    ) -> Tones:
        """Partials of a sound whose frames have these power spectra."""
        here, later = self._long_spectra(sound, power.shape[1])
        spectrum = here.abs() ** 2
        peaks, ratios, densities = zip(
            *(self._peak(spectrum, a, b) for a, b in self._long_edges()), strict=True
        )
        peak, ratio, density = (torch.stack(each, dim=-1) for each in (peaks, ratios, densities))
        # From the phase's advance over one sample.
        advance = torch.angle(later.gather(-1, peak) * here.gather(-1, peak).conj())
        frequency_hz = advance.abs() * (self.rate_hz / (2 * math.pi))
        lobe = _lobe_sum(spectrum, peak)
        level = _level(power, frequency_hz / self.bin_hz - 0.5)
        share = (1 - (2 * LOBE_BINS + 1) * density / lobe.clamp(min=1e-30)).clamp(0, 1)
        level = torch.where(ratio > LEAST_RATIO, level * share, 0.0)
        return Tones(level, frequency_hz, density / self.window.square().sum())

    def place(self, tones: Tones) -> Float[Tensor, "batch frame band"]:
        """Frequencies in their bands, −1 at the lower edge to 1 at the upper."""
        return ((tones.frequency_hz - self.centre_hz) / self.half_width_hz).clamp(-1, 1).float()

    def frequency_hz(
        self, place: Float[Tensor, "batch frame band"]
    ) -> Float[Tensor, "batch frame band"]:
        """Inverse of `place`."""
        return self.centre_hz + self.half_width_hz * place.double().clamp(-1, 1)

    def leakage(
        self,
        power: Float[Tensor, "batch frame band"],
        frequency_hz: Float[Tensor, "batch frame band"],
        bins: int,
    ) -> Float[Tensor, "batch frame bin"]:
        """Power spectra of partials in frames, the lowest `bins`."""
        near, shape = _leakage(frequency_hz / self.bin_hz - 0.5, LEAK_BINS, bins)
        spectrum = power.new_zeros(*power.shape[:2], bins)
        leaks = (power[..., None] * shape).to(power.dtype)
        return spectrum.scatter_add_(-1, near.flatten(-2), leaks.flatten(-2))

    def synthesise(
        self,
        power: Float[Tensor, "batch frame band"],
        place: Float[Tensor, "batch frame band"],
        start: int,
        stop: int,
        shares: Float[Tensor, "batch part band"] | None = None,
    ) -> Float[Tensor, "batch sample"]:
        """The partials' sound in the frames from `start` to `stop` of a whole clip.

        Args:
            power: sum of squared coefficients of each partial.
            place: frequency in its band, −1 at the lower edge to 1 at the upper.
            shares: share of the power that sounds, in the frames from `start` − 1 to `stop` + 1;
                silent partials still advance the phase. Default: all of it.
        """
        amplitude, frequency_hz, phase = self._tracks(power, place)
        if shares is not None:
            amplitude = amplitude.clone()
            amplitude[:, start : stop + 2] *= shares.double().sqrt()
        # Oscillators run from one frame's centre to the next; the ends hold their values.
        first, last = (torch.arange(start - 1 + i, stop + i) for i in (1, 2))
        pieces = [t[:, first].transpose(1, 2) for t in (amplitude, frequency_hz, phase)]
        rise = (amplitude[:, last] - amplitude[:, first]).transpose(1, 2)
        slope = (frequency_hz[:, last] - frequency_hz[:, first]).transpose(1, 2)
        active = ((pieces[0] > INAUDIBLE) | (rise > INAUDIBLE)).nonzero(as_tuple=True)
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
        """Amplitude, frequency, and phase in cycles, at frames' centres; float64, ends repeated."""
        amplitude = (power.double() * 2 / self.hop).sqrt()
        frequency_hz = self.frequency_hz(place)
        weight = amplitude + 1e-9
        frequency_hz = bands.smooth(weight * frequency_hz, FREQUENCY_WEIGHTS) / bands.smooth(
            weight, FREQUENCY_WEIGHTS
        )
        amplitude, frequency_hz = (bands.with_ends(t) for t in (amplitude, frequency_hz))
        advance = (frequency_hz[:, 1:] + frequency_hz[:, :-1]) / 2 * (self.hop / self.rate_hz)
        phase = nn.functional.pad(advance.cumsum(dim=1), (0, 0, 1, 0)).remainder(1.0)
        return amplitude, frequency_hz, phase

    def _long_spectra(
        self, sound: Float[Tensor, "batch sample"], frames: int
    ) -> tuple[Complex[Tensor, "batch frame bin"], Complex[Tensor, "batch frame bin"]]:
        """Spectra around frames' centres, and one sample later, up to just above the bands."""
        before = (WINDOW - self.hop) // 2
        after = frames * self.hop - sound.shape[-1] + before + 1
        padded = nn.functional.pad(sound, (before, after))
        top = self._long_edges()[-1][1] + NOISE_BINS
        here, later = (
            torch.fft.rfft(padded[:, i:].unfold(-1, WINDOW, self.hop)[:, :frames] * self.window)
            for i in (0, 1)
        )
        return here[..., :top], later[..., :top]

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
        """Bin of a band's highest peak, its power relative to the noise, and the noise per bin.

        Noise is estimated by the median, which other partials in the band don't raise.
        """
        low = max(low, LEAST_BIN)
        band = spectrum[..., low:high]
        # A peak must be the highest as far as a stronger one's side lobes could reach.
        reach = 2 * LOBE_BINS
        around = spectrum[..., max(0, low - reach) : high + reach]
        around = nn.functional.pad(around, (max(0, reach - low), 0))
        is_peak = band == nn.functional.max_pool1d(around, 2 * reach + 1, stride=1)
        peak = low + (band * is_peak).argmax(dim=-1)
        margin = max(0, NOISE_BINS - (high - low)) // 2
        beside = spectrum[..., max(0, low - margin) : high + margin]
        density = beside.median(dim=-1).values / math.log(2)
        under = (2 * LOBE_BINS + 1) * density
        lobe = _lobe_sum(spectrum, peak[..., None])[..., 0] - under
        found = is_peak.any(dim=-1) & (lobe > LEAST_PEAK * under)
        ratio = torch.where(found, lobe / (density * (high - low)).clamp(min=1e-30), 0.0)
        return peak, ratio, density


def _lobe_sum(
    spectrum: Float[Tensor, "batch frame bin"], peak: Int[Tensor, "batch frame band"]
) -> Float[Tensor, "batch frame band"]:
    """Power in the main lobe around each peak."""
    around = torch.arange(-LOBE_BINS, LOBE_BINS + 1, device=peak.device)
    bins = (peak[..., None] + around).clamp(0, spectrum.shape[-1] - 1)
    return spectrum.gather(-1, bins.flatten(-2)).unflatten(-1, bins.shape[-2:]).sum(-1)


def _level(
    power: Float[Tensor, "batch frame bin"], position: Float[Tensor, "batch frame band"]
) -> Float[Tensor, "batch frame band"]:
    """Power of sines at fractional bins, from the five nearest coefficients."""
    bins, shape = _leakage(position, 2, power.shape[-1])
    near = power.gather(-1, bins.flatten(-2)).unflatten(-1, bins.shape[-2:])
    return near.sum(-1) / shape.sum(-1)


def _leakage(
    position: Float[Tensor, "batch frame band"], reach: int, count: int
) -> tuple[Int[Tensor, "batch frame band bin"], Float[Tensor, "batch frame band bin"]]:
    """Bins around fractional positions, and the share of a sine's power in each."""
    around = torch.arange(-reach, reach + 1, device=position.device)
    bins = (position.round().long()[..., None] + around).clamp(0, count - 1)
    distance = bins - position[..., None]
    # The sine window's response, π/4 at its two removable poles.
    pole = 1 - 4 * distance**2
    response = torch.where(pole.abs() < 1e-4, math.pi / 4, torch.cos(math.pi * distance) / pole)
    return bins, (response * math.sqrt(8) / math.pi) ** 2


def _blackman_harris(size: int) -> Float[Tensor, " size"]:
    """Four-term window with side lobes at −92 dB (Harris 1978)."""
    turn = 2 * math.pi * (torch.arange(size) + 0.5) / size
    terms = (0.35875, -0.48829, 0.14128, -0.01168)
    return torch.stack([a * torch.cos(i * turn) for i, a in enumerate(terms)]).sum(0)
