"""A JACK server of our own, without a sound card, and what its ports play."""

from __future__ import annotations

import os
import subprocess
import time
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

RATE_HZ, PERIOD = 48_000, 256


class Jack:
    """`jackd` with the dummy driver, under a name that no other has; clients here find it."""

    def __init__(self) -> None:
        self.name = f"eutectic-test-{os.getpid()}"
        os.environ["JACK_DEFAULT_SERVER"] = self.name
        os.environ["JACK_NO_START_SERVER"] = "1"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Jack:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        command = ["jackd", "-n", self.name, "-r", "-d", "dummy", "-r", str(RATE_HZ),
                   "-p", str(PERIOD)]  # fmt: skip
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 20
        while subprocess.run(
            ["jack_lsp", "-s", self.name], capture_output=True, check=False
        ).returncode:
            assert time.monotonic() < until, "jackd doesn't start"
            time.sleep(0.1)

    def stop(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


class Recording:
    """Everything that a client's output ports play, from `start` to `stop`."""

    def __init__(self, client: str) -> None:
        import jack

        self._jack = jack.Client(f"recording-{os.getpid()}", no_start_server=True)
        self._inputs = [self._jack.inports.register(f"in_{side}") for side in range(2)]
        self._blocks: list[NDArray[np.float32]] = []
        self._jack.set_process_callback(self._take)
        self.xruns = 0
        self._jack.set_xrun_callback(self._count)
        self._client = client

    def _take(self, frames: int) -> None:
        self._blocks.append(np.stack([port.get_array().copy() for port in self._inputs], axis=1))

    def _count(self, delayed_usecs: float) -> None:
        self.xruns += 1

    def start(self) -> None:
        self._jack.activate()
        ports: list[object] = []
        until = time.monotonic() + 20
        while len(ports) < 2:
            assert time.monotonic() < until, f"nobody is called {self._client}"
            ports = self._jack.get_ports(self._client, is_output=True, is_audio=True)
            time.sleep(0.02)
        for port, own in zip(ports, self._inputs, strict=False):
            self._jack.connect(port, own)

    def stop(self) -> NDArray[np.float32]:
        """What was recorded, (frame, 2)."""
        self._jack.deactivate()
        self._jack.close()
        return np.concatenate(self._blocks)
