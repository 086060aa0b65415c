"""Many fusions: `eutectic render`, and what it replaces, in one run (`eutectic bench`).

Every way starts from nothing but the sounds: with its own processes, its own model to load, and an
empty store. Only the library's generator is timed without its start, in this process.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from eutectic.audio import Waveform, load_clip, save_wav
from eutectic.config import SamplingSettings
from eutectic.engine.engine import Engine, bucket_frames
from eutectic.engine.model import Model
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.errors import BadInput
from eutectic.experiments.report import Row, Table, median
from eutectic.experiments.speed.parts import PROMPT, processor
from eutectic.system.limits import processors

ORIGINALS, BLENDS = 12, (0.1, 0.3, 0.5, 0.7, 0.9)
"""What is fused with one reference."""

LOOPED = 3
"""Fusions of the ways that cost the same each time."""

RECALL = 0.5
"""So that the network takes part without learning."""


@dataclass(frozen=True)
class Many:
    """What is measured: a model, the length of all sounds, and the sampler's steps."""

    engine: Engine
    seconds: float
    steps: int | None


@dataclass(frozen=True)
class Sounds:
    """Originals and a reference on the disk."""

    folder: Path
    originals: tuple[Path, ...]
    reference: Path
    seconds: float


@dataclass(frozen=True)
class _Way:
    """A way to make `fusions` of them; `run` takes the seconds that are counted."""

    name: str
    fusions: int
    run: Callable[[], float]


def measure(many: Many, rounds: int, watch: Watch = UNWATCHED) -> Table:
    """Time each way in turn, round after round; ratios are taken within a round.

    Raises:
        BadInput: a command fails.
        Cancelled: the watch was asked to stop.
    """
    with tempfile.TemporaryDirectory() as temporary:
        sounds = write(Path(temporary), many.seconds, many.engine.model)
        ways = _ways(many, sounds)
        rates = [_round(ways, watch, number, rounds) for number in range(rounds)]
    rows: list[Row] = []
    for place, way in enumerate(ways):
        over = [median(a[place] / a[other] for a in rates) for other in (0, 1, -1)]
        rate = median(a[place] for a in rates)
        rows.append((way.name, way.fusions, 60 * rate, many.seconds * rate, *over))
    columns = (
        "way", "fusions", "fusions/min", "s of sound/s", "over a process each", "over one fuse",
        f"over {ways[-1].name}",
    )  # fmt: skip
    model = many.engine.model
    notes = (
        f"{model.name}, {many.seconds:g} s, {model.sampler(_sampling(many)).steps} steps, recall "
        f"{RECALL:g}, {len(BLENDS)} blends; {processor()}, {processors()} processors",
    )  # fmt: skip
    return Table("throughput: many fusions, start included", columns, tuple(rows), notes)


def _round(ways: Sequence[_Way], watch: Watch, number: int, rounds: int) -> list[float]:
    """Fusions per second of each way."""
    rates: list[float] = []
    for place, way in enumerate(ways):
        watch.checkpoint()
        rates.append(way.fusions / way.run())
        watch.progress(number * len(ways) + place + 1, rounds * len(ways))
    return rates


def _ways(many: Many, sounds: Sounds) -> list[_Way]:
    all_of_them = ORIGINALS * len(BLENDS)
    blends = ",".join(map(str, BLENDS))

    def commands(*each: list[str]) -> float:
        with tempfile.TemporaryDirectory(dir=sounds.folder) as data:
            return sum(_timed([*words, *_options(many)], Path(data)) for words in each)

    def loop() -> float:
        return commands(*(
            ["fuse", str(original), str(sounds.reference), "-o", f"out-{place}.wav", "--alone",
             "--blend", str(BLENDS[place % len(BLENDS)])]
            for place, original in enumerate(sounds.originals[:LOOPED])
        ))  # fmt: skip

    def fuse() -> float:
        files = [*map(str, sounds.originals), str(sounds.reference)]
        return commands(["fuse", *files, "-o", "out/", "--alone", "--blends", blends])

    def render(workers: int) -> Callable[[], float]:
        words = ["render", "-o", "out", "--blends", blends, "--workers", str(workers)]
        for original in sounds.originals:
            words += ["--original", str(original)]
        words += ["--reference", str(sounds.reference), "--format", "wav", "--no-gallery"]
        return lambda: commands(words)

    ways = [_Way("eutectic fuse, a process each", LOOPED, loop)]
    ways.append(_Way("eutectic fuse, one process", all_of_them, fuse))
    for workers in range(1, processors() + 1):
        name = f"eutectic render, {workers} worker{'s' * (workers > 1)}"
        ways.append(_Way(name, all_of_them, render(workers)))
    if many.engine.model.name != "toy":  # which isn't the library's
        ways.append(_Way("generate_diffusion_cond", LOOPED, lambda: _generate(many, sounds)))
    return ways


def _options(many: Many) -> list[str]:
    model = many.engine.model
    options = ["--model", model.name, "--compute", model.device.type]
    options += ["--no-learn", "--recall", str(RECALL)]
    return options if many.steps is None else [*options, "--steps", str(many.steps)]


def _timed(words: list[str], data: Path) -> float:
    """Seconds that a command takes, in a folder of its own.

    Raises:
        BadInput: it fails.
    """
    environment = os.environ | {"EUTECTIC_DATA": str(data / "data")}
    began = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", "eutectic", *words], cwd=data, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ended.returncode:
        raise BadInput(f"eutectic {words[0]}: failed: {ended.stderr.strip()[-500:]}")
    return time.perf_counter() - began


def write(folder: Path, seconds: float, model: Model) -> Sounds:
    """Bursts of noise, each of its own rhythm."""
    rate_hz, channels = model.codec.rate_hz, model.codec.channels
    generator, frames = np.random.default_rng(0), round(seconds * model.codec.rate_hz)
    paths: list[Path] = []
    for number in range(ORIGINALS + 1):
        period = rate_hz // (2 + number)
        falling = np.exp(-8 * (np.arange(frames) % period) / period)
        noise = 0.2 * falling * generator.standard_normal((channels, frames))
        paths.append(folder / f"{number:02d}.wav")
        save_wav(paths[-1], Waveform(noise.astype(np.float32), rate_hz))
    return Sounds(folder, tuple(paths[1:]), paths[0], seconds)


def _generate(many: Many, sounds: Sounds) -> float:
    """Seconds of the library's own audio-to-audio: same model, steps, guidance, length, device."""
    from stable_audio_tools.inference import generation

    model, sampler = many.engine.model, many.engine.model.sampler(_sampling(many))
    codec = model.codec
    multiple = bucket_frames(codec)
    frames = -(-codec.latent_frames(round(sounds.seconds * codec.rate_hz)) // multiple) * multiple
    options: dict[str, Any] = {}
    if not model.flow:
        options |= {"sampler_type": "dpmpp-2m-sde", "sigma_min": sampler.grid.s_min}
    clips = [load_clip(path, codec.rate_hz, codec.channels) for path in sounds.originals[:LOOPED]]
    generate: Any = generation.generate_diffusion_cond
    began = time.perf_counter()
    for clip in clips:
        with _quietly(), _seen_alone(model):
            latents = generate(
                model.wrapper, steps=sampler.steps, cfg_scale=model.defaults.cfg,
                conditioning=[{
                    "prompt": PROMPT, "seconds_start": 0, "seconds_total": sounds.seconds
                }],
                sample_size=frames * codec.ratio, seed=0, device=str(model.device),
                init_audio=(codec.rate_hz, torch.from_numpy(clip.samples)), init_noise_level=1.0,
                return_latents=True, apg_scale=0.0, **options,
            )  # fmt: skip
        codec.decode(latents, clip.frames)
    return time.perf_counter() - began


@contextlib.contextmanager
def _seen_alone(model: Model) -> Generator[None]:
    """The codec encodes only the channels that the network sees, which the library knows."""
    pretransform, channels = model.wrapper.pretransform, model.codec.network_channels
    encode = pretransform.encode

    def seen(audio: Tensor) -> Tensor:
        return encode(audio)[:, :channels]

    pretransform.encode = seen
    try:
        yield
    finally:
        del pretransform.encode


@contextlib.contextmanager
def _quietly() -> Generator[None]:
    """Without what the library prints, and with random numbers of its own."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        torch.random.fork_rng(devices=[]),
    ):
        yield


def _sampling(many: Many) -> SamplingSettings:
    return SamplingSettings(steps=many.steps, recall=RECALL)
