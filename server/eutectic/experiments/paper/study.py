"""What every experiment works with: a model, shipped clips, a folder, and earlier results."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import soundfile
from torch import Tensor

from eutectic import audio
from eutectic.audio import Waveform
from eutectic.config import LearnSettings, Method, Place, SamplingSettings
from eutectic.engine import window
from eutectic.engine.clips import Clip
from eutectic.engine.distances import log_mel_distance
from eutectic.engine.engine import Engine, Fusion
from eutectic.engine.fuser import Reference
from eutectic.engine.sample import Sampler
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.experiments.quality.measures import spectral_flatness_db
from eutectic.experiments.quality.recordings import Recording
from eutectic.experiments.report import Ledger, Table
from eutectic.files.shipped import presets_folder

PAPER_STEPS = 200
"""The paper's times t count its steps from the first on."""

Figures = dict[str, Any]
Tables = tuple[Table, Table]
"""All figures, for the CSV file, and a summary."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Sound:
    """A sound and what was measured on it."""

    waveform: Waveform
    figures: Figures


@dataclass(frozen=True)
class Study:
    """The making of one figure.

    `folder` receives its sounds and `figures.jsonl`, from which an interrupted run resumes.
    References are learned once, into the engine's store. `seconds` is the length of the clips
    (shorter ones are looped), `steps` the sampler's; all randomness follows from `seed`.
    """

    engine: Engine
    folder: Path
    seconds: float = 6.0
    steps: int = 50
    seed: int = 0
    watch: Watch = UNWATCHED
    made: dict[str, Any] = field(default_factory=dict)
    """Clips, round trips and references already in memory."""

    @cached_property
    def ledger(self) -> Ledger:
        """What was measured before, with any settings."""
        return Ledger(self.folder / "figures.jsonl")

    @property
    def quiet(self) -> Watch:
        """A watch that cancels but reports no progress, for work within one item."""
        return Watch(self.watch.cancelled)

    def each(self, items: Sequence[Item]) -> Generator[Item]:
        """The items in turn, reporting progress after each.

        Raises:
            Cancelled: the watch was asked to stop.
        """
        for done, item in enumerate(items, start=1):
            self.watch.checkpoint()
            yield item
            self.watch.progress(done, len(items))

    def settings(self, **chosen: Any) -> SamplingSettings:
        """The paper's sampling, order 2 of the SDE without recall, but for the chosen settings."""
        usual: dict[str, Any] = {
            "seed": self.seed, "steps": self.steps, "order": 2, "eta": 1.0, "solver": "midpoint",
            "recall": 0.0,
        }  # fmt: skip
        return SamplingSettings(**(usual | chosen))

    def sampler(self, **chosen: Any) -> Sampler:
        """The sampler of `settings`."""
        return self.engine.model.sampler(self.settings(**chosen))

    def remaining(self, share: float) -> int:
        """Steps left at a share of the grid; at most from its first finite level on."""
        grid = self.sampler().grid
        return min(round(share * grid.steps), grid.steps - grid.first_finite)

    def clip(self, name: str) -> Clip:
        """A shipped clip, at the study's length."""

        def make() -> Clip:
            codec = self.engine.model.codec
            path = presets_folder("clips") / f"{name}.flac"
            whole = audio.load_clip(path, codec.rate_hz, codec.channels)
            return self.engine.encode(Recording(name, whole).section(self.seconds))

        return self._once(f"clip {name}", make)

    def trip(self, name: str) -> Waveform:
        """A shipped clip through the codec alone."""
        return self._once(f"trip {name}", lambda: window.round_trip(self.engine, self.clip(name)))

    @staticmethod
    def prompt(name: str) -> str:
        """The prompt that a shipped clip is learned with: its name in words."""
        return name.replace("_", " ")

    def learned(self, name: str, method: Method | None = None) -> Reference:
        """A shipped clip as reference, learned by this method (None: the model's default)."""

        def make() -> Reference:
            clip, prompt = self.clip(name), self.prompt(name)
            settings = LearnSettings(method, seed=self.seed)
            adapter = self.engine.find_adapter(clip, prompt, settings)
            if adapter is None:
                adapter = self.engine.learn(clip, prompt, settings, self.quiet).adapter
            return Reference(prompt, clip, adapter)

        return self._once(f"reference {name} {method}", make)

    def _once(self, key: str, make: Callable[[], Item]) -> Item:
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]

    def figures(self, name: str, make: Callable[[], Figures]) -> Figures:
        """The figures of this name, made now unless they are known with these settings."""
        return self.ledger.get(make, **self._key(name))

    def sound(self, name: str, make: Callable[[], Sound]) -> Sound:
        """The sound of this name: its WAV and figures, made now if either is missing.

        A WAV other than the one its figures were measured on, made with other settings, is
        replaced.
        """
        key = self._key(name)
        known, kept = self.ledger.find(**key), _read(self.folder / f"{name}.wav")
        if known is not None and kept is not None and kept.digest == known["digest"]:
            return Sound(kept, known["figures"])
        made = make()
        kept = self.keep(name, made.waveform)
        self.ledger.put({"digest": kept.digest, "figures": made.figures}, **key)
        return Sound(kept, made.figures)

    def keep(self, name: str, waveform: Waveform) -> Waveform:
        """Write a sound; returns it."""
        path = self.folder / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        audio.save_wav(path, waveform)
        return waveform

    def _key(self, name: str) -> dict[str, Any]:
        model = self.engine.model
        return {
            "name": name, "model": model.digest, "device": model.device.type,
            "bfloat16": model.bfloat16, "seconds": self.seconds, "steps": self.steps,
            "seed": self.seed,
        }  # fmt: skip


def _read(path: Path) -> Waveform | None:
    """A WAV that a study wrote; None if it is missing or damaged."""
    try:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError):
        return None
    return Waveform(samples.T.astype(np.float32), rate_hz)


def as_loud(study: Study, latent: Tensor, name: str) -> Waveform:
    """A latent decoded, as loud as a clip; what the network doesn't see is the clip's own."""
    clip, codec = study.clip(name), study.engine.model.codec
    whole = codec.complete(codec.seen(latent), clip.latent)
    raw = Waveform(codec.decode(whole, clip.waveform.frames), codec.rate_hz)
    return audio.match_loudness(raw, clip.loudness_lufs)[0]


def reconstruct(study: Study, label: str, name: str, remaining: int, **chosen: Any) -> Sound:
    """Sample with the null prompt, injecting a clip's inverted latent with `remaining` steps left.

    `label` names the sound; `chosen` settings override the study's. The sound is as loud as the
    clip; its figures are those of `against`.
    """

    def make() -> Sound:
        clip, settings = study.clip(name), study.settings(cfg=0.0, **chosen)
        null, place = Reference("", clip, None), Place(remaining=remaining)
        (made,) = study.engine.fuse(clip, null, [place], settings, watch=study.quiet)
        return Sound(made.waveform, against(study, made, name))

    return study.sound(label, make)


def against(study: Study, made: Fusion, name: str) -> Figures:
    """Distances of a sample from a clip.

    - `log_mel`: distance from the codec's round trip
    - `latent_error`: as `latent_error` defines it
    - `flatness_db`: spectral flatness over the round trip's; noise raises it
    - `gain_db`: the gain that matched it to the clip's loudness
    """
    trip = study.trip(name)
    return {
        "log_mel": log_mel_distance(made.waveform, trip),
        "latent_error": latent_error(study, made.latent, name),
        "flatness_db": spectral_flatness_db(made.waveform) - spectral_flatness_db(trip),
        "gain_db": made.gain_db,
    }


def latent_error(study: Study, latent: Tensor, name: str) -> float:
    """RMS of the difference between a latent and a clip's, over the RMS of the clip's.

    In the channels that the network sees.
    """
    clip, codec = study.clip(name), study.engine.model.codec
    own = codec.seen(clip.latent)[..., : codec.latent_frames(clip.waveform.frames)]
    difference = codec.seen(latent)[..., : own.shape[-1]] - own
    return float(difference.square().mean().sqrt() / own.square().mean().sqrt())
