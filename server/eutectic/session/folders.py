"""Which files clients may name: read under some folders, written under one, never replaced."""

from __future__ import annotations

import contextlib
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

from eutectic.errors import BadInput, BadOutput, NoFile
from eutectic.files import names
from eutectic.near import nearest

MOST_LISTED = 256
"""Files of a folder among which near names are looked for."""


def uploads_folder(data: Path) -> Path:
    """Where sounds are kept that browsers send."""
    return data / "uploads"


class BadPath(BadInput):
    """A path outside the folder that it must be in."""

    code = "bad_path"


@dataclass(frozen=True)
class Folders:
    """Folders by what may be done in them; all absolute.

    Attributes:
        clips: are read; of several files of one name, the first folder's is meant.
        renders: is written, and read.
        shipped: clips that ship, read.
        home: read by the absolute paths of this machine's own clients.
        loras: LoRA files that were added, read.
    """

    clips: tuple[Path, ...]
    renders: Path
    shipped: Path | None = None
    home: Path | None = None
    loras: Path | None = None

    @property
    def read(self) -> tuple[Path, ...]:
        """Where files are looked for by their names."""
        more = (folder for folder in (self.shipped, self.loras) if folder is not None)
        return (*self.clips, self.renders, *more)

    def to_read(self, name: str, local: bool = False) -> Path:
        """An existing file; links are followed.

        `local`: for a client on this machine, or a file of its user's.

        Raises:
            BadPath: it is outside the folders that are read.
            NoFile: it is inside, and there is no such file.
        """
        name = _without_volume(name)
        roots = self.read
        if local and self.home is not None:
            name = re.sub("^~(?=/)", str(self.home), name)
            roots = (*roots, self.home) if Path(name).is_absolute() else roots
        inside = [path for root in roots for path in [_resolved(root / name)]
                  if path.is_relative_to(root.resolve())]  # fmt: skip
        if not inside:
            folders = ", ".join(map(str, roots))
            raise BadPath(f"{name}: is not under {folders} (serve --clips names others)")
        for path in inside:
            if _exists(path):
                return path
        raise NoFile(f"{name}: no such file{_near(inside, name)}")

    def shown(self, path: Path) -> str:
        """A path as clients would name it."""
        for folder in self.read:
            if path.is_relative_to(folder):
                return path.relative_to(folder).as_posix()
        return path.as_posix()

    def to_write(self, name: str, formats: tuple[str, ...] = (".wav",)) -> Path:
        """A new file under `renders`; its name ends with one of `formats`, or gets the first.

        Raises:
            BadPath: it is outside, or its name ends otherwise.
            BadOutput: it exists, or its folder can't be created.
        """
        path = _resolved(self.renders / _without_volume(name))
        if not path.is_relative_to(self.renders.resolve()):
            raise BadPath(f"{name}: is not under {self.renders} (serve --renders names another)")
        if not path.suffix:
            path = path.with_suffix(formats[0])
        if path.suffix.lower() not in formats:
            raise BadPath(f"{name}: is written as {' or '.join(formats)}")
        check_free(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadOutput(f"{path.parent}: can't be created ({error.strerror})") from None
        return path


def free_name(stem: str, folder: Path) -> str:
    """A WAV file's name that is free in a folder: the stem, with a number where that is taken."""
    for number in itertools.count(1):
        name = f"{stem}.wav" if number == 1 else f"{stem}-{number}.wav"
        if not (folder / name).exists():
            return name
    raise AssertionError


def check_free(path: Path) -> None:
    """Check that a path is free.

    Raises:
        BadOutput: something exists there.
    """
    try:
        taken = names.found(path)
        taken.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise BadOutput(f"{path}: can't be written ({error.strerror})") from None
    raise BadOutput(f"{path}: exists; choose another name")


def _without_volume(name: str) -> str:
    """Max names a volume first: "Macintosh HD:/…"."""
    return re.sub(r"^[^/:]{2,}:(?=/)", "", name)


def _resolved(path: Path) -> Path:
    """Where a path leads, in whatever form its names are stored; all links are followed."""
    try:
        return names.found(path).resolve()
    except OSError as error:  # no permission, a name that is too long
        raise BadPath(f"{path}: can't be resolved ({error.strerror})") from None
    except RuntimeError:
        raise BadPath(f"{path}: can't be resolved (its links lead in a circle)") from None
    except ValueError as error:  # a null character
        raise BadPath(f"{path}: can't be resolved ({error})") from None


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise BadPath(f"{path}: can't be read ({error.strerror})") from None
    return True


def _near(paths: list[Path], name: str) -> str:
    """Near names in the folders that were searched, and these."""
    folders = dict.fromkeys(path.parent for path in paths)
    there: list[str] = []
    for folder in folders:
        with contextlib.suppress(OSError):
            there += [
                names.text(each.name) for each in itertools.islice(folder.iterdir(), MOST_LISTED)
            ]
    near, searched = nearest(Path(name).name, there), ", ".join(map(str, folders))
    return f"{near} Looked in {searched}" if near else f"; looked in {searched}"
