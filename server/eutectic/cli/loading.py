"""Loading what commands fuse: the engine, and the sounds that the user named."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eutectic.cli.terminal import errors, progress
from eutectic.config import LearnSettings, SamplingSettings, data_folder
from eutectic.files import names
from eutectic.files.learned import lora_path

if TYPE_CHECKING:
    from eutectic.engine.clips import Clip
    from eutectic.engine.engine import Engine
    from eutectic.engine.fuser import Reference
    from eutectic.link.protocol import Source


def load_engine(model: str, compute: str | None) -> Engine:
    """Import torch, and load a model into an engine."""
    with errors.status("loading the model") if errors.is_terminal else contextlib.nullcontext():
        from eutectic.engine.engine import Engine
        from eutectic.engine.loading import choose_device, load
        from eutectic.engine.store import Store

        return Engine(load(model, choose_device(compute)), Store(data_folder()))


def hears_network(engine: Engine, sampling: SamplingSettings) -> bool:
    """Whether the network takes part in fusions, so that what it learns is heard."""
    return engine.model.recall(sampling) < 1


@dataclass(frozen=True)
class Pair:
    """The two sounds of a fusion."""

    original: Source
    reference: Source

    def load(
        self, engine: Engine, prompt: str | None, learning: LearnSettings | None
    ) -> tuple[Clip, Reference]:
        """Open the original, then the reference, learning it if need be."""
        original = engine.open(self.original)
        return original, load_reference(engine, self.reference, prompt, learning)


def load_reference(
    engine: Engine,
    source: Source,
    prompt: str | None,
    learning: LearnSettings | None,
    lora: Path | None = None,
) -> Reference:
    """A reference from the store, or learned now; only remembered if `learning` is None.

    With a LoRA file it has the weights of that instead.
    """
    from eutectic.engine.fuser import Reference

    clip = engine.open(source)
    if prompt is None:
        prompt = names.words(source.path)
    if lora is not None:
        lora = lora_path(data_folder(), lora)
        with progress(f"loading {lora.name}") as watch:
            return Reference(prompt, clip, engine.open_lora(str(lora), watch)[1])
    if learning is None:
        return Reference(prompt, clip, None)
    known = engine.find_adapter(clip, prompt, learning)
    if known is not None:
        return Reference(prompt, clip, known)
    with progress("learning the reference") as watch:
        learned = engine.learn(clip, prompt, learning, watch=watch)
    if learned.capped:
        errors.print(
            f"the budget of {learning.budget_seconds:g} s ended learning after {learned.steps} "
            "steps; the result depends on this machine's speed"
        )
    return Reference(prompt, clip, learned.adapter)
