"""Whether pairs can be fused now, and how soon they would be heard."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import msgspec

from eutectic.config import Place
from eutectic.errors import EutecticError
from eutectic.fusion_options import place
from eutectic.osc import answers, table
from eutectic.osc.answers import PairReply
from eutectic.osc.spec import given
from eutectic.session.board import Board
from eutectic.session.grids import Grids
from eutectic.session.jobs import Jobs
from eutectic.session.library import Library
from eutectic.session.pair import Pair
from eutectic.session.references import References
from eutectic.session.resolve import Resolver
from eutectic.session.tickets import Refused, Ticket
from eutectic.session.voice import Voice
from eutectic.session.voices import Voices

MAX_FOLLOWED = 512
"""Pairs whose changes are reported; those that were asked about last."""

CHECKED = 16
"""Pairs that are looked at again at a time: each takes a look at the disk."""

AGAIN_SECONDS = 1.0
"""Unless something changes, pairs are looked at so often: the engine may have more to do."""

Named = tuple[str, str, int | None]
"""An original, a reference, and the voice whose settings they would have."""


class Pairs:
    """Answers `/pair` and `/fan/list`, and reports pairs that have changed; owned by the loop.

    `as_set`: a voice as what is asked for next is set on it.
    """

    def __init__(
        self, jobs: Jobs, library: Library, references: References, resolver: Resolver,
        voices: Voices, grids: Grids, board: Board, as_set: Callable[[Voice], Voice],
    ) -> None:  # fmt: skip
        self._jobs, self._library, self._references = jobs, library, references
        self._resolver, self._voices, self._grids, self._board = resolver, voices, grids, board
        self._as_set = as_set
        self._followed: dict[Named, PairReply] = {}
        """As clients know them."""
        self._next: deque[Named] = deque()
        self._is_due, self._began, self._made = False, 0.0, 0

    # Requests

    async def ask(self, ticket: Ticket, request: table.AskPair) -> None:
        ticket.is_routine = True  # a page asks about all that it shows
        reply = self._reply(request)
        ticket.reply(msgspec.structs.replace(reply, id=ticket.id))
        if not set(given(request)) - {"id", "original", "reference", "voice"}:
            self._follow((request.original, request.reference, request.voice), reply)

    async def list_fan(self, ticket: Ticket, request: table.ListFan) -> None:
        ticket.is_routine = True
        pair = self._played(request)
        if pair is None:
            request = self._resolver.with_defaults(request)
            self._resolver.check(request)
            pair = await self._resolver.pair(request)
        places = self._grids.places(pair)
        for k, (y, row, blend) in enumerate(places):
            where = Place(blend)
            is_ready = self._jobs.is_kept(row, where)
            key = row.key_at(where, self._jobs.rate_hz) if is_ready else ""
            ticket.reply(answers.FanReply(ticket.id, k, len(places), blend, int(is_ready), key, y))

    # What clients see

    def changed(self) -> None:
        """Something has changed that pairs depend on: all are looked at again."""
        self._is_due = True

    def update(self) -> None:
        """Look at some of the pairs that were asked about, and report what has changed."""
        now, made = time.monotonic(), self._jobs.shelf.changes
        self._is_due, self._made = self._is_due or made != self._made, made
        if not self._next and (self._is_due or now - self._began >= AGAIN_SECONDS):
            self._is_due, self._began = False, now
            self._next.extend(self._followed)
        for _ in range(min(CHECKED, len(self._next))):
            named = self._next.popleft()
            if named not in self._followed:
                continue
            original, reference, voice = named
            request = table.AskPair(id=0, original=original, reference=reference, voice=voice)
            try:
                reply = self._reply(request)
            except EutecticError as error:  # a name is gone, or a default doesn't fit
                reply = _unready(request, "never", str(error))
            if reply != self._followed[named]:
                self._followed[named] = reply
                self._board.publish(reply)

    def _follow(self, named: Named, reply: PairReply) -> None:
        before = self._followed.pop(named, reply)
        if before != reply:
            self._board.publish(reply)
        self._followed[named] = reply
        if len(self._followed) > MAX_FOLLOWED:
            del self._followed[next(iter(self._followed))]

    # Parts

    def _played(self, request: table.ListFan) -> Pair | None:
        """What a voice plays or played last, if that is what is asked about."""
        if request.voice is None:
            return None
        pair = self._voices[request.voice].pair
        if pair is None:
            return None
        names = pair.original.name, pair.reference.name
        return pair if names == (request.original, request.reference) else None

    def _reply(self, request: table.AskPair) -> PairReply:
        """What there is to say about a pair.

        Raises:
            Refused: there is no such clip or reference, nor one on its way.
            BadSetting: as `Resolver.check`.
        """
        voice = None if request.voice is None else self._as_set(self._voices[request.voice])
        request = self._resolver.with_defaults(request, voice)
        try:
            self._resolver.check(request)
        except Refused as error:
            if error.code != "stale_reference":
                raise
            return _unready(request, "never", str(error))
        pair = self._resolver.at_hand(request)
        if pair is None:
            return _unready(request, "working", self._doing(request))
        places = self._grids.places(pair)
        ready = sum(self._jobs.is_kept(row, Place(blend)) for _, row, blend in places)
        cost_ms, state, text = self._cost(pair, place(request, _blend(voice)))
        return PairReply(
            -1, request.original, request.reference, ready, len(places), cost_ms, state, text,
            request.voice or 0,
        )  # fmt: skip

    def _doing(self, request: table.AskPair) -> str:
        """What a pair waits for."""
        if self._library.is_loading(request.original):
            return f"{request.original}: {self._library.state(request.original)}"
        return f"{request.reference}: {self._references.state(request.reference)}"

    def _cost(self, pair: Pair, where: Place) -> tuple[float, str, str]:
        """How long it would take to hear it, its state, and the reason for that."""
        host = self._jobs.host
        if self._jobs.is_kept(pair, where):
            return 0.0, "now", ""
        if pair.original.name in self._library.missing:
            return -1.0, "never", f"clip {pair.original.name}: its file is missing"
        if pair.reference.name in self._references.missing:
            return -1.0, "never", self._references.missing[pair.reference.name]
        if host.state == "failed":
            return -1.0, "never", host.failure
        if host.facts is None or not self._library.engine_synced.is_set():
            return -1.0, "later", "waits for the engine"
        ahead = sum(voice.pending is not None for voice in self._voices.all)
        costs = self._jobs.costs
        expected = costs.expected_ms(costs.case(pair, host.facts), ahead)
        return -1.0 if expected is None else float(round(expected)), "later", ""


def _blend(voice: Voice | None) -> float:
    return 0.5 if voice is None else voice.blend


def _unready(request: table.AskPair, state: str, text: str) -> PairReply:
    """Of a pair that can't be fused now."""
    return PairReply(
        -1, request.original, request.reference, 0, 0, -1.0, state, text, request.voice or 0
    )
