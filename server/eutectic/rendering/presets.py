"""Fusions' presets as renders use them: of their files, what concerns fusions alone."""

from __future__ import annotations

import msgspec

from eutectic.config import data_folder
from eutectic.files import toml
from eutectic.files.shipped import presets_folder
from eutectic.files.toml import BadState
from eutectic.fusion_options import Options, checked_options
from eutectic.near import nearest


class _Preset(msgspec.Struct, frozen=True):
    """The rest of such a file is for the stage."""

    format: int
    description: str = ""
    fusion: Options = {}


def preset_options(name: str) -> Options:
    """A preset's options of fusions, by its name or its file; the user's own come first.

    Raises:
        BadState: it is missing or not valid; the text names file, line and key.
    """
    folders = (data_folder() / "presets", presets_folder("fusions"))
    try:
        path = toml.find(name, folders)
    except BadState:
        there = sorted({each.stem for folder in folders for each in folder.glob("*.toml")})
        near = nearest(name, there) or f"; there are: {', '.join(there)}"
        raise BadState(f"there is no preset {name}{near}") from None
    return checked_options(path, ("fusion",), toml.read(path, _Preset).fusion)
