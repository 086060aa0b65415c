"""A model's files: by name, from a folder or from the Hub. They are found without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eutectic.config import is_hub_id
from eutectic.errors import BadModel

EMBEDDED = Path(__file__).with_name("embedded")
"""The folder of the model that ships."""


def check(name: str) -> None:
    """Check, as far as this machine knows, that there is such a model.

    Raises:
        BadModel: there isn't.
    """
    if name != "toy" and not _is_remote(name):
        find(name)


def find(name: str) -> tuple[Path, Path]:
    """Configuration and weights of `embedded`, a folder, or a Hub id, which is downloaded.

    A folder holds `model_config.json` and `model.safetensors` or `model.ckpt`.

    Raises:
        BadModel: unknown, unreachable or incomplete.
    """
    if _is_remote(name):
        return _from_hub(name)
    return _files_in(EMBEDDED if name == "embedded" else Path(name))


def own_settings(name: str) -> dict[str, Any]:
    """Eutectic's settings in the configuration of a model on this machine; empty if unknown."""
    found: dict[str, Any] = _config(name).get("eutectic", {})
    return found


def max_seconds(name: str) -> float | None:
    """The longest clip of a model on this machine; None if unknown."""
    config = _config(name)
    try:
        return float(config["sample_size"]) / float(config["sample_rate"])
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None


def _config(name: str) -> dict[str, Any]:
    folder = EMBEDDED if name == "embedded" else Path(name)
    try:
        config = json.loads((folder / "model_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _is_remote(name: str) -> bool:
    """Whether a name is that of a model on the Hub.

    Raises:
        BadModel: it names nothing at all.
    """
    if name == "embedded" or Path(name).is_dir():
        return False
    if is_hub_id(name):
        return True
    raise BadModel(
        f"unknown model {name!r}: use embedded, toy, a folder, or a Hub id "
        "such as stabilityai/stable-audio-open-1.0"
    )


def _files_in(folder: Path) -> tuple[Path, Path]:
    config = folder / "model_config.json"
    weights = [folder / name for name in ("model.safetensors", "model.ckpt")]
    if not config.is_file():
        raise BadModel(f"{folder}: has no model_config.json")
    for path in weights:
        if path.is_file():
            return config, path
    raise BadModel(f"{folder}: has neither model.safetensors nor model.ckpt")


def _from_hub(name: str) -> tuple[Path, Path]:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        config = Path(hf_hub_download(name, "model_config.json"))
        try:
            return config, Path(hf_hub_download(name, "model.safetensors"))
        except EntryNotFoundError:
            return config, Path(hf_hub_download(name, "model.ckpt"))
    except GatedRepoError:
        raise BadModel(
            f"{name}: accept its licence on the Hub's page, then log in with `hf auth login`"
        ) from None
    except (RepositoryNotFoundError, RemoteEntryNotFoundError):
        raise BadModel(f"{name}: the Hub has no such stable-audio-tools model") from None
    except Exception as error:  # the Hub's client raises many types when it can't connect
        raise BadModel(
            f"{name}: the Hub can't be reached ({type(error).__name__}); download the model "
            "elsewhere and pass its folder with --model DIR"
        ) from None
