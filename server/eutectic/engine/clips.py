"""Encoded clips and their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from eutectic.audio import Waveform
from eutectic.engine import checked

FORMAT = 1


@dataclass(frozen=True)
class Clip:
    """A waveform at the model's rate, its latent x0, padded to a bucket, and its loudness."""

    waveform: Waveform
    latent: Float[Tensor, "1 channel frame"]
    loudness_lufs: float

    @property
    def nbytes(self) -> int:
        """Memory of its samples and latent."""
        return self.waveform.samples.nbytes + self.latent.nbytes

    def save(self, path: Path) -> None:
        """Write a safetensors file, whole or not at all.

        Raises:
            BadOutput: the path can't be written.
        """
        tensors = {"samples": torch.from_numpy(self.waveform.samples), "latent": self.latent}
        about = {
            "format": FORMAT,
            "digest": checked.digest(tensors),
            "rate_hz": self.waveform.rate_hz,
            "loudness_lufs": self.loudness_lufs,
        }
        checked.save(path, tensors, about)

    @classmethod
    def read(cls, path: Path, device: torch.device) -> Clip:
        """Read a saved clip, its latent onto a device.

        Raises:
            ValueError: damaged, or of another format.
        """
        tensors, about = checked.read(path)
        if about.get("format") != FORMAT or about.get("digest") != checked.digest(tensors):
            raise ValueError(f"{path}: damaged, or of another version")
        waveform = Waveform(tensors["samples"].numpy(), about["rate_hz"])
        return cls(waveform, tensors["latent"].to(device), about["loudness_lufs"])
