"""Clips of what is heard: the past, and recordings."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from eutectic.audio import MIN_SECONDS
from eutectic.errors import BadAudio, BadOutput
from eutectic.link.host import Host
from eutectic.near import nearest
from eutectic.osc import table
from eutectic.playback.heard import SECONDS, Heard
from eutectic.playback.player import Player
from eutectic.playback.take import LOST_SECONDS, Recording, Take
from eutectic.session.folders import Folders, free_name
from eutectic.session.inputs import Inputs
from eutectic.session.jobs import OnProgress
from eutectic.session.library import Library
from eutectic.session.outputs import Outputs
from eutectic.session.tempo import Tempo
from eutectic.session.tickets import Refused, Ticket

log = logging.getLogger("eutectic.session")

MAX_SECONDS = 600.0
"""A recording ends by itself after this, or as long as the model's longest clip."""

AT_ONCE = 16
"""Recordings at once."""

PROGRESS_SECONDS, COME_SECONDS = 0.25, 0.002
"""Between reports, and looks at whether the newest frames have come."""

LAST = 0.9
"""Share of a recording's progress at which it is loaded."""


@dataclass
class _Begun:
    """A request that records; it has no recording while it waits for its input or its beat."""

    ticket: Ticket
    recording: Recording | None = None
    is_kept: bool = False
    """Whether its file stays if the request is cancelled."""

    @property
    def is_stopped(self) -> bool:
        return self.recording is not None and self.recording.is_stopped


class Takes:
    """Grabs and records clips; owned by the event loop."""

    def __init__(
        self, host: Host, library: Library, inputs: Inputs, outputs: Outputs, player: Player,
        tempo: Tempo, folders: Folders,
    ) -> None:  # fmt: skip
        self._host, self._library, self._inputs, self._outputs = host, library, inputs, outputs
        self._player, self._tempo, self._folders = player, tempo, folders
        self._recordings: dict[str, _Begun] = {}
        inputs.recording = self._recordings.keys()
        self._threads = ThreadPoolExecutor(AT_ONCE, "take")
        self._closing = False

    # Requests

    async def grab(self, ticket: Ticket, request: table.GrabClip) -> None:
        """Make a clip of the past, up to the moment at which that was asked for."""
        heard = await self._heard(request.from_)
        self._check(request.clip, request.seconds)
        stop = self._frame(heard, ticket, ago=request.ago or 0.0)
        start = stop - round(request.seconds * heard.rate_hz)
        with self._library.expecting(request.clip):
            await self._come(heard, stop)
            start, stop = max(start, heard.oldest), min(stop, heard.frames)
            if stop - start < round(MIN_SECONDS * heard.rate_hz):
                raise self._too_little(heard, max(0, stop - start))
            take = self._take(heard, request.clip, None, None, request.trim)
            grabbing = asyncio.ensure_future(asyncio.to_thread(_grab, heard, take, start, stop))
            try:
                await asyncio.shield(grabbing)
            except asyncio.CancelledError:
                await asyncio.wait([grabbing])
                take.discard()
                raise
            await self._load(ticket, request.clip, take)

    async def record(self, ticket: Ticket, request: table.RecordClip) -> None:
        """Record a clip, until it is as long as wanted, or stopped."""
        name = request.clip
        longest = self._check(name, request.seconds)
        if len(self._recordings) >= AT_ONCE:
            raise Refused("busy", f"{AT_ONCE} clips are being recorded")
        begun = self._recordings[name] = _Begun(ticket)
        try:
            heard = await self._heard(request.from_)
            if heard is not self._player.heard:
                self._inputs.check()
            due = self._tempo.due(ticket, request, ticket.due)
            with self._library.expecting(name) as progress:
                start = self._frame(heard, ticket, await self._tempo.reached(due))
                take = self._take(
                    heard, name, request.seconds or longest, request.threshold, request.trim
                )
                begun.recording = Recording(heard, take, max(heard.oldest, start))
                await self._record(begun, begun.recording, progress, request.seconds)
                del self._recordings[name]
                await self._load(ticket, name, take)
        finally:
            if self._recordings.get(name) is begun:
                del self._recordings[name]
        missing = take.error or begun.recording.gap
        if missing:
            seconds = take.frames / take.rate_hz
            raise Refused("gaps", f"{name}: {missing}; {seconds:.1f} s are kept, and loaded")

    async def stop(self, ticket: Ticket, request: table.StopClip) -> None:
        """End one recording, or all, at the moment at which that was asked for."""
        name = request.clip
        running = {key: each for key, each in self._recordings.items() if not each.is_stopped}
        if name is not None and name not in running:
            near = nearest(name, running)
            raise Refused("not_recording", f"clip {name} is not being recorded{near}")
        if not running:
            raise Refused("not_recording", "no clip is being recorded; /clip/record starts")
        wanted = list(running.values()) if name is None else [running[name]]
        frame = await self._tempo.reached(self._tempo.due(ticket, request, ticket.due))
        for each in wanted:
            if each.recording is None:
                each.ticket.cancel("it was stopped before it began")
            else:
                each.recording.stop(self._frame(each.recording.heard, ticket, frame))

    def end(self) -> None:
        """The daemon ends, and no more is recorded."""
        self._closing = True
        self.leave()

    def leave(self) -> None:
        """End all recordings; their files are kept, even if they are cancelled now."""
        for each in self._recordings.values():
            each.is_kept = True
            if each.recording is not None:
                each.recording.stop(each.recording.heard.frames)

    async def close(self) -> None:
        """Wait until all files are written."""
        await asyncio.to_thread(self._threads.shutdown)

    # Parts

    def _check(self, name: str, seconds: float | None) -> float:
        """Check that a clip can be made; returns how long it may be.

        Raises:
            Refused: one of this name is being recorded, or it would be too long.
        """
        if self._closing:
            raise Refused("cancelled", "the daemon is shutting down")
        if name in self._recordings:
            raise Refused("recording", f"clip {name} is being recorded; /clip/record/stop ends it")
        if self._host.state == "failed":
            raise Refused("no_model", self._host.failure)
        facts = self._host.facts
        longest = MAX_SECONDS if facts is None else min(MAX_SECONDS, facts.max_seconds)
        if seconds is not None and seconds > longest:
            raise Refused("bad_audio", f"{seconds:g} s: the model's longest clip is {longest:g} s")
        return longest

    async def _heard(self, source: str | None) -> Heard:
        """The last minute of the output, or of the input, once it is open."""
        return self._player.heard if source == "output" else await self._inputs.ready()

    def _frame(self, heard: Heard, ticket: Ticket, due: int | None = None, ago: float = 0) -> int:
        """The frame that was heard at a ticket's moment; or when a frame of the mix was heard."""
        device, is_output = self._outputs.device, heard is self._player.heard
        if due is None:
            moment = ticket.moment - ago
            return heard.frame_at(moment - device.latency_seconds if is_output else moment)
        if is_output:
            return due + self._player.latency_frames
        return heard.frame_at(self._player.time_of(due) + self._outputs.latency_seconds())

    def _take(
        self, heard: Heard, name: str, seconds: float | None, threshold_db: float | None,
        trim: int | None,
    ) -> Take:  # fmt: skip
        stem = f"recorded-{name}-{time.strftime('%Y-%m-%d-%H%M%S')}"
        path = self._folders.to_write(free_name(stem, self._folders.renders))
        return Take(path, heard.rate_hz, heard.channels, seconds, threshold_db, bool(trim))

    async def _come(self, heard: Heard, stop: int) -> None:
        """Wait until a frame has come: the device is behind by its latency."""
        until = time.monotonic() + LOST_SECONDS
        is_there = heard is self._player.heard or self._inputs.is_listening
        while is_there and heard.frames < stop and time.monotonic() < until:
            await asyncio.sleep(COME_SECONDS)

    def _too_little(self, heard: Heard, frames: int) -> Exception:
        if heard is self._inputs.heard and not self._inputs.is_listening:
            return Refused("no_input", self._inputs.reason)
        there, least = 1000 * frames / heard.rate_hz, 1000 * MIN_SECONDS
        return BadAudio(
            f"{there:.0f} ms of that can be had: the last {SECONDS:g} s are remembered, and the "
            f"shortest clip is {least:g} ms"
        )

    async def _record(
        self, begun: _Begun, recording: Recording, progress: OnProgress, seconds: float | None
    ) -> None:
        """Run a recording; a cancelled one leaves no file, unless that is to be kept."""
        take = recording.take
        running = asyncio.get_running_loop().run_in_executor(self._threads, recording.run)
        frames = None if seconds is None else seconds * take.rate_hz
        try:
            while not running.done():
                stage = "record" if take.has_begun else "wait"
                share = 0.0 if frames is None else LAST * min(1.0, recording.frames / frames)
                progress(stage, share)
                begun.ticket.progress(stage, share)
                await asyncio.wait([running], timeout=PROGRESS_SECONDS)
            running.result()
        except BadAudio as error:
            if recording.gap:
                raise Refused("no_input", f"{recording.gap}: {error}") from None
            raise
        except asyncio.CancelledError:
            if not begun.is_kept:
                recording.cancel()
            await asyncio.wait([running])
            if begun.is_kept and not running.exception():
                reason = begun.ticket.reason
                log.warning("%s: the recording is kept as %s", reason, take.path)
            raise

    async def _load(self, ticket: Ticket, name: str, take: Take) -> None:
        if take.error is not None and take.frames < MIN_SECONDS * take.rate_hz:
            await asyncio.to_thread(take.discard)
            raise BadOutput(take.error)
        ticket.queued()
        try:
            await self._library.load_own(ticket, name, take.path)
        except Refused as error:
            raise Refused(error.code, f"{error}; it was recorded as {take.path}") from None


def _grab(heard: Heard, take: Take, start: int, stop: int) -> None:
    take.take(heard, start, stop)
    take.finish()
