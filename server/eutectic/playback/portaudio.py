"""`python -m eutectic.playback.portaudio`: the only process that uses PortAudio.

It plays from a ring, lists devices, or records; reports in one line of JSON; and ends with its
standard input. It is separate because a Python callback must not share a lock with the mix, because
a JACK server that quits blocks its clients' threads for good and ending PortAudio then ends the
process, and because a list of devices stays as it was when PortAudio started.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any, Literal, NoReturn

import msgspec
import numpy as np
import sounddevice
import soundfile
from numpy.typing import NDArray

from eutectic.playback.replies import DeviceInfo, Devices, Opened, Recorded, Refused, Reply
from eutectic.playback.ring import Ring
from eutectic.system.processes import end_with_parent

STUCK_SECONDS = 1.0
"""A device that takes nothing for this long is lost."""

RECORD_FRAMES = 1024


def _reply(reply: Reply) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(reply) + b"\n")
    sys.stdout.buffer.flush()


def _refuse(text: str) -> NoReturn:
    _reply(Refused(text))
    os._exit(2)


def _devices() -> list[DeviceInfo]:
    apis = sounddevice.query_hostapis()
    default = sounddevice.default.device
    return [
        DeviceInfo(
            each["name"], apis[each["hostapi"]]["name"], each["max_output_channels"],
            each["max_input_channels"], round(each["default_samplerate"]), index in default,
        )
        for index, each in enumerate(sounddevice.query_devices())
    ]  # fmt: skip


def _find(name: str | None, kind: Literal["input", "output"]) -> int:
    """Index of the device with this name, the only one with it in its name, or the default."""
    devices = _devices()
    able = [index for index, each in enumerate(devices) if getattr(each, f"{kind}s") > 0]
    if not able:
        _refuse(f"no {kind} device found; --device null runs without audio")
    if name is None:
        default = sounddevice.default.device[0 if kind == "input" else 1]
        return default if default in able else able[0]
    exact = [index for index in able if devices[index].name == name]
    similar = [index for index in able if name.lower() in devices[index].name.lower()]
    if exact or len(similar) == 1:
        return (exact or similar)[0]
    names = ", ".join(dict.fromkeys(devices[index].name for index in similar or able))
    count = "more than one" if similar else "no"
    return _refuse(f"{count} {kind} device matches {name!r}; available: {names}")


def _play(arguments: argparse.Namespace) -> None:
    ring = Ring(Path(arguments.ring), arguments.channels)
    index = _find(arguments.device, "output")
    info = sounddevice.query_devices(index)
    rate = arguments.rate or round(info["default_samplerate"])
    called = time.monotonic()

    def callback(out: NDArray[np.float32], _frames: int, _time: Any, status: Any) -> None:
        nonlocal called
        called = time.monotonic()
        ring.read(out, bool(status.output_underflow))

    latency = arguments.latency
    try:
        stream = sounddevice.OutputStream(
            rate, arguments.block, index, arguments.channels, "float32",
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


def _record(arguments: argparse.Namespace) -> None:
    index = _find(arguments.device, "input")
    info = sounddevice.query_devices(index)
    channels, rate = min(2, info["max_input_channels"]), round(info["default_samplerate"])
    left = round(arguments.seconds * rate)
    try:
        with (
            soundfile.SoundFile(arguments.path, "w", rate, channels, "FLOAT", format="WAV") as file,
            sounddevice.InputStream(rate, RECORD_FRAMES, index, channels, "float32") as stream,
        ):
            while left > 0:
                block, _ = stream.read(min(RECORD_FRAMES, left))
                file.write(block)
                left -= len(block)
    except (sounddevice.PortAudioError, soundfile.LibsndfileError, OSError) as error:
        _refuse(f"{info['name']}: can't be recorded from ({error})")
    _reply(Recorded())


def main() -> None:
    parser = argparse.ArgumentParser(description="Eutectic's audio device; the daemon starts it.")
    parser.add_argument("action", choices=("play", "list", "record"))
    parser.add_argument("--device")
    parser.add_argument("--ring")
    parser.add_argument("--rate", type=int)
    parser.add_argument("--channels", type=int, default=2)
    parser.add_argument("--block", type=int, default=256)
    parser.add_argument("--latency", default="low")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--path")
    arguments = parser.parse_args()
    end_with_parent(lambda: os._exit(0))
    if arguments.action == "list":
        _reply(Devices(_devices()))
    elif arguments.action == "play":
        _play(arguments)
    else:
        _record(arguments)
    os._exit(0)


if __name__ == "__main__":
    main()
