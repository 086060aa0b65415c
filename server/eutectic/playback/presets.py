"""Audio presets: how `serve` opens a device, in files that people write."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from eutectic.config import MAX_VOICES
from eutectic.errors import BadSetting
from eutectic.files import toml


class AudioPreset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of a device; those left out keep their defaults."""

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
    """Read a preset by name, from the first folder that has it, or by its path.

    Raises:
        BadState: it doesn't exist, can't be read, or has an invalid value.
    """
    return toml.read(toml.find(name, folders), AudioPreset)


def override(preset: AudioPreset, **options: float | str | None) -> AudioPreset:
    """The preset with those options that aren't None.

    Raises:
        BadSetting: an option is out of range.
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return msgspec.convert(msgspec.to_builtins(preset) | given, AudioPreset)
    except msgspec.ValidationError as error:
        raise BadSetting(str(error).replace(" - at `$.", ": ").rstrip("`")) from None
