"""Models in stable-audio-tools' format: conditioning, and the denoiser the sampling loop calls.

Every objective is brought to the coordinates of `schedule` (y = x/α, s = σ/α):

- `v`: α, σ = cos, sin of t·π/2, so t = atan(s)·2/π; network input y/√(1+s²);
  D = y/(1+s²) − v·s/√(1+s²)
- `rectified_flow`, `rf_denoiser`: α, σ = 1 − t, t, so t = s/(1+s); network input (1−t)·y;
  D = x − t·v; at s = ∞, t = 1 and the state is the unit noise x itself
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Generator, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from eutectic.config import SamplingSettings
from eutectic.engine import schedule
from eutectic.engine.adapter import Adapter, Switch
from eutectic.engine.codec import Codec
from eutectic.engine.conditioning import Conditioning
from eutectic.engine.defaults import defaults_of
from eutectic.engine.denoiser import guide, guide_projected
from eutectic.engine.graphs import CudaRecord, Graphs, Pace, to_device
from eutectic.engine.model_files import Files, base_of
from eutectic.engine.precision import Rounded
from eutectic.engine.prompted import Prompted
from eutectic.engine.sample import Sampler
from eutectic.engine.weights import CONDITIONER, NETWORK, weights_for
from eutectic.system.cache import Cache

FLOW_OBJECTIVES = ("rectified_flow", "rf_denoiser")

CONDITIONS = {"prompt", "seconds_start", "seconds_total"}
"""What `Model.condition` gives the conditioners."""

CONDITIONING_CACHE_SIZE = 64
"""Prompts whose conditioning is kept."""

PROJECTED_CACHE_BYTES = 512 << 20
"""Memory for the keys and values of prompts."""


class Model:
    """A loaded model; owned by one thread.

    Attributes:
        name: as the user asked for it.
        digest: hash of configuration and weights, for cache keys.
        network: the diffusion network.
        switch: puts references' weights into the network and its conditioner.
        codec: between waveforms and latents.
        objective: `v`, `rectified_flow` or `rf_denoiser`.
        defaults: sampling and learning settings where the user chose none.
        frames_per_token: latent frames that the network takes as one.
        evaluations: how many rows this model's denoisers have evaluated.
        graphs: recorded evaluations, on a GPU; recording the first of each shape takes longest.
    """

    def __init__(
        self,
        name: str,
        wrapper: Any,
        config: dict[str, Any],
        digest: str,
        device: torch.device,
        files: Files | None = None,
    ) -> None:
        self.name, self.digest, self.device, self._files = name, digest, device, files
        self.wrapper = wrapper.to(device).eval().requires_grad_(False)
        self.network: nn.Module = wrapper.model
        conditioner: nn.Module = wrapper.conditioner
        self.switch = Switch(self.network, conditioner, on_change=self._weights_changed)
        self._of_conditioner = {name for name, _ in conditioner.named_parameters()}
        self.codec = Codec(wrapper.pretransform, wrapper.sample_rate, device)
        self.objective: str = wrapper.diffusion_objective
        self.defaults = defaults_of(
            config.get("model_type", "diffusion_cond"), self.objective, config.get("eutectic", {})
        )
        self.max_frames: int = config["sample_size"]
        self._local_channels = _local_channels(self.network)
        self.frames_per_token: int = getattr(getattr(wrapper.model, "model", None), "patch_size", 1)
        self.evaluations = 0
        self._rounded: Rounded | None = None
        self._prompted = Prompted(self.network) if Prompted.fits(self.network) else None
        on_gpu = device.type == "cuda"
        self.graphs = Graphs(self._estimate, CudaRecord) if on_gpu else None
        self._plain = False
        self._pace = Pace() if on_gpu else None
        self._conditions: Cache[Hashable, Conditioning] = Cache(CONDITIONING_CACHE_SIZE)
        self._stacks: Cache[tuple[Conditioning, ...], Conditioning] = Cache(CONDITIONING_CACHE_SIZE)
        self._projected: Cache[Hashable, Conditioning] = Cache(PROJECTED_CACHE_BYTES)

    @property
    def bfloat16(self) -> bool:
        """Whether the network multiplies in bfloat16; states stay in float32."""
        return self._rounded is not None

    @bfloat16.setter
    def bfloat16(self, enabled: bool) -> None:
        if enabled != self.bfloat16:
            self._rounded = Rounded(self.network) if enabled else None
            if self._prompted is not None:
                self._prompted = Prompted(self._plain_network)
            self.forget_graphs()

    @property
    def _plain_network(self) -> nn.Module:
        return self.network if self._rounded is None else self._rounded.network

    def _weights_changed(self, names: Iterable[str]) -> None:
        if self._rounded is not None:
            self._rounded.refresh(names)

    @contextlib.contextmanager
    def plainly(self) -> Generator[None]:
        """Neither record nor replay evaluations within the block."""
        self._plain = True
        try:
            yield
        finally:
            self._plain = False

    def forget_graphs(self) -> None:
        """Free the recorded evaluations and what was projected; both are made again when needed."""
        self._projected.clear()
        if self.graphs is not None:
            self.graphs.clear()

    @property
    def max_seconds(self) -> float:
        """The longest clip."""
        return self.max_frames / self.codec.rate_hz

    @property
    def flow(self) -> bool:
        return self.objective in FLOW_OBJECTIVES

    def base(self) -> Files | None:
        """The model that it learns references with, if that isn't itself.

        Raises:
            BadModel: that isn't on this machine.
        """
        if self._files is None or not self.defaults.learn.on_base:
            return None
        return base_of(self._files)

    def recall(self, settings: SamplingSettings) -> float:
        """The recall of these settings, or the model's default; at 1 no network is evaluated."""
        return self.defaults.recall if settings.recall is None else settings.recall

    def sampler(self, settings: SamplingSettings) -> Sampler:
        """The sampler of these settings, or of the model's defaults where they leave it open."""
        chosen = {
            name: value
            for name in ("steps", "order", "solver", "eta")
            if (value := getattr(settings, name)) is not None
        }
        if settings.residual == "edit-friendly":
            chosen |= {"order": 1, "eta": 1.0, "solver": "midpoint"}
        used = replace(self.defaults, **chosen)
        match used.grid:
            case "log_snr":
                grid = schedule.log_snr(used.steps, used.lowest_log_snr)
            case "karras":
                grid = schedule.karras(used.steps, used.s_min, used.s_max, used.rho)
            case "polyexponential":
                grid = schedule.polyexponential(used.steps, used.s_min, used.s_max, used.rho)
        return Sampler(grid, used.order, used.solver, used.eta)

    @torch.no_grad()
    def condition(
        self, prompt: str, seconds: float, adapter: Adapter | None = None, strength: float = 1.0
    ) -> Conditioning:
        """Encode a prompt and the length to generate; the most recently used are kept.

        A LoRA file may have weights for this, too.
        """
        own = adapter is not None and not self._of_conditioner.isdisjoint(adapter.changed)
        key = (prompt, seconds, adapter.digest if adapter and own else None, strength * own)
        condition = self._conditions.get(key)
        if condition is None:
            if own or not self._of_conditioner.isdisjoint(self.switch.changed):
                self.switch.activate(adapter if own else None, strength)
            condition = self._encode(prompt, seconds)
            self._conditions.put(key, condition)
        return condition

    def trained_from(self) -> Callable[[str], Tensor]:
        """Weights, by name, of the model that this was trained from; its own if there is none.

        Raises:
            BadModel: that model isn't on this machine.
        """
        base = self.base()
        if base is None:
            return self.switch.base
        parts = {NETWORK: self.network, CONDITIONER: self.wrapper.conditioner}
        return weights_for(base, parts).__getitem__

    def _encode(self, prompt: str, seconds: float) -> Conditioning:
        metadata = {"prompt": prompt, "seconds_start": 0.0, "seconds_total": seconds}
        tensors = self.wrapper.conditioner([metadata], self.device)
        for name in getattr(self.wrapper, "local_add_cond_ids", ()):  # see `predict`
            tensors[name] = [torch.empty(1, 0, 0)]
        inputs = self.wrapper.get_conditioning_inputs(tensors)
        return Conditioning(
            inputs.get("cross_attn_cond"), inputs.get("prepend_cond"), inputs.get("global_cond")
        )

    def denoiser(
        self,
        conditioning: Conditioning,
        cfg: float = 1.0,
        negative: Conditioning | None = None,
        adapter: Adapter | None = None,
        apg: float = 0.0,
        strength: float = 1.0,
    ) -> NetworkDenoiser:
        """The denoiser under a condition, guided away from `negative` (None: no prompt).

        With cfg 0 the condition has no effect and isn't evaluated. `apg` is the share of projected
        guidance (see `guide_projected`), `strength` that of the adapter.
        """
        against = negative or conditioning.unprompted()
        if cfg == 0.0:
            return NetworkDenoiser(self, adapter, against, 1.0, None, strength=strength)
        away = None if cfg == 1.0 else against
        return NetworkDenoiser(self, adapter, conditioning, cfg, away, apg, strength)

    def predict(
        self,
        x: Float[Tensor, "batch channel frame"],
        t: Float[Tensor, " batch"],
        conditioning: Conditioning,
        network: nn.Module | None = None,
        checkpointing: bool = False,
        bfloat16: bool | None = None,
    ) -> Float[Tensor, "batch channel frame"]:
        """The network's own output, in float32, with one condition per row.

        `network` is the copy being trained, if any; `checkpointing` saves its memory at the cost
        of time (stable-audio-tools' transformer does so by default). `bfloat16` overrides the
        model's own setting.
        """
        names = ("cross_attn_cond", "prepend_cond", "global_cond")
        parts = zip(names, conditioning.parts, strict=True)
        arguments = {name: part for name, part in parts if part is not None}
        if "prepend_cond" in arguments:
            shape = arguments["prepend_cond"].shape[:2]
            arguments["prepend_cond_mask"] = torch.ones(shape, dtype=torch.bool, device=x.device)
        half = self.bfloat16 if bfloat16 is None else bfloat16
        if network is None:
            network = self._plain_network if half else self.network
        frames = x.shape[-1]
        x = nn.functional.pad(x, (0, -frames % self.frames_per_token), mode="replicate")
        if self._local_channels:  # zeros for nothing to inpaint; layers add biases to them
            arguments["local_add_cond"] = x.new_zeros(len(x), self._local_channels, x.shape[-1])
        with self._rounding(half):
            output = network(x, t, use_checkpointing=checkpointing, **arguments).float()
        return output[..., :frames]

    def _rounding(self, half: bool) -> contextlib.AbstractContextManager[Any]:
        return (
            torch.autocast(self.device.type, torch.bfloat16) if half else contextlib.nullcontext()
        )

    def stack(self, *conditions: Conditioning) -> Conditioning:
        """The rows of several conditions, the same value for the same ones."""
        if torch.is_grad_enabled():  # their tokens are being learned
            return Conditioning.stack(conditions)
        stacked = self._stacks.get(conditions)
        if stacked is None:
            stacked = Conditioning.stack(conditions)
            self._stacks.put(conditions, stacked)
        return stacked

    def _project(self, conditioning: Conditioning) -> Conditioning:
        """A condition with the keys and values of its tokens, by the weights in the network."""
        if self._prompted is None or conditioning.tokens is None:
            return conditioning
        key, learning = (conditioning, self.switch.active), torch.is_grad_enabled()
        projected = None if learning else self._projected.get(key)
        if projected is None:
            with self._rounding(self.bfloat16):
                tokens = self._prompted.project(conditioning.tokens)
            projected = conditioning.with_tokens(tokens)
            if not learning:
                self._projected.put(key, projected, tokens.nbytes)
        return projected

    def estimate(
        self,
        state: Float[Tensor, "row channel frame"],
        sigmas: Sequence[float],
        conditioning: Conditioning,
        guidance: float | tuple[float, float] | None,
    ) -> Float[Tensor, "row channel frame"]:
        """D of each row, under the weights in the network.

        `conditioning` has a row for each of the state's, or one for all; if guided, then as many
        again that are guided away from.
        `guidance` is its scale, or its scale and the share of it that is projected.
        """
        self.evaluations += state.shape[0]
        levels = torch.tensor(_levels(sigmas, self.flow), dtype=state.dtype)
        scale = None
        if guidance is not None:
            scale = to_device(torch.tensor(guidance, dtype=state.dtype), state.device)
        parts = self._project(conditioning).parts
        arguments = (state, to_device(levels, state.device), scale, *parts)
        if self.graphs is None or self._plain or torch.is_grad_enabled():
            denoised = self._estimate(*arguments)
        else:
            denoised = self.graphs(*arguments)
        if self._pace is not None:
            self._pace.issued()
        return denoised

    def _estimate(
        self,
        state: Float[Tensor, "row channel frame"],
        levels: Float[Tensor, "4 row"],
        guidance: Float[Tensor, "*scale_and_share"] | None,
        *conditioning: Tensor | None,
    ) -> Float[Tensor, "row channel frame"]:
        """Tensors in, a tensor out, nothing read back, so that it can be recorded as a graph."""
        t, rows = levels[1], len(state)
        scale, _, on_x, on_output = levels[:, :, None, None]
        x = scale * state
        if guidance is None:
            return on_x * x + on_output * self._predict(x, t, *conditioning)
        both = self._predict(torch.cat([x, x]), torch.cat([t, t]), *conditioning)
        if guidance.ndim == 0:
            return on_x * x + on_output * guide(both[:rows], both[rows:], guidance)
        toward, away = (on_x * x + on_output * output for output in (both[:rows], both[rows:]))
        return guide_projected(toward, away, guidance[0], guidance[1])

    def _predict(
        self, x: Tensor, t: Tensor, *conditioning: Tensor | None
    ) -> Float[Tensor, "row channel frame"]:
        """`predict` by the network that takes keys and values, if there is one."""
        network = self._plain_network if self._prompted is None else self._prompted.network
        return self.predict(x, t, Conditioning(*conditioning).spread(len(x)), network)


@dataclass(frozen=True)
class NetworkDenoiser:
    """D(y; s) of a model under a condition, guided (Algorithm 1) in one doubled batch.

    Each call first puts the adapter's weights into the network (None: the base weights), so other
    denoisers may be called in between.
    """

    model: Model
    adapter: Adapter | None
    conditioning: Conditioning
    cfg: float
    against: Conditioning | None
    apg: float = 0.0
    strength: float = 1.0

    def __call__(
        self, state: Float[Tensor, "batch channel frame"], sigma: Float[Tensor, " batch"]
    ) -> Float[Tensor, "batch channel frame"]:
        self.model.switch.activate(self.adapter, self.strength)
        conditions, guidance = [self.conditioning], None
        if self.against is not None:
            conditions.append(self.against)
            guidance = (self.cfg, self.apg) if self.apg else self.cfg
        conditioning = self.model.stack(*conditions)
        return self.model.estimate(state, sigma.double().tolist(), conditioning, guidance)


def _local_channels(network: nn.Module) -> int:
    """Channels of a condition for every frame, which inpainting models have."""
    each = (getattr(module, "local_add_cond_dim", None) for module in network.modules())
    return next((channels for channels in each if channels), 0)


def _levels(sigmas: Sequence[float], flow: bool) -> list[list[float]]:
    """Scale and time of the network's input x, and the factors of D = on_x·x + on_output·output."""
    if flow:
        times = [1.0 if math.isinf(s) else s / (1 + s) for s in sigmas]
        scale = [1.0 if t == 1.0 else 1 - t for t in times]
        return [scale, times, [1.0] * len(times), [-t for t in times]]
    times = [math.atan(s) * 2 / math.pi for s in sigmas]
    scale = [1 / math.hypot(1, s) for s in sigmas]
    return [scale, times, scale, [-s / math.hypot(1, s) for s in sigmas]]
