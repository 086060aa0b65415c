"""What the engine's store has, as files by their keys; found without torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from eutectic.config import LearnSettings

FORMAT_OF_KEYS = 2
"""Of the names that references have, whose files may be of another format."""

Kind = Literal["clip", "reference"]
"""Encoded clips; and what was learned of references, with LoRAs among them."""

FOLDERS: Mapping[Kind, str] = {"clip": "encoded", "reference": "references"}


def stored_path(data: Path, kind: Kind, key: str) -> Path:
    """Where the store in a data folder has it."""
    return data / FOLDERS[kind] / f"{key}.safetensors"


def key_of(**parts: Any) -> str:
    """The name of what these determine (model, audio, prompt, settings)."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def reference_key(
    model: str, audio: str, prompt: str, settings: LearnSettings, capped: bool = False
) -> str:
    """The name of a learned reference, by digests of its model and of its clip's samples.

    The settings leave nothing to the model. The budget counts only where it cut steps short.
    """
    return key_of(
        format=FORMAT_OF_KEYS,
        model=model,
        audio=audio,
        prompt=prompt,
        method=settings.method,
        steps=settings.steps,
        rank=settings.rank if settings.method == "lora" else None,
        learning_rate=settings.learning_rate,
        seed=settings.seed,
        **({"budget_seconds": settings.budget_seconds} if capped else {}),
    )


def reference_keys(model: str, audio: str, prompt: str, settings: LearnSettings) -> tuple[str, ...]:
    """The names that it may have, whether or not a budget cut it short."""
    capped = (False,) if settings.budget_seconds is None else (False, True)
    return tuple(reference_key(model, audio, prompt, settings, each) for each in capped)
