"""The model that ships: a transform codec under a small diffusion transformer.

`create_model` builds it, and any other model in stable-audio-tools' format, from its
configuration. `eutectic.training` trains it.
"""

import copy
from pathlib import Path
from typing import Any

import torch

from eutectic.engine.embedded.prompt import WordConditioner
from eutectic.engine.embedded.transform import TransformCodec
from eutectic.engine.library import (
    ConditionedDiffusionModelWrapper,
    Conditioner,
    MultiConditioner,
    create_model_from_config,
)

__all__ = ["FOLDER", "ConditionedDiffusionModelWrapper", "create_model"]

FOLDER = Path(__file__).parent
"""The folder of the shipped model's model_config.json and model.safetensors."""

PRETRANSFORM_TYPE = "eutectic_transform"
CONDITIONER_TYPE = "eutectic_words"


def create_model(config: dict[str, Any]) -> ConditionedDiffusionModelWrapper:
    """Build the model of a stable-audio-tools configuration, with untrained weights.

    stable-audio-tools' factory builds everything but this package's own codec and prompt
    encoder, which it doesn't know: they are removed from the configuration and attached after.

    Raises:
        ValueError: the configuration is not that of a conditioned diffusion model.
    """
    config = copy.deepcopy(config)
    model_config = config["model"]
    codec = _take_codec(model_config)
    prompts = _take_prompt_encoders(model_config)
    model = create_model_from_config(config)
    if not isinstance(model, ConditionedDiffusionModelWrapper):
        raise ValueError(
            f"model_type {config['model_type']!r} is not a conditioned diffusion model"
        )
    if codec is not None:
        model.pretransform = codec
        model.min_input_length *= codec.downsampling_ratio
    if prompts:
        _attach(model.conditioner, prompts)
    return model


def _take_codec(model_config: dict[str, Any]) -> TransformCodec | None:
    """Remove our codec from the configuration, if it is there, and build it."""
    if model_config.get("pretransform", {}).get("type") != PRETRANSFORM_TYPE:
        return None
    codec = TransformCodec(**model_config.pop("pretransform").get("config", {}))
    codec.eval().requires_grad_(False)
    return codec


def _take_prompt_encoders(model_config: dict[str, Any]) -> dict[str, tuple[int, Conditioner]]:
    """Remove our prompt encoders from the configuration; each with its position, by id."""
    conditioning = model_config.get("conditioning", {})
    encoders: dict[str, tuple[int, Conditioner]] = {}
    for place, entry in enumerate(list(conditioning.get("configs", []))):
        if entry["type"] == CONDITIONER_TYPE:
            settings = {"output_dim": conditioning["cond_dim"], **entry.get("config", {})}
            encoders[entry["id"]] = (place, WordConditioner(**settings))
            conditioning["configs"].remove(entry)
    return encoders


def _attach(multi: MultiConditioner, encoders: dict[str, tuple[int, Conditioner]]) -> None:
    """Insert the prompt encoders where the configuration lists them."""
    ordered = list(multi.conditioners.items())
    for name, (place, encoder) in encoders.items():
        ordered.insert(place, (name, encoder))
    multi.conditioners = torch.nn.ModuleDict(dict(ordered))
