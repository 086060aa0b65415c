"""A model without weights: an exact Gaussian denoiser under a trivial codec.

The data are N(m, c²), with a mean m per channel that depends on the prompt, so the denoised
estimate D(y; s) = m + (y − m)·c²/(c² + s²) is exact and every result can be checked. It has the
parts of a stable-audio-tools model (network, conditioner, pretransform), so all code treats it the
same, learning included: m is a linear layer of the prompt.
"""

from __future__ import annotations

import zlib
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from eutectic.engine.defaults import TOY

RATE_HZ = 44100
RATIO = 1024
DEVIATION = 0.5
PROMPT_SIZE = 32


class ToyPretransform(nn.Module):
    """Blocks of RATIO frames, reduced to 2 × `bands` channels by a truncated DCT."""

    def __init__(self, bands: int = 64) -> None:
        super().__init__()
        self.io_channels, self.downsampling_ratio = 2, RATIO
        self.encoded_channels, self.context_frames = 2 * bands, 0
        position = (torch.arange(RATIO, dtype=torch.float64) + 0.5) * torch.pi / RATIO
        basis = torch.cos(torch.arange(bands)[:, None] * position) * (2 / RATIO) ** 0.5
        basis[0] /= 2**0.5
        self.register_buffer("basis", basis.float(), persistent=False)

    def encode(self, audio: Float[Tensor, "batch side sample"]) -> Float[Tensor, "batch c frame"]:
        blocks = audio.unflatten(-1, (-1, RATIO))
        return torch.einsum("bsfn,kn->bskf", blocks, self.basis).flatten(1, 2)

    def decode(self, latent: Float[Tensor, "batch c frame"]) -> Float[Tensor, "batch side sample"]:
        bands = latent.unflatten(1, (self.io_channels, -1))
        return torch.einsum("bskf,kn->bsfn", bands, self.basis).flatten(-2)


class ToyConditioner(nn.Module):
    """Words, hashed to PROMPT_SIZE positions, as one token."""

    def forward(self, batch: list[dict[str, Any]], device: torch.device) -> dict[str, Any]:
        tokens = torch.zeros(len(batch), 1, PROMPT_SIZE, device=device)
        for row, metadata in enumerate(batch):
            for word in metadata["prompt"].lower().split():
                tokens[row, 0, zlib.crc32(word.encode()) % PROMPT_SIZE] = 1.0
        return {"prompt": (tokens, torch.ones(len(batch), 1, device=device))}


class ToyNetwork(nn.Module):
    """v-prediction for N(m(prompt), DEVIATION²)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mean = nn.Linear(PROMPT_SIZE, channels, bias=False)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            self.mean.weight.copy_(torch.randn(channels, PROMPT_SIZE, generator=generator) * 0.1)

    def forward(
        self, x: Tensor, t: Tensor, cross_attn_cond: Tensor, **_: Any
    ) -> Float[Tensor, "batch c frame"]:
        """v at x = y/√(1+s²), t = atan(s)·2/π; from D = y/(1+s²) − v·s/√(1+s²)."""
        s = torch.tan(t * (torch.pi / 2))[:, None, None]
        mean = self.mean(cross_attn_cond[:, 0])[:, :, None]
        y = x * torch.sqrt(1 + s**2)
        shrink = DEVIATION**2 / (DEVIATION**2 + s**2)
        denoised = mean + (y - mean) * shrink
        return (x / torch.sqrt(1 + s**2) - denoised) * torch.sqrt(1 + s**2) / s


class ToyModel(nn.Module):
    """The parts of a stable-audio-tools `ConditionedDiffusionModelWrapper`."""

    def __init__(self) -> None:
        super().__init__()
        self.pretransform = ToyPretransform()
        self.conditioner = ToyConditioner()
        self.io_channels = self.pretransform.encoded_channels
        self.model = ToyNetwork(self.io_channels)
        self.sample_rate, self.diffusion_objective = RATE_HZ, "v"

    def get_conditioning_inputs(self, tensors: dict[str, Any]) -> dict[str, Any]:
        """The network's arguments for conditioning tensors."""
        tokens, mask = tensors["prompt"]
        return {"cross_attn_cond": tokens, "cross_attn_mask": mask, "global_cond": None}


CONFIG: dict[str, Any] = {
    "sample_rate": RATE_HZ,
    "sample_size": 24 * RATE_HZ // RATIO * RATIO,
    "eutectic": TOY,
}
