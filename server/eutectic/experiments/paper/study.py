"""What every experiment is given: a model, clips that ship, a folder, and what was made already."""

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
from eutectic.engine.engine import Clip, Engine, Fusion, Reference
from eutectic.engine.sample import Sampler
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.experiments import window
from eutectic.experiments.distances import log_mel_distance
from eutectic.experiments.quality.measures import spectral_flatness_db
from eutectic.experiments.quality.recordings import Recording
from eutectic.experiments.report import Ledger, Table
from eutectic.files.shipped import presets_folder

PAPER_STEPS = 200
"""The paper counts its times t up from the first step of these."""

Figures = dict[str, Any]
Tables = tuple[Table, Table]
"""Every figure, for the CSV file; and what is told of them."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Sound:
    """A sound that was made, and what was measured on it."""

    waveform: Waveform
    figures: Figures


@dataclass(frozen=True)
class Study:
    """One figure under way.

    `folder` receives its sounds and `figures.jsonl`, from which a run that was cut off goes on.
    References are learned once, into the engine's store. `seconds` is the length of the clips
    (a shorter one is looped), `steps` the sampler's; all randomness follows from `seed`.
    """

    engine: Engine
    folder: Path
    seconds: float = 6.0
    steps: int = 50
    seed: int = 0
    watch: Watch = UNWATCHED
    made: dict[str, Any] = field(default_factory=dict)
    """Clips, round trips and references that are in memory already."""

    @cached_property
    def ledger(self) -> Ledger:
        """What was measured already, with whatever settings."""
        return Ledger(self.folder / "figures.jsonl")

    @property
    def quiet(self) -> Watch:
        """Asked whether to stop, but told nothing: for work within one item."""
        return Watch(self.watch.cancelled)

    def each(self, items: Sequence[Item]) -> Generator[Item]:
        """The items in turn, the watch told after each.

        Raises:
            Cancelled: the watch was asked to stop.
        """
        for done, item in enumerate(items, start=1):
            self.watch.checkpoint()
            yield item
            self.watch.progress(done, len(items))

    def settings(self, **chosen: Any) -> SamplingSettings:
        """The paper's sampling, order 2 of the SDE, but for what is chosen."""
        usual: dict[str, Any] = {
            "seed": self.seed, "steps": self.steps, "order": 2, "eta": 1.0, "solver": "midpoint"
        }  # fmt: skip
        return SamplingSettings(**(usual | chosen))

    def sampler(self, **chosen: Any) -> Sampler:
        """The sampler of `settings`."""
        return self.engine.model.sampler(self.settings(**chosen))

    def remaining(self, share: float) -> int:
        """Steps left at a share of the grid; at most from its first finite level."""
        grid = self.sampler().grid
        return min(round(share * grid.steps), grid.steps - grid.first_finite)

    def clip(self, name: str) -> Clip:
        """A clip that ships, at the study's length."""

        def make() -> Clip:
            codec = self.engine.model.codec
            path = presets_folder("clips") / f"{name}.flac"
            whole = audio.load_clip(path, codec.rate_hz, codec.channels)
            return self.engine.encode(Recording(name, whole).section(self.seconds))

        return self._once(f"clip {name}", make)

    def trip(self, name: str) -> Waveform:
        """A clip that ships, through the codec alone."""
        return self._once(f"trip {name}", lambda: window.round_trip(self.engine, self.clip(name)))

    @staticmethod
    def prompt(name: str) -> str:
        """What a clip that ships is learned with: its name in words."""
        return name.replace("_", " ")

    def learned(self, name: str, method: Method | None = None) -> Reference:
        """A clip that ships as reference, learned by this method (None: the model's own)."""

        def make() -> Reference:
            clip, prompt = self.clip(name), self.prompt(name)
            settings = LearnSettings(method, seed=self.seed)
            adapter = self.engine.known(clip, prompt, settings)
            if adapter is None:
                adapter = self.engine.learn(clip, prompt, settings, self.quiet).adapter
            return Reference(prompt, clip, adapter)

        return self._once(f"reference {name} {method}", make)

    def _once(self, key: str, make: Callable[[], Item]) -> Item:
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]

    def figures(self, name: str, make: Callable[[], Figures]) -> Figures:
        """The figures of that name, made now where they aren't known with these settings."""
        return self.ledger.get(make, **self._key(name))

    def sound(self, name: str, make: Callable[[], Sound]) -> Sound:
        """The sound of that name: its WAV and figures, made now where one of them is missing.

        A WAV that isn't the one its figures were measured on, being of other settings, is made
        anew.
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
        """Write a sound, and hand it back."""
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
    """A WAV that a study wrote; None where it is missing or damaged."""
    try:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError):
        return None
    return Waveform(samples.T.astype(np.float32), rate_hz)


def as_loud(study: Study, latent: Tensor, name: str) -> Waveform:
    """A latent as sound, as loud as a clip."""
    clip, codec = study.clip(name), study.engine.model.codec
    raw = Waveform(codec.decode(latent, clip.waveform.frames), codec.rate_hz)
    return audio.match_loudness(raw, clip.loudness_lufs)[0]


def reconstruct(study: Study, label: str, name: str, remaining: int, **chosen: Any) -> Sound:
    """Sample with the null prompt, a clip's inverted latent put in with `remaining` steps left.

    `label` names the sound; `chosen` settings differ from the study's own. The sound is as loud
    as the clip; its figures are those of `against`.
    """

    def make() -> Sound:
        clip, settings = study.clip(name), study.settings(cfg=0.0, **chosen)
        null, place = Reference("", clip, None), Place(remaining=remaining)
        (made,) = study.engine.fuse(clip, null, [place], settings, watch=study.quiet)
        return Sound(made.waveform, against(study, made, name))

    return study.sound(label, make)


def against(study: Study, made: Fusion, name: str) -> Figures:
    """How far a sample is from a clip.

    - `log_mel`: distance from the codec's round trip
    - `latent_error`: see `latent_error`
    - `flatness_db`: spectral flatness over the round trip's; noise makes it rise
    - `gain_db`: what brought it to the clip's loudness
    """
    trip = study.trip(name)
    return {
        "log_mel": log_mel_distance(made.waveform, trip),
        "latent_error": latent_error(study, made.latent, name),
        "flatness_db": spectral_flatness_db(made.waveform) - spectral_flatness_db(trip),
        "gain_db": made.gain_db,
    }


def latent_error(study: Study, latent: Tensor, name: str) -> float:
    """Root mean square of a latent's difference from a clip's own, over that of the clip's own."""
    clip = study.clip(name)
    own = study.engine.model.codec.latent_frames(clip.waveform.frames)
    difference = (latent - clip.latent)[..., :own]
    return float(difference.square().mean().sqrt() / clip.latent[..., :own].square().mean().sqrt())
