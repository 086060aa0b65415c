"""A touch of the page is heard, recorded through JACK."""

import numpy as np
import pytest

from touch_latency import measure

pytestmark = pytest.mark.realtime


def test_a_touch_is_heard_little_later_than_a_datagram() -> None:
    """Measured: 50 and 41 ms."""
    found = measure(times=20)
    assert np.median(found["a touch"]) < 1.6 * np.median(found["a datagram"])
