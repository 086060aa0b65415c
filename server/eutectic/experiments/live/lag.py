"""How late a live fusion is to what it is made of: as reported, and as recorded.

One JACK client plays to the daemon and records what comes back, so that both are on one clock. What
it plays is noise, which is like itself at one lag only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eutectic.client.daemon_process import Daemon, until_ready
from eutectic.client.sync import Client
from eutectic.experiments.live.clicks import holes
from eutectic.experiments.live.jack_server import PERIOD, RATE_HZ, Jack
from eutectic.experiments.live.stand import make_clips
from eutectic.experiments.report import Row, Table
from eutectic.osc.answers import Live

CASES = ((2.0, 1.0, 1.0), (1.0, 0.5, 1.0), (2.0, 1.0, 0.5))
"""Length, every, in seconds; and recall."""

BLEND = 0.8
"""Near enough to the original for the fusion to be like it."""

SECONDS = 20.0
CHUNK_SECONDS = 0.5
"""The lag is measured in each chunk by itself."""

WAIT_SECONDS = 60.0

COLUMNS = ("length, every", "recall", "reported", "recorded", "from", "to", "dropped", "holes")


def measure(model: str, progress: Callable[[int, int], None]) -> Table:
    """The lag of one voice, with a model on this machine."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as temporary, Jack():
        folder = Path(temporary)
        make_clips(folder)
        for number, case in enumerate(CASES):
            rows.append(_row(model, folder, number, *case))
            progress(number + 1, len(CASES))
    return Table(
        "live: milliseconds from the input to its fusion", COLUMNS, tuple(rows),
        (f"in chunks of {CHUNK_SECONDS:g} s of {SECONDS:g} s: the median, the least and the most",
         f"{RATE_HZ} Hz, blocks of {PERIOD}; holes: silences of more than 2 ms"),
    )  # fmt: skip


def _row(model: str, folder: Path, number: int, length: float, every: float, recall: float) -> Row:
    data = folder / f"lag-{number}"
    data.mkdir()
    with Band(data) as band:
        options = ("--model", model, "--device", "system", "--input", band.name, "--clips",
                   str(folder), "--rate", str(RATE_HZ), "--block", str(PERIOD), "--log-level",
                   "warning")  # fmt: skip
        with Daemon(data, *options) as daemon, daemon.client() as client:
            until_ready(client)
            client.send("/notify", 1)
            client.request("/clip/load", "c", "reference.wav")
            client.request("/reference/remember", "r", "c", "low drone")
            band.connect("PortAudio")
            client.send("/live", 1, "r", "@length", length, "@every", every, "@blend", BLEND,
                        "@recall", recall)  # fmt: skip
            reported = _playing(client)
            time.sleep(reported.lag_ms / 1000 + every + SECONDS)
            played, recorded = band.stop()
            newest = [each for each in client.events(0.1) if isinstance(each, Live)] or [reported]
    recorded = recorded[-round(SECONDS * RATE_HZ) :]
    lags = _lags_ms(played, recorded, reported.lag_ms)
    return (
        f"{length:g} s, {every:g} s", recall, round(reported.lag_ms, 1),
        *(round(float(value), 1) for value in (np.median(lags), min(lags), max(lags))),
        newest[-1].dropped, len(holes(recorded, RATE_HZ)),
    )  # fmt: skip


def _playing(client: Client) -> Live:
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        answer = client.receive(until - time.monotonic())
        if isinstance(answer, Live) and answer.state == "playing":
            return answer
    raise AssertionError("it never began")


def _lags_ms(
    played: NDArray[np.float32], recorded: NDArray[np.float32], about_ms: float
) -> list[float]:
    """How late each chunk of the end of what was recorded is to what was played, (frame,)."""
    import scipy.signal

    around = round((about_ms / 1000 + CHUNK_SECONDS) * RATE_HZ)
    chunk = round(CHUNK_SECONDS * RATE_HZ)
    first = len(played) - len(recorded)
    lags: list[float] = []
    for at in range(0, len(recorded) - chunk + 1, chunk):
        stop = first + at + chunk
        before = played[max(0, stop - chunk - 2 * around) : stop]
        match = np.abs(scipy.signal.correlate(before, recorded[at : at + chunk], "valid"))
        lags.append(1000 * (len(before) - chunk - int(match.argmax())) / RATE_HZ)
    return lags


class Band:
    """A JACK client that plays noise and records, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.name = f"band-{os.getpid()}"
        self._path = folder / "band.npz"
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Band:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [sys.executable, __file__, self.name, str(self._path)], stdin=pipe, stdout=pipe,
            text=True,
        )  # fmt: skip
        self._answer()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def connect(self, client: str) -> None:
        """Record what a client plays, from now on."""
        self._say(client)
        self._answer()

    def stop(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What was played, and recorded meanwhile, frame by frame."""
        self._say("")
        self._answer()
        found = np.load(self._path)
        return found["played"], found["recorded"]

    def _say(self, line: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _answer(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "done\n"


def play(name: str, path: Path) -> None:
    """Play noise, record from a client that standard input names, and stop at its next line."""
    import jack

    generator = np.random.default_rng(0)
    played: list[NDArray[np.float32]] = []
    recorded: list[NDArray[np.float32]] = []
    is_recording = False
    own = jack.Client(name, no_start_server=True)
    output: Any = own.outports.register("out")
    record: Any = own.inports.register("in")

    @own.set_process_callback
    def process(frames: int) -> None:
        block = 0.1 * generator.standard_normal(frames).astype(np.float32)
        output.get_array()[:] = block
        if is_recording:
            played.append(block)
            recorded.append(record.get_array().copy())

    own.activate()
    print("done", flush=True)
    client = sys.stdin.readline().strip()
    own.connect(own.get_ports(client, is_output=True, is_audio=True)[0], record)
    is_recording = True
    print("done", flush=True)
    sys.stdin.readline()
    own.deactivate()
    own.close()
    np.savez(path, played=np.concatenate(played), recorded=np.concatenate(recorded))
    print("done", flush=True)


if __name__ == "__main__":
    play(sys.argv[1], Path(sys.argv[2]))
