"""How long things took recently: percentiles for the status."""

from __future__ import annotations

import math
from collections import deque

KEPT = 1024
"""The newest values of each stage."""


class Timings:
    """Milliseconds by stage."""

    def __init__(self) -> None:
        self._stages: dict[str, deque[float]] = {}

    def add(self, stage: str, milliseconds: float) -> None:
        """Add a value."""
        self._stages.setdefault(stage, deque(maxlen=KEPT)).append(milliseconds)

    def lines(self) -> list[tuple[str, str]]:
        """Each stage and its percentiles, in words."""
        return [
            (stage, f"p50 {_percentile(values, 50):.1f} ms, p95 {_percentile(values, 95):.1f} ms "
                    f"of {len(values)}")
            for stage, values in self._stages.items()
        ]  # fmt: skip


def _percentile(values: deque[float], percent: int) -> float:
    """The nearest rank; NumPy's would import a module of 60 ms while the music plays."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]
