from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from eutectic.rendering.destination import TAKEN
from eutectic.rendering.journal import Index, KeySet, line
from eutectic.rendering.work import Row
from renders import key, row


def written(folder: Path, *journals: list[Row]) -> Index:
    paths = [folder / f"{number}.jsonl" for number in range(len(journals))]
    for path, rows in zip(paths, journals, strict=True):
        path.write_bytes(b"".join(map(line, rows)))
    return Index([*paths, folder / "gone.jsonl"])


def reasons(index: Index) -> list[str]:
    return [each.reason for each in index.rows(lambda _: True)]


def test_of_one_key_the_latest_counts_whichever_journal_it_is_in(tmp_path: Path) -> None:
    old = row("x.wav", at="2030-01-01T00:00:00+00:00", reason="old")
    new = row("x.wav", at="2030-01-02T00:00:00+00:00", reason="new")
    assert reasons(written(tmp_path, [old], [new])) == ["new"]
    assert reasons(written(tmp_path, [new], [old])) == ["new"]
    file = row("x.wav", at="2029-01-01T00:00:00+00:00")
    index = written(tmp_path, [old], [new, file])
    assert reasons(index) == [""], "one with a file comes first"
    gone = [each.reason for each in index.rows(lambda row: bool(row.reason))]
    assert gone == ["new"], "unless the file is gone"
    later = row("x.wav", at="2031-01-01T00:00:00+00:00")
    index = written(tmp_path, [later], [new])
    assert list(index.rows(lambda row: bool(row.reason))) == [], "the reason was overcome"


def test_a_row_that_another_had_the_name_withdraws_the_one_before(tmp_path: Path) -> None:
    claimed, withdrawn = row("x.wav"), row("x.wav", reason=TAKEN)
    assert reasons(written(tmp_path, [claimed, withdrawn])) == [TAKEN]
    assert reasons(written(tmp_path, [claimed], [withdrawn])) == [""]


def test_rows_come_in_the_order_that_is_asked_for_then_others_always_in_one_order(
    tmp_path: Path,
) -> None:
    rows = [row(f"{number}.wav") for number in range(500)]
    index = written(tmp_path, rows[::2], rows[1::2][::-1])
    asked = [each.key for each in rows[100:300][::-1]]
    with_strangers = [*asked[:50], key("stranger"), asked[3], *asked[50:]]
    found = [each.key for each in index.ordered(iter(with_strangers), lambda _: True)]
    assert found[:200] == asked
    assert sorted(found) == sorted(each.key for each in rows)
    other = written(tmp_path, rows[::-1])
    assert [each.key for each in other.ordered(asked, lambda _: True)] == found


def test_an_empty_journal_has_no_rows(tmp_path: Path) -> None:
    index = written(tmp_path, [])
    assert list(index.rows(lambda _: True)) == []
    assert list(index.ordered([key("x")], lambda _: True)) == []


def test_rows_are_read_from_more_journals_than_may_be_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eutectic.rendering.journal.MAX_OPEN", 3)
    rows = [row(f"{number}.wav") for number in range(40)]
    index = written(tmp_path, *([each] for each in rows))
    assert list(index.ordered([each.key for each in rows[::-1]], lambda _: True)) == rows[::-1]


def test_rows_are_not_held_in_memory(tmp_path: Path) -> None:
    count = 4000
    with (tmp_path / "rows.jsonl").open("wb") as file:
        for number in range(count):
            file.write(line(row(f"{number}.wav")))
    tracemalloc.start()
    index = Index([tmp_path / "rows.jsonl"])
    assert sum(1 for _ in index.rows(lambda _: True)) == count
    assert sum(1 for _ in index.ordered((key(f"{n}.wav") for n in range(count)), lambda _: True))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 400 * count  # bytes; measured 180


def test_a_set_of_keys_knows_which_are_in_it() -> None:
    found = KeySet(key(str(number)) for number in range(0, 2000, 2))
    assert len(found) == 1000
    assert all((key(str(number)) in found) == (number % 2 == 0) for number in range(2000))
    assert key("x") not in KeySet([])
