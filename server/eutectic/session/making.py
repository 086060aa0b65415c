"""The pieces of live fusions: made one after another, each given up when it is late.

Of a voice there is one piece in the engine and one that waits, the newest.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from eutectic.audio import Samples
from eutectic.config import Place
from eutectic.errors import EutecticError
from eutectic.fusion_options import sampling
from eutectic.link.protocol import Canvas, Priority, Source
from eutectic.osc import table
from eutectic.playback.heard import Heard
from eutectic.playback.player import Player
from eutectic.playback.rolling import Piece, Rolling
from eutectic.playback.timeline import Beat
from eutectic.session.jobs import Jobs
from eutectic.session.library import Library
from eutectic.session.pair import Clip, Knobs, Pair
from eutectic.session.pieces import (
    CROSSFADE_SECONDS,
    SPARE_SECONDS,
    Clocks,
    Gate,
    Window,
    likeness,
)
from eutectic.session.references import References
from eutectic.session.tickets import Refused
from eutectic.session.voice import Voice

log = logging.getLogger("eutectic.session")

WARM_UPS = 3
"""Pieces that are made before the first, of which the first doesn't count."""

RESERVE, RESERVE_SECONDS = 1.25, 0.02
"""A piece may take so many times as long as it was measured to, and so much longer."""

AHEAD_SECONDS = 0.02
"""What is to begin on a beat is asked for so long before it, at least."""

MEASURED, PERCENT = 64, 95
"""Of the newest pieces, how long this percentage took at most."""

DAY_SECONDS = 86_400.0
"""The memory of a reference starts no further into its repetitions."""


@dataclass(frozen=True)
class Tick:
    """The window of a piece, and the frame of the input where it takes over from the one before."""

    window: Window
    meets: float


@dataclass(eq=False)
class Run:
    """What one request is making on a voice.

    Attributes:
        step, length: frames of the input between two ticks, and of a window; `beats` between ticks,
            0 if they go by seconds.
        took: seconds that a piece may take; `delay`: frames of the input before it can begin.
        lag: frames of the player from the input to the mix; `lag_beats`: whole ones that it is
            rounded up to.
        tick: the frame of the input at the last one; `origin`: the one at which the reference
            begins.
        newest: the tick whose piece is wanted; `last`: the newest piece.
        due: the beat from which it is to be heard; None: as soon as it can be.
        remark, trouble: what clients are told, for good, and until a piece is made.
    """

    voice: Voice
    request: table.GoLive
    options: table.Fuse
    asked: Knobs
    rolling: Rolling
    heard: Heard
    clocks: Clocks
    gate: Gate
    step: float
    length: float
    beats: float
    took: float = 0.0
    delay: float = 0.0
    lag: float = 0.0
    lag_beats: int = 0
    tick: float = 0.0
    origin: float = 0.0
    newest: Tick | None = None
    last: Piece | None = None
    due: Beat | None = None
    is_rolling: bool = False
    dropped: int = 0
    remark: str = ""
    trouble: str = ""
    wanted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def crossfade(self) -> float:
        """Frames of the input."""
        return min(CROSSFADE_SECONDS * self.heard.rate_hz, self.step / 2)

    def place(self, frame: float) -> int:
        """Where a frame of the input is heard, in frames of the player."""
        return round(self.clocks.to_player(frame) + self.lag)


class Making:
    """Makes pieces; owned by the event loop."""

    def __init__(
        self, jobs: Jobs, library: Library, references: References, player: Player
    ) -> None:
        self._jobs, self._library, self._references = jobs, library, references
        self._player = player
        self._took: dict[tuple[str, int, float | None], deque[float]] = {}
        """Seconds of the newest pieces, by the model, their frames and their recall."""

    def look(self, run: Run) -> None:
        """See what the clocks are."""
        now, heard = time.monotonic(), run.heard
        run.clocks.see(heard.frame_at(now), heard.frames, self._player.frame_at(now))

    def window(self, run: Run, stop: int, meets: float | None = None) -> Window:
        """Of a piece that ends at a frame of the input, and may be heard from `meets` on.

        Ticks are further apart than at first where the tempo is slower by now.
        """
        length = run.length if meets is None else max(run.length, stop - meets)
        return Window.ending(stop, length, run.heard.rate_hz, self._hop(run))

    def _hop(self, run: Run) -> float:
        """Frames of the input in one of a latent."""
        facts = self._jobs.host.facts
        return 1.0 if facts is None else facts.ratio * run.heard.rate_hz / facts.rate_hz

    async def measured(self, run: Run, others: int) -> float:
        """Seconds that a piece may take, while `others` are live; makes some that nobody hears."""
        window = self.window(run, 0)
        noise = np.random.default_rng(0).standard_normal((run.heard.channels, window.frames))
        seconds: list[float] = []
        for _ in range(WARM_UPS):
            began = time.monotonic()
            await self._sound(run, window, 0.1 * noise.astype(np.float32))
            seconds.append(time.monotonic() - began)
            self.look(run)
        known = sorted(self._took_by(run, window))
        if known:
            seconds.append(known[math.ceil(len(known) * PERCENT / 100) - 1])
        return RESERVE * max(seconds[1:]) * (1 + others) + RESERVE_SECONDS

    def _took_by(self, run: Run, window: Window) -> deque[float]:
        """How long pieces like this one took."""
        facts = self._jobs.host.facts
        model = "" if facts is None else facts.digest
        key = model, window.frames, run.options.recall
        return self._took.setdefault(key, deque(maxlen=MEASURED))

    async def make_pieces(self, run: Run) -> None:
        """Make the newest piece that is wanted, one after another."""
        while True:
            await run.wanted.wait()
            run.wanted.clear()
            tick, run.newest = run.newest, None
            if tick is None:
                continue
            try:
                await self._make(run, tick)
            except (EutecticError, ValueError, TimeoutError) as error:
                run.dropped += 1
                run.trouble = str(error) or "the engine was too slow for the newest piece"
            except Exception:  # a bug: what plays goes on
                log.exception("live on voice %d", run.voice.number)

    async def _make(self, run: Run, tick: Tick) -> None:
        """Make a piece and put it in its place.

        Raises:
            TimeoutError: it can't be heard in time any more.
            ValueError: what was heard is gone.
            Refused: the engine failed.
        """
        began, step = time.monotonic(), round(run.clocks.ratio * run.step)
        start, enter = run.place(tick.window.start), run.place(tick.meets)
        until = enter + step // 2
        async with asyncio.timeout_at(self._player.time_of(until)):
            samples = await self._sound(run, tick.window, tick.window.read(run.heard))
        heard = tick.window.stop - tick.window.start + SPARE_SECONDS * run.heard.rate_hz
        samples = samples[:, : round(run.clocks.ratio * heard)]
        piece = Piece(samples, start, enter, until, step)
        run.last = piece = _joined(piece, run.last, run.rolling.crossfade)
        run.rolling.put(piece)
        self.roll(run, enter)
        run.trouble = ""
        self._took_by(run, tick.window).append(time.monotonic() - began)

    def roll(self, run: Run, frame: int) -> None:
        """Let the voice go over to it at a frame, or later at the beat asked for, unless it has.

        What isn't ready on its multiple waits for the next.
        """
        if run.is_rolling:
            return
        timeline, due = self._player.timeline, run.due
        if due is not None and timeline.running:
            if due.every:
                sooner = self._player.frames + AHEAD_SECONDS * self._player.rate_hz
                now = timeline.beat_of(max(frame, sooner))
                due = Beat.after(now, due.number, due.every)
            frame = max(frame, round(timeline.frame_of(due.number)))
        self._player.roll(run.voice.number, run.rolling, frame)
        run.is_rolling = True

    async def _sound(self, run: Run, window: Window, samples: Samples) -> Samples:
        """The fusion of samples (channel, frame) of the input: (2, frame), at the player's rate.

        Raises:
            Refused: the engine failed, or its model makes nothing that is so long.
        """
        await self._library.engine_synced.wait()
        facts = self._jobs.host.facts
        seconds = window.frames / run.heard.rate_hz
        if facts is not None and seconds > facts.max_seconds:
            raise Refused(
                "bad_setting", f"a piece of {seconds:.3g} s with its edges is too long: this model "
                f"makes {facts.max_seconds:.3g} s",
            )  # fmt: skip
        pair = await self._pair(run, window)
        try:
            canvas = Canvas.make(len(samples), samples.shape[1], 0, run.heard.rate_hz)
        except OSError as error:
            raise Refused("no_memory", f"no shared memory for it ({error.strerror})") from None
        sound = None
        try:
            canvas.map()[:] = samples
            async for made in self._jobs.sounds(
                pair, [Place(run.voice.blend)], Priority.LIVE, keep=False, heard=canvas
            ):
                sound = made.sound
        finally:
            canvas.unlink()
        assert sound is not None  # a fusion has at least one chunk
        return sound.samples

    async def _pair(self, run: Run, window: Window) -> Pair:
        """What a piece is made of, as knobs and references are by now.

        The reference goes on as the input does, so that pieces are alike where they overlap.
        """
        reference = await self._references.named(run.request.reference)
        settings, hop = sampling(run.options), self._hop(run)
        since = max(0, window.latents - math.floor(run.origin / hop)) * hop / run.heard.rate_hz
        settings = replace(settings, start=(settings.start + since) % DAY_SECONDS)
        clip = Clip("", Source(""), "", window.frames, run.heard.rate_hz, 0.0)
        pair = Pair(clip, reference, settings, run.options.level or "match")
        turned = run.voice.knobs.since(run.asked).over(pair.knobs)
        return pair.at(turned.over(self._references.knobs_of(reference)))


def _joined(piece: Piece, before: Piece | None, crossfade: int) -> Piece:
    """A piece that knows how alike it is to the one before, and to itself a step earlier."""
    again, end = piece.again(), piece.stop - crossfade
    repeated = likeness(piece.read(end, crossfade), again.read(end, crossfade))
    here = piece.read(piece.enter, crossfade)
    alike = 0.0 if before is None else likeness(before.read(piece.enter, crossfade), here)
    return replace(piece, likeness=alike, repeated=repeated)
