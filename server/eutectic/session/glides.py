"""What a voice plays is made again at another recall or strength, and crossfaded in where it is.

A knob sends more values than can be made. There is never more than one job for a voice, and the
newest value wins. While the knob is turning, what is being made for an older value is finished, so
that turning is heard; once the knob rests, it is cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any

from eutectic.config import Place
from eutectic.errors import EutecticError
from eutectic.link.protocol import Priority
from eutectic.playback.player import Player
from eutectic.session.fans import Fans, followed
from eutectic.session.grids import Grids
from eutectic.session.jobs import Jobs
from eutectic.session.library import Library
from eutectic.session.pair import Knobs, Pair
from eutectic.session.references import References
from eutectic.session.shelf import Ready
from eutectic.session.voice import Played, Voice
from eutectic.session.voices import Voices

log = logging.getLogger("eutectic.session")

REST_SECONDS = 0.15
"""A knob that sends nothing for this long rests."""


@dataclass(frozen=True)
class _Aim:
    """What a voice is to play, in the place of what it does."""

    token: int
    played: Played
    pair: Pair
    place: Place


class Glides:
    """Changes what voices play; owned by the event loop."""

    def __init__(
        self, jobs: Jobs, library: Library, references: References, voices: Voices, grids: Grids,
        fans: Fans, player: Player,
    ) -> None:  # fmt: skip
        self._jobs, self._library, self._references = jobs, library, references
        self._voices, self._grids, self._fans, self._player = voices, grids, fans, player

    def turned(self, voice: Voice, knobs: Knobs) -> None:
        """A voice's knobs were turned: what it plays follows, unless something newer is coming."""
        playing = self._voices.playing(voice)
        if playing is not None and voice.pending is None:
            playing[1].knobs = knobs.over(playing[1].knobs)
            self._begin(voice)

    def started(self, voice: Voice, played: Played) -> None:
        """A fusion has started; the knobs may have been turned while it was made."""
        if voice.knobs != played.asked:
            played.knobs = voice.knobs.since(played.asked).over(played.knobs)
            self._begin(voice)

    def moved(self, voice: Voice) -> None:
        """A voice has another blend: what is being made for it is made there."""
        playing = self._voices.meant(voice)
        if playing is not None:
            playing[1].place = Place(voice.blend)
            voice.glide_again.set()

    def learned(self, name: str) -> None:
        """A reference is learned: where the network is heard, what plays goes on with it."""
        for voice in self._voices.all:
            playing = self._voices.playing(voice)
            if playing is not None and playing[1].pair.reference.name == name:
                self._begin(voice)

    def _begin(self, voice: Voice) -> None:
        voice.glide_again.set()
        if voice.glide is None or voice.glide.done():
            voice.glide = asyncio.get_running_loop().create_task(self._follow(voice))

    async def _follow(self, voice: Voice) -> None:
        """Change what a voice plays until it is what it is to be, then make its fan."""
        last: tuple[_Aim, Ready] | None = None
        patient = False
        try:
            while (aim := self._aim(voice)) is not None:
                voice.glide_again.clear()
                began = time.monotonic()
                ready = await _unless_left(self._made(aim), voice.glide_again, patient)
                patient = ready is None  # so that a knob turned in steps is heard, too
                if ready is not None:
                    self._change(voice, aim, ready)
                    self._jobs.timings.add("recall", 1000 * (time.monotonic() - began))
                    last = aim, ready
        except EutecticError as error:
            log.warning("voice %d goes on as it is: %s", voice.number, error)
        if last is not None:
            aim, ready = last
            self._jobs.keep(aim.pair, aim.place, ready)
            self._fans.prefetch(voice, Priority.AHEAD)

    def _aim(self, voice: Voice) -> _Aim | None:
        """What a voice is to play; None if it does, or plays nothing, or a pad.

        Where recall is the fan's second axis, turning it moves along that instead.
        """
        playing = self._voices.playing(voice)
        if playing is None or playing[1].pad is not None:
            return None
        token, played = playing
        pair, knobs = played.pair, played.knobs
        known, newest = pair.reference, self._references.all.get(pair.reference.name)
        if newest is not None and newest.known_by == known.known_by:
            pair = replace(pair, reference=newest)
            if knobs.strength in (None, known.strength):  # none was asked for
                knobs = replace(knobs, strength=newest.strength)
        pair = pair.at(self._grids.off_axis(pair, knobs))
        return None if pair.key == played.pair.key else _Aim(token, played, pair, played.place)

    async def _made(self, aim: _Aim) -> Ready:
        ready = await self._jobs.ready(aim.pair, aim.place)
        if ready is not None:
            return ready
        await self._library.engine_synced.wait()
        self._jobs.check_room()
        async for made in self._jobs.sounds(aim.pair, [aim.place], Priority.GLIDE, keep=False):
            ready = Ready(made.sound, made.blend)
        assert ready is not None  # a fusion has at least one chunk
        return ready

    def _change(self, voice: Voice, aim: _Aim, ready: Ready) -> None:
        """Crossfade to what was made, and let the voice's knobs be those of its pair."""
        played, before = aim.played, aim.played.pair
        blend = aim.place.blend_or(ready.blend)
        played.fan, played.pair = self._fans.around(aim.pair, blend, ready.sound), aim.pair
        played.request = followed(played.request, aim.pair, before)
        self._player.change(voice.number, aim.token, played.fan)
        if aim.place.blend is None:
            self._player.scrub(voice.number, blend, voice.y)
        if voice.pair is not None and voice.pair.key == before.key:
            self._fans.follow(voice, aim.pair)


async def _unless_left(
    work: Coroutine[Any, Any, Ready], again: asyncio.Event, patient: bool
) -> Ready | None:
    """The result of work; None if it was cancelled, as its knob came to rest at a newer value.

    `patient` work isn't cancelled.
    """
    making = asyncio.ensure_future(work)
    left = asyncio.ensure_future(_rests(again))
    try:
        waiting = (making,) if patient else (making, left)
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        left.cancel()
        making.cancel()
    await asyncio.wait((making,))
    return None if making.cancelled() else making.result()


async def _rests(again: asyncio.Event) -> None:
    """Wait until a knob has been turned, and then rests."""
    await again.wait()
    while again.is_set():
        again.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(again.wait(), REST_SECONDS)
