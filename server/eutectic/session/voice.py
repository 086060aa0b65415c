"""A voice: how it is set, what it was asked for, what it plays, and what it makes of the input."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from eutectic.config import Place
from eutectic.link.protocol import Priority
from eutectic.osc import answers
from eutectic.osc.table import Fuse
from eutectic.playback.events import Dropped, Ended, Event, Started
from eutectic.playback.rolling import Rolling
from eutectic.playback.sounds import Fan
from eutectic.session.articulation import KeptNotes
from eutectic.session.costs import Case
from eutectic.session.journal import Entry
from eutectic.session.pair import Knobs, Pair
from eutectic.session.strips import KeptStrip
from eutectic.session.tickets import Ticket


@dataclass(eq=False)
class Played:
    """A fusion that plays, or will at its time.

    Attributes:
        request: without what concerned that one trigger alone.
        timed: whether it had a time.
        ready: whether it was, when it was asked for.
        pair, fan: what is heard, as far as it is made.
        place: of the original in it, at present.
        knobs: that it is to have; the pair's, unless those are being turned.
        asked: the voice's knobs when it was asked for.
        measured: what the time that it takes depends on, and when its job began (monotonic); None
            if something else delayed it.
        entry: of the journal: a request that plays the same, however voices are set by then; a pad
            has none.
        pad: the four pairs that its fan is of, as they were named; `pair` was heard first.
        is_coming: whether its first sample is still to be mixed, as far as is known.
    """

    ticket: Ticket
    request: Fuse
    timed: bool
    ready: bool
    pair: Pair
    fan: Fan
    place: Place
    knobs: Knobs
    asked: Knobs
    measured: tuple[Case, float] | None
    entry: Entry | None = None
    pad: tuple[str, ...] | None = None
    is_coming: bool = True

    def tell_dropped(self, voice: int) -> None:
        """Its time never comes: who asked for it was told that it is ready, and now hears of it."""
        if self.ticket.is_done:
            self.ticket.reply(answers.Ended(voice, self.ticket.id))


@dataclass(eq=False)
class LiveVoice:
    """What `/live` is making: for whom, what it plays, of which reference, and its task."""

    ticket: Ticket
    rolling: Rolling
    reference: str
    task: asyncio.Task[None]

    def end(self) -> None:
        """Make no more; what is heard of it ends by itself."""
        self.rolling.given_up = True
        self.task.cancel()


@dataclass(frozen=True)
class Aim:
    """What a voice's knobs turn: a pair and its request, maybe of a pad."""

    pair: Pair | None
    request: Fuse | None
    pad: tuple[str, ...] | None


@dataclass(eq=False)
class Voice:
    """How a voice is set, and what it was asked for last.

    Attributes:
        y: along the second axis of its fan, or of a pad.
        cfg, recall, strength, eta: of its fusions that give none.
        notes: how it plays notes, and what of its sounds.
        bend: of its notes, in semitones; it isn't kept.
        strip: its filter and sends.
        by: number of the client that changed any of this last, 0 for none.
        request: its newest fusion, without what concerned that one trigger alone.
        pair: of that.
        pad: the four pairs that it plays or played last, as they were named; None for fusions.
        played: by their tokens in the player.
        last: of those, what was begun last; it stays when that has ended.
        pending: the newest request that isn't heard yet.
        prefetch: the task that makes its fan's places, at a priority.
        glide: the task that changes what it plays (see `glides`), and whether it has to again.
        lives: what it makes of the input: of two, the newer one takes over soon.
    """

    number: int
    gain_db: float = 0.0
    pan: float = 0.0
    output: int = 1
    loop: bool = False
    crossfade_ms: float = 10.0
    blend: float = 0.5
    cfg: float | None = None
    recall: float | None = None
    strength: float | None = None
    eta: float | None = None
    y: float = 0.0
    mute: bool = False
    notes: KeptNotes = field(default_factory=KeptNotes)
    bend: float = 0.0
    strip: KeptStrip = field(default_factory=KeptStrip)
    by: int = 0
    request: Fuse | None = None
    pair: Pair | None = None
    pad: tuple[str, ...] | None = None
    played: dict[int, Played] = field(default_factory=dict[int, Played])
    last: Played | None = None
    pending: Ticket | None = None
    prefetch: asyncio.Task[None] | None = None
    prefetch_priority: Priority = Priority.AHEAD
    prefetched: str = ""
    """The name of the fan that was made last, all of it."""
    glide: asyncio.Task[None] | None = None
    glide_again: asyncio.Event = field(default_factory=asyncio.Event)
    lives: list[LiveVoice] = field(default_factory=list[LiveVoice])

    @property
    def knobs(self) -> Knobs:
        return Knobs(self.recall, self.strength)

    @property
    def aim(self) -> Aim:
        """What its knobs turn."""
        return Aim(self.pair, self.request, self.pad)

    @property
    def is_prefetching(self) -> bool:
        return self.prefetch is not None and not self.prefetch.done()

    @property
    def coming(self) -> tuple[int, Played] | None:
        """What begins with the next block, and its token; None if nothing does."""
        coming = [each for each in self.played.items() if each[1].is_coming and not each[1].timed]
        return max(coming, key=lambda each: each[0], default=None)

    def stop_prefetch(self) -> None:
        """Cancel the making of its fan."""
        if self.prefetch is not None:
            self.prefetch.cancel()

    def stop_glide(self) -> None:
        """Leave what it plays as it is."""
        if self.glide is not None:
            self.glide.cancel()
            self.glide = None

    def stop_live(self) -> None:
        """Make no more of the input."""
        lives, self.lives = self.lives, []
        for live in lives:
            live.end()

    def stopped(self) -> None:
        """All that it plays, or is about to, is told to end."""
        self.stop_glide()
        self.stop_live()
        for each in self.played.values():
            each.is_coming = each.is_coming and each.timed

    def heed(self, event: Event) -> None:
        """What it makes of the input ends as something else starts, or when it is silent."""
        if not isinstance(event, Started | Ended | Dropped):
            return
        for live in list(self.lives):
            is_own = event.token == live.rolling.token
            if isinstance(event, Started) != is_own:
                self.lives.remove(live)
                live.end()
