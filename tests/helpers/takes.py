"""What a JACK client plays while something is done, recorded so that it can be judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eutectic.experiments.live.jack_server import Recording

PERIOD = 1024
"""Frames, of the JACK servers of these tests: a machine held up for 20 ms still loses none."""

GAP_FRAMES = 128
"""A silence of so many frames in what sounds on is a gap."""

TAKES = 10


def take(
    folder: Path,
    what: Callable[[], object],
    of: str = "PortAudio",
    before: Callable[[], object] = lambda: None,
) -> NDArray[np.float32]:
    """Record (frame, 2) while `what` runs; taken again where JACK itself lost a period.

    `before` is done before each take.

    Raises:
        AssertionError: it lost one in every take, so that nothing could be judged.
    """
    for _ in range(TAKES):
        before()
        recording = Recording(of, folder)
        recording.start()
        what()
        samples = recording.stop()
        if not recording.xruns:
            return samples
    raise AssertionError(f"JACK itself lost periods in {TAKES} takes: this machine is held up")
