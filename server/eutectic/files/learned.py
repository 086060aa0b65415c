"""The references that were learned on this machine, as files; found without torch."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from eutectic.errors import BadInput
from eutectic.files import tensors

DAY_SECONDS = 86_400
SHORT = 8
"""Letters of a file's name that tell it apart on the terminal."""


@dataclass(frozen=True)
class LearnedFile:
    """A reference's file: its size in bytes, when it was last used, and how it was learned.

    `about` is empty where the file is damaged.
    """

    path: Path
    size: int
    used: datetime
    about: dict[str, Any]

    @property
    def id(self) -> str:
        """What names it."""
        return self.path.stem[:SHORT]


def learned_files(folder: Path) -> list[LearnedFile]:
    """All of a folder's, the most recently used first."""
    found = [_read(path) for path in folder.glob("*.safetensors")] if folder.is_dir() else []
    return sorted(found, key=lambda each: each.used, reverse=True)


def chosen(
    found: Sequence[LearnedFile], ids: Sequence[str], unused_days: float | None
) -> list[LearnedFile]:
    """Those that are named by the beginnings of their ids and weren't used for so many days.

    Raises:
        BadInput: a name is that of none, or of several.
    """
    named = [_named(found, each) for each in dict.fromkeys(ids)] if ids else list(found)
    if unused_days is None:
        return named
    before = datetime.fromtimestamp(time.time() - unused_days * DAY_SECONDS)
    return [each for each in named if each.used < before]


def _named(found: Sequence[LearnedFile], name: str) -> LearnedFile:
    matching = [each for each in found if each.path.stem.startswith(name.lower())]
    if not name or len(matching) != 1:
        count = len(matching)
        raise BadInput(
            f"{count or 'no'} references are called {name!r}; without names all are listed"
        )
    return matching[0]


def _read(path: Path) -> LearnedFile:
    status = path.stat()
    try:
        about = json.loads(tensors.about(path).get("about", "{}"))
    except ValueError:
        about = {}
    used = datetime.fromtimestamp(status.st_mtime)
    return LearnedFile(path, status.st_size, used, about if isinstance(about, dict) else {})
