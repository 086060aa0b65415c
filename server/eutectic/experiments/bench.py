"""`eutectic bench`: what each part costs, as ratios measured in one run.

Rows of one comparison are timed in turn, round after round, so that a machine whose speed
drifts does not favour one; ratios are taken within a round, and the median is told.
"""

from __future__ import annotations

import contextlib
import io
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from eutectic.audio import Waveform
from eutectic.config import SamplingSettings
from eutectic.engine import fusion
from eutectic.engine.engine import BUCKET_FRAMES, Engine
from eutectic.engine.inversion import Residual, invert, invert_ddim
from eutectic.engine.model import has_native_bfloat16
from eutectic.engine.noise import Noise
from eutectic.engine.watch import UNWATCHED, Watch

PROMPT = "a metallic drone"
EVALUATION_SECONDS = (6.0, 12.0)
GUIDANCE = 3.0
"""Of the evaluations that are timed by themselves: any but 1, which costs half."""
FAN_BLENDS = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True)
class Ratio:
    """One part's time over another's; seconds are medians, the ratio that of the rounds'."""

    part: str
    over: str
    part_seconds: float
    over_seconds: float
    ratio: float
    ratios: tuple[float, ...]


@dataclass(frozen=True)
class Timing:
    """One part's own time: the median of its runs."""

    part: str
    seconds: float
    real_time: float | None
    """Seconds of sound in one second, where sound is made."""


@dataclass(frozen=True)
class Report:
    """What was measured, and on what."""

    model: str
    device: str
    torch: str
    threads: int
    seconds: float
    steps: int
    cfg: float
    ratios: tuple[Ratio, ...]
    timings: tuple[Timing, ...]

    def lines(self) -> list[str]:
        """The figures as text."""
        head = (
            f"{self.model}, {self.seconds:g} s, {self.steps} steps, cfg {self.cfg:g}; "
            f"{self.device}, {self.threads} threads, torch {self.torch}"
        )
        rows = [
            f"{row.part} / {row.over}: {row.ratio:.3g}   "
            f"({row.part_seconds:.4f} s / {row.over_seconds:.4f} s; "
            f"{min(row.ratios):.3g} to {max(row.ratios):.3g})"
            for row in self.ratios
        ]
        rows += [
            f"{row.part}: {1000 * row.seconds:.1f} ms"
            + ("" if row.real_time is None else f"   ({row.real_time:.0f} times real time)")
            for row in self.timings
        ]
        return [head, *rows]


def run(
    engine: Engine,
    seconds: float,
    settings: SamplingSettings,
    runs: int = 3,
    watch: Watch = UNWATCHED,
) -> Report:
    """Time the comparisons that the engine's promises rest on."""
    parts = Parts(engine, seconds, settings)
    comparisons: list[tuple[str, Callable[[], Any], str, Callable[[], Any]]] = [
        ("fusion at 0.5 from a warm prefix", parts.fuse_warm, "Algorithm 1 run whole",
         parts.fuse_whole),
        (f"fan of {len(FAN_BLENDS)}", parts.fan, "its single fusions", parts.fan_singly),
        ("inversion", parts.invert, "DDIM inversion", parts.invert_ddim),
    ]  # fmt: skip
    if parts.has_peer:
        comparisons.insert(
            0, ("full sampling", parts.sample, "generate_diffusion_cond", parts.generate)
        )
    ratios: list[Ratio] = []
    for number, (part, function, over, other) in enumerate(comparisons):
        ratios.append(_compare(part, function, over, other, runs))
        watch.progress(number + 1, len(comparisons) + 1)
    timings = [*_evaluations(engine, runs), *_decoding(parts, runs)]
    watch.progress(len(comparisons) + 1, len(comparisons) + 1)
    sampler = parts.sampler
    return Report(
        engine.model.name, _device_name(engine.model.device), torch.__version__,
        torch.get_num_threads(), seconds, sampler.steps, parts.cfg, tuple(ratios),
        tuple(timings),
    )  # fmt: skip


def _compare(
    part: str, function: Callable[[], Any], over: str, other: Callable[[], Any], runs: int
) -> Ratio:
    for warm in (function, other):
        warm()
    times = [(_timed(function), _timed(other)) for _ in range(runs)]
    ratios = tuple(a / b for a, b in times)
    return Ratio(
        part, over,
        statistics.median(a for a, _ in times), statistics.median(b for _, b in times),
        statistics.median(ratios), ratios,
    )  # fmt: skip


def _median_seconds(function: Callable[[], Any], runs: int) -> float:
    function()
    return statistics.median(_timed(function) for _ in range(max(3, runs)))


def _evaluations(engine: Engine, runs: int) -> list[Timing]:
    """One guided evaluation of the network at two lengths, in every precision that pays here."""
    model = engine.model
    precisions = {"float32": False} | (
        {"bfloat16": True} if has_native_bfloat16(model.device) else {}
    )
    rows: list[Timing] = []
    for seconds in (min(length, model.max_seconds) for length in EVALUATION_SECONDS):
        frames = model.codec.latent_frames(round(seconds * model.codec.rate_hz))
        state = torch.zeros(1, model.codec.latent_channels, frames, device=model.device)
        denoiser = model.denoiser(model.condition(PROMPT, seconds), GUIDANCE)
        evaluate = partial(denoiser, state, torch.ones(1, device=model.device))
        for name, model.bfloat16 in precisions.items():
            with torch.inference_mode():
                took = _median_seconds(evaluate, runs)
            rows.append(Timing(f"guided evaluation, {seconds:g} s, {name}", took, None))
        model.bfloat16 = False
    return rows


def _decoding(parts: Parts, runs: int) -> list[Timing]:
    """The whole, and the stream's first chunk."""
    codec = parts.model.codec
    whole = _median_seconds(lambda: codec.decode(parts.x0), runs)
    first = _median_seconds(lambda: next(codec.stream(parts.x0)), runs)
    seconds = parts.frames * codec.ratio / codec.rate_hz
    return [
        Timing(f"decoding {seconds:.1f} s", whole, seconds / whole),
        Timing("decoding the first chunk", first, None),
    ]


def _timed(function: Callable[[], Any]) -> float:
    began = time.perf_counter()
    function()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return platform.processor() or platform.machine()


class Parts:
    """The things compared, over one clip, one prompt and one sampler."""

    def __init__(self, engine: Engine, seconds: float, settings: SamplingSettings) -> None:
        self.engine, self.model = engine, engine.model
        codec = self.model.codec
        frames = codec.latent_frames(round(seconds * codec.rate_hz))
        self.frames = -(-frames // BUCKET_FRAMES) * BUCKET_FRAMES
        self.seconds, self.steps = seconds, settings.steps
        self.sampler = self.model.sampler(settings)
        self.cfg = float(self.model.defaults["cfg"])
        self.noise = Noise(0, codec.latent_channels, self.frames, self.model.device)
        condition = self.model.condition(PROMPT, seconds)
        self.denoiser = self.model.denoiser(condition, self.cfg)
        self.unguided = self.model.denoiser(condition.unprompted())
        noise = np.random.default_rng(0).standard_normal(
            (codec.channels, round(seconds * codec.rate_hz))
        )
        self.x0 = codec.encode(
            Waveform((0.1 * noise).astype(np.float32), codec.rate_hz), self.frames
        )
        self.trajectory = invert(
            self.x0, self.sampler.grid.s_min, Residual(), self.noise, self.model.flow
        )
        self.points = [fusion.at_blend(blend, self.sampler) for blend in FAN_BLENDS]
        self.middle = fusion.at_blend(0.5, self.sampler)
        self.prefix = self._prefix(self.sampler.steps)

    def _prefix(self, until: int) -> fusion.Prefix:
        return fusion.Prefix.begin(self.sampler, self.noise).extend(self.denoiser, until)

    def sample(self) -> Any:
        """The reference's whole sampling, decoded."""
        prefix = self._prefix(self.sampler.steps)
        return self.model.codec.decode(prefix.row.state)

    @property
    def has_peer(self) -> bool:
        """Whether stable-audio-tools' own generator samples this model (the toy isn't its)."""
        return self.model.name != "toy"

    def generate(self) -> Any:
        """The same by stable-audio-tools: same model, steps, guidance, length and device."""
        from stable_audio_tools.inference import generation

        generate: Any = generation.generate_diffusion_cond

        options: dict[str, Any] = {}
        if not self.model.flow:
            grid = self.sampler.grid
            options = {
                "sampler_type": "dpmpp-2m-sde", "sigma_min": grid.s_min, "sigma_max": grid.s_max
            }  # fmt: skip
        elif self.sampler.solver == "pingpong":
            options = {"sampler_type": "pingpong"}
        condition = {"prompt": PROMPT, "seconds_start": 0, "seconds_total": self.seconds}
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            torch.random.fork_rng(devices=[]),
        ):
            latents = generate(
                self.model.wrapper, steps=self.sampler.steps, cfg_scale=self.cfg,
                conditioning=[condition], sample_size=self.frames * self.model.codec.ratio,
                seed=0, device=str(self.model.device), return_latents=True, **options,
            )  # fmt: skip
            # It would decode, too, but looks for a parameter in a codec that may have none.
            return self.model.wrapper.pretransform.decode(latents).cpu()

    def fuse_warm(self) -> Any:
        """One fusion at blend 0.5, the prefix being there."""
        return self._fuse(self.prefix, [self.middle])

    def fuse_whole(self) -> Any:
        """Algorithm 1 from its first step, at the same place."""
        until = fusion.needed([self.middle], self.sampler)
        return self._fuse(self._prefix(until), [self.middle])

    def fan(self) -> Any:
        """Several fusions as one fan."""
        return self._fuse(self.prefix, self.points)

    def fan_singly(self) -> Any:
        """The same fusions one after another."""
        return [self._fuse(self.prefix, [point]) for point in self.points]

    def _fuse(self, prefix: fusion.Prefix, points: list[fusion.Injection | None]) -> Any:
        return fusion.fuse(self.denoiser, prefix, self.trajectory, points, self.engine.max_batch)

    def invert(self) -> Any:
        """Every inverted latent of the grid, in closed form."""
        closed = invert(self.x0, self.sampler.grid.s_min, Residual(), self.noise, self.model.flow)
        return [closed.at(sigma) for sigma in self.sampler.grid.sigmas if 0 < sigma < float("inf")]

    def invert_ddim(self) -> Any:
        """The same levels by DDIM inversion, one network evaluation each."""
        return invert_ddim(self.unguided, self.x0, self.sampler.grid)
