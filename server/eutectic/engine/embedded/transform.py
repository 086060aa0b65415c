"""A codec without learned layers: transform coefficients as an envelope and shapes.

Sound is cut into overlapping frames by a modified discrete cosine transform of mid and of side
(`mdct`). The mean power in bands of each frame is its *envelope*; what is left of every coefficient
when the envelope is taken out, half of it in decibels, is its *shape*. Decoding multiplies shapes
by whatever gain brings their bands to the powers that the envelope asks for, so the envelope alone
says how loud each band is, and shapes only how its sound is made. Decoding an encoded sound gives
it back exactly, up to rounding.

Two shapes added are weighted by their sounds' levels in each band, as half of the envelope is left
in them: where one sound is silent, the other's shape prevails. Powers are kept as p^0.25, close to
loudness: the average of a band with silence is 12 dB down, where that of logarithms would be
silence as well.

The envelope is what a network is trained on. It is rotated to its principal components, so that
noise on a latent moves neighbouring bands together; the largest components keep a larger deviation
than others, so that a sampler settles them first. All channels have deviation 1 (`statistics`).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from eutectic.engine.embedded import bands, statistics
from eutectic.engine.embedded.mdct import Mdct
from eutectic.engine.embedded.statistics import Statistics
from eutectic.engine.library import Pretransform

BANDS, NARROWEST_BINS = 46, 2
"""Bands of mid, and as many of side: equal ratios, from 43 Hz wide up."""

LEFT_IN_SHAPES = 0.5
"""Share of a coefficient's level in dB that its shape keeps; 0 would whiten it, 1 leave it."""

EXPONENT = 0.25
"""Powers are kept raised to this."""

POWER_FLOOR = 1e-7
"""Power (mean square coefficient) below which a band counts as silent: −70 dBFS."""

SHAPE_FLOOR = 1e-2 * POWER_FLOOR**LEFT_IN_SHAPES
"""The same for the power of a band's shapes."""

LEAST_POWER = POWER_FLOOR ** (1 - LEFT_IN_SHAPES) * SHAPE_FLOOR
"""What the envelope of silence is."""

NOISE_PERIOD_FRAMES = 256
"""Shapes of noise repeat after this many frames, about 6 s."""

MAX_POWER = math.exp(8.0)
"""Limit of a band's decoded power; a full-scale sine reaches about exp(4.8) in the narrowest."""

MAX_FRAME_POWER = 32.0
"""Limit of the decoded mean square over a frame: that of a full-scale square wave."""


class TransformCodec(Pretransform):
    """44.1 kHz stereo sound to latents at 43 Hz, and back.

    Channels: the envelope (bands of mid, of side), which a network sees; then the shapes (bins of
    mid, of side), which it doesn't.

    Decoding is local: `decode_slice` gives the same samples as decoding the whole. Decoded peaks
    may exceed 1. All arithmetic is float32.
    """

    mean: Tensor
    rotation: Tensor
    scale: Tensor
    shape_scale: Tensor
    pool: Tensor
    spread: Tensor
    shares: Tensor
    noise: Tensor

    def __init__(self, sample_rate: int = 44100, hop: int = 1024) -> None:
        super().__init__(enable_grad=False, io_channels=2, is_discrete=False)
        self.sample_rate = sample_rate
        self.downsampling_ratio = hop
        self.mdct = Mdct(hop)
        edges = bands.edges(hop, BANDS, NARROWEST_BINS)
        self.network_channels = 2 * (len(edges) - 1)
        self.encoded_channels = self.network_channels + 2 * hop
        self.register_buffer("mean", torch.zeros(self.network_channels))
        self.register_buffer("scale", torch.ones(self.network_channels))
        self.register_buffer("rotation", torch.eye(self.network_channels))
        self.register_buffer("shape_scale", torch.ones(self.network_channels))
        self.register_buffer("pool", bands.means(edges), persistent=False)
        self.register_buffer("spread", bands.interpolation(edges), persistent=False)
        shares = torch.tensor(np.diff(edges) / hop, dtype=torch.float32)
        self.register_buffer("shares", shares, persistent=False)
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn(2, NOISE_PERIOD_FRAMES, hop, generator=generator)
        self.register_buffer("noise", noise, persistent=False)

    # Statistics

    def fit(self, raw: Shaped[np.ndarray, "*batch channel"]) -> None:
        """Set the statistics from envelopes (…, network channel) of `envelopes`, float32."""
        fitted = statistics.fit(raw)
        for buffer, value in zip((self.mean, self.rotation, self.scale), fitted, strict=True):
            buffer.copy_(torch.from_numpy(value))
        powers = raw.reshape(-1, raw.shape[-1]) ** (LEFT_IN_SHAPES / EXPONENT)
        self.shape_scale.copy_(torch.from_numpy(powers.mean(0, dtype=np.float64)).sqrt())

    @property
    def _statistics(self) -> Statistics:
        return Statistics(self.mean.float(), self.rotation.float(), self.scale.float())

    def normalise(self, raw: Float[Tensor, "*batch channel"]) -> Float[Tensor, "*batch channel"]:
        """Envelopes as `envelopes` gives them, as the latent holds them."""
        return statistics.normalise(raw, self._statistics)

    def change_from(self, other: TransformCodec) -> Float[Tensor, "channel channel"]:
        """Matrix from another codec's envelopes to this one's; they differ in statistics alone.

        It leaves out the difference of the means, which is the same for all latents.
        """
        latents = torch.cat([torch.zeros_like(self.mean)[None], torch.eye(len(self.mean))])
        raw = statistics.denormalise(latents, other._statistics)
        zero, *units = self.normalise(raw)
        return (torch.stack(units) - zero).T

    # Encoding

    def encode(self, x: Float[Tensor, "batch 2 sample"]) -> Float[Tensor, "batch channel frame"]:
        """Latent of `x`, padded with silence to whole frames."""
        shapes, envelope = self._analyse(x)
        shapes = shapes / self._shape_scale
        latent = torch.cat([self.normalise(envelope), shapes.transpose(1, 2).flatten(2)], dim=-1)
        return latent.transpose(1, 2)

    def envelopes(self, x: Float[Tensor, "batch 2 sample"]) -> Float[Tensor, "batch frame channel"]:
        """The envelope alone, before statistics."""
        return self._analyse(x)[1]

    def _analyse(
        self, x: Float[Tensor, "batch 2 sample"]
    ) -> tuple[Float[Tensor, "batch 2 frame bin"], Float[Tensor, "batch frame channel"]]:
        spectrum = self.mdct.analyse(_mid_side(x.float()))
        power = torch.log(spectrum.power @ self.pool + POWER_FLOOR) * (1 - LEFT_IN_SHAPES)
        shapes = spectrum.cosine * torch.exp(power @ self.spread / -2)
        # The gain that decoding must apply is exp(power/2): see `_gains`.
        asked = torch.exp(EXPONENT * (power + self._log_power(shapes)))
        return shapes, asked.transpose(1, 2).flatten(2)

    # Decoding

    def decode(self, z: Float[Tensor, "batch channel frame"]) -> Float[Tensor, "batch 2 sample"]:
        """Sound of a latent."""
        return self.decode_slice(z, 0, z.shape[-1])

    def decode_slice(
        self, z: Float[Tensor, "batch channel frame"], start: int, stop: int
    ) -> Float[Tensor, "batch 2 sample"]:
        """The samples of the frames from `start` to `stop` of a whole latent's sound.

        An envelope alone is decoded with shapes of noise.
        """
        low, high = max(0, start - CONTEXT_FRAMES), min(z.shape[-1], stop + CONTEXT_FRAMES)
        rows = z[..., low:high].float().transpose(1, 2)
        envelope, shapes = rows.tensor_split([self.network_channels], dim=-1)
        if shapes.shape[-1]:
            shapes = shapes.unflatten(-1, (2, -1)).transpose(1, 2) * self._shape_scale
        else:
            shapes = self._noise(low, high)[None] * self._shape_scale
        gains = self._powers(envelope) - self._log_power(shapes)
        sound = self.mdct.synthesise(shapes * torch.exp(gains @ self.spread / 2))
        hop = self.mdct.hop
        return _mid_side(sound[..., (start - low) * hop : (stop - low) * hop])

    def _noise(self, start: int, stop: int) -> Float[Tensor, "2 frame bin"]:
        """Shapes of noise, of unit deviation, the same on every machine and in every slice."""
        frames = torch.arange(start, stop, device=self.noise.device) % NOISE_PERIOD_FRAMES
        return self.noise[:, frames]

    def _powers(
        self, envelope: Float[Tensor, "batch frame channel"]
    ) -> Float[Tensor, "batch 2 frame band"]:
        """Log powers that an envelope asks for, within those of a full-scale sound."""
        raw = statistics.denormalise(envelope, self._statistics)
        raw = raw.clamp(LEAST_POWER**EXPONENT, MAX_POWER**EXPONENT)
        powers = torch.log(raw).unflatten(-1, (2, -1)).transpose(1, 2) / EXPONENT
        frame = (torch.exp(powers) @ self.shares)[..., None]
        return powers - torch.log(frame / MAX_FRAME_POWER).clamp(min=0)

    def _log_power(
        self, shapes: Float[Tensor, "batch 2 frame bin"]
    ) -> Float[Tensor, "batch 2 frame band"]:
        """Log power of shapes in each band, as if they were coefficients of a sound."""
        sine = self.mdct.analyse_sine(self.mdct.synthesise(shapes))
        return torch.log((shapes**2 + sine**2) / 2 @ self.pool + SHAPE_FLOOR)

    @property
    def _shape_scale(self) -> Float[Tensor, "2 1 bin"]:
        """Deviation of each shape, from those of its bands."""
        logs = torch.log(self.shape_scale.float()).unflatten(-1, (2, 1, -1))
        return torch.exp(logs @ self.spread)


CONTEXT_FRAMES = 3
"""Frames to either side that a frame's sound depends on: a synthesis of shapes, their analysis,
and the synthesis of the sound reach one each."""


def _mid_side(x: Float[Tensor, "batch 2 sample"]) -> Float[Tensor, "batch 2 sample"]:
    """Left and right to mid and side, or back: the rotation is its own inverse."""
    return torch.stack([x[:, 0] + x[:, 1], x[:, 0] - x[:, 1]], dim=1) * math.sqrt(0.5)
