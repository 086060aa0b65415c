"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

from eutectic.errors import BadOutput

WRITING = ".writing-"
"""How the name of a file begins that isn't whole yet."""


@contextlib.contextmanager
def atomic_path(path: Path, private: bool = False) -> Generator[Path]:
    """A temporary path beside `path` that replaces it if the block succeeds.

    `private`: nobody but its owner may read it.

    Raises:
        BadOutput: the folder is missing, or can't be written.
    """
    try:
        if path.is_dir():
            raise BadOutput(f"{path}: is a directory")
        if not path.parent.is_dir():
            raise BadOutput(f"{path}: the folder {path.parent} does not exist")
        handle, name = tempfile.mkstemp(prefix=WRITING, suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise BadOutput(f"{path}: can't be written ({error.strerror or error})") from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        if not private:  # as it is made
            temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise BadOutput(f"{path}: can't be written ({error.strerror or error})") from None
    finally:
        temporary.unlink(missing_ok=True)


def whole_files(folder: Path, suffix: str) -> list[Path]:
    """A folder's files of this suffix, sorted.

    None of them is being written, or was when its process was killed.
    """
    return sorted(each for each in folder.glob(f"*{suffix}") if not each.name.startswith(WRITING))


def _umask() -> int:
    value = os.umask(0)
    os.umask(value)
    return value
