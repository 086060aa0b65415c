"""The whole job with one model: clips in, references learned, fusions out.

The engine knows no process and no queue; one thread owns it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from eutectic import audio
from eutectic.audio import Waveform
from eutectic.config import LearnSettings, Level, Place, SamplingSettings
from eutectic.engine import fusion, inversion
from eutectic.engine.adapter import Adapter, Switch
from eutectic.engine.inversion import Residual, Trajectory
from eutectic.engine.learn import Learned, learn
from eutectic.engine.model import Model, NetworkDenoiser
from eutectic.engine.noise import Noise
from eutectic.engine.sample import Sampler
from eutectic.engine.store import Store
from eutectic.engine.watch import UNWATCHED, Watch

BUCKET_FRAMES = 16
"""Latent lengths are whole multiples, so that clips of nearly one length share a prefix."""

MICRO_BATCH = 2
"""Rows a network call takes on a CPU, where more at once gain nothing."""

INVERSION_SEED_OFFSET = 0x5EED
"""The noise of an inversion is not the noise of the sampling it is injected into."""


@dataclass(frozen=True)
class Clip:
    """An encoded clip: its waveform at the model's rate, and x0, padded to a bucket."""

    waveform: Waveform
    latent: Float[Tensor, "1 channel frame"]
    loudness_lufs: float


@dataclass(frozen=True)
class Reference:
    """What the sampling is guided by: a prompt, the clip it stands for, and what was learned."""

    prompt: str
    clip: Clip
    adapter: Adapter | None


@dataclass(frozen=True)
class Fusion:
    """A fused sound of the original's length, and how it came about."""

    waveform: Waveform
    latent: Float[Tensor, "1 channel frame"]
    blend: float
    remaining: int
    """Network evaluations after the injection (0: none was needed; a row, not a batch)."""
    gain_db: float


class Engine:
    """One model with its store and its prefixes."""

    def __init__(self, model: Model, store: Store) -> None:
        self.model, self.store = model, store
        self._switch = Switch(model.network)
        self._prefixes: dict[tuple[object, ...], fusion.Prefix] = {}
        self.max_batch = MICRO_BATCH if model.device.type == "cpu" else None

    def encode(self, waveform: Waveform) -> Clip:
        """A clip's latent and loudness."""
        frames = self.model.codec.latent_frames(waveform.frames)
        bucket = -(-frames // BUCKET_FRAMES) * BUCKET_FRAMES
        latent = self.model.codec.encode(waveform, bucket)
        return Clip(waveform, latent, audio.loudness_lufs(waveform))

    def known(self, clip: Clip, prompt: str, settings: LearnSettings) -> Adapter | None:
        """What the store already has for these."""
        return self.store.get(self._key(clip, prompt, settings))

    def learn(
        self,
        clip: Clip,
        prompt: str,
        settings: LearnSettings,
        watch: Watch = UNWATCHED,
    ) -> Learned:
        """Learn a reference and keep it in the store, unless the budget cut it short.

        Raises:
            Cancelled: the watch was asked to stop.
            BadOutput: the store can't be written.
        """
        self._switch.activate(None)
        own = clip.latent[..., : self.model.codec.latent_frames(clip.waveform.frames)]
        learned = learn(
            self.model, own, prompt, clip.waveform.seconds, settings,
            {"audio": clip.waveform.digest}, watch,
        )  # fmt: skip
        if not learned.capped:
            self.store.put(self._key(clip, prompt, settings), learned.adapter)
        return learned

    def _key(self, clip: Clip, prompt: str, settings: LearnSettings) -> str:
        defaults = self.model.defaults["learn"]
        return Store.key(
            model=self.model.digest,
            audio=clip.waveform.digest,
            prompt=prompt,
            method=settings.method or defaults["method"],
            steps=settings.steps or defaults["steps"],
            rank=settings.rank,
            learning_rate=settings.learning_rate,
            seed=settings.seed,
        )

    def points(
        self, places: Sequence[Place], settings: SamplingSettings
    ) -> list[fusion.Injection | None]:
        """Where on the sampler's grid these places are (None: no injection).

        Raises:
            BadSetting: a place is off the grid.
        """
        sampler = self.model.sampler(settings)
        on_grid = settings.residual in ("ddim", "edit-friendly")
        return [_point(place, sampler, on_grid) for place in places]

    def fuse(
        self,
        original: Clip,
        reference: Reference,
        places: Sequence[Place],
        settings: SamplingSettings,
        level: Level = "match",
        watch: Watch = UNWATCHED,
    ) -> list[Fusion]:
        """Fuse at each place, as one fan over a shared prefix (Algorithm 1).

        Raises:
            Cancelled: the watch was asked to stop.
            BadSetting: a place is off the grid.
        """
        sampler = self.model.sampler(settings)
        points = self.points(places, settings)
        prefix = self._prefix(
            original,
            reference,
            settings,
            sampler,
            points,
            watch,
        )
        trajectory = self.invert(
            original,
            settings,
            sampler,
            watch,
        )
        self._switch.activate(reference.adapter)
        latents = fusion.fuse(
            self._denoiser(original, reference, settings),
            prefix,
            trajectory,
            points,
            self.max_batch,
            watch,
        )
        return [
            self._finish(latent, place, point, sampler, original, reference, level)
            for latent, place, point in zip(latents, places, points, strict=True)
        ]

    def sample_reference(
        self, reference: Reference, seconds: float, settings: SamplingSettings
    ) -> Waveform:
        """The reference's own sampling from its prompt alone, for a length."""
        frames = round(seconds * self.model.codec.rate_hz)
        latent_frames = self.model.codec.latent_frames(frames)
        sampler = self.model.sampler(settings)
        noise = self._noise(settings.seed, latent_frames)
        self._switch.activate(reference.adapter)
        denoiser = self._guided(reference.prompt, seconds, settings)
        prefix = fusion.Prefix.begin(sampler, noise).extend(denoiser, sampler.steps)
        samples = self.model.codec.decode(prefix.row.state, frames)
        return Waveform(samples, self.model.codec.rate_hz)

    def invert(
        self,
        original: Clip,
        settings: SamplingSettings,
        sampler: Sampler,
        watch: Watch = UNWATCHED,
    ) -> Trajectory:
        """The original's latents for injection; ddim and edit-friendly run the base network."""
        x0 = original.latent
        noise = self._noise(settings.seed ^ INVERSION_SEED_OFFSET, x0.shape[-1])
        kind = settings.residual
        if kind not in ("ddim", "edit-friendly"):
            residual = Residual(kind, settings.residual_amount, eta=sampler.eta)
            return inversion.invert(x0, sampler.grid.s_min, residual, noise, self.model.flow)
        self._switch.activate(None)
        condition = self.model.condition("", original.waveform.seconds).unprompted()
        denoiser = self.model.denoiser(condition)
        if kind == "ddim":
            return inversion.invert_ddim(
                denoiser,
                x0,
                sampler.grid,
                watch,
            )
        return inversion.invert_edit_friendly(
            denoiser,
            x0,
            sampler.grid,
            noise,
            watch,
        )

    def _prefix(
        self,
        original: Clip,
        reference: Reference,
        settings: SamplingSettings,
        sampler: Sampler,
        points: Sequence[fusion.Injection | None],
        watch: Watch,
    ) -> fusion.Prefix:
        frames = original.latent.shape[-1]
        key = (
            reference.adapter.digest if reference.adapter else None,
            reference.prompt,
            original.waveform.seconds,
            settings.negative,
            self._cfg(settings),
            settings.seed,
            sampler,
            frames,
        )
        prefix = self._prefixes.get(key)
        if prefix is None:
            prefix = fusion.Prefix.begin(sampler, self._noise(settings.seed, frames))
        until = fusion.needed(points, sampler)
        if until > prefix.row.index:
            self._switch.activate(reference.adapter)
            denoiser = self._denoiser(original, reference, settings)
            prefix = prefix.extend(
                denoiser,
                until,
                watch,
            )
        self._prefixes[key] = prefix
        return prefix

    def _denoiser(
        self, original: Clip, reference: Reference, settings: SamplingSettings
    ) -> NetworkDenoiser:
        return self._guided(reference.prompt, original.waveform.seconds, settings)

    def _guided(self, prompt: str, seconds: float, settings: SamplingSettings) -> NetworkDenoiser:
        negative = None
        if settings.negative is not None:
            negative = self.model.condition(settings.negative, seconds)
        return self.model.denoiser(
            self.model.condition(prompt, seconds), self._cfg(settings), negative
        )

    def _cfg(self, settings: SamplingSettings) -> float:
        return float(self.model.defaults["cfg"] if settings.cfg is None else settings.cfg)

    def _noise(self, seed: int, frames: int) -> Noise:
        return Noise(seed, self.model.codec.latent_channels, frames, self.model.device)

    def _finish(
        self,
        latent: Tensor,
        place: Place,
        point: fusion.Injection | None,
        sampler: Sampler,
        original: Clip,
        reference: Reference,
        level: Level,
    ) -> Fusion:
        samples = self.model.codec.decode(latent, original.waveform.frames)
        raw = Waveform(samples, self.model.codec.rate_hz)
        remaining = 0 if point is None else point.remaining(sampler)
        blend = place.blend
        if blend is None:
            blend = 0.0 if point is None else fusion.survival(point, sampler)
        if level == "raw":
            return Fusion(raw, latent, blend, remaining, 0.0)
        target = blend * original.loudness_lufs + (1 - blend) * reference.clip.loudness_lufs
        matched, gain = audio.match_loudness(raw, target)
        return Fusion(matched, latent, blend, remaining, audio.gain_to_db(gain))


def _point(place: Place, sampler: Sampler, on_grid: bool) -> fusion.Injection | None:
    if place.blend is not None:
        return fusion.at_blend(place.blend, sampler, on_grid)
    assert place.remaining is not None
    return fusion.at_remaining(place.remaining, sampler)
