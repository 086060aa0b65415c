"""SAME, the codec of Stable Audio 3, made to repeat itself.

A transformer turns every latent into tokens of sound. Shipped, its decoder adds noise to the
tokens that it starts from, and its bottleneck to the latent, anew at each call, so that a chunk
decoded twice differs and seams are heard. Here that noise, of the shipped amount, is drawn from a
seed and the latent's position: each chunk is the same as in any other decoding with this seed.
Encoding adds none, so that a clip has one latent.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from eutectic.engine.graphs import to_device
from eutectic.engine.library import TransformerResamplingBlock
from eutectic.engine.noise import normal

BOTTLENECK_NOISE = 1e-3
"""Of the latent's deviation: what stable-audio-tools' SoftNormBottleneck adds."""

STREAM = 0x5A3E
"""Keeps this noise apart from that of sampling."""

BLOCK_FRAMES = 16
"""Latent frames whose noise is drawn at once."""

BLOCKS_KEPT = 32


class Same:
    """A stable-audio-tools pretransform of two SAME transformers, as `Codec` uses it.

    Attributes:
        frame_multiple: latents have multiples of this many frames, and slices start at them.
        context_frames: latent frames to either side that such a slice depends on.
    """

    def __init__(self, pretransform: Any) -> None:
        self.io_channels: int = pretransform.io_channels
        self.downsampling_ratio: int = pretransform.downsampling_ratio
        self.encoded_channels: int = pretransform.encoded_channels
        self._pretransform, self._model = pretransform, pretransform.model
        for block in _blocks(self._model.encoder):
            block.mask_noise, block.checkpointing = 0.0, False
        for block in _blocks(self._model.decoder):
            block.checkpointing = False
        self.frame_multiple, self.context_frames = _alignment(self._model.decoder)

    def encode(self, audio: Float[Tensor, "1 side sample"]) -> Float[Tensor, "1 channel frame"]:
        """The latent of whole frames of audio, of `frame_multiple` at least."""
        return self._pretransform.encode(audio)

    def decode_at(
        self, latent: Float[Tensor, "1 channel frame"], at: int, seed: int
    ) -> Float[Tensor, "1 side sample"]:
        """The sound of a latent whose first frame is frame `at` of a whole one.

        `at` is a multiple of `frame_multiple`.
        """
        frames = latent.shape[-1]
        # As the library does, and to the same effect: it pads with zeros inside.
        x = nn.functional.pad(latent, (0, -frames % self.frame_multiple))
        stop = at + x.shape[-1]
        x = self._through_bottleneck(x * self._pretransform.scale, at, stop, seed)
        for number, layer in enumerate(self._model.decoder.layers):
            if isinstance(layer, TransformerResamplingBlock) and layer.mask_noise:
                tokens = x.shape[-1] // (stop - at) * layer.stride
                width = tokens * layer.in_channels
                noise = _noise(seed, 1 + number, at, stop, width, x.device)
                noise = noise.view(1, -1, layer.in_channels)
                x = layer(x, override_new_tokens=layer.mask_noise * noise)
            else:
                x = layer(x)
        if self._model.pretransform is not None:
            x = self._model.pretransform.decode(x)
        if self._model.soft_clip:
            x = torch.tanh(x)
        return x[..., : frames * self.downsampling_ratio]

    def _through_bottleneck(
        self, x: Float[Tensor, "1 channel frame"], at: int, stop: int, seed: int
    ) -> Float[Tensor, "1 channel frame"]:
        bottleneck = self._model.bottleneck
        noisy, bottleneck.noise_regularize = bottleneck.noise_regularize, False
        try:
            x = bottleneck.decode(x)
        finally:
            bottleneck.noise_regularize = noisy
        if not noisy:
            return x
        deviation = getattr(bottleneck, "running_std", 1.0)
        noise = _noise(seed, 0, at, stop, x.shape[1], x.device)
        return x + BOTTLENECK_NOISE * deviation * noise.T[None]


def _blocks(side: nn.Module) -> list[Any]:
    """The resampling blocks of an encoder or a decoder."""
    return [each for each in side.modules() if isinstance(each, TransformerResamplingBlock)]


def _alignment(decoder: nn.Module) -> tuple[int, int]:
    """Frames that are decoded together, and those to either side that they depend on."""
    blocks = _blocks(decoder)
    if len(blocks) != 1:
        raise ValueError(f"a SAME decoder of {len(blocks)} blocks isn't usable")
    (block,) = blocks
    convolves = getattr(block.mapping, "kernel_size", (1,)) != (1,)
    if block.sliding_window_latents is not None:
        return 1, block.transformer_depth * max(block.sliding_window_latents) + convolves
    # Chunks shifted by a half, and a convolution over the joints, each reach into the next chunk.
    together = block.chunk_size // block.stride
    return together, together if block.chunk_midpoint_shift or convolves else 0


def _noise(
    seed: int, stream: int, start: int, stop: int, width: int, device: torch.device
) -> Float[Tensor, "frame width"]:
    """Unit noise of the latent frames from `start` to `stop`, the same in every slice."""
    first, last = start // BLOCK_FRAMES, (stop - 1) // BLOCK_FRAMES
    drawn = [_block(seed, stream, block, width) for block in range(first, last + 1)]
    noise = torch.cat(drawn)[start - first * BLOCK_FRAMES : stop - first * BLOCK_FRAMES]
    return to_device(noise, device)


@lru_cache(maxsize=BLOCKS_KEPT)
def _block(seed: int, stream: int, block: int, width: int) -> Float[Tensor, "frame width"]:
    return normal((BLOCK_FRAMES, width), seed, STREAM + stream, block)
