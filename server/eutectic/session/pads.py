"""Pads: four fusions on one voice, one in each corner, between which x and y move.

All four are read at the same place in time, over the length of the longest: in a loop the shorter
ones go round within it, in a one-shot they end. So what is heard of each doesn't depend on where
the hand has been. A pad starts with the first corner that is ready; the others come in, crossfaded,
as they are made, those nearest to the hand first.
"""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import dataclass

from eutectic.config import Place
from eutectic.errors import BadSetting, EutecticError
from eutectic.fusion_options import place
from eutectic.link.protocol import Priority
from eutectic.osc import table
from eutectic.osc.table import Fuse
from eutectic.playback.player import Player
from eutectic.playback.sounds import Fan, Sound
from eutectic.session.jobs import Jobs
from eutectic.session.kept import KeptVoice
from eutectic.session.library import Library
from eutectic.session.pair import Pair
from eutectic.session.resolve import Resolver
from eutectic.session.stage import Stage
from eutectic.session.tickets import Refused, Ticket
from eutectic.session.voice import Played, Voice
from eutectic.session.voices import Voices

log = logging.getLogger("eutectic.session")

CORNERS = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))
"""x and y of each, in the order of the request."""


@dataclass(frozen=True)
class Corner:
    """What is heard in a corner."""

    request: Fuse
    pair: Pair
    place: Place


@dataclass(frozen=True)
class Pad:
    """A pad under way: for whom, on which voice, as it was named, and its sounds so far.

    `frames` are the longest corner's, at the device's rate.
    """

    ticket: Ticket
    voice: Voice
    named: tuple[str, ...]
    corners: list[Corner]
    fan: Fan
    frames: int
    loop: bool

    async def put(self, k: int, sound: Sound, rate_hz: int) -> None:
        """Let a corner be heard; a shorter one takes a moment."""
        seam = round(self.voice.crossfade_ms / 1000 * rate_hz)
        if sound.complete and sound.frames != self.frames:
            sound = await asyncio.to_thread(sound.lasting, self.frames, self.loop, seam)
        self.fan.put(k, sound)
        self.fan.measure_correlations()

    def missing(self) -> list[int]:
        """Corners without a sound, the nearest to the hand first."""
        hand = self.voice.blend, self.voice.y
        without = [k for k, sound in enumerate(self.fan.sounds) if sound is None]
        return sorted(without, key=lambda k: math.dist(CORNERS[k], hand))


def again(kept: KeptVoice) -> table.PlayPad:
    """The request for the pad that a voice played."""
    loop = kept.request.get("loop")
    one, two, three, four = kept.pad or ("", "", "", "")
    return table.PlayPad(
        voice=kept.number, pair00=one, pair10=two, pair01=three, pair11=four,
        loop=None if loop is None else int(loop),
    )  # fmt: skip


def _named(request: table.PlayPad) -> tuple[str, ...]:
    return request.pair00, request.pair10, request.pair01, request.pair11


class Pads:
    """Plays pads; owned by the event loop."""

    def __init__(
        self, jobs: Jobs, library: Library, resolver: Resolver, voices: Voices, stage: Stage,
        player: Player,
    ) -> None:  # fmt: skip
        self._jobs, self._library, self._resolver = jobs, library, resolver
        self._voices, self._stage, self._player = voices, stage, player

    async def play(self, ticket: Ticket, request: table.PlayPad) -> None:
        """Play a pad as soon as one of its corners can be heard."""
        voice = self._voices[request.voice]
        named = _named(request)
        asked = self.asked(request, voice)
        if not all(self._is_kept(each) for each in asked):
            self._jobs.check_room()
        voice.by = ticket.client
        with self._stage.turn(ticket, voice, None):
            pad = await self._pad(ticket, voice, request, named, asked)
            nearest, before = pad.corners[pad.missing()[0]], voice.aim
            self._stage.aim(voice, nearest.pair, voice.blend, nearest.request, named)
            try:
                await self._start_first(pad)
            finally:
                if voice.pending is ticket:  # it was never heard, and nothing newer is asked for
                    self._stage.aim_back(voice, before)
            voice.stop_prefetch()
            voice.prefetch = asyncio.get_running_loop().create_task(self._make_others(pad))

    def asked(self, request: table.PlayPad, voice: Voice) -> list[Fuse]:
        """The fusions in its corners, on a voice.

        Raises:
            Refused: a corner is none, or there is no such clip or reference.
            BadSetting: it can't be fused.
        """
        return [self._asked(text, request, voice) for text in _named(request)]

    async def _start_first(self, pad: Pad) -> None:
        """Start with what is ready of it, or else with the first corner that is made."""
        for k in pad.missing():
            ready = await self._jobs.ready(pad.corners[k].pair, pad.corners[k].place)
            if ready is not None:
                await pad.put(k, ready.sound, self._jobs.rate_hz)
        if any(pad.fan.sounds):
            self._start(pad, ready=True)
        else:
            await self._make(pad, pad.missing()[0])

    def _asked(self, text: str, request: table.PlayPad, voice: Voice) -> Fuse:
        """The fusion that a corner's name stands for.

        Raises:
            Refused: it isn't one, or there is no such clip or reference.
        """
        original, _, rest = text.partition(":")
        reference, *blends = rest.split(":")
        try:
            if not original or not reference or len(blends) > 1:
                raise ValueError
            blend = Place(float(blends[0])).blend if blends else None
        except (ValueError, BadSetting):
            why = f"{text} isn't original:reference, nor original:reference:blend"
            raise Refused("bad_arguments", why) from None
        fuse = Fuse(id=0, voice=voice.number, original=original, reference=reference, blend=blend,
                    loop=request.loop)  # fmt: skip
        fuse = self._resolver.with_defaults(fuse, voice)
        self._resolver.check(fuse)
        return fuse

    def _is_kept(self, asked: Fuse) -> bool:
        pair = self._resolver.at_hand(asked)
        return pair is not None and self._jobs.is_kept(pair, place(asked))

    async def _pad(
        self, ticket: Ticket, voice: Voice, request: table.PlayPad, named: tuple[str, ...],
        asked: list[Fuse],
    ) -> Pad:  # fmt: skip
        """The pad that a request asks for, as soon as its sources are known."""
        if not all(self._is_kept(each) for each in asked):
            await self._library.engine_synced.wait()
        corners = [Corner(each, await self._resolver.pair(each), place(each)) for each in asked]
        frames = max(self._jobs.frames(each.pair) for each in corners)
        loop = voice.loop if request.loop is None else bool(request.loop)
        fan = Fan([x for x, _ in CORNERS], [y for _, y in CORNERS])
        return Pad(ticket, voice, named, corners, fan, frames, loop)

    async def _make(self, pad: Pad, k: int) -> None:
        """Have the engine make the first corner, and start the pad as soon as that is safe."""
        await asyncio.sleep(0)  # of many triggers at once, those superseded leave no job behind
        self._jobs.check_room()
        token: int | None = None
        corner, progress = pad.corners[k], pad.ticket.progress
        try:
            async for made in self._jobs.sounds(
                corner.pair, [corner.place], Priority.TRIGGER, progress
            ):
                can_start = made.sound.frames == pad.frames and self._jobs.can_start(made.sound)
                if token is None and (can_start or made.sound.complete):
                    await pad.put(k, made.sound, self._jobs.rate_hz)
                    token = self._start(pad, ready=False)
        except BaseException:
            playing = self._voices.meant(pad.voice)
            if playing is not None and playing[0] == token:
                self._player.stop(pad.voice.number)  # the rest will never be decoded
            raise

    async def _make_others(self, pad: Pad) -> None:
        """Have the engine make the corners that aren't there yet, once more if it dies of it."""
        deaths = 0
        while missing := pad.missing():
            try:
                await self._make_corner(pad, missing[0])
            except EutecticError as error:
                log.warning("the pad of voice %d: %s", pad.voice.number, error)
                deaths += 1
                if error.code != "engine_died" or deaths > 1:
                    return
                await self._library.engine_synced.wait()

    async def _make_corner(self, pad: Pad, k: int) -> None:
        corner = pad.corners[k]
        async for made in self._jobs.sounds(corner.pair, [corner.place], Priority.FAN):
            if made.sound.complete:
                await pad.put(k, made.sound, self._jobs.rate_hz)

    def _start(self, pad: Pad, ready: bool) -> int:
        """Play it from where the hand is; returns its token."""
        voice, token = pad.voice, next(self._stage.tokens)
        first = pad.fan.nearest(voice.blend, voice.y) or 0
        corner = pad.corners[first]
        voice.played[token] = Played(
            pad.ticket, corner.request, False, ready, corner.pair, pad.fan, corner.place,
            corner.pair.knobs, voice.knobs, None, None, pad.named,
        )  # fmt: skip
        if voice.pending is pad.ticket:
            voice.pending = None
        self._player.play(voice.number, pad.fan, token, blend=voice.blend, y=voice.y, loop=pad.loop)
        return token
