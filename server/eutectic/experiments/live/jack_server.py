"""A private JACK server without a sound card, and recordings of what its ports play."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from eutectic.system.processes import Service

RATE_HZ, PERIOD = 48_000, 256


class Jack(Service):
    """`jackd` with the dummy driver, under a unique name that this process's clients connect to."""

    def __init__(self, period: int = PERIOD, rate_hz: int = RATE_HZ, outputs: int = 2) -> None:
        self.name, self.rate_hz = f"eutectic-{os.getpid()}", rate_hz
        self._period, self._outputs = period, outputs
        self._process: subprocess.Popen[bytes] | None = None
        self._before: dict[str, str | None] = {}

    def __enter__(self) -> Self:
        environment = {"JACK_DEFAULT_SERVER": self.name, "JACK_NO_START_SERVER": "1"}
        self._before = {name: os.environ.get(name) for name in environment}
        os.environ.update(environment)
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        for name, value in self._before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    def start(self) -> None:
        command = ["jackd", "-n", self.name, "-R", "-d", "dummy", "-r", str(self.rate_hz),
                   "-p", str(self._period), "-P", str(self._outputs)]  # fmt: skip
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 20
        while subprocess.run(
            ["jack_lsp", "-s", self.name], capture_output=True, check=False
        ).returncode:
            assert time.monotonic() < until, "jackd didn't start"
            time.sleep(0.1)

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()  # a killed server keeps its place in JACK's registry
        self._process.wait(20)


class Recording:
    """Records everything that a client's output ports play, from `start` to `stop`.

    A separate process records, so that nothing here can make it miss a period.

    Attributes:
        xruns: places at which JACK reported one or several.
        lost: frames of the recording where that was, or JACK's clock left out a period.
        longest_period: seconds; longer than JACK's own where the machine was held up.
    """

    def __init__(self, client: str, folder: Path, channels: int = 2) -> None:
        self._path = folder / "recording.npz"
        self._command = [sys.executable, __file__, client, str(self._path), str(channels)]
        self._process: subprocess.Popen[str] | None = None
        self.xruns = 0
        self.lost: list[int] = []
        self.longest_period = 0.0
        self._times: NDArray[np.float64] = np.zeros(0)

    def start(self) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "recording\n"

    def stop(self) -> NDArray[np.float32]:
        """Stop; returns the recording (frame, channel)."""
        assert self._process is not None
        self._process.communicate("", timeout=30)
        recorded = np.load(self._path)
        skipped = 1 + np.flatnonzero(np.diff(recorded["clock"]) != PERIOD)
        told = np.unique(recorded["xruns"])
        self.xruns, self.lost = len(told), np.union1d(told, PERIOD * skipped).tolist()
        self._times = recorded["times"]
        self.longest_period = float(np.diff(self._times).max(initial=0.0))
        return recorded["samples"]

    def frame(self, at: float) -> int:
        """The frame of the recording that was played at a monotonic time."""
        block = int(np.searchsorted(self._times, at)) - 1
        return block * PERIOD + round((at - float(self._times[block])) * RATE_HZ)

    def time(self, frame: int) -> float:
        """When (monotonic) a frame of the recording was played."""
        block = min(frame // PERIOD, len(self._times) - 1)
        return float(self._times[block]) + (frame - block * PERIOD) / RATE_HZ


class Losses(Service):
    """Notices when JACK loses a period; `last` is when (monotonic) it last did."""

    def __init__(self) -> None:
        self.last = -math.inf
        self._client: Any = None

    def start(self) -> None:
        import jack

        self._client = jack.Client(f"losses-{os.getpid()}", no_start_server=True)

        @self._client.set_xrun_callback
        def note(_delayed_usecs: float) -> None:
            self.last = time.monotonic()

        self._client.activate()

    def stop(self) -> None:
        self._client.deactivate()
        self._client.close()


def record(client: str, path: Path, channels: int) -> None:
    """Record until standard input ends."""
    import jack

    blocks: list[NDArray[np.float32]] = []
    times: list[float] = []
    clock: list[int] = []
    own = jack.Client(f"recording-{os.getpid()}", no_start_server=True)
    inputs: list[Any] = [own.inports.register(f"in_{number}") for number in range(channels)]
    xruns: list[int] = []

    @own.set_process_callback
    def take(_frames: int) -> None:
        times.append(time.monotonic())
        clock.append(own.last_frame_time)
        blocks.append(np.stack([port.get_array().copy() for port in inputs], axis=1))

    @own.set_xrun_callback
    def count(_delayed_usecs: float) -> None:
        xruns.append(len(blocks) * PERIOD)

    own.activate()
    ports: list[Any] = []
    until = time.monotonic() + 20
    while len(ports) < channels:
        if time.monotonic() > until:
            sys.exit(f"no JACK client {client}")
        time.sleep(0.02)
        ports = own.get_ports(client, is_output=True, is_audio=True)
    for port, own_input in zip(ports, inputs, strict=False):
        own.connect(port, own_input)
    print("recording", flush=True)
    sys.stdin.read()
    own.deactivate()
    own.close()
    samples = np.concatenate(blocks)
    np.savez(path, samples=samples, times=times, clock=clock, xruns=np.array(xruns, int))


if __name__ == "__main__":
    record(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
