"""`python -m eutectic.playback.portaudio`: the only process that uses PortAudio.

It plays from a ring, lists devices, or listens to one; reports in one line of JSON; and ends with
its standard input. It is separate because a Python callback must not share a lock with the mix,
because a JACK server that quits blocks its clients' threads for good and ending PortAudio then ends
the process, and because a list of devices stays as it was when PortAudio started.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import re
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any, Literal, NoReturn

import msgspec
import numpy as np
import sounddevice
from numpy.typing import NDArray

from eutectic.playback.heard import Heard
from eutectic.playback.replies import (
    FILE,
    DeviceInfo,
    Devices,
    Listening,
    Opened,
    Refused,
    Reply,
)
from eutectic.playback.ring import Ring
from eutectic.system.processes import end_with_parent

STUCK_SECONDS = 1.0
"""A device that takes or gives nothing for this long is lost."""

MAX_LATENCY_SECONDS = 0.25
"""An input that claims more is not believed: of JACK's clients, PortAudio claims whole seconds."""

WITHOUT = {
    "output": "--device null runs without audio",
    "input": "--input off runs without one",
}  # fmt: skip

FILE_FRAMES = 256
"""Of a file that is heard in place of a device, at once."""

BURSTS, USUAL = 16, 3
"""So many bursts are remembered, of which as many as that must have been as large."""


class Bursts:
    """How many frames a device takes at once: several blocks where its own period is longer."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._recent: deque[int] = deque([0] * BURSTS, BURSTS)

    def add(self, frames: int, seconds: float) -> None:
        """Add a block, so many seconds after the last one."""
        if seconds < 0.5 * frames / self._rate_hz:
            self._recent[-1] += frames
        else:
            self._recent.append(frames)

    @property
    def usual(self) -> int:
        """Frames; a device that catches up once doesn't count."""
        return sorted(self._recent)[-USUAL]


def _reply(reply: Reply) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(reply) + b"\n")
    sys.stdout.buffer.flush()


def _refuse(text: str) -> NoReturn:
    _reply(Refused(text))
    os._exit(2)


def _devices() -> dict[int, DeviceInfo]:
    """All by PortAudio's index, but for those whose names no encoding gives."""
    default = sounddevice.default.device
    found: dict[int, DeviceInfo] = {}
    for api in sounddevice.query_hostapis():
        for index in api["devices"]:
            with contextlib.suppress(UnicodeDecodeError):  # of a JACK client, for one
                each = sounddevice.query_devices(index)
                found[index] = DeviceInfo(
                    each["name"], api["name"], each["max_output_channels"],
                    each["max_input_channels"], round(each["default_samplerate"]), index in default,
                )  # fmt: skip
    return found


def _find(name: str | None, kind: Literal["input", "output"]) -> int:
    """Index of the device with this name, the only one with it in its name, or the default.

    ALSA's numbers of cards, such as (hw:1,0), change from one start of the machine to the next: a
    name is the same without them.
    """
    devices = _devices()
    able = [index for index, each in devices.items() if getattr(each, f"{kind}s") > 0]
    if not able:
        _refuse(f"no {kind} device found; {WITHOUT[kind]}")
    if name is None:
        default = sounddevice.default.device[0 if kind == "input" else 1]
        return default if default in able else able[0]
    exact = [index for index in able if devices[index].name == name]
    similar = [index for index in able if name.lower() in devices[index].name.lower()]
    if not similar and unnumbered(name):
        similar = [index for index in able if unnumbered(name) == unnumbered(devices[index].name)]
    if exact or len(similar) == 1:
        return (exact or similar)[0]
    names = ", ".join(dict.fromkeys(devices[index].name for index in similar or able))
    count = "more than one" if similar else "no"
    return _refuse(f"{count} {kind} device matches {name!r}; available: {names}")


def unnumbered(name: str) -> str:
    """A device's name in lower case, without the number of its card."""
    return re.sub(r"\s*\((plug)?hw:\d+(,\d+)?\)", "", name).lower()


def _play(arguments: argparse.Namespace) -> None:
    ring = Ring(Path(arguments.ring), arguments.channels)
    index = _find(arguments.device, "output")
    info = sounddevice.query_devices(index)
    rate = arguments.rate or round(info["default_samplerate"])
    outputs = 1 if info["max_output_channels"] == 1 else arguments.channels
    called, bursts = time.monotonic(), Bursts(rate)

    def callback(out: NDArray[np.float32], frames: int, _time: Any, status: Any) -> None:
        nonlocal called
        now = time.monotonic()
        bursts.add(frames, now - called)
        ring.burst, called = bursts.usual, now
        if outputs == arguments.channels:
            ring.read(out, bool(status.output_underflow))
        else:  # one loudspeaker has all
            mixed = np.empty((frames, arguments.channels), np.float32)
            ring.read(mixed, bool(status.output_underflow))
            np.mean(mixed, axis=1, keepdims=True, out=out)

    latency = arguments.latency
    try:
        stream = sounddevice.OutputStream(
            rate, arguments.block, index, outputs, "float32",
            latency if latency in ("low", "high") else float(latency), callback=callback,
        )  # fmt: skip
        stream.start()
    except (sounddevice.PortAudioError, ValueError) as error:
        _refuse(f"{info['name']}: can't be opened at {rate} Hz ({error})")
    latency_seconds: Any = stream.latency
    _reply(Opened(info["name"], rate, latency_seconds))
    while stream.active and time.monotonic() - called < STUCK_SECONDS:
        time.sleep(0.1)
    os._exit(3)  # a lost device's stream can't be closed


def _listen(arguments: argparse.Namespace) -> None:
    """Fill the memory of what was heard, at the device's own rate, until it is lost."""
    if (arguments.device or "").startswith(FILE):
        _listen_to_file(arguments)
    index = _find(arguments.device, "input")
    info = sounddevice.query_devices(index)
    channels, rate = min(2, info["max_input_channels"]), round(info["default_samplerate"])
    called, latency = time.monotonic(), 0.0

    def callback(block: NDArray[np.float32], _frames: int, _time: Any, _status: Any) -> None:
        nonlocal called
        called = time.monotonic()
        heard.write(block, called - latency)

    path = f"{arguments.heard}-{rate}-{channels}"
    try:
        heard = Heard(rate, channels, Path(path))
        heard.skip_to(called)
        stream = sounddevice.InputStream(
            rate, 0, index, channels, "float32", "low", callback=callback
        )
        claimed: Any = stream.latency
        latency = claimed if 0 <= claimed <= MAX_LATENCY_SECONDS else 0.0
        stream.start()
    except (sounddevice.PortAudioError, OSError) as error:
        _refuse(f"{info['name']}: can't be listened to ({error})")
    _reply(Listening(info["name"], path, rate, channels))
    while stream.active and time.monotonic() - called < STUCK_SECONDS:
        time.sleep(0.1)
    os._exit(3)


def _listen_to_file(arguments: argparse.Namespace) -> NoReturn:
    """Hear a sound file over and over, at the clock's pace."""
    import soundfile

    path = arguments.device.removeprefix(FILE)
    try:
        read, rate = soundfile.read(path, dtype="float32", always_2d=True)
        sound = np.asarray(read[:, :2], np.float32)
        heard_path = f"{arguments.heard}-{rate}-{sound.shape[1]}"
        heard = Heard(rate, sound.shape[1], Path(heard_path))
    except (soundfile.LibsndfileError, OSError) as error:
        _refuse(f"{path}: can't be listened to ({error})")
    if not len(sound):
        _refuse(f"{path}: can't be listened to (it is empty)")
    began = time.monotonic()
    heard.skip_to(began)
    _reply(Listening(arguments.device, heard_path, rate, sound.shape[1]))
    for start in itertools.count(0, FILE_FRAMES):
        end = began + (start + FILE_FRAMES) / rate
        time.sleep(max(0.0, end - time.monotonic()))
        heard.write(sound.take(range(start, start + FILE_FRAMES), axis=0, mode="wrap"), end)
    raise AssertionError


def main() -> None:
    parser = argparse.ArgumentParser(description="Eutectic's audio device; the daemon starts it.")
    parser.add_argument("action", choices=("play", "list", "listen"))
    parser.add_argument("--device")
    parser.add_argument("--ring")
    parser.add_argument("--rate", type=int)
    parser.add_argument("--channels", type=int, default=2)
    parser.add_argument("--block", type=int, default=256)
    parser.add_argument("--latency", default="low")
    parser.add_argument("--heard")
    arguments = parser.parse_args()
    end_with_parent(lambda: os._exit(0))
    if arguments.action == "list":
        _reply(Devices(list(_devices().values())))
    elif arguments.action == "play":
        _play(arguments)
    else:
        _listen(arguments)
    os._exit(0)


if __name__ == "__main__":
    main()
