"""The input as a rolling original: over and over, what was just heard is fused, and played.

At every tick the last `length` of the input is given to the engine, and what comes back is put
where it belongs: what was heard at one time sounds a constant lag later, whichever piece it is in.
The lag is what lies between two ticks, the crossfade, and the time that a piece takes, which is
measured before the first one. Of a voice there is one piece in the engine and one that waits, the
newest; one that can't be heard in time any more is given up.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import time
from collections.abc import Callable, Iterator

import msgspec

from eutectic.fusion_options import sampling
from eutectic.osc import answers, table
from eutectic.osc.answers import Answer
from eutectic.playback.heard import Heard
from eutectic.playback.player import Player
from eutectic.playback.rolling import Rolling
from eutectic.session.inputs import Inputs
from eutectic.session.jobs import Jobs
from eutectic.session.library import Library
from eutectic.session.making import Making, Run, Tick
from eutectic.session.options import check_for_model
from eutectic.session.pieces import (
    CROSSFADE_SECONDS,
    DEADBAND_SECONDS,
    Clocks,
    Gate,
)
from eutectic.session.references import References
from eutectic.session.resolve import Resolver
from eutectic.session.tempo import Tempo
from eutectic.session.tickets import Ticket
from eutectic.session.voice import LiveVoice, Voice
from eutectic.session.voices import Voices

log = logging.getLogger("eutectic.session")

LENGTH_SECONDS, LENGTH_BEATS = 2.0, 4.0
GATE_DB = -60.0

BUSY = 0.9
"""The engine is given a piece no oftener than would keep it busy for this share of the time."""

LOST_SECONDS = 0.5
"""An input that is silent as a grave for this long is lost, whatever it says."""

NEAR_TICK = 1e-3
"""A tick this near to a beat's multiple is on it."""

POLL_SECONDS, WAIT_SECONDS = 0.003, 0.05
"""Between looks at what is heard: when a tick is due, and before."""


class Live:
    """What voices make of the input; owned by the event loop."""

    def __init__(
        self, jobs: Jobs, library: Library, references: References, resolver: Resolver,
        voices: Voices, inputs: Inputs, tempo: Tempo, player: Player,
        latency_seconds: Callable[[], float],
    ) -> None:  # fmt: skip
        self._jobs, self._library, self._references = jobs, library, references
        self._resolver, self._voices, self._inputs = resolver, voices, inputs
        self._tempo, self._player = tempo, player
        self._latency_seconds = latency_seconds
        self._runs: dict[LiveVoice, Run] = {}
        self._tokens = itertools.count(-1, -1)
        """Apart from those of fusions."""
        self._making = Making(jobs, library, references, player)

    # Requests

    async def go(self, ticket: Ticket, request: table.GoLive) -> None:
        """Begin, or change what a voice does so already."""
        voice = self._voices[request.voice]
        heard = await self._inputs.ready()
        self._inputs.check()
        options = self._options(request, voice)
        run = self._run_of(voice)
        if run is not None and _timing(run.request) == _timing(request) and run.heard is heard:
            run.request, run.options, run.asked = request, options, voice.knobs
            run.gate.threshold_db = _gate_db(request)
            voice.lives[-1].reference = request.reference
            self._take_on(voice, request, ticket)
            return
        due = self._tempo.due(ticket, request)
        run = self._begun(voice, request, options, heard)
        run.due = due
        if voice.pending is not None:
            voice.pending.cancel(f"superseded by /live on voice {voice.number}")
        voice.pending = ticket
        try:
            run.took = await self._making.measured(run, self._others(voice))
        finally:
            if voice.pending is ticket:
                voice.pending = None
        self._take_on(voice, request, ticket)
        task = asyncio.get_running_loop().create_task(self._follow(run))
        live = LiveVoice(run.rolling, request.reference, task)
        voice.lives.append(live)
        self._runs[live] = run
        task.add_done_callback(lambda _: self._over(voice, live))

    async def stop(self, ticket: Ticket, request: table.StopLive) -> None:
        """End what `/live` began; something else that a voice plays plays on."""
        every = self._voices.all
        voices = every if request.voice is None else [self._voices[request.voice]]
        due = self._tempo.due(ticket, request)
        for voice in voices:
            if voice.pending is not None and voice.pending.address == table.GoLive.address:
                voice.pending.cancel(f"voice {voice.number} was stopped")
            if voice.lives:
                tokens = [live.rolling.token for live in voice.lives]
                if due is not None:  # what is heard ends then, and so does the rest of it
                    self._player.stop(voice.number, at=due)
                    continue
                if self._player.playing(voice.number) in tokens:
                    self._player.stop(voice.number)
                voice.stop_live()
            elif request.voice is not None:
                ticket.remark(answers.Idle(-1, voice.number, "it isn't live"))

    # What clients see

    def states(self) -> Iterator[Answer]:
        """What voices make of the input, those that do."""
        for voice in self._voices.all:
            run = self._run_of(voice)
            if run is None:
                continue
            lag_ms = 1000 * (run.lag / self._player.rate_hz + self._latency_seconds())
            yield answers.Live(
                voice.number, run.request.reference, run.state,
                round(lag_ms, 1) if run.lag else 0.0, run.dropped + run.rolling.dropped,
                run.trouble or run.remark,
            )  # fmt: skip

    async def close(self) -> None:
        """End all of it."""
        tasks = [live.task for live in self._runs]
        for voice in self._voices.all:
            voice.stop_live()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Beginning

    def _options(self, request: table.GoLive, voice: Voice) -> table.Fuse:
        """The fusion that is asked for, again and again.

        Raises:
            Refused, BadSetting, BadState: it can't be.
        """
        given = {
            name: value for name in ("seed", "recall", "preset")
            if (value := getattr(request, name)) is not None
        }  # fmt: skip
        fuse = table.Fuse(
            id=0, voice=voice.number, original="", reference=request.reference, **given
        )
        fuse = self._resolver.with_defaults(fuse, voice)
        fuse = msgspec.structs.replace(fuse, blend=None, remaining=None)
        sampling(fuse)
        facts = self._jobs.host.facts
        if facts is not None:
            check_for_model(fuse, facts)
        self._references.check(request.reference)
        self._jobs.check_room()
        return fuse

    def _begun(self, voice: Voice, request: table.GoLive, options: table.Fuse, heard: Heard) -> Run:
        """A run whose pieces are as long as they must be."""
        in_beats = request.unit == "beats"
        unit = heard.rate_hz * (60 / self._player.timeline.bpm if in_beats else 1.0)
        length = request.length or (LENGTH_BEATS if in_beats else LENGTH_SECONDS)
        every = request.every or length / 2
        clocks = Clocks(heard.rate_hz, self._player.rate_hz)
        crossfade = min(CROSSFADE_SECONDS * heard.rate_hz, unit * every / 2)
        rolling = Rolling(next(self._tokens), round(clocks.ratio * crossfade), self._player.rate_hz)
        return Run(
            voice, request, options, voice.knobs, rolling, heard, clocks,
            Gate(_gate_db(request), heard.rate_hz), unit * every,
            max(unit * length, unit * every + crossfade), every if in_beats else 0.0,
        )  # fmt: skip

    def _others(self, voice: Voice) -> int:
        """How many other voices are live."""
        return sum(bool(each.lives) for each in self._voices.all if each is not voice)

    def _take_on(self, voice: Voice, request: table.GoLive, ticket: Ticket) -> None:
        """The voice's knobs are this one's from now on."""
        if request.blend is not None:
            voice.blend = request.blend
        voice.by = ticket.client
        voice.stop_prefetch()
        voice.stop_glide()
        voice.pair = None

    # While it goes on

    async def _follow(self, run: Run) -> None:
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
        run.state, run.trouble = "gated", "nothing comes from the input"

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
        run.state = "playing" if run.gate.is_open else "gated"
        if was_open or edges:
            run.dropped += run.newest is not None
            run.newest = Tick(self._making.window(run, stop), meets)
            run.wanted.set()
        else:
            self._making.roll(run, run.place(meets))

    # Ending

    def _run_of(self, voice: Voice) -> Run | None:
        """The newest of a voice."""
        return self._runs.get(voice.lives[-1]) if voice.lives else None

    def _over(self, voice: Voice, live: LiveVoice) -> None:
        """It was ended, by whatever; or it failed."""
        del self._runs[live]
        if live in voice.lives:
            voice.lives.remove(live)
        error = None if live.task.cancelled() else live.task.exception()
        if error is not None:
            log.error("live on voice %d", voice.number, exc_info=error)
            if self._player.playing(voice.number) == live.rolling.token:
                self._player.stop(voice.number)


def _gate_db(request: table.GoLive) -> float:
    return GATE_DB if request.gate is None else request.gate


def _timing(request: table.GoLive) -> tuple[object, ...]:
    """What can't be changed while it goes on."""
    return request.length, request.every, request.unit
