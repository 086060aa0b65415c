"""Triggers: fusions on voices, from a request to the sound's end."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import msgspec

from eutectic.config import PadState, Place
from eutectic.fusion_options import place
from eutectic.link.protocol import Priority
from eutectic.osc import answers, table
from eutectic.osc.table import Fuse
from eutectic.playback.events import Dropped, Ended, Reached, Started, Underrun
from eutectic.playback.player import PANIC_SECONDS, STOP_SECONDS, At, Player
from eutectic.playback.sounds import Sound
from eutectic.playback.timeline import Beat
from eutectic.session.costs import Case
from eutectic.session.due import timing
from eutectic.session.fans import Fans
from eutectic.session.glides import Glides
from eutectic.session.grids import Grids
from eutectic.session.jobs import Jobs
from eutectic.session.journal import Journal
from eutectic.session.library import Library
from eutectic.session.options import loops, velocity_db
from eutectic.session.pair import Knobs, Pair
from eutectic.session.references import References
from eutectic.session.resolve import Resolver
from eutectic.session.shelf import Ready
from eutectic.session.tempo import Dated, Tempo
from eutectic.session.tickets import WRONG_CLOCK_MS, Refused, Ticket
from eutectic.session.voice import Aim, Played, Voice
from eutectic.session.voices import Voices

log = logging.getLogger("eutectic.session")


@dataclass(frozen=True)
class Cue:
    """A fusion under way: for whom, on which voice, of what, and how and when it is played.

    `due` is None for at once, a monotonic time or a beat; `knobs` are the voice's at the time;
    `limit` ends the request unless it is played before.
    """

    ticket: Ticket
    voice: Voice
    pair: Pair
    place: Place
    request: Fuse
    due: At
    knobs: Knobs
    limit: asyncio.Timeout

    @property
    def loop(self) -> bool:
        return loops(self.request, self.voice.loop)

    @property
    def own(self) -> Fuse:
        """The request without what concerns this one trigger alone."""
        return msgspec.structs.replace(
            self.request, id=0, at_ms=None, velocity=None, within_ms=None, preset=None,
            at_beat=None, quantise=None,
        )  # fmt: skip

    @property
    def sent(self) -> Fuse:
        """A request that plays the same, however voices and the session are set by then."""
        request, knobs = self.request, self.pair.knobs
        return msgspec.structs.replace(
            self.own, velocity=request.velocity, blend=self.place.blend, loop=int(self.loop),
            recall=knobs.recall, strength=knobs.strength, seed=self.pair.sampling.seed,
        )  # fmt: skip


class Stage:
    """What is triggered and played; owned by the event loop.

    Attributes:
        waits: how often a voice had to wait for the decoder.
        tokens: of what is played, in the player.
    """

    def __init__(
        self, jobs: Jobs, library: Library, references: References, resolver: Resolver,
        voices: Voices, grids: Grids, fans: Fans, glides: Glides, player: Player, tempo: Tempo,
        journal: Journal, latency_seconds: Callable[[], float], changed: Callable[[], None],
    ) -> None:  # fmt: skip
        self._jobs, self._library, self._references = jobs, library, references
        self._resolver, self._voices, self._grids, self._fans = resolver, voices, grids, fans
        self._glides, self._player, self._tempo = glides, player, tempo
        self._journal = journal
        self._latency_seconds, self._changed = latency_seconds, changed
        self.waits = 0
        self.tokens = itertools.count(1)
        self._timed: set[Ticket] = set()

    # Requests

    async def fuse(self, ticket: Ticket, request: Fuse) -> None:
        """Play a fusion, at once if it is ready, else as soon as enough of it is decoded."""
        voice = self._voices[request.voice]
        within_ms = request.within_ms
        knobs = voice.knobs
        request = self._resolver.with_defaults(request, voice)
        self._resolver.check(request)
        where = place(request, voice.blend)
        voice.by = ticket.client
        asked = _asked(ticket, request)
        due = self._due(ticket, asked, request)
        if isinstance(due, Beat):
            asked = self._tempo.time_of(due)
        until = None if within_ms is None else _last_moment(ticket, asked, within_ms / 1000)
        limit = asyncio.timeout_at(until)
        pair = self._resolver.at_hand(request)
        if pair is None or not self._jobs.is_kept(pair, where):
            self._jobs.check_room()
        try:
            with self.turn(ticket, voice, due):
                async with limit:
                    pair = pair or await self._resolver.pair(request)
                    cue = Cue(ticket, voice, pair, where, request, due, knobs, limit)
                    if due is None:
                        self.aim(voice, pair, where.blend_or(voice.blend), cue.own)
                    ready = await self._jobs.ready(pair, where)
                    if ready is not None:
                        self._play(cue, ready.sound, ready.blend, ready=True)
                    else:
                        await self._fuse(cue)
                self._fans.prefetch(voice, Priority.AHEAD)
        except TimeoutError:
            if not limit.expired():
                raise
            raise _too_late() from None

    async def play(
        self, ticket: Ticket, voice: Voice, pair: Pair, request: Fuse, found: Ready,
        blend: float, due: At = None, position: int = 0,
    ) -> None:  # fmt: skip
        """Play what is at hand of a pair on a voice, from a frame on, and scrub it to a blend."""
        with self.turn(ticket, voice, due):
            if due is None:
                self.aim(voice, pair, blend, request)
            async with asyncio.timeout(None) as limit:
                place = Place(found.blend)
                cue = Cue(ticket, voice, pair, place, request, due, voice.knobs, limit)
                self._play(cue, found.sound, found.blend, ready=True, position=position)

    def due(self, ticket: Ticket, request: Dated) -> At:
        """When something that is at hand is to be heard; None: at once."""
        return self._due(ticket, ticket.due, request)

    async def scrub(self, ticket: Ticket, request: table.Scrub) -> None:
        """Move a voice across its fan, which is made if it isn't ready."""
        voice = self._voices[request.voice]
        blend = request.blend if voice.pad else self._grids.blend(voice.pair, request.blend)
        self._voices.move(voice, blend, request.y)
        voice.by = ticket.client
        self._glides.moved(voice)
        self._fans.prefetch(voice, Priority.FAN)
        if self._is_idle(voice):
            ticket.remark(answers.Idle(-1, voice.number, "its next fusion starts there"))

    async def stop(self, ticket: Ticket, request: table.Stop) -> None:
        due = self._tempo.due(ticket, request)
        if due is None:
            self._stop(ticket, request)
            return
        stopped = [v for v in self._voices.all if request.voice in (None, v.number)]
        pending = [each.pending for each in stopped if each.pending is not None]
        for voice in stopped:
            self._player.stop(voice.number, _fade_seconds(request), due)
        self._timed.add(ticket)
        try:
            await self._tempo.reached(due)
        finally:
            self._timed.discard(ticket)
        for voice in stopped:
            if voice.pending is not None and voice.pending in pending:  # asked for before the stop
                voice.pending.cancel(f"voice {voice.number} was stopped")

    def _stop(self, ticket: Ticket, request: table.Stop) -> None:
        """Stop what plays, and what is about to."""
        if request.voice is not None and request.voice > len(self._voices.all):
            ticket.remark(answers.Idle(-1, request.voice, "there is no such voice"))
        for voice in self._voices.all:
            if request.voice not in (None, voice.number):
                continue
            if request.voice is not None and self._is_idle(voice):
                ticket.remark(answers.Idle(-1, voice.number, "there is nothing to stop"))
            if voice.pending is not None:
                voice.pending.cancel(f"voice {voice.number} was stopped")
            voice.stopped()
            self._player.stop(voice.number, _fade_seconds(request))

    def panic(self) -> None:
        """Silence everything."""
        self._player.panic()
        self._cancel_timed("panic")
        for voice in self._voices.all:
            if voice.pending is not None:
                voice.pending.cancel("panic")
            voice.stopped()
        log.warning("panic: silent within %.0f ms and the ring", 1000 * PANIC_SECONDS)

    def clear_schedule(self) -> None:
        """Cancel every fusion that waits for its time."""
        self._player.clear_schedule()
        self._cancel_timed("the schedule was cleared")

    def pad(self, request: Fuse) -> PadState:
        """The state of a pad that sends this request."""
        if request.voice > len(self._voices.all):
            return "off"
        voice = self._voices[request.voice]
        last = voice.request
        if last is not None and (last.original, last.reference) == (
            request.original, request.reference
        ):  # fmt: skip
            if voice.pending is not None:
                return "working"
            if self._voices.meant(voice) is not None:
                return "playing"
        return self._references.pad(request.original, request.reference)

    # Events of the player

    def poll(self) -> None:
        """Report to clients what has started and ended since the last call."""
        for event in self._player.take_events():
            if isinstance(event, Reached):
                event.then(event.frame)
                continue
            voice = self._voices[event.voice]
            voice.heed(event)
            played = voice.played.get(event.token)
            if played is None:
                continue
            ticket, played.is_coming = played.ticket, False
            if isinstance(event, Started):
                self._started(event, voice, played)
            elif isinstance(event, Ended):
                ticket.reply(answers.Ended(event.voice, ticket.id))
            elif isinstance(event, Underrun):
                self.waits += 1
                log.warning("voice %d waits for the decoder", event.voice)
            else:
                played.tell_dropped(event.voice)
            if isinstance(event, Ended | Dropped):
                del voice.played[event.token]

    def _started(self, event: Started, voice: Voice, played: Played) -> None:
        voice.last = played
        ticket = played.ticket
        if played.entry is not None and ticket.address in (Fuse.address, table.Replay.address):
            self._journal.started(played.entry, event.frame)
        latency_ms = 1000 * (event.at + self._latency_seconds() - ticket.received)
        stage = "first sample, ready" if played.ready else "first sample, made"
        if played.measured is not None:
            case, began = played.measured
            self._jobs.costs.add(case, latency_ms - 1000 * (began - ticket.received))
        if not played.timed:
            self._jobs.timings.add(stage, latency_ms)
        elif voice.pending is None:
            self.aim(voice, played.pair, played.place.blend_or(voice.blend), played.request)
            self._fans.prefetch(voice, Priority.AHEAD)
        ticket.reply(answers.Started(ticket.id, event.voice, latency_ms))
        self._glides.started(voice, played)

    # Parts

    def _is_idle(self, voice: Voice) -> bool:
        sounds = self._player.notes(voice.number) or self._voices.meant(voice) is not None
        return voice.pending is None and not voice.lives and not sounds

    def _due(self, ticket: Ticket, asked: float | None, request: Dated) -> At:
        """When it is to be heard: a monotonic time or a beat; None: at once."""
        due, late_ms = timing(asked, time.monotonic())
        ticket.late(late_ms)
        if request.at_beat is None and not request.quantise:
            return due
        return self._tempo.due(ticket, request, due)

    @contextmanager
    def turn(self, ticket: Ticket, voice: Voice, due: At) -> Generator[None]:
        """While a request is under way on a voice: the newest wins; dated ones wait for their time.

        If it comes to nothing, the voice's knobs are those of what plays.
        """
        if due is not None:
            self._timed.add(ticket)
        elif voice.pending is not ticket:
            if voice.pending is not None:
                voice.pending.cancel(f"superseded by a newer fusion on voice {voice.number}")
            voice.pending = ticket
        try:
            yield
        finally:
            self._timed.discard(ticket)
            if voice.pending is ticket:
                voice.pending = None
                self._aim_at_what_plays(voice)

    def aim(
        self, voice: Voice, pair: Pair, blend: float, request: Fuse,
        pad: tuple[str, ...] | None = None,
    ) -> None:  # fmt: skip
        """Point the voice's knobs at a pair; maybe that of a pad."""
        if voice.pair is None or voice.pair.key != pair.key:
            voice.stop_prefetch()
        voice.stop_glide()
        voice.pair, voice.blend, voice.request, voice.pad = pair, blend, request, pad
        if pad is None:
            voice.y = self._grids.hand(pair, voice.y)
        self._changed()

    def aim_back(self, voice: Voice, before: Aim) -> None:
        """Point the voice's knobs where they pointed, wherever they are by now."""
        voice.pair, voice.request, voice.pad = before.pair, before.request, before.pad
        self._changed()

    def _aim_at_what_plays(self, voice: Voice) -> None:
        """Point the voice's knobs back, after a fusion that is never heard."""
        playing = self._voices.meant(voice)
        if playing is not None and playing[1].pair is not voice.pair:
            played = playing[1]
            blend = played.place.blend_or(voice.blend)
            self.aim(voice, played.pair, blend, played.request, played.pad)

    async def _fuse(self, cue: Cue) -> None:
        """Have the engine make it, and start it as soon as that is safe."""
        await asyncio.sleep(0)  # of many triggers at once, those superseded leave no job behind
        self._jobs.check_room()
        cue.ticket.queued()
        if not self._library.engine_synced.is_set():  # the engine has just started again
            await self._library.engine_synced.wait()
            pair, before = await self._resolver.pair(cue.request), cue.pair
            cue = replace(cue, pair=pair)
            if cue.voice.pair is before:
                cue.voice.pair = pair
        token: int | None = None
        sound: Sound | None = None
        case, began = self._case(cue), time.monotonic()
        measured = None if case is None else (case, began)
        try:
            async for made in self._jobs.sounds(
                cue.pair, [cue.place], Priority.TRIGGER, cue.ticket.progress
            ):
                blend = cue.place.blend_or(made.blend)
                if token is None and self._jobs.can_start(made.sound):
                    sound = made.sound
                    token = self._play(cue, sound, blend, ready=False, measured=measured)
                if made.sound.complete:
                    self._fans.add(cue.pair, made.sound, blend)
            if case is not None:
                self._jobs.costs.add_busy(1000 * (time.monotonic() - began))
        except BaseException:
            playing = self._voices.meant(cue.voice)
            if playing is not None and playing[0] == token and sound in playing[1].fan.sounds:
                self._player.stop(cue.voice.number)  # the rest will never be decoded
            raise

    def _case(self, cue: Cue) -> Case | None:
        """What the time that it takes depends on, if nothing else delays it."""
        facts = self._jobs.host.facts
        others = any(each.pending not in (None, cue.ticket) for each in self._voices.all)
        if facts is None or cue.due is not None or others or self._jobs.host.waiting:
            return None
        return self._jobs.costs.case(cue.pair, facts)

    def _play(
        self, cue: Cue, sound: Sound, blend: float, ready: bool,
        measured: tuple[Case, float] | None = None, position: int = 0,
    ) -> int:  # fmt: skip
        """Play it; returns its token."""
        voice, blend = cue.voice, cue.place.blend_or(blend)
        last = cue.limit.when()
        if last is not None and last < time.monotonic():
            raise _too_late()
        cue.limit.reschedule(None)
        token = next(self.tokens)
        fan, y = self._fans.around(cue.pair, blend, sound), self._grids.hand(cue.pair, voice.y)
        played = Played(
            cue.ticket, cue.own, cue.due is not None, ready, cue.pair, fan, cue.place,
            cue.pair.knobs, cue.knobs, measured, self._journal.will_start(cue.ticket, cue.sent),
        )  # fmt: skip
        voice.played[token] = played
        if voice.pending is cue.ticket:
            voice.pending = None
        if isinstance(cue.due, Beat):
            due, late_ms = self._tempo.again(cue.due)
        else:
            due, late_ms = timing(cue.due, time.monotonic())
        cue.ticket.late(late_ms)
        gain_db = velocity_db(cue.request.velocity)
        self._player.play(
            voice.number, fan, token, blend=blend, y=y, gain_db=gain_db, loop=cue.loop,
            beats=cue.request.beats, at=due, position=position,
        )  # fmt: skip
        aimed = due is None and voice.pair is cue.pair and cue.place.blend is not None
        if aimed and (voice.blend, voice.y) != (blend, y):  # the knob moved while it was made
            hand = self._grids.knob(voice.pair, voice.blend)
            self._journal.did(cue.ticket, table.Scrub(voice=voice.number, blend=hand, y=voice.y))
            self._player.scrub(voice.number, voice.blend, voice.y)
            played.place = Place(voice.blend)
        return token

    def _cancel_timed(self, reason: str) -> None:
        for ticket in list(self._timed):
            ticket.cancel(reason)


def _asked(ticket: Ticket, request: Fuse) -> float | None:
    """When it should be heard (monotonic), by its time tag or `at_ms`; None: at once."""
    if request.at_ms:
        return (ticket.due or ticket.received) + request.at_ms / 1000
    return ticket.due


def _last_moment(ticket: Ticket, asked: float | None, within_seconds: float) -> float:
    """When it must have started (monotonic); a clock that is wrong altogether doesn't count."""
    wrong = asked is not None and 1000 * abs(asked - ticket.received) > WRONG_CLOCK_MS
    return (ticket.received if asked is None or wrong else asked) + within_seconds


def _fade_seconds(request: table.Stop) -> float:
    return STOP_SECONDS if request.fade_ms is None else request.fade_ms / 1000


def _too_late() -> Refused:
    return Refused("too_late", "it couldn't start within the time that @within_ms allows")
