"""What a container's limits leave of the machine."""

import os
from pathlib import Path

import psutil
import pytest

from eutectic.system.limits import available_bytes, processors


@pytest.mark.parametrize(
    ("quota", "most"),
    [("100000 100000", 1), ("250000 100000", 2), ("50000 100000", 1), ("max 100000", None)],
)
def test_processors_are_those_of_the_machine_or_its_container(
    tmp_path: Path, quota: str, most: int | None
) -> None:
    (tmp_path / "cpu.max").write_text(quota + "\n")
    whole = processors(tmp_path / "none")
    assert 1 <= whole <= (os.cpu_count() or 1)
    assert processors(tmp_path) == (whole if most is None else min(whole, most))


def test_memory_is_what_the_container_has_left(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("1000000\n")
    assert available_bytes(tmp_path) == 2_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert 2_000_000 < available_bytes(tmp_path) <= psutil.virtual_memory().total
