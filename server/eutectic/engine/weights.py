"""Weights as their files hold them; no code in a file is run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from eutectic.engine.model_files import Files
from eutectic.errors import BadModel

NETWORK, CONDITIONER = "model.", "conditioner."
"""What the names of weights begin with in a model's file, those of its parts."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of weights; no code in it is run.

    Raises:
        BadModel: it can't be read.
    """
    from eutectic.engine.library import load_ckpt_state_dict, quiet

    try:
        with quiet():
            return load_ckpt_state_dict(str(path))
    except Exception as error:  # a damaged file can raise anything in the readers
        raise BadModel(f"{path}: can't be read as weights ({type(error).__name__})") from None


def weights_for(files: Files, parts: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """A model's weights for modules of its kind, by the modules' own names.

    `parts` are modules by what the names of their weights begin with in the file.

    Raises:
        BadModel: they can't be read, or don't fit.
    """
    weights = read_weights(files.weights)
    found: dict[str, Tensor] = {}
    for prefix, module in parts.items():
        for name, tensor in module.state_dict().items():
            own = weights.get(prefix + name)
            if own is not None and own.shape == tensor.shape:
                found[name] = own
        for name, tensor in module.named_parameters():
            if name not in found:
                raise BadModel(f"{files.weights}: has no {name} of the shape {tuple(tensor.shape)}")
    return found
