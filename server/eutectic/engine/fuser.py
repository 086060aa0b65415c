"""The latents of fusions: Algorithm 1 with one model, from memory, from its network, or both."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from jaxtyping import Float
from torch import Tensor

from eutectic.config import Place, SamplingSettings, check_guided
from eutectic.engine import fusion, inversion
from eutectic.engine.adapter import Adapter
from eutectic.engine.clips import Clip
from eutectic.engine.denoiser import Denoiser
from eutectic.engine.inversion import OnGrid, Residual, Trajectory
from eutectic.engine.model import Model, NetworkDenoiser
from eutectic.engine.noise import Noise
from eutectic.engine.recall import Memory, Recalling, fit, remember
from eutectic.engine.sample import Sampler
from eutectic.engine.shrinkage import NETWORK, Shrinkage
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.system.cache import Cache

MICRO_BATCH = 2
"""Rows per network call on a CPU, where larger batches are no faster."""

NETWORK_RESIDUALS = ("ddim", "edit-friendly", "rf-inversion")
"""Inversions that evaluate the network, and exist only at their grid's levels."""

GAMMA = 0.5
"""Of RF-inversion, as published."""

INVERSION_SEED_OFFSET = 0x5EED
"""Keeps an inversion's noise apart from the noise of the sampling it is injected into."""


@dataclass(frozen=True)
class Reference:
    """What guides the sampling: a prompt, the clip that is remembered, and the weights learned.

    Without an adapter the base weights sample the prompt, as far as the network takes part. Without
    a clip, which LoRA files needn't have, there is no memory, and recall is 0.
    """

    prompt: str
    clip: Clip | None
    adapter: Adapter | None

    @property
    def remembered(self) -> Clip:
        """The clip, where there must be one."""
        assert self.clip is not None
        return self.clip


Entry = tuple[Clip, Place]
"""An original, and where it enters."""


@dataclass(frozen=True)
class FusedLatent:
    """A fusion before decoding, and the settings it was made with; `remaining` as in `Fusion`."""

    latent: Float[Tensor, "1 channel frame"]
    blend: float
    remaining: int | None
    settings: SamplingSettings


class Fuser:
    """Samples, inverts and injects; owned by the thread that owns the model."""

    def __init__(self, model: Model, cache: Cache[Hashable, Any]) -> None:
        self.model, self.cache = model, cache
        self.max_batch = MICRO_BATCH if model.device.type == "cpu" else None

    def plan(
        self,
        places: Sequence[Place],
        settings: SamplingSettings,
        shrinkage: Shrinkage = NETWORK,
    ) -> tuple[Sampler, list[fusion.Injection | None]]:
        """The sampler, and for each place the injection on its grid (None: no injection).

        Raises:
            BadSetting: a place is off the grid, or a setting has no meaning with this model.
        """
        check_guided(settings.negative, self._cfg(settings))
        sampler = self.model.sampler(settings)
        on_grid = settings.residual in NETWORK_RESIDUALS
        return sampler, [fusion.at_place(place, sampler, on_grid, shrinkage) for place in places]

    def shrinkage(self, reference: Reference, settings: SamplingSettings) -> Shrinkage:
        """Recall and slack: those of the settings, else the model's.

        As long as nothing has been learned, a recall that is left open is 1.
        """
        slack = settings.slack
        recall = self.model.recall(settings)
        if settings.recall is None and reference.adapter is None:
            recall = 1.0
        if reference.clip is None:
            recall = 0.0
        return Shrinkage(recall, self.model.defaults.slack if slack is None else slack)

    def settled(self, reference: Reference, settings: SamplingSettings) -> SamplingSettings:
        """The same settings, with the model's wherever they leave it open."""
        names = ["steps", "cfg"]
        if settings.residual != "edit-friendly":  # which has its own
            names += ["order", "solver", "eta"]
        chosen = {
            name: getattr(self.model.defaults, name)
            for name in names
            if getattr(settings, name) is None
        }
        kept = self.shrinkage(reference, settings)
        return replace(settings, **chosen, recall=kept.recall, slack=kept.slack)

    def latents(
        self,
        original: Clip,
        reference: Reference,
        places: Sequence[Place],
        settings: SamplingSettings,
        watch: Watch = UNWATCHED,
        apart: bool = False,
    ) -> list[FusedLatent]:
        """The latents that `fuse` decodes, one for each place, of the original's bucket.

        `apart`: on a CPU no evaluation is shared. That takes a little longer, and a fusion is the
        same to the bit whatever is made with it, which it isn't where matrices have other shapes.

        Raises:
            Cancelled: by the watch.
            BadSetting: a place is off the grid.
        """
        every = [(original, place) for place in places]
        return self.latents_together(every, reference, settings, watch, apart)

    def latents_together(
        self,
        every: Sequence[Entry],
        reference: Reference,
        settings: SamplingSettings,
        watch: Watch = UNWATCHED,
        apart: bool = False,
    ) -> list[FusedLatent]:
        """The same for any originals of one bucket, which share network evaluations.

        Raises:
            Cancelled: by the watch.
            BadSetting: a place is off the grid.
        """
        shrinkage = self.shrinkage(reference, settings)
        sampler, injections = self.plan([place for _, place in every], settings, shrinkage)
        if shrinkage.recall == 1:
            latents = self._remember(every, reference, settings, shrinkage)
        else:
            originals = [original for original, _ in every]
            rows = 1 if apart and self.max_batch else self.max_batch
            latents = self._sample(
                originals, reference, sampler, injections, settings, shrinkage, rows, watch
            )
            if every[0][0].latent.shape[1] > self.model.codec.network_channels:
                details = [original.latent for original, _ in every]
                if reference.clip is not None:
                    details = self._remember(every, reference, settings, shrinkage)
                latents = list(map(self.model.codec.complete, latents, details))
        return [
            FusedLatent(
                latent,
                fusion.blend_at(place, injection, sampler, shrinkage),
                None if injection is None else injection.remaining(sampler),
                settings,
            )
            for latent, (_, place), injection in zip(latents, every, injections, strict=True)
        ]

    def _sample(
        self,
        originals: Sequence[Clip],
        reference: Reference,
        sampler: Sampler,
        injections: Sequence[fusion.Injection | None],
        settings: SamplingSettings,
        shrinkage: Shrinkage,
        rows: int | None,
        watch: Watch,
    ) -> list[Float[Tensor, "1 channel frame"]]:
        """Fusions of the channels that the network sees, one for each original and injection.

        `rows`: those that share an evaluation at most.
        """
        first, frames = originals[0], originals[0].latent.shape[-1]
        denoiser: Denoiser = self.denoiser(first, reference, settings)
        if shrinkage.recall > 0:
            memory = self._memory(first, reference, settings, shrinkage)
            memory = Memory(self.model.codec.seen(memory.latent), memory.slack)
            denoiser = Recalling(denoiser, memory, shrinkage.recall)
        key = self._prefix_key(reference, settings, sampler, frames, shrinkage)
        prefix: fusion.Prefix | None = self.cache.get(key)
        if prefix is None:
            prefix = fusion.Prefix.begin(sampler, self.noise(settings.seed, frames))
        prefix = prefix.extend(denoiser, fusion.needed(injections, sampler), watch)
        self.cache.put(key, prefix, prefix.nbytes)
        inverted = {
            name: self.invert(original, settings, sampler, watch)
            for name, original in {id(each): each for each in originals}.items()
        }
        every = [(inverted[id(each)], at) for each, at in zip(originals, injections, strict=True)]
        return fusion.fuse_all(denoiser, prefix, every, rows, watch)

    def _remember(
        self,
        every: Sequence[Entry],
        reference: Reference,
        settings: SamplingSettings,
        shrinkage: Shrinkage,
    ) -> list[Float[Tensor, "1 channel frame"]]:
        """Fusions of all channels by memory alone, which evaluates no network.

        Inversions that would evaluate it are clean here.
        """
        sampler = self.model.sampler(settings)
        alone = Shrinkage(1.0, shrinkage.slack)
        kind = "clean" if settings.residual in NETWORK_RESIDUALS else settings.residual
        residual = Residual(kind, settings.residual_amount, eta=sampler.eta)
        _, channels, frames = every[0][0].latent.shape
        memory = self._memory(every[0][0], reference, settings, shrinkage)
        noise = self.noise(settings.seed ^ INVERSION_SEED_OFFSET, frames, channels)
        own = self.noise(settings.seed, frames, channels)
        latents: list[Tensor] = []
        for _, group in groupby(every, key=lambda entry: id(entry[0])):
            entries = list(group)
            injections = [fusion.at_place(place, sampler, shrinkage=alone) for _, place in entries]
            x0 = entries[0][0].latent
            trajectory = inversion.invert(x0, sampler.grid.s_min, residual, noise, self.model.flow)
            latents += remember(memory, trajectory, injections, sampler, own)
        return latents

    def _memory(
        self,
        original: Clip,
        reference: Reference,
        settings: SamplingSettings,
        shrinkage: Shrinkage,
    ) -> Memory:
        """The reference's clip at the original's length."""
        codec, clip = self.model.codec, reference.remembered
        start = round(settings.start * codec.rate_hz / codec.ratio)
        own_frames = codec.latent_frames(clip.waveform.frames)
        latent = fit(clip.latent, own_frames, original.latent.shape[-1], start)
        return Memory(latent, shrinkage.slack)

    def invert(
        self,
        original: Clip,
        settings: SamplingSettings,
        sampler: Sampler,
        watch: Watch = UNWATCHED,
    ) -> Trajectory:
        """The original's trajectory in the channels that the network sees.

        ddim, edit-friendly and rf-inversion evaluate the base network.
        """
        x0 = self.model.codec.seen(original.latent)
        noise = self.noise(settings.seed ^ INVERSION_SEED_OFFSET, x0.shape[-1])
        kind = settings.residual
        if kind not in NETWORK_RESIDUALS:
            residual = Residual(kind, settings.residual_amount, eta=sampler.eta)
            return inversion.invert(x0, sampler.grid.s_min, residual, noise, self.model.flow)
        amount = settings.residual_amount if kind == "rf-inversion" else None
        key = (original.waveform.digest, kind, settings.seed, sampler, amount)
        inverted: OnGrid | None = self.cache.get(key)
        if inverted is None:
            condition = self.model.condition("", self.seconds(original)).unprompted()
            denoiser = self.model.denoiser(condition)
            if kind == "ddim":
                inverted = inversion.invert_ddim(denoiser, x0, sampler.grid, watch)
            elif amount is not None:
                target, gamma = noise.initial(), GAMMA * amount
                inverted = inversion.invert_rf(denoiser, x0, sampler.grid, target, gamma, watch)
            else:
                inverted = inversion.invert_edit_friendly(denoiser, x0, sampler, noise, watch)
            self.cache.put(key, inverted, inverted.nbytes)
        return inverted

    def _prefix_key(
        self,
        reference: Reference,
        settings: SamplingSettings,
        sampler: Sampler,
        frames: int,
        shrinkage: Shrinkage,
    ) -> tuple[object, ...]:
        """Names the reference's own sampling in the cache: all that it depends on."""
        adapter = reference.adapter and (reference.adapter.digest, settings.strength_or_whole)
        cfg, apg = self._cfg(settings), self._apg(settings)
        memory = None
        if shrinkage.recall:
            memory = (shrinkage, reference.remembered.waveform.digest, settings.start)
        return (
            adapter, reference.prompt, settings.negative, cfg, apg, settings.seed, sampler, frames,
            memory,
        )  # fmt: skip

    def denoiser(
        self, original: Clip, reference: Reference, settings: SamplingSettings
    ) -> NetworkDenoiser:
        """The reference's denoiser at the original's length."""
        weights, strength = reference.adapter, settings.strength_or_whole
        seconds, negative = self.seconds(original), None
        if settings.negative is not None:
            negative = self.model.condition(settings.negative, seconds, weights, strength)
        condition = self.model.condition(reference.prompt, seconds, weights, strength)
        cfg, apg = self._cfg(settings), self._apg(settings)
        return self.model.denoiser(condition, cfg, negative, weights, apg, strength)

    def seconds(self, clip: Clip) -> float:
        """The length that the network is conditioned on: the bucket's."""
        return clip.latent.shape[-1] * self.model.codec.ratio / self.model.codec.rate_hz

    def _cfg(self, settings: SamplingSettings) -> float:
        return self.model.defaults.cfg if settings.cfg is None else settings.cfg

    def _apg(self, settings: SamplingSettings) -> float:
        return self.model.defaults.apg if settings.apg is None else settings.apg

    def noise(self, seed: int, frames: int, channels: int | None = None) -> Noise:
        """A seed's noise for latents of this many frames; default: as the network sees them."""
        channels = channels or self.model.codec.network_channels
        return Noise(seed, channels, frames, self.model.device)
