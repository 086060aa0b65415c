"""Loading a model: built from its configuration, its weights read, checked before it is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from eutectic.engine import checks, model_files, toy
from eutectic.engine.codec import Codec
from eutectic.engine.defaults import BY_FORMAT
from eutectic.engine.model import CONDITIONS, Model
from eutectic.engine.model_files import Files
from eutectic.engine.precision import has_native_bfloat16
from eutectic.engine.weights import read_weights
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


def load_for_use(name: str, compute: str | None) -> Model:
    """A model as the daemon and commands use it: in bfloat16 where that is fast, no denormals.

    Raises:
        BadModel: as `load`, or the requested device isn't available.
    """
    torch.set_flush_denormal(True)  # near silence they would take three times as long
    model = load(name, choose_device(compute))
    model.bfloat16 = has_native_bfloat16(model.device)
    checks.check_network(model)  # in that precision, and so that all has run once
    return model


def load(name: str = "embedded", device: torch.device | None = None) -> Model:
    """Load a model: `embedded`, `toy`, a folder, a Hub id, or the short name of one.

    A folder holds `model_config.json` and `model.safetensors` or `model.ckpt`; of Stable Audio 3
    its text encoder, too.

    Raises:
        BadModel: unknown, unreachable, incomplete, weights that don't fit the configuration, or
            one that computes nonsense here (see `checks`).
    """
    device = device or choose_device()
    if name == "toy":
        return Model(name, toy.ToyModel(), toy.CONFIG, "toy-1", device)
    files = model_files.find(name)
    config = _read_config(files.config)
    wrapper = _build(config, files)
    _load_weights(wrapper, files.weights)
    if name == "embedded":
        if device.type == "cpu":
            from eutectic.engine.embedded.kernels import use_plain_kernels

            use_plain_kernels(wrapper.model)
        return Model(name, wrapper, config, files.digest, device, files)
    return _checked(name, wrapper, config, files, device)


def _checked(
    name: str, wrapper: Any, config: dict[str, Any], files: Files, device: torch.device
) -> Model:
    """The model, once it has been found to work on the device."""
    from eutectic.engine.library import quiet

    on_cpu = None
    if device.type != "cpu":
        codec = Codec(wrapper.pretransform, wrapper.sample_rate, torch.device("cpu"))
        on_cpu = checks.round_trip(codec)
    model = Model(name, wrapper, config, files.digest, device, files)
    try:
        with quiet():
            checks.check(model, on_cpu)
    except RuntimeError as error:  # shapes that don't fit, or what this device can't compute
        reason = str(error).splitlines()[0]
        raise BadModel(f"{name}: can't be evaluated on {device.type} ({reason})") from None
    return model


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        diffusion = config["model"]["diffusion"]
        kind, network = config["model_type"], diffusion["type"]
        objective = diffusion.get("diffusion_objective", "v")
        _ = config["sample_size"] / config["sample_rate"]
        conditioning = config["model"]["conditioning"]
        takes_audio = bool(diffusion.get("input_concat_ids"))
        required = {entry["id"] for entry in conditioning["configs"]}
        unmet = required - CONDITIONS - set(conditioning.get("default_keys", {}))
        # Weights stay in float32, and `Codec` streams: the library's own chunks don't join.
        config["model"]["pretransform"] |= {"model_half": False, "chunked": False}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise BadModel(f"{path}: not a stable-audio-tools configuration ({error})") from None
    if network != "dit" or (kind, objective) not in BY_FORMAT:
        raise BadModel(f"{path}: a {kind} {network} with objective {objective} is not usable")
    if takes_audio:
        raise BadModel(f"{path}: models that also take audio as input are not usable")
    if unmet:
        raise BadModel(f"{path}: a model conditioned on {', '.join(sorted(unmet))} is not usable")
    return config


def _build(config: dict[str, Any], files: Files) -> Any:
    from eutectic.engine.embedded import create_model
    from eutectic.engine.library import quiet

    placed = _place_text_encoder(config, files)
    try:
        with quiet():
            return create_model(config)
    except OSError as error:
        if placed:
            reason = str(error).splitlines()[0]
            raise BadModel(f"{placed}: the text encoder can't be loaded ({reason})") from None
        raise BadModel(
            f"{files.config}: its text encoder can't be fetched from the Hub; run once with a "
            "connection, or point HF_HOME to a folder that has it"
        ) from None
    except Exception as error:  # a wrong configuration can raise anything in the factory
        raise BadModel(f"{files.config}: no model can be built from it ({error})") from None


def _place_text_encoder(config: dict[str, Any], files: Files) -> Path | None:
    """Have a text encoder that comes with the model loaded from its files; returns where it is.

    Raises:
        BadModel: there is none, or it is of another width than the library reads.
    """
    settings = model_files.encoder_settings(config)
    if settings is None:
        return None
    repository, subfolder = settings.pop("repo_id", None), settings["subfolder"]
    folder = model_files.text_encoder(files, repository, subfolder)
    settings["model_path"] = str(folder)
    _check_width(folder / subfolder / "config.json")
    return folder / subfolder


def _check_width(path: Path) -> None:
    from eutectic.engine.library import T5GemmaConditioner

    try:
        width = json.loads(path.read_text(encoding="utf-8"))["encoder"]["hidden_size"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadModel(f"{path}: not a T5Gemma text encoder ({error})") from None
    (wanted,) = T5GemmaConditioner.T5GEMMA_MODEL_DIMS.values()
    if width != wanted:
        raise BadModel(f"{path}: a wrong text encoder: {width} wide, {wanted} is needed")


def _load_weights(wrapper: nn.Module, path: Path) -> None:
    """Load weights, all of them and of the right shape (the library's own loader skips those)."""
    weights = read_weights(path)
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
