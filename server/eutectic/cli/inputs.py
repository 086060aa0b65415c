"""The sounds that commands are given: all are checked, and every mistake named, before any work."""

from __future__ import annotations

import glob
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from eutectic.engine import model_files
from eutectic.errors import BadInput, BadInputs, BadSetting, NoFile
from eutectic.files import names

if TYPE_CHECKING:
    from eutectic.link.protocol import Source

Number = TypeVar("Number", int, float)

MORPH_MAX_SECONDS = 600.0
"""The longest sound that is morphed without a model."""


@dataclass(frozen=True)
class Sound:
    """A section of a sound file that can be used; `digest` is that of its samples."""

    path: Path
    start: float
    duration: float | None
    digest: str

    @property
    def source(self) -> Source:
        """As the engine opens it."""
        from eutectic.link.protocol import Source

        return Source(str(self.path), self.start, self.duration)


def check_model(model: str) -> float | None:
    """The longest sound that a model takes, in seconds; None if that isn't known yet.

    Raises:
        BadModel: there is no such model.
    """
    model_files.check(model)
    return model_files.max_seconds(model)


def expand(words: Iterable[str]) -> list[Path]:
    """Files by name; a pattern that the shell has left as it is stands for what it matches."""
    found: list[Path] = []
    for word in words:
        is_pattern = glob.has_magic(word) and not Path(word).exists()
        matching = sorted(glob.glob(word)) if is_pattern else []  # noqa: PTH207  # absolute, too
        found += map(Path, matching or [word])
    return found


def numbers(name: str, texts: Sequence[str], kind: Callable[[str], Number]) -> list[Number]:
    """Numbers from options that may be repeated, and hold several with commas between them.

    Raises:
        BadSetting: something else is among them.
    """
    text = ",".join(texts)
    try:
        return list(dict.fromkeys(kind(each) for each in text.split(",")))
    except ValueError:
        whole = "whole numbers" if kind is int else "numbers"
        raise BadSetting(f"{name} must be {whole}, not {text!r}") from None


def check_range(start: float, duration: float | None) -> None:
    """Check the ends of a section.

    Raises:
        BadSetting: start or duration is out of range.
    """
    if not 0 <= start < math.inf:
        raise BadSetting(f"start must be 0 or more, not {start:g}")
    if duration is not None and not 0 < duration < math.inf:
        raise BadSetting(f"duration must be more than 0, not {duration:g}")


def check_sounds(
    sections: Sequence[tuple[Path, float, float | None]], max_seconds: float | None
) -> list[Sound]:
    """Sections of sound files (path, start and duration in seconds), each read and checked.

    Raises:
        BadSetting: a start or a duration is out of range.
        BadInputs: files that can't be used.
    """
    from eutectic.audio import check_section  # imports NumPy, which --help shouldn't wait for

    for _, start, duration in sections:
        check_range(start, duration)
    sounds: list[Sound] = []
    mistakes: dict[str, BadInput] = {}
    for path, start, duration in sections:
        try:
            digest = check_section(path, start, duration, max_seconds)
            sounds.append(Sound(path, start, duration, digest))
        except NoFile:
            text = _missing(path)
            mistakes[text] = NoFile(text)
        except BadInput as error:
            mistakes[str(error)] = error
    if mistakes:
        raise BadInputs(list(mistakes.values()))
    return sounds


def _missing(path: Path) -> str:
    """Why a file isn't there, and what may have been meant."""
    if glob.has_magic(str(path)):
        return f"{path}: no such file, nor any that it matches"
    return names.missing(path)
