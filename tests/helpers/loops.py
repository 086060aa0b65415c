"""What is heard of a loop while a real daemon plays, and what is rendered to compare it with."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import numpy as np
import soundfile
from numpy.typing import NDArray

from eutectic.client.sync import Client

RATE_HZ = 44_100
"""Of the daemon's device as of its model, so that what is heard is what is rendered."""

SEAM_FRAMES = 500
"""A loop's start is crossfaded with its end."""

numbers = itertools.count()


def heard(client: Client, what: Callable[[], None]) -> NDArray[np.float32]:
    """What is played meanwhile (frame, channel)."""
    client.request("/record/start", f"heard/{next(numbers)}")
    what()
    found = client.request("/record/stop").found
    return soundfile.read(found.path, dtype="float32")[0]


def rendered(client: Client, *values: int | float | str) -> NDArray[np.float32]:
    original, reference, *options = values
    name = f"rendered/{next(numbers)}"
    found = client.request("/render", original, reference, name, *options).found
    return soundfile.read(found.path, dtype="float32")[0]


def likeness(played: NDArray[np.float32], period: NDArray[np.float32]) -> float:
    """Correlation of a loop's period, without its seam, with what is played at the end."""
    one, other = played[-len(period) :, 0], period[:, 0]
    spectrum = np.fft.rfft(one) * np.conj(np.fft.rfft(other))
    starts = int(np.argmax(np.fft.irfft(spectrum)))
    one, other = np.roll(one, -starts)[SEAM_FRAMES:], other[SEAM_FRAMES:]
    return float(np.dot(one, other) / np.linalg.norm(one) / np.linalg.norm(other))


def a_turn(client: Client, seconds: float) -> NDArray[np.float32]:
    """What is played for as long as a loop, and a little longer."""
    return heard(client, lambda: time.sleep(seconds + 0.2))


def is_heard(client: Client, period: NDArray[np.float32]) -> bool:
    return likeness(a_turn(client, len(period) / RATE_HZ), period) > 0.999
