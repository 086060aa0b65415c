"""Where the sound goes: the output device, and recording to a file."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Callable, Iterator
from functools import partial

from eutectic.errors import BadDevice, BadOutput
from eutectic.osc import answers, table
from eutectic.osc.answers import Answer
from eutectic.osc.spec import PREFIX
from eutectic.playback.output import Output
from eutectic.playback.player import Player
from eutectic.playback.recorder import Recorder
from eutectic.playback.streams import DeviceSettings, list_devices
from eutectic.playback.timeline import Beat
from eutectic.session.folders import Folders, check_free
from eutectic.session.journal import Journal
from eutectic.session.shows import SUFFIX
from eutectic.session.tempo import Tempo
from eutectic.session.tickets import Refused, Ticket

log = logging.getLogger("eutectic.session")


class Outputs:
    """The device in use and the recording under way; owned by the event loop."""

    def __init__(
        self, device: Output, player: Player, tempo: Tempo, folders: Folders, journal: Journal,
        publish: Callable[[Answer], None],
    ) -> None:  # fmt: skip
        self.device, self._player, self._folders = device, player, folders
        self._tempo, self._journal = tempo, journal
        self._publish = publish
        self.recorder: Recorder | None = None
        self._recording, self._free_mb = answers.Recording("", 0.0, 0.0, "", 0), 0.0
        self._starting: Ticket | None = None
        """The request whose recording waits for its beat."""
        self._reported: Recorder | None = None
        """Of which clients know that it can't be written."""

    @property
    def lost(self) -> int:
        """Underruns and xruns since the device was opened."""
        return self.device.underruns + self.device.xruns

    def latency_seconds(self) -> float:
        """From the mix to the ear."""
        limiter = self._player.latency_frames / self._player.rate_hz
        return limiter + self.device.latency_seconds

    def start(self) -> None:
        """Play on the device."""
        loop = asyncio.get_running_loop()

        def on_state(state: str) -> None:
            loop.call_soon_threadsafe(self._on_state, state)

        self.device.start(self._player.fill, on_state)

    async def close(self) -> None:
        """Finish the recording and close the device."""
        if self.recorder is not None:
            frames = await asyncio.to_thread(self.recorder.close)
            await asyncio.to_thread(self._journal.end(frames))
        self.device.close()

    async def list(self, ticket: Ticket, _request: table.ListDevices) -> None:
        for each in await asyncio.to_thread(list_devices):
            if each.outputs:
                state = "playing" if each.name == self.device.name else each.host_api
                ticket.reply(answers.Device(each.name, state))

    async def set(self, _ticket: Ticket, request: table.SetDevice) -> None:
        """Open another device, then close the old one."""
        old, rate_hz = self.device, self._player.rate_hz
        settings = DeviceSettings(
            request.device, rate_hz, old.channels, old.settings.block_frames,
            old.settings.ring_seconds, old.settings.latency,
        )  # fmt: skip
        if request.device.startswith("file:"):
            path = self._folders.to_write(request.device.removeprefix("file:"))
            settings = DeviceSettings(f"file:{path}", rate_hz, old.channels)
        new = await asyncio.to_thread(Output, settings)
        if new.rate_hz != rate_hz:
            await asyncio.to_thread(new.close)
            raise BadDevice(
                f"{new.name}: runs at {new.rate_hz} Hz, but this session at {rate_hz} Hz; "
                "`serve --device` starts one at its rate"
            )
        await asyncio.to_thread(old.close)
        self.device = new
        self.start()
        self._on_state("playing")

    async def start_recording(self, ticket: Ticket, request: table.StartRecording) -> None:
        if self._journal.is_open and self.recorder is None:
            raise Refused("recording", "the recording before is still being written")
        if self.recorder is not None:
            raise Refused("recording", f"{self.recorder.path} is being recorded; stop that first")
        path, player = self._folders.to_write(request.path), self._player
        check_free(path.with_suffix(SUFFIX))
        stems = len(player.voices) if request.stems else 0
        self.recorder = Recorder(
            path, player.rate_hz, player.channels, stems, player.latency_frames
        )
        try:
            self._journal.open(self.recorder)
        except BadOutput:
            self.recorder.discard()
            self.recorder = None
            raise
        due = self._tempo.due(ticket, request)
        player.record(self.recorder, due)
        if due is not None:
            await self._begun(ticket, self.recorder, due)
        ticket.done(answers.SavedFile(str(path)))

    async def _begun(self, ticket: Ticket, recorder: Recorder, due: Beat) -> None:
        """Wait for the beat at which it begins; without that, nothing was recorded."""
        self._starting = ticket
        try:
            await self._tempo.reached(due)
        except BaseException:
            if self.recorder is recorder:
                self.recorder = None
                self._player.record(None)
                recorder.discard()
                self._journal.discard()
            raise
        finally:
            self._starting = None

    async def stop_recording(self, ticket: Ticket, request: table.StopRecording) -> None:
        recorder = self.recorder
        due = self._tempo.due(ticket, request)
        if recorder is not None and due is not None:
            is_open = [True]  # until this request is cancelled: the recording then goes on
            end = partial(self._player.end_recording, recorder, lambda: bool(is_open))
            try:
                await self._tempo.reached(due, end)
            except BaseException:
                is_open.clear()
                raise
        if recorder is None or self.recorder is not recorder:
            raise Refused("not_recording", "nothing is being recorded; /record/start starts")
        if self._starting is not None:
            self._starting.cancel("it was stopped before it began")
            raise Refused("not_recording", "it hadn't begun yet, and won't")
        self.recorder = None
        self._player.record(None)
        frames = await asyncio.to_thread(recorder.close)
        error = await asyncio.to_thread(self._journal.end(frames))
        if recorder.error is not None or error is not None:
            raise Refused("bad_output", recorder.error or error or "")
        if recorder.lost:
            raise Refused("gaps", f"{recorder.path}: the disk was too slow {recorder.lost} times")
        ticket.done(answers.SoundFile(str(recorder.path), frames, self._player.rate_hz))

    def report_recording(self) -> None:
        """Tell every client, once, that what is recorded can't be written any more."""
        recorder = self.recorder
        error = None if recorder is None else recorder.error or self._journal.error
        if error is not None and recorder is not self._reported:
            self._reported = recorder
            log.error("%s", error)
            text = f"{error}; what was written is kept"
            self._publish(answers.Fail(PREFIX + "/record/start", -1, "bad_output", text))

    def states(self) -> Iterator[Answer]:
        """The device's, how much audio was lost, and the recording's."""
        yield answers.Device(self.device.name, self.device.state)
        yield answers.Xrun(self.lost)
        if self.recorder is None:
            self._recording = answers.Recording("", 0.0, 0.0, "", 0)
        else:
            self._recording = self._recorded(self.recorder, self._recording)
        yield self._recording

    def _recorded(self, recorder: Recorder, before: answers.Recording) -> answers.Recording:
        """What is recorded, second by second."""
        path, seconds = str(recorder.path), float(recorder.frames // self._player.rate_hz)
        error, stems = recorder.error or self._journal.error or "", len(recorder.paths) - 1
        if (before.path, before.seconds, before.text) == (path, seconds, error):
            return before
        return answers.Recording(path, seconds, self._free_mb, error, stems)

    async def look(self) -> None:
        """See how much room there is for the recording."""
        if self.recorder is not None:
            folder = self.recorder.path.parent
            with contextlib.suppress(OSError):  # the disk is gone
                usage = await asyncio.to_thread(shutil.disk_usage, folder)
                self._free_mb = float(usage.free // 1_000_000)

    def _on_state(self, state: str) -> None:
        """The device was lost, or is back."""
        self._publish(answers.Device(self.device.name, state))
