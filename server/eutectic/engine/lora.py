"""LoRA files of stable-audio-tools, as adapters; no code in them is run.

Eight kinds: the four low-rank methods of `adapter`, and `-xs` of each (arXiv 2405.17604), whose
file holds only the middle of U·M·Vᵀ. U and V are singular vectors of the weights that were trained
from, and are found again here.
"""

from __future__ import annotations

import hashlib
import json
import math
import pickle
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from eutectic.engine.adapter import LORA, MAGNITUDES, Adapter
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.errors import BadReference
from eutectic.files import tensors as files

SUFFIXES = (".safetensors", ".ckpt")
SMALL = "-xs"
WEIGHT = ".weight"
PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class LoraFile:
    """A file's tensors by layer and name, as it holds them.

    Attributes:
        method: that of the adapter.
        small: whether U and V are left out (`-xs`).
        scale: alpha over rank.
    """

    path: Path
    method: str
    small: bool
    scale: float
    layers: Mapping[str, Mapping[str, Tensor]]

    @property
    def kind(self) -> str:
        return self.method + SMALL * self.small

    @property
    def middle(self) -> str:
        """The tensor of a layer whose first dimension is the rank."""
        return "M_xs" if self.small else "lora_A"


def digest(path: Path, alive: Callable[[], None]) -> str:
    """Hash of a LoRA file's bytes; `alive` is called as they come.

    Raises:
        BadReference: it can't be read, or its name is not one's.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise BadReference(f"{path}: isn't a LoRA file, {' or '.join(SUFFIXES)}")
    hashed = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                hashed.update(piece)
                alive()
    except OSError as error:
        raise BadReference(f"{path}: can't be read ({error.strerror})") from None
    return hashed.hexdigest()


def read(path: Path) -> LoraFile:
    """Read a LoRA file: `.safetensors`, or `.ckpt` as far as it holds nothing but weights.

    Raises:
        BadReference: it can't be read, or isn't one.
    """
    is_checkpoint = path.suffix.lower() == ".ckpt"
    tensors, config = _checkpoint(path) if is_checkpoint else _safetensors(path)
    layers = _layers(path, tensors)
    method, small = _kind(path, config, next(iter(layers.values())))
    needed = (*(("M_xs",) if small else ("lora_A", "lora_B")), *MAGNITUDES[method])
    layers = {name: _complete(path, name, layer, needed) for name, layer in layers.items()}
    rank = _number(config, "rank") or len(next(iter(layers.values()))[needed[0]])
    alpha = _number(config, "alpha")
    return LoraFile(path, method, small, (rank if alpha is None else alpha) / rank, layers)


def adapter(
    file: LoraFile,
    shapes: Mapping[str, torch.Size],
    origin: Callable[[str], Tensor],
    about: dict[str, Any],
    watch: Watch = UNWATCHED,
) -> Adapter:
    """A file's adapter for a model.

    Args:
        shapes: of the model's weights, by name.
        origin: a weight, by name, of the model that it was trained from; for `-xs` files alone.
        about: added to the adapter's.
        watch: a checkpoint before every layer, progress after it.

    Raises:
        BadReference: it is for other layers, or other shapes, than the model has.
        Cancelled: by the watch.
    """
    _check_fits(file, shapes)
    tensors: dict[str, Tensor] = {}
    for number, (name, layer) in enumerate(file.layers.items()):
        watch.checkpoint()
        parts = dict(layer)
        if file.small:
            parts |= _unfolded(origin(name + WEIGHT), parts.pop("M_xs"))
        tensors |= {f"{name}{LORA}{part}": tensor for part, tensor in parts.items()}
        watch.progress(number + 1, len(file.layers))
    rank = max(len(layer[file.middle]) for layer in file.layers.values())
    known = {"method": file.method, "kind": file.kind, "rank": rank, "scale": file.scale}
    return Adapter(tensors, known | about)


def _safetensors(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        tensors, metadata = files.read(path, "pt")
        config = json.loads(metadata.get("lora_config", "{}"))
    except ValueError:
        raise BadReference(f"{path}: can't be read; it is damaged, or not a LoRA file") from None
    return tensors, _dictionary(config)


def _checkpoint(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise BadReference(
            f"{path}: is damaged, or holds more than weights; it isn't opened, as that could run a "
            "program in it: save it as .safetensors"
        ) from None
    except Exception as error:  # a damaged file can raise anything in torch
        raise BadReference(f"{path}: can't be read ({type(error).__name__})") from None
    whole = _dictionary(found)
    return _dictionary(whole.get("state_dict", whole)), _dictionary(whole.get("lora_config"))


def _dictionary(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(config: Mapping[str, Any], name: str) -> float | None:
    value = config.get(name)
    return float(value) if isinstance(value, int | float) and 0 <= value < math.inf else None


def _layers(path: Path, tensors: Mapping[str, Any]) -> dict[str, dict[str, Tensor]]:
    """Tensors by layer and name."""
    layers: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        name, lora, part = str(key).partition(LORA)
        if lora and isinstance(tensor, Tensor):
            if not tensor.isfinite().all():
                raise BadReference(f"{path}: {key} contains NaN or infinity")
            layers.setdefault(name, {})[part] = tensor
    if not layers:
        raise BadReference(f"{path}: holds no LoRA in stable-audio-tools' format")
    return layers


def _kind(path: Path, config: Mapping[str, Any], layer: Mapping[str, Tensor]) -> tuple[str, bool]:
    """The method, and whether U and V are left out; by a layer's tensors where it isn't said."""
    said = config.get("adapter_type")
    if said is None:
        said = "bora" if "magnitude_r" in layer else "dora" if "magnitude" in layer else "lora"
        said += SMALL * ("M_xs" in layer)
    method = str(said).removesuffix(SMALL)
    if method == "dora":  # its name before there were two
        of_columns = "magnitude" in layer and layer["magnitude"].shape[:-1] == (1,)
        method = "dora-cols" if of_columns else "dora-rows"
    if method not in MAGNITUDES:
        known = ", ".join(f"{each}[{SMALL}]" for each in MAGNITUDES)
        raise BadReference(f"{path}: is a LoRA of an unknown kind, {said}; known are {known}")
    return method, str(said).endswith(SMALL)


def _complete(
    path: Path, name: str, layer: Mapping[str, Tensor], needed: tuple[str, ...]
) -> dict[str, Tensor]:
    """What is needed of a layer; magnitudes, which older files have as a matrix, as a vector."""
    missing = [part for part in needed if part not in layer]
    if missing:
        raise BadReference(f"{path}: {name} has no {' and no '.join(missing)}")
    found = {
        part: layer[part].flatten() if part.startswith("magnitude") else layer[part]
        for part in needed
    }
    for part, tensor in found.items():
        if tensor.ndim != (1 if part.startswith("magnitude") else 2) or not tensor.numel():
            raise BadReference(f"{path}: {part} of {name} is {tuple(tensor.shape)}")
    return found


def _check_fits(file: LoraFile, known: Mapping[str, torch.Size]) -> None:
    """Check that the model has every layer, in the same shape."""
    for name, layer in file.layers.items():
        shape = known.get(name + WEIGHT)
        if shape is None:
            raise BadReference(f"{file.path}: is for another model; this one has no layer {name}")
        out, into, rank = shape[0], math.prod(shape[1:]), len(layer[file.middle])
        shapes = {"M_xs": (rank, rank), "lora_A": (rank, into), "lora_B": (out, rank)} | {
            part: (out,) if dim else (into,) for part, dim in MAGNITUDES[file.method].items()
        }
        for part, tensor in layer.items():
            if tensor.shape != shapes[part] or (file.small and rank > min(out, into)):
                raise BadReference(
                    f"{file.path}: doesn't fit this model: {part} of {name} is "
                    f"{tuple(tensor.shape)}, expected {shapes[part]}"
                )


def _unfolded(weight: Tensor, middle: Tensor) -> dict[str, Tensor]:
    """A and B of U·M·Vᵀ, U and V the first singular vectors of the weight.

    Each pair's sign is that by which the largest entry of U's column is positive.
    """
    u, _, vt = torch.linalg.svd(weight.flatten(1).float().cpu(), full_matrices=False)
    rank = len(middle)
    largest = u.abs().argmax(dim=0)
    signs = u[largest, torch.arange(u.shape[1])].sign()
    u, vt = (u * signs)[:, :rank], (signs[:, None] * vt)[:rank]
    return {"lora_A": vt, "lora_B": u @ middle.float()}
