"""Between waveforms and latents, over any stable-audio-tools `Pretransform`.

Encoding takes the mean of a variational codec, whose own `encode` draws a sample each time.
Decoding can be streamed: each chunk is decoded with the decoder's receptive field as context, so
chunks join to the whole up to float rounding. Where a decoder adds noise it is drawn from a seed
and the latent's position, so they do there, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from eutectic.audio import Samples, Waveform

PIECE_FRAMES = 32
"""Latent frames of the pieces of a decoding that nobody is waiting for."""


class Codec:
    """Encodes clips and decodes latents; owned by the thread that owns the model.

    Attributes:
        rate_hz: sample rate of waveforms.
        channels: channels of waveforms.
        ratio: waveform frames per latent frame.
        latent_channels: channels of latents.
        network_channels: those that the network sees, the first; the others are remembered only.
        frame_multiple: encoded latents have multiples of this many frames.
    """

    def __init__(self, pretransform: Any, rate_hz: int, device: torch.device) -> None:
        self.rate_hz = rate_hz
        self.device = device
        self.channels: int = pretransform.io_channels
        self.ratio: int = pretransform.downsampling_ratio
        self.latent_channels: int = pretransform.encoded_channels
        self._pretransform = _repeatable(pretransform)
        self.frame_multiple: int = getattr(self._pretransform, "frame_multiple", 1)
        self.network_channels: int = getattr(pretransform, "network_channels", self.latent_channels)
        self._context_frames: int | None = getattr(self._pretransform, "context_frames", None)

    def seen(self, latent: Float[Tensor, "1 channel frame"]) -> Float[Tensor, "1 seen frame"]:
        """The channels that the network sees; decoding them alone gives noise of their envelope."""
        return latent[:, : self.network_channels]

    def complete(
        self, seen: Float[Tensor, "1 seen frame"], other: Float[Tensor, "1 channel frame"]
    ) -> Float[Tensor, "1 channel frame"]:
        """Those channels, and the others of another latent."""
        return torch.cat([seen, other[:, self.network_channels :]], dim=1)

    def latent_frames(self, frames: int) -> int:
        """Latent frames needed for this many waveform frames."""
        return -(-frames // self.ratio)

    @torch.no_grad()
    def encode(
        self, waveform: Waveform, latent_frames: int | None = None
    ) -> Float[Tensor, "1 channel frame"]:
        """x0 of a clip: the codec's mean, float32, padded with silence to `latent_frames`.

        These are rounded up to a multiple of `frame_multiple`.
        """
        count = latent_frames or self.latent_frames(waveform.frames)
        count = -(-count // self.frame_multiple) * self.frame_multiple
        samples = np.zeros((self.channels, count * self.ratio), np.float32)
        samples[:, : waveform.frames] = waveform.samples
        audio = torch.from_numpy(samples)[None].to(self.device)
        return _encode_mean(self._pretransform, audio).float()

    @torch.no_grad()
    def decode(
        self, latent: Float[Tensor, "1 channel frame"], frames: int | None = None, seed: int = 0
    ) -> Samples:
        """The waveform (channel, frame) of a latent, cut to `frames`.

        `seed` is that of the decoder's noise, if it adds any.
        """
        return _samples(self._decode(latent, 0, seed)[..., :frames])

    @torch.no_grad()
    def pieces(
        self, latent: Float[Tensor, "1 channel frame"], frames: int, seed: int = 0
    ) -> Iterator[Samples]:
        """`decode`'s waveform in equal pieces, between which other work may be done."""
        return self.stream(latent, frames, PIECE_FRAMES, longest=PIECE_FRAMES, seed=seed)

    def stream(
        self,
        latent: Float[Tensor, "1 channel frame"],
        frames: int | None = None,
        first: int = 8,
        growth: float = 2.0,
        longest: int = 128,
        seed: int = 0,
    ) -> Iterator[Samples]:
        """Chunks (channel, frame) that join to `decode`'s waveform, each longer than the last.

        Args:
            latent: x0, whole.
            frames: length of the waveform (default: all).
            first: latent frames of the first chunk.
            growth: factor by which each chunk is longer than the last, up to `longest`.
            longest: latent frames of the longest chunk.
            seed: of the decoder's noise, as in `decode`.
        """
        whole = latent.shape[-1] * self.ratio
        left = whole if frames is None else min(frames, whole)
        at, size = 0, float(first)
        while left > 0:
            stop = min(latent.shape[-1], at + int(size))
            chunk = self.decode_slice(latent, at, stop, seed)[:, :left]
            yield chunk
            left -= chunk.shape[-1]
            at, size = stop, min(size * growth, longest)

    @torch.no_grad()
    def decode_slice(
        self, latent: Float[Tensor, "1 channel frame"], start: int, stop: int, seed: int = 0
    ) -> Samples:
        """The waveform (channel, frame) of the latent frames from `start` to `stop`."""
        if hasattr(self._pretransform, "decode_slice"):
            return _samples(self._pretransform.decode_slice(latent.to(self.device), start, stop))
        context, multiple = self.context_frames, self.frame_multiple
        low = max(0, start - start % multiple - context)
        high = min(latent.shape[-1], stop + -stop % multiple + context)
        audio = self._decode(latent[..., low:high], low, seed)
        return _samples(audio[..., (start - low) * self.ratio : (stop - low) * self.ratio])

    def _decode(self, latent: Float[Tensor, "1 channel frame"], at: int, seed: int) -> Tensor:
        """The sound of a latent whose first frame is frame `at` of a whole one."""
        latent = latent.to(self.device)
        if hasattr(self._pretransform, "decode_at"):
            return self._pretransform.decode_at(latent, at, seed)
        return self._pretransform.decode(latent)

    @property
    def context_frames(self) -> int:
        """Latent frames to either side that a slice of `frame_multiple` frames depends on."""
        if self._context_frames is None:
            self._context_frames = _receptive_field(
                self._pretransform, self.latent_channels, self.ratio, self.device
            )
        return self._context_frames


def _repeatable(pretransform: Any) -> Any:
    """A codec that gives the same for the same: the library's own, but for SAME."""
    decoder = getattr(getattr(pretransform, "model", None), "decoder", None)
    if type(decoder).__name__ != "SAMEDecoder":
        return pretransform
    from eutectic.engine.same import Same

    return Same(pretransform)


def _samples(audio: Float[Tensor, "1 channel sample"]) -> Samples:
    """Decoded sound, silent where a latent far out of range made the decoder overflow."""
    return audio[0].float().nan_to_num(0.0, 0.0, 0.0).cpu().numpy()


def _encode_mean(pretransform: Any, audio: Tensor) -> Tensor:
    """The mean of a variational autoencoder; for others, whatever they encode."""
    autoencoder = getattr(pretransform, "model", None)  # `Same` has none
    if autoencoder is None or type(autoencoder.bottleneck).__name__ != "VAEBottleneck":
        return pretransform.encode(audio)
    inner = autoencoder.pretransform
    moments = autoencoder.encoder(audio if inner is None else inner.encode(audio))
    mean, _ = moments.chunk(2, dim=1)
    return mean / pretransform.scale


def _receptive_field(
    pretransform: Any, channels: int, ratio: int, device: torch.device, length: int = 65
) -> int:
    """The decoder's reach in latent frames: where one frame's waveform has a nonzero gradient.

    Repeated over twice the length if it may reach further.
    """
    middle = length // 2
    with torch.enable_grad():
        latent = torch.randn(1, channels, length, generator=torch.Generator().manual_seed(0)).to(
            device
        )
        latent.requires_grad_(True)
        audio = pretransform.decode(latent)
        frame = audio[..., middle * ratio : (middle + 1) * ratio]
        (gradient,) = torch.autograd.grad(frame.square().sum(), latent)
    reached = gradient.abs().sum(dim=(0, 1)).nonzero().flatten().tolist()
    if min(reached) == 0 or max(reached) == length - 1:
        return _receptive_field(pretransform, channels, ratio, device, 2 * length + 1)
    return max(middle - min(reached), max(reached) - middle)
