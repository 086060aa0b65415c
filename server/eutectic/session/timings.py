"""How long things took, of late: percentiles for the status."""

from __future__ import annotations

from collections import deque

import numpy as np

KEPT = 1024
"""The newest values of each stage."""


class Timings:
    """Milliseconds by stage."""

    def __init__(self) -> None:
        self._stages: dict[str, deque[float]] = {}

    def add(self, stage: str, milliseconds: float) -> None:
        """Take a value into account."""
        self._stages.setdefault(stage, deque(maxlen=KEPT)).append(milliseconds)

    def lines(self) -> list[tuple[str, str]]:
        """Stage and its percentiles, in words."""
        return [
            (stage, f"p50 {np.percentile(values, 50):.1f} ms, "
                    f"p95 {np.percentile(values, 95):.1f} ms of {len(values)}")
            for stage, values in self._stages.items()
        ]  # fmt: skip
