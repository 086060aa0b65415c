"""Learning a reference (3.4): the network memorises one clip with its prompt.

It need not generalise. Learning works on a copy of the network and returns an `Adapter`, low-rank
(PEFT) or full; the weights in use never change (see `adapter`).
"""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from eutectic.config import LearnSettings, Method
from eutectic.engine.adapter import DOWN, UP, Adapter
from eutectic.engine.conditioning import Conditioning
from eutectic.engine.defaults import LearnDefaults
from eutectic.engine.model import Model
from eutectic.engine.precision import has_native_bfloat16
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.engine.weights import NETWORK, weights_for

BATCH = 4
PROMPT_DROPOUT = 0.1
WARM_UP_STEPS = 5
ADAPTER_NAME = "reference"
LORA_RATE = 3.0
"""Learning rate of low-rank factors relative to that of full weights (10 times was worse)."""
CHECKPOINTING_PARAMETERS = 200_000_000
"""From this size up, activations are recomputed instead of kept."""


@dataclass(frozen=True)
class Learned:
    """An adapter, the loss at each step, and whether the time budget cut the steps short."""

    adapter: Adapter
    losses: tuple[float, ...]
    steps: int
    capped: bool


@dataclass(frozen=True)
class _Target:
    """What is memorised: the first `frames` of a latent, and their conditioning."""

    latent: Float[Tensor, "1 channel frame"]
    frames: int
    conditioning: Conditioning


def learn(
    model: Model,
    latent: Float[Tensor, "1 channel frame"],
    frames: int,
    prompt: str,
    seconds: float,
    settings: LearnSettings,
    learned_from: dict[str, Any] | None = None,
    watch: Watch = UNWATCHED,
) -> Learned:
    """Memorise a clip's latent with its prompt.

    A post-trained model learns with the weights that it was trained from, whose velocities are
    those of its data, and what was learned is added to its own (Stable Audio 3's way).

    Args:
        model: its network is copied, never changed.
        latent: x0 of the reference, of its bucket's length.
        frames: how many frames, from the first, are the clip's own; those after them are in the
            input but not in the loss.
        seconds: the length that the network is conditioned on.
        learned_from: added to the adapter's `about`.
        watch: a checkpoint before every step, progress after it.

    Raises:
        Cancelled: by the watch.
        BadModel: the weights to learn with aren't on this machine.
    """
    defaults, base = model.defaults.learn, model.base()
    method = settings.method or defaults.method
    steps = settings.steps or defaults.steps
    rate = settings.learning_rate or _learning_rate(defaults, method)
    seen = model.codec.seen(latent).to(model.device)
    target = _Target(seen, frames, model.condition(prompt, seconds))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        start = None if base is None else weights_for(base, {NETWORK: model.network})
        network = _trainable_copy(model.network, start, method, settings.rank)
    losses, capped = _descend(model, network, target, steps, rate, settings, watch)
    about = {
        "model": model.digest, "method": method, "prompt": prompt, "seconds": seconds,
        "steps": len(losses), "rank": settings.rank, "learning_rate": rate,
        "seed": settings.seed, "loss": losses[-1],
    } | (learned_from or {})  # fmt: skip
    if base is not None:
        about["base"] = base.digest
    adapter = _extract(network, method, about)
    if start is not None and method == "full":
        adapter = _moved(adapter, start, model.network)
    return Learned(adapter, tuple(losses), len(losses), capped)


def _learning_rate(defaults: LearnDefaults, method: Method) -> float:
    """The model's own for its own method; low-rank factors need a higher rate than full weights."""
    if method == defaults.method:
        return defaults.learning_rate
    return defaults.learning_rate * (LORA_RATE if method == "lora" else 1 / LORA_RATE)


def _trainable_copy(
    network: nn.Module, start: dict[str, Tensor] | None, method: str, rank: int
) -> nn.Module:
    network = copy.deepcopy(network).train()
    if start is not None:
        network.load_state_dict(start, strict=False)
    if method == "full":
        return network.requires_grad_(True)
    from peft import LoraConfig, inject_adapter_in_model

    linear = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    config = LoraConfig(r=rank, lora_alpha=rank, target_modules=linear)
    return inject_adapter_in_model(config, network, adapter_name=ADAPTER_NAME)


def _descend(
    model: Model,
    network: nn.Module,
    target: _Target,
    steps: int,
    rate: float,
    settings: LearnSettings,
    watch: Watch,
) -> tuple[list[float], bool]:
    """Minimise the model's own loss on one latent: AdamW, warm-up, cosine decay to a tenth."""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=rate, betas=(0.9, 0.95), weight_decay=0.0)
    generator = torch.Generator().manual_seed(settings.seed)
    size = sum(weight.numel() for weight in network.parameters())
    checkpointing = size >= CHECKPOINTING_PARAMETERS
    losses: list[float] = []
    began = time.monotonic()
    for step in range(steps):
        watch.checkpoint()
        spent = time.monotonic() - began
        if settings.budget_seconds is not None and losses and spent >= settings.budget_seconds:
            return losses, True
        share = max(step / steps, spent / (settings.budget_seconds or math.inf))
        cosine = 0.55 + 0.45 * math.cos(math.pi * share)
        optimiser.param_groups[0]["lr"] = rate * min(1.0, (step + 1) / WARM_UP_STEPS) * cosine
        loss = _loss(model, network, target, generator, checkpointing)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        losses.append(float(loss.detach()))
        watch.progress(step + 1, steps)
    return losses, False


def _loss(
    model: Model,
    network: nn.Module,
    target: _Target,
    generator: torch.Generator,
    checkpointing: bool,
) -> Tensor:
    """v-prediction or flow matching on one batch: one clip, evenly spread times, fresh noise."""
    latent, conditioning = target.latent, target.conditioning
    spread = (torch.arange(BATCH) + torch.rand(BATCH, generator=generator)) / BATCH
    t = (0.001 + 0.998 * spread).to(latent)
    noise = torch.randn(BATCH, *latent.shape[1:], generator=generator).to(latent)
    dropped = torch.rand(BATCH, generator=generator) < PROMPT_DROPOUT
    conditions = [conditioning.unprompted() if drop else conditioning for drop in dropped.tolist()]
    time_ = t[:, None, None]
    if model.flow:
        x, expected = (1 - time_) * latent + time_ * noise, noise - latent
    else:
        alpha, sigma = torch.cos(time_ * math.pi / 2), torch.sin(time_ * math.pi / 2)
        x, expected = alpha * latent + sigma * noise, alpha * noise - sigma * latent
    half = has_native_bfloat16(model.device)
    stacked = Conditioning.stack(conditions)
    predicted = model.predict(x, t, stacked, network, checkpointing, half)
    return (predicted - expected).square()[..., : target.frames].mean()


def _extract(network: nn.Module, method: str, about: dict[str, Any]) -> Adapter:
    if method == "full":
        tensors = {name: weight.detach().clone() for name, weight in network.named_parameters()}
        return Adapter(tensors, about)
    tensors = {}
    layers: list[tuple[str, Any]] = list(network.named_modules())
    for name, module in layers:
        if hasattr(module, "lora_A"):
            tensors[name + DOWN] = module.lora_A[ADAPTER_NAME].weight.detach().clone()
            tensors[name + UP] = module.lora_B[ADAPTER_NAME].weight.detach().clone()
    return Adapter(tensors, about)


def _moved(adapter: Adapter, start: dict[str, Tensor], network: nn.Module) -> Adapter:
    """All weights that were learned from `start`, as if from this network's own."""
    own = dict(network.named_parameters())
    tensors = {
        name: own[name].detach() + (tensor - start[name].to(tensor))
        for name, tensor in adapter.tensors.items()
    }
    return Adapter(tensors, adapter.about)
