"""The options of fusions by name, as requests and files hold them, and as the engine's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec

from eutectic.config import Place, SamplingSettings, data_folder
from eutectic.errors import BadInput, BadSetting
from eutectic.files import toml
from eutectic.files.atomic import whole_files
from eutectic.files.shipped import presets_folder
from eutectic.files.toml import BadState
from eutectic.near import nearest
from eutectic.osc.parse import check
from eutectic.osc.request import FusionOptions
from eutectic.osc.spec import given
from eutectic.osc.table import Fuse

Options = dict[str, int | float | str]
"""Options by name, as TOML files hold them."""

SAMPLING = tuple(field.name for field in fields(SamplingSettings))
"""The options that are a sampling's settings."""


class _Preset(msgspec.Struct, frozen=True):
    """A preset's file; the rest of it is for the stage."""

    format: int
    description: str = ""
    fusion: Options = {}


def sampling(request: FusionOptions) -> SamplingSettings:
    """The sampling that a request asks for.

    Raises:
        BadSetting: two of its options exclude each other.
    """
    options = given(request)
    return SamplingSettings(**{name: options[name] for name in options if name in SAMPLING})


def place(request: FusionOptions, default: float = 0.5) -> Place:
    """Where a request puts the original; `default` is the blend if it gives none.

    Raises:
        BadSetting: it gives both a blend and the steps remaining.
    """
    blend, remaining = request.blend, request.remaining
    if blend is not None and remaining is not None:
        raise BadSetting("choose either blend or remaining")
    return Place(default if blend is None and remaining is None else blend, remaining)


def fuse_request(options: Mapping[str, int | float | str], voice: int = 1) -> Fuse:
    """The request that kept options stand for; original and reference are empty if not kept."""
    known = {name: options[name] for name in options if name in Fuse.__struct_fields__}
    values: dict[str, Any] = {"original": "", "reference": ""} | known | {"id": 0, "voice": voice}
    return Fuse(**values)


def checked(options: Mapping[str, Any]) -> Options:
    """Options of a fusion as the OSC table reads them.

    Raises:
        ValueError: one is unknown or can't be used; the text names it.
    """
    return check(Fuse.address, dict(options))


def checked_options(path: Path, tables: tuple[str, ...], options: Options) -> Options:
    """Options of fusions by name, from a file's tables, as the OSC table reads them.

    Raises:
        BadState: one is unknown or can't be used; the text names file, line and key.
    """
    found: Options = {}
    for name, value in options.items():
        try:
            found |= checked({name: value})
        except ValueError as error:
            raise toml.fault(path, tables, name, str(error)) from None
    try:
        request = fuse_request(found)
        sampling(request)
        place(request)
    except BadInput as error:
        raise toml.fault(path, tables, "", str(error)) from None
    return found


def preset_options(name: str) -> Options:
    """A preset's options of fusions, by its name or its file; the user's own come first.

    Raises:
        BadState: it is missing or not valid; the text names file, line and key.
    """
    folders = (data_folder() / "presets", presets_folder("fusions"))
    try:
        path = toml.find(name, folders)
    except BadState:
        there = sorted({each.stem for folder in folders for each in whole_files(folder, ".toml")})
        near = nearest(name, there) or f"; there are: {', '.join(there)}"
        raise BadState(f"there is no preset {name}{near}") from None
    return checked_options(path, ("fusion",), toml.read(path, _Preset).fusion)
