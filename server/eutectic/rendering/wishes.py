"""What is wanted, in a user's own words: from the command line, or from a TOML or CSV list.

A wish is each of some originals with each of some references, at all settings that it names. Lists
are read one wish at a time, so that they may be long.
"""

from __future__ import annotations

import csv
import glob
import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import msgspec

from eutectic.errors import BadInput, BadInputs, BadSetting
from eutectic.files import toml
from eutectic.files.toml import BadState
from eutectic.fusion_options import SAMPLING, Options, checked
from eutectic.near import nearest
from eutectic.rendering.work import Row

AXES = {"blends": "blend", "recalls": "recall", "seeds": "seed"}
"""Numbers of which a wish may name several, and the options that they are."""

OPTIONS = frozenset(SAMPLING) - {"seed", "recall"} | {"level", "remaining"}
SECTIONS = ("original_start", "original_duration", "reference_start", "reference_duration")
"""Where a wish's sections begin and how long they are, in seconds."""

TEXTS = {"negative", "solver", "residual", "level"}
"""Options that are words."""

DECIMALS = {"blends", "recalls", *SECTIONS, *OPTIONS} - TEXTS
"""Columns whose numbers may have a fraction."""

KEYS = ("originals", "references", "presets", *AXES, "prompt", "lora", *SECTIONS, *sorted(OPTIONS))
PLURALS = {name.removesuffix("s"): name for name in ("originals", "references", "presets", *AXES)}
RESULTS = frozenset(Row.__struct_fields__) - {*KEYS, *PLURALS}
"""Columns of a manifest that say what came of it; a list may have them, and they are ignored."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Texts that start so are formulas to spreadsheets; in CSV they have an apostrophe before them."""

MOST_SEEDS = 100_000
"""Of one range."""

MOST_MISTAKES = 20
"""Of a list, that are named."""


LineOf = Callable[[str], int]
"""The line of a key."""


class Wish(msgspec.Struct, frozen=True):
    """Originals and references by path, folder or pattern, and settings.

    Where it has no blends, recalls or seeds, its presets have them, or else the defaults hold. Its
    options go before a preset's. `where`: file and line, or nothing for the command line. Starts
    and durations are in seconds; None: to the end.
    """

    originals: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    blends: tuple[float, ...] = ()
    recalls: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()
    options: Options = {}
    prompt: str | None = None
    lora: str | None = None
    original_start: float = 0.0
    original_duration: float | None = None
    reference_start: float = 0.0
    reference_duration: float | None = None
    where: str = ""


class _List(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    render: list[dict[str, Any]]


class Wrong(BadSetting):
    """A value that can't be used, and the key that it has."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(f"{key} {text}")
        self.key = key


def read_list(path: Path, base: Wish) -> Iterator[Wish]:
    """The wishes of a list; `base` holds wherever one says nothing.

    Raises:
        BadState: it is no TOML or CSV file.
        BadInputs: lines that can't be used, each with file, line and key.
    """
    if path.suffix.lower() not in (".toml", ".csv", ".tsv"):
        raise BadState(f"{path}: lists are .toml or .csv files; sounds are named with --original")
    lines = _tables(path) if path.suffix.lower() == ".toml" else _rows(path)
    mistakes: list[BadInput] = []
    for line_of, values in lines:
        try:
            wish = _wish(values, base, path)
        except Wrong as wrong:
            what = str(wrong).removeprefix(f"{wrong.key} ")
            mistakes.append(BadState(f"{path}:{line_of(wrong.key)}: {wrong.key}: {what}"))
            if len(mistakes) == MOST_MISTAKES:
                break
            continue
        if not mistakes:
            yield msgspec.structs.replace(wish, where=f"{path}:{line_of('')}")
    if mistakes:
        raise BadInputs(mistakes)


def _tables(path: Path) -> Iterator[tuple[LineOf, Mapping[str, Any]]]:
    """The tables of a TOML file, and a function from a key to its line."""
    found = toml.read(path, _List)
    text = path.read_text(encoding="utf-8")
    for number, table in enumerate(found.render):
        yield partial(toml.line_of, text, (f"render[{number}]",)), table


def _rows(path: Path) -> Iterator[tuple[LineOf, Mapping[str, Any]]]:
    """The rows of a CSV file, and a function from a key to its line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            delimiter = _delimiter(head)
            reader = csv.reader(file, delimiter=delimiter)
            columns = [each.strip().lower() for each in next(reader, [])]
            _check_columns(path, columns)
            for row in reader:
                if len(row) > len(columns):
                    raise BadState(
                        f"{path}:{reader.line_num}: has {len(row)} cells, where there are "
                        f"{len(columns)} columns"
                    )
                cells = zip(columns, row, strict=False)
                values = {name: _plain(cell) for name, cell in cells if cell.strip()}
                is_result = RESULTS | ({"remaining"} if "key" in columns else set[str]())
                values = {name: each for name, each in values.items() if name not in is_result}
                if delimiter == ";":
                    values = {name: _with_point(name, each) for name, each in values.items()}
                if values:
                    yield partial(_same, reader.line_num), values
    except OSError as error:
        raise BadState(f"{path}: can't be read ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadState(f"{path}: isn't a CSV file in UTF-8 ({error})") from None


def _with_point(name: str, cell: str) -> str:
    """A cell of a spreadsheet that divides its columns by semicolons, as it writes 0,5."""
    is_decimal = _key(name) in DECIMALS and "." not in cell
    return cell.replace(",", ".") if is_decimal else cell


def _plain(cell: str) -> str:
    """A cell's text, without what a manifest has before what looks like a formula."""
    text = cell.strip()
    return text[1:] if text[0] == "'" and text[1:].startswith(FORMULA) else text


def _same(line: int, _key: str) -> int:
    """The line of every key of a row."""
    return line


def _delimiter(head: str) -> str:
    """What a file's columns are divided by: spreadsheets of some countries write semicolons."""
    return max(",;\t", key=head.count)


def _check_columns(path: Path, columns: list[str]) -> None:
    keys = list(map(_key, columns))
    for number, (name, key) in enumerate(zip(columns, keys, strict=True), 1):
        if key not in KEYS and key not in RESULTS:
            shown = name or f"column {number}"
            raise BadState(f"{path}:1: {shown}: unknown column{_near(name)}")
        if keys.count(key) > 1:
            raise BadState(f"{path}:1: {name}: comes twice")


def _near(name: str) -> str:
    return nearest(name, (*KEYS, *PLURALS)) or f"; there are: {', '.join(KEYS)}"


def _key(name: str) -> str:
    """A key as this program has it: one value is as good as several."""
    return PLURALS.get(name, name)


def _wish(values: Mapping[str, Any], base: Wish, path: Path) -> Wish:
    """A table or a row as a wish.

    Raises:
        Wrong: a value can't be used.
    """
    found: dict[str, Any] = {}
    options = dict(base.options)
    for name, value in values.items():
        key = _key(name)
        if key in OPTIONS:
            if key == "remaining":
                found["blends"] = ()
            options |= _option(name, key, value)
        elif key in AXES:
            found[key] = _axis_of_text(name, value) if isinstance(value, str) else axis(name, value)
            options.pop("remaining", None) if key == "blends" else None
        elif key in ("originals", "references"):
            found[key] = tuple(_beside(path, each) for each in _texts(name, value))
        elif key == "presets":
            texts = _texts(name, value)
            found[key] = texts if isinstance(value, list) else tuple(_several(*texts))
        elif key in SECTIONS:
            found[key] = _seconds(name, value, key.endswith("start"))
        elif key == "prompt":
            (found[key],) = _texts(name, [value])
        elif key == "lora":
            (text,) = _texts(name, [value])
            found[key] = beside if Path(beside := _beside(path, text)).exists() else text
        else:
            raise Wrong(name, f"unknown{_near(name)}")
    for key in ("originals", "references"):
        if not (found.get(key) or getattr(base, key)):
            raise Wrong(key, f"is missing; --{key.removesuffix('s')} names some for all")
    return msgspec.structs.replace(base, **found, options=options)


def axis(name: str, value: Any) -> tuple[Any, ...]:
    """The numbers of `blends`, `recalls` or `seeds`, each once; 3-7 are the seeds from 3 to 7.

    Raises:
        Wrong: one can't be used.
    """
    key = AXES[_key(name)]
    numbers: dict[Any, None] = {}
    for each in _several(value):
        span = re.fullmatch(r"(\d{1,10})-(\d{1,10})", each) if isinstance(each, str) else None
        if span is None or key != "seed":
            numbers |= dict.fromkeys(_option(name, key, each).values())
            continue
        first, last = (_option(name, key, text)[key] for text in span.groups())
        if not 0 <= int(last) - int(first) < MOST_SEEDS:
            raise Wrong(name, f"must rise, {MOST_SEEDS} at most, not {each}")
        numbers |= dict.fromkeys(range(int(first), int(last) + 1))
    if not numbers:
        raise Wrong(name, "is empty")
    return tuple(numbers)


_axis_of_text = lru_cache(1 << 12)(axis)
"""Rows of a list have few different cells."""


def _option(name: str, key: str, value: Any) -> Options:
    """An option of fusions, checked."""
    try:
        return checked({key: _number(value) if key not in TEXTS else str(value)})
    except ValueError as error:
        raise Wrong(name, str(error).removeprefix(f"{key} ")) from None


def _number(value: Any) -> Any:
    """A cell's number; what isn't one stays as it is, to be refused."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value


def _several(value: Any) -> list[Any]:
    """One value or many: a list, or a cell with commas, semicolons or spaces between them."""
    if isinstance(value, str):
        return [each for each in re.split(r"[,;\s]+", value) if each]
    return list(value) if isinstance(value, list) else [value]


def _texts(name: str, value: Any) -> tuple[str, ...]:
    texts = list(value) if isinstance(value, list) else [value]
    for each in texts:
        if not isinstance(each, str) or not each.strip() or "\0" in each:
            raise Wrong(name, f"must be text, not {each!r}")
    return tuple(texts)


def _beside(path: Path, text: str) -> str:
    """A path or pattern of a list, which starts from the list's folder."""
    named = os.path.expanduser(text)  # noqa: PTH111  # a pattern is no path
    is_pattern = glob.has_magic(named) and not (path.parent / named).exists()
    folder = str(path.parent)
    return os.path.join(glob.escape(folder) if is_pattern else folder, named)  # noqa: PTH118


def _seconds(name: str, value: Any, may_be_zero: bool) -> float:
    seconds = _number(value)
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not 0 <= seconds < 86_400 or not (seconds or may_be_zero):
        low = "0 or more" if may_be_zero else "more than 0"
        raise Wrong(name, f"must be seconds, {low}, not {value!r}")
    return float(seconds)
