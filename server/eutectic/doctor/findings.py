"""What is found of a machine, a line each."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

State = Literal["ok", "note", "bad"]
"""`note`: works, but not all of it, or not at its best."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at: what was found, and what to do about it."""

    name: str
    state: State
    text: str
    advice: str = ""


def shown(path: Path, whole: bool) -> str:
    """A path for a report that others read: only its last part, unless the whole was asked for."""
    return str(path) if whole else f"…/{path.name}"
