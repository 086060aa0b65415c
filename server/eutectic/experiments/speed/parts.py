"""The functions that are timed, for one clip, one prompt and one sampler, without the daemon."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import platform
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from eutectic.audio import Waveform
from eutectic.config import SamplingSettings
from eutectic.engine import fusion
from eutectic.engine.engine import Engine, bucket_frames
from eutectic.engine.inversion import Residual, invert, invert_ddim, invert_edit_friendly
from eutectic.engine.noise import Noise
from eutectic.experiments.speed.floors import Machine, operations
from eutectic.experiments.speed.pipeline import Pipeline, is_known

PROMPT = "a metallic drone"
FAN_BLENDS = (0.1, 0.3, 0.5, 0.7, 0.9)
WIDE_FAN_BLENDS = tuple(round(0.1 * tenth, 1) for tenth in range(1, 10))


class Parts:
    """The engine's parts, and what they are compared with, for one clip, prompt and sampler."""

    def __init__(self, engine: Engine, seconds: float, settings: SamplingSettings) -> None:
        self.engine, self.model = engine, engine.model
        codec = self.model.codec
        frames = codec.latent_frames(round(seconds * codec.rate_hz))
        self.frames = -(-frames // bucket_frames(codec)) * bucket_frames(codec)
        self.seconds, self.steps = seconds, settings.steps
        settings = replace(settings, order=2, eta=1.0)  # the paper's, whatever plays by default
        self.sampler = self.model.sampler(settings)
        self.cfg = self.model.defaults.cfg
        self.noise = Noise(0, codec.network_channels, self.frames, self.model.device)
        condition = self.model.condition(PROMPT, seconds)
        self.denoiser = self.model.denoiser(condition, self.cfg)
        self.unguided = self.model.denoiser(condition.unprompted())
        noise = np.random.default_rng(0).standard_normal(
            (codec.channels, round(seconds * codec.rate_hz))
        )
        self.clip = engine.encode(Waveform((0.1 * noise).astype(np.float32), codec.rate_hz))
        self.x0 = codec.seen(codec.encode(self.clip.waveform, self.frames))
        self.trajectory = invert(
            self.x0, self.sampler.grid.s_min, Residual(), self.noise, self.model.flow
        )
        self.middle = fusion.at_blend(0.5, self.sampler)
        self.prefix = self.new_prefix(self.sampler.steps)

    @property
    def described(self) -> str:
        """The model, settings and machine that are timed, in one line."""
        device, versions = self.model.device, f"torch {torch.__version__}"
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
        tools = importlib.metadata.version("stable-audio-tools")
        return (
            f"{self.model.name}, {self.seconds:g} s, {self.sampler.steps} steps, cfg {self.cfg:g}, "
            f"{self.dtype}; {name}, {torch.get_num_threads()} threads, Python "
            f"{platform.python_version()}, {versions}, stable-audio-tools {tools}"
        )

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the network's matrix products."""
        return torch.bfloat16 if self.model.bfloat16 else torch.float32

    def evaluation_floor(self, machine: Machine) -> float:
        """Least seconds for a network evaluation of one row, with its guidance."""
        sigma = torch.ones(1, dtype=torch.float64)
        with torch.no_grad(), self.model.plainly():
            count = operations(lambda: self.denoiser(self.x0, sigma))
        weights = sum(weight.numel() for weight in self.model.network.parameters())
        return machine.floor_seconds(count, weights * self.dtype.itemsize)

    def encode(self) -> Any:
        """Encode the clip."""
        return self.model.codec.encode(self.clip.waveform, self.frames)

    def sample_latent(self) -> Any:
        """Run the reference's whole sampling."""
        return self.new_prefix(self.sampler.steps)

    def new_prefix(self, until: int) -> fusion.Prefix:
        """Run the reference's sampling from the top to a grid level."""
        return fusion.Prefix.begin(self.sampler, self.noise).extend(self.denoiser, until)

    def sample(self) -> Any:
        """Run the reference's whole sampling, and decode it."""
        prefix = self.new_prefix(self.sampler.steps)
        return self.model.codec.decode(prefix.row.state)

    @property
    def has_peer(self) -> bool:
        """Whether stable-audio-tools' own generator samples this model (the toy isn't its)."""
        return self.model.name != "toy"

    def generate(self) -> Any:
        """Do the same by stable-audio-tools: same model, steps, guidance, length and device."""
        from stable_audio_tools.inference import generation

        inpaints = getattr(self.model.wrapper, "local_add_cond_ids", ())
        generate: Any = (
            generation.generate_diffusion_cond_inpaint
            if inpaints
            else generation.generate_diffusion_cond
        )
        options: dict[str, Any] = {"apg_scale": 0.0}
        if not self.model.flow:
            grid = self.sampler.grid
            options |= {
                "sampler_type": "dpmpp-2m-sde", "sigma_min": grid.s_min, "sigma_max": grid.s_max
            }  # fmt: skip
        elif self.sampler.solver == "pingpong":
            options |= {"sampler_type": "pingpong"}
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
            # It can decode, too, but expects parameters in a codec that may have none.
            return self.model.wrapper.pretransform.decode(latents).cpu()

    @cached_property
    def pipeline(self) -> Pipeline | None:
        """diffusers' pipeline with the same weights; None if it can't run this model."""
        if not is_known(self.model):
            return None
        return Pipeline(self.model, self.frames, self.seconds, self.sampler.grid)

    def generate_latent(self) -> Any:
        """Run the reference's sampling by diffusers."""
        assert self.pipeline is not None
        return self.pipeline.generate(self.sampler.steps, self.cfg)

    def fuse_warm(self) -> Any:
        """Fuse at blend 0.5, given the prefix."""
        return self.fuse_from(self.prefix, [self.middle])

    def fuse_whole(self) -> Any:
        """Run Algorithm 1 from its first step, with the same injection."""
        until = fusion.needed([self.middle], self.sampler)
        return self.fuse_from(self.new_prefix(until), [self.middle])

    def trigger(self) -> Any:
        """Fuse at blend 0.5, given the prefix, and decode the first chunk."""
        (latent,) = self.fuse_warm()
        return next(self.model.codec.stream(latent))

    def trigger_whole(self) -> Any:
        """Fuse at blend 0.5, given the prefix, and decode it all."""
        (latent,) = self.fuse_warm()
        return self.model.codec.decode(latent)

    def fan(self, blends: tuple[float, ...] = FAN_BLENDS) -> Any:
        """Fuse at several blends as one fan."""
        return self.fuse_from(self.prefix, self.points(blends))

    def fan_singly(self, blends: tuple[float, ...] = FAN_BLENDS) -> Any:
        """Fuse at the same blends one after another."""
        return [self.fuse_from(self.prefix, [point]) for point in self.points(blends)]

    def points(self, blends: tuple[float, ...]) -> list[fusion.Injection | None]:
        """The injections of these blends."""
        return [fusion.at_blend(blend, self.sampler) for blend in blends]

    def fuse_from(
        self, prefix: fusion.Prefix, points: list[fusion.Injection | None]
    ) -> list[Tensor]:
        """Fuse as one fan; returns the latents."""
        batch = self.engine.fuser.max_batch
        return fusion.fuse(self.denoiser, prefix, self.trajectory, points, batch)

    def invert(self) -> Any:
        """Invert to every level of the grid, in closed form."""
        closed = invert(self.x0, self.sampler.grid.s_min, Residual(), self.noise, self.model.flow)
        return [closed.at(sigma) for sigma in self.sampler.grid.sigmas if 0 < sigma < float("inf")]

    def invert_ddim(self) -> Any:
        """Invert to the same levels by DDIM, with one network evaluation each."""
        return invert_ddim(self.unguided, self.x0, self.sampler.grid)

    def invert_edit_friendly(self) -> Any:
        """Invert to the same levels by edit-friendly DDPM, with one network evaluation each."""
        return invert_edit_friendly(self.unguided, self.x0, self.sampler, self.noise)


def processor() -> str:
    """The CPU's name, if the system reports it."""
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
