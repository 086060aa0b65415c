"""Where sound comes from: the input device, its level, and its state."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterator

import numpy as np

from eutectic.audio import gain_to_db
from eutectic.osc import answers, table
from eutectic.osc.answers import Answer
from eutectic.osc.server import is_local
from eutectic.playback.heard import Heard
from eutectic.playback.input import Input
from eutectic.playback.player import MIN_LEVEL_DB
from eutectic.playback.replies import FILE
from eutectic.playback.streams import list_devices
from eutectic.session.folders import Folders
from eutectic.session.tickets import Refused, Ticket

OFF = "off"
"""In place of a device's name: none."""

OPEN_SECONDS, LOOK_SECONDS = 10.0, 0.02
"""A request waits so long for an input that is being opened; and how often it looks."""

METER_SECONDS = 0.1
"""No more than this of what was heard counts for a level."""


class Inputs:
    """The input device in use; owned by the event loop.

    Attributes:
        device: None if it is off.
    """

    def __init__(self, wanted: str | None, folders: Folders) -> None:
        """A device by its name, the system's default (None), `file:PATH`, or none (`off`)."""
        self._folders = folders
        self.device = None if wanted == OFF else Input(wanted)
        self.recording: Collection[str] = ()
        """Clips that are being recorded."""
        self._metered: tuple[Heard | None, int] = (None, 0)
        self._setting = asyncio.Lock()

    @property
    def heard(self) -> Heard | None:
        """The last minute of the input, also of one that was lost; None if there is none."""
        return None if self.device is None else self.device.heard

    @property
    def is_listening(self) -> bool:
        return self.device is not None and self.device.state == "listening"

    async def ready(self) -> Heard:
        """The last minute of the input, once it is open; of one that was lost, too.

        Raises:
            Refused: there is none (`no_input`).
        """
        until = time.monotonic() + OPEN_SECONDS
        while self.is_opening and time.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS)
        if self.heard is None:
            raise Refused("no_input", self.reason)
        return self.heard

    def check(self) -> None:
        """Check that it is listened to.

        Raises:
            Refused: it was lost (`no_input`).
        """
        if not self.is_listening:
            raise Refused("no_input", self.reason)

    @property
    def is_opening(self) -> bool:
        """Whether it may be there in a moment."""
        return self.device is not None and self.device.state == "off" and not self.device.text

    @property
    def reason(self) -> str:
        """Why nothing is heard."""
        if self.device is None:
            return "the input is off; /input/set or serve --input opens one"
        name = f"{self.device.name}: " if self.device.state == "lost" else ""
        return name + (self.device.text or "the input is being opened")

    def start(self) -> None:
        """Listen."""
        if self.device is not None:
            self.device.start()

    async def close(self) -> None:
        if self.device is not None:
            await asyncio.to_thread(self.device.close)

    async def list(self, ticket: Ticket, _request: table.ListInputs) -> None:
        for each in await asyncio.to_thread(list_devices):
            if each.inputs:
                is_used = self.is_listening and self.device and each.name == self.device.name
                ticket.reply(answers.Device(each.name, "listening" if is_used else each.host_api))

    async def set(self, ticket: Ticket, request: table.SetInput) -> None:
        """Open another device, then close the old one."""
        async with self._setting:  # the one asked for last stays, however long each takes
            await self._set(ticket, request)

    async def _set(self, ticket: Ticket, request: table.SetInput) -> None:
        name, local = request.device, is_local(ticket.peer)
        if name.startswith(FILE):
            path = name.removeprefix(FILE)
            name = FILE + str(await asyncio.to_thread(self._folders.to_read, path, local))
        new = None if name == OFF else Input(name)
        if new is not None:
            await asyncio.to_thread(new.open)
            new.start()
        old, self.device = self.device, new
        if old is not None:
            await asyncio.to_thread(old.close)

    def states(self) -> Iterator[Answer]:
        """The device's."""
        recording = " ".join(self.recording)
        device, heard = self.device, self.heard
        if device is None:
            yield answers.Input("", OFF, 0, recording, "")
        else:
            channels = 0 if heard is None else heard.channels
            yield answers.Input(device.name, device.state, channels, recording, device.text)

    def level(self) -> answers.InputLevel | None:
        """The peak since the last call; None if nothing is listened to."""
        heard = self.heard
        if heard is None or not self.is_listening:
            return None
        known, start = self._metered
        stop = heard.frames
        least = stop - round(METER_SECONDS * heard.rate_hz)
        start = max(0, least, start if known is heard else 0)
        self._metered = heard, stop
        peak = float(np.abs(heard.read(start, stop)).max(initial=0.0))
        return answers.InputLevel(max(MIN_LEVEL_DB, gain_to_db(peak)))

    def text(self) -> str:
        """What `/status` says."""
        device, heard = self.device, self.heard
        if device is None:
            return OFF
        rate = "" if heard is None else f"{heard.rate_hz} Hz, {heard.channels} channels"
        recording = " ".join(self.recording)
        parts = (
            device.name,
            rate,
            device.state,
            device.text,
            recording and f"recording {recording}",
        )
        return ", ".join(part for part in parts if part)
