"""What the engine is asked to do, as coroutines: loads, learning, and fusions as they grow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from eutectic.config import Place
from eutectic.link.host import Host
from eutectic.link.protocol import (
    Canvas,
    Chunk,
    Done,
    Failed,
    Fuse,
    Fused,
    Priority,
    Progress,
    Result,
    Work,
)
from eutectic.playback.sounds import SIDES, Sound
from eutectic.session.costs import Costs
from eutectic.session.pair import Pair
from eutectic.session.shelf import Ready, Shelf
from eutectic.session.tickets import Refused
from eutectic.session.timings import Timings

MAX_JOBS = 32
"""Jobs of the engine, queued or running; more are refused as `busy`."""

SAFE_SPEED = 1.3
"""A sound that is decoded this many times faster than it plays can start at its first chunk."""

DEFAULT_TAIL_SECONDS = 0.05

Ended = TypeVar("Ended", bound=Done)

OnProgress = Callable[[str, float], None]
"""Called with a stage, and with how much of the whole is done, 0 to 1."""


def part(progress: OnProgress, start: float, stop: float) -> OnProgress:
    """The progress of a part that leads from one fraction of the whole to another."""
    return lambda stage, fraction: progress(stage, start + (stop - start) * fraction)


@dataclass(frozen=True)
class Made:
    """A fusion that has grown by a chunk; `index` is that of its place in the request."""

    index: int
    sound: Sound
    blend: float


class Jobs:
    """Asks the engine for work; owned by the event loop.

    Attributes:
        rate_hz: of fusions that are played.
        speed: seconds of sound decoded per second, as last reported; 0 before that.
        costs: how long fusions took; `costs` is where that is kept.
    """

    def __init__(
        self, host: Host, shelf: Shelf, timings: Timings, rate_hz: int, costs: Path
    ) -> None:
        self.host, self.shelf, self.timings, self.rate_hz = host, shelf, timings, rate_hz
        self.speed = 0.0
        self.costs = Costs(costs, lambda: host.engines.where)

    def check_room(self) -> None:
        """Check that the engine can take another job.

        Raises:
            Refused: it can't (`busy`, `no_model`).
        """
        if self.host.state == "failed":
            raise Refused("no_model", self.host.failure)
        if self.host.waiting >= MAX_JOBS:
            raise Refused("busy", f"{MAX_JOBS} jobs are waiting for the engine")

    def default(self, setting: str) -> float | None:
        """What the model takes for a setting where nothing is asked for, as far as is known."""
        return None if self.host.facts is None else getattr(self.host.facts, setting, None)

    async def run(
        self, work: Work, kind: type[Ended], progress: OnProgress | None = None,
        always: bool = False,
    ) -> Ended:  # fmt: skip
        """Do a job that ends with `kind`; cancelled with the task that awaits it.

        `always`: however many jobs are waiting.

        Raises:
            Refused: the engine failed, or has too much to do.
        """
        async for result in self._results(work, always):
            if isinstance(result, Progress) and progress is not None:
                progress(result.stage, result.fraction)
            elif isinstance(result, kind):
                return result
        raise Refused("internal", f"the engine's job didn't end with {kind.__name__}")

    async def sounds(
        self, pair: Pair, places: list[Place], priority: Priority,
        progress: OnProgress | None = None, rate_hz: int | None = None, keep: bool = True,
        heard: Canvas | None = None,
    ) -> AsyncGenerator[Made]:  # fmt: skip
        """Make fusions, yielding each whenever it has grown; whole ones go to the shelf.

        `rate_hz`: of the sounds, if not that of playing. `keep`: put them on the shelf. `heard`:
        the original's samples, if the engine has no clip of them.

        Raises:
            Refused: as `run`; or there is no shared memory for them (`no_memory`).
        """
        rate_hz = rate_hz or self.rate_hz
        facts = self.host.facts
        tail = round((facts.tail_seconds if facts is not None else DEFAULT_TAIL_SECONDS) * rate_hz)
        frames = self.frames(pair, rate_hz)
        copies: list[_Copy] = []
        try:
            copies += (_Copy.make(frames, tail, rate_hz) for _ in places)
            fuse = Fuse(
                0, pair.original.key, pair.reference.spec, places, pair.sampling, pair.level,
                [copy.canvas for copy in copies], priority, heard,
            )  # fmt: skip
            async for result in self._results(fuse):
                if isinstance(result, Progress) and progress is not None:
                    progress(result.stage, result.fraction)
                elif isinstance(result, Fused) and heard is None:
                    self._measured(result)
                    self.costs.made(pair, self.host.facts)
                elif isinstance(result, Chunk):
                    sound = copies[result.index].take(result)
                    if sound.complete and keep:
                        key = pair.key_at(places[result.index], rate_hz)
                        self.shelf.put(key, Ready(sound, result.blend))
                    yield Made(result.index, sound, result.blend)
        finally:
            for copy in copies:
                copy.canvas.unlink()

    def frames(self, pair: Pair, rate_hz: int | None = None) -> int:
        """How long a pair's fusions are, at the rate of playing or another."""
        original = pair.original
        return round(original.frames * (rate_hz or self.rate_hz) / original.rate_hz)

    def can_start(self, sound: Sound) -> bool:
        """Whether the rest will be decoded faster than it is played."""
        whole = sound.samples.shape[1]
        return sound.ready >= whole * max(0.0, 1 - self.speed / SAFE_SPEED)

    def at_hand(self, pair: Pair, place: Place) -> Ready | None:
        """A fusion that is ready in memory."""
        return self.shelf.memory.get(pair.key_at(place, self.rate_hz))

    def is_kept(self, pair: Pair, place: Place) -> bool:
        """Whether a fusion is in memory or on disk, though it may be damaged there."""
        return pair.key_at(place, self.rate_hz) in self.shelf

    async def ready(self, pair: Pair, place: Place, rate_hz: int | None = None) -> Ready | None:
        """A fusion that is ready in memory or on disk."""
        return await self.shelf.fetch(pair.key_at(place, rate_hz or self.rate_hz))

    def keep(self, pair: Pair, place: Place, ready: Ready) -> None:
        """Put a fusion on the shelf that was made without."""
        self.shelf.put(pair.key_at(place, self.rate_hz), ready)

    async def _results(self, work: Work, always: bool = False) -> AsyncGenerator[Result]:
        """A job's results up to its Done; cancelled in the engine if they aren't read that far."""
        if not always:
            self.check_room()
        results: asyncio.Queue[Result] = asyncio.Queue()
        job = self.host.submit(work, results.put_nowait)
        over = False
        try:
            while not over:
                result = await results.get()
                over = isinstance(result, Done | Failed)
                if isinstance(result, Failed):
                    raise Refused(result.code, result.text)
                yield result
        finally:
            if not over:
                self.host.cancel(job)

    def _measured(self, result: Fused) -> None:
        self.speed = result.speed
        for stage, milliseconds in result.stages_ms.items():
            self.timings.add(stage, milliseconds)


class _Copy:
    """A canvas that the engine fills, and the sound that it is copied to, chunk by chunk."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas, self._sound = canvas, Sound(canvas.frames, canvas.tail)
        self._mapped: NDArray[np.float32] | None = None

    @classmethod
    def make(cls, frames: int, tail: int, rate_hz: int) -> _Copy:
        try:
            return cls(Canvas.make(SIDES, frames, tail, rate_hz))
        except OSError as error:
            raise Refused("no_memory", f"no shared memory for it ({error.strerror})") from None

    def take(self, chunk: Chunk) -> Sound:
        """Copy what is new; a job retried after running out of memory sends its start again."""
        if self._mapped is None:
            self._mapped = self.canvas.map()
        start = self._sound.ready
        if chunk.start <= start < chunk.stop:
            self._sound.write(start, self._mapped[:, start : chunk.stop])
        if self._sound.complete:
            self._mapped = None
        return self._sound
