"""Plans of sounds that a test writes, and a pool in the test's own process."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from eutectic.config import LearnSettings
from eutectic.link.errands import Wanted
from eutectic.rendering import models
from eutectic.rendering.plan import Plan
from eutectic.rendering.planning import planned
from eutectic.rendering.pool import Done, Reference
from eutectic.rendering.wishes import Wish
from eutectic.rendering.work import Batch
from eutectic.rendering.worker import Worker
from sound_files import RATE, tone, write


def sounds(folder: Path, *names: str, seconds: float = 0.1) -> list[str]:
    """Tones, each of another pitch."""
    found: list[str] = []
    for number, name in enumerate(names):
        path = folder / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, tone(RATE, seconds + 0.01 * number, 200.0 + 50 * number))
        found.append(str(path))
    return found


def plan(
    *wishes: Wish, name: str | None = None, suffix: str = ".wav", learning: bool = False
) -> Plan:
    """A plan for the toy."""
    settings = LearnSettings(steps=2) if learning else None
    return planned(iter(wishes), models.asked("toy", download=False), suffix, name, settings)


def wish(originals: Iterable[str], references: Iterable[str], **settings: Any) -> Wish:
    return Wish(originals=tuple(originals), references=tuple(references), **settings)


class Inline:
    """A pool of one worker, of the test's own process; `given` is what it was given."""

    size = 1

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.given: list[Batch] = []
        self.asked: list[Wanted] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.close()

    def learn(self, references: Iterable[Wanted], done: Callable[[Reference], None]) -> None:
        for each in references:
            self.asked.append(each)
            done(Reference(each, self._worker.learn(each)))

    def run(self, batches: Iterator[Batch], done: Done) -> None:
        for batch in batches:
            self.given.append(batch)
            self._worker.render(batch, done)
