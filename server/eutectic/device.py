"""Where the sound goes: PortAudio's devices by name, a file, or nowhere, all at their own pace.

One thread keeps a ring of RING_SECONDS full, from which the device takes: with rtmixer in C, so
that no work of Python's can make it late; where rtmixer can't be had, in a callback that only
copies. A device that is lost is looked for by name and taken again; meanwhile the mix goes on
at the clock's pace, so that voices end and times pass.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from eutectic.errors import BadDevice, BadOutput, BadSetting

log = logging.getLogger("eutectic.device")

Block = NDArray[np.float32]
"""(frame, channel), float32."""

DEFAULT_RATE_HZ = 48_000
"""Of files, and of what isn't heard."""

STUCK_SECONDS = 1.0
"""A device that takes nothing for so long is lost."""

RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class DeviceSettings:
    """Which device, and how. `name`: None is the system's own; `null`; `file:PATH`; or a name."""

    name: str | None = None
    rate_hz: int | None = None
    channels: int = 2
    block_frames: int = 256
    ring_seconds: float = 0.03
    latency: float | str = "low"

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("rate", self.rate_hz or DEFAULT_RATE_HZ, 8000, 384_000),
            ("channels", self.channels, 1, 64),
            ("block", self.block_frames, 16, 8192),
            ("ring", self.ring_seconds, 0.002, 1.0),
        ):
            if not low <= value <= high:
                raise BadSetting(f"{name} must be {low} to {high}, not {value}")


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
    underruns: int
    xruns: int

    @property
    def queued(self) -> int: ...
    @property
    def alive(self) -> bool: ...
    def write(self, block: Block) -> None: ...
    def close(self) -> None: ...


class Nowhere:
    """Takes blocks at the clock's pace, and keeps nothing."""

    def __init__(self, rate_hz: int, name: str = "null") -> None:
        self.name, self.rate_hz, self.latency_seconds = name, rate_hz, 0.0
        self.underruns = self.xruns = 0
        self.alive = True
        self._began, self._written = time.monotonic(), 0

    @property
    def queued(self) -> int:
        return self._written - int((time.monotonic() - self._began) * self.rate_hz)

    def write(self, block: Block) -> None:
        self._written += len(block)

    def close(self) -> None:
        pass


class ToFile(Nowhere):
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


class Ring:
    """A PortAudio device that takes from a ring in C (rtmixer)."""

    def __init__(self, settings: DeviceSettings, index: int, rate_hz: int, name: str) -> None:
        import rtmixer

        self.name, self.rate_hz = name, rate_hz
        self.underruns = self.xruns = 0
        self._mixer: Any = rtmixer.Mixer(
            device=index, samplerate=rate_hz, channels=settings.channels,
            blocksize=settings.block_frames, latency=settings.latency,
        )  # fmt: skip
        frames = 2 * settings.ring_seconds * rate_hz + 2 * settings.block_frames
        size = 1 << int(np.ceil(np.log2(frames)))
        self._ring: Any = rtmixer.RingBuffer(4 * settings.channels, size)
        self._action: Any = None
        self._mixer.start()
        self.latency_seconds = float(self._mixer.latency)
        self._left, self._moved = 0, time.monotonic()

    @property
    def queued(self) -> int:
        """Starts the ring again, too, where it ran empty, which ends its action silently."""
        left = int(self._ring.read_available)
        if left != self._left:
            self._left, self._moved = left, time.monotonic()
        if self._action is not None and self._action not in self._mixer.actions:
            self.underruns += 1
            self._action = None
        if self._action is None and left > 0:
            self._action = self._mixer.play_ringbuffer(self._ring)
        return left

    @property
    def alive(self) -> bool:
        stuck = self._left > 0 and time.monotonic() - self._moved > STUCK_SECONDS
        return bool(self._mixer.active) and not stuck

    def write(self, block: Block) -> None:
        self._ring.write(np.ascontiguousarray(block))
        self.xruns += int(self._mixer.fetch_and_reset_stats().stats.output_underflows)

    def close(self) -> None:
        _close_in_time(self._mixer)


class Callback:
    """A PortAudio device that takes blocks in a callback of Python's."""

    def __init__(self, settings: DeviceSettings, index: int, rate_hz: int, name: str) -> None:
        import sounddevice

        self.name, self.rate_hz = name, rate_hz
        self.underruns = self.xruns = 0
        self._blocks: deque[Block] = deque()
        self._size = settings.block_frames
        self._called, self._begun = time.monotonic(), False
        self._stream: Any = sounddevice.OutputStream(
            device=index, samplerate=rate_hz, channels=settings.channels, dtype="float32",
            blocksize=self._size, latency=settings.latency, callback=self._take,
        )  # fmt: skip
        self._stream.start()
        self.latency_seconds = float(self._stream.latency)

    def _take(self, out: Block, frames: int, when: Any, status: Any) -> None:
        self._called = time.monotonic()
        self.xruns += bool(status.output_underflow)
        if self._blocks:
            out[:] = self._blocks.popleft()
        else:
            out.fill(0)
            self.underruns += self._begun

    @property
    def queued(self) -> int:
        return len(self._blocks) * self._size

    @property
    def alive(self) -> bool:
        return bool(self._stream.active) and time.monotonic() - self._called < STUCK_SECONDS

    def write(self, block: Block) -> None:
        self._begun = True
        self._blocks.append(block.copy())

    def close(self) -> None:
        _close_in_time(self._stream)


def _close_in_time(stream: Any, seconds: float = 2.0) -> None:
    """A dead server may never let go of its client: then the thread that asked is left behind."""

    def close() -> None:
        with contextlib.suppress(Exception):
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)

    closing = threading.Thread(target=close, daemon=True)
    closing.start()
    closing.join(seconds)


def _portaudio() -> Any:
    try:
        import sounddevice
    except OSError as error:
        raise BadDevice(f"PortAudio isn't there ({error}); --device null plays nowhere") from None
    return sounddevice


def list_devices() -> list[DeviceInfo]:
    """What PortAudio knows, as of its start.

    Raises:
        BadDevice: PortAudio isn't there.
    """
    sounddevice = _portaudio()
    apis = sounddevice.query_hostapis()
    default = sounddevice.default.device[1]
    return [
        DeviceInfo(
            each["name"], apis[each["hostapi"]]["name"], each["max_output_channels"],
            each["max_input_channels"], round(each["default_samplerate"]), index == default,
        )
        for index, each in enumerate(sounddevice.query_devices())
    ]  # fmt: skip


def _find(name: str | None, inputs: bool = False) -> int:
    """Index of the device of that name, of the one whose name has it in it, or of the default."""
    devices = list_devices()
    able = [
        index for index, each in enumerate(devices) if (each.inputs if inputs else each.outputs) > 0
    ]
    kind = "input" if inputs else "output"
    if not able:
        raise BadDevice(f"there is no {kind} device here; --device null plays nowhere")
    if name is None:
        default = _portaudio().default.device[0 if inputs else 1]
        return default if default in able else able[0]
    exact = [index for index in able if devices[index].name == name]
    alike = [index for index in able if name.lower() in devices[index].name.lower()]
    if exact or len(alike) == 1:
        return (exact or alike)[0]
    names = ", ".join(dict.fromkeys(devices[index].name for index in alike or able))
    problem = "more than one" if alike else "no"
    raise BadDevice(f"{problem} {kind} device is called {name!r}; there is: {names}")


def _open(settings: DeviceSettings, rate_hz: int | None = None) -> Stream:
    """Open a device; with a rate, at that.

    Raises:
        BadDevice: it isn't there, or can't be had so.
        BadOutput: its file exists or can't be written.
    """
    rate = rate_hz or settings.rate_hz
    if settings.name == "null":
        return Nowhere(rate or DEFAULT_RATE_HZ)
    if settings.name is not None and settings.name.startswith("file:"):
        path = Path(settings.name.removeprefix("file:"))
        return ToFile(path, rate or DEFAULT_RATE_HZ, settings.channels)
    sounddevice = _portaudio()
    index = _find(settings.name)
    info = sounddevice.query_devices(index)
    rate = rate or round(info["default_samplerate"])
    try:
        import rtmixer  # noqa: F401  # pyright: ignore[reportUnusedImport]

        kind: Any = Ring
    except (ImportError, OSError):
        kind = Callback
    try:
        return kind(settings, index, rate, info["name"])
    except (sounddevice.PortAudioError, ValueError) as error:
        raise BadDevice(f"{info['name']}: can't be had at {rate} Hz ({error})") from None


class Output:
    """A device that is played on, and taken again when it was lost.

    Attributes:
        rate_hz, channels: for good.
        underruns: how often our ring ran empty; xruns: how often the system says sound was lost.
        state: `closed`, `playing` or `lost`.
    """

    def __init__(self, settings: DeviceSettings) -> None:
        """Open it.

        Raises:
            BadDevice, BadOutput: as it says.
        """
        self.settings = settings
        self._stream: Stream = _open(settings)
        self.rate_hz, self.channels = self._stream.rate_hz, settings.channels
        self.name = self._stream.name
        self.state = "closed"
        self._lost_underruns = self._lost_xruns = 0
        self._leaving = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed = False

    @property
    def underruns(self) -> int:
        return self._lost_underruns + self._stream.underruns

    @property
    def xruns(self) -> int:
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
        tried = 0.0
        while not self._leaving.is_set():
            if self.state == "playing" and not self._stream.alive:
                self._lose()
                told("lost")
            if self.state == "lost" and time.monotonic() - tried > RETRY_SECONDS:
                if self._retake():
                    told("back")
                tried = time.monotonic()
            while self._stream.queued < ring:
                self._make(fill, block)
                self._stream.write(block)
            self._leaving.wait(pause)

    def _make(self, fill: Callable[[Block], None], block: Block) -> None:
        try:
            fill(block)
        except Exception:  # silence is better than a thread that is gone
            block.fill(0)
            if not self._failed:
                log.exception("the mix failed; there may be silence")
            self._failed = True

    def _lose(self) -> None:
        log.error("%s: the device is gone", self.name)
        self._lost_underruns, self._lost_xruns = self.underruns, self.xruns
        self._stream.close()
        self._stream = Nowhere(self.rate_hz)
        self.state = "lost"

    def _retake(self) -> bool:
        """PortAudio lists its devices once: only a new start knows what is there now."""
        sounddevice = _portaudio()
        try:
            sounddevice._terminate()
            sounddevice._initialize()
            self._stream = _open(self.settings, self.rate_hz)
        except (BadDevice, sounddevice.PortAudioError):
            return False
        log.info("%s: the device is back", self.name)
        self.state = "playing"
        return True


def _hurry() -> None:
    """Real-time priority for this thread, where the system allows it."""
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setscheduler(
            0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR))
        )


def record_input(
    name: str | None, seconds: float, rate_hz: int, cancelled: threading.Event
) -> Block:
    """What an input device hears for so long, (frame, 2); waits for it.

    Raises:
        BadDevice: it isn't there, or can't be had.
    """
    sounddevice = _portaudio()
    index = _find(None if name in ("null", None) or str(name).startswith("file:") else name, True)
    channels = min(2, sounddevice.query_devices(index)["max_input_channels"])
    blocks: list[Block] = []
    left = round(seconds * rate_hz)
    try:
        with sounddevice.InputStream(rate_hz, 1024, index, channels, "float32") as stream:
            while left > 0 and not cancelled.is_set():
                block, _ = stream.read(min(1024, left))
                blocks.append(block)
                left -= len(block)
    except sounddevice.PortAudioError as error:
        raise BadDevice(f"the input can't be heard ({error})") from None
    sound = np.concatenate(blocks) if blocks else np.zeros((0, channels), np.float32)
    return np.repeat(sound, 2, axis=1) if channels == 1 else sound
