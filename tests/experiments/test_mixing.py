"""What mixing costs, as `bench --live` tells it."""

from __future__ import annotations

import pytest

from eutectic.experiments.live import mixing


def test_each_case_is_told_with_its_cost_and_four_sounds_beside_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mixing, "BLOCKS", 20)
    table = mixing.measure()
    assert [str(name).split(",")[0] for name in table.column("")] == [
        "one sound", "two sounds", "four sounds", "two sounds", "four sounds",
        *("64 notes on 4 voices" for _ in mixing.HOWS),
    ]  # fmt: skip
    assert all(float(cost) > 0 for cost in table.column("p50 µs"))
    assert "four sounds take what two do" in table.notes[0]
