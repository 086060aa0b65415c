"""A run of simulated workers is planned and handed out as a real one is."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from eutectic.experiments.speed import planned


@pytest.mark.process
def test_every_fusion_that_is_planned_comes_back_and_memory_does_not_grow_with_them() -> None:
    def run(count: int) -> dict[str, float]:
        words = [sys.executable, "-m", planned.MODULE, str(count), "processes", "1"]
        return json.loads(subprocess.run(words, capture_output=True, check=True).stdout)

    few, many = run(1000), run(20_000)
    assert (few["count"], many["count"]) == (1000, 20_000)
    assert (many["peak_bytes"] - few["peak_bytes"]) / 19_000 < 200  # 18 with a million
