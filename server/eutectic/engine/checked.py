"""Tensors in safetensors files with what is known about them, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from eutectic.errors import BadOutput
from eutectic.files.atomic import atomic_path


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Hash of every tensor, for cache keys and to notice damage."""
    hashed = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].cpu().contiguous()
        hashed.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        hashed.update(tensor.view(torch.uint8).numpy().tobytes())
    return hashed.hexdigest()


def save(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write tensors and what is known about them (JSON values).

    Raises:
        BadOutput: the path can't be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    contiguous = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_path(path) as temporary:
        try:
            save_file(contiguous, temporary, metadata={"about": json.dumps(dict(about))})
        except SafetensorError as error:
            raise BadOutput(f"{path}: can't be written ({error})") from None


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and what is known about them; whether they are undamaged their digest tells.

    Raises:
        ValueError: not a file that `save` wrote.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {})["about"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{path}: can't be read ({type(error).__name__})") from None
    if not isinstance(about, dict):
        raise ValueError(f"{path}: says nothing about its tensors")
    return tensors, about
