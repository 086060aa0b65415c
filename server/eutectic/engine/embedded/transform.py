"""A codec without learned layers: low transform coefficients, and above them partials and noise.

Sound is cut into overlapping frames by a modified discrete cosine transform (`mdct`). The lowest
coefficients of mid and side are kept as gain and shape: the log power of small groups of them,
smoothed over time, and the coefficients divided by its root. So a model that only knows the
gains yet already sounds right as shaped noise, and silence stays silent. Above them the ear hears
little more than how much energy lies where: the log power of some bands is kept, and in each band
of the middle range how far one partial stands out of its noise, and at which frequency (`tones`).
Decoding sings the partials and fills the bands with noise, which follows the sound's power within
a frame, too, so that an attack has nothing before it.

Gains and bands together are the sound's envelope. They are rotated to their principal components,
so that noise on a latent moves neighbouring bands together; the largest components keep a larger
deviation than others, so that a sampler settles them first. All channels together have mean 0 and
deviation 1.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from stable_audio_tools.models.pretransforms import Pretransform
from torch import Tensor

from eutectic.engine.embedded.mdct import Mdct
from eutectic.engine.embedded.tones import ToneBands, Tones, smooth

POWER_FLOOR = 1e-9
"""Power (mean square coefficient) below which a group or band counts as silent: −90 dBFS."""

MAX_LOG_POWER = 5.0
"""Decoding limits powers to this; a full-scale sine reaches about 4.8 in the smallest group."""

GROUPS = (
    (4, 4, 4, 6, 8, 8, 12, 14, 22, 22, 24),
    (6, 10, 16),
)
"""Numbers of kept coefficients that share a gain, from the lowest up, for mid and for side."""

GAIN_SMOOTHING = (1 / 4, 1 / 2, 1 / 4)
"""Weights of a group's power over three frames in its gain."""

TONE_BANDS, HIGH_BANDS, SIDE_BANDS = 22, 2, 10
"""Of mid, with a partial each and without; of side. Each set is of equal ratios."""

TONES_UP_TO = 0.71
"""The partials' bands end at this share of all coefficients: 15.7 kHz."""

MAX_TONALITY = 10.0
"""Largest log ratio of a band's power to its noise alone that is kept: 43 dB."""

LEAST_TONALITY = 0.25
"""Below this there is no partial: noise on a latent doesn't sing."""

LEAKAGE = 0.1
"""Partials' leakage over the power left in a band, from which on it is doubted."""

SUBFRAMES = 4
"""Parts of a frame whose noise power is kept."""

SUBFRAME_DEAD_ZONE, SUBFRAME_RANGE = 0.25, (-5.0, 1.4)
"""Log power of a part against its frame: smaller deviations are chance, larger are cut."""

NOISE_PERIOD_FRAMES = 512
"""The table of noise signs repeats after this many frames, about 12 s."""

BAND_SMOOTHING = (1 / 6, 2 / 3, 1 / 6)
"""Weights of a band's loudness over three frames: sampled energies jump and sound blotchy."""

ENVELOPE_DEVIATION = (1.0, 4.0)
"""Smallest and largest deviation of an envelope component, the shapes' being 1."""

LEAST_SCALE = 1e-6
"""A channel that deviates less never changed in what the codec was fitted to, and is left alone."""

ENVELOPE_WEIGHT = 3.0
"""In a loss, of the channels after the shapes against that of shapes."""


class TransformCodec(Pretransform):
    """44.1 kHz stereo sound to 256 channels at 43 Hz, and back.

    Channels: shapes of mid and side, envelope (gains, bands of mid and side), then tonality and
    frequency of each partial, then the noise power of each part of the frame.

    Decoding is deterministic. All of it but the partials' phases is local: `decode_slice` gives
    the same samples as the whole. Encoding depends on `encode_context_frames` either side.
    Decoded peaks may slightly exceed 1. All arithmetic is float32, phases float64.
    """

    mean: Tensor
    rotation: Tensor
    scale: Tensor
    pool: Tensor
    spread: Tensor
    widths: Tensor
    signs: Tensor
    mid_groups: Tensor
    side_groups: Tensor

    def __init__(self, sample_rate: int = 44100, hop: int = 1024) -> None:
        super().__init__(enable_grad=False, io_channels=2, is_discrete=False)
        self.sample_rate = sample_rate
        self.downsampling_ratio = hop
        self.kept = (sum(GROUPS[0]), sum(GROUPS[1]))
        self.gains = (len(GROUPS[0]), len(GROUPS[1]))
        mid_edges = _edges(self.kept[0], round(hop * TONES_UP_TO), TONE_BANDS)
        tone_edges = mid_edges[:]
        mid_edges += _edges(mid_edges[-1], hop, HIGH_BANDS)[1:]
        edges = (mid_edges, _edges(self.kept[1], hop, SIDE_BANDS))
        self.bands = (len(edges[0]) - 1, len(edges[1]) - 1)
        self.parts = [
            sum(self.kept), sum(self.gains) + sum(self.bands),
            TONE_BANDS, TONE_BANDS, SUBFRAMES,
        ]  # fmt: skip
        self.encoded_channels = sum(self.parts)
        self.context_frames = 1 + len(BAND_SMOOTHING) // 2

        self.mdct = Mdct(hop)
        self.tones = ToneBands(tone_edges, hop, sample_rate)
        self.encode_context_frames = self.tones.context_frames + 1
        self.register_buffer("mean", torch.zeros(self.encoded_channels))
        self.register_buffer("scale", torch.ones(self.encoded_channels))
        self.register_buffer("rotation", torch.eye(self.parts[1]))
        fixed = {
            "pool": torch.cat([_band_means(e, hop) for e in edges]),
            "spread": torch.cat([_band_interpolation(e, hop) for e in edges]),
            "widths": torch.tensor(tone_edges).diff().float(),
            "signs": _signs(hop),
            "mid_groups": torch.tensor(GROUPS[0]),
            "side_groups": torch.tensor(GROUPS[1]),
        }
        for name, value in fixed.items():
            self.register_buffer(name, value, persistent=False)

    # Statistics

    def fit(self, raw: NDArray[np.float32]) -> None:
        """Set mean, rotation and scale from latents (…, channel) encoded before this.

        Shapes have mean 0 by symmetry. The envelope's principal components keep the root of their
        deviation, within `ENVELOPE_DEVIATION`; every other channel is brought to deviation 1, and
        then all together.
        """
        flat = raw.reshape(-1, raw.shape[-1])
        kept, envelope = self.parts[:2]
        mean = flat.mean(0, dtype=np.float64)
        mean[:kept] = 0
        scale = np.sqrt(
            np.mean(np.square(flat - mean.astype(np.float32)), axis=0, dtype=np.float64)
        )
        variances, rotation = np.linalg.eigh(np.cov(flat[:, kept : kept + envelope], rowvar=False))
        deviations = np.sqrt(variances[::-1].clip(min=0))
        targets = np.ones_like(scale)
        targets[kept : kept + envelope] = np.clip(
            np.sqrt(deviations / max(np.median(deviations), LEAST_SCALE)), *ENVELOPE_DEVIATION
        )
        scale[kept : kept + envelope] = deviations
        scale[scale < LEAST_SCALE] = 1
        scale *= np.sqrt(np.mean(np.square(targets))) / targets
        for buffer, value in (
            (self.mean, mean), (self.rotation, rotation[:, ::-1].copy()), (self.scale, scale),
        ):  # fmt: skip
            buffer.copy_(torch.from_numpy(value))

    def normalise(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Latents (…, channel) encoded before `fit`, as the fitted codec would have them."""
        return self._normalise(torch.from_numpy(raw)).numpy()

    def _normalise(self, raw: Float[Tensor, "*batch channel"]) -> Float[Tensor, "*batch channel"]:
        shape, envelope, *rest = (raw - self.mean.float()).split(self.parts, dim=-1)
        rotated = torch.cat([shape, envelope @ self.rotation.float(), *rest], dim=-1)
        return rotated / self.scale.float()

    def _denormalise(self, z: Float[Tensor, "*batch channel"]) -> Float[Tensor, "*batch channel"]:
        shape, envelope, *rest = (z * self.scale.float()).split(self.parts, dim=-1)
        rotated = torch.cat([shape, envelope @ self.rotation.float().T, *rest], dim=-1)
        return rotated + self.mean.float()

    def tonality(
        self, z: Float[Tensor, "batch channel frame"]
    ) -> Float[Tensor, "batch frame tone"]:
        """Log ratio of each band's power to its noise alone; 0 where no partial sounds."""
        channels = self._denormalise(z.float().transpose(1, 2))
        return _heard(channels.split(self.parts, dim=-1)[2])

    @property
    def loss_weights(self) -> Float[Tensor, " channel"]:
        """Weight of each channel in a loss, 1 on average.

        What can be predicted, the envelope and all after it, counts more than the shapes, which
        mostly can't be and are more.
        """
        weights = torch.full_like(self.scale, ENVELOPE_WEIGHT)
        weights[: self.parts[0]] = 1
        return weights / weights.mean()

    # Encoding

    def encode(self, x: Float[Tensor, "batch 2 sample"]) -> Float[Tensor, "batch channel frame"]:
        """Latent of `x`, padded with silence to whole frames."""
        sound = _mid_side(x.float())
        coefficients, power = self.mdct.analyse(sound)
        shapes, gains = zip(*(self._shape(coefficients[:, i], i) for i in (0, 1)), strict=True)
        tones = self.tones.find(sound[:, 0], power[:, 0])
        energies, tonality = self._energies(power, tones)
        place = (tones.frequency_hz - self.tones.centre_hz) / self.tones.half_width_hz
        place = place.clamp(-1, 1).float() * tonality.clamp(max=1)
        envelope = torch.cat([*gains, torch.log(energies + POWER_FLOOR)], dim=-1)
        subframes = self._subframes(coefficients, power)
        raw = torch.cat([*shapes, envelope, tonality, place, subframes], dim=-1)
        return self._normalise(raw).transpose(1, 2)

    def _shape(
        self, coefficients: Float[Tensor, "batch frame hop"], i: int
    ) -> tuple[Float[Tensor, "batch frame kept"], Float[Tensor, "batch frame group"]]:
        """Kept coefficients of mid (0) or side (1) at unit power, and the log power they had."""
        kept = coefficients[..., : self.kept[i]]
        groups = (kept**2).split(GROUPS[i], dim=-1)
        power = torch.stack([group.mean(-1) for group in groups], dim=-1)
        power = smooth(power, GAIN_SMOOTHING) + POWER_FLOOR
        return kept / self._to_bins(power.sqrt(), i), torch.log(power)

    def _energies(
        self, power: Float[Tensor, "batch 2 frame hop"], tones: Tones
    ) -> tuple[Float[Tensor, "batch frame band"], Float[Tensor, "batch frame tone"]]:
        """Mean power of each band, partials included, and the log of that over its noise."""
        mid = self.tones.remove(power[:, 0], tones)
        pools = self.pool.split(self.bands)
        energies, side = mid @ pools[0].T, power[:, 1] @ pools[1].T
        left, above = energies.split([TONE_BANDS, HIGH_BANDS], dim=-1)
        leaked = (power[:, 0] @ pools[0].T)[..., :TONE_BANDS] - left
        # What leakage can't be told from is noise only as far as the long window finds it, too.
        noise = torch.where(leaked > LEAKAGE * left, torch.minimum(left, tones.noise), left)
        full = noise + tones.power / self.widths
        tonality = torch.log((full + POWER_FLOOR) / (noise + POWER_FLOOR)).clamp(0, MAX_TONALITY)
        return torch.cat([full, above, side], dim=-1), tonality

    def _subframes(
        self,
        coefficients: Float[Tensor, "batch 2 frame hop"],
        power: Float[Tensor, "batch 2 frame hop"],
    ) -> Float[Tensor, "batch frame part"]:
        """Log power of each part of a frame above the kept range, over that of steady noise."""
        high = coefficients.clone()
        high[..., : self.kept[0]] = 0
        hop = self.downsampling_ratio
        sound = self.mdct.synthesise(high).square().sum(1)
        parts = sound.unflatten(-1, (-1, SUBFRAMES, hop // SUBFRAMES)).mean(-1)
        frames = power[..., self.kept[0] :].sum((1, -1)) / hop
        steady = self._steady(smooth(frames.sqrt().sqrt(), BAND_SMOOTHING) ** 4)
        ratio = torch.log((parts + POWER_FLOOR) / (steady + POWER_FLOOR))
        surprise = ratio.sign() * (ratio.abs() - SUBFRAME_DEAD_ZONE).clamp(min=0)
        return surprise.clamp(*SUBFRAME_RANGE)

    def _steady(self, frames: Float[Tensor, "batch frame"]) -> Float[Tensor, "batch frame part"]:
        """Power over the parts of frames that noise of these frames' powers has."""
        places = (torch.arange(SUBFRAMES, device=frames.device) + 0.5) / SUBFRAMES
        own = torch.sin(math.pi / 2 * (0.5 + places)) ** 2
        padded = torch.cat([frames[:, :1], frames, frames[:, -1:]], dim=1)
        neighbour = torch.where(places < 0.5, padded[:, :-2, None], padded[:, 2:, None])
        return own * frames[..., None] + (1 - own) * neighbour

    # Decoding

    def decode(self, z: Float[Tensor, "batch channel frame"]) -> Float[Tensor, "batch 2 sample"]:
        """Sound of a latent."""
        return self.decode_slice(z, 0, z.shape[-1])

    def decode_slice(
        self, z: Float[Tensor, "batch channel frame"], start: int, stop: int
    ) -> Float[Tensor, "batch 2 sample"]:
        """The samples of the frames from `start` to `stop` of a whole latent's sound."""
        low = max(0, start - self.context_frames)
        high = min(z.shape[-1], stop + self.context_frames)
        channels = self._denormalise(z.float().transpose(1, 2))
        shape, envelope, tonality, place, subframes = channels.split(self.parts, dim=-1)
        gains, energies = envelope.split([sum(self.gains), sum(self.bands)], dim=-1)
        tonality = _heard(tonality)
        power, energies = self._divide(energies.clamp(max=MAX_LOG_POWER), tonality)
        here = slice(low, high)
        sound = self.mdct.synthesise(self._coefficients(shape[:, here], gains[:, here]))
        noise = self.mdct.synthesise(self._noise(energies[:, here], low))
        sound = sound + noise * self._swell(subframes[:, here])[:, None]
        hop = self.downsampling_ratio
        sound = sound[..., (start - low) * hop : (stop - low) * hop]
        place = place / tonality.clamp(0.5, 1)
        sound[:, 0] += self.tones.sing(power, place, start, stop)
        return _mid_side(sound)

    def _divide(
        self,
        energies: Float[Tensor, "batch frame band"],
        tonality: Float[Tensor, "batch frame tone"],
    ) -> tuple[Float[Tensor, "batch frame tone"], Float[Tensor, "batch frame band"]]:
        """Power of the partials, and mean power of the bands without them."""
        quieter = torch.nn.functional.pad(tonality, (0, energies.shape[-1] - TONE_BANDS))
        noise = torch.exp(energies - quieter)
        partials = (torch.exp(energies) - noise)[..., :TONE_BANDS] * self.widths
        return partials, (noise - POWER_FLOOR).clamp(min=0)

    def _coefficients(
        self,
        shape: Float[Tensor, "batch frame kept"],
        gains: Float[Tensor, "batch frame group"],
    ) -> Float[Tensor, "batch 2 frame hop"]:
        """The kept coefficients, and nothing above them."""
        batch, frames, _ = shape.shape
        coefficients = shape.new_zeros(batch, 2, frames, self.downsampling_ratio)
        amplitudes = torch.exp(gains.clamp(max=MAX_LOG_POWER) / 2)
        for i, (kept, amplitude) in enumerate(
            zip(shape.split(self.kept, dim=-1), amplitudes.split(self.gains, dim=-1), strict=True)
        ):
            coefficients[:, i, :, : self.kept[i]] = kept * self._to_bins(amplitude, i)
        return coefficients

    def _to_bins(
        self, values: Float[Tensor, "batch frame group"], i: int
    ) -> Float[Tensor, "batch frame kept"]:
        """Repeat each group's value for its coefficients."""
        return values.repeat_interleave(
            (self.mid_groups, self.side_groups)[i], dim=-1, output_size=self.kept[i]
        )

    def _noise(
        self, power: Float[Tensor, "batch frame band"], first_frame: int
    ) -> Float[Tensor, "batch 2 frame hop"]:
        """Coefficients of random sign whose power follows the bands, smooth over time and bins.

        Smoothing and interpolation act on the fourth root of power, near to what is heard.
        """
        fourth_roots = smooth(power.sqrt().sqrt(), BAND_SMOOTHING)
        loudness = torch.stack(
            [
                torch.einsum("bfk,kn->bfn", channel, spread)
                for channel, spread in zip(
                    fourth_roots.split(self.bands, dim=-1),
                    self.spread.split(self.bands),
                    strict=True,
                )
            ],
            dim=1,
        )
        frames = torch.arange(first_frame, first_frame + power.shape[1], device=power.device)
        return loudness**2 * self.signs[:, frames % NOISE_PERIOD_FRAMES]

    def _swell(self, subframes: Float[Tensor, "batch frame part"]) -> Float[Tensor, "batch sample"]:
        """Gain of the noise over time, linear between the middles of the parts."""
        gains = torch.exp(subframes.clamp(*SUBFRAME_RANGE) / 2).flatten(1)
        return torch.nn.functional.interpolate(
            gains[:, None], scale_factor=self.downsampling_ratio // SUBFRAMES, mode="linear"
        )[:, 0]


def _heard(tonality: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """Tonality with what is too small to be a partial set to 0."""
    return torch.where(tonality > LEAST_TONALITY, tonality, 0.0)


def _mid_side(x: Float[Tensor, "batch 2 sample"]) -> Float[Tensor, "batch 2 sample"]:
    """Left and right to mid and side, or back: the same rotation, its own inverse."""
    return torch.stack([x[:, 0] + x[:, 1], x[:, 0] - x[:, 1]], dim=1) * math.sqrt(0.5)


def _edges(low: int, high: int, count: int) -> list[int]:
    """First bins of `count` bands from `low`, and the end; equal ratios."""
    return [round(low * (high / low) ** (i / count)) for i in range(count + 1)]


def _band_means(edges: list[int], hop: int) -> Float[Tensor, "band hop"]:
    """Matrix from bin powers to the mean power of each band."""
    means = torch.zeros(len(edges) - 1, hop)
    for row, start, end in zip(means, edges[:-1], edges[1:], strict=True):
        row[start:end] = 1 / (end - start)
    return means


def _band_interpolation(edges: list[int], hop: int) -> Float[Tensor, "band hop"]:
    """Matrix from band values to bins, linear in log frequency between the bands' centres.

    Below the lowest edge there is nothing.
    """
    borders = torch.tensor(edges).double()
    centres = (borders[:-1].log() + borders[1:].log()) / 2
    bins = torch.log(torch.arange(hop) + 0.5).double().clamp(centres[0], centres[-1])
    left = (torch.searchsorted(centres, bins, right=True) - 1).clamp(0, len(centres) - 2)
    share = (bins - centres[left]) / (centres[left + 1] - centres[left])
    rows = torch.zeros(len(centres), hop, dtype=torch.float64)
    rows[left, torch.arange(hop)] = 1 - share
    rows[left + 1, torch.arange(hop)] = share
    rows[:, : edges[0]] = 0
    return rows.float()


def _signs(hop: int) -> Float[Tensor, "2 frame hop"]:
    """A fixed table of ±1: noise of exact band energy, the same on every machine."""
    generator = torch.Generator().manual_seed(0)
    bits = torch.randint(0, 2, (2, NOISE_PERIOD_FRAMES, hop), generator=generator)
    return bits.float() * 2 - 1
