"""Files by their names as people and clients write them.

The same name can be stored in several ways: "é" as one character or as two (Unicode's normal forms;
macOS and Linux differ), a space that isn't the space bar's, bytes of an older encoding. Names are
text everywhere in this program; only here they become what the disk has.
"""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from typing import Literal

from eutectic.near import nearest

Form = Literal["NFC", "NFKC"]

OLD_ENCODING = "cp1252"
"""Of bytes that aren't UTF-8; OSC strings are read in the same way."""


def text(path: Path | str) -> str:
    """A path as text that every encoding and file can hold."""
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:
        parts = os.fsencode(path).split(b"/")
        return "/".join(_decoded(part) for part in parts)
    return os.fspath(path)


def words(path: Path | str) -> str:
    """The words of a file's name, without its suffix: the prompt where none is given."""
    return Path(path).stem.replace("_", " ").replace("-", " ")


def found(path: Path) -> Path:
    """The path of what is there under this name, in whatever form; the path itself if nothing is.

    The form that is asked for comes first, then the other normal forms, then what only looks alike
    (compatibility forms: special spaces, ligatures), if there is one such name alone.

    Raises:
        OSError: a folder on the way can't be read, or a name is too long.
    """
    if _is_there(path):
        return path
    there = Path(path.anchor)
    for part in path.parts[1 if path.anchor else 0 :]:
        there = there / (part if _is_there(there / part) else _alike(there, part))
    return there


def missing(path: Path) -> str:
    """That there is no such file, and what may have been meant."""
    if not path.parent.is_dir():
        return f"{path}: no such file; there is no folder {path.parent}"
    try:
        there = os.listdir(path.parent)  # noqa: PTH208
    except OSError:
        there = []
    if path.name in there:
        return f"{path}: is a link to a file that isn't there"
    return f"{path}: no such file{nearest(path.name, there)}"


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _alike(folder: Path, name: str) -> str:
    """The name in a folder that means the same."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return name
    forms: tuple[Form, ...] = ("NFC", "NFKC")
    for form in forms:
        same = [each for each in names if _normal(each, form) == _normal(name, form)]
        if len(same) == 1 or (same and form == "NFC"):
            return same[0]
    return name


def _normal(name: str, form: Form) -> str:
    return unicodedata.normalize(form, text(name))


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode(OLD_ENCODING, "replace")
