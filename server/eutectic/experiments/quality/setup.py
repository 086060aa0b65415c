"""What all parts of the measurement share: model, recordings, references, output."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from eutectic import audio
from eutectic.audio import Waveform
from eutectic.config import LearnSettings, Method
from eutectic.engine.adapter import Adapter
from eutectic.engine.clips import Clip
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.engine.store import Store
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.experiments.quality.recordings import Recording, held_out
from eutectic.experiments.report import Ledger

UNBOUNDED_STEPS = 100_000
"""Steps of learning that only the budget ends."""


@dataclass(frozen=True)
class Setup:
    """A model, held-out recordings, and how much time to spend on them.

    `seconds` is the length of sections and samples, `steps` the sampler's (None: the model's
    default), `budget_seconds` the time to learn a reference. `references` stores what was learned;
    `out`, if given, receives sounds, pictures and the figures from which a run resumes. `pairs` and
    `variants` are what part ear compares: a list or folder, and settings of fusions as text.
    """

    engine: Engine
    samples: Path
    references: Store
    seconds: float = 6.0
    steps: int | None = None
    budget_seconds: float = 60.0
    seeds: int = 3
    out: Path | None = None
    watch: Watch = UNWATCHED
    pairs: Path | None = None
    variants: tuple[str, ...] = ()

    @cached_property
    def recordings(self) -> list[Recording]:
        """The held-out recordings.

        Raises:
            BadInput: there are none.
        """
        return held_out(self.samples, self.engine.model.codec)

    @cached_property
    def ledger(self) -> Ledger:
        """The figures that take long, kept in `out`."""
        return Ledger(None if self.out is None else self.out / "figures.jsonl")

    def clip(self, recording: Recording, seconds: float | None = None) -> Clip:
        """An encoded section of a recording (default length: `seconds`)."""
        return self.engine.encode(recording.section(seconds or self.seconds))

    @property
    def method(self) -> Method:
        """The model's default way to learn."""
        return self.engine.model.defaults.learn.method

    def learn(self, clip: Clip, prompt: str, method: Method, budget_seconds: float) -> Adapter:
        """Learn a clip until the budget is spent."""
        settings = LearnSettings(method, UNBOUNDED_STEPS, budget_seconds=budget_seconds)
        quiet = Watch(cancelled=self.watch.cancelled)
        return self.engine.memorise(clip, prompt, settings, quiet).adapter

    def reference(self, recording: Recording) -> Reference:
        """A section learned at the setup's length, method and budget, once only."""
        clip, model = self.clip(recording), self.engine.model
        key = Store.key(
            model=model.digest, audio=clip.waveform.digest, prompt=recording.prompt,
            method=self.method, budget_seconds=self.budget_seconds,
        )  # fmt: skip
        adapter = self.references.get(key)
        if adapter is None:
            adapter = self.learn(clip, recording.prompt, self.method, self.budget_seconds)
            self.references.put(key, adapter)
        return Reference(recording.prompt, clip, adapter)

    def save_sound(self, name: str, waveform: Waveform) -> None:
        """Write a WAV into `out`, if it is given."""
        if self.out is not None:
            audio.save_wav(self.out / f"{name}.wav", waveform)
