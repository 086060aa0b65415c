"""A daemon's session in this process, with a real engine and clients, that hears what a test plays.

Input and output are rings in memory that go at the clock's pace, so that no device is needed.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemons import make_clips, prepare
from eutectic.client.sync import Client
from eutectic.link.spare import Spare
from eutectic.osc.server import Server
from eutectic.osc.subscribers import Subscribers
from eutectic.playback.heard import Heard
from eutectic.playback.output import Output
from eutectic.playback.player import Player
from eutectic.playback.streams import DeviceSettings
from eutectic.session.folders import Folders
from eutectic.session.session import Session
from eutectic.session.settings import SessionSettings

RATE_HZ = 48_000
BLOCK = 480

Sound = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""What is played at frames, counted from the input's first."""


def silence(frames: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.zeros(len(frames), np.float32)


class Microphone:
    """An input device that hears what it is told to, or is unplugged."""

    name, text = "microphone", ""

    def __init__(self) -> None:
        self.heard = Heard(RATE_HZ, 1)
        self.state = "listening"
        self.sound: Sound = silence
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._closing.wait(0.003):
            if self.state != "listening":
                continue
            heard_by = round((time.monotonic() - began) * RATE_HZ)
            if heard_by - self.heard.frames > RATE_HZ:  # it was unplugged
                self.heard.skip_to(time.monotonic())
            while self.heard.frames + BLOCK <= heard_by:
                frames = np.arange(self.heard.frames, self.heard.frames + BLOCK)
                self.heard.write(self.sound(frames)[:, None], began + (frames[-1] + 1) / RATE_HZ)


class Fed:
    """The session, its microphone and its player."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.microphone = folder, Microphone()
        self.data = folder / "data"
        self.data.mkdir()
        self.port = 0
        self._opened = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._serve(),), daemon=True
        )
        self.session: Session
        self.player: Player

    def client(self) -> Client:
        return Client(port=self.port)

    @property
    def engine_pid(self) -> int | None:
        return self.session._host.pid

    def played(self, start: int, stop: int) -> NDArray[np.float32]:
        """Frames of the output, on one side."""
        while self.player.heard.frames < stop:
            time.sleep(0.01)
        return self.player.heard.read(start, stop)[0]

    def wait(self, seconds: float) -> int:
        """Let that much be played; returns the first frame of it."""
        start = self.player.heard.frames
        self.played(start, start + round(seconds * RATE_HZ))
        return start

    def open(self) -> None:
        self._thread.start()
        assert self._opened.wait(60)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(60)
        self._loop.close()

    async def _serve(self) -> None:
        clips = make_clips(self.folder / "clips")
        settings = SessionSettings(
            "toy", "cpu", Folders((clips,), self.folder / "renders"), self.data, None, "off",
            100 << 20, 100 << 20, 100 << 20,
        )  # fmt: skip
        server = await Server.bind("127.0.0.1", 0)
        output = Output(DeviceSettings("null", RATE_HZ))
        self.player = Player(output.rate_hz, output.channels)
        subscribers = Subscribers(server.udp_peer)
        self.session = Session(settings, output, self.player, subscribers, Spare(False))
        self.session._inputs.device = self.microphone
        await self.session.start()
        await server.serve(self.session.take, lambda _: True, self.session.leave)
        self.session.start_output()
        self.port = server.port
        self._opened.set()
        await self._closing.wait()
        await self.session.close()
        await server.close()


@contextmanager
def fed(folder: Path) -> Generator[Fed]:
    """A session that clips a and b, and the reference r, have been loaded into."""
    session = Fed(folder)
    session.open()
    try:
        with session.client() as client:
            prepare(client)
        yield session
    finally:
        session.close()
