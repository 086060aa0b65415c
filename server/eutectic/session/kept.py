"""What is kept of a session between nights, and presets: TOML files that people can read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import tomli_w

from eutectic.audio import atomic_path
from eutectic.errors import BadInput, BadOutput
from eutectic.link import Known, Source

FORMAT = 1


class BadState(BadInput):
    """A session or a preset that isn't there, or can't be read."""

    code = "bad_state"


class KeptClip(msgspec.Struct, frozen=True):
    """A clip, by its file and by the hash of what was in it."""

    name: str
    source: Source
    key: str
    frames: int
    rate_hz: int
    loudness_lufs: float


class KeptReference(msgspec.Struct, frozen=True):
    """A reference, by all that its file in the store is named after."""

    name: str
    clip: str
    source: Source
    known: Known
    model: str


class KeptVoice(msgspec.Struct, frozen=True):
    """A voice's settings, and the request of its newest fusion."""

    number: int
    gain_db: float = 0.0
    pan: float = 0.0
    output: int = 1
    loop: bool = False
    crossfade_ms: float = 10.0
    blend: float = 0.5
    request: dict[str, int | float | str] = {}


class Preset(msgspec.Struct, frozen=True):
    """How all voices are set."""

    format: int
    master_db: float
    voices: list[KeptVoice] = []


class KeptSession(msgspec.Struct, frozen=True):
    """Everything that a restart brings back."""

    format: int
    model: str
    master_db: float = 0.0
    clips: list[KeptClip] = []
    references: list[KeptReference] = []
    voices: list[KeptVoice] = []


Kept = TypeVar("Kept", Preset, KeptSession)


def write(path: Path, kept: Preset | KeptSession) -> None:
    """Write it, whole or not at all; what was there before is left beside it, with a ~.

    Raises:
        BadOutput: it can't be written.
    """
    text = tomli_w.dumps(_without_none(msgspec.to_builtins(kept)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            with atomic_path(path.with_name(path.name + "~")) as before:
                before.write_bytes(path.read_bytes())
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadOutput(f"{path}: can't be written ({error.strerror})") from None


def read(path: Path, kind: type[Kept]) -> Kept:
    """Read what `write` wrote.

    Raises:
        BadState: it isn't there, or isn't that.
    """
    try:
        kept = msgspec.toml.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise BadState(f"{path}: can't be read ({error.strerror})") from None
    except (ValueError, BadInput) as error:  # not TOML, not Unicode, or not of this form
        raise BadState(f"{path}: is damaged ({error}); {path.name}~ is the one before") from None
    if kept.format != FORMAT:
        raise BadState(f"{path}: is of another version")
    return kept


def named(folder: Path, name: str) -> Path:
    """Where something of this name is kept; names are short words (the OSC table checks)."""
    return folder / f"{name}.toml"


def session_path(name: str, folder: Path) -> Path:
    """A session by its file, or one that was saved by its name."""
    return named(folder, name) if re.fullmatch(r"[A-Za-z0-9_-]+", name) else Path(name).absolute()


def _without_none(value: Any) -> Any:
    """TOML has no word for nothing: what is left out is nothing."""
    if isinstance(value, dict):
        return {name: _without_none(each) for name, each in value.items() if each is not None}
    return [_without_none(each) for each in value] if isinstance(value, list) else value
