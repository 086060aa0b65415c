from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

import pytest

import renders
from eutectic.errors import BadInput
from eutectic.rendering.local import LocalFolder
from eutectic.rendering.manifest import COLUMNS, VARYING, save_manifest
from eutectic.rendering.work import Row
from renders import key, plan, row


def rendered(path: Path, names: list[str]) -> LocalFolder:
    folder = LocalFolder(path)
    renders.render(folder, iter(names), "worker")
    return folder


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_csv_has_every_column_in_the_plans_order_and_opens_in_a_spreadsheet(tmp_path: Path) -> None:
    names = list(plan(30))
    folder = rendered(tmp_path, names[::-1])
    assert save_manifest(folder, map(key, names), "csv") == "manifest.csv"
    found = lines(tmp_path / "manifest.csv")
    assert [each["name"] for each in found] == names
    assert (tmp_path / "manifest.csv").read_bytes().startswith(b"\xef\xbb\xbfname,")
    assert set(COLUMNS) == set(Row.__struct_fields__)
    assert list(found[0]) == list(COLUMNS)
    assert found[0]["original"] == "/sounds/Größe.wav"
    assert float(found[0]["from_original"]) == 1 / 3, "to the bit"
    assert found[0]["recall"] == ""
    assert {each["name"]: each["reason"] for each in found if each["reason"]} == {
        name: "it is silent" for name in names if renders.bad(name)
    }


def test_what_a_spreadsheet_would_calculate_is_text(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    sink = folder.sink("w")
    sink.put(row("x.wav", reason="bad", prompt="=1+1", negative="-kick"), None, None)
    save_manifest(folder, [], "csv")
    (found,) = lines(tmp_path / "manifest.csv")
    assert (found["prompt"], found["negative"]) == ("'=1+1", "'-kick")


def test_manifests_of_two_runs_differ_only_in_their_last_columns(tmp_path: Path) -> None:
    names = list(plan(20))
    whole = rendered(tmp_path / "whole", names)
    parts = rendered(tmp_path / "parts", names[10:])
    renders.render(parts, iter(names), "another")
    found = []
    for folder in (whole, parts):
        save_manifest(folder, map(key, names), "csv")
        assert folder.folder is not None
        found.append((folder.folder / "manifest.csv").read_text(encoding="utf-8").splitlines())
    assert all(column in COLUMNS[-3:] for column in VARYING)
    same = [[each.rsplit(",", 3)[0] for each in text] for text in found]
    assert same[0] == same[1]
    assert found[0] != found[1]


def test_rows_of_an_earlier_plan_stay_in_the_manifest(tmp_path: Path) -> None:
    names = list(plan(20))
    folder = rendered(tmp_path, names)
    save_manifest(folder, map(key, names[5:8]), "csv")
    found = [each["name"] for each in lines(tmp_path / "manifest.csv")]
    assert found[:3] == names[5:8]
    assert sorted(found) == sorted(names)


def test_parquet_has_the_same_rows_with_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyarrow import parquet

    monkeypatch.setattr("eutectic.rendering.manifest.ROWS", 8)
    names = list(plan(20))
    folder = rendered(tmp_path, names)
    assert save_manifest(folder, map(key, names), "parquet") == "manifest.parquet"
    table = parquet.read_table(tmp_path / "manifest.parquet")
    rows = [Row(**each) for each in table.to_pylist()]
    assert rows == list(folder.ordered(map(key, names)))
    assert table.column_names == list(COLUMNS)
    assert [str(table.schema.field(name).type) for name in ("name", "seed", "blend", "recall")] == [
        "string", "int64", "double", "double",
    ]  # fmt: skip


def test_without_pyarrow_it_says_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BadInput, match=r"pip install 'eutectic\[parquet\]'"):
        save_manifest(LocalFolder(Path("unused")), [], "parquet")
