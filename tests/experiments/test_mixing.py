"""What mixing costs, as `bench --live` tells it."""

from __future__ import annotations

import pytest

from eutectic.experiments.live import mixing


def test_more_sounds_are_said_to_cost_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixing, "BLOCKS", 200)
    table = mixing.measure()
    one, two, four, *_ = (float(cost) for cost in table.column("p50 µs"))
    assert one < two < four
    assert "four sounds take what two do" in table.notes[0]
