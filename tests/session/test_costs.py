"""What a fusion is expected to take: from fusions of the same engine, where that is."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from eutectic.session.costs import Case, Costs

HERE = Case("digest", 0, 1.0, 2.0, False, False)
THERE = msgspec.structs.replace(HERE, where="studio.local:9730")


def test_an_engine_on_another_machine_has_times_of_its_own(tmp_path: Path) -> None:
    costs = Costs(tmp_path / "costs.json")
    costs.add(HERE, 400.0)
    assert costs.expected_ms(THERE, 0) is None
    costs.add(THERE, 30.0)
    assert (costs.expected_ms(HERE, 0), costs.expected_ms(THERE, 0)) == (400.0, 30.0)
    costs.close()
    again = Costs(tmp_path / "costs.json")
    assert (again.expected_ms(HERE, 0), again.expected_ms(THERE, 0)) == (400.0, 30.0)


def test_times_that_were_kept_before_there_were_other_machines_are_this_one_s(
    tmp_path: Path,
) -> None:
    kept = msgspec.to_builtins(HERE)
    del kept["where"]
    path = tmp_path / "costs.json"
    path.write_text(json.dumps([{"case": kept, "ms": 250.0}]))
    assert Costs(path).expected_ms(HERE, 0) == 250.0
