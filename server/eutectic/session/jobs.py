"""The engine's jobs as something to wait for, and the sounds that come of them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from eutectic.config import Level, Place, SamplingSettings
from eutectic.link import protocol as link
from eutectic.link.host import Host, Work
from eutectic.link.protocol import Canvas, Chunk, Fuse, Fused, Priority, ReferenceSpec, Result
from eutectic.playback.sounds import SIDES, Sound
from eutectic.session.shelf import Ready, Shelf
from eutectic.session.tickets import Refused
from eutectic.session.timings import Timings

MAX_JOBS = 32
"""Of the engine, waiting or running; what comes beyond them is told so."""

SAFE_SPEED = 1.3
"""A sound that is decoded so many times faster than it plays is played from its first chunk."""


@dataclass(frozen=True)
class Clip:
    """A loaded clip: where it is from, its key in the engine, its frames at the model's rate."""

    name: str
    source: link.Source
    key: str
    frames: int
    rate_hz: int
    loudness_lufs: float

    @property
    def seconds(self) -> float:
        return self.frames / self.rate_hz


@dataclass(frozen=True)
class Reference:
    """A learned clip, and the digest of the model that learned it."""

    name: str
    clip: str
    source: link.Source
    known: ReferenceSpec
    model: str


@dataclass(frozen=True)
class Pair:
    """All that a fusion is made of but its place."""

    original: Clip
    reference: Reference
    sampling: SamplingSettings
    level: Level

    @cached_property
    def key(self) -> str:
        """Of what is heard, apart from names."""
        return _key(self.original.key, self.reference.known, self.sampling, self.level)

    def key_at(self, place: Place, rate_hz: int) -> str:
        """The fusion's name on the shelf."""
        return _key(self.key, place, rate_hz)


def _key(*parts: object) -> str:
    """Of values' texts, which name every field; what was read from a file has the same."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


OnChunk = Callable[[int, Sound, float], None]
"""Called with index, sound and blend as each sound grows; whole when it is complete."""


class Jobs:
    """What the engine is asked to do; owned by the event loop.

    Attributes:
        speed: seconds of sound decoded in a second, as last told; 0 before that.
    """

    def __init__(self, host: Host, shelf: Shelf, timings: Timings) -> None:
        self.host, self.shelf, self.timings = host, shelf, timings
        self.speed = 0.0

    def check_room(self) -> None:
        """See that the engine can be asked for more.

        Raises:
            Refused: it can't (`busy`, `no_model`).
        """
        if self.host.state == "failed":
            raise Refused("no_model", "the engine has no model; /model/set chooses one")
        if self.host.waiting >= MAX_JOBS:
            raise Refused("busy", f"{MAX_JOBS} jobs are waiting for the engine")

    async def run(
        self, work: Work, heard: Callable[[Result], None] | None = None, always: bool = False
    ) -> link.Done:
        """Have work done; cancelled with the task that waits for it.

        `always`: however many jobs wait.

        Raises:
            Refused: the engine failed, or has too much to do.
        """
        if not always:
            self.check_room()
        over: asyncio.Future[link.Done] = asyncio.get_running_loop().create_future()

        def listen(result: Result) -> None:
            if isinstance(result, link.Done | link.Failed):
                if over.done():
                    return
                if isinstance(result, link.Done):
                    over.set_result(result)
                else:
                    over.set_exception(Refused(result.code, result.text))
            elif heard is not None:
                heard(result)

        job = self.host.submit(work, listen)
        try:
            return await over
        except asyncio.CancelledError:
            self.host.cancel(job)
            raise

    async def sounds(
        self,
        pair: Pair,
        places: list[Place],
        rate_hz: int,
        priority: Priority,
        heard: OnChunk,
        progress: Callable[[str, float], None] | None = None,
    ) -> None:
        """Make fusions that aren't ready, and keep them.

        Raises:
            Refused: as `run`; or there is no memory for them (`no_memory`).
        """  # fmt: skip
        facts = self.host.facts
        tail = round((facts.tail_seconds if facts is not None else 0.05) * rate_hz)
        frames = round(pair.original.frames * rate_hz / pair.original.rate_hz)
        making = _Making(self, pair, places, frames, tail, rate_hz, heard, progress)
        try:
            fuse = Fuse(0, pair.original.key, pair.reference.known, places, pair.sampling,
                        pair.level, making.make_canvases(), priority)  # fmt: skip
            await self.run(fuse, making.take)
        finally:
            making.unlink()

    def safe(self, sound: Sound, rate_hz: int) -> bool:
        """Whether it will be decoded faster than it is played, from now on."""
        whole = sound.samples.shape[1]
        return sound.ready >= whole * max(0.0, 1 - self.speed / SAFE_SPEED)


class _Making:
    """The canvases of one job, and the sounds that they are copied to chunk by chunk."""

    def __init__(
        self, jobs: Jobs, pair: Pair, places: list[Place], frames: int, tail: int, rate_hz: int,
        heard: OnChunk, progress: Callable[[str, float], None] | None,
    ) -> None:  # fmt: skip
        self._jobs, self._pair, self._places, self._rate_hz = jobs, pair, places, rate_hz
        self._frames, self._tail = frames, tail
        self._heard, self._progress = heard, progress
        self._canvases: list[Canvas] = []
        self._sounds = [Sound(frames, tail) for _ in places]
        self._maps: dict[int, np.ndarray] = {}
        self._over = False

    def make_canvases(self) -> list[Canvas]:
        try:
            for _ in self._places:
                canvas = Canvas.make(SIDES, self._frames, self._tail, self._rate_hz)
                self._canvases.append(canvas)
        except OSError as error:
            raise Refused("no_memory", f"no shared memory for it ({error.strerror})") from None
        return self._canvases

    def unlink(self) -> None:
        self._over = True  # what the engine still says of it has come too late
        self._maps.clear()
        for canvas in self._canvases:
            canvas.unlink()

    def take(self, result: Result) -> None:
        if self._over:
            return
        if isinstance(result, link.Progress) and self._progress is not None:
            self._progress(result.stage, result.fraction)
        elif isinstance(result, Chunk):
            self._copy(result)
        elif isinstance(result, Fused):
            self._jobs.speed = result.speed
            for stage, milliseconds in result.stages_ms.items():
                self._jobs.timings.add(stage, milliseconds)

    def _copy(self, chunk: Chunk) -> None:
        index = chunk.index
        if index not in self._maps:
            self._maps[index] = self._canvases[index].map()
        sound = self._sounds[index]
        start = sound.ready
        if chunk.start <= start < chunk.stop:  # a job tried again writes its start anew
            sound.write(start, self._maps[index][:, start : chunk.stop])
        if sound.complete:
            key = self._pair.key_at(self._places[index], self._rate_hz)
            self._jobs.shelf.put(key, Ready(sound, chunk.blend))
            self._maps.pop(index, None)
        self._heard(index, sound, chunk.blend)
