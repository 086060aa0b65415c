"""Files and folders that commands write to: what is checked before any work is done."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from pathlib import Path

from eutectic.errors import BadOutput


def check_output(path: Path, inputs: tuple[Path, ...], force: bool) -> None:
    """Check, before any work, that a file can be written without losing anything.

    Raises:
        BadOutput: it can't.
    """
    with writable(path):
        if path.is_dir():
            raise BadOutput(f"{path}: is a directory")
        if not path.parent.is_dir():
            raise BadOutput(f"{path}: the folder {path.parent} does not exist")
        if not os.access(path.parent, os.W_OK):
            raise BadOutput(f"{path}: no permission to write into {path.parent}")
        if not path.exists():
            return
        if any(path.samefile(source) for source in inputs):
            raise BadOutput(f"{path}: is one of the sounds to be fused; choose another name")
        if not force:
            raise BadOutput(f"{path}: already exists; choose another name or use --force")


def check_folder(path: Path, inputs: tuple[Path, ...], force: bool) -> None:
    """Check, before any work, that results can be written to a folder without losing anything.

    Raises:
        BadOutput: they can't.
    """
    with writable(path):
        if not path.exists():
            check_output(path, (), force)
            return
        if not path.is_dir():
            raise BadOutput(f"{path}: is not a folder")
        if any(source.absolute().parent.samefile(path) for source in inputs):
            raise BadOutput(f"{path}: holds one of the sounds to be fused; choose another folder")
        if any(path.iterdir()) and not force:
            raise BadOutput(f"{path}: is not empty; choose another folder or use --force")
        if not os.access(path, os.W_OK):
            raise BadOutput(f"{path}: no permission to write into it")


@contextlib.contextmanager
def writable(path: Path) -> Generator[None]:
    """Turn an error of the file system, such as a path that is too long, into BadOutput."""
    try:
        yield
    except OSError as error:
        raise BadOutput(f"{path}: can't be written ({error.strerror or error})") from None


def make_folder(path: Path, parents: bool = False) -> None:
    """Make a folder unless it exists, on request with its parents.

    Raises:
        BadOutput: it can't be made.
    """
    with writable(path):
        path.mkdir(parents=parents, exist_ok=True)
