"""Tensors on disk: safetensors files written whole or not at all, in folders of limited size."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from eutectic.errors import BadOutput
from eutectic.files.atomic import atomic_path


def write(
    path: Path,
    save_file: Callable[..., None],
    tensors: Mapping[str, Any],
    metadata: Mapping[str, str],
) -> None:
    """Write tensors and metadata with a `save_file` of safetensors.

    Raises:
        BadOutput: the path can't be written.
    """
    from safetensors import SafetensorError

    with atomic_path(path) as temporary:
        try:
            save_file(dict(tensors), temporary, metadata=dict(metadata))
        except SafetensorError as error:
            raise BadOutput(f"{path}: can't be written ({error})") from None


def read(path: Path, framework: Literal["np", "pt"]) -> tuple[dict[str, Any], dict[str, str]]:
    """Tensors and metadata, as NumPy's or PyTorch's; their digest shows whether they are undamaged.

    Raises:
        ValueError: not a safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework) as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, file.metadata() or {}
    except (OSError, SafetensorError, ValueError) as error:
        raise ValueError(f"{path}: can't be read ({type(error).__name__})") from None


def about(path: Path) -> dict[str, str]:
    """A file's metadata; its tensors aren't read.

    Raises:
        ValueError: not a safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            return file.metadata() or {}
    except (OSError, SafetensorError, ValueError) as error:
        raise ValueError(f"{path}: can't be read ({type(error).__name__})") from None


def delete(path: Path) -> int:
    """Delete a file; returns the number of bytes that are free now: 0 if there is none.

    Raises:
        BadOutput: it can't be deleted.
    """
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise BadOutput(f"{path}: can't be deleted ({error.strerror})") from None
    return size


def keep_newest(folder: Path, limit_bytes: int) -> None:
    """Delete a folder's oldest files until the rest fits a limit; the newest stays.

    Raises:
        OSError: a file can't be deleted.
    """
    files = [(entry.stat(), Path(entry)) for entry in os.scandir(folder)]
    total = sum(status.st_size for status, _ in files)
    for status, path in sorted(files, key=lambda file: file[0].st_mtime_ns)[:-1]:
        if total <= limit_bytes:
            break
        path.unlink(missing_ok=True)
        total -= status.st_size
