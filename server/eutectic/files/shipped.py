"""Where presets that ship are: in the package in a wheel, in the repository else."""

from __future__ import annotations

from pathlib import Path

from eutectic.errors import BadInput

_PACKAGE = Path(__file__).resolve().parents[1]


def presets_folder(kind: str) -> Path:
    """The folder of `clips`, `fusions`, `sessions`, `devices` or `controllers`.

    Raises:
        BadInput: it isn't there.
    """
    for root in (_PACKAGE, _PACKAGE.parents[1]):
        folder = root / "presets" / kind
        if folder.is_dir():
            return folder
    raise BadInput("the presets that ship with Eutectic are missing: install it again")
