"""How soon a touch of the page is heard, beside an OSC datagram.

`python tests/helpers/touch_latency.py` prints it. Everything is real: a browser, the page, the
daemon, JACK with the dummy driver and a recording by another JACK client on the same clock. A touch
counts from the time that the browser gives it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from browsers import LAPTOP, Screen, chromium, opened
from daemons import daemon, prepare
from eutectic.client.sync import Client
from eutectic.experiments.live.jack_server import PERIOD, RATE_HZ, Jack, Recording
from pages import page_port

TIMES = 40
SILENCE_SECONDS, PLAYED_SECONDS, STOP_MS = 0.2, 0.1, 20.0

ONSET = 0.02
"""Share of the recording's peak that counts as its first sample."""

LISTEN = """() => {
  window.downs = [];
  addEventListener('pointerdown', e => downs.push(performance.timeOrigin + e.timeStamp), true);
}"""


def latencies(client: Client, folder: Path, times: int, trigger: Callable[[], float]) -> np.ndarray:
    """Milliseconds from each trigger, which returns its time (monotonic), to its first sample."""
    recording = Recording("PortAudio", folder)
    recording.start()
    sent: list[float] = []
    for _ in range(times):
        sent.append(trigger())
        time.sleep(PLAYED_SECONDS)
        client.send("/stop", 1, STOP_MS)
        time.sleep(SILENCE_SECONDS)
    loud = np.abs(recording.stop()).max(axis=1)
    heard = np.flatnonzero(loud > ONSET * loud.max())
    starts = np.array([recording.frame(at) for at in sent])
    return 1000 * (heard[np.searchsorted(heard, starts)] - starts) / RATE_HZ


def touch(screen: Screen, x: float, y: float) -> float:
    """Touch the page; returns when the browser took it (monotonic)."""
    screen.touch("touchStart", (x, y))
    screen.touch("touchEnd")
    at_ms = screen.page.evaluate("() => downs.at(-1)")
    return at_ms / 1000 - time.time() + time.monotonic()


def measure(times: int = TIMES) -> dict[str, np.ndarray]:
    """Latencies in milliseconds of a ready fusion, by what it was triggered with."""
    with tempfile.TemporaryDirectory() as temporary, Jack():
        folder = Path(temporary)
        options = ("--rate", str(RATE_HZ), "--block", str(PERIOD), "--page", "0")
        with daemon(folder, *options, device="system") as process, process.client() as client:
            prepare(client)
            client.send("/scrub", 1, 1.0)
            client.request("/fuse", 1, "a", "r")
            with (
                chromium() as browser,
                opened(browser, page_port(process), **(LAPTOP | {"has_touch": True})) as screen,
            ):
                screen("tbody .pad").wait_for()
                screen.page.evaluate(LISTEN)
                box = screen.box("tbody .pad")
                x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

                def datagram() -> float:
                    at = time.monotonic()
                    client.send("/fuse", 0, 1, "a", "r")
                    return at

                return {
                    "a datagram": latencies(client, folder, times, datagram),
                    "a touch": latencies(client, folder, times, lambda: touch(screen, x, y)),
                }


if __name__ == "__main__":
    for name, found in measure().items():
        p50, p95 = np.percentile(found, (50, 95))
        print(f"{name}: {p50:.1f} ms, 95th percentile {p95:.1f} ms, of {len(found)}")
