"""Which files clients may name: read under one folder, written under another, never replaced."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from eutectic.errors import BadInput, BadOutput


class BadPath(BadInput):
    """A path outside the folder that it must be in."""

    code = "bad_path"


@dataclass(frozen=True)
class Folders:
    """`clips` is read, `renders` is written, `shipped` clips are found by name. All absolute."""

    clips: Path
    renders: Path
    shipped: Path | None = None

    def to_read(self, name: str) -> Path:
        """A sound file under `clips`, or else a clip that ships; links are followed.

        Raises:
            BadPath: it is outside.
        """
        path = _inside(self.clips, name, "--clips")
        if self.shipped is None or path.exists() or name != Path(name).name:
            return path
        shipped = self.shipped / name
        return shipped if shipped.is_file() else path

    def to_write(self, name: str) -> Path:
        """A new WAV file under `renders`.

        Raises:
            BadPath: it is outside, or doesn't end in .wav.
            BadOutput: it exists, or its folder can't be created.
        """
        path = _inside(self.renders, name, "--renders")
        if not path.suffix:
            path = path.with_suffix(".wav")
        if path.suffix.lower() != ".wav":
            raise BadPath(f"{name}: sounds are written as .wav")
        check_free(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadOutput(f"{path.parent}: can't be created ({error.strerror})") from None
        return path


def check_free(path: Path) -> None:
    """Check that a path is free.

    Raises:
        BadOutput: something exists there.
    """
    if path.exists() or path.is_symlink():
        raise BadOutput(f"{path}: exists; choose another name")


def _inside(root: Path, name: str, option: str) -> Path:
    name = re.sub(r"^[^/:]{2,}:(?=/)", "", name)  # Max names a volume first: "Macintosh HD:/…"
    try:
        path = (root / name).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # circular links, or a null character
        raise BadPath(f"{name}: can't be resolved ({error})") from None
    if not path.is_relative_to(root.resolve()):
        raise BadPath(f"{name}: is not under {root} ({option} chooses another folder)")
    return path
