"""Fans: the fusions of one pair at several blends, which a voice is scrubbed across."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable

import msgspec

from eutectic.config import Place
from eutectic.link.protocol import Even, Evened, Priority
from eutectic.osc import answers, table
from eutectic.playback.sounds import Fan, Sound
from eutectic.session.grids import Grids, steady
from eutectic.session.jobs import Jobs, OnProgress, part
from eutectic.session.library import Library
from eutectic.session.pair import Pair
from eutectic.session.resolve import Resolver
from eutectic.session.shelf import Ready
from eutectic.session.tickets import Refused, Ticket
from eutectic.session.voices import Voice, Voices

log = logging.getLogger("eutectic.session")

GROUP = 4
"""Places of a fan that the engine makes at once."""

EVENED = 0.5
"""How far an even fan has come when its places are found."""

NEAR_BLEND = 0.02
"""Places of a fan this near to another are left out."""


class Fans:
    """Makes the fans of pairs and gives them to voices; owned by the event loop."""

    def __init__(
        self, jobs: Jobs, library: Library, resolver: Resolver, voices: Voices, grids: Grids,
        changed: Callable[[], None],
    ) -> None:  # fmt: skip
        self._jobs, self._library, self._resolver, self._voices = jobs, library, resolver, voices
        self._grids, self._changed = grids, changed

    async def make(self, ticket: Ticket, request: table.MakeFan) -> None:
        """Make all places of a fan ready."""
        self._jobs.check_room()
        request = self._resolver.with_defaults(request)
        self._resolver.check(request)
        await self._library.engine_synced.wait()
        pair, size = await self._resolver.pair(request), request.n
        ticket.queued()
        blends = steady(size)
        if request.even:
            even = Even(
                0, pair.original.key, pair.reference.spec, size, pair.sampling, Priority.FAN
            )
            blends = (await self._jobs.run(even, Evened, part(ticket.progress, 0.0, EVENED))).blends
        self._grids.keep(pair, blends)
        self._changed()
        await self._make(
            pair, Priority.FAN, lambda k: ticket.reply(answers.FanReady(ticket.id, k, size)),
            part(ticket.progress, EVENED if request.even else 0.0, 1.0),
        )  # fmt: skip

    def around(self, pair: Pair, blend: float, sound: Sound) -> Fan:
        """A fan with one sound, and those that are ready beside it."""
        others = (each for each in self._grids.of(pair) if abs(each - blend) > NEAR_BLEND)
        blends = sorted([blend, *others])
        fan = Fan(blends)
        for index, each in enumerate(blends):
            if each == blend:
                fan.put(index, sound)
                continue
            ready = self._jobs.at_hand(pair, Place(each))
            if ready is not None:
                fan.put(index, ready.sound)
        fan.measure_correlations()
        return fan

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

    def add(self, pair: Pair, sound: Sound, blend: float) -> None:
        """Put a complete sound into the fans of the voices that play its pair."""
        fans = {
            played.fan for voice in self._voices.all for played in voice.played.values()
            if played.pair.key == pair.key
        }  # fmt: skip
        for fan in fans:
            for index, each in enumerate(fan.blends):
                if each == blend and fan.sounds[index] is None:
                    fan.put(index, sound)
            fan.measure_correlations()

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
        if voice.request is not None and not busy:
            self._start_prefetch(voice, voice.request, priority)

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
            await self._make(voice.pair, priority)
        except Refused as error:
            log.warning("the fan of voice %d: %s", voice.number, error)

    async def _make(
        self, pair: Pair, priority: Priority,
        on_ready: Callable[[int], None] = lambda _: None,
        progress: OnProgress = lambda _stage, _fraction: None,
    ) -> None:  # fmt: skip
        """Make every place of a fan ready, the farthest apart first."""
        grid = self._grids.of(pair)
        missing: list[int] = []
        for k in _coarse_first(len(grid)):
            ready = await self._jobs.ready(pair, Place(grid[k]))
            if ready is None:
                missing.append(k)
            else:
                self.add(pair, ready.sound, grid[k])
                on_ready(k)
        for first in range(0, len(missing), GROUP):
            group = missing[first : first + GROUP]
            places = [Place(grid[k]) for k in group]
            start, stop = first / len(missing), (first + len(group)) / len(missing)
            of_group = part(progress, start, stop)
            async for made in self._jobs.sounds(pair, places, priority, of_group):
                if made.sound.complete:
                    k = group[made.index]
                    self.add(pair, made.sound, grid[k])
                    on_ready(k)


def followed(request: table.Fuse, pair: Pair, before: Pair) -> table.Fuse:
    """The request for a pair that takes another's place: its knobs turned, or learned by now."""
    if pair.sampling == before.sampling:
        return request
    knobs = pair.knobs
    return msgspec.structs.replace(request, recall=knobs.recall, strength=knobs.strength)


def _coarse_first(size: int) -> list[int]:
    """0 to size − 1: both ends, then what halves the widest gaps."""
    order = [0, size - 1]
    while len(order) < size:
        placed = sorted(order)
        gaps = [(b - a, a) for a, b in itertools.pairwise(placed) if b - a > 1]
        order += [a + width // 2 for width, a in sorted(gaps, reverse=True)]
    return order
