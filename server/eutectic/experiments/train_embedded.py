"""Trains the model that ships: stages scenes as latents, learns to denoise them, exports weights.

Everything follows from the seed and the recordings; a run that was cut off goes on from its last
checkpoint. Null condition: zeros for every cross-attention token, as in stable-audio-tools.
"""

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
from safetensors.torch import save_file
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from eutectic.engine.embedded import FOLDER, ConditionedDiffusionModelWrapper, create_model
from eutectic.engine.embedded.transform import TransformCodec
from eutectic.experiments.scenes import (
    SAMPLE_RATE_HZ,
    Recording,
    Scene,
    load_recordings,
    make_scene,
)

SCENE_FRAMES = 516
"""Length of a staged scene: 12 s."""

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

ENVELOPE_DEVIATION = (1.0, 4.0)
"""Smallest and largest deviation of an envelope component's latent."""

FRAME_CHOICES = (43, 86, 129, 172, 215, 258, 344, 430, 516)
"""Lengths of training batches, 1 to 12 s."""


@dataclass(frozen=True)
class Training:
    """Settings of a run.

    `envelope_weight` is the weight in the loss of gains and bands, which can be predicted, against
    that of coefficients, which mostly can't and are more.
    """

    minutes: float = 85.0
    seed: int = 0
    scenes: int = 2000
    frames_per_batch: int = 1600
    learning_rate: float = 8e-4
    warm_up_steps: int = 150
    ema_decay: float = 0.998
    prompt_dropout: float = 0.1
    word_dropout: float = 0.15
    envelope_weight: float = 2.0
    export_minutes: float = 10.0


@dataclass(frozen=True)
class Stage:
    """Latents of all scenes, float16, and their prompts."""

    latents: NDArray[np.float16]
    prompts: Sequence[str]


def train(
    samples_dir: Path,
    out_dir: Path,
    settings: Training = Training(),
    work_dir: Path | None = None,
) -> None:
    """Train from recordings to `out_dir`/model.safetensors, written anew every few minutes.

    Args:
        samples_dir: FLAC recordings; a fixed tenth and `HELD_OUT_CLIPS` are not trained on.
        out_dir: receives model.safetensors and model_config.json.
        settings: budget, seed and the rest.
        work_dir: staged scenes and checkpoints, to go on from; `out_dir`/training if not given.
    """
    torch.set_num_threads(os.cpu_count() or 1)
    torch.manual_seed(settings.seed)
    work_dir = work_dir or out_dir / "training"
    work_dir.mkdir(parents=True, exist_ok=True)
    out_dir.mkdir(parents=True, exist_ok=True)
    config = json.loads((FOLDER / "model_config.json").read_text())
    if out_dir.resolve() != FOLDER:
        (out_dir / "model_config.json").write_text(json.dumps(config, indent=2) + "\n")
    model = create_model(config)
    assert isinstance(model.pretransform, TransformCodec)
    stage = stage_scenes(model.pretransform, samples_dir, work_dir, settings)
    Trainer(model, model.pretransform, settings, work_dir / "checkpoint.pt").run(
        stage, out_dir / "model.safetensors"
    )


# Staging


def stage_scenes(
    codec: TransformCodec, samples_dir: Path, work_dir: Path, settings: Training
) -> Stage:
    """Make and encode the scenes, or read those staged before; sets the codec's statistics."""
    path = work_dir / f"scenes-{settings.seed}-{settings.scenes}.npz"
    if not path.exists():
        recordings = load_recordings(samples_dir, HELD_OUT_CLIPS)
        raw, prompts = _encode_scenes(codec, recordings, settings)
        fit_statistics(codec, raw)
        statistics = {name: value.numpy() for name, value in codec.state_dict().items()}
        partial_path = path.with_suffix(".partial.npz")
        np.savez(partial_path, latents=normalise(codec, raw), prompts=prompts, **statistics)
        partial_path.replace(path)
    staged = np.load(path)
    codec.load_state_dict({name: torch.from_numpy(staged[name]) for name in codec.state_dict()})
    return Stage(staged["latents"], [str(prompt) for prompt in staged["prompts"]])


def _encode_scenes(
    codec: TransformCodec, recordings: Sequence[Recording], settings: Training
) -> tuple[NDArray[np.float32], list[str]]:
    """Latents (scene, frame, channel) of a codec not yet fitted, and prompts."""
    raw = np.empty((settings.scenes, SCENE_FRAMES, codec.encoded_channels), np.float32)
    prompts = []
    seconds = SCENE_FRAMES * codec.downsampling_ratio / SAMPLE_RATE_HZ
    make = partial(_numbered_scene, settings.seed, seconds)
    with ProcessPoolExecutor(initializer=_share, initargs=(recordings,)) as pool:
        for index, scene in enumerate(pool.map(make, range(settings.scenes), chunksize=4)):
            raw[index] = codec.encode(torch.from_numpy(scene.audio)[None])[0].T.numpy()
            prompts.append(scene.prompt)
            if index % 200 == 199:
                print(f"staged {index + 1} of {settings.scenes} scenes", flush=True)
    return raw, prompts


_shared_recordings: Sequence[Recording] = ()


def _share(recordings: Sequence[Recording]) -> None:
    """Give a staging process its recordings once, not with every scene."""
    global _shared_recordings  # noqa: PLW0603 (one a process)
    _shared_recordings = recordings


def _numbered_scene(seed: int, seconds: float, index: int) -> Scene:
    """Scene number `index` of a seed, the same whichever process makes it."""
    return make_scene(np.random.default_rng([seed, index]), _shared_recordings, seconds)


def fit_statistics(codec: TransformCodec, raw: NDArray[np.float32]) -> None:
    """Set the codec's mean, rotation and scale from latents (…, channel) before normalisation.

    Shapes have mean 0 by symmetry and are brought to deviation 1. The envelope's principal
    components keep the root of their deviation, within `ENVELOPE_DEVIATION`.
    """
    flat = raw.reshape(-1, raw.shape[-1])
    kept = sum(codec.kept)
    mean = flat.mean(0, dtype=np.float64)
    mean[:kept] = 0
    variances, rotation = np.linalg.eigh(np.cov(flat[:, kept:], rowvar=False))
    deviations = np.sqrt(variances[::-1])
    targets = np.clip(np.sqrt(deviations / np.median(deviations)), *ENVELOPE_DEVIATION)
    shape_scale = np.sqrt(np.mean(np.square(flat[:, :kept]), axis=0, dtype=np.float64))
    codec.mean.copy_(torch.from_numpy(mean))
    codec.rotation.copy_(torch.from_numpy(rotation[:, ::-1].copy()))
    codec.scale.copy_(torch.from_numpy(np.concatenate([shape_scale, deviations / targets])))


def normalise(codec: TransformCodec, raw: NDArray[np.float32]) -> NDArray[np.float16]:
    """Latents (…, channel) as the fitted codec would have encoded them."""
    kept = sum(codec.kept)
    centred = raw - codec.mean.numpy()
    centred[..., kept:] = centred[..., kept:] @ codec.rotation.numpy()
    return (centred / codec.scale.numpy()).astype(np.float16)


# Training


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
        parameters = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(parameters, betas=(0.9, 0.98), weight_decay=0.01)
        self.average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(settings.ema_decay))
        self.channel_weights = torch.ones(codec.encoded_channels, 1)
        self.channel_weights[sum(codec.kept) :] = settings.envelope_weight
        self.channel_weights /= self.channel_weights.mean()
        self.step = 0
        self.seconds = 0.0

    def run(self, stage: Stage, weights: Path) -> None:
        """Train until the budget is spent; print progress, save and export on the way."""
        self._resume()
        batches = make_batches(stage, self.settings, self.codec, self.step)
        side = slice(self.codec.kept[0], sum(self.codec.kept))
        budget, losses = self.settings.minutes * 60, deque[float](maxlen=50)
        exported = self.seconds
        while self.seconds < budget:
            started = time.monotonic()
            latent, conditions = next(batches)
            losses.append(self._train_step(_flip(latent, side), conditions))
            self.seconds += time.monotonic() - started
            if self.step % 50 == 0:
                print(
                    f"step {self.step} minute {self.seconds / 60:.1f} "
                    f"loss {np.mean(losses):.4f} lr {self._learning_rate():.2e}",
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
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
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
            state = torch.load(self.checkpoint, weights_only=True)
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
        frames = int(rng.choice(FRAME_CHOICES))
        chosen = rng.integers(0, len(stage.latents), max(1, settings.frames_per_batch // frames))
        starts = rng.integers(0, SCENE_FRAMES - frames + 1, len(chosen))
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
    """The prompt without some of its words, half the time."""
    if rng.random() < 0.5:
        return prompt
    return " ".join(word for word in prompt.split() if rng.random() >= probability)


def _flip(
    latent: Float[Tensor, "batch channel frame"], side: slice
) -> Float[Tensor, "batch channel frame"]:
    """Invert polarity, or swap left and right, of some rows: as good as more scenes."""
    signs = torch.ones(latent.shape[0], latent.shape[1], 1)
    signs[:, : side.stop] *= torch.randint(0, 2, (latent.shape[0], 1, 1)) * 2 - 1
    signs[:, side] *= torch.randint(0, 2, (latent.shape[0], 1, 1)) * 2 - 1
    return latent * signs


def v_loss(
    model: ConditionedDiffusionModelWrapper,
    latent: Float[Tensor, "batch channel frame"],
    conditions: list[dict[str, Any]],
    prompt_dropout: float,
    channel_weights: Float[Tensor, "channel 1"],
) -> Float[Tensor, ""]:
    """Weighted squared error of v = α·noise − σ·x0 (Salimans and Ho 2022), computed in bfloat16."""
    sigma = sample_sigmas(latent.shape[0])
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
