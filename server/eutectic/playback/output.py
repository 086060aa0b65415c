"""Where the sound goes: an audio device by its name, a file, or nowhere, all at their own pace.

A thread keeps a ring of `ring_seconds` full, from which the device's own process takes (see
`portaudio`). A device that is lost is looked for by name and taken again; meanwhile the mix goes
on at the clock's pace, so that voices end and times pass.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import smoothstep
from eutectic.errors import BadDevice, BadOutput, BadSetting
from eutectic.playback.ring import Ring
from eutectic.system.shared_memory import new_path

log = logging.getLogger("eutectic.playback")

Block = NDArray[np.float32]
"""(frame, channel), float32."""

DEFAULT_RATE_HZ = 48_000
"""Of files, and of what isn't heard."""

RETRY_SECONDS = 1.0
"""Between looks for a device that is lost."""

OPENING_SECONDS = 20.0

STUCK_SECONDS = 1.0
"""A device that takes nothing for so long is not waited for."""

EDGE_SECONDS = 0.01
"""The mix comes and goes so, where a device is opened, taken again, or left."""


@dataclass(frozen=True)
class DeviceSettings:
    """Which device, and how. `name`: None is the system's own; `null`; `file:PATH`; or a name."""

    name: str | None = None
    rate_hz: int | None = None
    channels: int = 2
    block_frames: int = 256
    ring_seconds: float = 0.03
    latency: str = "low"
    """What PortAudio is asked for: low, high, or seconds."""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("rate", self.rate_hz or DEFAULT_RATE_HZ, 8000, 384_000),
            ("channels", self.channels, 1, 64),
            ("block", self.block_frames, 16, 8192),
            ("ring", self.ring_seconds, 0.002, 1.0),
        ):
            if not low <= value <= high:
                raise BadSetting(f"{name} must be {low} to {high}, not {value}")
        if self.latency not in ("low", "high"):
            try:
                float(self.latency)
            except ValueError:
                raise BadSetting("latency must be low, high, or seconds") from None


@dataclass(frozen=True)
class DeviceInfo:
    """A device of PortAudio's."""

    name: str
    host_api: str
    outputs: int
    inputs: int
    rate_hz: int
    default: bool


class Stream(Protocol):
    """A running device. `write` queues a block; `queued` frames of what was written are left."""

    name: str
    rate_hz: int
    latency_seconds: float

    @property
    def queued(self) -> int: ...
    @property
    def underruns(self) -> int: ...
    @property
    def xruns(self) -> int: ...
    @property
    def alive(self) -> bool: ...
    def write(self, block: Block) -> None: ...
    def close(self) -> None: ...


class NullStream:
    """Takes blocks at the clock's pace, and keeps nothing."""

    underruns = xruns = 0
    alive = True

    def __init__(self, rate_hz: int, name: str = "null") -> None:
        self.name, self.rate_hz, self.latency_seconds = name, rate_hz, 0.0
        self._began, self._written = time.monotonic(), 0

    @property
    def queued(self) -> int:
        return self._written - int((time.monotonic() - self._began) * self.rate_hz)

    def write(self, block: Block) -> None:
        self._written += len(block)

    def close(self) -> None:
        pass


class FileStream(NullStream):
    """Takes blocks at the clock's pace, and writes them to a WAV file of floats."""

    def __init__(self, path: Path, rate_hz: int, channels: int) -> None:
        import soundfile

        super().__init__(rate_hz, f"file:{path}")
        if path.exists():
            raise BadOutput(f"{path}: exists; choose another name")
        try:
            self._file = soundfile.SoundFile(path, "w", rate_hz, channels, "FLOAT", format="WAV")
        except (OSError, soundfile.LibsndfileError) as error:
            raise BadOutput(f"{path}: can't be written ({error})") from None

    def write(self, block: Block) -> None:
        super().write(block)
        self._file.write(block)

    def close(self) -> None:
        self._file.close()


class DeviceStream:
    """A process that plays what a ring holds."""

    def __init__(self, settings: DeviceSettings, rate_hz: int | None) -> None:
        self._ring = Ring(new_path(), settings.channels, make=True)
        options = {
            "--ring": self._ring.path, "--channels": settings.channels,
            "--block": settings.block_frames, "--latency": settings.latency,
            "--rate": rate_hz, "--device": settings.name,
        }  # fmt: skip
        self._process = _start("play", options)
        try:
            said = _answer(self._process, OPENING_SECONDS)
        except BadDevice:
            self.close()
            raise
        self._ring.unlink()  # both map it: with the last of them it is gone
        self.name, self.rate_hz = said["name"], said["rate_hz"]
        self.latency_seconds = said["latency_seconds"]

    @property
    def queued(self) -> int:
        return self._ring.queued

    @property
    def underruns(self) -> int:
        return self._ring.underruns

    @property
    def xruns(self) -> int:
        return self._ring.xruns

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def write(self, block: Block) -> None:
        self._ring.write(block)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._ring.unlink()


def _start(what: str, options: dict[str, Any]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "eutectic.playback.portaudio", what]
    for name, value in options.items():
        command += [] if value is None else [name, str(value)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # ALSA's and JACK's libraries complain there of all they try
        env=os.environ | {"JACK_NO_START_SERVER": "1"},
    )  # fmt: skip


def _answer(process: subprocess.Popen[bytes], seconds: float) -> dict[str, Any]:
    """The one line that the process says.

    Raises:
        BadDevice: it is one of refusal, or there is none in time.
    """
    assert process.stdout is not None
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        line = process.stdout.readline()
    finally:
        timer.cancel()
    if not line:
        raise BadDevice("PortAudio isn't there, or hangs; --device null plays nowhere")
    said = json.loads(line)
    if "error" in said:
        raise BadDevice(said["error"])
    return said


def list_devices() -> list[DeviceInfo]:
    """What PortAudio knows, as of now.

    Raises:
        BadDevice: PortAudio isn't there.
    """
    with _start("list", {}) as process:
        return [DeviceInfo(**each) for each in _answer(process, OPENING_SECONDS)["devices"]]


def record_input(
    name: str | None, seconds: float, path: Path, begun: Callable[[Callable[[], None]], None]
) -> None:
    """Record what an input device hears into a WAV file; waits until it is done.

    `begun` is told at once how to give it up.

    Raises:
        BadDevice: it isn't there, or can't be had, or it was given up.
    """
    options = {"--device": name, "--seconds": seconds, "--path": path}
    with _start("record", options) as process:
        begun(process.kill)
        _answer(process, seconds + OPENING_SECONDS)


def _open(settings: DeviceSettings, rate_hz: int | None) -> Stream:
    if settings.name == "null":
        return NullStream(rate_hz or DEFAULT_RATE_HZ)
    if settings.name is not None and settings.name.startswith("file:"):
        path = Path(settings.name.removeprefix("file:"))
        return FileStream(path, rate_hz or DEFAULT_RATE_HZ, settings.channels)
    return DeviceStream(settings, rate_hz)


class Output:
    """A device that is played on, and taken again when it was lost.

    Attributes:
        rate_hz, channels, name: for good.
        state: `closed`, `playing` or `lost`.
    """

    def __init__(self, settings: DeviceSettings) -> None:
        """Open it.

        Raises:
            BadDevice: it isn't there, or can't be had so.
            BadOutput: its file exists or can't be written.
        """
        self.settings = settings
        self._stream: Stream = _open(settings, settings.rate_hz)
        self.rate_hz, self.channels = self._stream.rate_hz, settings.channels
        self.name = self._stream.name
        self.state = "closed"
        self._lost_underruns = self._lost_xruns = 0
        self._leaving = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed = False
        self._found: Stream | None = None
        edge = np.arange(round(EDGE_SECONDS * self.rate_hz)) / (EDGE_SECONDS * self.rate_hz)
        self._edge = smoothstep(edge).astype(np.float32)[:, None]
        self._risen = 0

    @property
    def underruns(self) -> int:
        """How often our ring ran empty."""
        return self._lost_underruns + self._stream.underruns

    @property
    def xruns(self) -> int:
        """How often the system says that sound was lost."""
        return self._lost_xruns + self._stream.xruns

    @property
    def latency_seconds(self) -> float:
        """From `fill` to the ear, as far as the system tells."""
        return self.settings.ring_seconds + self._stream.latency_seconds

    def start(self, fill: Callable[[Block], None], told: Callable[[str], None]) -> None:
        """Play what `fill` makes; `told` of `lost` and `back`, from another thread."""
        self.state = "playing"
        self._thread = threading.Thread(
            target=self._run, args=(fill, told), name="player", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Play no more."""
        self._leaving.set()
        if self._thread is not None:
            self._thread.join()
        self._stream.close()
        self.state = "closed"

    def _run(self, fill: Callable[[Block], None], told: Callable[[str], None]) -> None:
        _hurry()
        block = np.zeros((self.settings.block_frames, self.channels), np.float32)
        ring = round(self.settings.ring_seconds * self.rate_hz)
        pause = 0.25 * self.settings.block_frames / self.rate_hz
        while not self._leaving.is_set():
            if self.state == "playing" and not self._stream.alive:
                self._lose()
                told("lost")
            if self._found is not None:
                self._stream, self._found, self.state = self._found, None, "playing"
                self._risen = 0
                log.info("%s: the device is back", self.name)
                told("back")
            while self._stream.queued < ring:
                self._make(fill, block)
                self._stream.write(block)
            self._leaving.wait(pause)
        if self.state == "playing":
            self._fade(fill, block, ring)

    def _fade(self, fill: Callable[[Block], None], block: Block, ring: int) -> None:
        """Fade what plays, and wait until that has been taken."""
        left = self._edge[::-1]
        while len(left):
            self._make(fill, block)
            block[: len(left)] *= left[: len(block)]
            block[len(left) :] = 0
            self._stream.write(block)
            left = left[len(block) :]
        for _ in range(0, ring, len(block)):
            self._stream.write(np.zeros_like(block))
        until = time.monotonic() + STUCK_SECONDS
        while self._stream.queued > ring // 2 and self._stream.alive and time.monotonic() < until:
            time.sleep(0.001)

    def _make(self, fill: Callable[[Block], None], block: Block) -> None:
        try:
            fill(block)
            rise = self._edge[self._risen : self._risen + len(block)]
            block[: len(rise)] *= rise
            self._risen += len(rise)
        except Exception:  # silence is better than a thread that is gone
            block.fill(0)
            if not self._failed:
                log.exception("the mix failed; there may be silence")
            self._failed = True

    def _lose(self) -> None:
        log.error("%s: the device is gone; looking for it", self.name)
        self._lost_underruns, self._lost_xruns = self.underruns, self.xruns
        self._stream.close()
        self._stream = NullStream(self.rate_hz)
        self.state = "lost"
        threading.Thread(target=self._look, name="device", daemon=True).start()

    def _look(self) -> None:
        """Until the device can be had again, at the rate that the mix has."""
        while not self._leaving.wait(RETRY_SECONDS):
            try:
                found = _open(self.settings, self.rate_hz)
            except BadDevice:
                continue
            if self._leaving.is_set():
                found.close()
            self._found = found
            return


def _hurry() -> None:
    """Real-time priority for this thread, where the system allows it."""
    with contextlib.suppress(AttributeError, OSError):
        lowest = os.sched_get_priority_min(os.SCHED_RR)
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(lowest))
