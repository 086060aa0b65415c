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
from eutectic.session.making import Making, Run
from eutectic.session.options import check_for_model
from eutectic.session.pieces import CROSSFADE_SECONDS, Clocks, Gate
from eutectic.session.references import References
from eutectic.session.resolve import Resolver
from eutectic.session.tempo import Tempo
from eutectic.session.tickets import Ticket
from eutectic.session.ticks import Ticks
from eutectic.session.voice import LiveVoice, Voice
from eutectic.session.voices import Voices

log = logging.getLogger("eutectic.session")

LENGTH_SECONDS, LENGTH_BEATS = 2.0, 4.0
GATE_DB = -60.0


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
        self._ticks = Ticks(self._making, inputs, player, latency_seconds)

    # Requests

    async def go(self, ticket: Ticket, request: table.GoLive) -> None:
        """Begin, or change what a voice does so already."""
        voice = self._voices[request.voice]
        options = self.options(request, voice)
        if not self._inputs.is_opening:
            self._inputs.check()
        if voice.pending is not None:
            voice.pending.cancel(f"superseded by /live on voice {voice.number}")
            voice.pending = None
        run, heard = self._run_of(voice), self._inputs.heard
        if run is not None and _timing(run.request) == _timing(request) and run.heard is heard:
            run.request, run.options, run.asked = request, options, voice.knobs
            run.gate.threshold_db = _gate_db(request)
            voice.lives[-1].reference = request.reference
            self._take_on(voice, request, ticket)
            return
        voice.pending = ticket
        try:
            run = await self._measured(ticket, voice, request, options)
        finally:
            if voice.pending is ticket:
                voice.pending = None
        self._take_on(voice, request, ticket)
        task = asyncio.get_running_loop().create_task(self._ticks.follow(run))
        live = LiveVoice(ticket, run.rolling, request.reference, task)
        voice.lives.append(live)
        self._runs[live] = run
        task.add_done_callback(lambda _: self._over(voice, live))

    async def stop(self, ticket: Ticket, request: table.StopLive) -> None:
        """End what `/live` began, or is about to; something else that a voice plays plays on."""
        every = self._voices.all
        voices = every if request.voice is None else [self._voices[request.voice]]
        due = self._tempo.due(ticket, request)
        if request.voice is not None and not _asked_for(voices[0]):
            ticket.remark(answers.Idle(-1, request.voice, "it isn't live"))
        stopped = {voice.number: _asked_for(voice) for voice in voices}
        if due is not None and any(stopped.values()):
            for voice in voices:
                self._player.end(voice.number, _tokens(voice, stopped[voice.number]), at=due)
            await self._tempo.reached(due)
        for voice in voices:
            self._end(voice, stopped[voice.number])

    def _end(self, voice: Voice, asked: set[Ticket]) -> None:
        """End what these requests began on a voice, or still wait for."""
        if voice.pending in asked:
            voice.pending.cancel(f"voice {voice.number} was stopped")
        self._player.end(voice.number, _tokens(voice, asked))
        for live in [each for each in voice.lives if each.ticket in asked]:
            voice.lives.remove(live)
            live.end()

    # What clients see

    def line(self, voice: Voice) -> str:
        """For `/status`: what a voice makes of the input; empty if nothing."""
        told = self._told(voice)
        if told is None:
            return ""
        dropped = f"{told.dropped} dropped" if told.dropped else ""
        parts = (f"live with {told.reference}", told.state, f"{told.lag_ms:.0f} ms late", dropped,
                 told.text)  # fmt: skip
        return ", ".join(part for part in parts if part)

    def states(self) -> Iterator[Answer]:
        """What voices make of the input, those that do."""
        for voice in self._voices.all:
            told = self._told(voice)
            if told is not None:
                yield told

    def _told(self, voice: Voice) -> answers.Live | None:
        run = self._run_of(voice)
        if run is None:
            return None
        lag_ms = 1000 * (run.lag / self._player.rate_hz + self._latency_seconds())
        return answers.Live(
            voice.number, run.request.reference, run.rolling.state,
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

    def options(self, request: table.GoLive, voice: Voice) -> table.Fuse:
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

    async def _measured(
        self, ticket: Ticket, voice: Voice, request: table.GoLive, options: table.Fuse
    ) -> Run:
        """A run that knows how long its pieces take, once the input is open.

        Raises:
            Refused: there is no input, or the engine failed.
        """
        heard = await self._inputs.ready()
        self._inputs.check()
        due = self._tempo.due(ticket, request)
        run = self._begun(voice, request, options, heard)
        run.due = due
        run.took = await self._making.measured(run, self._others(voice))
        return run

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


def _asked_for(voice: Voice) -> set[Ticket]:
    """The requests that a voice is live by, or will be."""
    asked = {live.ticket for live in voice.lives}
    if voice.pending is not None and voice.pending.address == table.GoLive.address:
        asked.add(voice.pending)
    return asked


def _tokens(voice: Voice, asked: set[Ticket]) -> set[int]:
    """Of what these requests began on a voice."""
    return {live.rolling.token for live in voice.lives if live.ticket in asked}


def _gate_db(request: table.GoLive) -> float:
    return GATE_DB if request.gate is None else request.gate


def _timing(request: table.GoLive) -> tuple[object, ...]:
    """What can't be changed while it goes on."""
    return request.length, request.every, request.unit
