"""Streams that take blocks at the device's pace: an audio device, a file, or nothing.

A device plays in a process of its own, from a ring in shared memory (see `portaudio`).
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from eutectic.errors import BadDevice, BadOutput, BadSetting
from eutectic.files.wav import WavWriter
from eutectic.playback.replies import DeviceInfo, Devices, Listening, Opened, Refused, Reply
from eutectic.playback.ring import Ring
from eutectic.system.shared_memory import new_path

log = logging.getLogger("eutectic.playback")

Block = NDArray[np.float32]
"""(frame, channel), float32."""

DEFAULT_RATE_HZ = 48_000
"""For files and `null`."""

OPEN_SECONDS = 20.0
"""PortAudio's process is killed if it takes longer to answer."""


@dataclass(frozen=True)
class DeviceSettings:
    """Which device, and how. `name`: None for the system's default, `null`, `file:PATH`, or a name.

    `latency` is what PortAudio is asked for: low, high, or seconds.
    """

    name: str | None = None
    rate_hz: int | None = None
    channels: int = 2
    block_frames: int = 256
    ring_seconds: float = 0.03
    latency: str = "low"

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


class Stream(Protocol):
    """A running stream: `write` queues a block; `queued` frames haven't been played yet.

    `burst`: frames that the device takes at once.
    """

    name: str
    rate_hz: int
    latency_seconds: float

    @property
    def queued(self) -> int: ...
    @property
    def underruns(self) -> int: ...
    @property
    def burst(self) -> int: ...
    @property
    def xruns(self) -> int: ...
    @property
    def alive(self) -> bool: ...
    def write(self, block: Block) -> None: ...
    def close(self) -> None: ...


class NullStream:
    """Takes blocks at the clock's pace and drops them."""

    underruns = xruns = burst = 0
    alive = True

    def __init__(self, rate_hz: int, name: str = "null") -> None:
        self.name, self.rate_hz, self.latency_seconds = name, rate_hz, 0.0
        self._started, self._written = time.monotonic(), 0

    @property
    def queued(self) -> int:
        return self._written - int((time.monotonic() - self._started) * self.rate_hz)

    def write(self, block: Block) -> None:
        self._written += len(block)

    def close(self) -> None:
        pass


class FileStream(NullStream):
    """Takes blocks at the clock's pace and writes them to a 32-bit float WAV file."""

    def __init__(self, path: Path, rate_hz: int, channels: int) -> None:
        super().__init__(rate_hz, f"file:{path}")
        try:
            self._file = WavWriter(path, rate_hz, channels, "float32")
        except FileExistsError:
            raise BadOutput(f"{path}: exists; choose another name") from None
        except OSError as error:
            raise BadOutput(f"{path}: can't be written ({error.strerror})") from None

    def write(self, block: Block) -> None:
        super().write(block)
        try:
            self._file.write(block)
        except OSError as error:
            log.error("%s: can't be written any more (%s)", self.name, error.strerror)
            self.alive = False

    def close(self) -> None:
        with contextlib.suppress(OSError):  # as before
            self._file.close()


class DeviceStream:
    """An audio device: a process that plays from a ring."""

    def __init__(self, settings: DeviceSettings, rate_hz: int | None) -> None:
        self._ring = Ring(new_path(), settings.channels, create=True)
        options = {
            "--ring": self._ring.path, "--channels": settings.channels,
            "--block": settings.block_frames, "--latency": settings.latency,
            "--rate": rate_hz, "--device": settings.name,
        }  # fmt: skip
        self._process = start_process("play", options)
        try:
            opened = reply_of(self._process, OPEN_SECONDS, Opened)
        except BadDevice:
            self.close()
            raise
        self._ring.unlink()  # both processes map it; it is freed with the last of them
        self.name, self.rate_hz = opened.name, opened.rate_hz
        self.latency_seconds = opened.latency_seconds

    @property
    def queued(self) -> int:
        return self._ring.queued

    @property
    def underruns(self) -> int:
        return self._ring.underruns

    @property
    def burst(self) -> int:
        return self._ring.burst

    @property
    def xruns(self) -> int:
        return self._ring.xruns

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def write(self, block: Block) -> None:
        self._ring.write(block)

    def close(self) -> None:
        end_process(self._process)
        self._ring.unlink()


class ResampledStream:
    """A device at another rate than the mix, which came back with it; all else is the device's.

    Attributes:
        rate_hz: the mix's, in which `queued` and `burst` count, too.
    """

    def __init__(self, stream: DeviceStream, rate_hz: int, channels: int) -> None:
        import soxr

        self._stream, self.rate_hz = stream, rate_hz
        self._resampler = soxr.ResampleStream(rate_hz, stream.rate_hz, channels, "float32")
        self.name = f"{stream.name} (now at {stream.rate_hz} Hz)"
        self.latency_seconds = stream.latency_seconds

    @property
    def queued(self) -> int:
        return self._at_mix(self._stream.queued)

    @property
    def underruns(self) -> int:
        return self._stream.underruns

    @property
    def burst(self) -> int:
        return self._at_mix(self._stream.burst)

    @property
    def xruns(self) -> int:
        return self._stream.xruns

    @property
    def alive(self) -> bool:
        return self._stream.alive

    def write(self, block: Block) -> None:
        self._stream.write(self._resampler.resample_chunk(block))

    def close(self) -> None:
        self._stream.close()

    def _at_mix(self, frames: int) -> int:
        return -(-frames * self.rate_hz // self._stream.rate_hz)


def reopen_stream(settings: DeviceSettings, rate_hz: int) -> Stream:
    """Open again what was open at a rate; a device that has another one by now is resampled to.

    Raises:
        BadDevice, BadOutput: as `open_stream`.
    """
    try:
        return open_stream(settings, rate_hz)
    except BadDevice:
        stream = open_stream(settings, None)
    if not isinstance(stream, DeviceStream) or stream.rate_hz == rate_hz:
        return stream
    return ResampledStream(stream, rate_hz, settings.channels)


def open_stream(settings: DeviceSettings, rate_hz: int | None) -> Stream:
    """Open what the settings name, at `rate_hz` if given.

    Raises:
        BadDevice: the device doesn't exist, or can't be opened like this.
        BadOutput: the file exists, or can't be written.
    """
    if settings.name == "null":
        return NullStream(rate_hz or DEFAULT_RATE_HZ)
    if settings.name is not None and settings.name.startswith("file:"):
        path = Path(settings.name.removeprefix("file:"))
        return FileStream(path, rate_hz or DEFAULT_RATE_HZ, settings.channels)
    return DeviceStream(settings, rate_hz)


def list_devices() -> list[DeviceInfo]:
    """PortAudio's devices as of now.

    Raises:
        BadDevice: PortAudio is missing or not responding.
    """
    with start_process("list", {}) as process:
        return reply_of(process, OPEN_SECONDS, Devices).devices


def start_process(action: str, options: Mapping[str, object]) -> subprocess.Popen[bytes]:
    """PortAudio's process, with an action and its options; those that are None are left out."""
    command = [sys.executable, "-m", "eutectic.playback.portaudio", action]
    for name, value in options.items():
        command += [] if value is None else [name, str(value)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # ALSA and JACK print every failed attempt there
        env=os.environ | {"JACK_NO_START_SERVER": "1"},
    )  # fmt: skip


def end_process(process: subprocess.Popen[bytes]) -> None:
    """Kill it: it has nothing to tidy up."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


_Reply = TypeVar("_Reply", Opened, Devices, Listening)


def reply_of(process: subprocess.Popen[bytes], seconds: float, kind: type[_Reply]) -> _Reply:
    """The process's one line.

    Raises:
        BadDevice: it refuses, or doesn't answer in time.
    """
    assert process.stdout is not None
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        line = process.stdout.readline()
    finally:
        timer.cancel()
    if not line:
        raise BadDevice("PortAudio is missing or not responding; --device null runs without audio")
    reply = msgspec.json.decode(line, type=Reply)
    if isinstance(reply, Refused):
        raise BadDevice(reply.text)
    assert isinstance(reply, kind)
    return reply
