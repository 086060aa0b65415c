from __future__ import annotations

from pathlib import Path

import pytest

from eutectic.errors import BadOutput
from eutectic.files.lines import LineWriter


def test_lines_are_written_in_order_and_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "show.jsonl"
    writer = LineWriter(path)
    for number in range(1000):
        writer.put(f"{number}\n")
    writer.close()
    assert path.read_text() == "".join(f"{number}\n" for number in range(1000))
    with pytest.raises(BadOutput, match="exists"):
        LineWriter(path)
    with pytest.raises(BadOutput, match="can't be written"):
        LineWriter(tmp_path / "nowhere" / "show.jsonl")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_ends_it_with_one_line(tmp_path: Path) -> None:
    path = tmp_path / "show.jsonl"
    writer = LineWriter(path)
    writer._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115
    for _ in range(3):
        writer.put("more\n")
    writer.close()
    assert writer.error is not None and str(path) in writer.error
