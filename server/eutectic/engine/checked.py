"""PyTorch tensors in safetensors files, with what is known about them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from eutectic.files import tensors as files


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Hash of every tensor, for cache keys and to notice damage."""
    hashed = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].cpu().contiguous()
        hashed.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        hashed.update(tensor.view(torch.uint8).numpy().tobytes())
    return hashed.hexdigest()


def save(
    path: Path,
    tensors: Mapping[str, Tensor],
    about: Mapping[str, Any],
    more: Mapping[str, str] | None = None,
) -> None:
    """Write tensors and what is known about them (JSON values), and more metadata for others.

    Raises:
        BadOutput: the path can't be written.
    """
    from safetensors.torch import save_file

    contiguous = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    files.write(path, save_file, contiguous, {"about": json.dumps(dict(about))} | dict(more or {}))


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and what is known about them; the caller compares their digest.

    Raises:
        ValueError: not a file that `save` wrote.
    """
    tensors, metadata = files.read(path, "pt")
    about = json.loads(metadata.get("about", "null"))
    if not isinstance(about, dict):
        raise ValueError(f"{path}: has no description of its tensors")
    return tensors, about
