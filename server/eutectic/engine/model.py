"""Models in stable-audio-tools' format: loading, conditioning, and the denoiser the loop calls.

Every objective is brought to the coordinates of `schedule` (y = x/α, s = σ/α):

- `v`: α, σ = cos, sin of t·π/2, so t = atan(s)·2/π; network input y/√(1+s²);
  D = y/(1+s²) − v·s/√(1+s²)
- `rectified_flow`, `rf_denoiser`: α, σ = 1 − t, t, so t = s/(1+s); network input (1−t)·y;
  D = x − t·v; at s = ∞, t = 1 and the state is the unit noise x itself
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections import OrderedDict
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from eutectic.config import SamplingSettings
from eutectic.engine import schedule, toy
from eutectic.engine.adapter import Adapter, Switch
from eutectic.engine.codec import Codec
from eutectic.engine.denoiser import guide
from eutectic.engine.graphs import CudaRecord, Graphs, Pace, to_device
from eutectic.engine.precision import Rounded
from eutectic.engine.sample import Sampler
from eutectic.errors import BadModel

FLOW_OBJECTIVES = ("rectified_flow", "rf_denoiser")

_V_DEFAULTS: dict[str, Any] = {  # Stable Audio Open 1.0's card
    "grid": "polyexponential", "s_min": 0.3, "s_max": 500.0, "rho": 1.0, "steps": 100,
    "order": 2, "eta": 1.0, "cfg": 7.0,
    "learn": {"method": "lora", "steps": 300, "learning_rate": 1e-4},
}  # fmt: skip
_FLOW_DEFAULTS = _V_DEFAULTS | {"grid": "log_snr", "steps": 50, "eta": 0.0}
_FEW_STEP_DEFAULTS = _FLOW_DEFAULTS | {  # Stable Audio Open Small's card
    "steps": 8, "order": 1, "eta": 1.0, "solver": "pingpong", "cfg": 1.0,
}  # fmt: skip
_DEFAULTS = {
    "v": _V_DEFAULTS,
    "rectified_flow": _FLOW_DEFAULTS,
    "rf_denoiser": _FEW_STEP_DEFAULTS,
}

PROMPTS = 64
"""Whose conditioning is kept."""

_TOLD = {"prompt", "seconds_start", "seconds_total"}
"""What `Model.condition` tells the conditioners."""


@dataclass(frozen=True)
class Conditioning:
    """What the network is told beside state and time, row by row; no prompt is zero tokens."""

    tokens: Tensor | None  # cross attention (row, token, width)
    prepended: Tensor | None  # (row, token, width)
    everywhere: Tensor | None  # global embedding (row, width)

    @property
    def parts(self) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        return self.tokens, self.prepended, self.everywhere

    def unprompted(self) -> Conditioning:
        """stable-audio-tools' null condition: every token zero, the global embedding kept."""
        zero = [None if t is None else torch.zeros_like(t) for t in (self.tokens, self.prepended)]
        return Conditioning(zero[0], zero[1], self.everywhere)

    @classmethod
    def stack(cls, conditions: Sequence[Conditioning]) -> Conditioning:
        """The rows of several of one model, in their order."""
        columns = zip(*(condition.parts for condition in conditions), strict=True)
        return cls(*(None if None in column else torch.cat(column) for column in columns))


class Model:
    """A loaded model; owned by one thread.

    Attributes:
        name: as the user asked for it.
        digest: hash of configuration and weights, for cache keys.
        network: the diffusion network.
        switch: puts references' weights into the network and takes them out.
        codec: between waveforms and latents.
        objective: `v`, `rectified_flow` or `rf_denoiser`.
        defaults: sampling and learning settings where the user chose none.
    """

    def __init__(
        self, name: str, wrapper: Any, config: dict[str, Any], digest: str, device: torch.device
    ) -> None:
        self.name, self.digest, self.device = name, digest, device
        self.wrapper = wrapper.to(device).eval().requires_grad_(False)
        self.network: nn.Module = wrapper.model
        self.switch = Switch(self.network, self._weights_changed)
        self.codec = Codec(wrapper.pretransform, wrapper.sample_rate, device)
        self.objective: str = wrapper.diffusion_objective
        self.defaults = _DEFAULTS[self.objective] | config.get("eutectic", {})
        self.max_frames: int = config["sample_size"]
        self.frames_per_token: int = getattr(getattr(wrapper.model, "model", None), "patch_size", 1)
        """Latent frames that the network takes as one."""
        self.evaluations = 0
        """Rows the denoisers of this model have evaluated."""
        self._rounded: Rounded | None = None
        on_gpu = device.type == "cuda"
        self.graphs = Graphs(self._estimate, CudaRecord) if on_gpu else None
        """What evaluations are recorded in, the first of each shape taking longest; None: plain."""
        self._plain = False
        self._pace = Pace() if on_gpu else None
        self._conditions: OrderedDict[tuple[str, float], Conditioning] = OrderedDict()

    @property
    def bfloat16(self) -> bool:
        """Whether the network computes its products in bfloat16; states stay in float32."""
        return self._rounded is not None

    @bfloat16.setter
    def bfloat16(self, wanted: bool) -> None:
        if wanted != self.bfloat16:
            self._rounded = Rounded(self.network) if wanted else None
            self.forget_graphs()

    def _weights_changed(self, names: Iterable[str]) -> None:
        if self._rounded is not None:
            self._rounded.refresh(names)

    @contextlib.contextmanager
    def plainly(self) -> Generator[None]:
        """Within it evaluations are neither recorded nor replayed."""
        self._plain = True
        try:
            yield
        finally:
            self._plain = False

    def forget_graphs(self) -> None:
        """Let go what evaluations were recorded in; they are recorded again when needed."""
        if self.graphs is not None:
            self.graphs.clear()

    @property
    def max_seconds(self) -> float:
        """The longest clip."""
        return self.max_frames / self.codec.rate_hz

    @property
    def flow(self) -> bool:
        return self.objective in FLOW_OBJECTIVES

    def sampler(self, settings: SamplingSettings) -> Sampler:
        """The sampler of the settings, the model's defaults standing in where there are none."""
        chosen = self.defaults | {
            key: value
            for key in ("steps", "order", "solver", "eta")
            if (value := getattr(settings, key)) is not None
        }
        if settings.residual == "edit-friendly":
            chosen |= {"order": 1, "eta": 1.0, "solver": "midpoint"}
        if chosen["grid"] == "log_snr":
            grid = schedule.log_snr(chosen["steps"])
        else:
            make = {"polyexponential": schedule.polyexponential, "karras": schedule.karras}
            grid = make[chosen["grid"]](
                chosen["steps"],
                float(chosen["s_min"]),
                float(chosen["s_max"]),
                float(chosen["rho"]),
            )
        solver = chosen.get("solver", "midpoint")
        return Sampler(grid, chosen["order"], solver, float(chosen["eta"]))

    @torch.no_grad()
    def condition(self, prompt: str, seconds: float) -> Conditioning:
        """Encode a prompt and the length it is for; the last `PROMPTS` of them are kept."""
        kept = self._conditions.pop((prompt, seconds), None) or self._encode(prompt, seconds)
        self._conditions[prompt, seconds] = kept
        if len(self._conditions) > PROMPTS:
            self._conditions.popitem(last=False)
        return kept

    def _encode(self, prompt: str, seconds: float) -> Conditioning:
        metadata = {"prompt": prompt, "seconds_start": 0.0, "seconds_total": seconds}
        tensors = self.wrapper.conditioner([metadata], self.device)
        inputs = self.wrapper.get_conditioning_inputs(tensors)
        if inputs.get("input_concat_cond") is not None:
            raise BadModel(f"{self.name}: models that take audio beside the latent are not usable")
        return Conditioning(
            inputs.get("cross_attn_cond"), inputs.get("prepend_cond"), inputs.get("global_cond")
        )

    def denoiser(
        self,
        conditioning: Conditioning,
        cfg: float = 1.0,
        negative: Conditioning | None = None,
        adapter: Adapter | None = None,
    ) -> NetworkDenoiser:
        """The denoiser under a condition, guided away from `negative` (None: no prompt).

        With cfg 0 the condition has no effect and isn't evaluated.
        """
        against = negative or conditioning.unprompted()
        if cfg == 0.0:
            return NetworkDenoiser(self, adapter, against, 1.0, None)
        return NetworkDenoiser(self, adapter, conditioning, cfg, None if cfg == 1.0 else against)

    def predict(
        self,
        x: Float[Tensor, "batch channel frame"],
        t: Float[Tensor, " batch"],
        conditioning: Conditioning,
        network: nn.Module | None = None,
        checkpointing: bool = False,
        bfloat16: bool | None = None,
    ) -> Float[Tensor, "batch channel frame"]:
        """The network's own output for one condition a row, in float32.

        `network` may be a copy in training; `checkpointing` saves its memory at the cost of time
        (stable-audio-tools' transformer does it unless told not to). `bfloat16` stands in for the
        model's own choice.
        """
        names = ("cross_attn_cond", "prepend_cond", "global_cond")
        given = zip(names, conditioning.parts, strict=True)
        arguments = {name: part for name, part in given if part is not None}
        if "prepend_cond" in arguments:
            shape = arguments["prepend_cond"].shape[:2]
            arguments["prepend_cond_mask"] = torch.ones(shape, dtype=torch.bool, device=x.device)
        half = self.bfloat16 if bfloat16 is None else bfloat16
        if network is None:
            network = self._rounded.network if half and self._rounded else self.network
        frames = x.shape[-1]
        x = nn.functional.pad(x, (0, -frames % self.frames_per_token), mode="replicate")
        rounding = (
            torch.autocast(x.device.type, torch.bfloat16) if half else contextlib.nullcontext()
        )
        with rounding:
            output = network(x, t, use_checkpointing=checkpointing, **arguments).float()
        return output[..., :frames]

    def estimate(
        self,
        state: Float[Tensor, "row channel frame"],
        sigmas: Sequence[float],
        conditioning: Conditioning,
        guidance: float | None,
    ) -> Float[Tensor, "row channel frame"]:
        """D of each row; guided, `conditioning` has as many rows again: what to guide away from."""
        self.evaluations += state.shape[0]
        levels = torch.tensor(_levels(sigmas, self.flow), dtype=state.dtype)
        scale = None
        if guidance is not None:
            scale = torch.full((), guidance, dtype=state.dtype, device=state.device)
        arguments = (state, to_device(levels, state.device), scale, *conditioning.parts)
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
        guidance: Float[Tensor, ""] | None,
        *conditioning: Tensor | None,
    ) -> Float[Tensor, "row channel frame"]:
        """Tensors in, a tensor out, nothing read back: what a graph can be recorded of."""
        t, rows = levels[1], len(state)
        scale, _, on_x, on_output = levels[:, :, None, None]
        x = scale * state
        if guidance is None:
            output = self.predict(x, t, Conditioning(*conditioning))
        else:
            both = self.predict(torch.cat([x, x]), torch.cat([t, t]), Conditioning(*conditioning))
            output = guide(both[:rows], both[rows:], guidance)
        return on_x * x + on_output * output


@dataclass(frozen=True)
class NetworkDenoiser:
    """D(y; s) of a model under a condition, guided (Algorithm 1) in one doubled batch.

    Each call first puts the adapter's weights into the network (None: the base weights), so that
    other denoisers may be called in between.
    """

    model: Model
    adapter: Adapter | None
    conditioning: Conditioning
    cfg: float
    against: Conditioning | None

    def __call__(
        self, state: Float[Tensor, "batch channel frame"], sigma: Float[Tensor, " batch"]
    ) -> Float[Tensor, "batch channel frame"]:
        self.model.switch.activate(self.adapter)
        rows = [self.conditioning] * len(state)
        guidance = None
        if self.against is not None:
            rows += [self.against] * len(state)
            guidance = self.cfg
        conditioning = Conditioning.stack(rows)
        return self.model.estimate(state, sigma.double().tolist(), conditioning, guidance)


def _levels(sigmas: Sequence[float], flow: bool) -> list[list[float]]:
    """Scale and time of the network's input x, and the factors of D = on_x·x + on_output·output."""
    if flow:
        times = [1.0 if math.isinf(s) else s / (1 + s) for s in sigmas]
        scale = [1.0 if t == 1.0 else 1 - t for t in times]
        return [scale, times, [1.0] * len(times), [-t for t in times]]
    times = [math.atan(s) * 2 / math.pi for s in sigmas]
    scale = [1 / math.hypot(1, s) for s in sigmas]
    return [scale, times, scale, [-s / math.hypot(1, s) for s in sigmas]]


def choose_device(name: str | None = None) -> torch.device:
    """The device asked for, or the best there is: cuda, mps, cpu.

    Raises:
        BadModel: the device asked for isn't there.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name is None:
        return torch.device(next(kind for kind, there in available.items() if there))
    if not available.get(name.split(":")[0], False):
        there = ", ".join(kind for kind, is_there in available.items() if is_there)
        raise BadModel(f"no device {name!r} here; there is: {there}")
    device = torch.device(name)
    if name.startswith("cuda:"):
        torch.cuda.set_device(device)  # streams, events and graphs are of the current one
    return device


def load(name: str = "embedded", device: torch.device | None = None) -> Model:
    """Load a model: `embedded`, `toy`, a folder, or a Hub id.

    A folder holds `model_config.json` and `model.safetensors` or `model.ckpt`.

    Raises:
        BadModel: unknown, unreachable, incomplete, or weights that don't fit the configuration.
    """
    device = device or choose_device()
    if name == "toy":
        return Model(name, toy.ToyModel(), toy.CONFIG, "toy-1", device)
    if name == "embedded":
        from eutectic.engine import embedded

        config_path, weights_path = _files_in(embedded.FOLDER)
    elif Path(name).is_dir():
        config_path, weights_path = _files_in(Path(name))
    elif name.count("/") == 1 and not name.startswith((".", "/", "~")):
        config_path, weights_path = _from_hub(name)
    else:
        raise BadModel(
            f"unknown model {name!r}: it may be embedded, toy, a folder, or a Hub id "
            "such as stabilityai/stable-audio-open-1.0"
        )
    config = _read_config(config_path)
    wrapper = _build(config, config_path)
    _load_weights(wrapper, weights_path)
    if name == "embedded" and device.type == "cpu":
        from eutectic.engine.embedded.kernels import use_plain_kernels

        use_plain_kernels(wrapper.model)
    return Model(name, wrapper, config, _digest(config_path, weights_path), device)


def _files_in(folder: Path) -> tuple[Path, Path]:
    config = folder / "model_config.json"
    weights = [folder / name for name in ("model.safetensors", "model.ckpt")]
    if not config.is_file():
        raise BadModel(f"{folder}: has no model_config.json")
    for path in weights:
        if path.is_file():
            return config, path
    raise BadModel(f"{folder}: has neither model.safetensors nor model.ckpt")


def _from_hub(name: str) -> tuple[Path, Path]:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        config = Path(hf_hub_download(name, "model_config.json"))
        try:
            return config, Path(hf_hub_download(name, "model.safetensors"))
        except EntryNotFoundError:
            return config, Path(hf_hub_download(name, "model.ckpt"))
    except GatedRepoError:
        raise BadModel(
            f"{name}: accept its licence on the Hub's page, then log in with `hf auth login`"
        ) from None
    except (RepositoryNotFoundError, RemoteEntryNotFoundError):
        raise BadModel(f"{name}: the Hub has no such stable-audio-tools model") from None
    except Exception as error:  # the Hub's client raises many kinds where it can't connect
        raise BadModel(
            f"{name}: the Hub can't be reached ({type(error).__name__}); download the model "
            "elsewhere and give its folder with --model DIR"
        ) from None


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        diffusion = config["model"]["diffusion"]
        kind, network = config["model_type"], diffusion["type"]
        objective = diffusion.get("diffusion_objective", "v")
        _ = config["sample_size"] / config["sample_rate"]
        conditioning = config["model"]["conditioning"]
        told = {entry["id"] for entry in conditioning["configs"]}
        told -= _TOLD | set(conditioning.get("default_keys", {}))
        # Weights stay in float32, and `Codec` streams: the library's own chunks don't join.
        config["model"]["pretransform"] |= {"model_half": False, "chunked": False}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise BadModel(f"{path}: not a stable-audio-tools configuration ({error})") from None
    if kind != "diffusion_cond" or network != "dit" or objective not in _DEFAULTS:
        raise BadModel(f"{path}: a {kind} {network} with objective {objective} is not usable")
    if told:
        raise BadModel(f"{path}: a model that must be told {', '.join(sorted(told))} is not usable")
    return config


def _build(config: dict[str, Any], path: Path) -> Any:
    from eutectic.engine.embedded import create_model

    try:
        with quiet():
            return create_model(config)
    except OSError:
        raise BadModel(
            f"{path}: its text encoder can't be fetched from the Hub; run once with a "
            "connection, or point HF_HOME to a folder that has it"
        ) from None
    except Exception as error:  # the factory fails in as many ways as a configuration can be wrong
        raise BadModel(f"{path}: no model can be built from it ({error})") from None


@contextlib.contextmanager
def quiet() -> Generator[None]:
    """Nothing printed within: stable-audio-tools prints while it builds, and transformers warns."""
    import io
    import warnings

    noise = io.StringIO()
    with (
        contextlib.redirect_stdout(noise),
        contextlib.redirect_stderr(noise),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


def _load_weights(wrapper: nn.Module, path: Path) -> None:
    """Load weights, each present and of the right shape (the library's own loader skips those)."""
    try:
        with quiet():
            from stable_audio_tools.models.utils import load_ckpt_state_dict

            weights: dict[str, Tensor] = load_ckpt_state_dict(str(path))
    except Exception as error:  # whatever a damaged file makes of the readers
        raise BadModel(f"{path}: can't be read as weights ({type(error).__name__})") from None
    expected = wrapper.state_dict()
    needed = {name for name, _ in wrapper.named_parameters()}
    needed |= {name for name in expected if name.startswith("pretransform.")}
    missing = sorted(needed - weights.keys())
    if missing:
        raise BadModel(f"{path}: lacks {len(missing)} weights of its configuration: {missing[0]} …")
    for name, tensor in expected.items():
        if name in weights and weights[name].shape != tensor.shape:
            raise BadModel(
                f"{path}: {name} has shape {tuple(weights[name].shape)} where its configuration "
                f"says {tuple(tensor.shape)}"
            )
    wrapper.load_state_dict({n: t for n, t in weights.items() if n in expected}, strict=False)


def _digest(config: Path, weights: Path) -> str:
    """Hash of the configuration and of the weights' size, head and tail (gigabytes take long)."""
    hashed = hashlib.sha256(config.read_bytes())
    size = weights.stat().st_size
    hashed.update(str(size).encode())
    with weights.open("rb") as file:
        hashed.update(file.read(1 << 20))
        file.seek(max(0, size - (1 << 20)))
        hashed.update(file.read())
    return hashed.hexdigest()[:16]
