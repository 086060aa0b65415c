"""Finds what ships, such as presets: inside the package in a wheel, else in the repository."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from eutectic.errors import BadInput

_PACKAGE = Path(__file__).resolve().parents[1]


def training_defaults() -> dict[str, Any]:
    """Settings of `eutectic train-embedded` where none are given."""
    text = (_PACKAGE / "training" / "settings.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def presets_folder(kind: str) -> Path:
    """The folder of `clips`, `fusions`, `sessions`, `devices` or `controllers`.

    Raises:
        BadInput: it is missing.
    """
    for root in (_PACKAGE, _PACKAGE.parents[1]):
        folder = root / "presets" / kind
        if folder.is_dir():
            return folder
    raise BadInput("the presets that ship with Eutectic are missing; reinstall it")
