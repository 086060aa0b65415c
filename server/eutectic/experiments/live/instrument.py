"""An instrument for a daemon's input: a JACK client that plays what it is told to."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eutectic.system.processes import Service

NAME = "instrument"
"""Of the JACK client, which is an input device of that name to a daemon."""

CHANNELS = 2


class Instrument(Service):
    """Plays sounds (frame, 2), one after another, from a process of its own."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "instrument.npy"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, __file__]
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self._read()

    def play(self, sound: NDArray[np.float32], loop: bool = False) -> float:
        """Play a sound instead of what plays; returns when (monotonic) its first sample did."""
        np.save(self._path, np.ascontiguousarray(sound, np.float32))
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([str(self._path), loop]) + "\n")
        self._process.stdin.flush()
        return float(self._read())

    def stop(self) -> None:
        assert self._process is not None
        self._process.communicate("", timeout=30)

    def _read(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.readline()


class _Sound:
    """What plays; `began` is set when its first sample has."""

    def __init__(self, samples: NDArray[np.float32], loop: bool) -> None:
        self.samples, self.loop, self.at = samples, loop, 0
        self.began = threading.Event()
        self.when = 0.0

    def take(self, frames: int) -> NDArray[np.float32]:
        """The next frames (frame, channel), with silence after the end."""
        if not self.at:
            self.when = time.monotonic()
            self.began.set()
        at = self.at + np.arange(frames)
        self.at += frames
        if self.loop:
            return self.samples[at % len(self.samples)]
        there = self.samples[at.clip(max=len(self.samples) - 1)]
        return np.where((at < len(self.samples))[:, None], there, np.float32(0))


def perform() -> None:
    """Play what standard input says until it ends."""
    import jack

    own = jack.Client(NAME, no_start_server=True)
    ports: list[Any] = [own.outports.register(f"out_{number}") for number in range(CHANNELS)]
    playing = _Sound(np.zeros((1, CHANNELS), np.float32), True)

    @own.set_process_callback
    def give(frames: int) -> None:
        for port, samples in zip(ports, playing.take(frames).T, strict=True):
            port.get_array()[:] = samples

    own.activate()
    print("ready", flush=True)
    for line in sys.stdin:
        path, loop = json.loads(line)
        playing = _Sound(np.load(path), loop)
        playing.began.wait()
        print(playing.when, flush=True)
    own.deactivate()
    own.close()


if __name__ == "__main__":
    perform()
