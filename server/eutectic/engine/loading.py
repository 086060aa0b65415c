"""Loading a model: by name, from a folder or from the Hub, checked before it is used."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from eutectic.engine import model_files, toy
from eutectic.engine.defaults import BY_OBJECTIVE
from eutectic.engine.model import CONDITIONS, Model
from eutectic.errors import BadModel


def choose_device(name: str | None = None) -> torch.device:
    """The requested device, or the best one available: cuda, mps, cpu.

    Raises:
        BadModel: the requested device isn't available.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    usable = [kind for kind, is_available in available.items() if is_available]
    if name is None:
        return torch.device(usable[0])
    if name.split(":")[0] not in usable:
        raise BadModel(f"no device {name!r} here; available: {', '.join(usable)}")
    device = torch.device(name)
    if name.startswith("cuda:"):
        torch.cuda.set_device(device)  # streams, events and graphs belong to the current device
    return device


def load(name: str = "embedded", device: torch.device | None = None) -> Model:
    """Load a model: `embedded`, `toy`, a folder, or a Hub id.

    A folder holds `model_config.json` and `model.safetensors` or `model.ckpt`.

    Raises:
        BadModel: unknown, unreachable, incomplete, or weights that don't fit the configuration.
    """
    device = device or choose_device()
    if name == "toy":
        return Model(name, toy.ToyModel(), toy.CONFIG, "toy-1", device)
    config_path, weights_path = model_files.find(name)
    config = _read_config(config_path)
    wrapper = _build(config, config_path)
    _load_weights(wrapper, weights_path)
    if name == "embedded" and device.type == "cpu":
        from eutectic.engine.embedded.kernels import use_plain_kernels

        use_plain_kernels(wrapper.model)
    return Model(name, wrapper, config, _digest(config_path, weights_path), device)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        diffusion = config["model"]["diffusion"]
        kind, network = config["model_type"], diffusion["type"]
        objective = diffusion.get("diffusion_objective", "v")
        _ = config["sample_size"] / config["sample_rate"]
        conditioning = config["model"]["conditioning"]
        required = {entry["id"] for entry in conditioning["configs"]}
        unmet = required - CONDITIONS - set(conditioning.get("default_keys", {}))
        # Weights stay in float32, and `Codec` streams: the library's own chunks don't join.
        config["model"]["pretransform"] |= {"model_half": False, "chunked": False}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise BadModel(f"{path}: not a stable-audio-tools configuration ({error})") from None
    if kind != "diffusion_cond" or network != "dit" or objective not in BY_OBJECTIVE:
        raise BadModel(f"{path}: a {kind} {network} with objective {objective} is not usable")
    if unmet:
        raise BadModel(f"{path}: a model conditioned on {', '.join(sorted(unmet))} is not usable")
    return config


def _build(config: dict[str, Any], path: Path) -> Any:
    from eutectic.engine.embedded import create_model
    from eutectic.engine.library import quiet

    try:
        with quiet():
            return create_model(config)
    except OSError:
        raise BadModel(
            f"{path}: its text encoder can't be fetched from the Hub; run once with a "
            "connection, or point HF_HOME to a folder that has it"
        ) from None
    except Exception as error:  # a wrong configuration can raise anything in the factory
        raise BadModel(f"{path}: no model can be built from it ({error})") from None


def _load_weights(wrapper: nn.Module, path: Path) -> None:
    """Load weights, all of them and of the right shape (the library's own loader skips those)."""
    from eutectic.engine.library import load_ckpt_state_dict, quiet

    try:
        with quiet():
            weights: dict[str, Tensor] = load_ckpt_state_dict(str(path))
    except Exception as error:  # a damaged file can raise anything in the readers
        raise BadModel(f"{path}: can't be read as weights ({type(error).__name__})") from None
    expected = wrapper.state_dict()
    needed = {name for name, _ in wrapper.named_parameters()}
    needed |= {name for name in expected if name.startswith("pretransform.")}
    missing = sorted(needed - weights.keys())
    if missing:
        raise BadModel(f"{path}: lacks {len(missing)} weights of its configuration: {missing[0]} …")
    for name, tensor in expected.items():
        if name in weights and weights[name].shape != tensor.shape:
            raise BadModel(
                f"{path}: {name} has shape {tuple(weights[name].shape)}, but its configuration "
                f"requires {tuple(tensor.shape)}"
            )
    wrapper.load_state_dict({n: t for n, t in weights.items() if n in expected}, strict=False)


def _digest(config: Path, weights: Path) -> str:
    """Hash of the configuration and of the weights' size, head and tail (gigabytes take long)."""
    hashed = hashlib.sha256(config.read_bytes())
    size = weights.stat().st_size
    hashed.update(str(size).encode())
    with weights.open("rb") as file:
        hashed.update(file.read(1 << 20))
        file.seek(max(0, size - (1 << 20)))
        hashed.update(file.read())
    return hashed.hexdigest()[:16]
