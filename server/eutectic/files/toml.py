"""TOML files that people write: read whole and checked, or refused with file, line and key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import tomli_w

from eutectic.errors import BadInput, BadOutput
from eutectic.files.atomic import atomic_path

FORMAT = 1


class BadState(BadInput):
    """A session, a preset or a map that isn't there, or can't be read."""

    code = "bad_state"


Kind = TypeVar("Kind", bound=msgspec.Struct)


def read(path: Path, kind: type[Kind]) -> Kind:
    """What a file says; `kind` has a field `format`.

    Raises:
        BadState: it can't be read, is of another version, or says something else; the text names
            the file, and the line and the key as far as there are.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadState(f"{path}: can't be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise BadState(f"{path}: is no text ({error.reason})") from None
    try:
        found = msgspec.toml.decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise BadState(_located(path, text, str(error))) from None
    except (ValueError, BadInput) as error:  # not TOML, or a value that its own type refuses
        raise BadState(f"{path}: is damaged ({error})") from None
    if getattr(found, "format", FORMAT) != FORMAT:
        raise BadState(f"{path}:{line_of(text, (), 'format')}: format: is of another version")
    return found


def find(name: str, folders: tuple[Path, ...]) -> Path:
    """A file by its path, or by its name without `.toml`, in the first folder that has it.

    Raises:
        BadState: there is none; the text says which there are.
    """
    if name.endswith(".toml"):
        return Path(name)
    for folder in folders:
        if (folder / f"{name}.toml").exists():
            return folder / f"{name}.toml"
    there = sorted({path.stem for folder in folders for path in folder.glob("*.toml")})
    raise BadState(f"there is no {name!r}; there is: {', '.join(there)}")


def stamp_of(path: Path) -> tuple[int, int]:
    """What changes when a file does; zeros for one that isn't there."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def write(path: Path, value: msgspec.Struct) -> None:
    """Write it, whole or not at all; what was there before is left beside it, with a ~.

    Raises:
        BadOutput: it can't be written.
    """
    text = tomli_w.dumps(_without_none(msgspec.to_builtins(value)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            with atomic_path(path.with_name(path.name + "~")) as before:
                before.write_bytes(path.read_bytes())
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadOutput(f"{path}: can't be written ({error.strerror})") from None


def fault(path: Path, tables: tuple[str, ...], key: str, what: str) -> BadState:
    """What is wrong with a value that is of the right type; without a key, with its table."""
    try:
        line = line_of(path.read_text(encoding="utf-8"), tables, key)
    except (OSError, ValueError):  # gone meanwhile
        line = 1
    return BadState(f"{path}:{line}: {key or '.'.join(tables)}: {what.removeprefix(f'{key} ')}")


def _located(path: Path, text: str, error: str) -> str:
    """The checker's words, with the line of the key that they are about."""
    what, _, where = error.partition(" - at `$")
    tables, key = _place(where.rstrip("`"))
    named = re.search(r"field `([^`]+)`", what)
    if named is not None:
        tables, key = ((*tables, key) if key else tables), named[1]
    line = line_of(text, tables, key)
    what = what.replace("Object contains unknown field", "there is no").replace("Object m", "m")
    return f"{path}:{line}: {key}: {what[0].lower()}{what[1:]}"


def _place(path: str) -> tuple[tuple[str, ...], str]:
    """Of the checker's `.voices[0].pan`: its tables, here `("voices[0]",)`, and the key."""
    names = tuple(re.findall(r"\.(\w+(?:\[\d+\])?)", path))
    return (names[:-1], names[-1]) if names else ((), "")


def line_of(text: str, tables: tuple[str, ...], key: str) -> int:
    """The line, from 1, of a key in a table like `("voices[0]",)`; the table's own without it."""
    table, counts, began = "", dict[str, int](), 1
    wanted = ".".join(name.removesuffix("[0]") for name in tables)
    inside = not wanted
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[(\[?)([\w.\- ]+)\]", line)
        if header is not None:
            table = header[2].strip()
            if header[1]:
                counts[table] = counts.get(table, -1) + 1
                table += f"[{counts[table]}]" if counts[table] else ""
            inside = table == wanted
            began = number if inside or table == key else began
        elif inside and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return number
    return began


def _without_none(value: Any) -> Any:
    """TOML has no word for nothing: what is left out is nothing."""
    if isinstance(value, dict):
        return {name: _without_none(each) for name, each in value.items() if each is not None}
    return [_without_none(each) for each in value] if isinstance(value, list) else value
