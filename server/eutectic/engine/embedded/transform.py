"""A codec without learned layers: low transform coefficients, and partials and noise above them.

Sound is cut into overlapping frames by a modified discrete cosine transform (`mdct`). The lowest
coefficients of mid are kept as gain and shape: the log power of small groups of them, smoothed
over time, and the coefficients divided by its root, so that silence stays silent. Above them the
ear mostly hears how much energy lies where, so the log power of some bands is kept. For each group,
and each band but the highest, the latent holds how far one partial stands out of its noise, and its
frequency (`tones`). Decoding fills the bands with noise, which follows the sound's power within a
frame, too (`subframes`), so that nothing precedes an attack. It synthesises the partials of the
bands, and those of the groups as far as the shapes lack them: a sound's own shapes hold theirs,
those that a model generates are noise. Side is derived from mid (`stereo`). A generated envelope is
smoothed (`envelope`).

Gains and bands together are the sound's envelope. It is rotated to its principal components, so
that noise on a latent moves neighbouring bands together; the largest components keep a larger
deviation than others, so that a sampler settles them first. All channels together have mean 0 and
deviation 1 (`statistics`).
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from stable_audio_tools.models.pretransforms import Pretransform
from torch import Tensor

from eutectic.engine.embedded import bands, envelope, statistics, subframes
from eutectic.engine.embedded.bands import LOUDNESS_SMOOTHING, POWER_FLOOR, smooth, with_ends
from eutectic.engine.embedded.envelope import GAIN_SMOOTHING, GROUPS, group_power, highest_near
from eutectic.engine.embedded.mdct import Mdct
from eutectic.engine.embedded.statistics import Statistics
from eutectic.engine.embedded.stereo import Stereo
from eutectic.engine.embedded.tones import ToneBands, Tones

TONE_BANDS, HIGH_BANDS = 22, 2
"""Bands above the kept coefficients, with a partial each and without; both of equal ratios."""

TONES_UP_TO = 0.71
"""The partials' bands end at this share of all coefficients: 15.7 kHz."""

MAX_TONALITY = 10.0
"""Largest log ratio of a band's power to its noise alone: 43 dB."""

LEAST_TONALITY = 0.25
"""Below this there is no partial, so that noise on a latent doesn't whistle."""

LEAKAGE = 0.1
"""Ratio of partials' leakage to the power left in a band above which that power is doubted."""

HELD_MARGIN, HELD_RANGE = 0.1, 0.4
"""A group's partial is synthesised where the shapes hold less of its power by the margin, and fully
where they hold less by margin and range together."""

HELD_WITHIN_HZ = 3.0
"""Shapes hold a partial if they have one this close; at twice the distance they don't at all."""

LEAK_MARGIN = 1.5
"""Multiple of a synthesised partial's power in other groups that is removed from their noise."""

NOISE_PERIOD_FRAMES = 512
"""The table of noise signs repeats after this many frames, about 12 s."""

ENVELOPE_WEIGHT = 3.0
"""Weight in a loss of the channels after the shapes, relative to the shapes."""


class TransformCodec(Pretransform):
    """44.1 kHz stereo sound to 256 channels at 43 Hz, and back.

    Channels: shapes; envelope (gains, bands of mid, bands of side); tonality, then position, of
    each partial; correlation of side with mid; noise power of each part of the frame.

    Decoding is deterministic. All of it except the partials' phases is local: `decode_slice` gives
    the same samples as decoding the whole. Encoding depends on `encode_context_frames` to either
    side. Decoded peaks may slightly exceed 1. All arithmetic is float32, phases are float64.
    """

    mean: Tensor
    rotation: Tensor
    scale: Tensor
    high_pool: Tensor
    spread: Tensor
    signs: Tensor
    groups: Tensor
    shares: Tensor

    def __init__(self, sample_rate: int = 44100, hop: int = 1024) -> None:
        super().__init__(enable_grad=False, io_channels=2, is_discrete=False)
        self.sample_rate = sample_rate
        self.downsampling_ratio = hop
        self.kept = sum(GROUPS)
        group_edges = [sum(GROUPS[:i]) for i in range(len(GROUPS) + 1)]
        tone_edges = bands.edges(self.kept, round(hop * TONES_UP_TO), TONE_BANDS)
        edges = tone_edges + bands.edges(tone_edges[-1], hop, HIGH_BANDS)[1:]

        self.mdct = Mdct(hop)
        self.stereo = Stereo(self.mdct)
        self.low_tones = ToneBands(group_edges, hop, sample_rate)
        self.tones = ToneBands(tone_edges, hop, sample_rate)
        self.encode_context_frames = self.tones.context_frames + 1
        partials = len(GROUPS) + TONE_BANDS
        self.envelope_parts = [len(GROUPS), TONE_BANDS + HIGH_BANDS, self.stereo.bands]
        self.parts = [
            self.kept, sum(self.envelope_parts), partials, partials, self.stereo.bands,
            subframes.SUBFRAMES,
        ]  # fmt: skip
        self.envelope = slice(self.kept, self.kept + self.parts[1])
        self.encoded_channels = sum(self.parts)
        self.register_buffer("mean", torch.zeros(self.encoded_channels))
        self.register_buffer("scale", torch.ones(self.encoded_channels))
        self.register_buffer("rotation", torch.eye(self.parts[1]))
        fixed = {
            "high_pool": bands.means(edges[TONE_BANDS:], hop),
            "spread": bands.interpolation(edges, hop),
            "signs": _signs(hop),
            "groups": torch.tensor(GROUPS),
            "shares": torch.tensor([*GROUPS, *np.diff(edges)]) / hop,
        }
        for name, value in fixed.items():
            self.register_buffer(name, value, persistent=False)

    # Statistics

    def fit(self, raw: NDArray[np.float32]) -> None:
        """Set mean, rotation and scale from latents (…, channel) encoded before this.

        Shapes and correlations have mean 0 by symmetry.
        """
        zero_mean = slice(0, self.kept), self.swapped_by_sides
        buffers = self.mean, self.rotation, self.scale
        for buffer, value in zip(
            buffers, statistics.fit(raw, self.envelope, zero_mean), strict=True
        ):
            buffer.copy_(torch.from_numpy(value))

    def normalise(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Latents (…, channel) encoded before `fit`, as the fitted codec encodes them."""
        return self._normalise(torch.from_numpy(raw)).numpy()

    def _normalise(self, raw: Float[Tensor, "*batch channel"]) -> Float[Tensor, "*batch channel"]:
        return statistics.normalise(raw, self._statistics, self.envelope)

    def _denormalise(self, z: Float[Tensor, "*batch channel"]) -> Float[Tensor, "*batch channel"]:
        return statistics.denormalise(z, self._statistics, self.envelope)

    @property
    def _statistics(self) -> Statistics:
        return Statistics(self.mean.float(), self.rotation.float(), self.scale.float())

    def change_from(self, other: "TransformCodec") -> Float[Tensor, "channel channel"]:
        """Matrix from another codec's latents to this one's; the codecs differ in statistics alone.

        It leaves out the difference of the means, which is the same for all latents.
        """
        latents = torch.cat([torch.zeros_like(self.mean)[None], torch.eye(len(self.mean))])
        zero, *units = self._normalise(other._denormalise(latents))
        return (torch.stack(units) - zero).T

    def tonality(
        self, z: Float[Tensor, "batch channel frame"]
    ) -> Float[Tensor, "batch frame tone"]:
        """Log ratio of each group's and band's power to its noise alone; 0 without a partial."""
        channels = self._denormalise(z.float().transpose(1, 2))
        return _without_chance(channels.split(self.parts, dim=-1)[2])

    @property
    def swapped_by_sides(self) -> slice:
        """Channels whose sign changes when left and right are swapped."""
        start = sum(self.parts[:4])
        return slice(start, start + self.parts[4])

    @property
    def loss_weights(self) -> Float[Tensor, " channel"]:
        """Weight of each channel in a loss, 1 on average.

        The envelope and all after it can be predicted, and count more than the shapes, which
        mostly can't be and are more numerous.
        """
        weights = torch.full_like(self.scale, ENVELOPE_WEIGHT)
        weights[: self.kept] = 1
        return weights / weights.mean()

    # Encoding

    def encode(self, x: Float[Tensor, "batch 2 sample"]) -> Float[Tensor, "batch channel frame"]:
        """Latent of `x`, padded with silence to whole frames."""
        sound = _mid_side(x.float())
        mid, side = sound.unbind(1)
        spectra = self.mdct.analyse(mid), self.mdct.analyse(side)
        power = spectra[0].power
        shape, gains = self._shape(spectra[0].cosine)
        low = self.low_tones.find(mid, power)
        high = self.tones.find(mid, power)
        _, low_tonality = self._tonal(power, low, self.low_tones)
        full, high_tonality = self._tonal(power, high, self.tones)
        above = power @ self.high_pool.T
        tonality = torch.cat([low_tonality, high_tonality], dim=-1)
        place = torch.cat([self.low_tones.place(low), self.tones.place(high)], dim=-1)
        side_energies, correlation = self.stereo.measure(*spectra)
        energies = torch.log(torch.cat([full, above, side_energies], dim=-1) + POWER_FLOOR)
        raw = torch.cat(
            [shape, gains, energies, tonality, place * tonality.clamp(max=1), correlation,
             subframes.measure(self.mdct, spectra, self.kept)], dim=-1,
        )  # fmt: skip
        return self._normalise(raw).transpose(1, 2)

    def _shape(
        self, coefficients: Float[Tensor, "batch frame hop"]
    ) -> tuple[Float[Tensor, "batch frame kept"], Float[Tensor, "batch frame group"]]:
        """Kept coefficients at unit power, and their log power before."""
        kept = coefficients[..., : self.kept]
        power = smooth(group_power(kept), GAIN_SMOOTHING) + POWER_FLOOR
        return kept / self._to_bins(power.sqrt()), torch.log(power)

    def _tonal(
        self,
        power: Float[Tensor, "batch frame bin"],
        tones: Tones,
        places: ToneBands,
    ) -> tuple[Float[Tensor, "batch frame tone"], Float[Tensor, "batch frame tone"]]:
        """Mean power of each band, partial included, and the log of its ratio to the noise."""
        pool = places.pool[:, : power.shape[-1]].T
        left = power - places.leakage(tones.power, tones.frequency_hz, power.shape[-1])
        left = left.clamp(min=0) @ pool
        leaked = power @ pool - left
        # Beside much leakage, only what the long window finds as well is noise.
        noise = torch.where(leaked > LEAKAGE * left, torch.minimum(left, tones.noise), left)
        full = noise + tones.power / places.widths
        tonality = torch.log((full + POWER_FLOOR) / (noise + POWER_FLOOR)).clamp(0, MAX_TONALITY)
        return full, tonality

    # Decoding

    def decode(self, z: Float[Tensor, "batch channel frame"]) -> Float[Tensor, "batch 2 sample"]:
        """Sound of a latent."""
        return self.decode_slice(z, 0, z.shape[-1])

    def decode_slice(
        self, z: Float[Tensor, "batch channel frame"], start: int, stop: int
    ) -> Float[Tensor, "batch 2 sample"]:
        """The samples of the frames from `start` to `stop` of a whole latent's sound."""
        hop, context = self.downsampling_ratio, self.stereo.context_frames
        low, high = max(0, start - context), min(z.shape[-1], stop + context)
        channels = self._denormalise(z.float().transpose(1, 2))
        shape, powers, tonality, place, correlation, noise = channels.split(self.parts, dim=-1)
        powers = envelope.limit(envelope.smooth_generated(powers, shape), self.shares)
        gains, energies, side = powers.split(self.envelope_parts, dim=-1)
        tonality = _without_chance(tonality)
        place = place / tonality.clamp(0.5, 1)
        groups, tones = slice(None, len(GROUPS)), slice(len(GROUPS), None)
        mid = self._low(shape, gains, tonality[..., groups], place[..., groups], low, high)
        mid = mid + self._high(energies, tonality[..., tones], place[..., tones], noise, low, high)
        here = slice(low, high)
        power = (torch.exp(side[:, here]) - POWER_FLOOR).clamp(min=0)
        signs = self._signs_from(1, low, high)
        sound = torch.stack([mid, self.stereo.side(mid, power, correlation[:, here], signs)], 1)
        return _mid_side(sound[..., (start - low) * hop : (stop - low) * hop])

    def _low(
        self,
        shape: Float[Tensor, "batch frame kept"],
        gains: Float[Tensor, "batch frame group"],
        tonality: Float[Tensor, "batch frame group"],
        place: Float[Tensor, "batch frame group"],
        start: int,
        stop: int,
    ) -> Float[Tensor, "batch sample"]:
        """Mid's sound below the bands: the shapes, and the partials that they lack."""
        frames, hop = shape.shape[1], self.downsampling_ratio
        context = self.low_tones.context_frames + envelope.NEAR_FRAMES + 3
        low, high = max(0, start - context), min(frames, stop + context)
        here = slice(low, high)
        power, tonal = torch.exp(gains), 1 - torch.exp(-tonality)
        coefficients = shape[:, here] * self._to_bins(power[:, here].sqrt())
        missing = self._missing(coefficients, tonal[:, here], place[:, here])
        added = missing * tonal[:, here]
        beside = self._leaked_beside(added * power[:, here], place[:, here])
        remaining = (1 - added - LEAK_MARGIN * beside / power[:, here]).clamp(min=0).sqrt()
        sound = self.mdct.synthesise(coefficients * self._to_bins(remaining))
        sound = sound[..., (start - low) * hop : (stop - low) * hop]
        shares = with_ends(missing)[:, start - low : stop - low + 2]
        partials = tonal * (power - POWER_FLOOR).clamp(min=0) * self.low_tones.widths
        return sound + self.low_tones.synthesise(partials, place, start, stop, shares)

    def _missing(
        self,
        coefficients: Float[Tensor, "batch frame kept"],
        tonal: Float[Tensor, "batch frame group"],
        place: Float[Tensor, "batch frame group"],
    ) -> Float[Tensor, "batch frame group"]:
        """Share of each group's partial that coefficients lack and that is to be synthesised.

        `tonal` is the partial's share of its group's power.
        """
        sound = self.mdct.synthesise(coefficients)
        spectrum = self.mdct.analyse(sound, self.kept).power
        tones = self.low_tones.find(sound, spectrum)
        _, tonality = self._tonal(spectrum, tones, self.low_tones)
        off_hz = (tones.frequency_hz - self.low_tones.frequency_hz(place)).abs().float()
        held = (2 - off_hz / HELD_WITHIN_HZ).clamp(0, 1) * (1 - torch.exp(-tonality))
        missing = ((tonal - held - HELD_MARGIN) / HELD_RANGE).clamp(0, 1)
        # Noise may hold a partial for a frame by chance; a sound's own shapes do throughout.
        return smooth(highest_near(missing), GAIN_SMOOTHING)

    def _leaked_beside(
        self, power: Float[Tensor, "batch frame group"], place: Float[Tensor, "batch frame group"]
    ) -> Float[Tensor, "batch frame group"]:
        """Mean power in other groups of partials that have these mean powers in their own."""
        partials = power * self.low_tones.widths
        frequency_hz = self.low_tones.frequency_hz(place)
        spectrum = self.low_tones.leakage(partials, frequency_hz, self.kept)
        return (spectrum @ self.low_tones.pool[:, : self.kept].T - power).clamp(min=0)

    def _high(
        self,
        energies: Float[Tensor, "batch frame band"],
        tonality: Float[Tensor, "batch frame tone"],
        place: Float[Tensor, "batch frame tone"],
        swell: Float[Tensor, "batch frame part"],
        start: int,
        stop: int,
    ) -> Float[Tensor, "batch sample"]:
        """Mid's sound in the bands: partials, and noise between them."""
        frames, hop = energies.shape[1], self.downsampling_ratio
        noise = torch.exp(energies - torch.nn.functional.pad(tonality, (0, HIGH_BANDS)))
        partials = (torch.exp(energies) - noise)[..., :TONE_BANDS] * self.tones.widths
        noise = (noise - POWER_FLOOR).clamp(min=0)
        low, high = max(0, start - 2), min(frames, stop + 2)
        here = slice(low, high)
        loudness = smooth(noise[:, here].sqrt().sqrt(), LOUDNESS_SMOOTHING) @ self.spread
        sound = self.mdct.synthesise(loudness**2 * self._signs_from(0, low, high))
        sound = sound * subframes.gain(swell[:, here], hop)
        sound = sound[..., (start - low) * hop : (stop - low) * hop]
        return sound + self.tones.synthesise(partials, place, start, stop)

    def _to_bins(
        self, values: Float[Tensor, "batch frame group"]
    ) -> Float[Tensor, "batch frame kept"]:
        """Repeat each group's value for its coefficients."""
        return values.repeat_interleave(self.groups, dim=-1, output_size=self.kept)

    def _signs_from(self, row: int, start: int, stop: int) -> Float[Tensor, "frame hop"]:
        """Signs of the noise of mid (row 0) or side (1) in the frames from `start` to `stop`."""
        frames = torch.arange(start, stop, device=self.signs.device)
        return self.signs[row, frames % NOISE_PERIOD_FRAMES]


def _without_chance(tonality: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """Tonality, set to 0 where it is too small for a partial."""
    return torch.where(tonality > LEAST_TONALITY, tonality, 0.0)


def _mid_side(x: Float[Tensor, "batch 2 sample"]) -> Float[Tensor, "batch 2 sample"]:
    """Left and right to mid and side, or back: the rotation is its own inverse."""
    return torch.stack([x[:, 0] + x[:, 1], x[:, 0] - x[:, 1]], dim=1) * math.sqrt(0.5)


def _signs(hop: int) -> Float[Tensor, "2 frame hop"]:
    """A fixed table of ±1: noise of exact band energy, identical on every machine."""
    generator = torch.Generator().manual_seed(0)
    bits = torch.randint(0, 2, (2, NOISE_PERIOD_FRAMES, hop), generator=generator)
    return bits.float() * 2 - 1
