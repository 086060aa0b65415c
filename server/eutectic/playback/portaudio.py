"""`python -m eutectic.playback.portaudio`: the only process that knows PortAudio.

A process of its own, since nothing else can be relied on: a callback of Python's shares no lock
with the mix there; a JACK server that goes takes its client's thread with it for ever, and ending
PortAudio then ends the process; and a list of devices is as old as the process that made it. It
plays what a ring holds, lists devices, or records; says in one line of JSON how that went; and
ends with its standard input.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import sounddevice
import soundfile
from numpy.typing import NDArray

from eutectic.playback.ring import Ring

STUCK_SECONDS = 1.0
"""A device that takes nothing for so long is lost."""

RECORD_FRAMES = 1024


def _say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def _refuse(text: str) -> NoReturn:
    _say(error=text)
    os._exit(2)


def _devices() -> list[dict[str, Any]]:
    apis = sounddevice.query_hostapis()
    default = sounddevice.default.device
    return [
        {
            "name": each["name"], "host_api": apis[each["hostapi"]]["name"],
            "outputs": each["max_output_channels"], "inputs": each["max_input_channels"],
            "rate_hz": round(each["default_samplerate"]), "default": index in default,
        }
        for index, each in enumerate(sounddevice.query_devices())
    ]  # fmt: skip


def _find(name: str | None, kind: str) -> int:
    """Index of the device of that name, of the only one with it in its name, or the default."""
    devices = _devices()
    able = [index for index, each in enumerate(devices) if each[f"{kind}s"] > 0]
    if not able:
        _refuse(f"there is no {kind} device here; --device null plays nowhere")
    if name is None:
        default = sounddevice.default.device[0 if kind == "input" else 1]
        return default if default in able else able[0]
    exact = [index for index in able if devices[index]["name"] == name]
    alike = [index for index in able if name.lower() in devices[index]["name"].lower()]
    if exact or len(alike) == 1:
        return (exact or alike)[0]
    names = ", ".join(dict.fromkeys(devices[index]["name"] for index in alike or able))
    problem = "more than one" if alike else "no"
    return _refuse(f"{problem} {kind} device is called {name!r}; there is: {names}")


def _play(arguments: argparse.Namespace) -> None:
    ring = Ring(Path(arguments.ring), arguments.channels)
    index = _find(arguments.device, "output")
    info = sounddevice.query_devices(index)
    rate = arguments.rate or round(info["default_samplerate"])
    called = time.monotonic()

    def take(out: NDArray[np.float32], frames: int, when: Any, status: Any) -> None:
        nonlocal called
        called = time.monotonic()
        ring.take(out, bool(status.output_underflow))

    latency = arguments.latency
    try:
        stream = sounddevice.OutputStream(
            rate, arguments.block, index, arguments.channels, "float32",
            latency if latency in ("low", "high") else float(latency), callback=take,
        )  # fmt: skip
        stream.start()
    except (sounddevice.PortAudioError, ValueError) as error:
        _refuse(f"{info['name']}: can't be had at {rate} Hz ({error})")
    behind: Any = stream.latency
    _say(name=info["name"], rate_hz=rate, latency_seconds=behind)
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
        _refuse(f"{info['name']}: can't be recorded ({error})")
    _say(name=info["name"], rate_hz=rate)


def _leave_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(description="Eutectic's audio device; the daemon starts it.")
    parser.add_argument("what", choices=("play", "list", "record"))
    parser.add_argument("--device")
    parser.add_argument("--ring")
    parser.add_argument("--rate", type=int)
    parser.add_argument("--channels", type=int, default=2)
    parser.add_argument("--block", type=int, default=256)
    parser.add_argument("--latency", default="low")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--path")
    arguments = parser.parse_args()
    threading.Thread(target=_leave_with_input, daemon=True).start()
    if arguments.what == "list":
        _say(devices=_devices())
    elif arguments.what == "play":
        _play(arguments)
    else:
        _record(arguments)
    os._exit(0)


if __name__ == "__main__":
    main()
