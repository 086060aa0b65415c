"""What commands fuse with: the engine of a running daemon, or one of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from eutectic.cli.terminal import errors, stages, warn
from eutectic.config import LearnSettings, Place, SamplingSettings, data_folder
from eutectic.engine import model_files
from eutectic.files import names
from eutectic.files.learned import lora_path

if TYPE_CHECKING:
    from eutectic.engine.engine import Engine
    from eutectic.engine.errands import Errands
    from eutectic.engine.watch import Watch
    from eutectic.link import errands
    from eutectic.link.errands import Fuse, Fused, Known, Measure, Progress, Wanted
    from eutectic.link.protocol import Source
    from eutectic.window import Window

Found = TypeVar("Found")


class Hand(Protocol):
    """What does the engine's work (`engine.errands`), here or elsewhere."""

    def remember(self, wanted: Wanted, progress: Progress) -> Known: ...

    def fuse(self, fuse: Fuse, progress: Progress) -> Fused: ...

    def measure(self, measure: Measure, progress: Progress) -> Window: ...


class Own:
    """An engine of this process."""

    def __init__(self, errands: Errands) -> None:
        self._errands = errands

    def remember(self, wanted: Wanted, progress: Progress) -> Known:
        return self._errands.remember(wanted, _stage(progress))

    def fuse(self, fuse: Fuse, progress: Progress) -> Fused:
        return self._errands.fuse(fuse, _stage(progress))

    def measure(self, measure: Measure, progress: Progress) -> Window:
        return self._errands.measure(measure, _stage(progress))


def _stage(progress: Progress) -> Callable[[str], Watch]:
    from eutectic.engine.watch import Watch

    return lambda what: Watch(progress=partial(progress, what))


class Lasting:
    """A daemon's engine, or one's own as soon as that has ended."""

    def __init__(self, there: errands.Engine, model: str, own: Callable[[], Hand]) -> None:
        self._hand: Hand = there
        self._model, self._own = model, own

    def remember(self, wanted: Wanted, progress: Progress) -> Known:
        known = self._last(lambda hand: hand.remember(wanted, progress))
        return msgspec.structs.replace(known, model=self._model)  # as it is called here

    def fuse(self, fuse: Fuse, progress: Progress) -> Fused:
        return self._last(lambda hand: hand.fuse(fuse, progress))

    def measure(self, measure: Measure, progress: Progress) -> Window:
        return self._last(lambda hand: hand.measure(measure, progress))

    def _last(self, ask: Callable[[Hand], Found]) -> Found:
        from eutectic.link.errands import Lost

        try:
            return ask(self._hand)
        except Lost:
            warn("the daemon's engine ended; going on without it")
            self._hand = self._own()
            return ask(self._hand)


def hand(model: str, compute: str | None, alone: bool = False) -> Hand:
    """The engine of a daemon with the same model, device and data folder, or else one's own."""
    from importlib.metadata import version

    from eutectic.link import errands

    if not alone:
        hello = errands.Hello("", version("eutectic"), model_files.identity(model), compute)
        found = errands.connect(data_folder(), hello)
        if found is not None:
            return Lasting(found, model, lambda: own(model, compute))
    return own(model, compute)


def own(model: str, compute: str | None) -> Hand:
    """An engine of this process."""
    engine = load_engine(model, compute)
    from eutectic.engine.errands import Errands

    return Own(Errands(engine))


def load_engine(model: str, compute: str | None) -> Engine:
    """Import torch, and load a model into an engine."""
    with errors.status("loading the model") if errors.is_terminal else contextlib.nullcontext():
        from eutectic.engine.engine import Engine
        from eutectic.engine.loading import load_for_use
        from eutectic.engine.store import Store

        return Engine(load_for_use(model, compute), Store(data_folder()))


def wanted(
    source: Source,
    prompt: str | None,
    learning: LearnSettings | None,
    lora: Path | None = None,
    sampling: SamplingSettings | None = None,
    places: tuple[Place, ...] = (),
) -> Wanted:
    """A reference; only remembered if `learning` is None and there is no LoRA file."""
    from eutectic.link.errands import Wanted

    file = None if lora is None else str(lora_path(data_folder(), lora).absolute())
    words = names.words(source.path) if prompt is None else prompt
    return Wanted(source, words, learning, file, sampling, places)


def remember(engine: Hand, reference: Wanted) -> Known:
    """A reference from the store, or learned now."""
    with stages() as report:
        known = engine.remember(reference, report)
    if known.capped and known.about is not None and reference.learning is not None:
        errors.print(
            f"the budget of {reference.learning.budget_seconds:g} s ended learning after "
            f"{known.about['steps']} steps; the result depends on this machine's speed"
        )
    return known
