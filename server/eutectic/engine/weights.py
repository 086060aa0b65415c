"""Weights as their files hold them; no code in a file is run."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from eutectic.engine.model_files import Files
from eutectic.errors import BadModel

NETWORK = "model."
"""What the names of a network's weights begin with in a model's file."""


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


def network_weights(files: Files, network: nn.Module) -> dict[str, Tensor]:
    """A model's weights for a network of its kind, by the network's own names.

    Raises:
        BadModel: they can't be read, or don't fit.
    """
    weights = read_weights(files.weights)
    own = {
        name.removeprefix(NETWORK): weights[name] for name in weights if name.startswith(NETWORK)
    }
    for name, tensor in network.named_parameters():
        if name not in own or own[name].shape != tensor.shape:
            raise BadModel(f"{files.weights}: has no {name} of the shape {tuple(tensor.shape)}")
    return {name: own[name] for name in network.state_dict() if name in own}
