"""References on disk: one safetensors file each, named by a hash of all that shaped it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from eutectic.engine.adapter import Adapter
from eutectic.errors import BadOutput


class Store:
    """Adapters by key, in a folder that is made when first written to."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "references"

    @staticmethod
    def key(**parts: Any) -> str:
        """Name of what was made from these (model, audio, prompt, settings)."""
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]

    def get(self, key: str) -> Adapter | None:
        """The adapter, or None where there is none or it is damaged (it is made again then)."""
        path = self._path(key)
        if not path.is_file():
            return None
        try:
            return Adapter.read(path)
        except ValueError:
            return None

    def prepare(self) -> None:
        """See, before long work, that its result can be kept.

        Raises:
            BadOutput: the folder can't be made or written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadOutput(
                f"{self.folder}: can't be made ({error.strerror}); EUTECTIC_DATA chooses another"
            ) from None
        if not os.access(self.folder, os.W_OK):
            raise BadOutput(f"{self.folder}: can't be written; EUTECTIC_DATA chooses another")

    def put(self, key: str, adapter: Adapter) -> Path:
        """Keep an adapter.

        Raises:
            BadOutput: the folder can't be made or written.
        """
        self.prepare()
        path = self._path(key)
        adapter.save(path)
        return path

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.safetensors"
