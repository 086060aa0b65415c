"""Files in the system's memory file system, named after the process that created them."""

from __future__ import annotations

import itertools
import os
import tempfile
from pathlib import Path

import psutil

SHARED = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else Path(tempfile.gettempdir())
"""The memory file system, or the temporary folder where there is none."""

PREFIX = "eutectic-"
"""Of all our files there; the creator's process id follows."""

_numbers = itertools.count()


def new_path() -> Path:
    """A new path in the memory file system, with this process's id."""
    return SHARED / f"{PREFIX}{os.getpid()}-{next(_numbers)}"


def reserve(path: Path, size: int) -> None:
    """Make a file of so many bytes, all of which there are.

    Raises:
        OSError: there aren't, and no file is left; or there is one already.
    """
    with path.open("xb") as file:
        try:
            if hasattr(os, "posix_fallocate"):  # else a full memory kills the writer
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
        except OSError:
            path.unlink()
            raise


def sweep(of_pid: int | None = None) -> None:
    """Unlink the shared memory of one process, or of all that no longer run."""
    for path in SHARED.glob(f"{PREFIX}*-*"):
        owner = path.name.removeprefix(PREFIX).split("-")[0]
        if not owner.isdigit():
            continue
        gone = int(owner) == of_pid if of_pid else not psutil.pid_exists(int(owner))
        if gone:
            path.unlink(missing_ok=True)
