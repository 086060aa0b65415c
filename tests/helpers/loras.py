"""LoRA files for the toy model."""

from __future__ import annotations

from pathlib import Path

import torch

from eutectic.engine.adapter import LORA, Adapter
from eutectic.engine.toy import PROMPT_SIZE, ToyPretransform

RANK = 4


def write_lora(path: Path, seed: int = 0) -> Path:
    """A LoRA with random values, as our own learning writes it."""
    generator = torch.Generator().manual_seed(seed)
    channels = ToyPretransform().encoded_channels
    tensors = {
        f"mean{LORA}lora_A": torch.randn(RANK, PROMPT_SIZE, generator=generator),
        f"mean{LORA}lora_B": 0.3 * torch.randn(channels, RANK, generator=generator),
    }
    Adapter(tensors, {"method": "lora"}).save(path)
    return path
