"""The engine, looked at by the Python that has its packages: torch, its device, models, byte code.

Run as a program it prints its findings as JSON: see `doctor.engine`.
"""

from __future__ import annotations

import sys
import tempfile
from importlib import metadata
from pathlib import Path

import msgspec

from eutectic import environment
from eutectic.doctor.findings import Finding
from eutectic.doctor.machine import byte_code
from eutectic.errors import BadInput

OWN = ("huggingface-hub", "peft", "stable-audio-tools", "torch", "torchaudio", "transformers")
"""Packages that the engine itself imports."""

COMPILED = ("torch", "stable_audio_tools")
"""Packages that are slow to import without byte code."""


def engine(compute: str | None) -> list[Finding]:
    """Load the model that ships, with all its checks, and fuse with it."""
    import torch

    from eutectic.engine.engine import Engine
    from eutectic.engine.expected import first_sound_seconds
    from eutectic.engine.loading import choose_device, load
    from eutectic.engine.precision import has_native_bfloat16
    from eutectic.engine.store import Store

    try:
        device = choose_device(compute)
        model = load("embedded", device)
    except BadInput as error:
        return [Finding("model", "bad", str(error), "try --compute cpu")]
    model.bfloat16 = half = has_native_bfloat16(device)
    with tempfile.TemporaryDirectory() as folder:
        seconds = first_sound_seconds(Engine(model, Store(Path(folder))), recall=0.0)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
    precision = "bfloat16" if half else "float32"
    return [
        Finding("torch", "ok", f"{torch.__version__} on {name}{threads}, {precision}"),
        Finding("model", "ok", f"embedded, {model.digest[:12]}: its checks pass; a new fusion by "
                f"its network begins after {seconds:.2g} s"),
    ]  # fmt: skip


def models() -> Finding:
    """Which of the known models are on this machine."""
    from eutectic.engine.fetching import KNOWN, size_here

    here = [each.name for each in KNOWN if size_here(each.name) is not None]
    return Finding("models here", "ok", ", ".join(here))


def packages() -> Finding:
    """Whether the engine's packages are those of the lock."""
    locked = environment.locked()
    there = {name: _version(name) for name in OWN}
    wrong = [f"{name} {there[name] or 'missing'} instead of {locked[name]}"
             for name in OWN if there[name].partition("+")[0] != locked[name]]  # fmt: skip
    if wrong:
        advice = "install them again: eutectic setup, or in a checkout make setup"
        return Finding("packages", "bad", ", ".join(wrong), advice)
    return Finding("packages", "ok", ", ".join(f"{name} {locked[name]}" for name in OWN))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def main() -> None:
    compute = sys.argv[1] if len(sys.argv) > 1 else None
    findings = [packages(), byte_code("engine's byte code", COMPILED), models(), *engine(compute)]
    sys.stdout.buffer.write(msgspec.json.encode(findings))


if __name__ == "__main__":
    main()
