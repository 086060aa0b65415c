"""The ticks of live fusions: when the input has been heard so far that another piece is wanted.

Ticks go by seconds or by beats as they are heard; where the input is lost, they begin anew once it
is back.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

from eutectic.playback.heard import Heard
from eutectic.playback.player import Player
from eutectic.session.inputs import Inputs
from eutectic.session.making import Making, Run, Tick
from eutectic.session.pieces import DEADBAND_SECONDS, Clocks, Gate

BUSY = 0.9
"""The engine is given a piece no oftener than would keep it busy for this share of the time."""

LOST_SECONDS = 0.5
"""An input that is silent as a grave for this long is lost, whatever it says."""

NEAR_TICK = 1e-3
"""A tick this near to a beat's multiple is on it."""

POLL_SECONDS, WAIT_SECONDS = 0.003, 0.05
"""Between looks at what is heard: when a tick is due, and before."""


class Ticks:
    """Follows the input for each run; owned by the event loop."""

    def __init__(
        self, making: Making, inputs: Inputs, player: Player, latency_seconds: Callable[[], float]
    ) -> None:
        self._making, self._inputs, self._player = making, inputs, player
        self._latency_seconds = latency_seconds

    async def follow(self, run: Run) -> None:
        """Want a piece at every tick, until this is cancelled."""
        if run.took > BUSY * run.step / run.heard.rate_hz:
            self._slow_down(run)
        self._start_at(run, run.heard)
        maker = asyncio.get_running_loop().create_task(self._making.make_pieces(run))
        try:
            while True:
                before = await self._next_tick(run)
                self._set_lag(run)
                self._heard(run, before)
        finally:
            maker.cancel()

    def _slow_down(self, run: Run) -> None:
        """Ticks that are as far apart as the engine needs."""
        times = math.ceil(run.took * run.heard.rate_hz / (BUSY * run.step))
        run.step, run.beats = run.step * times, run.beats * times
        run.length = max(run.length, run.step + run.crossfade)
        seconds = run.step / run.heard.rate_hz
        run.remark = f"every {seconds:.3g} s: a piece takes the engine {run.took:.2g} s"

    def _start_at(self, run: Run, heard: Heard) -> None:
        """Begin, or go on, with what is heard now."""
        if heard is not run.heard:
            scale = heard.rate_hz / run.heard.rate_hz
            run.step, run.length, run.heard = scale * run.step, scale * run.length, heard
            run.clocks = Clocks(heard.rate_hz, self._player.rate_hz)
            run.gate = Gate(run.gate.threshold_db, heard.rate_hz)
        self._making.look(run)
        run.tick = heard.frame_at(time.monotonic())
        run.origin = run.tick - run.length
        run.trouble = ""

    async def _next_tick(self, run: Run) -> float:
        """Wait until the next tick has been heard; returns the one before."""
        while True:
            run.clocks.settle()
            before, tick = run.tick, self._tick_after(run)
            if await self._has_come(run, tick):
                run.tick = tick
                return before
            self._lose(run)
            self._start_at(run, await self._back(run))

    def _tick_after(self, run: Run) -> float:
        """The frame of the input at the next tick: on a beat as it is heard, if beats run."""
        timeline = self._player.timeline
        if not run.beats or not timeline.running:
            return run.tick + run.step
        latency = self._latency_seconds() * self._player.rate_hz
        now = timeline.beat_of(run.clocks.to_player(run.tick) - latency) / run.beats
        beat = run.beats * (math.floor(now + NEAR_TICK) + 1)
        return run.clocks.to_heard(timeline.frame_of(beat) + latency)

    async def _has_come(self, run: Run, frame: float) -> bool:
        """Wait until the input has been heard up to a frame; False if it is lost."""
        seen, since = run.heard.frames, time.monotonic()
        while run.heard.frames < frame:
            missing = (frame - run.heard.frames) / run.heard.rate_hz
            await asyncio.sleep(min(max(missing, POLL_SECONDS), WAIT_SECONDS))
            self._making.look(run)
            if run.heard.frames != seen:
                seen, since = run.heard.frames, time.monotonic()
            stands = time.monotonic() - since > LOST_SECONDS
            if stands or not self._inputs.is_listening or self._inputs.heard is not run.heard:
                return False
        return True

    def _lose(self, run: Run) -> None:
        """What was heard last fades out in its place."""
        for frame, is_open in run.gate.close(run.heard.frames):
            run.rolling.gate(run.place(frame), is_open)
        run.trouble = "nothing comes from the input"

    async def _back(self, run: Run) -> Heard:
        """Wait until something is heard again."""
        frames = run.heard.frames
        while True:
            heard = self._inputs.heard
            if not self._inputs.is_listening:
                run.trouble = self._inputs.reason
            elif heard is not None and (heard is not run.heard or heard.frames != frames):
                return heard
            await asyncio.sleep(WAIT_SECONDS)

    def _set_lag(self, run: Run) -> None:
        """The lag stays what it was at first, in seconds or in beats."""
        rate_hz = self._player.rate_hz
        run.delay = run.delay or run.clocks.delay
        needed = run.clocks.ratio * (run.step + run.crossfade + run.delay) + run.took * rate_hz
        if not run.beats:
            run.lag = run.lag or math.ceil(needed)
            return
        latency, beat = self._latency_seconds() * rate_hz, self._player.timeline.frames_per_beat
        run.lag_beats = max(run.lag_beats, math.ceil((needed + latency) / beat))
        lag = run.lag_beats * beat - latency
        if abs(lag - run.lag) > DEADBAND_SECONDS * rate_hz:
            run.lag = lag

    def _heard(self, run: Run, before: float) -> None:
        """Turn the gate as the newest of the input asks for, and want a piece if it is open."""
        meets = before - run.crossfade
        if not run.is_rolling:
            before -= 2 * run.crossfade  # it may be loud already where the first piece begins
        start, stop = max(round(before), run.heard.oldest), round(run.tick)
        was_open = run.gate.is_open
        edges = run.gate.take(run.heard.read(start, stop), start)
        for frame, is_open in edges:
            run.rolling.gate(run.place(frame), is_open)
        if was_open or edges:
            run.dropped += run.newest is not None
            run.newest = Tick(self._making.window(run, stop, meets), meets)
            run.wanted.set()
        else:
            self._making.roll(run, run.place(meets))
