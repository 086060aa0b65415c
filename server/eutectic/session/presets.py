"""Presets: what a fusion, a voice or a whole evening begins with, as files that people write."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from eutectic.config import LearnSettings, Method
from eutectic.errors import BadInput
from eutectic.files import toml
from eutectic.files.toml import FORMAT, BadState, stamp_of
from eutectic.osc import table as messages
from eutectic.session.kept import KeptVoice, named

Values = dict[str, Any]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,32}$")]


class PresetClip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A clip to be loaded; the path as in `/clip/load`, start and duration in seconds."""

    name: Name
    path: str
    start: Annotated[float, Meta(ge=0)] = 0.0
    duration: Annotated[float, Meta(gt=0)] | None = None


class PresetReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reference to be learned, where it isn't known from another time."""

    name: Name
    clip: Name
    prompt: Annotated[str, Meta(min_length=1)]
    steps: Annotated[int, Meta(ge=1)] | None = None
    method: Method | None = None

    @property
    def settings(self) -> LearnSettings:
        return LearnSettings(method=self.method, steps=self.steps)


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What it names is set, and nothing else: fusions' options, voices, clips, references."""

    format: int
    description: str = ""
    master_db: Annotated[float, Meta(ge=-200, le=24)] | None = None
    fusion: dict[str, int | float | str] = {}
    clips: list[PresetClip] = []
    references: list[PresetReference] = []
    voices: list[KeptVoice] = []


class Presets:
    """The user's, then those that ship; a file that changes is read anew when it is next wanted."""

    def __init__(self, own: Path, shipped: tuple[Path, ...]) -> None:
        self.own, self._folders = own, (own, *shipped)
        self._read: dict[Path, tuple[tuple[int, int], Preset]] = {}

    def path(self, name: str) -> Path:
        """The file of a name; where there is none, the one that the user's would have."""
        paths = [named(folder, name) for folder in self._folders]
        return next((path for path in paths if path.exists()), paths[0])

    def read(self, name: str) -> Preset:
        """A preset, every value of it checked.

        Raises:
            BadState: it isn't there, or something in it can't be; file, line and key are named.
        """
        path = self.path(name)
        stamp = stamp_of(path)
        known = self._read.get(path)
        if known is None or known[0] != stamp:
            known = self._read[path] = (stamp, read_preset(path))
        return known[1]

    def list(self) -> list[tuple[str, str]]:
        """Every name, and what it does, or what is wrong with it."""
        paths = {path.stem: path for folder in reversed(self._folders)
                 for path in folder.glob("*.toml")}  # fmt: skip
        listed: list[tuple[str, str]] = []
        for name in sorted(paths):
            try:
                listed.append((name, self.read(name).description))
            except BadState as error:
                listed.append((name, str(error)))
        return listed


def read_preset(path: Path) -> Preset:
    """A preset's file.

    Raises:
        BadState: as `Presets.read`.
    """
    preset = toml.read(path, Preset)
    checked = _checked(path, ("fusion",), "/fuse", preset.fusion)
    voices = [
        msgspec.structs.replace(
            voice, request=_checked(path, (f"voices[{n}]", "request"), "/fuse", voice.request)
        )
        for n, voice in enumerate(preset.voices)
    ]
    return msgspec.structs.replace(preset, format=FORMAT, fusion=checked, voices=voices)


def _checked(path: Path, tables: tuple[str, ...], address: str, values: Values) -> Values:
    """Options by name, as the OSC table reads them."""
    checked: Values = {}
    for name, value in values.items():
        try:
            checked |= messages.check(address, {name: value})
        except ValueError as error:
            raise toml.fault(path, tables, name, str(error)) from None
    try:
        messages.sampling(checked)
        if "blend" in checked and "remaining" in checked:
            messages.place(checked)
    except BadInput as error:
        raise toml.fault(path, tables, "", str(error)) from None
    return checked
