"""TOML files that people edit: read and checked, or refused with file, line and key."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import tomli_w

from eutectic.errors import BadInput, BadOutput
from eutectic.files.atomic import atomic_path, whole_files

FORMAT = 1

_one_at_a_time = threading.Lock()
"""msgspec 0.22 crashes when two threads decode a type for the first time at once."""


class BadState(BadInput):
    """A session, preset or controller map that is missing or invalid."""

    code = "bad_state"


Kind = TypeVar("Kind", bound=msgspec.Struct)


def read(path: Path, kind: type[Kind]) -> Kind:
    """Read a file as `kind`, which has a field `format`.

    Raises:
        BadState: it can't be read, has another version, or doesn't match `kind`; the text names the
            file and, where possible, line and key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadState(f"{path}: can't be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise BadState(f"{path}: isn't UTF-8 text ({error.reason})") from None
    try:
        with _one_at_a_time:
            found = msgspec.toml.decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise BadState(_located(path, text, str(error))) from None
    except RecursionError:
        raise BadState(f"{path}: invalid (nested too deeply)") from None
    except (ValueError, BadInput) as error:  # not TOML, or rejected by a type's own checks
        raise BadState(f"{path}: invalid ({error})") from None
    if getattr(found, "format", FORMAT) != FORMAT:
        raise BadState(f"{path}:{line_of(text, (), 'format')}: format: unsupported version")
    return found


def find(name: str, folders: tuple[Path, ...]) -> Path:
    """A file's path, given that or its name without `.toml`; the first folder that has it wins.

    Raises:
        BadState: no folder has it; the text lists what they have.
    """
    if name.endswith(".toml"):
        return Path(name)
    for folder in folders:
        if (folder / f"{name}.toml").exists():
            return folder / f"{name}.toml"
    names = sorted({path.stem for folder in folders for path in whole_files(folder, ".toml")})
    raise BadState(f"{name!r} not found; available: {', '.join(names)}")


def stamp_of(path: Path) -> tuple[int, int]:
    """Changes whenever the file does (time in ns, bytes); zeros if it is missing."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def write(path: Path, value: msgspec.Struct) -> None:
    """Write a file atomically; the previous version is kept beside it, with a ~.

    Raises:
        BadOutput: it can't be written.
    """
    written = text(value)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            with atomic_path(path.with_name(path.name + "~")) as before:
                before.write_bytes(path.read_bytes())
        with atomic_path(path) as temporary:
            temporary.write_text(written, encoding="utf-8")
    except OSError as error:
        raise BadOutput(f"{path}: can't be written ({error.strerror})") from None


def text(value: msgspec.Struct) -> str:
    """A value as TOML; what is None is left out."""
    return tomli_w.dumps(_without_none(msgspec.to_builtins(value)))


def fault(path: Path, tables: tuple[str, ...], key: str, what: str) -> BadState:
    """The error for an invalid value of the right type; without a key, for its whole table."""
    try:
        line = line_of(path.read_text(encoding="utf-8"), tables, key)
    except (OSError, ValueError):  # deleted or changed meanwhile
        line = 1
    return BadState(f"{path}:{line}: {key or '.'.join(tables)}: {what.removeprefix(f'{key} ')}")


def _located(path: Path, text: str, error: str) -> str:
    """msgspec's message, with the line of the key it concerns."""
    what, _, where = error.partition(" - at `$")
    tables, key = _place(where.rstrip("`"))
    named = re.search(r"field `([^`]+)`", what)
    if named is not None:
        tables, key = ((*tables, key) if key else tables), named[1]
    line = line_of(text, tables, key)
    what = what.replace("Object contains unknown field", "unknown field").replace("Object m", "m")
    return f"{path}:{line}: {key}: {what[0].lower()}{what[1:]}"


def _place(path: str) -> tuple[tuple[str, ...], str]:
    """Tables and key of msgspec's path: `("voices[0]",)` and `pan` for `.voices[0].pan`."""
    names = tuple(re.findall(r"\.(\w+(?:\[\d+\])?)", path))
    return (names[:-1], names[-1]) if names else ((), "")


def line_of(text: str, tables: tuple[str, ...], key: str) -> int:
    """Line, from 1, of a key in a table like `("voices[0]",)`; without that key, the table's."""
    table, counts, found = "", dict[str, int](), 1
    target = ".".join(name.removesuffix("[0]") for name in tables)
    inside = not target
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[(\[?)([\w.\- ]+)\]", line)
        if header is not None:
            table = header[2].strip()
            if header[1]:
                counts[table] = counts.get(table, -1) + 1
                table += f"[{counts[table]}]" if counts[table] else ""
            inside = table == target
            found = number if inside or table == key else found
        elif inside and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return number
    return found


def _without_none(value: Any) -> Any:
    """The value without its None entries: TOML has no null."""
    if isinstance(value, dict):
        return {name: _without_none(each) for name, each in value.items() if each is not None}
    return [_without_none(each) for each in value] if isinstance(value, list) else value
