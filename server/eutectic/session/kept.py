"""What a session keeps between nights: TOML files that people can read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import msgspec
from filelock import FileLock, Timeout
from msgspec import Meta

from eutectic.config import MAX_STRENGTH, MAX_VOICES
from eutectic.errors import BadOutput, BadSetting
from eutectic.files import toml
from eutectic.files.toml import BadState
from eutectic.link.protocol import ReferenceSpec, Source
from eutectic.osc.spec import check_title


class KeptClip(msgspec.Struct, frozen=True):
    """A clip: its file, and its key, the hash of what was in it."""

    name: str
    source: Source
    key: str
    frames: int
    rate_hz: int
    loudness_lufs: float


class KeptReference(msgspec.Struct, frozen=True):
    """A reference: everything that its file in the store is named after, if it is learned.

    `lora` is the file that it was loaded from.
    """

    name: str
    clip: str
    source: Source
    spec: ReferenceSpec = msgspec.field(name="known")
    model: str
    lora: str | None = None
    strength: float | None = None


class KeptVoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A voice's settings, and the request of its newest fusion."""

    number: Annotated[int, Meta(ge=1, le=MAX_VOICES)]
    gain_db: Annotated[float, Meta(ge=-200, le=24)] = 0.0
    pan: Annotated[float, Meta(ge=-1, le=1)] = 0.0
    output: Annotated[int, Meta(ge=1)] = 1
    loop: bool = False
    crossfade_ms: Annotated[float, Meta(ge=0, le=60_000)] = 10.0
    blend: Annotated[float, Meta(ge=0, le=1)] = 0.5
    cfg: Annotated[float, Meta(ge=0, le=30)] | None = None
    request: dict[str, int | float | str] = {}
    recall: Annotated[float, Meta(ge=0, le=1)] | None = None
    strength: Annotated[float, Meta(ge=0, le=MAX_STRENGTH)] | None = None
    mute: bool | None = None


class KeptSession(msgspec.Struct, frozen=True):
    """Everything that a restart restores.

    `recall` is the model's, if known; `fans` are the places of fans by their pairs' keys.
    """

    format: int
    model: str
    master_db: float = 0.0
    fusion: dict[str, int | float | str] = {}
    clips: list[KeptClip] = []
    references: list[KeptReference] = []
    voices: list[KeptVoice] = []
    recall: float | None = None
    fans: dict[str, list[float]] | None = None


def read(path: Path) -> KeptSession:
    """Read a session's file.

    Raises:
        BadState: it is missing or damaged; the text names the one saved before.
    """
    try:
        return toml.read(path, KeptSession)
    except BadState as error:
        before = path.with_name(path.name + "~")
        hint = f"; {before.name} was saved before it" if before.exists() else ""
        raise BadState(f"{error}{hint}") from None


def claim(path: Path) -> FileLock:
    """Reserve a session's file for this daemon.

    Raises:
        BadState: another daemon is using it.
        BadOutput: its folder can't be written.
    """
    lock = FileLock(path.with_name(path.name + ".lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise BadState(f"{path}: another daemon is using this session") from None
    except OSError as error:
        raise BadOutput(f"{path}: can't be written ({error.strerror})") from None
    return lock


def named(folder: Path, name: str) -> Path:
    """The file of a name (the OSC table checks names)."""
    return folder / f"{name}.toml"


def session_path(name: str, folder: Path) -> Path:
    """The file of a session: by its name, or by a path, which has a separator or ends in .toml.

    Raises:
        BadSetting: it is neither.
    """
    if os.sep in name or "/" in name or name.endswith(".toml"):
        return Path(name).expanduser().absolute()
    try:
        check_title(name)
    except ValueError as error:
        raise BadSetting(f"session: {error}") from None
    return named(folder, name)
