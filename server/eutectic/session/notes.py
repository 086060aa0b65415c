"""Notes: what a voice plays, or played last, at the pitch of a key."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from eutectic.audio import db_to_gain
from eutectic.config import Place
from eutectic.fusion_options import place
from eutectic.osc import table
from eutectic.osc.server import Peer
from eutectic.playback.notes import Press
from eutectic.playback.pitch import Pitches, ratio_of
from eutectic.playback.player import At, Player
from eutectic.playback.sounds import Sound
from eutectic.session.due import timing
from eutectic.session.grids import Grids
from eutectic.session.jobs import Jobs
from eutectic.session.options import velocity_db
from eutectic.session.resolve import Resolver
from eutectic.session.tempo import Tempo
from eutectic.session.tickets import Refused, Ticket
from eutectic.session.voice import Voice
from eutectic.session.voices import Voices

MAX_HELD = 1024
"""Keys on the voice in focus whose voices are remembered, the ones struck last."""


@dataclass(eq=False)
class _Held:
    """A key that is held while its sound is read from disk; `until` it is let go, if that is known.

    It may be let go and struck again meanwhile: then it is another.
    """

    until: At = None


class Notes:
    """What keys do; owned by the event loop."""

    def __init__(
        self, jobs: Jobs, resolver: Resolver, voices: Voices, grids: Grids, player: Player,
        tempo: Tempo, kept_bytes: int,
    ) -> None:  # fmt: skip
        """`kept_bytes`: of sounds at other pitches, kept for the next note."""
        self._jobs, self._resolver, self._voices, self._grids = jobs, resolver, voices, grids
        self._player, self._tempo = player, tempo
        self._pitches = Pitches(player.rate_hz, kept_bytes)
        self._in_focus: dict[tuple[Peer, float], int] = {}
        """On which voice each client's keys were struck that play the one in focus."""
        self._fetching: dict[tuple[int, float], _Held] = {}
        """By voices and notes."""

    async def close(self) -> None:
        """End the thread that makes pitches."""
        await asyncio.to_thread(self._pitches.close)

    async def note(self, ticket: Ticket, request: table.Note) -> None:
        """Strike a note, or let it go."""
        at = self._due(ticket, request)
        if request.velocity > 0:
            await self._strike(ticket, request, at)
            return
        number = request.voice
        if number == 0:
            number = self._in_focus.pop((ticket.peer, request.note), self._voices.focus)
        voice = self._voices[number]
        held = self._fetching.get((voice.number, request.note))
        if held is not None and at is not None:  # it is to be heard until then
            held.until = at
            return
        self._fetching.pop((voice.number, request.note), None)
        self._player.let_go(voice.number, request.note, at)

    def forget(self) -> None:
        """Strike no note that waits for its sound."""
        self._fetching.clear()

    async def _strike(self, ticket: Ticket, request: table.Note, at: At) -> None:
        voice = self._voices[request.voice]
        if request.voice == 0:
            self._move_key(ticket.peer, request, voice)
        sound, held = self._heard(voice), _Held()
        if sound is None:
            key = voice.number, request.note
            self._fetching[key] = held
            try:
                sound = await self._kept(voice)
            finally:
                is_held = self._fetching.get(key) is held
                if is_held:
                    del self._fetching[key]
            if not is_held:  # let go meanwhile, or struck again
                return
        notes = voice.notes
        sound, section = self._pitches.of(sound, notes.section, ratio_of(request.note, notes.root))
        gain = db_to_gain(velocity_db(request.velocity))
        press = Press(request.note, sound, section, gain, notes.envelope, voice.loop)
        self._player.press(voice.number, press, request.gate, at)
        if held.until is not None:
            self._player.let_go(voice.number, request.note, held.until)
        self._jobs.timings.add("note, made", 1000 * (time.monotonic() - ticket.received))

    def _move_key(self, peer: Peer, request: table.Note, voice: Voice) -> None:
        """A key is struck on the voice in focus: it isn't held on the one before any more.

        One with a gate needs no release, so that none may come.
        """
        before = self._in_focus.pop((peer, request.note), voice.number)
        if before != voice.number:
            self._fetching.pop((before, request.note), None)
            self._player.let_go(before, request.note)
        if request.gate is None:
            self._in_focus[peer, request.note] = voice.number
            if len(self._in_focus) > MAX_HELD:  # of clients that have left, most likely
                del self._in_focus[next(iter(self._in_focus))]

    def _due(self, ticket: Ticket, request: table.Note) -> At:
        """When it is to be heard: a monotonic time or a beat; None: at once."""
        due, late_ms = timing(ticket.due, time.monotonic())
        ticket.late(late_ms)
        if request.at_beat is None and not request.quantise:
            return due
        return self._tempo.due(ticket, request, due)

    def _heard(self, voice: Voice) -> Sound | None:
        """The sound nearest to the blend of what a voice plays or played last; None if nothing."""
        if voice.last is None:
            return None
        fan = voice.last.fan
        nearest = fan.nearest(voice.blend, voice.y)
        return None if nearest is None else fan.sounds[nearest]

    async def _kept(self, voice: Voice) -> Sound:
        """The ready sound nearest to the blend of what a voice would play.

        Raises:
            Refused: there is none (`nothing_to_play`).
        """
        request = voice.request
        pair = voice.pair or (None if request is None else self._resolver.at_hand(request))
        if request is not None and pair is not None:
            near = sorted(self._grids.of(pair), key=lambda blend: abs(blend - voice.blend))
            for where in (place(request, voice.blend), *map(Place, (voice.blend, *near))):
                ready = await self._jobs.ready(pair, where)
                if ready is not None:
                    return ready.sound
        what = "has played nothing yet" if request is None else "has no fusion ready"
        raise Refused("nothing_to_play", f"voice {voice.number} {what}: /fuse plays one")
