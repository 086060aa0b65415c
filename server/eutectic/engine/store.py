"""Clips and references on disk: one safetensors file each, named by a hash of all that shaped it.

References are what a user made, and stay. Clips can be made again from their files: where they
are more than the limit, the one not used for longest goes.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch

from eutectic.engine.adapter import Adapter
from eutectic.engine.clips import Clip
from eutectic.errors import BadOutput
from eutectic.files.tensors import keep_newest

CLIPS_LIMIT_BYTES = 8 << 30


class Store:
    """Adapters and clips by key, in folders that are made when first written to."""

    def __init__(self, root: Path, clips_limit_bytes: int = CLIPS_LIMIT_BYTES) -> None:
        self.folder = root / "references"
        self.clips = root / "encoded"
        self.clips_limit_bytes = clips_limit_bytes

    @staticmethod
    def key(**parts: Any) -> str:
        """Name of what was made from these (model, audio, prompt, settings)."""
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]

    def get(self, key: str) -> Adapter | None:
        """The adapter, or None where there is none or it is damaged (it is made again then)."""
        try:
            return Adapter.read(_path(self.folder, key))
        except ValueError:
            return None

    def put(self, key: str, adapter: Adapter) -> Path:
        """Keep an adapter.

        Raises:
            BadOutput: the folder can't be made or written.
        """
        self.prepare()
        path = _path(self.folder, key)
        adapter.save(path)
        return path

    def get_clip(self, key: str, device: torch.device) -> Clip | None:
        """The clip, or None where there is none or it is damaged."""
        path = _path(self.clips, key)
        try:
            clip = Clip.read(path, device)
        except ValueError:
            return None
        os.utime(path)  # used now: what goes first goes by this
        return clip

    def put_clip(self, key: str, clip: Clip) -> None:
        """Keep a clip, and make room for it.

        Raises:
            BadOutput: the folder can't be made or written.
        """
        _prepare(self.clips)
        clip.save(_path(self.clips, key))
        keep_newest(self.clips, self.clips_limit_bytes)

    def prepare(self) -> None:
        """See, before long work, that a reference can be kept.

        Raises:
            BadOutput: the folder can't be made or written.
        """
        _prepare(self.folder)


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadOutput(
            f"{folder}: can't be made ({error.strerror}); EUTECTIC_DATA chooses another"
        ) from None
    if not os.access(folder, os.W_OK):
        raise BadOutput(f"{folder}: can't be written; EUTECTIC_DATA chooses another")


def _path(folder: Path, key: str) -> Path:
    return folder / f"{key}.safetensors"
