"""Python, packages, byte code, folders, limits."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from eutectic.doctor.findings import Finding, shown

LEAST_PYTHON = (3, 11)

FREE_BYTES, FEW_BYTES = 10 << 30, 1 << 30
"""Of disk space: less than the former is few for a night, less than the latter too few."""


def python() -> Finding:
    """Its version, and the system's."""
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info >= LEAST_PYTHON:
        return Finding("Python", "ok", text)
    least = ".".join(map(str, LEAST_PYTHON))
    return Finding("Python", "bad", text, f"install Python {least} or newer")


def byte_code(title: str, packages: Sequence[str]) -> Finding:
    """Whether packages are compiled; if not, each start takes seconds longer."""
    missing = [name for name in packages if not _is_compiled(name)]
    if not missing:
        return Finding(title, "ok", "compiled")
    advice = f"python -m compileall -q {' '.join(missing)}, in the folder with the packages"
    return Finding(title, "note", f"none of {', '.join(missing)}", advice)


def _is_compiled(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return False
    return Path(importlib.util.cache_from_source(spec.origin)).exists()


def folders(data: Path, paths: bool) -> list[Finding]:
    """Whether the data folder can be written, and how much room there is."""
    there = next(each for each in (data, *data.parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        advice = "set EUTECTIC_DATA to a folder that you can write to"
        return [Finding("data folder", "bad", f"{shown(data, paths)} can't be written", advice)]
    free = shutil.disk_usage(there).free
    state = "ok" if free >= FREE_BYTES else "note" if free >= FEW_BYTES else "bad"
    advice = "" if state == "ok" else "make room: ready fusions and encoded clips are kept there"
    return [
        Finding("data folder", "ok", f"{shown(data, paths)} can be written"),
        Finding("disk space", state, f"{free / 1e9:.0f} GB free", advice),
    ]


def limits() -> list[Finding]:
    """What the system allows audio threads."""
    if sys.platform != "linux":
        return []
    import resource

    _, priority = resource.getrlimit(resource.RLIMIT_RTPRIO)
    _, locked = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    advice = "add yourself to the group audio (or realtime), and log in again"
    high = priority != 0
    memory = "any" if locked == resource.RLIM_INFINITY else f"{locked / 1e6:.0f} MB"
    return [
        Finding("real-time priority", "ok" if high else "note",
                f"up to {'any' if priority < 0 else priority}", "" if high else advice),
        Finding("locked memory", "ok", memory),
    ]  # fmt: skip


def clock() -> Finding:
    """Whether it is set by others' clocks, which time tags from other machines need."""
    advice = "turn on network time, if other machines send time tags"
    if shutil.which("timedatectl") is None:
        return Finding("clock", "note", "not known here", advice)
    command = ["timedatectl", "show", "--property", "NTPSynchronized", "--value"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    if done.stdout.strip() == "yes":
        return Finding("clock", "ok", "synchronised")
    return Finding("clock", "note", "not synchronised", advice)


def ffmpeg() -> Finding:
    """Whether there is one, for formats that libsndfile doesn't read."""
    if shutil.which("ffmpeg") or importlib.util.find_spec("imageio_ffmpeg"):
        return Finding("ffmpeg", "ok", "there")
    advice = "install ffmpeg, for m4a, wma and the sound of videos"
    return Finding("ffmpeg", "note", "missing", advice)
