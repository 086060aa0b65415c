"""What of this machine a process may use: of a container, its limits (cgroup v2)."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")


def processors(cgroup: Path = CGROUP) -> int:
    """Processors, real ones as far as that is known; at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = [allowed or 1, psutil.cpu_count(logical=False) or allowed or 1]
    quota, _, period = _read(cgroup / "cpu.max").partition(" ")
    if quota.isdecimal() and period.isdecimal() and int(period):
        found.append(int(quota) // int(period))
    return max(1, min(found))


def available_bytes(cgroup: Path = CGROUP) -> int:
    """Memory that is free, or would be if files weren't cached."""
    available = psutil.virtual_memory().available
    most, used = _read(cgroup / "memory.max"), _read(cgroup / "memory.current")
    if most.isdecimal() and used.isdecimal():
        available = min(available, max(0, int(most) - int(used)))
    return available


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
