"""Published models: which are known, and their files fetched whole from the Hugging Face Hub.

A download that was cut off goes on where it ended. A file whose digest isn't the Hub's is deleted.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from eutectic.config import SHORT_NAMES
from eutectic.engine import model_files
from eutectic.engine.model_files import BASE, Files
from eutectic.errors import BadModel, BadOutput

SHA256_LETTERS = 64
"""Of the tags of large files on the Hub; small ones have another kind."""

_OWN = "MIT"
_COMMUNITY = (
    "Stability AI Community License: free for research, commercial use up to a yearly revenue"
)
_GEMMA = f"{_COMMUNITY}; its text encoder: Gemma Terms of Use"

# 10⁹ operations, counted by PyTorch's FLOP counter with the published configurations at 6 s.
OPEN_GFLOP = {"1.0": (309.0, 60.0), "small": (99.4, 60.0)}
"""Of an evaluation, and of decoding the first chunk."""

OPEN_EVALUATIONS = {"1.0": 202, "small": 2}
"""Until blend 0.5 is heard; 1.0 has guidance, and an order that looks back on its prefix."""

SA3_GFLOP = {"small": (128.0, 24.0), "medium": (422.0, 180.0)}
"""As of Stable Audio Open."""

SA3_EVALUATIONS = {False: 2, True: 32}
"""After blend 0.5, by whether it is a base model, which has guidance and more steps."""

SA3_BYTES = {"small": 2_270_384_940, "medium": 9_222_116_660}
"""Of the weights as published, without the text encoder."""


@dataclass(frozen=True)
class Known:
    """A model by the name that `--model` takes; `size` in bytes, None if that isn't known.

    `runs_on`: where it is fast enough to play. `gflop`: 10⁹ operations until a new fusion of 6 s at
    blend 0.5 begins, with the model's own settings (the embedded one's evaluate no network).
    """

    name: str
    what: str
    size: int | None
    licence: str
    runs_on: str
    gflop: float

    @property
    def hub_id(self) -> str | None:
        """Where it is published; None for those that ship."""
        if self.name in ("embedded", "toy"):
            return None
        return SHORT_NAMES.get(self.name, self.name)


def _stable_audio_3(name: str) -> Known:
    kind = name.removeprefix("sa3-").removesuffix(BASE)
    size = SA3_BYTES["medium" if kind == "medium" else "small"]
    what = {"small-sfx": "effects, to 2 min", "small-music": "music, to 2 min"}.get(
        kind, "music and effects, to 6 min"
    )
    if name.endswith(BASE):
        what += "; before its last training, to learn with"
    network, decoder = SA3_GFLOP["medium" if kind == "medium" else "small"]
    evaluations = SA3_EVALUATIONS[name.endswith(BASE)]
    runs_on = "GPU" if kind == "medium" or name.endswith(BASE) else "CPU, GPU"
    return Known(name, what, size, _GEMMA, runs_on, evaluations * network + decoder)


def _stable_audio_open(kind: str, what: str, runs_on: str) -> Known:
    network, decoder = OPEN_GFLOP[kind]
    gflop = OPEN_EVALUATIONS[kind] * network + decoder
    return Known(f"stabilityai/stable-audio-open-{kind}", what, None, _COMMUNITY, runs_on, gflop)


KNOWN = (
    Known("embedded", "ships: effects, to 24 s", None, _OWN, "CPU, GPU", 0.0),
    Known("toy", "ships: for tests", None, _OWN, "CPU", 0.0),
    *map(_stable_audio_3, SHORT_NAMES),
    _stable_audio_open("1.0", "effects, to 47 s", "GPU"),
    _stable_audio_open("small", "effects, to 11 s", "CPU, GPU"),
)


def size_here(name: str) -> int | None:
    """Bytes of a model's files on this machine; None if it isn't here, 0 for the toy."""
    if name == "toy":
        return 0
    found = model_files.here(name)
    if found is None:
        return None
    encoder = _encoder(found)
    folder = None if encoder is None else found.config.parent / encoder[1]
    return sum(path.stat().st_size for path in _files_of(found, folder))


def fetch(name: str, to: Path | None = None) -> list[Path]:
    """Get a model's files from the Hub, its text encoder with them, and check their digests.

    With `to`, a new folder, they are copied there: such a folder can be taken to a machine without
    a network, and is a model's name. Returns the files.

    Raises:
        BadModel: it isn't on the Hub, can't be reached, or needs its licence to be accepted first;
            or a file was damaged on its way.
        BadOutput: the folder can't be written.
    """
    if to is not None and to.exists():
        raise BadOutput(f"{to}: exists; choose a new folder")
    found = model_files.find(name)
    encoder = _encoder(found)
    folder = None if encoder is None else model_files.text_encoder(found, *encoder) / encoder[1]
    paths = _files_of(found, folder)
    damaged = [path for path in paths if not _is_whole(path)]
    for path in damaged:
        path.resolve().unlink()
        path.unlink(missing_ok=True)  # the link to it
    if damaged:
        names = ", ".join(path.name for path in damaged)
        raise BadModel(f"{names}: damaged on the way, and deleted; get {name} again")
    if to is None:
        return paths
    return _copied(paths, folder, to)


def _files_of(files: Files, encoder: Path | None) -> list[Path]:
    """Configuration, weights, and those of a text encoder's folder, if it is there."""
    inside = sorted(encoder.iterdir()) if encoder is not None and encoder.is_dir() else []
    return [files.config, files.weights, *(path for path in inside if path.is_file())]


def _encoder(files: Files) -> tuple[str | None, str] | None:
    """Repository and subfolder of a text encoder that comes with the model; None if none does."""
    try:
        config = json.loads(files.config.read_text(encoding="utf-8"))
        settings = model_files.encoder_settings(config)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return None if settings is None else (settings.get("repo_id"), settings["subfolder"])


def _is_whole(path: Path) -> bool:
    """Whether a large file of the Hub's cache has the SHA-256 that is its name there."""
    there = path.resolve()
    if len(there.name) != SHA256_LETTERS:
        return True
    with there.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == there.name


def _copied(paths: list[Path], encoder: Path | None, to: Path) -> list[Path]:
    copies: list[Path] = []
    try:
        to.mkdir(parents=True)
        for path in paths:
            inside = encoder is not None and path.parent == encoder
            copy = to / path.parent.name / path.name if inside else to / path.name
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, copy)
            copies.append(copy)
    except OSError as error:
        raise BadOutput(f"{to}: can't be written ({error.strerror})") from None
    return copies
