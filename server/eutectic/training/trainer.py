"""Trains the diffusion network on the staged scenes and exports its weights."""

import math
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import save_file
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from eutectic.engine.embedded import ConditionedDiffusionModelWrapper
from eutectic.engine.embedded.kernels import use_plain_kernels
from eutectic.engine.embedded.transform import TransformCodec
from eutectic.engine.precision import has_native_bfloat16
from eutectic.files.atomic import atomic_path
from eutectic.training.settings import TrainingSettings
from eutectic.training.staging import StagedScenes

CODEC = "pretransform."
"""Prefix of the codec's tensors in a model."""


class Trainer:
    """A training run of one model. The learning rate follows the time spent, not the step count."""

    def __init__(
        self,
        model: ConditionedDiffusionModelWrapper,
        codec: TransformCodec,
        settings: TrainingSettings,
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
        self.step = 0
        self.seconds = 0.0

    def run(self, staged: StagedScenes, weights: Path) -> None:
        """Train until the time is up; print progress, save checkpoints and export along the way."""
        self._resume()
        batches = make_batches(staged, self.settings, self.codec, self.step)
        budget, losses = self.settings.minutes * 60, deque[float](maxlen=50)
        exported = self.seconds
        while self.seconds < budget:
            started = time.monotonic()
            latent, conditions = next(batches)
            losses.append(self._train_step(latent.to(self.device), conditions))
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
        loss = v_loss(self.model, latent, conditions, dropout)
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
        with atomic_path(self.checkpoint) as temporary:
            torch.save(state, temporary)
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
    staged: StagedScenes, settings: TrainingSettings, codec: TransformCodec, first_step: int
) -> Iterator[tuple[Float[Tensor, "batch channel frame"], list[dict[str, Any]]]]:
    """Endless batches of random crops, each of one length, with their conditions."""
    step = first_step
    while True:
        rng = np.random.default_rng([settings.seed, step])
        frames = int(rng.choice(settings.lengths_frames))
        rows = max(1, round(settings.frames_per_batch / frames))
        chosen = rng.integers(0, len(staged.latents), rows)
        starts = rng.integers(0, settings.scene_frames - frames + 1, rows)
        crops = [staged.latents[i, a : a + frames] for i, a in zip(chosen, starts, strict=True)]
        seconds = frames * codec.downsampling_ratio / codec.sample_rate
        conditions = [
            {
                "prompt": drop_words(rng, staged.prompts[int(i)], settings.word_dropout),
                "seconds_total": seconds,
            }
            for i in chosen
        ]
        yield torch.from_numpy(np.stack(crops)).float().transpose(1, 2), conditions
        step += 1


def drop_words(rng: np.random.Generator, prompt: str, probability: float) -> str:
    """The whole prompt, all but some of its words, or a few in a row: what users type."""
    words, kind = prompt.split(), rng.random()
    if kind < 0.4 or not words:
        return prompt
    if kind < 0.7:
        return " ".join(word for word in words if rng.random() >= probability)
    start, count = int(rng.integers(len(words))), int(rng.integers(1, 4))
    return " ".join(words[start : start + count])


def v_loss(
    model: ConditionedDiffusionModelWrapper,
    latent: Float[Tensor, "batch channel frame"],
    conditions: list[dict[str, Any]],
    prompt_dropout: float,
) -> Float[Tensor, ""]:
    """Squared error of v = α·noise − σ·x0 (Salimans and Ho 2022).

    In bfloat16 where that is native.
    """
    sigma = sample_sigmas(latent.shape[0]).to(latent.device)
    t = torch.atan(sigma) * 2 / math.pi
    alpha, beta = (f(torch.atan(sigma))[:, None, None] for f in (torch.cos, torch.sin))
    noise = torch.randn_like(latent)
    inputs = model.get_conditioning_inputs(model.conditioner(conditions, latent.device))
    half = has_native_bfloat16(latent.device)
    with torch.autocast(latent.device.type, dtype=torch.bfloat16, enabled=half):
        v = model.model(
            alpha * latent + beta * noise,
            t,
            cfg_dropout_prob=prompt_dropout,
            use_checkpointing=False,
            **inputs,
        )
    return (v.float() - (alpha * noise - beta * latent)).square().mean()


def sample_sigmas(count: int) -> Float[Tensor, " batch"]:
    """Noise levels: most where structure forms, the rest log-uniform from 0.02 to 150.

    One draw from each of `count` equal parts of the distribution, so that batches vary less.
    """
    u = ((torch.arange(count) + torch.rand(count)) / count).clamp(1e-4, 1 - 1e-4)
    middle = math.sqrt(2) * 1.5 * torch.erfinv(2 * u - 1)
    even = math.log(0.02) + u * math.log(150 / 0.02)
    return torch.where(torch.rand(count) < 0.7, middle, even).exp()


def export(model: torch.nn.Module, path: Path) -> None:
    """Write all weights, the network's matrices as float16; the codec's stay float32."""
    state = {
        name: (value.half() if _is_halved(name, value) else value)
        .detach()
        .cpu()
        .contiguous()
        .clone()
        for name, value in model.state_dict().items()
    }
    with atomic_path(path) as temporary:
        save_file(state, temporary)


def _is_halved(name: str, value: torch.Tensor) -> bool:
    return value.numel() > 4096 and value.is_floating_point() and not name.startswith(CODEC)
