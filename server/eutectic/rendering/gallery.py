"""A page of all renders: one file of HTML that lies beside the sounds, and needs no network.

Its rows are the manifest's, in columns, so that thousands of them stay small; script and style are
in `page`. What a sound was made of is played, too, where it can be reached from the page: by its
way from the folder, and by its absolute path.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from eutectic.rendering.destination import Destination
from eutectic.rendering.work import Row

NAME = "gallery.html"

MOST = 100_000
"""Rows of a page; the manifest has all."""

MOST_AT_FIRST = 1000
"""Sounds that are first shown as a grid of originals and references."""

SCRIPTS = ("data", "player", "list", "grid", "map", "gallery")
"""In the order in which they are joined."""

UNSHOWN = {"key", "original_digest", "reference_digest", "model_digest", "learned", "digest",
           "size", "worker", "at"}  # fmt: skip

CHOSEN = {"recall", "slack", "cfg", "steps", "order", "solver", "eta", "strength", "model"}
"""Known once a model has made a sound: rows of what couldn't be made may lack it."""

DIGITS = {"from_original": 4, "from_reference": 4, "loudness": 2, "peak_db": 2, "gain_db": 2,
          "duration": 3, "seconds": 3}  # fmt: skip
"""Places of figures that are measured; settings are as they were given."""

Value = str | float | None


def save_gallery(destination: Destination, keys: Iterable[str], title: str) -> str:
    """Write the page of these keys' rows, in their order, and of earlier ones; returns its name.

    Raises:
        BadOutput: it can't be written.
    """
    rows = destination.ordered(keys)
    shown = list(itertools.islice(rows, MOST))
    left_out = sum(1 for _ in rows)
    return destination.write(NAME, _page(_data(shown, left_out, title, destination.folder)))


def _page(data: dict[str, Any]) -> Iterator[bytes]:
    page = resources.files("eutectic.rendering") / "page"
    script = "".join((page / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)
    text = (page / "gallery.html").read_text(encoding="utf-8")
    parts = {
        b"/*STYLE*/": (page / "gallery.css").read_bytes(),
        b"/*DATA*/": msgspec.json.encode(data).replace(b"<", rb"\u003c"),
        b"/*SCRIPT*/": script.encode(),
    }
    rest = text.encode()
    for mark, content in parts.items():
        before, _, rest = rest.partition(mark)
        yield before
        yield content
    yield rest


def _data(rows: Sequence[Row], left_out: int, title: str, folder: Path | None) -> dict[str, Any]:
    """What the page knows."""
    columns = {
        name: _column(_values(name, rows)) for name in Row.__struct_fields__ if name not in UNSHOWN
    }
    paths = {path for row in rows for path in (row.original, row.reference)}
    is_grid = all(
        len({getattr(row, name) for row in rows}) > 1 for name in ("original", "reference")
    )
    return {
        "title": title,
        "count": len(rows),
        "failed": sum(bool(row.reason) for row in rows),
        "left_out": left_out,
        "view": "grid" if is_grid and len(rows) <= MOST_AT_FIRST else "list",
        "columns": columns,
        "sources": {path: _addresses(path, folder) for path in sorted(paths)},
    }


def _rounded(name: str, value: Value) -> Value:
    return round(value, DIGITS[name]) if isinstance(value, float) and name in DIGITS else value


def _values(name: str, rows: Sequence[Row]) -> list[Value]:
    """Of all rows; what is the same for all that were made is so for the others, too."""
    values: list[Value] = [_rounded(name, getattr(row, name)) for row in rows]
    if name in CHOSEN:
        made = {value for row, value in zip(rows, values, strict=True) if not row.reason}
        if len(made) == 1 and {*values} <= {*made, None, ""}:
            return [*made] * len(values)
    return values


def _column(values: list[Value]) -> dict[str, Any]:
    """One value for all, numbers, or words of which each row has one."""
    different = list(dict.fromkeys(values))
    if len(different) <= 1:
        return {"value": different[0] if different else None}
    if len(different) > len(values) / 2 or not any(isinstance(each, str) for each in different):
        return {"list": values}
    places = {value: place for place, value in enumerate(different)}
    return {"words": different, "which": [places[value] for value in values]}


def _addresses(path: str, folder: Path | None) -> list[str]:
    """Where a page in a folder may find a sound file."""
    file = Path(path).expanduser()
    if not file.is_absolute():
        return []
    found = [file.as_uri()]
    if folder is not None:
        try:
            way = Path(os.path.relpath(file, folder))
        except ValueError:  # on another drive
            return found
        found.insert(0, quote(way.as_posix()))
    return found
