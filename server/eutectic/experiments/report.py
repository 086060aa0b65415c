"""Tables of figures, as text and JSON, and a ledger from which an interrupted run resumes."""

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
"""NaN stands for a missing figure."""

Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """Rows of figures under columns whose names give the unit, with notes."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"{self.title}: a row doesn't fit the columns")

    def column(self, name: str) -> tuple[Cell, ...]:
        """The cells of the column of this name."""
        place = self.columns.index(name)
        return tuple(row[place] for row in self.rows)

    def lines(self) -> list[str]:
        """The table as lines of text: words left-aligned, columns of figures right-aligned."""
        columns = map(self._aligned, range(len(self.columns)))
        body = ["  ".join(row).rstrip() for row in zip(*columns, strict=True)]
        return [self.title, *body, *self.notes]

    def _aligned(self, place: int) -> list[str]:
        """A column's name and cells, equally wide; the first is taken for words."""
        cells = [row[place] for row in self.rows]
        texts = [self.columns[place], *map(_text, cells)]
        width = max(map(len, texts))
        is_words = not place or all(isinstance(cell, str) for cell in cells)
        return [text.ljust(width) if is_words else text.rjust(width) for text in texts]

    def values(self) -> dict[str, Any]:
        """The table as values for JSON."""
        rows = [
            {
                name: None if _is_missing(cell) else cell
                for name, cell in zip(self.columns, row, strict=True)
            }
            for row in self.rows
        ]
        return {"title": self.title, "rows": rows, "notes": list(self.notes)}


def save(path: Path, values: dict[str, Any]) -> None:
    """Write values as JSON, atomically.

    Raises:
        BadOutput: it can't be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def save_csv(table: Table, path: Path) -> None:
    """Write a table as CSV, atomically: the column names, then a line for each row.

    Raises:
        BadOutput: it can't be written.
    """
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.columns)
        writer.writerows(table.rows)


def rank_correlation(x: list[float], y: list[float]) -> float:
    """Spearman's rank correlation."""
    from scipy.stats import spearmanr

    result: Any = spearmanr(x, y)
    return float(result.statistic)


def median_row(name: str, rows: Sequence[Row]) -> Row:
    """The medians of the columns; NaN for columns of words."""
    return (name, *(median(cells) for cells in list(zip(*rows, strict=True))[1:]))


def median(cells: Iterable[Cell]) -> float:
    """The median of the figures among the cells; NaN if there are none."""
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
    """Figures by key, each written to a file as a line of JSON as soon as it is known.

    It caches what takes minutes, so that an interrupted run resumes. Without a path nothing is
    written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, dict[str, Any]] = {}
        if path is None or not path.exists():
            return
        text = path.read_text()
        if text and not text.endswith("\n"):  # a line torn by an interruption
            with path.open("a") as file:
                file.write("\n")
        for entry in filter(None, map(_parsed, text.splitlines())):
            self._known[entry["key"]] = entry["figures"]

    def get(self, make: Callable[[], dict[str, Any]], **parts: Any) -> dict[str, Any]:
        """The figures under the key `parts`, made now unless they are known."""
        known = self.find(**parts)
        if known is None:
            known = make()
            self.put(known, **parts)
        return known

    def find(self, **parts: Any) -> dict[str, Any] | None:
        """The figures under the key `parts`, or None."""
        return self._known.get(_key(parts))

    def put(self, figures: dict[str, Any], **parts: Any) -> None:
        """Store figures, replacing earlier ones under their key."""
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
