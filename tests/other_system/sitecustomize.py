"""A Python without what only Linux, or only Unix, has, as far as Python itself runs without it.

In every process that has this folder in its PYTHONPATH.
"""

import os
import sys

import psutil  # noqa: F401  # which uses what its own system has

MODULES = ("resource", "fcntl", "termios", "pwd", "grp", "syslog")
CALLS = (
    "fork", "nice", "setpriority", "getpriority", "posix_fallocate",
    "sched_get_priority_min", "sched_setscheduler", "sched_setaffinity", "sched_getaffinity",
    "memfd_create", "mkfifo", "killpg", "getloadavg",
)  # fmt: skip

for name in MODULES:
    sys.modules[name] = None  # type: ignore[assignment]
for name in CALLS:
    if hasattr(os, name):
        delattr(os, name)

_access = os.access


def access(path: object, mode: int, **more: object) -> bool:
    """No memory file system."""
    return not str(path).startswith("/dev/shm") and _access(path, mode, **more)  # type: ignore


os.access = access  # type: ignore[assignment]
