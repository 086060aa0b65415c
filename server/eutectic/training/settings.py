"""Settings for training the embedded model: a TOML file, overridden by options, all checked."""

import json
import math
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

from eutectic.engine.embedded import FOLDER
from eutectic.errors import BadInput, BadModel, BadSetting
from eutectic.training.recordings import check_recordings

DEFAULTS = Path(__file__).with_name("settings.toml")
"""Every setting with its meaning and default."""

FRAMES_PER_TOKEN: int = json.loads((FOLDER / "model_config.json").read_text(encoding="utf-8"))[
    "model"
]["diffusion"]["config"]["patch_size"]


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of a run; settings.toml documents them and holds the defaults.

    Raises:
        BadSetting: one is out of range.
    """

    samples: tuple[str, ...]
    out: str
    start: str
    minutes: float
    export_minutes: float
    seed: int
    scenes: int
    lengths_frames: tuple[int, ...]
    frames_per_batch: int
    learning_rate: float
    warm_up_steps: int
    ema_decay: float
    prompt_dropout: float
    word_dropout: float

    def __post_init__(self) -> None:
        if not self.samples:
            raise BadSetting("samples must be at least one folder")
        if not self.lengths_frames or min(self.lengths_frames) < 1:
            raise BadSetting("lengths_frames must be at least one number, all above 0")
        if odd := [length for length in self.lengths_frames if length % FRAMES_PER_TOKEN]:
            raise BadSetting(
                f"lengths_frames must be multiples of {FRAMES_PER_TOKEN}, the latent frames of a "
                f"token, not {odd[0]}"
            )
        for name in ("ema_decay", "prompt_dropout", "word_dropout"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadSetting(f"{name} must be 0 to 1, not {getattr(self, name):g}")
        if self.seed < 0:
            raise BadSetting(f"seed must be 0 or more, not {self.seed}")
        for name in (
            "minutes", "export_minutes", "scenes", "frames_per_batch",
            "learning_rate", "warm_up_steps",
        ):  # fmt: skip
            if not 0 < getattr(self, name) < math.inf:
                raise BadSetting(f"{name} must be above 0, not {getattr(self, name):g}")

    @property
    def scene_frames(self) -> int:
        return max(self.lengths_frames)


def read_settings(path: Path | None = None, **overrides: Any) -> TrainingSettings:
    """The defaults, overridden by a file and then by every override that isn't None.

    Raises:
        BadInput: the file can't be read, or one of its settings is unknown, of the wrong type or
            out of range; or the recordings or the weights to start from don't exist.
    """
    values = _read(DEFAULTS) | (_read(path) if path else {})
    try:
        settings = TrainingSettings(**values)
    except BadSetting as error:
        raise BadSetting(f"{path}: {error}") from None
    given = {name: value for name, value in overrides.items() if value is not None}
    settings = replace(settings, **given)
    for folder in settings.samples:
        check_recordings(Path(folder))
    if settings.start and not weights_path(settings.start).is_file():
        raise BadModel(f"{weights_path(settings.start)}: no such weights to start from")
    return settings


def _read(path: Path) -> dict[str, Any]:
    """A file's settings, each converted to its type."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: not a TOML file ({error})") from None
    kinds = {field.name: field.type for field in fields(TrainingSettings)}
    for name in table:
        if name not in kinds:
            raise BadSetting(f"{path}: {name}: no such setting")
    return {name: _as_kind(path, name, kinds[name], value) for name, value in table.items()}


def _as_kind(path: Path, name: str, kind: object, value: object) -> object:
    """Check a value against its setting's type; an integer is a number, too."""
    if kind is float and type(value) is int:
        return float(value)
    for item in (int, str):
        values = cast(list[object], value) if isinstance(value, list) else None
        if (
            kind == tuple[item, ...]
            and values is not None
            and all(type(each) is item for each in values)
        ):
            return tuple(values)
    if type(value) is kind:
        return value
    words: dict[object, str] = {
        float: "a number", int: "a whole number", str: "text in quotes",
        tuple[int, ...]: "a list of whole numbers", tuple[str, ...]: "a list of texts in quotes",
    }  # fmt: skip
    expected = words[kind]
    raise BadSetting(f"{path}: {name} must be {expected}, not {value!r}")


def weights_path(start: str) -> Path:
    """The file of the weights that the setting `start` names."""
    path = FOLDER if start == "embedded" else Path(start)
    return path / "model.safetensors" if path.is_dir() else path
