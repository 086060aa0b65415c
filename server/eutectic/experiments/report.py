"""Figures as tables: text for the terminal, plain values for JSON, and a file to go on from."""

from __future__ import annotations

import csv
import json
import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eutectic.files.atomic import atomic_path

Cell = str | int | float
"""Not a number: there is no such figure."""

Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """Rows of figures under columns whose names say the unit, and sentences on them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"{self.title}: a row doesn't fit the columns")

    def column(self, name: str) -> tuple[Cell, ...]:
        """The cells under a name."""
        place = self.columns.index(name)
        return tuple(row[place] for row in self.rows)

    def lines(self) -> list[str]:
        """As text: the first column to the left, figures to the right."""
        texts = [self.columns, *(tuple(_text(cell) for cell in row) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
        body = [
            "  ".join(
                text.rjust(width) if place else text.ljust(width)
                for place, (text, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in texts
        ]
        return [self.title, *body, *self.notes]

    def values(self) -> dict[str, Any]:
        """As what JSON can hold."""
        rows = [
            {
                name: None if _is_missing(cell) else cell
                for name, cell in zip(self.columns, row, strict=True)
            }
            for row in self.rows
        ]
        return {"title": self.title, "rows": rows, "notes": list(self.notes)}


def save(path: Path, values: dict[str, Any]) -> None:
    """Write as JSON, whole or not at all.

    Raises:
        BadOutput: it can't be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def save_csv(table: Table, path: Path) -> None:
    """Write as CSV, whole or not at all: the columns' names, then a line a row.

    Raises:
        BadOutput: it can't be written.
    """
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.columns)
        writer.writerows(table.rows)


def median_row(name: str, rows: Sequence[Row]) -> Row:
    """The medians of the rows' figures; nothing under columns of words."""
    return (name, *(median(cells) for cells in list(zip(*rows, strict=True))[1:]))


def median(cells: Iterable[Cell]) -> float:
    """Of the figures among the cells; not a number where there are none."""
    figures = [cell for cell in cells if not isinstance(cell, str) and math.isfinite(cell)]
    return float(statistics.median(figures)) if figures else math.nan


def _is_missing(cell: Cell) -> bool:
    return isinstance(cell, float) and not math.isfinite(cell)


def _text(cell: Cell) -> str:
    if _is_missing(cell):
        return "–"
    if isinstance(cell, float):
        return f"{cell:.0f}" if abs(cell) >= 1000 else f"{cell:.3g}"
    return str(cell)


class Ledger:
    """Figures by key, each a line of JSON in a file as soon as it is known.

    What takes minutes is asked for through it, so a run that was cut off goes on. Without a
    path nothing is kept.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, dict[str, Any]] = {}
        if path is None or not path.exists():
            return
        text = path.read_text()
        if text and not text.endswith("\n"):  # torn when a run was cut off
            with path.open("a") as file:
                file.write("\n")
        for entry in filter(None, map(_parsed, text.splitlines())):
            self._known[entry["key"]] = entry["figures"]

    def get(self, make: Callable[[], dict[str, Any]], **parts: Any) -> dict[str, Any]:
        """The figures under the key made of `parts`, made now where they aren't known."""
        known = self.find(**parts)
        if known is None:
            known = make()
            self.put(known, **parts)
        return known

    def find(self, **parts: Any) -> dict[str, Any] | None:
        """The figures under the key made of `parts`, where they are known."""
        return self._known.get(_key(parts))

    def put(self, figures: dict[str, Any], **parts: Any) -> None:
        """Keep figures, in place of what was known under their key."""
        key = _key(parts)
        self._known[key] = figures
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps({"key": key, "figures": figures}) + "\n")


def _key(parts: dict[str, Any]) -> str:
    return json.dumps(parts, sort_keys=True)


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
        return {"key": str(entry["key"]), "figures": dict(entry["figures"])}
    except (ValueError, KeyError, TypeError):
        return None
