"""LoRA files of stable-audio-tools, as adapters; no code in them is run.

Eight kinds: the four low-rank methods of `adapter`, and `-xs` of each (arXiv 2405.17604), whose
file holds only the middle of U·M·Vᵀ. U and V are singular vectors of the weights that were trained
from, and are found again here.
"""

from __future__ import annotations

import hashlib
import json
import pickle
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


@dataclass(frozen=True)
class LoraFile:
    """A file's tensors by layer and name, as it holds them.

    Attributes:
        digest: of the file's bytes.
        method: that of the adapter.
        small: whether U and V are left out (`-xs`).
        scale: alpha over rank.
    """

    path: Path
    digest: str
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


def read(path: Path) -> LoraFile:
    """Read a LoRA file: `.safetensors`, or `.ckpt` as far as it holds nothing but weights.

    Raises:
        BadReference: it can't be read, or isn't one.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise BadReference(f"{path}: isn't a LoRA file, {' or '.join(SUFFIXES)}")
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadReference(f"{path}: can't be read ({error.strerror})") from None
    is_checkpoint = path.suffix.lower() == ".ckpt"
    tensors, config = _checkpoint(path) if is_checkpoint else _safetensors(path)
    layers = _layers(path, tensors)
    method, small = _kind(path, config, next(iter(layers.values())))
    needed = (*(("M_xs",) if small else ("lora_A", "lora_B")), *MAGNITUDES[method])
    layers = {name: _complete(path, name, layer, needed) for name, layer in layers.items()}
    rank = _number(config, "rank") or len(next(iter(layers.values()))[needed[0]])
    scale = (_number(config, "alpha") or rank) / rank
    return LoraFile(path, digest, method, small, scale, layers)


def adapter(
    file: LoraFile,
    weights: Mapping[str, Tensor],
    trained_from: Callable[[], Mapping[str, Tensor]],
    about: dict[str, Any],
    watch: Watch = UNWATCHED,
) -> Adapter:
    """A file's adapter for a model's weights.

    Args:
        weights: the model's own, by name.
        trained_from: those that `-xs` files are about; called for them alone.
        about: added to the adapter's.
        watch: a checkpoint before every layer, progress after it.

    Raises:
        BadReference: it is for other layers, or other shapes, than the model has.
        Cancelled: by the watch.
    """
    _check_fits(file, weights)
    origin = trained_from() if file.small else {}
    tensors: dict[str, Tensor] = {}
    for number, (name, layer) in enumerate(file.layers.items()):
        watch.checkpoint()
        parts = dict(layer)
        if file.small:
            parts |= _unfolded(origin[name + WEIGHT], parts.pop("M_xs"))
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
    return tensors, config if isinstance(config, dict) else {}


def _checkpoint(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise BadReference(
            f"{path}: holds more than weights, and isn't opened, as that could run any program in "
            "it; save it as .safetensors"
        ) from None
    except Exception as error:  # a damaged file can raise anything in torch
        raise BadReference(f"{path}: can't be read ({type(error).__name__})") from None
    if not isinstance(found, dict):
        return {}, {}
    return found.get("state_dict", found), found.get("lora_config") or {}


def _number(config: Mapping[str, Any], name: str) -> float | None:
    value = config.get(name)
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _layers(path: Path, tensors: Mapping[str, Any]) -> dict[str, dict[str, Tensor]]:
    """Tensors by layer and name."""
    layers: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        name, lora, part = str(key).partition(LORA)
        if lora and isinstance(tensor, Tensor):
            if not tensor.isfinite().all():
                raise BadReference(f"{path}: {key} isn't finite")
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
    return {
        part: layer[part].flatten() if part.startswith("magnitude") else layer[part]
        for part in needed
    }


def _check_fits(file: LoraFile, weights: Mapping[str, Tensor]) -> None:
    """Check that the model has every layer, in the same shape."""
    for name, layer in file.layers.items():
        weight = weights.get(name + WEIGHT)
        if weight is None:
            raise BadReference(f"{file.path}: is for another model; this one has no layer {name}")
        out, into, rank = len(weight), weight[0].numel(), len(layer[file.middle])
        shapes = {"M_xs": (rank, rank), "lora_A": (rank, into), "lora_B": (out, rank)} | {
            part: (out,) if dim else (into,) for part, dim in MAGNITUDES[file.method].items()
        }
        for part, tensor in layer.items():
            if tensor.shape != shapes[part] or rank > min(out, into):
                raise BadReference(
                    f"{file.path}: is for another model; of {name}, {tuple(weight.shape)} here, "
                    f"it has {part} {tuple(tensor.shape)}"
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
