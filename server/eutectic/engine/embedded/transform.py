"""A codec without learned layers: low transform coefficients with their gains, noise bands above.

Sound is cut into overlapping frames by a modified discrete cosine transform (Princen, Johnson
and Bradley 1987: time-domain aliasing cancels between neighbouring frames). The lowest
coefficients of mid and side are kept as gain and shape: the log power of small groups of them,
smoothed over time, and the coefficients divided by its root. So a model that only knows the
gains yet already sounds right as shaped noise, and silence stays silent. Above them the ear hears
little more than how much energy lies where: only the log power of some bands is kept, and
decoding fills them with noise of that power.

Gains and bands together are the sound's envelope. They are rotated to their principal components,
so that noise on a latent moves neighbouring bands together; the largest components keep a larger
deviation than 1, so that a sampler settles them first.

Frame k owns the samples [hop·k, hop·(k+1)): its aliasing mirrors lie on those two borders, and
its window reaches half a hop beyond each. The outermost window halves are hard-edged, so L frames
stand for exactly L·hop samples.
"""

import math

import torch
from jaxtyping import Float
from stable_audio_tools.models.pretransforms import Pretransform
from torch import Tensor

POWER_FLOOR = 1e-9
"""Power (mean square coefficient) below which a group or band counts as silent: −90 dBFS."""

MAX_LOG_POWER = 5.0
"""Decoding limits powers to this; a full-scale sine reaches about 4.8 in the smallest group."""

GROUPS = (
    (4, 4, 4, 6, 8, 8, 12, 14, 18, 20, 22, 24),
    (4, 8, 12, 16),
)
"""Numbers of kept coefficients that share a gain, from the lowest up, for mid and for side."""

GAIN_SMOOTHING = (1 / 4, 1 / 2, 1 / 4)
"""Weights of a group's power over three frames in its gain."""

NOISE_PERIOD_FRAMES = 512
"""The table of noise signs repeats after this many frames, about 12 s."""

BAND_SMOOTHING = (1 / 6, 2 / 3, 1 / 6)
"""Weights of a band's loudness over three frames: sampled energies jump and sound blotchy."""


class TransformCodec(Pretransform):
    """44.1 kHz stereo sound to 240 channels of about unit deviation at 43 Hz, and back.

    Decoding is deterministic, and local: a slice that is given `context_frames` more frames on
    each side (fewer only at the clip's own ends) decodes to the same samples as the whole.
    Decoded peaks may slightly exceed 1. All arithmetic is float32.
    """

    mean: Tensor
    rotation: Tensor
    scale: Tensor
    cosines: Tensor
    window: Tensor
    pool: Tensor
    spread: Tensor
    signs: Tensor
    mid_groups: Tensor
    side_groups: Tensor

    def __init__(
        self,
        sample_rate: int = 44100,
        hop: int = 1024,
        bands: int = 20,
    ) -> None:
        super().__init__(enable_grad=False, io_channels=2, is_discrete=False)
        self.sample_rate = sample_rate
        self.downsampling_ratio = hop
        self.kept = (sum(GROUPS[0]), sum(GROUPS[1]))
        self.gains = (len(GROUPS[0]), len(GROUPS[1]))
        self.bands = bands
        self.encoded_channels = sum(self.kept) + sum(self.gains) + 2 * bands
        self.context_frames = 1 + len(BAND_SMOOTHING) // 2

        self.register_buffer("mean", torch.zeros(self.encoded_channels))
        self.register_buffer("scale", torch.ones(self.encoded_channels))
        self.register_buffer("rotation", torch.eye(self.encoded_channels - sum(self.kept)))
        fixed = {
            "cosines": _dct4(hop),
            "window": torch.sin(math.pi * (torch.arange(2 * hop) + 0.5) / (2 * hop)),
            "pool": torch.stack([_band_means(kept, hop, bands) for kept in self.kept]),
            "spread": torch.stack([_band_interpolation(kept, hop, bands) for kept in self.kept]),
            "signs": _signs(hop),
            "mid_groups": torch.tensor(GROUPS[0]),
            "side_groups": torch.tensor(GROUPS[1]),
        }
        for name, value in fixed.items():
            self.register_buffer(name, value, persistent=False)

    def encode(self, x: Float[Tensor, "batch 2 sample"]) -> Float[Tensor, "batch channel frame"]:
        """Latent of `x`, padded with silence to whole frames."""
        coefficients, power = self.analyse(x)
        shapes, gains = zip(*(self._shape(coefficients[:, i], i) for i in (0, 1)), strict=True)
        energies = torch.log(torch.einsum("bifn,ikn->bfik", power, self.pool) + POWER_FLOOR)
        channels = torch.cat([*shapes, *gains, energies.flatten(2)], dim=-1) - self.mean.float()
        shape, envelope = channels.split([sum(self.kept), self.rotation.shape[0]], dim=-1)
        rotated = torch.cat([shape, envelope @ self.rotation.float()], dim=-1)
        return (rotated / self.scale.float()).transpose(1, 2)

    def decode(
        self, z: Float[Tensor, "batch channel frame"], first_frame: int = 0
    ) -> Float[Tensor, "batch 2 sample"]:
        """Sound of a latent whose first frame is the clip's frame number `first_frame`."""
        rotated = z.float().transpose(1, 2) * self.scale.float()
        shape, envelope = rotated.split([sum(self.kept), self.rotation.shape[0]], dim=-1)
        channels = torch.cat([shape, envelope @ self.rotation.float().T], dim=-1)
        channels = channels + self.mean.float()
        *parts, energies = channels.split([*self.kept, *self.gains, 2 * self.bands], dim=-1)
        coefficients = self._noise(energies.unflatten(-1, (2, self.bands)), first_frame)
        for i, (shape, gain) in enumerate(zip(parts[:2], parts[2:], strict=True)):
            amplitudes = torch.exp(gain.clamp(max=MAX_LOG_POWER) / 2)
            coefficients[:, i, :, : self.kept[i]] = shape * self._to_bins(amplitudes, i)
        return self.synthesise(coefficients)

    def analyse(
        self, x: Float[Tensor, "batch 2 sample"]
    ) -> tuple[Float[Tensor, "batch 2 frame hop"], Float[Tensor, "batch 2 frame hop"]]:
        """Transform of mid and side, and their power.

        The power is the mean of the cosine and the sine transform's, so that a steady tone has a
        steady energy whatever its phase.
        """
        hop = self.downsampling_ratio
        frames = -(-x.shape[-1] // hop)
        padded = torch.nn.functional.pad(
            _mid_side(x.float()), (hop // 2, frames * hop - x.shape[-1] + hop // 2)
        )
        blocks = padded.unfold(-1, 2 * hop, hop) * self._windows(frames)
        cosine = _fold(blocks) @ self.cosines
        sine = _fold(blocks.flip(-1)) @ self.cosines
        return cosine, (cosine**2 + sine**2) / 2

    def synthesise(
        self, coefficients: Float[Tensor, "batch 2 frame hop"]
    ) -> Float[Tensor, "batch 2 sample"]:
        """The inverse transform: windowed blocks, overlapped and added."""
        hop = self.downsampling_ratio
        frames = coefficients.shape[-2]
        blocks = _unfold(coefficients @ self.cosines) * self._windows(frames)
        halves = torch.nn.functional.pad(blocks[..., :hop], (0, 0, 0, 1))
        halves[..., 1:, :] += blocks[..., hop:]
        return _mid_side(halves.flatten(-2)[..., hop // 2 : -(hop // 2)])

    def _windows(self, frames: int) -> Float[Tensor, "frame block"]:
        """Sine windows; the first one's left and the last one's right half are hard-edged."""
        hop = self.downsampling_ratio
        windows = self.window.repeat(frames, 1)
        windows[0, : hop // 2] = 0
        windows[0, hop // 2 : hop] = 1
        windows[-1, hop : hop + hop // 2] = 1
        windows[-1, hop + hop // 2 :] = 0
        return windows

    def _shape(
        self, coefficients: Float[Tensor, "batch frame hop"], i: int
    ) -> tuple[Float[Tensor, "batch frame kept"], Float[Tensor, "batch frame group"]]:
        """Kept coefficients of mid (0) or side (1) at unit power, and the log power they had."""
        kept = coefficients[..., : self.kept[i]]
        groups = (kept**2).split(GROUPS[i], dim=-1)
        power = torch.stack([group.mean(-1) for group in groups], dim=-1)
        power = _smooth(power, GAIN_SMOOTHING) + POWER_FLOOR
        return kept / self._to_bins(power.sqrt(), i), torch.log(power)

    def _to_bins(
        self, values: Float[Tensor, "batch frame group"], i: int
    ) -> Float[Tensor, "batch frame kept"]:
        """Repeat each group's value for its coefficients."""
        return values.repeat_interleave(
            (self.mid_groups, self.side_groups)[i], dim=-1, output_size=self.kept[i]
        )

    def _noise(
        self, energies: Float[Tensor, "batch frame 2 band"], first_frame: int
    ) -> Float[Tensor, "batch 2 frame hop"]:
        """Coefficients of random sign whose power follows the bands, smooth over time and bins.

        Smoothing and interpolation act on the fourth root of power, near to what is heard.
        """
        power = (energies.clamp(max=MAX_LOG_POWER).exp() - POWER_FLOOR).clamp(min=0.0)
        loudness = torch.einsum(
            "bfik,ikn->bifn", _smooth(power.sqrt().sqrt(), BAND_SMOOTHING), self.spread
        )
        frames = torch.arange(first_frame, first_frame + energies.shape[1], device=energies.device)
        signs = self.signs[:, frames % NOISE_PERIOD_FRAMES]
        return loudness**2 * signs


def _mid_side(x: Float[Tensor, "batch 2 sample"]) -> Float[Tensor, "batch 2 sample"]:
    """Left and right to mid and side, or back: the same rotation, its own inverse."""
    return torch.stack([x[:, 0] + x[:, 1], x[:, 0] - x[:, 1]], dim=1) * math.sqrt(0.5)


def _dct4(size: int) -> Float[Tensor, "size size"]:
    """Orthonormal type IV cosine transform; its own inverse."""
    index = torch.arange(size, dtype=torch.float64) + 0.5
    return (torch.cos(math.pi / size * torch.outer(index, index)) * math.sqrt(2 / size)).float()


def _fold(blocks: Float[Tensor, "*b block"]) -> Float[Tensor, "*b hop"]:
    """Windowed block (a, b, c, d) to (−c̃ − d, a − b̃), which the type IV transform takes."""
    a, b, c, d = blocks.chunk(4, dim=-1)
    return torch.cat([-c.flip(-1) - d, a - b.flip(-1)], dim=-1)


def _unfold(folded: Float[Tensor, "*b hop"]) -> Float[Tensor, "*b block"]:
    """The transpose of `_fold`: the block with its aliasing."""
    first, second = folded.chunk(2, dim=-1)
    return torch.cat([second, -second.flip(-1), -first.flip(-1), -first], dim=-1)


def _band_edges(kept: int, hop: int, bands: int) -> list[int]:
    """First bins of the bands above the kept coefficients, and the end; equal ratios."""
    return [round(kept * (hop / kept) ** (i / bands)) for i in range(bands + 1)]


def _band_means(kept: int, hop: int, bands: int) -> Float[Tensor, "band hop"]:
    """Matrix from bin powers to the mean power of each band."""
    means = torch.zeros(bands, hop)
    edges = _band_edges(kept, hop, bands)
    for row, start, end in zip(means, edges[:-1], edges[1:], strict=True):
        row[start:end] = 1 / (end - start)
    return means


def _band_interpolation(kept: int, hop: int, bands: int) -> Float[Tensor, "band hop"]:
    """Matrix from band values to bins, linear in log frequency between the bands' centres."""
    width = math.log(hop / kept) / bands
    position = (torch.log((torch.arange(hop) + 0.5) / kept) / width - 0.5).clamp(0, bands - 1)
    distance = (position - torch.arange(bands)[:, None]).abs()
    return (1 - distance).clamp(min=0)


def _smooth(
    values: Float[Tensor, "batch frame *band"], weights: tuple[float, float, float]
) -> Float[Tensor, "batch frame *band"]:
    """Weighted mean over three frames; the end frames are repeated."""
    before = torch.cat([values[:, :1], values[:, :-1]], dim=1)
    after = torch.cat([values[:, 1:], values[:, -1:]], dim=1)
    return weights[0] * before + weights[1] * values + weights[2] * after


def _signs(hop: int) -> Float[Tensor, "2 frame hop"]:
    """A fixed table of ±1: noise of exact band energy, the same on every machine."""
    generator = torch.Generator().manual_seed(0)
    bits = torch.randint(0, 2, (2, NOISE_PERIOD_FRAMES, hop), generator=generator)
    return bits.float() * 2 - 1
