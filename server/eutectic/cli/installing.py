"""Finds the shipped patches and presets, and installs them into Pd's and Max's folders.

No user's work is lost: a list of the installed files' hashes lies beside them, so that a later
version replaces only files that are unchanged. If one was changed, the whole folder is left alone;
if it is to be replaced all the same, the changed files are first moved to a backup.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from eutectic.cli.outputs import writable
from eutectic.errors import BadInput
from eutectic.files.atomic import atomic_path
from eutectic.files.shipped import presets_folder

LIST_NAME = ".eutectic-files.json"
MAX_VERSIONS = ("Max 9", "Max 8")
NAMED = 3
"""How many changed files are listed by name."""


@dataclass(frozen=True)
class Target:
    """A program, the folder to copy for it, and where to."""

    program: str
    source: Path
    folder: Path


@dataclass(frozen=True)
class Outcome:
    """How many files were written, and which the user had changed (relative to the folder).

    If files were changed and `kept` is None, nothing was written; otherwise `kept` is the folder
    that they were moved to.
    """

    written: int
    changed: tuple[Path, ...] = ()
    kept: Path | None = None

    @property
    def left_alone(self) -> bool:
        return bool(self.changed) and self.kept is None

    def in_words(self) -> str:
        """The outcome in one line."""
        names = ", ".join(each.as_posix() for each in self.changed[:NAMED])
        if len(self.changed) > NAMED:
            names += f" and {len(self.changed) - NAMED} more"
        if self.left_alone:
            return f"left alone, as you changed {names}; --force replaces it all"
        text = "up to date"
        if self.written:
            text = f"{self.written} file{'s' if self.written > 1 else ''} written"
        return text if self.kept is None else f"{text}; your version of {names} is in {self.kept}"


def shipped_folders() -> dict[str, Path]:
    """The folders that ship with Eutectic, by what they are for.

    Raises:
        BadInput: they are missing.
    """
    presets = presets_folder("clips").parent
    bridge = presets.parent / "plugin_bridge"
    if not bridge.is_dir():
        raise BadInput("the patches that ship with Eutectic are missing: install it again")
    return {
        "Pure Data": bridge / "pd", "Max": bridge / "max", "tablet": bridge / "tablet",
        "presets": presets,
    }  # fmt: skip


def standard_targets(documents: Path, home: Path, platform: str = sys.platform) -> list[Target]:
    """Where Pd and Max look for users' additions on this system; Max only if it has run here.

    Raises:
        BadInput: what ships is missing.
    """
    shipped = shipped_folders()
    own = documents / "Pd" / "externals"  # made by Pd on request, and searched first
    if platform == "darwin":
        usual = home / "Library" / "Pd"
    elif platform == "win32":
        usual = Path(os.environ.get("APPDATA", home / "AppData" / "Roaming")) / "Pd"
    else:
        usual = home / ".local" / "lib" / "pd" / "extra"
    pd = own if own.is_dir() else usual
    targets = [Target("Pure Data", shipped["Pure Data"], pd / "eutectic")]
    if platform in ("darwin", "win32"):
        targets += [
            Target(name, _package(shipped["Max"]), documents / name / "Packages" / "Eutectic")
            for name in MAX_VERSIONS if (documents / name).is_dir()
        ]  # fmt: skip
    return targets


def targets_under(folder: Path) -> list[Target]:
    """A subfolder for each program under this folder.

    Raises:
        BadInput: what ships is missing.
    """
    shipped = shipped_folders()
    return [
        Target("Pure Data", shipped["Pure Data"], folder / "pd" / "eutectic"),
        Target("Max", _package(shipped["Max"]), folder / "max" / "Eutectic"),
    ]


def _package(source: Path) -> Path:
    """The Max package, which is either the folder itself or inside it."""
    return next((found.parent for found in sorted(source.glob("*/package-info.json"))), source)


def install(target: Target, backups: Path, force: bool = False) -> Outcome:
    """Copy what ships for a program to its folder.

    Raises:
        BadInput: nothing ships for it.
        BadOutput: the folder can't be written.
    """
    files = _files(target.source)
    if not files:
        raise BadInput(f"{target.source}: holds nothing for {target.program}")
    with writable(target.folder):
        if target.folder.exists() and target.folder.samefile(target.source):
            return Outcome(0)  # a link to the shipped folder
        before = _installed(target.folder)
        stale = sorted(set(before) - set(files))
        there = [name for name in (*files, *stale) if os.path.lexists(target.folder / name)]
        changed = tuple(
            name for name in there
            if _digest(target.folder / name) not in (before.get(name), files.get(name))
        )  # fmt: skip
        if changed and not force:
            return Outcome(0, changed)
        kept = _keep(target, changed, backups) if changed else None
        missing = [name for name in files if _digest(target.folder / name) != files[name]]
        for name in missing:
            _copy(target.source / name, target.folder / name)
        for name in stale:
            (target.folder / name).unlink(missing_ok=True)
        _write_list(target.folder, files)
    return Outcome(len(missing), changed, kept)


def _files(source: Path) -> dict[Path, str]:
    """The files to copy, relative to the folder, with their hashes."""
    names = sorted(each.relative_to(source) for each in source.rglob("*") if each.is_file())
    return {
        name: _digest(source / name) for name in names
        if not any(part.startswith((".", "__")) for part in name.parts)
    }  # fmt: skip


def _installed(folder: Path) -> dict[Path, str]:
    """The list of what was installed there; empty if it can't be read."""
    try:
        found = json.loads((folder / LIST_NAME).read_text())
        return {Path(name): str(digest) for name, digest in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _digest(path: Path) -> str:
    """A file's hash; empty if it isn't a file."""
    if path.is_symlink() or not path.is_file():
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _keep(target: Target, changed: tuple[Path, ...], backups: Path) -> Path:
    """Move the changed files to a new folder that the programs don't search."""
    name = f"{target.program}-{time.strftime('%Y%m%d-%H%M%S')}".replace(" ", "-")
    folder = backups / name
    number = 1
    while folder.exists():
        number += 1
        folder = backups / f"{name}-{number}"
    for each in changed:
        (folder / each).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(target.folder / each, folder / each)
    return folder


def _copy(source: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        shutil.copyfile(source, temporary)


def _write_list(folder: Path, files: dict[Path, str]) -> None:
    text = json.dumps({name.as_posix(): digest for name, digest in files.items()}, indent=1)
    (folder / LIST_NAME).write_text(text + "\n")
