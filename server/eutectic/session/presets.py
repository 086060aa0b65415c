"""Presets: settings of fusions, voices or a whole evening, as files that people write."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from eutectic.config import MAX_STRENGTH, LearnSettings, Method
from eutectic.files import names, toml
from eutectic.files.atomic import whole_files
from eutectic.files.toml import FORMAT, BadState, stamp_of
from eutectic.fusion_options import Options, checked_options
from eutectic.near import nearest
from eutectic.session.kept import KeptVoice, Name, named


class PresetClip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A clip to load; the path as in `/clip/load`, start and duration in seconds."""

    name: Name
    path: str
    start: Annotated[float, Meta(ge=0)] = 0.0
    duration: Annotated[float, Meta(gt=0)] | None = None


class PresetReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reference to remember, and to learn unless the store has it; or a LoRA file to load.

    Without `learn` it is remembered alone, so that the engine is free for what is played.

    One with a `lora`, a path as in `/reference/load`, may have no clip, and has a strength.
    """

    name: Name
    prompt: Annotated[str, Meta(min_length=1)]
    clip: Name | None = None
    lora: str | None = None
    strength: Annotated[float, Meta(ge=0, le=MAX_STRENGTH)] = 1.0
    steps: Annotated[int, Meta(ge=1)] | None = None
    method: Method | None = None
    learn: bool = True

    @property
    def settings(self) -> LearnSettings:
        return LearnSettings(method=self.method, steps=self.steps)


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of fusions, voices, clips, references; only what it names is changed."""

    format: int
    description: str = ""
    master_db: Annotated[float, Meta(ge=-200, le=24)] | None = None
    fusion: Options = {}
    clips: list[PresetClip] = []
    references: list[PresetReference] = []
    voices: list[KeptVoice] = []


class Presets:
    """The user's own, then those that ship; a changed file is reloaded when next used."""

    def __init__(self, own: Path, shipped: tuple[Path, ...]) -> None:
        self.own, self._folders = own, (own, *shipped)
        self._read: dict[Path, tuple[tuple[int, int], Preset]] = {}
        self._listed: tuple[list[tuple[Path, tuple[int, int]]], list[tuple[str, str]]] = [], []

    def path(self, name: str) -> Path:
        """The file of a name; if there is none, the one that the user's own would have."""
        paths = [named(folder, name) for folder in self._folders]
        return next((path for path in paths if path.exists()), paths[0])

    def read(self, name: str) -> Preset:
        """A preset, every value checked.

        Raises:
            BadState: it is missing or not valid; the text names file, line and key.
        """
        path = self.path(name)
        if not path.exists():
            near = nearest(name, (each.stem for each in self._paths()))
            raise BadState(f"there is no preset {name}{near or '; /preset/list lists them'}")
        stamp = stamp_of(path)
        known = self._read.get(path)
        if known is None or known[0] != stamp:
            known = self._read[path] = (stamp, read_preset(path))
        return known[1]

    def list(self) -> list[tuple[str, str]]:
        """Every name, with its description, or what is wrong with it."""
        paths = {names.text(path.stem): path for path in self._paths()}
        stamps = [(path, stamp_of(path)) for path in paths.values()]
        if self._listed[0] == stamps:
            return self._listed[1]
        listed: list[tuple[str, str]] = []
        for name in sorted(paths):
            try:
                listed.append((name, self.read(name).description))
            except BadState as error:
                listed.append((name, names.text(str(error))))
        self._listed = stamps, listed
        return listed

    def _paths(self) -> Generator[Path]:
        """Every file; of those with the same name, the one that counts is last."""
        for folder in reversed(self._folders):
            yield from whole_files(folder, ".toml")


def read_preset(path: Path) -> Preset:
    """Read a preset's file.

    Raises:
        BadState: as `Presets.read`.
    """
    preset = toml.read(path, Preset)
    for number, each in enumerate(preset.references):
        wrong = _wrong(each)
        if wrong:
            raise toml.fault(path, (f"references[{number}]",), "name", wrong)
    checked = checked_options(path, ("fusion",), preset.fusion)
    voices = [
        msgspec.structs.replace(
            voice, request=checked_options(path, (f"voices[{n}]", "request"), voice.request)
        )
        for n, voice in enumerate(preset.voices)
    ]
    return msgspec.structs.replace(preset, format=FORMAT, fusion=checked, voices=voices)


def _wrong(reference: PresetReference) -> str:
    """What is missing in a reference, or excludes the rest; empty if nothing is."""
    if reference.lora is None:
        if reference.strength != 1:
            return f"{reference.name} has a strength, which only those with a lora have"
        return "" if reference.clip is not None else f"{reference.name} needs a clip, or a lora"
    learns = reference.steps is not None or reference.method is not None
    return f"{reference.name} has a lora, and so nothing to learn" if learns else ""
