"""The time each part of the engine takes, its floor on this machine, and the memory left in use.

A floor counts the network's matrix products and the bytes of its weights; a fusion's counts its
network evaluations alone. Parts without any have no floor.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from eutectic import audio
from eutectic.config import LearnSettings, Method
from eutectic.engine.precision import has_native_bfloat16
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.experiments.report import Row, Table
from eutectic.experiments.speed import floors
from eutectic.experiments.speed.parts import FAN_BLENDS, PROMPT, WIDE_FAN_BLENDS, Parts
from eutectic.experiments.speed.served import Served

EVALUATION_SECONDS = (6.0, 12.0)
GUIDANCE = 3.0
"""Guidance of the evaluations timed by themselves: any but 1, which costs half."""

TRIGGERS = (0.2, 0.5, 0.8)
STAGES = ("queue", "denoise", "first chunk", "decode")
COLUMNS = ("part", "p50 ms", "p95 ms", "floor ms", "over floor", "memory MB")
NO_FLOOR = float("nan")
METHODS: tuple[Method, ...] = ("full", "lora")
LEARNING_COPIES: dict[Method, int] = {"full": 6, "lora": 2}
"""Memory for learning, in multiples of the weights: in full the copy, its gradients, AdamW's two
moments, what is learned and the base's weights; low-rank the copy and the base's weights."""


@dataclass
class _Costs:
    """Collects rows as they are measured."""

    parts: Parts
    runs: int
    watch: Watch
    rows: list[Row] = field(default_factory=list[Row])

    def row(self, part: str, function: Callable[[], Any], floor_seconds: float = NO_FLOOR) -> None:
        """Add a row, timing a function after one run that doesn't count."""
        self.watch.checkpoint()
        device = self.parts.model.device
        _forget_memory(device)
        function()
        seconds = [floors.timed(function, device) for _ in range(self.runs)]
        self.add(part, seconds, floor_seconds)

    def add(self, part: str, seconds: list[float], floor_seconds: float = NO_FLOOR) -> None:
        """Add a row of times taken elsewhere."""
        median, high = (float(each) for each in np.percentile(seconds, (50, 95)))
        self.rows.append(
            (part, 1000 * median, 1000 * high, 1000 * floor_seconds, median / floor_seconds,
             _memory_mb(self.parts.model.device))
        )  # fmt: skip


def measure(parts: Parts, runs: int, learn_steps: int, watch: Watch = UNWATCHED) -> Table:
    """Measure every part by itself; the worker's rows come last, as it keeps the engine.

    Raises:
        Cancelled: the watch was asked to stop.
    """
    costs = _Costs(parts, runs, watch)
    machine = floors.measure(parts.model.device, parts.dtype)
    sections = (
        lambda: _sampling(costs, machine),
        lambda: _evaluations(costs),
        lambda: _decoding(costs),
        lambda: _references(costs, machine, learn_steps),
        lambda: _served(costs),
    )
    for number, section in enumerate(sections):
        section()
        watch.progress(number + 1, len(sections))
    rates = (
        f"measured: {machine.operations_per_second / 1e12:.3g} Tflop/s in {parts.dtype}, "
        f"{machine.bytes_per_second / 1e9:.3g} GB/s"
    )
    return Table("speed: costs", COLUMNS, tuple(costs.rows), (parts.described, rates))


def _sampling(costs: _Costs, machine: floors.Machine) -> None:
    parts = costs.parts
    once = parts.evaluation_floor(machine)
    costs.row("encoding the clip", parts.encode)
    costs.row("inversion, every level", parts.invert)
    costs.row("prefix, the whole grid", parts.sample_latent, parts.sampler.steps * once)
    for blends in (FAN_BLENDS, WIDE_FAN_BLENDS):
        before = parts.model.evaluations
        parts.fan(blends)
        floor = (parts.model.evaluations - before) * once
        costs.row(f"fan of {len(blends)}, latents", partial(parts.fan, blends), floor)


def _evaluations(costs: _Costs) -> None:
    """Time a guided network evaluation at two lengths, in every precision the device is fast in."""
    model = costs.parts.model
    used, half = model.bfloat16, has_native_bfloat16(model.device)
    precisions = {"float32": False} | ({"bfloat16": True} if half else {})
    for seconds in (min(length, model.max_seconds) for length in EVALUATION_SECONDS):
        frames = model.codec.latent_frames(round(seconds * model.codec.rate_hz))
        state = torch.zeros(1, model.codec.network_channels, frames, device=model.device)
        denoiser = model.denoiser(model.condition(PROMPT, seconds), GUIDANCE)
        evaluate = partial(denoiser, state, torch.ones(1, device=model.device))
        for name, model.bfloat16 in precisions.items():
            with torch.no_grad():
                costs.row(f"guided evaluation, {seconds:g} s, {name}", evaluate)
    model.bfloat16 = used


def _decoding(costs: _Costs) -> None:
    """Time decoding as a whole, and the stream's first chunk."""
    codec, x0 = costs.parts.model.codec, costs.parts.x0
    seconds = costs.parts.frames * codec.ratio / codec.rate_hz
    costs.row(f"decoding {seconds:.1f} s", lambda: codec.decode(x0))
    costs.row("decoding the first chunk", lambda: next(codec.stream(x0)))


def _references(costs: _Costs, machine: floors.Machine, learn_steps: int) -> None:
    """Time learning, and reading and switching what was learned."""
    parts, engine = costs.parts, costs.parts.engine
    for method in METHODS:
        needed, free = LEARNING_COPIES[method] * _weights_bytes(parts), _free_bytes(parts)
        if needed > free:
            lack = f"needs {needed / 1e9:.0f} GB, {free / 1e9:.0f} are free"
            costs.rows.append((f"learning, {method}: {lack}", *[NO_FLOOR] * (len(COLUMNS) - 1)))
            continue
        settings = LearnSettings(method, learn_steps)
        once = floors.operations(
            lambda method=method: engine.memorise(parts.clip, PROMPT, LearnSettings(method, 1))
        )
        floor = learn_steps * machine.floor_seconds(once, 0)
        seconds = floors.timed(
            lambda settings=settings: engine.learn(parts.clip, PROMPT, settings),
            parts.model.device,
        )
        costs.add(f"learning, {method}, {learn_steps} steps", [seconds], floor)
        adapter = engine.find_adapter(parts.clip, PROMPT, settings)
        assert adapter is not None
        size = sum(each.numel() * each.element_size() for each in adapter.tensors.values())
        parameters = dict(parts.model.network.named_parameters())
        written = sum(parameters[each].numel() * 4 for each in adapter.changed)
        name = f"a {method} reference of {size / 1e6:.0f} MB"
        costs.row(f"reading {name}", partial(engine.find_adapter, parts.clip, PROMPT, settings))
        costs.row(
            f"switching to {name} and back",
            lambda adapter=adapter: [parts.model.switch.activate(each) for each in (adapter, None)],
            2 * written / machine.bytes_per_second,  # reads may come from a cache
        )


def _served(costs: _Costs) -> None:
    """Time triggers and fans as the daemon requests them."""
    parts = costs.parts
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.wav"
        audio.save_wav(path, parts.clip.waveform)
        served = Served(parts.engine, path, PROMPT)
        for prefix, seeds in (("known", itertools.repeat(0)), ("cold", itertools.count(1))):
            for blend in TRIGGERS:
                _triggers(costs, served, f"trigger at {blend}, {prefix} prefix", blend, seeds)
        for count in (5, 9):
            blends = [float(each) for each in np.linspace(0.1, 0.9, count)]
            costs.row(f"fan of {count}, decoded", partial(served.fuse, blends, 0, parts.steps))


def _triggers(costs: _Costs, served: Served, name: str, blend: float, seeds: Iterator[int]) -> None:
    """Time one trigger after another; a seed's prefix is known from its second use on."""
    served.fuse([blend], next(seeds), costs.parts.steps)
    stages: list[dict[str, float]] = []
    for _ in range(costs.runs):
        costs.watch.checkpoint()
        (fused,) = served.fuse([blend], next(seeds), costs.parts.steps)
        stages.append({name: each / 1000 for name, each in fused.stages_ms.items()})
    for stage in STAGES:
        costs.add(f"{name}: {stage}", [each[stage] for each in stages])
    first = [each["queue"] + each["denoise"] + each["first chunk"] for each in stages]
    costs.add(f"{name}, to its first chunk", first)


def _weights_bytes(parts: Parts) -> int:
    return sum(each.numel() * each.element_size() for each in parts.model.network.parameters())


def _free_bytes(parts: Parts) -> int:
    device = parts.model.device
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + unused
    return psutil.virtual_memory().available


def _forget_memory(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def _memory_mb(device: torch.device) -> float:
    """Peak memory allocated on the device; on a CPU the process's resident memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    return psutil.Process().memory_info().rss / 1e6
