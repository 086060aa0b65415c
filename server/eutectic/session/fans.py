"""Fans: the fusions of one pair at several blends, and maybe across a second axis.

A voice is scrubbed across them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from eutectic.config import Place, check_guided
from eutectic.errors import BadSetting
from eutectic.link.protocol import Even, Evened, Priority
from eutectic.osc import answers, table
from eutectic.playback.player import Player
from eutectic.playback.sounds import Fan, Sound
from eutectic.session.grids import Axis, Grids, steady
from eutectic.session.jobs import Jobs, OnProgress, part
from eutectic.session.library import Library
from eutectic.session.order import At, Order
from eutectic.session.pair import Pair
from eutectic.session.resolve import Resolver
from eutectic.session.shelf import Ready
from eutectic.session.tickets import Refused, Ticket
from eutectic.session.voice import Played, Voice
from eutectic.session.voices import Voices

log = logging.getLogger("eutectic.session")

EVENED = 0.5
"""How far an even fan has come when its places are found."""

NEAR = 0.02
"""Places of a fan this near to another, on both axes, are left out."""

MIDDLE = (0.5, 0.5)


class Fans:
    """Makes the fans of pairs and gives them to voices; owned by the event loop."""

    def __init__(
        self, jobs: Jobs, library: Library, resolver: Resolver, voices: Voices, grids: Grids,
        player: Player, changed: Callable[[], None],
    ) -> None:  # fmt: skip
        self._jobs, self._library, self._resolver, self._voices = jobs, library, resolver, voices
        self._grids, self._player, self._changed = grids, player, changed

    async def make(self, ticket: Ticket, request: table.MakeFan) -> None:
        """Make all places of a fan ready."""
        self._jobs.check_room()
        request = self._resolver.with_defaults(request)
        self._resolver.check(request)
        axis = Axis.of(request)
        await self._library.engine_synced.wait()
        pair, size = await self._resolver.pair(request), request.n
        self._check_axis(pair, axis, request)
        ticket.queued()
        blends = steady(size)
        if request.even:
            even = Even(
                0, pair.original.key, pair.reference.spec, size, pair.sampling, Priority.FAN
            )
            blends = (await self._jobs.run(even, Evened, part(ticket.progress, 0.0, EVENED))).blends
        self._lay_out(pair, blends, axis)
        count = len(self._grids.places(pair))
        await self._make(
            pair, Priority.FAN, lambda k: ticket.reply(answers.FanReady(ticket.id, k, count)),
            part(ticket.progress, EVENED if request.even else 0.0, 1.0),
        )  # fmt: skip

    def around(self, pair: Pair, blend: float, sound: Sound) -> Fan:
        """A fan with one sound, and those that are ready beside it."""
        return self._gathered(pair, {(blend, self._grids.place(pair)): sound})

    async def nearest(self, pair: Pair, blend: float, places: list[Place]) -> Ready | None:
        """What is ready of a pair: at one of these places, or nearest to a blend; None if nothing.

        Its blend is that of the place where it was found.
        """
        grid = sorted(self._grids.of(pair), key=lambda each: abs(each - blend))
        for each in (*places, *map(Place, grid)):
            ready = await self._jobs.ready(pair, each)
            if ready is not None:
                return Ready(ready.sound, each.blend_or(ready.blend))
        return None

    def add(self, pair: Pair, sound: Sound, blend: float, y: float | None = None) -> None:
        """Put a complete sound into the fans of the voices that play its pair.

        `y` is where it stands, if that isn't where the pair itself does.
        """
        at = blend, self._grids.place(pair) if y is None else y
        for _, _, played in self._playing(pair):
            for index, each in enumerate(zip(played.fan.blends, played.fan.ys, strict=True)):
                if each == at and played.fan.sounds[index] is None:
                    played.fan.put(index, sound)
            if sound in played.fan.sounds:
                _measure(played.fan)

    def follow(self, voice: Voice, pair: Pair) -> None:
        """A voice goes on with another pair of the same sources: with a fan of the same places."""
        if voice.pair is None or voice.request is None:
            return
        self._grids.follow(pair, voice.pair)
        again, priority = voice.is_prefetching, voice.prefetch_priority
        voice.stop_prefetch()
        voice.request = followed(voice.request, pair, voice.pair)
        voice.pair = pair
        if again:
            self._start_prefetch(voice, voice.request, priority)

    def prefetch(self, voice: Voice, priority: Priority) -> None:
        """Make the fan of a voice's pair; restarted if it's under way at a lower priority."""
        busy = voice.is_prefetching and voice.prefetch_priority <= priority
        if voice.request is None or voice.pad is not None or busy:
            return
        name = "" if voice.pair is None else self._grids.name(voice.pair)
        if priority != Priority.FAN or not name or voice.prefetched != name:
            self._start_prefetch(voice, voice.request, priority)

    # Parts

    def _check_axis(self, pair: Pair, axis: Axis | None, request: table.MakeFan) -> None:
        """Check that a pair can be fused all along an axis, and that it changes what is heard.

        Raises:
            Refused: there is no such second reference, or it is another model's.
            BadSetting: a value is out of range, or nothing changes.
        """
        if axis is None:
            return
        if axis.across == "reference2":
            self._resolver.check(msgspec.structs.replace(request, reference=axis.reference2))
        if axis.across == "cfg":
            for value in (axis.low, axis.high):
                check_guided(request.negative, value)
        ends = [self._grids.at(pair, axis, y) for y in (0.0, 1.0)]
        if None in ends:
            raise Refused("unknown_reference", f"reference {axis.reference2} isn't ready yet")
        if len({end.key for end in ends if end is not None}) == 1:
            why = "no network is heard at recall 1" if pair.sampling.recall == 1 else "of this pair"
            raise BadSetting(f"across {axis.across} nothing changes: {why}")

    def _lay_out(self, pair: Pair, blends: list[float], axis: Axis | None) -> None:
        """Give a pair's fan new places; voices that play it crossfade to what there is of them."""
        is_new = (self._grids.of(pair), self._grids.axis(pair)) != (blends, axis)
        heard = [
            (voice, token, played, self._grids.place(played.pair))
            for voice, token, played in self._playing(pair)
            if is_new and token in self._player.sounding(voice.number)
        ]
        self._grids.keep(pair, blends, axis)
        for each in heard:
            self._take_up(*each)
        for voice in self._voices.all:
            if voice.pair is not None and self._grids.name(voice.pair) == self._grids.name(pair):
                voice.prefetched = ""
        self._changed()

    def _take_up(self, voice: Voice, token: int, played: Played, y: float) -> None:
        """Let a voice go on with its fan's new places; its own sounds were at this y so far."""
        fan, now = played.fan, self._grids.place(played.pair)
        row = [k for k, each in enumerate(fan.ys) if abs(each - y) <= NEAR and fan.sounds[k]]
        own = {
            (fan.blends[k], now): sound for k in row or [fan.nearest(voice.blend, voice.y)]
            if k is not None and (sound := fan.sounds[k]) is not None
        }  # fmt: skip
        played.fan = self._gathered(played.pair, own)
        self._player.change(voice.number, token, played.fan)
        if voice.pair is not None and self._grids.name(voice.pair) == self._grids.name(played.pair):
            voice.y = self._grids.hand(voice.pair, voice.y)
            self._player.scrub(voice.number, voice.blend, voice.y)

    def _gathered(self, pair: Pair, own: dict[At, Sound]) -> Fan:
        """A fan with some sounds, and what is ready of its other places."""
        found: dict[At, Sound | None] = {}
        for y, row, blend in self._grids.places(pair):
            near = [at for at in own if abs(at[0] - blend) <= NEAR and abs(at[1] - y) <= NEAR]
            if not near:
                ready = self._jobs.at_hand(row, Place(blend))
                found[blend, y] = None if ready is None else ready.sound
        ys = {y for _, y in found}
        for (blend, y), sound in own.items():
            found[blend, next((each for each in ys if abs(each - y) <= NEAR), y)] = sound
        places = sorted(found, key=lambda at: (at[1], at[0]))
        fan = Fan([blend for blend, _ in places], [y for _, y in places])
        for index, at in enumerate(places):
            sound = found[at]
            if sound is not None:
                fan.put(index, sound)
        _measure(fan)
        return fan

    def _playing(self, pair: Pair) -> list[tuple[Voice, int, Played]]:
        """What is played of a pair's fan: on which voices, with which tokens."""
        name = self._grids.name(pair)
        return [
            (voice, token, played) for voice in self._voices.all
            for token, played in voice.played.items()
            if played.pad is None and self._grids.name(played.pair) == name
        ]  # fmt: skip

    def _start_prefetch(self, voice: Voice, request: table.Fuse, priority: Priority) -> None:
        voice.stop_prefetch()
        voice.prefetch_priority = priority
        voice.prefetch = asyncio.get_running_loop().create_task(
            self._prefetch(voice, request, priority)
        )

    async def _prefetch(self, voice: Voice, request: table.Fuse, priority: Priority) -> None:
        try:
            await self._library.engine_synced.wait()
            if voice.pair is None:
                voice.pair = await self._resolver.pair(request)
            name = self._grids.name(voice.pair)
            await self._make(voice.pair, priority, is_near_first=priority == Priority.FAN)
            voice.prefetched = name
        except Refused as error:
            log.warning("the fan of voice %d: %s", voice.number, error)

    async def _make(
        self, pair: Pair, priority: Priority,
        on_ready: Callable[[int], None] = lambda _: None,
        progress: OnProgress = lambda _stage, _fraction: None,
        is_near_first: bool = False,
    ) -> None:  # fmt: skip
        """Make every place of a fan ready, maybe first those around the hand."""
        places = self._grids.places(pair)
        order = Order(self._grids.of(pair), [y for y, _ in self._grids.rows(pair)])
        missing: list[int] = []
        for k in order.sorted(range(len(places)), self._hand(pair), is_near_first):
            y, row, blend = places[k]
            ready = await self._jobs.ready(row, Place(blend))
            if ready is None:
                missing.append(k)
            else:
                self.add(pair, ready.sound, blend, y)
                on_ready(k)
        count = len(missing)
        while missing:
            hand = self._hand(pair)  # which may have moved
            missing = order.sorted(missing, hand, is_near_first)
            group = order.group(missing, hand, is_near_first)
            left = len(missing)
            of_group = part(progress, 1 - left / count, 1 - (left - len(group)) / count)
            y, row, _ = places[group[0]]
            wanted = [Place(places[k][2]) for k in group]
            async for made in self._jobs.sounds(row, wanted, priority, of_group):
                if made.sound.complete:
                    k = group[made.index]
                    self.add(pair, made.sound, places[k][2], y)
                    on_ready(k)
            missing = [k for k in missing if k not in group]

    def _hand(self, pair: Pair) -> At:
        """Where a hand is on a pair's fan; in the middle if no voice plays it."""
        return next(((voice.blend, voice.y) for voice, _, _ in self._playing(pair)), MIDDLE)


def followed(request: table.Fuse, pair: Pair, before: Pair) -> table.Fuse:
    """The request for a pair that takes another's place: its knobs turned, or learned by now."""
    if pair.sampling == before.sampling:
        return request
    knobs = pair.knobs
    return msgspec.structs.replace(request, recall=knobs.recall, strength=knobs.strength)


def _measure(fan: Fan) -> None:
    """Measure how alike its sounds are; of many, in a thread, as each takes a moment."""
    if len(set(fan.ys)) > 1:
        asyncio.get_running_loop().run_in_executor(None, fan.measure_correlations)
    else:
        fan.measure_correlations()
