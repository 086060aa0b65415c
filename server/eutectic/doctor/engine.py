"""The engine: torch, its device, the models that are here."""

from __future__ import annotations

import tempfile
from pathlib import Path

from eutectic.doctor.findings import Finding
from eutectic.errors import BadInput


def engine(compute: str | None) -> list[Finding]:
    """Load the model that ships, with all its checks, and fuse with it."""
    try:
        import torch
    except ImportError as error:
        advice = "set up anew: make setup"
        return [Finding("torch", "bad", f"can't be imported ({error})", advice)]
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
