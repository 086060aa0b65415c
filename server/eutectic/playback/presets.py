"""Presets of audio devices: how `serve` opens one, as files that people write."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from eutectic.config import MAX_VOICES
from eutectic.errors import BadSetting
from eutectic.files import toml


class AudioPreset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of a device is asked for; what is left out is as without a preset."""

    format: int = toml.FORMAT
    description: str = ""
    device: str | None = None
    channels: Annotated[int, Meta(ge=1)] = 2
    rate: Annotated[int, Meta(ge=8000)] | None = None
    block: Annotated[int, Meta(ge=16)] = 256
    ring_ms: Annotated[float, Meta(gt=0)] = 30.0
    latency: str = "low"
    voices: Annotated[int, Meta(ge=1, le=MAX_VOICES)] = 4


def read_audio_preset(name: str, folders: tuple[Path, ...]) -> AudioPreset:
    """One by its name, the first that there is, or by its file.

    Raises:
        BadState: there is none, it can't be read, or something in it can't be.
    """
    return toml.read(toml.find(name, folders), AudioPreset)


def chosen(preset: AudioPreset, **options: float | str | None) -> AudioPreset:
    """The preset with what was chosen besides."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return msgspec.convert(msgspec.to_builtins(preset) | given, AudioPreset)
    except msgspec.ValidationError as error:
        raise BadSetting(str(error).replace(" - at `$.", ": ").rstrip("`")) from None
