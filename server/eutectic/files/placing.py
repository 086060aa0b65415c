"""Files moved to where nothing is, and back if one of them can't be."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Generator
from pathlib import Path

from eutectic.errors import BadOutput


class Placing:
    """Moves files and folders on one disk; what was moved is removed if not all could be."""

    def __init__(self) -> None:
        self._placed: list[Path] = []

    def file(self, source: Path, target: Path) -> None:
        """Move a file to a path that must be free.

        Raises:
            BadOutput: it isn't, or it can't be written.
        """
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            move(source, target)
        except FileExistsError:
            raise BadOutput(f"{target}: exists") from None
        except OSError as error:
            raise BadOutput(f"{target}: can't be written ({error.strerror})") from None
        self._placed.append(target)

    def folder(self, source: Path, target: Path) -> None:
        """Move a folder to a path that must be free.

        Raises:
            BadOutput: it isn't, or it can't be written.
        """
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                raise FileExistsError
            source.rename(target)
        except FileExistsError:
            raise BadOutput(f"{target}: exists") from None
        except OSError as error:
            raise BadOutput(f"{target}: can't be written ({error.strerror})") from None
        self._placed.append(target)

    def undo(self) -> None:
        """Remove what was placed."""
        for path in reversed(self._placed):
            with contextlib.suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextlib.contextmanager
def all_or_none() -> Generator[Placing]:
    """Place several things; if the block fails, none."""
    placing = Placing()
    try:
        yield placing
    except BaseException:
        placing.undo()
        raise


def move(source: Path, target: Path) -> None:
    """Move a file to where none is.

    Raises:
        FileExistsError: there is one.
    """
    try:
        os.link(source, target)  # the one way that never replaces anything
    except FileExistsError:
        raise
    except OSError:  # some disks have no links
        if target.exists():
            raise FileExistsError(target) from None
        source.replace(target)
    else:
        source.unlink()
