"""Files in the system's memory file system, which name the process that made them."""

from __future__ import annotations

import itertools
import os
import tempfile
from pathlib import Path

import psutil

SHARED = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else Path(tempfile.gettempdir())
"""The system's memory file system; elsewhere its temporary folder."""

PREFIX = "eutectic-"
"""Of all files there; then comes the process that made them."""

_numbers = itertools.count()


def new_path() -> Path:
    """A name in the memory file system that tells whose it is."""
    return SHARED / f"{PREFIX}{os.getpid()}-{next(_numbers)}"


def sweep(of_pid: int | None = None) -> None:
    """Unlink the shared memory of one process, or of all that are no more."""
    for path in SHARED.glob(f"{PREFIX}*-*"):
        owner = path.name.removeprefix(PREFIX).split("-")[0]
        if not owner.isdigit():
            continue
        gone = int(owner) == of_pid if of_pid else not psutil.pid_exists(int(owner))
        if gone:
            path.unlink(missing_ok=True)
