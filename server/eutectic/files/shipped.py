"""Finds the presets that ship: inside the package in a wheel, else in the repository."""

from __future__ import annotations

from pathlib import Path

from eutectic.errors import BadInput

_PACKAGE = Path(__file__).resolve().parents[1]


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
