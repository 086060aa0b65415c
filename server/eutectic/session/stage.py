"""What is played: fusions on voices, the fans that they are scrubbed across, files made of them."""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import soundfile

from eutectic.audio import Samples
from eutectic.config import Place
from eutectic.errors import BadOutput
from eutectic.files.atomic import atomic_path
from eutectic.link.protocol import Priority
from eutectic.midi.maps import PadState
from eutectic.osc import server as osc
from eutectic.osc import table as messages
from eutectic.playback.events import Dropped, Ended, Started, Underrun
from eutectic.playback.player import PANIC_SECONDS, STOP_SECONDS, Player
from eutectic.playback.sounds import Fan, Sound
from eutectic.session.folders import Folders, check_free
from eutectic.session.jobs import Jobs, Pair
from eutectic.session.kept import KeptVoice
from eutectic.session.library import Library, Values
from eutectic.session.presets import Presets
from eutectic.session.shelf import Ready
from eutectic.session.tickets import Refused, Ticket

log = logging.getLogger("eutectic.session")

GRID = 5
"""Places of a fan that nobody asked for, evenly from 0 to 1."""

GROUP = 4
"""Places of a fan that the engine makes at once."""

NEAR_BLEND = 0.02
"""A place of a fan that is so near another is left out."""

GRIDS = 256
"""Pairs whose fans' sizes are remembered."""


@dataclass
class Voice:
    """How a voice is set, and what it was asked for last."""

    number: int
    gain_db: float = 0.0
    pan: float = 0.0
    output: int = 1
    loop: bool = False
    crossfade_ms: float = 10.0
    blend: float = 0.5
    cfg: float | None = None
    """Of its fusions that say nothing else."""
    request: Values = field(default_factory=dict[str, Any])
    """Of the newest fusion: original, reference and options."""
    pair: Pair | None = None
    fan: Fan | None = None
    fan_pair: Pair | None = None
    pending: Ticket | None = None
    """The newest request that isn't heard yet."""
    filling: asyncio.Task[None] | None = None
    """The making of its fan's places, at a priority."""
    filling_priority: Priority = Priority.AHEAD


@dataclass
class _Played:
    ticket: Ticket
    ready: bool


class Stage:
    """The voices; owned by the event loop.

    Attributes:
        master_db: the gain of all.
        defaults: options of fusions that say nothing else.
        starved: how often a voice had to wait for the decoder.
    """

    def __init__(
        self, jobs: Jobs, library: Library, player: Player, folders: Folders,
        presets: Presets, latency_seconds: Callable[[], float], changed: Callable[[], None],
    ) -> None:  # fmt: skip
        self._jobs, self._library, self._player, self._folders = jobs, library, player, folders
        self._presets = presets
        self._latency_seconds, self._changed = latency_seconds, changed
        self._rate_hz = player.rate_hz
        self.voices = [Voice(voice.number) for voice in player.voices]
        self.master_db = 0.0
        self.defaults: Values = {}
        self.starved = 0
        self._tokens = itertools.count(1)
        self._played: dict[int, _Played] = {}
        self._timed: set[Ticket] = set()
        self._grids: dict[str, int] = {}

    def voice(self, number: int) -> Voice:
        """A voice by its number.

        Raises:
            Refused: there are fewer (`unknown_voice`).
        """
        if number > len(self.voices):
            raise Refused("unknown_voice", f"there are {len(self.voices)} voices (serve --voices)")
        return self.voices[number - 1]

    # Requests

    async def fuse(self, ticket: Ticket, values: Values, due: float | None) -> None:
        """Play a fusion, at once if it is ready, else as soon as it is decoded far enough."""
        voice = self.voice(values["voice"])
        due = self._due(ticket, values, due)
        self._take_turn(ticket, voice, due)
        try:
            values = self._filled(ticket, values, voice)
            place = messages.place(values, voice.blend)
            pair = await self._pair(values)
            if due is None:
                self._aim(voice, pair, place, values)
            ready = await self._jobs.shelf.fetch(pair.key_at(place, self._rate_hz))
            if ready is not None:
                self._begin(ticket, voice, pair, place, ready, values, due)
            else:
                await self._fuse(ticket, voice, pair, place, values, due)
            self._begin_filling(voice, Priority.AHEAD)
        finally:
            self._timed.discard(ticket)
            if voice.pending is ticket:
                voice.pending = None

    async def fan(self, ticket: Ticket, values: Values) -> None:
        """Have the places of a fan ready."""
        self._jobs.check_room()
        values = self._filled(ticket, values)
        await self._library.given.wait()
        pair, count = await self._pair(values), values["n"]
        self._grids[pair.key] = count
        if len(self._grids) > GRIDS:
            del self._grids[next(iter(self._grids))]
        ticket.queued()
        await self._make_fan(
            pair, count, Priority.FAN,
            lambda k: ticket.answer("/fan/ready", ticket.id, k, count), ticket.progress,
        )  # fmt: skip

    async def scrub(self, ticket: Ticket, values: Values) -> None:
        """Move a voice across its fan, and see that there is one."""
        voice = self.voice(values["voice"])
        voice.blend = values["blend"]
        self._player.scrub(voice.number, voice.blend)
        self._begin_filling(voice, Priority.FAN)

    async def render(self, ticket: Ticket, values: Values) -> None:
        """A fusion as a file, at the model's rate."""
        path = self._folders.to_write(values["path"])
        values = self._filled(ticket, values)
        place = messages.place(values)
        await self._library.given.wait()
        pair = await self._pair(values)
        rate_hz = pair.original.rate_hz
        ready = await self._jobs.shelf.fetch(pair.key_at(place, rate_hz))
        if ready is not None:
            sound = ready.sound
        else:
            self._jobs.check_room()
            ticket.queued()
            sounds: list[Sound] = []
            await self._jobs.sounds(
                pair, [place], rate_hz, Priority.RENDER,
                lambda index, sound, blend: sounds.append(sound), ticket.progress,
            )  # fmt: skip
            sound = sounds[-1]
        samples = sound.samples[:, : sound.frames]
        await asyncio.to_thread(_save_new, path, samples, rate_hz)
        ticket.done(str(path), sound.frames, rate_hz)

    async def stop(self, ticket: Ticket, values: Values) -> None:
        voice = self.voice(values["voice"])
        if voice.pending is not None:
            voice.pending.give_up(f"voice {voice.number} was stopped")
        self._player.stop(voice.number, values.get("fade_ms", 1000 * STOP_SECONDS) / 1000)

    async def panic(self, ticket: Ticket, values: Values) -> None:
        self._player.panic()
        self._give_up_timed("panic")
        for voice in self.voices:
            if voice.pending is not None:
                voice.pending.give_up("panic")
        log.warning("panic: silent within %.0f ms and the ring", 1000 * PANIC_SECONDS)

    async def clear_schedule(self, ticket: Ticket, values: Values) -> None:
        self._player.clear_schedule()
        self._give_up_timed("the schedule was cleared")

    async def set_voice(self, ticket: Ticket, values: Values) -> None:
        what, value = values["what"], values["value"]
        voice = self.voice(values["voice"])
        low, high = messages.VOICE_RANGES[what]
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
        elif what == "cfg":
            voice.cfg = value
        else:
            voice.crossfade_ms = value
        self._set(voice, what)
        self._changed()

    async def set_master(self, ticket: Ticket, values: Values) -> None:
        self.master_db = values["gain"]
        self._player.set_master(self.master_db)
        self._changed()

    # What the player tells

    def poll(self) -> None:
        """Tell clients what has begun and ended since the last call."""
        for event in self._player.take_events():
            played = self._played.get(event.token)
            if played is None:
                continue
            ticket = played.ticket
            if isinstance(event, Started):
                self._started(event, played)
            elif isinstance(event, Ended):
                ticket.answer("/ended", event.voice, ticket.id)
            elif isinstance(event, Underrun):
                self.starved += 1
                log.warning("voice %d waits for the decoder", event.voice)
            if isinstance(event, Ended | Dropped):
                del self._played[event.token]

    def _started(self, event: Started, played: _Played) -> None:
        ticket = played.ticket
        latency_ms = 1000 * (event.at + self._latency_seconds() - ticket.received)
        stage = "first sample, ready" if played.ready else "first sample, made"
        if ticket not in self._timed:
            self._jobs.timings.add(stage, latency_ms)
        ticket.answer("/started", ticket.id, event.voice, latency_ms)

    # As it was

    def kept(self) -> list[KeptVoice]:
        """How every voice is set."""
        return [
            KeptVoice(v.number, v.gain_db, v.pan, v.output, v.loop, v.crossfade_ms, v.blend, v.cfg,
                      v.request)
            for v in self.voices
        ]  # fmt: skip

    def restore(self, master_db: float | None, voices: list[KeptVoice]) -> None:
        """Set voices as they were kept; what plays plays on."""
        if master_db is not None:
            self.master_db = master_db
            self._player.set_master(master_db)
        for there in voices:
            if there.number > len(self.voices):
                continue
            voice = self.voices[there.number - 1]
            voice.gain_db, voice.pan, voice.loop = there.gain_db, there.pan, there.loop
            voice.output = min(there.output, self._player.channels)
            voice.crossfade_ms, voice.cfg = there.crossfade_ms, there.cfg
            if there.request and there.request != voice.request:
                if voice.filling is not None:
                    voice.filling.cancel()
                voice.request, voice.pair = dict(there.request), None
            voice.blend = there.blend
            self._player.scrub(voice.number, voice.blend)
            for what in ("gain", "pan", "out", "loop", "xfade"):
                self._set(voice, what)
        self._changed()

    # What controllers show

    def current(self, address: str, values: Values) -> float | None:
        """The value that a request would change, where there is one."""
        if address == "/master/gain":
            return self.master_db
        if address not in ("/scrub", "/voice/set") or values["voice"] > len(self.voices):
            return None
        voice = self.voices[values["voice"] - 1]
        there = {"gain": voice.gain_db, "pan": voice.pan, "xfade": voice.crossfade_ms,
                 "cfg": voice.cfg}  # fmt: skip
        return voice.blend if address == "/scrub" else there.get(values["what"])

    def pad(self, values: Values) -> PadState:
        """How a pad that sends this `/fuse` stands."""
        sources = ("original", "reference")
        if values["voice"] > len(self.voices):
            return "off"
        voice = self.voices[values["voice"] - 1]
        if all(voice.request.get(each) == values[each] for each in sources):
            if voice.pending is not None:
                return "working"
            if self._player.playing(voice.number):
                return "playing"
        return self._library.state(*(values[each] for each in sources))

    # Parts

    def _filled(self, ticket: Ticket, values: Values, voice: Voice | None = None) -> Values:
        """A request with what the preset, the voice and the session say where it says nothing."""
        there = dict(self.defaults)
        if voice is not None:
            there.pop("blend", None)  # the voice's own, which a knob may have moved since
            there |= {"cfg": voice.cfg} if voice.cfg is not None else {}
        if "preset" in values:
            there |= self._presets.read(values["preset"]).fusion
        if "blend" in values or "remaining" in values:
            there = {name: there[name] for name in there if name not in ("blend", "remaining")}
        spec = messages.spec_of(ticket.address)
        known = {option.name for option in spec.options}
        return {name: there[name] for name in there if name in known} | values

    async def _pair(self, values: Values) -> Pair:
        """The sources that a request names; a clip that is coming is waited for."""
        sampling = messages.sampling(values)
        reference = self._library.reference(values["reference"])
        original = await self._library.clip(values["original"])
        return Pair(original, reference, sampling, values.get("level", "match"))

    def _due(self, ticket: Ticket, values: Values, due: float | None) -> float | None:
        """When it is to be heard (monotonic), by the bundle's time tag or `at_ms`."""
        if values.get("at_ms"):
            due = (due or ticket.received) + values["at_ms"] / 1000
        due, late_ms = osc.timing(due, time.monotonic())
        if late_ms is not None:
            ticket.answer("/late", ticket.id, late_ms)
        return due

    def _take_turn(self, ticket: Ticket, voice: Voice, due: float | None) -> None:
        """The newest request wins its voice; those with a time wait for that instead."""
        if due is not None:
            self._timed.add(ticket)
            return
        if voice.pending is not None:
            voice.pending.give_up(f"superseded by a newer fusion on voice {voice.number}")
        voice.pending = ticket

    def _aim(self, voice: Voice, pair: Pair, place: Place, values: Values) -> None:
        """What a scrub of this voice is about from now on."""
        if voice.filling is not None and (voice.pair is None or voice.pair.key != pair.key):
            voice.filling.cancel()
        voice.pair = pair
        voice.blend = voice.blend if place.blend is None else place.blend
        left_out = ("id", "voice", "at_ms", "velocity", "preset")
        voice.request = {name: values[name] for name in values if name not in left_out}
        self._changed()

    async def _fuse(
        self, ticket: Ticket, voice: Voice, pair: Pair, place: Place, values: Values,
        due: float | None,
    ) -> None:  # fmt: skip
        """Have the engine make it, and begin it as soon as that is safe."""
        self._jobs.check_room()
        ticket.queued()
        if not self._library.given.is_set():  # the engine has just come back
            await self._library.given.wait()
            pair = await self._pair(values)
        token: int | None = None

        def heard(index: int, sound: Sound, blend: float) -> None:
            nonlocal token
            if token is None and self._jobs.safe(sound, self._rate_hz):
                blend = blend if place.blend is None else place.blend
                token = self._begin(
                    ticket, voice, pair, place, Ready(sound, blend), values, due, ready=False
                )
            if sound.complete:
                self._offer(pair, sound, blend if place.blend is None else place.blend)

        try:
            await self._jobs.sounds(
                pair, [place], self._rate_hz, Priority.TRIGGER, heard, ticket.progress
            )
        except BaseException:
            if token is not None and self._player.playing(voice.number) == token:
                self._player.stop(voice.number)  # its end will never come
            raise

    def _begin(
        self, ticket: Ticket, voice: Voice, pair: Pair, place: Place, made: Ready, values: Values,
        due: float | None, ready: bool = True,
    ) -> int:  # fmt: skip
        """Play it; returns its token."""
        token = next(self._tokens)
        self._played[token] = _Played(ticket, ready)
        blend = made.blend if place.blend is None else place.blend
        fan = self._fan(pair, blend, made.sound)
        voice.fan, voice.fan_pair = fan, pair
        if voice.pending is ticket:
            voice.pending = None
        due, late_ms = osc.timing(due, time.monotonic())
        if late_ms is not None:
            ticket.answer("/late", ticket.id, late_ms)
        velocity = values.get("velocity", 127.0)
        gain_db = 40 * math.log10(velocity / 127) if velocity > 0 else -120.0
        loop = bool(values.get("loop", voice.loop))
        self._player.play(voice.number, fan, token, blend=blend, gain_db=gain_db, loop=loop, at=due)
        if due is None and voice.pair is pair and voice.blend != blend and place.blend is not None:
            self._player.scrub(voice.number, voice.blend)  # moved while it was made
        return token

    def _fan(self, pair: Pair, blend: float, sound: Sound) -> Fan:
        """A fan around one sound, with what is ready beside it."""
        grid = _grid(self._grids.get(pair.key, GRID))
        blends = sorted([blend, *(each for each in grid if abs(each - blend) > NEAR_BLEND)])
        fan = Fan(blends)
        for index, each in enumerate(blends):
            if each == blend:
                fan.put(index, sound)
                continue
            ready = self._jobs.shelf.get(pair.key_at(Place(each), self._rate_hz))
            if ready is not None:
                fan.put(index, ready.sound)
        fan.measure_correlations()
        return fan

    def _offer(self, pair: Pair, sound: Sound, blend: float) -> None:
        """A sound is whole: voices that play its pair can be scrubbed to it."""
        for voice in self.voices:
            fan = voice.fan
            if fan is None or voice.fan_pair is None or voice.fan_pair.key != pair.key:
                continue
            for index, each in enumerate(fan.blends):
                if each == blend and fan.sounds[index] is None:
                    fan.put(index, sound)
            fan.measure_correlations()

    def _begin_filling(self, voice: Voice, priority: Priority) -> None:
        """Have the fan of a voice's pair made; what is on its way less urgently begins again."""
        filling = voice.filling is not None and not voice.filling.done()
        if not voice.request or (filling and voice.filling_priority <= priority):
            return
        if voice.filling is not None:
            voice.filling.cancel()
        voice.filling_priority = priority
        voice.filling = asyncio.get_running_loop().create_task(self._fill(voice, priority))

    async def _fill(self, voice: Voice, priority: Priority) -> None:
        try:
            await self._library.given.wait()
            if voice.pair is None:
                voice.pair = await self._pair(voice.request)
            pair = voice.pair
            count = self._grids.get(pair.key, GRID)
            await self._make_fan(
                pair, count, priority, lambda k: None, lambda stage, fraction: None
            )
        except Refused as error:
            log.warning("the fan of voice %d: %s", voice.number, error)

    async def _make_fan(
        self, pair: Pair, count: int, priority: Priority, ready: Callable[[int], None],
        progress: Callable[[str, float], None],
    ) -> None:  # fmt: skip
        """See that each place of a fan is ready, the farthest apart first; tell of each."""
        grid = _grid(count)
        missing: list[int] = []
        for k in _coarse_first(count):
            there = await self._jobs.shelf.fetch(pair.key_at(Place(grid[k]), self._rate_hz))
            if there is None:
                missing.append(k)
            else:
                self._offer(pair, there.sound, grid[k])
                ready(k)
        while missing:
            group, missing = missing[:GROUP], missing[GROUP:]

            def heard(index: int, sound: Sound, blend: float, group: list[int] = group) -> None:
                if sound.complete:
                    self._offer(pair, sound, grid[group[index]])
                    ready(group[index])

            places = [Place(grid[k]) for k in group]
            await self._jobs.sounds(pair, places, self._rate_hz, priority, heard, progress)

    def _give_up_timed(self, reason: str) -> None:
        for ticket in list(self._timed):
            ticket.give_up(reason)

    def _set(self, voice: Voice, what: str) -> None:
        """Tell the player; guidance is none of its business."""
        player, number = self._player, voice.number
        if what == "gain":
            player.set_gain(number, voice.gain_db)
        elif what == "pan":
            player.set_pan(number, voice.pan)
        elif what == "out":
            player.set_outputs(number, voice.output)
        elif what == "loop":
            player.set_loop(number, voice.loop)
        elif what == "xfade":
            player.set_crossfade(number, voice.crossfade_ms / 1000)


def _grid(count: int) -> list[float]:
    return [k / (count - 1) for k in range(count)]


def _coarse_first(count: int) -> list[int]:
    """0 to count − 1: both ends, then what halves the widest gaps."""
    order = [0, count - 1]
    while len(order) < count:
        there = sorted(order)
        gaps = [(b - a, a) for a, b in itertools.pairwise(there) if b - a > 1]
        order += [a + width // 2 for width, a in sorted(gaps, reverse=True)]
    return order


def _save_new(path: Path, samples: Samples, rate_hz: int) -> None:
    """A WAV file of floats, whole or not at all."""
    check_free(path)
    try:
        with atomic_path(path) as temporary:
            soundfile.write(temporary, samples.T, rate_hz, "FLOAT", format="WAV")
    except soundfile.LibsndfileError as error:
        raise BadOutput(f"{path}: can't be written ({error})") from None
