"""Sessions: changed in mid-show, and packed with their sounds into one file.

The daemon, its engine and the device go on. A change is made in one go, before anything waits: what
was asked for before it is the old session's, and what comes behind it the new one's. That finds
its ready fusions on disk at once; all else waits until the engine has the new clips.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from eutectic.errors import Cancelled, EutecticError
from eutectic.files.packed import Progress
from eutectic.osc import answers, table
from eutectic.playback.player import Player
from eutectic.session import articulation, packing, strips
from eutectic.session.favourites import Favourites
from eutectic.session.folders import Folders, check_free
from eutectic.session.history import History
from eutectic.session.jobs import Jobs
from eutectic.session.keeper import Keeper
from eutectic.session.kept import KeptSession, KeptVoice, SessionFile
from eutectic.session.library import Library
from eutectic.session.live import Live
from eutectic.session.pads import Pads
from eutectic.session.references import References
from eutectic.session.resolve import Resolver
from eutectic.session.stage import Stage
from eutectic.session.takes import Takes
from eutectic.session.tickets import RequestRegistry, Ticket
from eutectic.session.voice import Voice
from eutectic.session.voices import Voices

log = logging.getLogger("eutectic.session")

OF_A_SESSION = frozenset(
    kind.address for kind in (
        table.LoadClip, table.RecordClip, table.GrabClip, table.Remember, table.LoadReference,
        table.Learn, table.Fuse, table.PlayPad, table.GoLive, table.MakeFan, table.ListFan,
        table.AskPair, table.Render, table.LoadPreset, table.Undo, table.Redo, table.PlayFavourite,
        table.Replay,
    )
)  # fmt: skip
"""Requests that mean the clips and references of the session that they were sent to."""

KEPT_AS = {
    "gain": "gain_db", "out": "output", "xfade": "crossfade_ms",
    **dict.fromkeys(strips.SETTINGS, "strip"), **dict.fromkeys(articulation.SETTINGS, "notes"),
}  # fmt: skip
"""What `/voice/set` sets, where sessions have another name for it."""


@dataclass(frozen=True)
class Parts:
    """What a change of session concerns."""

    keeper: Keeper
    registry: RequestRegistry
    jobs: Jobs
    library: Library
    references: References
    resolver: Resolver
    voices: Voices
    stage: Stage
    pads: Pads
    live: Live
    favourites: Favourites
    takes: Takes
    history: History
    player: Player
    folders: Folders
    data: Path


class Sessions:
    """Changes and packs sessions; owned by the event loop."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._playing: dict[int, int] = {}
        """Tokens of what plays on from the session before, by the voices that are held."""
        self._resending: asyncio.Task[None] | None = None

    # Requests

    async def load(self, ticket: Ticket, request: table.LoadSession) -> None:
        self._change(ticket, *self._parts.keeper.opened(request.name), bool(request.keep))

    async def new(self, ticket: Ticket, request: table.NewSession) -> None:
        self._change(ticket, *self._parts.keeper.begun(request.name), bool(request.keep))

    async def fuse(self, ticket: Ticket, request: table.Fuse) -> None:
        """Play a fusion; on a voice that plays on from the session before, as this one says."""
        resolver = self._parts.resolver
        self._take_up(
            request.voice, lambda voice: resolver.check(resolver.with_defaults(request, voice))
        )
        await self._parts.stage.fuse(ticket, request)

    async def play_pad(self, ticket: Ticket, request: table.PlayPad) -> None:
        self._take_up(request.voice, lambda voice: self._parts.pads.asked(request, voice))
        await self._parts.pads.play(ticket, request)

    async def go_live(self, ticket: Ticket, request: table.GoLive) -> None:
        self._take_up(request.voice, lambda voice: self._parts.live.options(request, voice))
        await self._parts.live.go(ticket, request)

    async def play_favourite(self, ticket: Ticket, request: table.PlayFavourite) -> None:
        favourites, number = self._parts.favourites, request.voice or self._parts.voices.focus
        self._take_up(number, lambda _: favourites.kept(request.name))
        await favourites.play(ticket, request)

    async def set_voice(self, ticket: Ticket, request: table.SetVoice) -> None:
        await self._parts.voices.set(ticket, request)
        if request.what != "bend":
            self._hold(request.voice, KEPT_AS.get(request.what, request.what))

    async def set_envelope(self, ticket: Ticket, request: table.SetEnvelope) -> None:
        await self._parts.voices.set_envelope(ticket, request)
        self._hold(request.voice, "notes")

    async def set_filter(self, ticket: Ticket, request: table.SetFilter) -> None:
        await self._parts.voices.set_filter(ticket, request)
        self._hold(request.voice, "strip")

    async def set_send(self, ticket: Ticket, request: table.SetSend) -> None:
        await self._parts.voices.set_send(ticket, request)
        self._hold(request.voice, "strip")

    async def pack(self, ticket: Ticket, request: table.PackSession) -> None:
        """Pack the session as it is now; a cancelled one leaves no file."""
        parts = self._parts
        path = parts.folders.to_write(request.path, (packing.SUFFIX,))
        facts, is_over = parts.jobs.host.facts, False
        wanted = packing.Wanted(
            parts.keeper.title or path.stem, parts.keeper.session(), parts.data,
            "" if facts is None else facts.digest,
        )  # fmt: skip
        ticket.queued()
        loop = asyncio.get_running_loop()

        def progress(done: int, total: int) -> None:
            if is_over:
                raise Cancelled("cancelled")
            loop.call_soon_threadsafe(ticket.progress, "pack", done / max(total, 1))

        work = asyncio.ensure_future(asyncio.to_thread(_pack, path, wanted, progress))
        try:
            remarks = await asyncio.shield(work)
        except asyncio.CancelledError:
            is_over = True
            with contextlib.suppress(EutecticError):
                await work
            raise
        for each in remarks:
            log.warning("%s: %s", path.name, each)
        ticket.done(answers.SavedFile(str(path)))

    # What happens without a request

    def resend(self) -> None:
        """Give the engine all that there is, in the background; the last of several calls counts.

        Then knobs find the fans that voices had.
        """
        if self._resending is not None:
            self._resending.cancel()
        self._resending = asyncio.get_running_loop().create_task(self._resend())

    def settle(self) -> None:
        """Set voices as the session says, once what they played on from the one before is over."""
        parts = self._parts
        for number, held in list(parts.keeper.held.items()):
            voice = parts.voices[number]
            playing = parts.voices.meant(voice)
            if (playing is None and voice.pending is not None) or (
                playing is not None and playing[0] == self._playing.get(number)
            ):
                continue
            del parts.keeper.held[number]
            if playing is None and not voice.lives:
                self._set(voice, held)
            else:  # something of this session plays, whose knobs are where they are by now
                now = parts.voices.kept()[number - 1]
                if playing is None:  # what comes in: that is no fusion to go back to
                    now = msgspec.structs.replace(now, request=held.request, pad=held.pad)
                parts.voices.restore(None, [_mixed_as(held, now)])

    async def close(self) -> None:
        """End what is done in the background."""
        if self._resending is not None:
            self._resending.cancel()
            await asyncio.gather(self._resending, return_exceptions=True)

    # Parts

    def _change(self, ticket: Ticket, file: SessionFile, session: KeptSession, keep: bool) -> None:
        """Go on with another session, whose file is claimed.

        Raises:
            BadOutput: the one in use can't be saved; it stays in use.
        """
        parts = self._parts
        try:
            parts.keeper.save_now()
        except BaseException:
            file.release()
            raise
        sounding = [parts.player.sounding(voice.number) for voice in parts.voices.all]
        parts.stage.poll()
        parts.player.clear_schedule()
        playing = {
            voice.number: found for voice in parts.voices.all if keep
            for found in [parts.voices.meant(voice)] if found is not None
        }  # fmt: skip
        staying = {played.ticket for _, played in playing.values()}
        parts.takes.leave()
        for each in parts.registry.begun():
            if each.address in OF_A_SESSION and each not in staying and each is not ticket:
                each.cancel(f"session {file.path.stem} is in use now")
        parts.keeper.go_on(file, session, [played.pair for _, played in playing.values()])
        self._playing = {number: token for number, (token, _) in playing.items()}
        given = {each.number: each for each in session.voices}
        parts.keeper.held.clear()
        for voice, begun in zip(parts.voices.all, sounding, strict=True):
            kept = given.get(voice.number, KeptVoice(voice.number))
            voice.pending = None
            for token, played in list(voice.played.items()):
                if played.timed and token not in {*begun, self._playing.get(voice.number)}:
                    del voice.played[token]
                    played.tell_dropped(voice.number)
            if voice.number in playing:
                parts.keeper.held[voice.number] = kept
            else:
                parts.player.stop(voice.number)
                self._set(voice, kept)
        parts.voices.restore(session.master_db, [])
        parts.history.clear()
        if parts.jobs.host.state != "failed":
            parts.library.engine_synced.clear()
        self.resend()
        parts.keeper.announce()

    def _take_up(self, number: int, check: Callable[[Voice], object]) -> None:
        """Set a voice that plays on as this session says, for what is asked for now.

        Unless `check`, which gets the voice as it would be, raises: a refusal changes nothing.
        """
        if number not in self._parts.keeper.held:
            return
        voice = self._parts.voices[number]
        so_set = self._parts.keeper.as_set(voice)
        check(so_set)
        voice.blend, voice.y, voice.cfg = so_set.blend, so_set.y, so_set.cfg
        voice.recall, voice.strength, voice.eta = so_set.recall, so_set.strength, so_set.eta

    def _hold(self, number: int, name: str) -> None:
        """Set what was set of a voice that plays on from the session before in this one, too."""
        held, number = self._parts.keeper.held, number or self._parts.voices.focus
        if number in held:
            now = self._parts.voices.kept()[number - 1]
            held[number] = msgspec.structs.replace(held[number], **{name: getattr(now, name)})

    def _set(self, voice: Voice, kept: KeptVoice) -> None:
        """Set a voice as a session has it, whatever it was asked for before."""
        voice.stop_prefetch()
        voice.stopped()
        voice.request, voice.pair, voice.last = None, None, None
        voice.pad = None
        voice.recall, voice.strength = kept.recall, kept.strength  # nothing that plays follows
        self._parts.voices.restore(None, [kept])

    async def _resend(self) -> None:
        await self._parts.references.resend()
        for voice in self._parts.voices.all:
            if voice.pair is None and voice.request is not None:
                voice.pair = self._parts.resolver.at_hand(voice.request)


def _pack(path: Path, wanted: packing.Wanted, progress: Progress) -> list[str]:
    check_free(path)
    return packing.pack(path, wanted, progress)


def _mixed_as(held: KeptVoice, now: KeptVoice) -> KeptVoice:
    """A voice mixed as it is held, with what it was asked for by now."""
    return msgspec.structs.replace(
        held,
        blend=now.blend,
        cfg=now.cfg,
        request=now.request,
        recall=now.recall,
        strength=now.strength,
        eta=now.eta,
        y=now.y,
        pad=now.pad,
    )
