"""Trains the model that ships, in stages: scenes, codec statistics, diffusion, export.

Everything follows from the settings' seed and the recordings. Each stage leaves files, and an
interrupted run resumes from them. Null condition: zeros for every cross-attention token, as in
stable-audio-tools.
"""

import copy
import json
import os
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from eutectic.engine.embedded import FOLDER, ConditionedDiffusionModelWrapper, create_model
from eutectic.engine.embedded.transform import TransformCodec
from eutectic.engine.library import DiffusionTransformer
from eutectic.errors import BadModel
from eutectic.training.settings import TrainingSettings, weights_path
from eutectic.training.staging import stage_scenes
from eutectic.training.trainer import CODEC, Trainer


def train(settings: TrainingSettings) -> None:
    """Train to model.safetensors in the settings' folder, rewritten every few minutes.

    Staged scenes and checkpoints are kept in its subfolder `training`, and resumed from.
    """
    out_dir = Path(settings.out)
    work_dir = out_dir / "training"
    work_dir.mkdir(parents=True, exist_ok=True)
    config = json.loads((FOLDER / "model_config.json").read_text())
    if out_dir.resolve() != FOLDER:
        (out_dir / "model_config.json").write_text(json.dumps(config, indent=2) + "\n")
    torch.manual_seed(settings.seed)
    model = create_model(config)
    assert isinstance(model.pretransform, TransformCodec)
    staged = stage_scenes(model.pretransform, settings, work_dir)
    if settings.start:
        start_from(model, weights_path(settings.start))
    torch.set_num_threads(os.cpu_count() or 1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    trainer = Trainer(model.to(device), model.pretransform, settings, work_dir / "checkpoint.pt")
    trainer.run(staged, out_dir / "model.safetensors")


def start_from(model: ConditionedDiffusionModelWrapper, path: Path) -> None:
    """Load the weights that fit by name and shape, except the codec's: its statistics are new.

    The network's outermost layers absorb how these differ from the loaded codec's.

    Raises:
        BadModel: the file holds no weights.
    """
    try:
        loaded = load_file(path)
    except (OSError, SafetensorError) as error:
        raise BadModel(f"{path}: can't be read as weights ({error})") from None
    state = model.state_dict()
    fitting = {n: v for n, v in loaded.items() if n in state and v.shape == state[n].shape}
    statistics = {
        n.removeprefix(CODEC): fitting.pop(n)
        for n in state.keys() & fitting.keys()
        if n.startswith(CODEC)
    }
    model.load_state_dict(fitting, strict=False)
    codec, network = model.pretransform, model.model.model
    assert isinstance(codec, TransformCodec)
    assert isinstance(network, DiffusionTransformer)
    if statistics.keys() == codec.state_dict().keys():
        earlier = copy.deepcopy(codec)
        earlier.load_state_dict(statistics)
        adapt(network, codec.change_from(earlier), earlier.change_from(codec))
    own = len(state) - len(codec.state_dict())
    print(f"started from {path}: {len(fitting)} of {own} tensors fit", flush=True)


def adapt(
    network: DiffusionTransformer,
    change: Float[Tensor, "channel channel"],
    back: Float[Tensor, "channel channel"],
) -> None:
    """Turn a network for latents `z` into one for `change @ z`, by its first and last layer.

    `back` is the inverse of `change`.
    """
    one = torch.eye(len(change))
    with torch.no_grad():
        first, last = (
            layer.weight[..., 0] for layer in (network.preprocess_conv, network.postprocess_conv)
        )
        first.copy_((one + first) @ back - one)
        last.copy_(change @ (one + last) - one)
