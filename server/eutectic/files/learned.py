"""The references that were learned on this machine, as files; found without torch."""

from __future__ import annotations

import filecmp
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from eutectic.errors import BadInput, BadOutput
from eutectic.files import tensors
from eutectic.files.atomic import whole_files

DAY_SECONDS = 86_400

LORAS = "loras"
"""Of the data folder, the folder of LoRA files that were added."""
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
    found = [_read(path) for path in whole_files(folder, ".safetensors")]
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


def lora_path(data: Path, path: Path) -> Path:
    """A LoRA file by its path, or by its name if it was added to this data folder."""
    added = data / LORAS / path.name
    return added if not path.exists() and path.parent == Path() and added.exists() else path


def free_lora(data: Path, path: Path) -> Path:
    """Where a LoRA file is copied to when it is added; it may be there already.

    Raises:
        BadInput: there is no such file.
        BadOutput: another of that name was added.
    """
    copy = data / LORAS / path.name
    try:
        if copy.exists() and not filecmp.cmp(path, copy, shallow=False):
            raise BadOutput(f"{copy}: exists, and is another; rename {path.name}")
        path.stat()
    except OSError as error:
        raise BadInput(f"{path}: can't be read ({error.strerror})") from None
    return copy
