"""How a sound was made: all that it takes to make it again, as its file's comment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from eutectic.config import Fusing, LearnSettings, Level, Place, SamplingSettings
from eutectic.errors import BadInput
from eutectic.files import names
from eutectic.files.tags import Tags, read_comment

FORMAT = 1


def _short(path: Path) -> str:
    """An absolute path, from `~` if it is in the user's home."""
    path, home = path.absolute(), Path.home()
    short = Path("~") / path.relative_to(home) if path.is_relative_to(home) else path
    return names.text(short.as_posix())


class Section(msgspec.Struct, frozen=True, omit_defaults=True):
    """A section of a sound file, in seconds; `digest` is that of its samples, empty if unknown.

    A path in the user's home starts with `~`.
    """

    path: str
    digest: str
    start: float = 0.0
    duration: float | None = None

    @classmethod
    def of(cls, path: Path, digest: str, start: float, duration: float | None) -> Section:
        """A section, its path made short."""
        return cls(_short(path), digest, start, duration)

    @property
    def file(self) -> Path:
        """The file, as it is found on this machine."""
        return Path(self.path).expanduser()

    @property
    def stem(self) -> str:
        return Path(self.path).stem


class ModelUsed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model: its name, the digest of its weights, and where it ran, empty if unknown."""

    name: str
    digest: str
    compute: str = ""


class Learned(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a reference was learned, and the digest of what was learned, empty if unknown."""

    settings: LearnSettings
    digest: str = ""


class LoraUsed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A LoRA file, and its digest, empty if unknown; alone, it is the recipe's reference, too."""

    path: str
    digest: str = ""

    @classmethod
    def of(cls, path: Path, digest: str = "") -> LoraUsed:
        """A file, its path made short."""
        return cls(_short(path), digest)

    @property
    def file(self) -> Path:
        """The file, as it is found on this machine."""
        return Path(self.path).expanduser()


class Recipe(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fusion or morph; morphs have neither model nor sampling."""

    format: int
    version: str
    method: Fusing = "fusion"
    original: Section
    reference: Section
    prompt: str | None = None
    place: Place
    level: Level
    sampling: SamplingSettings | None = None
    learned: Learned | None = None
    lora: LoraUsed | None = None
    model: ModelUsed | None = None

    @property
    def title(self) -> str:
        """In a line, for people."""
        place = self.place
        where = f"remaining {place.remaining}" if place.blend is None else f"blend {place.blend:g}"
        made = "" if self.method == "fusion" else f", {self.method}"
        return f"{self.original.stem} + {self.reference.stem}, {where}{made}"

    @property
    def tags(self) -> Tags:
        """As a sound file has it."""
        return Tags(self.title, msgspec.json.encode({"eutectic": self}).decode())


def read_recipe(path: Path) -> Recipe:
    """How a sound file was made, by its tags.

    Raises:
        BadInput: it doesn't say, or not in a way that this version understands.
    """
    if not path.exists():
        raise BadInput(f"{path}: no such file")
    comment = read_comment(path)
    try:
        found: dict[str, Any] = msgspec.json.decode(comment)
        about: Any = found["eutectic"]
    except (msgspec.DecodeError, KeyError, TypeError):
        raise BadInput(f"{path}: has no tags that say how it was made") from None
    try:
        recipe = msgspec.convert(about, Recipe)
    except (msgspec.ValidationError, BadInput) as error:
        raise BadInput(f"{path}: its tags can't be used ({error})") from None
    if recipe.format != FORMAT:
        raise BadInput(f"{path}: was made by another version, {recipe.version}")
    return recipe
