"""The voices: how each is set, what it was last asked to play, and what is kept of that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from eutectic.config import Place
from eutectic.link.protocol import Priority
from eutectic.osc import answers, table
from eutectic.osc.answers import Answer
from eutectic.osc.table import VOICE_RANGES, Fuse, Request
from eutectic.playback.events import Dropped, Ended, Event, Started
from eutectic.playback.player import Player
from eutectic.playback.rolling import Rolling
from eutectic.playback.sounds import Fan
from eutectic.session.costs import Case
from eutectic.session.grids import Grids
from eutectic.session.kept import KeptVoice
from eutectic.session.options import fuse_request, kept_options
from eutectic.session.pair import Knobs, Pair
from eutectic.session.strips import SETTINGS, KeptStrip
from eutectic.session.tickets import Refused, Ticket


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


@dataclass(eq=False)
class LiveVoice:
    """What `/live` is making: what it plays, of which reference, and the task that makes it."""

    rolling: Rolling
    reference: str
    task: asyncio.Task[None]

    def end(self) -> None:
        """Make no more; what is heard of it ends by itself."""
        self.rolling.given_up = True
        self.task.cancel()


@dataclass(eq=False)
class Voice:
    """How a voice is set, and what it was asked for last.

    Attributes:
        cfg, recall, strength: of its fusions that give none.
        strip: its filter and sends.
        by: number of the client that changed any of this last, 0 for none.
        request: its newest fusion, without what concerned that one trigger alone.
        pair: of that.
        played: by their tokens in the player.
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
    mute: bool = False
    strip: KeptStrip = field(default_factory=KeptStrip)
    by: int = 0
    request: Fuse | None = None
    pair: Pair | None = None
    played: dict[int, Played] = field(default_factory=dict[int, Played])
    pending: Ticket | None = None
    prefetch: asyncio.Task[None] | None = None
    prefetch_priority: Priority = Priority.AHEAD
    glide: asyncio.Task[None] | None = None
    glide_again: asyncio.Event = field(default_factory=asyncio.Event)
    lives: list[LiveVoice] = field(default_factory=list[LiveVoice])

    @property
    def knobs(self) -> Knobs:
        return Knobs(self.recall, self.strength)

    @property
    def is_prefetching(self) -> bool:
        return self.prefetch is not None and not self.prefetch.done()

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

    def heed(self, event: Event) -> None:
        """What it makes of the input ends as something else starts, or when it is silent."""
        if not isinstance(event, Started | Ended | Dropped):
            return
        for live in list(self.lives):
            is_own = event.token == live.rolling.token
            if isinstance(event, Started) != is_own:
                self.lives.remove(live)
                live.end()


class Voices:
    """All voices and the master gain; owned by the event loop.

    `turned` is told of a voice whose recall or strength is new.
    """

    def __init__(
        self, player: Player, grids: Grids, changed: Callable[[], None],
        turned: Callable[[Voice, Knobs], None],
    ) -> None:  # fmt: skip
        self._player, self._grids, self._changed, self._turned = player, grids, changed, turned
        self.all = [Voice(voice.number) for voice in player.voices]
        self.master_db, self._master_by = 0.0, 0
        self.focus = 1

    def __getitem__(self, number: int) -> Voice:
        """A voice by its number.

        Raises:
            Refused: there are fewer (`unknown_voice`).
        """
        if number > len(self.all):
            raise Refused("unknown_voice", f"there are {len(self.all)} voices (serve --voices)")
        return self.all[number - 1]

    # Requests

    async def list(self, ticket: Ticket, _request: table.ListVoices) -> None:
        for voice in self.all:
            ticket.reply(self._state(voice))
        for voice in self.all:
            ticket.reply(voice.strip.state(voice.number, voice.by))

    async def set(self, ticket: Ticket, request: table.SetVoice) -> None:
        what, value = request.what, request.value
        voice = self[request.voice]
        low, high = VOICE_RANGES[what]
        high = self._player.channels if what == "out" else high
        if not low <= value <= high:
            raise Refused("bad_arguments", f"{what} must be {low} to {high}, not {value:g}")
        if what == "gain":
            voice.gain_db = value
        elif what == "pan":
            voice.pan = value
        elif what == "out":
            voice.output = int(value)
        elif what == "loop":
            voice.loop = bool(value)
        elif what == "mute":
            voice.mute = bool(value)
        elif what == "cfg":
            voice.cfg = value
        elif what == "recall":
            voice.recall = value
            self._turned(voice, Knobs(recall=value))
        elif what == "strength":
            voice.strength = value
            self._turned(voice, Knobs(strength=value))
        elif what in SETTINGS:
            self._set_strip(voice, voice.strip.turned(what, value), ticket.client)
        else:
            voice.crossfade_ms = value
        voice.by = ticket.client
        self._apply(voice, what)
        self._changed()

    async def set_filter(self, ticket: Ticket, request: table.SetFilter) -> None:
        voice = self[request.voice]
        self._set_strip(voice, voice.strip.filtered(request), ticket.client)

    async def set_send(self, ticket: Ticket, request: table.SetSend) -> None:
        voice, channels = self[request.voice], self._player.channels
        if request.out > channels:
            raise Refused("bad_arguments", f"out must be 0 to {channels}, not {request.out}")
        self._set_strip(voice, voice.strip.sent(request), ticket.client)

    async def set_master(self, ticket: Ticket, request: table.SetMasterGain) -> None:
        self.master_db, self._master_by = request.gain, ticket.client
        self._player.set_master(self.master_db)
        self._changed()

    def current(self, request: Request) -> float | None:
        """The present value of what a request would change, for controllers."""
        if isinstance(request, table.SetMasterGain):
            return self.master_db
        kinds = (table.Scrub, table.SetVoice, table.SetFilter, table.SetSend)
        if not isinstance(request, kinds) or request.voice > len(self.all):
            return None
        voice = self[request.voice]
        if isinstance(request, table.SetFilter):
            return voice.strip.resonance if request.resonance is not None else voice.strip.cutoff_hz
        if isinstance(request, table.SetSend):
            return None if request.gain is None else voice.strip.value(f"send{request.send}")
        if isinstance(request, table.SetVoice) and request.what in SETTINGS:
            return voice.strip.value(request.what)
        if isinstance(request, table.Scrub):
            return self._knob(voice)
        values = {"gain": voice.gain_db, "pan": voice.pan, "xfade": voice.crossfade_ms,
                  "cfg": voice.cfg, "recall": self._knobs_of(voice).recall,
                  "strength": self._knobs_of(voice).strength}  # fmt: skip
        return values.get(request.what)

    def playing(self, voice: Voice) -> tuple[int, Played] | None:
        """What a voice plays and its token, unless that is being released."""
        token = self._player.playing(voice.number)
        played = None if token is None else voice.played.get(token)
        return None if token is None or played is None else (token, played)

    # What clients see

    def states(self) -> Iterator[Answer]:
        """The master gain; what every voice plays, and how its knobs are set."""
        yield answers.Master(self.master_db, self._master_by)
        for voice in self.all:
            yield self._state(voice)
            yield voice.strip.state(voice.number, voice.by)

    def _state(self, voice: Voice) -> answers.VoiceState:
        request, knobs, playing = voice.request, self._knobs_of(voice), self.playing(voice)
        sampling = None if voice.pair is None else voice.pair.sampling
        original, reference = ("", "") if request is None else (request.original, request.reference)
        if voice.lives and playing is None:
            original, reference = "", voice.lives[-1].reference
        waiting = "silent" if voice.pending is None else "waiting"
        cfg = voice.cfg if sampling is None or sampling.cfg is None else sampling.cfg
        fan = None if playing is None else playing[1].fan
        loop = voice.loop if fan is None else self._player.loops(voice.number)
        return answers.VoiceState(
            voice.number, original, reference, self._knob(voice),
            waiting if fan is None and not voice.lives else "playing",
            voice.gain_db, _number(knobs.recall),
            0.0 if fan is None else self._player.position_seconds(voice.number),
            0.0 if fan is None else self._player.seconds(voice.number),
            0.0 if voice.pending is None else round(voice.pending.fraction, 2),
            int(bool(loop)), int(voice.mute), -1 if sampling is None else sampling.seed,
            _number(knobs.strength), _number(cfg), voice.pan, voice.by,
        )  # fmt: skip

    # Kept in sessions and presets

    def kept(self) -> list[KeptVoice]:
        """How every voice is set."""
        return [self.kept_of(voice) for voice in self.all]

    def kept_of(self, v: Voice) -> KeptVoice:
        """How a voice is set."""
        return KeptVoice(
            v.number, v.gain_db, v.pan, v.output, v.loop, v.crossfade_ms, v.blend, v.cfg,
            {} if v.request is None else kept_options(v.request), v.recall, v.strength,
            v.mute or None, None if v.strip == KeptStrip() else v.strip,
        )  # fmt: skip

    def restore(self, master_db: float | None, voices: list[KeptVoice]) -> None:
        """Set voices as they were kept; what is playing plays on."""
        if master_db is not None:
            self.master_db, self._master_by = master_db, 0
            self._player.set_master(master_db)
        for kept in voices:
            if kept.number > len(self.all):
                continue
            voice = self[kept.number]
            voice.gain_db, voice.pan, voice.loop = kept.gain_db, kept.pan, kept.loop
            voice.mute, voice.by = bool(kept.mute), 0
            voice.strip = kept.strip or KeptStrip()
            voice.output = min(kept.output, self._player.channels)
            voice.crossfade_ms, voice.cfg = kept.crossfade_ms, kept.cfg
            request = fuse_request(kept.request, voice.number) if kept.request else voice.request
            if request != voice.request:
                voice.stop_prefetch()
                voice.request, voice.pair = request, None
            voice.blend = kept.blend
            self._player.scrub(voice.number, voice.blend)
            turned = Knobs(kept.recall, kept.strength).since(voice.knobs)
            voice.recall, voice.strength = kept.recall, kept.strength
            if turned != Knobs():
                self._turned(voice, turned)
            for what in VOICE_RANGES:
                self._apply(voice, what)
            voice.strip.apply(self._player, voice.number)
        self._changed()

    def _set_strip(self, voice: Voice, strip: KeptStrip, by: int) -> None:
        voice.strip, voice.by = strip, by
        strip.apply(self._player, voice.number)
        self._changed()

    def _knob(self, voice: Voice) -> float:
        """Where the knob of its blend is."""
        return self._grids.knob(voice.pair, voice.blend)

    def _knobs_of(self, voice: Voice) -> Knobs:
        """The voice's, or else those of its newest fusion."""
        return voice.knobs if voice.pair is None else voice.knobs.over(voice.pair.knobs)

    def _apply(self, voice: Voice, what: str) -> None:
        """Pass a setting to the player, which has nothing to do with guidance and recall."""
        player, number = self._player, voice.number
        if what == "gain":
            player.set_gain(number, voice.gain_db)
        elif what == "mute":
            player.set_mute(number, voice.mute)
        elif what == "pan":
            player.set_pan(number, voice.pan)
        elif what == "out":
            player.set_outputs(number, voice.output)
        elif what == "loop":
            player.set_loop(number, voice.loop)
        elif what == "xfade":
            player.set_crossfade(number, voice.crossfade_ms / 1000)


def _number(value: float | None) -> float:
    """As messages have it."""
    return -1.0 if value is None else value
