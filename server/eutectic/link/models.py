"""The models that a machine has, by their names: those that ship, and the user's own folders."""

from __future__ import annotations

from pathlib import Path

from eutectic.config import SHORT_NAMES, is_hub_id

SHIPPED = ("embedded", "toy")

ROOM_BYTES = 2 << 30
"""Memory that must be free beside the files of a model that is loaded while another is in use."""

LARGE_BYTES = 12 << 30
"""As much must be free for a model whose files aren't in the data folder."""


def available(data: Path) -> list[str]:
    """Names that `/model/set` takes."""
    own = sorted(each.parent.name for each in (data / "models").glob("*/model_config.json"))
    return [*SHIPPED, *(name for name in own if name not in SHIPPED)]


def folder(data: Path, model: str) -> Path | None:
    """Of a model of the user's own."""
    is_own = model in available(data)[len(SHIPPED) :]
    return data / "models" / model if is_own else None


def is_known(data: Path, model: str, started_with: str) -> bool:
    """Whether a name stands for a model, which may still have to be fetched."""
    known = (*available(data), started_with, *SHORT_NAMES)
    return model in known or is_hub_id(model)


def needed_bytes(data: Path, model: str) -> int:
    """Memory that must be free to load a model beside the one in use."""
    if model in SHIPPED:
        return ROOM_BYTES
    own = folder(data, model)
    if own is None:
        return LARGE_BYTES
    return ROOM_BYTES + sum(each.stat().st_size for each in own.iterdir())
