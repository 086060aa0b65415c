"""Trains the model that ships, in stages: data, codec statistics, diffusion, export.

Everything follows from the settings' seed and the recordings. Each stage leaves files, and a run
that was cut off goes on from them. Null condition: zeros for every cross-attention token, as in
stable-audio-tools.
"""

import copy
import json
import math
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from stable_audio_tools.models.dit import DiffusionTransformer
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from eutectic.engine.embedded import FOLDER, ConditionedDiffusionModelWrapper, create_model
from eutectic.engine.embedded.kernels import use_plain_kernels
from eutectic.engine.embedded.transform import TransformCodec
from eutectic.errors import BadModel
from eutectic.training.scenes import SAMPLE_RATE_HZ, Recording, load_recordings, make_scene
from eutectic.training.settings import Training, weights_path

HELD_OUT_CLIPS = (
    "ambi_dark_woosh",
    "ambi_glass_rub",
    "ambi_haunted_hum",
    "ambi_lunar_land",
    "loop_3d_printer",
    "loop_drone_g_97",
    "loop_weirdo",
    "perc_bell",
)
"""The clips that ship as presets are never trained on, so that what they show is honest."""

CODEC = "pretransform."
"""The codec's tensors are named so among a model's."""


# The run


def train(settings: Training, work_dir: Path | None = None) -> None:
    """Train to model.safetensors in the settings' folder, written anew every few minutes.

    Args:
        settings: what to train on, where to, how long, and the rest. Of the recordings a fixed
            tenth and `HELD_OUT_CLIPS` are not trained on.
        work_dir: staged scenes and checkpoints, to go on from; out/training if not given.
    """
    out_dir = Path(settings.out)
    work_dir = work_dir or out_dir / "training"
    work_dir.mkdir(parents=True, exist_ok=True)
    out_dir.mkdir(parents=True, exist_ok=True)
    config = json.loads((FOLDER / "model_config.json").read_text())
    if out_dir.resolve() != FOLDER:
        (out_dir / "model_config.json").write_text(json.dumps(config, indent=2) + "\n")
    torch.manual_seed(settings.seed)
    model = create_model(config)
    assert isinstance(model.pretransform, TransformCodec)
    stage = stage_scenes(model.pretransform, settings, work_dir)
    if settings.start:
        start_from(model, weights_path(settings.start))
    torch.set_num_threads(os.cpu_count() or 1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    trainer = Trainer(model.to(device), model.pretransform, settings, work_dir / "checkpoint.pt")
    trainer.run(stage, out_dir / "model.safetensors")


def start_from(model: ConditionedDiffusionModelWrapper, path: Path) -> None:
    """Take the weights that fit by name and shape; never the codec's, which are of the scenes.

    The network's outermost layers take in how the codec's statistics differ from those given.

    Raises:
        BadModel: the file is not one of weights.
    """
    try:
        given = load_file(path)
    except (OSError, SafetensorError) as error:
        raise BadModel(f"{path}: not a file of weights ({error})") from None
    state = model.state_dict()
    fitting = {n: v for n, v in given.items() if n in state and v.shape == state[n].shape}
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
    """Make a network of latents `z` one of latents `change @ z`, by its first and last layer.

    `back` is the inverse of `change`.
    """
    one = torch.eye(len(change))
    with torch.no_grad():
        first, last = (
            layer.weight[..., 0] for layer in (network.preprocess_conv, network.postprocess_conv)
        )
        first.copy_((one + first) @ back - one)
        last.copy_(change @ (one + last) - one)


# Data and codec statistics


@dataclass(frozen=True)
class Stage:
    """Latents (scene, frame, channel) of all scenes, mapped from disk, and their prompts."""

    latents: NDArray[np.float16]
    prompts: Sequence[str]


def stage_scenes(codec: TransformCodec, settings: Training, work_dir: Path) -> Stage:
    """Make and encode the scenes, or read those staged before; sets the codec's statistics."""
    name = f"scenes-{settings.seed}-{settings.scenes}x{settings.scene_frames}"
    folder = work_dir / name
    folder.mkdir(exist_ok=True)
    latents, statistics = folder / "latents.npy", folder / "codec.safetensors"
    if not statistics.exists():
        raw = _encode_scenes(codec, settings, folder)
        print("fitting the codec's statistics", flush=True)
        codec.fit(raw)
        staged = np.lib.format.open_memmap(latents, "w+", np.float16, raw.shape)
        for index, scene in enumerate(raw):
            staged[index] = codec.normalise(np.array(scene))
        staged.flush()
        partial_path = statistics.with_suffix(".partial")
        save_file(codec.state_dict(), partial_path)
        partial_path.replace(statistics)
        (folder / "raw.npy").unlink()
    codec.load_state_dict(load_file(statistics))
    return Stage(np.load(latents, mmap_mode="r"), _read_prompts(folder))


def _encode_scenes(codec: TransformCodec, settings: Training, folder: Path) -> NDArray[np.float32]:
    """Latents (scene, frame, channel) of a codec not yet fitted, on disk.

    A scene is done when its prompt is written, one a line.
    """
    shape = (settings.scenes, settings.scene_frames, codec.encoded_channels)
    path = folder / "raw.npy"
    done = len(_read_prompts(folder)) if path.exists() else 0
    raw = np.lib.format.open_memmap(path, "r+" if done else "w+", np.float32, shape)
    recordings = load_recordings(Path(settings.samples), HELD_OUT_CLIPS)
    make = partial(_numbered_scene, settings.seed, settings.scene_frames)
    started = time.monotonic()
    with (
        ProcessPoolExecutor(initializer=_share, initargs=(recordings, codec)) as pool,
        _prompts_path(folder).open("a" if done else "w") as prompts,
    ):
        for index, (latent, prompt) in enumerate(
            pool.map(make, range(done, settings.scenes), chunksize=2), done
        ):
            raw[index] = latent
            print(prompt, file=prompts, flush=True)
            if index % 50 == 49:
                left = (time.monotonic() - started) / (index + 1 - done) * (len(raw) - index - 1)
                print(
                    f"staged {index + 1} of {len(raw)} scenes, {left / 60:.1f} minutes left",
                    flush=True,
                )
    return raw


def _prompts_path(folder: Path) -> Path:
    return folder / "prompts.txt"


def _read_prompts(folder: Path) -> list[str]:
    path = _prompts_path(folder)
    return path.read_text().splitlines() if path.exists() else []


_shared: tuple[Sequence[Recording], TransformCodec]


def _share(recordings: Sequence[Recording], codec: TransformCodec) -> None:
    """Give a staging process what it needs once, not with every scene, and one thread."""
    global _shared  # noqa: PLW0603 (one a process)
    _shared = recordings, codec
    torch.set_num_threads(1)


def _numbered_scene(seed: int, frames: int, index: int) -> tuple[NDArray[np.float32], str]:
    """Latent (frame, channel) and prompt of a scene, the same whichever process makes it."""
    recordings, codec = _shared
    seconds = frames * codec.downsampling_ratio / SAMPLE_RATE_HZ
    scene = make_scene(np.random.default_rng([seed, index]), recordings, seconds)
    with torch.inference_mode():
        return codec.encode(torch.from_numpy(scene.audio)[None])[0].T.numpy(), scene.prompt


# Diffusion


class Trainer:
    """One model's training run. The learning rate follows the time spent, not a step count."""

    def __init__(
        self,
        model: ConditionedDiffusionModelWrapper,
        codec: TransformCodec,
        settings: Training,
        checkpoint: Path,
    ) -> None:
        self.model = model
        self.codec = codec
        self.settings = settings
        self.checkpoint = checkpoint
        self.device = codec.mean.device
        parameters = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            parameters, betas=(0.9, 0.98), weight_decay=0.01, fused=True
        )
        self.average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(settings.ema_decay))
        if self.device.type == "cpu":
            use_plain_kernels(model.model)
        self.channel_weights = codec.loss_weights[:, None]
        self.step = 0
        self.seconds = 0.0

    def run(self, stage: Stage, weights: Path) -> None:
        """Train until the budget is spent; print progress, save and export on the way."""
        self._resume()
        batches = make_batches(stage, self.settings, self.codec, self.step)
        budget, losses = self.settings.minutes * 60, deque[float](maxlen=50)
        exported = self.seconds
        while self.seconds < budget:
            started = time.monotonic()
            latent, conditions = next(batches)
            losses.append(self._train_step(_flip(latent.to(self.device), self.codec), conditions))
            self.seconds += time.monotonic() - started
            if self.step % 50 == 0:
                print(
                    f"minute {self.seconds / 60:.1f} step {self.step} "
                    f"loss {np.mean(losses):.4f} lr {self._learning_rate():.2e}, "
                    f"{(budget - self.seconds) / 60:.1f} minutes left",
                    flush=True,
                )
            if self.seconds - exported > self.settings.export_minutes * 60:
                exported = self.seconds
                self._save(weights)
        self._save(weights)

    def _train_step(
        self, latent: Float[Tensor, "batch channel frame"], conditions: list[dict[str, Any]]
    ) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        dropout = self.settings.prompt_dropout
        loss = v_loss(self.model, latent, conditions, dropout, self.channel_weights)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0, error_if_nonfinite=True)
        self.optimizer.step()
        self.average.update_parameters(self.model)
        self.step += 1
        return loss.item()

    def _learning_rate(self) -> float:
        warm_up = min(1.0, (self.step + 1) / self.settings.warm_up_steps)
        spent = min(1.0, self.seconds / (self.settings.minutes * 60))
        return (
            self.settings.learning_rate * warm_up * (0.02 + 0.49 * (1 + math.cos(math.pi * spent)))
        )

    def _save(self, weights: Path) -> None:
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        partial_path = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial_path)
        partial_path.replace(self.checkpoint)
        export(self.average.module, weights)
        print(f"exported at step {self.step} minute {self.seconds / 60:.1f}", flush=True)

    def _resume(self) -> None:
        if self.checkpoint.exists():
            state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.seconds = state["step"], state["seconds"]
            torch.manual_seed(self.settings.seed + self.step)


def make_batches(
    stage: Stage, settings: Training, codec: TransformCodec, first_step: int
) -> Iterator[tuple[Float[Tensor, "batch channel frame"], list[dict[str, Any]]]]:
    """Endless batches of random crops of one length each, with their conditions."""
    step = first_step
    while True:
        rng = np.random.default_rng([settings.seed, step])
        frames = int(rng.choice(settings.lengths_frames))
        rows = max(1, round(settings.frames_per_batch / frames))
        chosen = rng.integers(0, len(stage.latents), rows)
        starts = rng.integers(0, settings.scene_frames - frames + 1, rows)
        crops = [stage.latents[i, a : a + frames] for i, a in zip(chosen, starts, strict=True)]
        seconds = frames * codec.downsampling_ratio / codec.sample_rate
        conditions = [
            {
                "prompt": drop_words(rng, stage.prompts[int(i)], settings.word_dropout),
                "seconds_total": seconds,
            }
            for i in chosen
        ]
        yield torch.from_numpy(np.stack(crops)).float().transpose(1, 2), conditions
        step += 1


def drop_words(rng: np.random.Generator, prompt: str, probability: float) -> str:
    """The prompt as it is, without some of its words, or a word or a few in a row: as is typed."""
    words, kind = prompt.split(), rng.random()
    if kind < 0.4 or not words:
        return prompt
    if kind < 0.7:
        return " ".join(word for word in words if rng.random() >= probability)
    start, count = int(rng.integers(len(words))), int(rng.integers(1, 4))
    return " ".join(words[start : start + count])


def _flip(
    latent: Float[Tensor, "batch channel frame"], codec: TransformCodec
) -> Float[Tensor, "batch channel frame"]:
    """Invert polarity, or swap left and right, of some rows: as good as more scenes."""
    signs = torch.ones(latent.shape[0], latent.shape[1], 1, device=latent.device)
    signs[:, : codec.kept] *= _random_signs(latent)
    signs[:, codec.swapped_by_sides] *= _random_signs(latent)
    return latent * signs


def _random_signs(latent: Float[Tensor, "batch channel frame"]) -> Float[Tensor, "batch 1 1"]:
    return torch.randint(0, 2, (latent.shape[0], 1, 1), device=latent.device) * 2.0 - 1


def v_loss(
    model: ConditionedDiffusionModelWrapper,
    latent: Float[Tensor, "batch channel frame"],
    conditions: list[dict[str, Any]],
    prompt_dropout: float,
    channel_weights: Float[Tensor, "channel 1"],
) -> Float[Tensor, ""]:
    """Weighted squared error of v = α·noise − σ·x0 (Salimans and Ho 2022), computed in bfloat16."""
    sigma = sample_sigmas(latent.shape[0]).to(latent.device)
    t = torch.atan(sigma) * 2 / math.pi
    alpha, beta = (f(torch.atan(sigma))[:, None, None] for f in (torch.cos, torch.sin))
    noise = torch.randn_like(latent)
    inputs = model.get_conditioning_inputs(model.conditioner(conditions, latent.device))
    with torch.autocast(latent.device.type, dtype=torch.bfloat16):
        v = model.model(
            alpha * latent + beta * noise,
            t,
            cfg_dropout_prob=prompt_dropout,
            use_checkpointing=False,
            **inputs,
        )
    return (channel_weights * (v.float() - (alpha * noise - beta * latent)) ** 2).mean()


def sample_sigmas(count: int) -> Float[Tensor, " batch"]:
    """Noise levels: most where structure forms, the rest evenly over 0.02 to 150.

    One draw from each of `count` equal parts of the distribution, so that batches vary less.
    """
    u = ((torch.arange(count) + torch.rand(count)) / count).clamp(1e-4, 1 - 1e-4)
    middle = math.sqrt(2) * 1.5 * torch.erfinv(2 * u - 1)
    even = math.log(0.02) + u * math.log(150 / 0.02)
    return torch.where(torch.rand(count) < 0.7, middle, even).exp()


# Export


def export(model: torch.nn.Module, path: Path) -> None:
    """Write all weights, matrices as float16; small tensors (statistics, Fourier) stay float32."""
    state = {
        name: (value.half() if value.numel() > 4096 and value.is_floating_point() else value)
        .detach()
        .cpu()
        .contiguous()
        .clone()
        for name, value in model.state_dict().items()
    }
    partial_path = path.with_suffix(".partial")
    save_file(state, partial_path)
    partial_path.chmod(0o644)
    partial_path.replace(path)
