"""Manifests: one line for each sound that was asked for, as CSV or Parquet, in the plan's order.

They are written from the journals, a few rows at a time. Whoever made the sounds, on however many
machines, a manifest is the same but for its last three columns.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import itertools
import operator
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_args, get_type_hints

from eutectic.errors import BadInput
from eutectic.rendering.destination import Destination
from eutectic.rendering.wishes import FORMULA
from eutectic.rendering.work import Row

Form = Literal["csv", "parquet"]

VARYING = ("seconds", "worker", "at")
"""Columns that differ from run to run."""

COLUMNS = (
    *(name for name in Row.__struct_fields__ if name not in ("key", *VARYING)), "key", *VARYING,
)  # fmt: skip

ROWS = 16_384
"""That are held at once: a row group of Parquet."""

PIECE_BYTES = 1 << 20

_TEXTS = [COLUMNS.index(name) for name in (
    "name", "reason", "original", "reference", "prompt", "preset", "negative", "model", "worker",
)]  # fmt: skip
_values = operator.attrgetter(*COLUMNS)


def check_form(form: Form) -> None:
    """Check that manifests of this form can be written.

    Raises:
        BadInput: a package that it needs isn't installed.
    """
    if form == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise BadInput(
            "a Parquet manifest needs pyarrow: pip install 'eutectic[parquet]'; or choose csv"
        )


def save_manifest(destination: Destination, keys: Iterable[str], form: Form) -> str:
    """Write the rows of these keys, in their order, then those of earlier plans; returns the name.

    Raises:
        BadOutput: it can't be written.
        BadInput: as `check_form`.
    """
    check_form(form)
    rows = destination.ordered(keys)
    content = _csv(rows) if form == "csv" else _parquet(rows)
    return destination.write(f"manifest.{form}", content)


def _csv(rows: Iterator[Row]) -> Iterator[bytes]:
    """Lines of CSV; the mark in front tells spreadsheets that it is UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    yield b"\xef\xbb\xbf"
    writer.writerow(COLUMNS)
    while chunk := list(itertools.islice(rows, ROWS)):
        writer.writerows(map(_cells, chunk))
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


def _cells(row: Row) -> list[str | float | None]:
    cells = list(_values(row))
    for place in _TEXTS:
        text = cells[place]
        if text and text.startswith(FORMULA):
            cells[place] = f"'{text}"
    return cells


def _parquet(rows: Iterator[Row]) -> Iterator[bytes]:
    import pyarrow
    from pyarrow import parquet

    schema = pyarrow.schema([(name, _type(name)) for name in COLUMNS])
    with tempfile.TemporaryFile() as file:
        with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            while chunk := list(itertools.islice(rows, ROWS)):
                columns = {name: [getattr(row, name) for row in chunk] for name in COLUMNS}
                writer.write_table(pyarrow.table(columns, schema=schema))
        file.seek(0)
        while piece := file.read(PIECE_BYTES):
            yield piece


def _type(column: str) -> Any:
    """Parquet's type of a column."""
    import pyarrow

    hint = get_type_hints(Row)[column]
    known = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
    return next(known[each] for each in (hint, *get_args(hint)) if each in known)
