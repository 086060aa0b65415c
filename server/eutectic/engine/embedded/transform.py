"""A codec without learned layers: low transform coefficients, and partials and noise everywhere.

Sound is cut into overlapping frames by a modified discrete cosine transform (`mdct`). The lowest
coefficients of mid are kept as gain and shape: the log power of small groups of them, smoothed
over time, and the coefficients divided by its root. So silence stays silent. Above them the ear
hears little more than how much energy lies where: the log power of some bands is kept. In each
group and in each band but the highest it is kept how far one partial stands out of its noise, and
at which frequency (`tones`). Decoding fills the bands with noise, which follows the sound's power
within a frame, too, so that an attack has nothing before it; it sings the partials of the bands,
and those of the groups as far as the shapes don't hold them: a sound's own shapes do, those that a
model makes up are noise. Side is made from mid (`stereo`). What a model makes up also trembles from
frame to frame. Its gains are not those of its shapes, as a sound's own are exactly: as far as they
differ, all log powers are calmed over three frames, their mean but a little, for attacks' sake.

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

from eutectic.engine.embedded import bands
from eutectic.engine.embedded.bands import LOUDNESS_SMOOTHING, smooth, smooth_loudness, with_ends
from eutectic.engine.embedded.mdct import Mdct, Spectrum
from eutectic.engine.embedded.stereo import Stereo
from eutectic.engine.embedded.tones import ToneBands, Tones

POWER_FLOOR = 1e-9
"""Power (mean square coefficient) below which a group or band counts as silent: −90 dBFS."""

MAX_LOG_POWER = 5.0
"""Decoding limits powers to this; a full-scale sine reaches about 4.8 in the smallest group."""

MAX_FRAME_POWER = 2.0
"""Decoding limits mid's mean square over a frame to this, a full-scale square wave's."""

GROUPS = (2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 10, 11, 11, 12)
"""Numbers of kept coefficients that share a gain and a partial, from the lowest up."""

GAIN_SMOOTHING = (1 / 4, 1 / 2, 1 / 4)
"""Weights of a group's power over three frames in its gain."""

CALMING = (1 / 4, 1 / 2, 1 / 4)
"""Weights of a log power over three frames in what is decoded."""

CALMED_LEVEL = 0.3
"""The most by which calming changes the mean of all log powers."""

GENERATED_THRESHOLD = 0.5
"""Gains that are off by this from the power of their shapes, by logarithm, are made up."""

TONE_BANDS, HIGH_BANDS = 22, 2
"""Bands above the kept coefficients, with a partial each and without; both of equal ratios."""

TONES_UP_TO = 0.71
"""The partials' bands end at this share of all coefficients: 15.7 kHz."""

MAX_TONALITY = 10.0
"""Largest log ratio of a band's power to its noise alone that is kept: 43 dB."""

LEAST_TONALITY = 0.25
"""Below this there is no partial: noise on a latent doesn't sing."""

LEAKAGE = 0.1
"""Partials' leakage over the power left in a band, from which on it is doubted."""

HELD_MARGIN, HELD_RANGE = 0.1, 0.4
"""A group's partial is sung from where the shapes hold less of the power by the one, and fully
where they hold less by the one and the other together."""

HELD_WITHIN_HZ = 3.0
"""Shapes hold a partial if they have one as near as this; at twice that they don't at all."""

HELD_FRAMES = 2
"""So many frames to either side they must hold it, too."""

LEAK_MARGIN = 1.5
"""So many times the power that a sung partial has in other groups is taken out of their noise."""

SUBFRAMES = 4
"""Parts of a frame whose noise power is kept."""

SUBFRAME_DEAD_ZONE, SUBFRAME_RANGE = 0.25, (-5.0, 1.4)
"""Log power of a part against its frame: smaller deviations are chance, larger are cut."""

NOISE_PERIOD_FRAMES = 512
"""The table of noise signs repeats after this many frames, about 12 s."""

ENVELOPE_DEVIATION = (1.0, 4.0)
"""Smallest and largest deviation of an envelope component, the shapes' being 1."""

LEAST_SCALE = 1e-6
"""A channel that deviates less never changed in what the codec was fitted to, and is left alone."""

ENVELOPE_WEIGHT = 3.0
"""In a loss, of the channels after the shapes against that of shapes."""


class TransformCodec(Pretransform):
    """44.1 kHz stereo sound to 256 channels at 43 Hz, and back.

    Channels: shapes; envelope (gains, bands of mid, bands of side); tonality and then place of
    each partial; correlation of side with mid; noise power of each part of the frame.

    Decoding is deterministic. All of it but the partials' phases is local: `decode_slice` gives
    the same samples as the whole. Encoding depends on `encode_context_frames` either side.
    Decoded peaks may slightly exceed 1. All arithmetic is float32, phases float64.
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
        self.stereo = Stereo(self.mdct, POWER_FLOOR)
        self.low_tones = ToneBands(group_edges, hop, sample_rate)
        self.tones = ToneBands(tone_edges, hop, sample_rate)
        self.encode_context_frames = self.tones.context_frames + 1
        partials = len(GROUPS) + TONE_BANDS
        self.envelope_parts = [len(GROUPS), TONE_BANDS + HIGH_BANDS, self.stereo.bands]
        self.parts = [
            self.kept, sum(self.envelope_parts), partials, partials, self.stereo.bands, SUBFRAMES,
        ]  # fmt: skip
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

        Shapes and correlations have mean 0 by symmetry. The envelope's principal components keep
        the root of their deviation, within `ENVELOPE_DEVIATION`; every other channel is brought to
        deviation 1, and then all together.
        """
        flat = raw.reshape(-1, raw.shape[-1])
        kept, envelope = self.parts[:2]
        mean = flat.mean(0, dtype=np.float64)
        mean[:kept] = mean[self.swapped_by_sides] = 0
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

    def change_from(self, other: "TransformCodec") -> Float[Tensor, "channel channel"]:
        """Matrix from another codec's latents to this one's, where they differ by statistics.

        What it leaves out is the same for all latents: the difference of the means.
        """
        latents = torch.cat([torch.zeros_like(self.mean)[None], torch.eye(len(self.mean))])
        zero, *units = self._normalise(other._denormalise(latents))
        return (torch.stack(units) - zero).T

    def tonality(
        self, z: Float[Tensor, "batch channel frame"]
    ) -> Float[Tensor, "batch frame tone"]:
        """Log ratio of each group's and band's power to its noise alone; 0 without a partial."""
        channels = self._denormalise(z.float().transpose(1, 2))
        return _heard(channels.split(self.parts, dim=-1)[2])

    @property
    def swapped_by_sides(self) -> slice:
        """Channels whose sign changes where left and right are swapped."""
        start = sum(self.parts[:4])
        return slice(start, start + self.parts[4])

    @property
    def loss_weights(self) -> Float[Tensor, " channel"]:
        """Weight of each channel in a loss, 1 on average.

        What can be predicted, the envelope and all after it, counts more than the shapes, which
        mostly can't be and are more.
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
             self._subframes(spectra)], dim=-1,
        )  # fmt: skip
        return self._normalise(raw).transpose(1, 2)

    def _shape(
        self, coefficients: Float[Tensor, "batch frame hop"]
    ) -> tuple[Float[Tensor, "batch frame kept"], Float[Tensor, "batch frame group"]]:
        """Kept coefficients at unit power, and the log power that they had."""
        kept = coefficients[..., : self.kept]
        power = smooth(_group_power(kept), GAIN_SMOOTHING) + POWER_FLOOR
        return kept / self._to_bins(power.sqrt()), torch.log(power)

    def _tonal(
        self,
        power: Float[Tensor, "batch frame bin"],
        tones: Tones,
        places: ToneBands,
    ) -> tuple[Float[Tensor, "batch frame tone"], Float[Tensor, "batch frame tone"]]:
        """Mean power of each band, its partial included, and the log of that over its noise."""
        pool = places.pool[:, : power.shape[-1]].T
        left = power - places.leakage(tones.power, tones.frequency_hz, power.shape[-1])
        left = left.clamp(min=0) @ pool
        leaked = power @ pool - left
        # What leakage can't be told from is noise only as far as the long window finds it, too.
        noise = torch.where(leaked > LEAKAGE * left, torch.minimum(left, tones.noise), left)
        full = noise + tones.power / places.widths
        tonality = torch.log((full + POWER_FLOOR) / (noise + POWER_FLOOR)).clamp(0, MAX_TONALITY)
        return full, tonality

    def _subframes(self, spectra: tuple[Spectrum, Spectrum]) -> Float[Tensor, "batch frame part"]:
        """Log power of each part of a frame above the kept range, over that of steady noise."""
        hop, kept = self.downsampling_ratio, self.kept
        high = torch.stack([spectrum.cosine for spectrum in spectra])
        high = torch.nn.functional.pad(high[..., kept:], (kept, 0))
        sound = self.mdct.synthesise(high).square().sum(0)
        frames = (spectra[0].power + spectra[1].power)[..., kept:].sum(-1) / hop
        parts = sound.unflatten(-1, (-1, SUBFRAMES, hop // SUBFRAMES)).mean(-1)
        steady = self._steady(smooth_loudness(frames))
        ratio = torch.log((parts + POWER_FLOOR) / (steady + POWER_FLOOR))
        surprise = ratio.sign() * (ratio.abs() - SUBFRAME_DEAD_ZONE).clamp(min=0)
        return surprise.clamp(*SUBFRAME_RANGE)

    def _steady(self, frames: Float[Tensor, "batch frame"]) -> Float[Tensor, "batch frame part"]:
        """Power over the parts of frames that noise of these frames' powers has."""
        places = (torch.arange(SUBFRAMES, device=frames.device) + 0.5) / SUBFRAMES
        own = torch.sin(math.pi / 2 * (0.5 + places)) ** 2
        padded = with_ends(frames)
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
        hop, context = self.downsampling_ratio, self.stereo.context_frames
        low, high = max(0, start - context), min(z.shape[-1], stop + context)
        channels = self._denormalise(z.float().transpose(1, 2))
        shape, envelope, tonality, place, correlation, subframes = channels.split(
            self.parts, dim=-1
        )
        envelope = self._limited(self._smooth_generated(envelope, shape))
        gains, energies, side = envelope.split(self.envelope_parts, dim=-1)
        tonality = _heard(tonality)
        place = place / tonality.clamp(0.5, 1)
        groups, tones = slice(None, len(GROUPS)), slice(len(GROUPS), None)
        mid = self._low(shape, gains, tonality[..., groups], place[..., groups], low, high)
        mid = mid + self._high(
            energies, tonality[..., tones], place[..., tones], subframes, low, high
        )
        here = slice(low, high)
        power = (torch.exp(side[:, here]) - POWER_FLOOR).clamp(min=0)
        signs = self._signs_from(1, low, high)
        sound = torch.stack([mid, self.stereo.side(mid, power, correlation[:, here], signs)], 1)
        return _mid_side(sound[..., (start - low) * hop : (stop - low) * hop])

    def _smooth_generated(
        self, envelope: Float[Tensor, "batch frame part"], shape: Float[Tensor, "batch frame kept"]
    ) -> Float[Tensor, "batch frame part"]:
        """Log powers without what a model makes up from one frame to the next."""
        change = smooth(envelope, CALMING) - envelope
        level = change.mean(-1, keepdim=True)
        change = change - level + CALMED_LEVEL * torch.tanh(level / CALMED_LEVEL)
        gains = envelope[..., : len(GROUPS)]
        own = smooth(_group_power(shape) * torch.exp(gains), GAIN_SMOOTHING) + POWER_FLOOR
        off = _highest_near((gains - torch.log(own)).abs(), HELD_FRAMES)
        doubt = (off / GENERATED_THRESHOLD).clamp(max=1).mean(-1, keepdim=True)
        return envelope + doubt * change

    def _limited(
        self, envelope: Float[Tensor, "batch frame part"]
    ) -> Float[Tensor, "batch frame part"]:
        """Log powers such as a sound within full scale can have, each and over a frame."""
        envelope = envelope.clamp(max=MAX_LOG_POWER)
        mid = envelope[..., : len(self.shares)]
        power = (torch.exp(mid) @ self.shares)[..., None]
        return envelope - torch.log(power / MAX_FRAME_POWER).clamp(min=0)

    def _low(
        self,
        shape: Float[Tensor, "batch frame kept"],
        gains: Float[Tensor, "batch frame group"],
        tonality: Float[Tensor, "batch frame group"],
        place: Float[Tensor, "batch frame group"],
        start: int,
        stop: int,
    ) -> Float[Tensor, "batch sample"]:
        """Mid's sound below the bands, of the shapes and of the partials that they don't hold."""
        frames, hop = shape.shape[1], self.downsampling_ratio
        context = self.low_tones.context_frames + HELD_FRAMES + 3
        low, high = max(0, start - context), min(frames, stop + context)
        here = slice(low, high)
        power, tonal = torch.exp(gains), 1 - torch.exp(-tonality)
        coefficients = shape[:, here] * self._to_bins(power[:, here].sqrt())
        missing = self._missing(coefficients, tonal[:, here], place[:, here])
        sung = missing * tonal[:, here]
        beside = self._leaked_beside(sung * power[:, here], place[:, here])
        quieter = (1 - sung - LEAK_MARGIN * beside / power[:, here]).clamp(min=0).sqrt()
        sound = self.mdct.synthesise(coefficients * self._to_bins(quieter))
        sound = sound[..., (start - low) * hop : (stop - low) * hop]
        shares = with_ends(missing)[:, start - low : stop - low + 2]
        partials = tonal * (power - POWER_FLOOR).clamp(min=0) * self.low_tones.widths
        return sound + self.low_tones.sing(partials, place, start, stop, shares)

    def _missing(
        self,
        coefficients: Float[Tensor, "batch frame kept"],
        tonal: Float[Tensor, "batch frame group"],
        place: Float[Tensor, "batch frame group"],
    ) -> Float[Tensor, "batch frame group"]:
        """Share of each group's partial, of the given share in its power, not in coefficients."""
        sound = self.mdct.synthesise(coefficients)
        spectrum = self.mdct.analyse(sound, self.kept).power
        tones = self.low_tones.find(sound, spectrum)
        _, tonality = self._tonal(spectrum, tones, self.low_tones)
        off_hz = (tones.frequency_hz - self.low_tones.frequency_hz(place)).abs().float()
        held = (2 - off_hz / HELD_WITHIN_HZ).clamp(0, 1) * (1 - torch.exp(-tonality))
        missing = ((tonal - held - HELD_MARGIN) / HELD_RANGE).clamp(0, 1)
        # Noise holds a partial for a frame by chance; a sound's shapes do all along.
        return smooth(_highest_near(missing, HELD_FRAMES), GAIN_SMOOTHING)

    def _leaked_beside(
        self, power: Float[Tensor, "batch frame group"], place: Float[Tensor, "batch frame group"]
    ) -> Float[Tensor, "batch frame group"]:
        """Mean power that partials, of these mean powers in their own groups, have in others."""
        partials = power * self.low_tones.widths
        frequency_hz = self.low_tones.frequency_hz(place)
        spectrum = self.low_tones.leakage(partials, frequency_hz, self.kept)
        return (spectrum @ self.low_tones.pool[:, : self.kept].T - power).clamp(min=0)

    def _high(
        self,
        energies: Float[Tensor, "batch frame band"],
        tonality: Float[Tensor, "batch frame tone"],
        place: Float[Tensor, "batch frame tone"],
        subframes: Float[Tensor, "batch frame part"],
        start: int,
        stop: int,
    ) -> Float[Tensor, "batch sample"]:
        """Mid's sound in the bands: partials, and noise between them."""
        frames, hop = energies.shape[1], self.downsampling_ratio
        quieter = torch.nn.functional.pad(tonality, (0, HIGH_BANDS))
        noise = torch.exp(energies - quieter)
        partials = (torch.exp(energies) - noise)[..., :TONE_BANDS] * self.tones.widths
        noise = (noise - POWER_FLOOR).clamp(min=0)
        low, high = max(0, start - 2), min(frames, stop + 2)
        here = slice(low, high)
        loudness = smooth(noise[:, here].sqrt().sqrt(), LOUDNESS_SMOOTHING) @ self.spread
        sound = self.mdct.synthesise(loudness**2 * self._signs_from(0, low, high))
        sound = sound * self._swell(subframes[:, here])
        sound = sound[..., (start - low) * hop : (stop - low) * hop]
        return sound + self.tones.sing(partials, place, start, stop)

    def _to_bins(
        self, values: Float[Tensor, "batch frame group"]
    ) -> Float[Tensor, "batch frame kept"]:
        """Repeat each group's value for its coefficients."""
        return values.repeat_interleave(self.groups, dim=-1, output_size=self.kept)

    def _signs_from(self, row: int, start: int, stop: int) -> Float[Tensor, "frame hop"]:
        """Signs of the noise of mid (row 0) or side (1) in the frames from `start` to `stop`."""
        frames = torch.arange(start, stop, device=self.signs.device)
        return self.signs[row, frames % NOISE_PERIOD_FRAMES]

    def _swell(self, subframes: Float[Tensor, "batch frame part"]) -> Float[Tensor, "batch sample"]:
        """Gain of the noise over time, linear between the middles of the parts."""
        gains = torch.exp(subframes.clamp(*SUBFRAME_RANGE) / 2).flatten(1)
        return torch.nn.functional.interpolate(
            gains[:, None], scale_factor=self.downsampling_ratio // SUBFRAMES, mode="linear"
        )[:, 0]


def _heard(tonality: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """Tonality with what is too small to be a partial set to 0."""
    return torch.where(tonality > LEAST_TONALITY, tonality, 0.0)


def _group_power(kept: Float[Tensor, "batch frame kept"]) -> Float[Tensor, "batch frame group"]:
    """Mean square of each group's coefficients."""
    return torch.stack([group.mean(-1) for group in (kept**2).split(GROUPS, dim=-1)], dim=-1)


def _highest_near(
    values: Float[Tensor, "batch frame group"], reach: int
) -> Float[Tensor, "batch frame group"]:
    """Maximum over as many frames before and after."""
    rows = values.transpose(1, 2)
    return torch.nn.functional.max_pool1d(rows, 2 * reach + 1, 1, reach).transpose(1, 2)


def _mid_side(x: Float[Tensor, "batch 2 sample"]) -> Float[Tensor, "batch 2 sample"]:
    """Left and right to mid and side, or back: the same rotation, its own inverse."""
    return torch.stack([x[:, 0] + x[:, 1], x[:, 0] - x[:, 1]], dim=1) * math.sqrt(0.5)


def _signs(hop: int) -> Float[Tensor, "2 frame hop"]:
    """A fixed table of ±1: noise of exact band energy, the same on every machine."""
    generator = torch.Generator().manual_seed(0)
    bits = torch.randint(0, 2, (2, NOISE_PERIOD_FRAMES, hop), generator=generator)
    return bits.float() * 2 - 1
