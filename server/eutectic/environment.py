"""Which Python runs the engine: this one where it has torch, else the one that `setup` made.

The engine's packages are large, and not to be resolved by pip; so the daemon's environment may do
without them. Of another environment only packages are used: the code is always this one's.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from hashlib import sha256
from pathlib import Path

from eutectic.errors import BadInput

VARIABLE = "EUTECTIC_ENGINE"
"""Names another folder of an environment, whoever made it."""

PACKAGES = ("torch", "torchaudio", "stable_audio_tools", "peft", "transformers", "huggingface_hub")
"""What an environment of the engine has, and that of the daemon needn't."""

PYTHON = Path("Scripts/python.exe" if os.name == "nt" else "bin/python")

LOCK = Path(__file__).with_name("engine.lock")
"""The engine's packages with their hashes, for all systems."""

MADE = "eutectic.json"
"""A file in an environment: by which lock it was made, if to its end, and for what."""

is_elsewhere = False
"""Whether `elsewhere` runs this, in another environment than its own."""

_ELSEWHERE = Path(__file__).with_name("elsewhere.py")


class NoEngine(BadInput):
    """The engine's packages aren't installed."""

    code = "no_engine"


def is_here() -> bool:
    """Whether this Python has the engine's packages."""
    return all(importlib.util.find_spec(each) is not None for each in PACKAGES[:3])


def is_own() -> bool:
    """Whether this Python runs the engine."""
    return not os.environ.get(VARIABLE) and is_here()


def folder() -> Path:
    """Where the engine's environment is, or would be."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).absolute()
    import platformdirs

    return Path(platformdirs.user_data_dir("eutectic", appauthor=False)) / "engine"


def made(environment: Path) -> dict[str, str]:
    """What `setup` noted of an environment that it makes or made: `lock`, `for`; else nothing."""
    try:
        noted = json.loads((environment / MADE).read_text(encoding="utf-8"))
        return {"lock": str(noted["lock"]), "for": str(noted["for"])}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def locked() -> dict[str, str]:
    """The lock's packages and versions; of several for several Pythons, the last."""
    return dict(
        re.findall(r"^([\w.-]+)==([^\s;]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    )


def lock_digest() -> str:
    """Of this version's lock."""
    return sha256(LOCK.read_bytes()).hexdigest()


def command(module: str) -> list[str]:
    """Command line, without arguments, of one of this package's modules where torch is.

    Raises:
        NoEngine: nowhere is.
    """
    if is_own():
        return [sys.executable, "-m", module]
    python, found = folder() / PYTHON, made(folder())
    is_others = bool(os.environ.get(VARIABLE)) and not found
    if not python.exists() or not (found or is_others):
        raise NoEngine("no engine is installed; this installs it: eutectic setup")
    if found and not found["lock"]:
        raise NoEngine("the engine is installed in part; this goes on with it: eutectic setup")
    if found and found["lock"] != lock_digest():
        raise NoEngine("the engine is that of another version; this updates it: eutectic setup")
    return [str(python), "-P", str(_ELSEWHERE), module]
