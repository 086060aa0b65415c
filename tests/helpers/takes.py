"""What a JACK client plays while something is done, recorded so that it can be judged."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eutectic.experiments.live.jack_server import RATE_HZ, Recording

PERIOD = 1024
"""Frames, of the JACK servers of these tests: a machine held up for 20 ms still loses none."""

GAP_FRAMES = 128
"""A silence of so many frames in what sounds on is a gap."""

HELD_UP_SECONDS = 1.25 * PERIOD / RATE_HZ
"""A period as long as this shows that the machine was held up, whatever ran on it."""

TAKES = 12


def take(
    folder: Path,
    what: Callable[[], object],
    of: str = "PortAudio",
    before: Callable[[], object] = lambda: None,
    channels: int = 2,
) -> NDArray[np.float32]:
    """Record (frame, channel) while `what` runs; again, a while later, if the machine was held up.

    `before` is done before each take.

    Raises:
        AssertionError: it was in every take, so that nothing could be judged.
    """
    for failed in range(TAKES):
        time.sleep(failed)
        before()
        recording = Recording(of, folder, channels)
        recording.start()
        what()
        samples = recording.stop()
        if not recording.xruns and recording.longest_period < HELD_UP_SECONDS:
            return samples
    raise AssertionError(f"this machine was held up during each of {TAKES} takes")
