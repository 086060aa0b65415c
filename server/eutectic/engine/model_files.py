"""A model's files: by name, in a folder, or on the Hugging Face Hub and in its cache.

They are found without torch. Nothing is downloaded but what `find` and `text_encoder` name; the
weights that a post-trained model was trained from are only used where they are already.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from eutectic.config import SHORT_NAMES, is_hub_id
from eutectic.errors import BadModel

CONFIG, WEIGHTS = "model_config.json", ("model.safetensors", "model.ckpt")
BASE = "-base"
"""What the name of a model's base ends with."""
EMBEDDED = Path(__file__).with_name("embedded")
"""The folder of the model that ships."""


@dataclass(frozen=True)
class Files:
    """A model's configuration and weights, and the name it is called by."""

    name: str
    config: Path
    weights: Path

    @cached_property
    def digest(self) -> str:
        """Hash of the configuration and of the weights' size, head and tail (all takes long)."""
        hashed = hashlib.sha256(self.config.read_bytes())
        size = self.weights.stat().st_size
        hashed.update(str(size).encode())
        with self.weights.open("rb") as file:
            hashed.update(file.read(1 << 20))
            file.seek(max(0, size - (1 << 20)))
            hashed.update(file.read())
        return hashed.hexdigest()[:16]


def check(name: str) -> None:
    """Check, as far as this machine knows, that there is such a model.

    Raises:
        BadModel: there isn't.
    """
    if name != "toy" and _hub_id(name) is None:
        find(name)


def find(name: str) -> Files:
    """The files of `embedded`, a folder, a Hub id or its short name, downloaded if need be.

    A folder holds `model_config.json` and `model.safetensors` or `model.ckpt`.

    Raises:
        BadModel: unknown, unreachable or incomplete.
    """
    hub_id = _hub_id(name)
    if hub_id is not None:
        return _download(hub_id)
    return find_in(EMBEDDED if name == "embedded" else Path(name))


def here(name: str) -> Files | None:
    """The files of a model, if they are on this machine.

    Raises:
        BadModel: it names nothing at all.
    """
    hub_id = _hub_id(name)
    return find(name) if hub_id is None else _cached(hub_id)


def identity(name: str) -> str:
    """What is the same for two names only if they are the same model.

    Raises:
        BadModel: it names nothing at all.
    """
    files = None if name == "toy" else here(name)
    return name if files is None else files.digest


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
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _hub_id(name: str) -> str | None:
    """The Hub id of a model by its name; None for one that is on this machine.

    Raises:
        BadModel: it names nothing at all.
    """
    if name == "embedded" or Path(name).is_dir():
        return None
    hub_id = SHORT_NAMES.get(name, name)
    if is_hub_id(hub_id):
        return hub_id
    raise BadModel(
        f"unknown model {name!r}: use embedded, toy, a folder, or a Hub id such as "
        f"stabilityai/stable-audio-open-1.0, or a short name: {', '.join(SHORT_NAMES)}"
    )


def find_in(folder: Path) -> Files:
    """The files of a folder.

    Raises:
        BadModel: one is missing.
    """
    if not (folder / CONFIG).is_file():
        raise BadModel(f"{folder}: has no {CONFIG}")
    for path in (folder / name for name in WEIGHTS):
        if path.is_file():
            return Files(str(folder), folder / CONFIG, path)
    raise BadModel(f"{folder}: has neither {' nor '.join(WEIGHTS)}")


def base_of(files: Files) -> Files:
    """The model that this one was trained from: `NAME-base`, beside it or in the Hub's cache.

    Raises:
        BadModel: it isn't on this machine.
    """
    if is_hub_id(files.name):
        name = files.name + BASE
        found = _cached(name)
        if found is None:
            raise BadModel(
                f"the weights of {name} are needed, too: get them with `hf download {name}`"
            )
        return found
    folder = Path(files.name).resolve()
    try:
        return find_in(folder.with_name(folder.name + BASE))
    except BadModel as error:
        raise BadModel(f"the weights of its base are needed, too: {error}") from None


def encoder_settings(config: dict[str, Any]) -> dict[str, Any] | None:
    """What a configuration says of a text encoder that comes with the model; None if none does."""
    for entry in config["model"]["conditioning"]["configs"]:
        settings: dict[str, Any] = entry.get("config", {})
        if entry["type"] == "t5gemma" and "subfolder" in settings:
            return settings
    return None


def text_encoder(files: Files, repository: str | None, subfolder: str) -> Path:
    """The folder with a model's text encoder in `subfolder`.

    The model's own, or else that of the model it is the base of, or else the Hub's.

    Raises:
        BadModel: there is none.
    """
    own = files.config.parent
    beside = own.with_name(own.name.removesuffix(BASE))
    for folder in (own, beside):
        if (folder / subfolder / "config.json").is_file():
            return folder
    if repository is None:
        raise BadModel(f"{own}: has no text encoder {subfolder}")
    with _explained(repository, "text encoder"):
        from huggingface_hub import snapshot_download

        folder = Path(snapshot_download(repository, allow_patterns=f"{subfolder}/*"))
    if not (folder / subfolder / "config.json").is_file():
        raise BadModel(f"{repository}: has no text encoder {subfolder}")
    return folder


def _download(name: str) -> Files:
    with _explained(name, "model"):
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError

        config = Path(hf_hub_download(name, CONFIG))
        try:
            return Files(name, config, Path(hf_hub_download(name, WEIGHTS[0])))
        except EntryNotFoundError:
            return Files(name, config, Path(hf_hub_download(name, WEIGHTS[1])))


def _cached(name: str) -> Files | None:
    from huggingface_hub import try_to_load_from_cache

    found = [try_to_load_from_cache(name, file) for file in (CONFIG, *WEIGHTS)]
    config, *weights = (Path(path) if isinstance(path, str) else None for path in found)
    path = next((each for each in weights if each is not None), None)
    return None if config is None or path is None else Files(name, config, path)


@contextlib.contextmanager
def _explained(name: str, what: str) -> Generator[None]:
    """The Hub's refusals, in one line each.

    Raises:
        BadModel: for any of them.
    """
    from huggingface_hub.errors import (
        GatedRepoError,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        yield
    except GatedRepoError:
        raise BadModel(
            f"{name}: accept its licence on the Hub's page https://huggingface.co/{name}, then "
            "log in with `hf auth login`"
        ) from None
    except (RepositoryNotFoundError, RemoteEntryNotFoundError):
        raise BadModel(f"{name}: the Hub has no such stable-audio-tools {what}") from None
    except Exception as error:  # the Hub's client raises many types when it can't connect
        raise BadModel(
            f"{name}: the Hub can't be reached ({type(error).__name__}); download the {what} "
            "elsewhere and pass its folder with --model DIR"
        ) from None
