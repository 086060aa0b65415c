"""All voices: their settings as clients set and see them, and as sessions keep them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from eutectic.fusion_options import fuse_request
from eutectic.osc import answers, table
from eutectic.osc.answers import Answer
from eutectic.osc.table import VOICE_RANGES, Request
from eutectic.playback.player import Player
from eutectic.session import articulation, strips
from eutectic.session.articulation import KeptNotes
from eutectic.session.grids import TURNED, Grids
from eutectic.session.kept import KeptVoice
from eutectic.session.options import kept_options
from eutectic.session.pair import Knobs
from eutectic.session.strips import KeptStrip
from eutectic.session.tickets import Refused, Ticket
from eutectic.session.voice import Played, Voice

SETTINGS: dict[str, tuple[str, type]] = {
    "gain": ("gain_db", float), "pan": ("pan", float), "out": ("output", int),
    "loop": ("loop", bool), "mute": ("mute", bool), "cfg": ("cfg", float), "eta": ("eta", float),
    "xfade": ("crossfade_ms", float),
}  # fmt: skip
"""What `/voice/set` sets of a voice itself, and its kind."""


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
        self.focus, self._focus_by = 1, 0

    def __getitem__(self, number: int) -> Voice:
        """A voice by its number; 0 stands for the one in focus.

        Raises:
            Refused: there are fewer (`unknown_voice`).
        """
        if number > len(self.all):
            raise Refused("unknown_voice", f"there are {len(self.all)} voices (serve --voices)")
        return self.all[(number or self.focus) - 1]

    # Requests

    async def list(self, ticket: Ticket, _request: table.ListVoices) -> None:
        for voice in self.all:
            ticket.reply(self._state(voice))
        for voice in self.all:
            ticket.reply(voice.notes.state(voice.number, voice.by))
            ticket.reply(voice.strip.state(voice.number, voice.by))

    async def set(self, ticket: Ticket, request: table.SetVoice) -> None:
        what, value = request.what, request.value
        voice = self[request.voice]
        low, high = VOICE_RANGES[what]
        high = self._player.channels if what == "out" else high
        if not low <= value <= high:
            raise Refused("bad_arguments", f"{what} must be {low} to {high}, not {value:g}")
        if what in SETTINGS:
            name, kind = SETTINGS[what]
            setattr(voice, name, kind(value))
        elif what in articulation.SETTINGS:
            self._set_notes(voice, voice.notes.turned(what, value), ticket.client)
        elif what in strips.SETTINGS:
            self._set_strip(voice, voice.strip.turned(what, value), ticket.client)
        elif what == "bend":
            self._bend(voice, value)
        elif what == "y":
            self.move(voice, voice.blend, value)
        else:
            setattr(voice, what, value)
            self._turned(voice, Knobs(**{what: value}))
        voice.by = ticket.client
        self._move_to(voice, what, value)
        self._apply(voice, what)
        self._changed()

    async def set_envelope(self, ticket: Ticket, request: table.SetEnvelope) -> None:
        voice = self[request.voice]
        self._set_notes(voice, voice.notes.shaped(request), ticket.client)

    async def set_focus(self, ticket: Ticket, request: table.FocusVoice) -> None:
        self.bring_into_focus(self[request.voice].number, ticket.client)
        self._changed()

    def bring_into_focus(self, number: int, by: int = 0) -> None:
        """Let keyboards play another voice, as far as there is one; the one before is unbent."""
        if number != self.focus:
            self._bend(self[0], 0.0)
        self.focus, self._focus_by = min(number, len(self.all)), by

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

    def move(self, voice: Voice, blend: float, y: float | None = None) -> None:
        """Glide a voice along its fan; a setting that y turns is the voice's from then on."""
        voice.blend = blend
        axis, playing = self._grids.axis(voice.pair), self.meant(voice)
        if y is not None:
            voice.y = y
            if axis is not None and axis.across in TURNED and voice.pad is None:
                value = axis.value(y)
                setattr(voice, axis.across, value)
                if axis.across == "recall" and playing is not None:
                    playing[1].knobs = replace(playing[1].knobs, recall=value)
        self._player.scrub(voice.number, voice.blend, voice.y)

    def _move_to(self, voice: Voice, what: str, value: float) -> None:
        """Move along the second axis to a value, if that turns this and has it."""
        axis = None if voice.pad is not None else self._grids.axis(voice.pair)
        if axis is not None and axis.across == what and axis.has(value):
            self.move(voice, voice.blend, axis.y(value))

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
        if isinstance(request, table.SetVoice) and request.what in strips.SETTINGS:
            return voice.strip.value(request.what)
        if isinstance(request, table.Scrub):
            return self._knob(voice)
        if request.what in articulation.SETTINGS:
            return voice.notes.value(request.what)
        values = {"gain": voice.gain_db, "pan": voice.pan, "xfade": voice.crossfade_ms,
                  "bend": voice.bend, "cfg": voice.cfg, "eta": voice.eta, "y": voice.y,
                  "recall": self._knobs_of(voice).recall,
                  "strength": self._knobs_of(voice).strength}  # fmt: skip
        return values.get(request.what)

    def playing(self, voice: Voice) -> tuple[int, Played] | None:
        """What a voice plays and its token, unless that is being released."""
        token = self._player.playing(voice.number)
        played = None if token is None else voice.played.get(token)
        return None if token is None or played is None else (token, played)

    def meant(self, voice: Voice) -> tuple[int, Played] | None:
        """What a voice plays and its token, or what begins with the next block instead.

        What the player is told of that takes effect in order, so behind its start.
        """
        return voice.coming or self.playing(voice)

    # What clients see

    def states(self) -> Iterator[Answer]:
        """The master gain; what every voice plays, and how its knobs are set."""
        yield answers.Master(self.master_db, self._master_by)
        yield answers.Focus(self.focus, self._focus_by)
        for voice in self.all:
            yield self._state(voice)
            yield voice.notes.state(voice.number, voice.by)
            yield voice.strip.state(voice.number, voice.by)

    def _state(self, voice: Voice) -> answers.VoiceState:
        request, knobs, playing = voice.request, self._knobs_of(voice), self.playing(voice)
        sampling = None if voice.pair is None else voice.pair.sampling
        original, reference = ("", "") if request is None else (request.original, request.reference)
        if voice.lives and playing is None:
            original, reference = "", voice.lives[-1].reference
        is_heard = any(live.rolling.state != "starting" for live in voice.lives)
        waiting = "waiting" if voice.pending is not None or voice.lives else "silent"
        cfg = voice.cfg if sampling is None or sampling.cfg is None else sampling.cfg
        fan = None if playing is None else playing[1].fan
        loop = voice.loop if fan is None else self._player.loops(voice.number)
        return answers.VoiceState(
            voice.number, original, reference, self._knob(voice),
            waiting if fan is None and not is_heard else "playing",
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
            v.eta, v.y or None, list(v.pad) if v.pad else None,
            None if v.notes == KeptNotes() else v.notes,
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
            voice.gain_db, voice.pan = kept.gain_db, kept.pan
            if voice.loop != kept.loop:  # else what plays loops as it was asked to
                voice.loop = kept.loop
                self._apply(voice, "loop")
            voice.mute, voice.by = bool(kept.mute), 0
            voice.notes = kept.notes or KeptNotes()
            voice.strip = kept.strip or KeptStrip()
            voice.output = min(kept.output, self._player.channels)
            voice.crossfade_ms, voice.cfg = kept.crossfade_ms, kept.cfg
            request = fuse_request(kept.request, voice.number) if kept.request else voice.request
            if request != voice.request:
                voice.stop_prefetch()
                voice.request, voice.pair = request, None
            voice.pad = tuple(kept.pad) if kept.pad else None
            voice.blend, voice.y, voice.eta = kept.blend, kept.y or 0.0, kept.eta
            self._player.scrub(voice.number, voice.blend, voice.y)
            turned = Knobs(kept.recall, kept.strength).since(voice.knobs)
            voice.recall, voice.strength = kept.recall, kept.strength
            if turned != Knobs():
                self._turned(voice, turned)
            for what in ("gain", "mute", "pan", "out", "xfade"):
                self._apply(voice, what)
            voice.notes.apply(self._player, voice.number)
            voice.strip.apply(self._player, voice.number)
        self._changed()

    def _set_strip(self, voice: Voice, strip: KeptStrip, by: int) -> None:
        voice.strip, voice.by = strip, by
        strip.apply(self._player, voice.number)
        self._changed()

    def _set_notes(self, voice: Voice, notes: KeptNotes, by: int) -> None:
        voice.notes, voice.by = notes, by
        notes.apply(self._player, voice.number)
        self._changed()

    def _bend(self, voice: Voice, semitones: float) -> None:
        voice.bend = semitones
        self._player.set_bend(voice.number, 2 ** (semitones / 12))

    def _knob(self, voice: Voice) -> float:
        """Where the knob of its blend is."""
        return voice.blend if voice.pad else self._grids.knob(voice.pair, voice.blend)

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
