"""A show again: what was asked for while a recording was made, at the same frames.

Requests go their usual way a little ahead of their frames, in their order, and what they have the
player do takes effect at those. So the daemon may be busy, or its clock uneven: what was heard then
is heard again. Fusions and the places of their fans are made before it begins, as far as their
sounds are there by then.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from eutectic.config import Place
from eutectic.fusion_options import fuse_request, place
from eutectic.link.protocol import Priority
from eutectic.osc import answers, table
from eutectic.osc.answers import Fail, read_answer
from eutectic.osc.packets import decode
from eutectic.osc.parse import parse
from eutectic.osc.server import Handler, is_local
from eutectic.osc.spec import PREFIX, given
from eutectic.osc.table import Fuse, MakeFan, Request
from eutectic.playback.player import DUE_FRAME, Player
from eutectic.playback.recorder import Recorder
from eutectic.session import shows
from eutectic.session.grids import Axis, Grids, steady
from eutectic.session.history import History
from eutectic.session.jobs import Jobs
from eutectic.session.keeper import Keeper
from eutectic.session.kept import KeptVoice
from eutectic.session.library import Library
from eutectic.session.pair import Clip, Pair, Reference
from eutectic.session.references import References
from eutectic.session.resolve import Resolver
from eutectic.session.shelf import Ready
from eutectic.session.shows import Begin, Event, Playing, Show
from eutectic.session.stage import Stage
from eutectic.session.tempo import Tempo
from eutectic.session.tickets import Refused, Ticket
from eutectic.session.voices import Voices

log = logging.getLogger("eutectic.session")

START_SECONDS = 0.5
"""From when all is ready to the first frame."""

AHEAD_SECONDS = 0.05
"""Requests are carried out so long before their frames."""

LEFT_OUT = (
    table.SetModel, table.SaveSession, table.LoadSession, table.NewSession, table.PackSession,
    table.SavePreset, table.SetDevice, table.SetInput, table.LearnMidi, table.SetClock,
    table.KeepFavourite, table.FreeFavourite, table.DeleteReference, table.Render,
)  # fmt: skip
"""Requests that write files, or concern this machine rather than what is heard."""


@dataclass(eq=False)
class _Sender:
    """Sends the requests of a show, and counts what fails; `held` are the keys it has down."""

    address: tuple[str, int] = ("127.0.0.1", 0)
    failed: int = 0
    held: set[tuple[int, float]] = field(default_factory=set[tuple[int, float]])

    def note(self, request: Request) -> None:
        """Note which keys are down once this is sent."""
        if isinstance(request, table.Note) and request.gate is None:
            key = request.voice, request.note
            (self.held.add if request.velocity > 0 else self.held.discard)(key)

    def send(self, packet: bytes) -> None:
        for address, values, _ in decode(packet):
            answer = read_answer(address.removeprefix(PREFIX), values)
            if isinstance(answer, Fail):
                self.failed += 1
                log.warning("replay: %s: %s", answer.request.removeprefix(PREFIX), answer.text)


@dataclass(frozen=True)
class Parts:
    """What a show consists of."""

    keeper: Keeper
    jobs: Jobs
    library: Library
    references: References
    resolver: Resolver
    voices: Voices
    grids: Grids
    stage: Stage
    history: History
    player: Player
    tempo: Tempo
    resend: Callable[[], None]


class Replays:
    """Writes how a show begins, and plays one again; owned by the event loop.

    `take` handles requests.
    """

    def __init__(self, parts: Parts, take: Handler) -> None:
        self._parts, self._take = parts, take
        self._sender: _Sender | None = None
        self._ticket: Ticket | None = None

    # What is written

    def begin(self, recorder: Recorder) -> Begin:
        """How things stood at the first frame of a recording."""
        parts, timeline = self._parts, self._parts.player.timeline
        playing: list[Playing] = []
        for number, token, position in recorder.sounding:
            voice = parts.voices[number]
            played = voice.played.get(token)
            if played is not None and played.entry is not None:
                knobs = played.pair.knobs
                sent = msgspec.structs.replace(
                    played.entry.request, recall=knobs.recall, strength=knobs.strength
                )
                options = {name: each for name, each in given(sent).items()
                           if name not in ("id", "voice")}  # fmt: skip
                blend = played.place.blend_or(voice.blend)
                playing.append(Playing(number, options, blend, position))
        return Begin(
            shows.FORMAT, version("eutectic"), parts.player.rate_hz, parts.keeper.session(),
            timeline.beat_of(recorder.began or 0), timeline.running, playing, parts.history.kept(),
            parts.tempo.bpm,
        )  # fmt: skip

    def instead(self, request: Request) -> Request | None:
        """What to note of a request that was carried out: of one that records, its file.

        Of a tapped beat, the tempo that followed from it and those before.
        """
        if isinstance(request, table.TapTempo):
            return self._parts.tempo.tapped
        if not isinstance(request, table.GrabClip | table.RecordClip):
            return request
        clip = self._parts.library.clips.get(request.clip)
        if clip is None:
            return None
        source = clip.source
        return table.LoadClip(
            id=0, clip=clip.name, path=source.path, start=source.start_seconds or None,
            duration=source.duration_seconds,
        )  # fmt: skip

    # Requests

    async def replay(self, ticket: Ticket, request: table.Replay) -> None:
        """Play a show again, from how things stood at its first frame."""
        if self._ticket is not None:
            raise Refused("busy", "a show is being replayed; /cancel or /panic ends that")
        self._ticket, self._sender = ticket, _Sender()
        try:
            path = Path(await self._parts.library.path(request.path, is_local(ticket.peer)))
            show = await asyncio.to_thread(shows.read, path)
            self._check(show.begin, path)
            ticket.queued()
            await self._fetch(show.begin)
            await self._prepare(ticket, show)
            late = await self._play(ticket, show, self._sender)
            ticket.done(answers.Replayed(len(show.events), self._sender.failed, late))
        finally:
            self._ticket = None
            self._let_go(self._sender)

    def stop(self, ticket: Ticket, reason: str) -> None:
        """End what is being replayed, unless it asks for that itself."""
        if self._ticket is not None and ticket.peer is not self._sender:
            self._ticket.cancel(reason)

    # Parts

    def _check(self, begin: Begin, path: Path) -> None:
        """Check that a show can be played here.

        Raises:
            Refused: it was played at another rate or with another model, or there are other sounds
                of its sounds' names.
        """
        parts, session = self._parts, begin.session
        if begin.rate_hz != parts.player.rate_hz:
            here = f"{begin.rate_hz} Hz, and here it is {parts.player.rate_hz} Hz"
            raise Refused("bad_input", f"{path}: was played at {here}")
        if session.model != parts.keeper.session().model:
            raise Refused("bad_input", f"{path}: was played with model {session.model}")
        for kept in session.clips:
            there = parts.library.clips.get(kept.name)
            if there is not None and there.key and there.key != kept.key:
                text = f"clip {kept.name} is another sound here"
                raise Refused("bad_input", f"{text}; /session/new begins without")
        for kept in session.references:
            there = parts.references.all.get(kept.name)
            if there is not None and there.spec != kept.spec:
                text = f"reference {kept.name} is another one here"
                raise Refused("bad_input", f"{text}; /session/new begins without")

    async def _fetch(self, begin: Begin) -> None:
        """Give the session and its engine what they don't have.

        Raises:
            Refused: a sound is gone or has changed (`stale_clip`).
        """
        library, references, session = self._parts.library, self._parts.references, begin.session
        clips: dict[str, Clip] = {
            each.name: each.clip for each in session.clips if each.name not in library.clips
        }
        new: dict[str, Reference] = {
            each.name: each.reference for each in session.references
            if each.name not in references.all
        }  # fmt: skip
        if clips or new:
            library.clips.update(clips)
            references.all.update(new)
            library.engine_synced.clear()
            self._parts.resend()
        await library.engine_synced.wait()
        for name, clip in clips.items():
            if name in library.missing or library.clips[name].key != clip.key:
                text = f"clip {name}: {clip.source.path} is gone, or has changed"
                raise Refused("stale_clip", text)

    async def _prepare(self, ticket: Ticket, show: Show) -> None:
        """Make its fusions and the places of their fans, those of sounds that are there."""
        self._parts.keeper.restore_fans(show.begin.session)
        wanted = list(self._wanted(show))
        for count, (pair, places) in enumerate(wanted):
            ticket.progress("prepare", count / len(wanted))
            for each in places:
                await self._ready(pair, each)

    def _wanted(self, show: Show) -> Iterator[tuple[Pair, list[Place]]]:
        """What a show plays, as far as it is known before: pairs and places of theirs."""
        resolver, grids = self._parts.resolver, self._parts.grids
        asked = [fuse_request(each.request) for each in show.begin.playing]
        asked += [each for each in map(_request, show.events) if isinstance(each, Fuse)]
        fused = [(pair, each) for each in asked if (pair := resolver.at_hand(each)) is not None]
        for pair, each in fused:
            yield pair, [place(each)]
        for pair in {grids.name(pair): pair for pair, _ in fused}.values():
            for _, row in grids.rows(pair):
                yield row, [Place(blend) for blend in grids.of(pair)]
        for each in map(_request, show.events):
            if isinstance(each, MakeFan) and not each.even:
                fan = resolver.with_defaults(each)
                pair = resolver.at_hand(fan)
                for _, row in [] if pair is None else grids.rows_across(pair, Axis.of(fan)):
                    yield row, [Place(blend) for blend in steady(fan.n)]

    async def _ready(self, pair: Pair, where: Place) -> Ready | None:
        """A fusion, which is made if need be."""
        ready = await self._parts.jobs.ready(pair, where)
        if ready is None:
            async for made in self._parts.jobs.sounds(pair, [where], Priority.RENDER):
                ready = Ready(made.sound, made.blend)
        return ready

    async def _play(self, ticket: Ticket, show: Show, sender: _Sender) -> int:
        """Play it; returns how many requests were late."""
        player, late = self._parts.player, 0
        begin = player.frames + round(START_SECONDS * player.rate_hz)
        await _at(begin, self._begin, ticket, show.begin)
        for number, event in enumerate(show.events):
            frame = begin + event.frame
            await self._until(frame - AHEAD_SECONDS * player.rate_hz)
            ticket.progress("play", event.frame / max(1, show.frames))
            request = _request(event)
            if not isinstance(request, LEFT_OUT):
                late += player.frames > frame
                sender.note(request)
                await _at(frame, self._send, sender, event, number)
        await self._until(begin + show.frames + player.latency_frames)
        return late

    async def _begin(self, ticket: Ticket, begin: Begin) -> None:
        """Set everything as it stood, and play what played."""
        parts, session = self._parts, begin.session
        parts.resolver.defaults = dict(session.fusion)
        parts.keeper.restore_fans(session)
        parts.tempo.restore(session.bpm)
        bpm = begin.bpm or session.bpm
        parts.player.set_tempo(bpm=bpm, beat=begin.beat, running=begin.running)
        there = {each.number: each for each in session.voices}
        for voice in parts.voices.all:
            if voice.pending is not None:
                voice.pending.cancel("a show is replayed")
                voice.pending = None
            voice.stop_prefetch()
            voice.stopped()
            kept = there.get(voice.number, KeptVoice(voice.number))
            voice.request, voice.pair = None, None
            voice.recall, voice.strength = kept.recall, kept.strength  # nothing that plays follows
            parts.player.stop(voice.number)
            parts.voices.restore(None, [kept])
            voice.pair = parts.resolver.at_hand(voice.request) if voice.request else None
        parts.voices.restore(session.master_db, [])
        parts.voices.bring_into_focus(session.focus or 1)
        for each in begin.playing:
            await self._play_on(ticket, each)
        parts.history.restore(begin.steps)

    async def _play_on(self, ticket: Ticket, playing: Playing) -> None:
        asked, parts = fuse_request(playing.request, playing.voice), self._parts
        pair = parts.resolver.at_hand(asked)
        ready = None if pair is None else await self._ready(pair, place(asked))
        if pair is not None and ready is not None and playing.voice <= len(parts.voices.all):
            voice = parts.voices[playing.voice]
            await parts.stage.play(
                ticket, voice, pair, asked, ready, playing.blend, position=playing.position
            )

    async def _send(self, sender: _Sender, event: Event, number: int) -> None:
        self._take(sender, PREFIX + event.address, event.message(number), None)

    def _let_go(self, sender: _Sender) -> None:
        """Let go of the keys that are still down, after what was sent ahead."""
        player, context = self._parts.player, contextvars.copy_context()
        context.run(DUE_FRAME.set, player.frames + round(2 * AHEAD_SECONDS * player.rate_hz))
        for voice, note in sender.held:
            context.run(self._take, sender, PREFIX + "/note", (voice, note, 0), None)

    async def _until(self, frame: float) -> None:
        """Wait until a frame is mixed, however uneven the clock is."""
        player = self._parts.player
        while player.frames < frame:
            left = player.time_of(frame) - time.monotonic()
            await asyncio.sleep(min(max(left, 0.001), 0.1))


async def _at(frame: int, work: Callable[..., Awaitable[None]], *arguments: Any) -> None:
    """Have work whose commands to the player take effect at a frame."""
    context = contextvars.copy_context()
    context.run(DUE_FRAME.set, frame)
    coroutine: Any = work(*arguments)
    await asyncio.get_running_loop().create_task(coroutine, context=context)


def _request(event: Event) -> Request:
    return parse(PREFIX + event.address, event.message(0))
