"""What a message may hold: typed classes whose annotations are the table's rows.

A message is a frozen struct. Its docstring says what it does, and each field's annotation what
OSC values it takes: `voice: Annotated[int, Argument("int", "from 1", 1, 16)]`. A field with an
`Option` is sent as `@name value`; None stands for what was left out.
"""

from __future__ import annotations

import contextlib
import functools
import keyword
import math
import re
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, get_args

import msgspec

from eutectic.errors import BadInput
from eutectic.osc.packets import Value

PREFIX = "/eutectic"
PORT = 9720
MAX_PORT = 65_535

MAX_ARGUMENTS, MAX_TEXT = 64, 1024
LARGEST_INT = 2**31 - 1

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters and line ends; a name may have any other."""

Kind = Literal["int", "float", "name", "title", "text", "words", "path", "choice"]

MANY: tuple[Kind, ...] = ("title", "words", "path")
"""Kinds that may come as several arguments, and take all that are left."""


class BadRequest(BadInput):
    """A message that is not a valid request; `id` is the request's, -1 if it has none.

    Codes: `unknown_address`, `bad_arguments`, `bad_option`.
    """

    def __init__(self, code: str, text: str, request_id: int = -1) -> None:
        super().__init__(text)
        self.code, self.id = code, request_id


@dataclass(frozen=True)
class Argument:
    """One argument: its kind, meaning and unit, and range. MANY take all that are left.

    `name` and `optional` follow from the field that it annotates.
    """

    kind: Kind
    what: str = ""
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    name: str = ""
    optional: bool = False

    def read(self, value: Any) -> Any:
        """The checked value.

        Raises:
            ValueError: it is not what the table allows; the text says what was expected.
        """
        if self.kind in ("int", "float"):
            return self._number(value)
        if self.kind == "name" and not isinstance(value, str):
            return self._name(value)
        if not isinstance(value, str):
            raise ValueError(f"{self.name} must be text, not {value!r}")
        if len(value) > MAX_TEXT or _CONTROL.search(value):
            raise ValueError(f"{self.name} must be printable, {MAX_TEXT} characters at most")
        if self.kind == "name":
            return self._name(value)
        if self.kind == "choice" and value not in self.choices:
            raise ValueError(f"{self.name} must be one of {', '.join(self.choices)}, not {value}")
        if not value:
            raise ValueError(f"{self.name} must not be empty")
        if self.kind == "title":
            check_title(value)
        return value

    def _number(self, value: Any) -> int | float:
        if not isinstance(value, int | float):
            raise ValueError(f"{self.name} must be a number, not {value!r}")
        if not math.isfinite(value) or not self.low <= value <= self.high:
            raise ValueError(f"{self.name} must be {self.low:g} to {self.high:g}, not {value:g}")
        if self.kind == "float":
            return float(value)
        value = float(value)
        if value % 1:
            raise ValueError(f"{self.name} must be a whole number, not {value:g}")
        return int(value)

    def _name(self, value: Any) -> str:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError(f"{self.name} must be a whole number or a short word")
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,32}", str(value)):
            raise ValueError(
                f"{self.name} must be a whole number or a word of 1 to 32 letters, digits, _ . -"
            )
        return str(value)


def check_title(title: str) -> None:
    """Check a name that may have spaces, dots and any letters, and names a file.

    Raises:
        ValueError: it can't.
    """
    shape = r"(?![.\s])[^/\\:\x00-\x1f\x7f]{1,64}(?<!\s)"
    if not re.fullmatch(shape, title) or title.endswith(".toml"):
        raise ValueError(
            f"{printable(title)!r} is no name: 1 to 64 characters other than / \\ :, "
            "with no dot or space in front and no .toml behind"
        )


class Press(Argument):
    """An argument of what buttons send: it is never refused, and what can't be used counts as none.

    Buttons send 1 when they are pressed and 0 when they are released.
    """

    def read(self, value: Any) -> Any:
        try:
            return super().read(value)
        except ValueError:
            return None


class PressedVoice(Press):
    """A voice's number as buttons send it; none, or no number at all, stands for all voices.

    A number that no voice can have counts as 0, a release.
    """

    def read(self, value: Any) -> Any:
        with contextlib.suppress(TypeError, ValueError):
            number = super().read(float(value))
            return 0 if number is None else number
        return None


class Option(Argument):
    """An argument that is sent by name, as `@name value`, behind all others."""


class Message(msgspec.Struct, frozen=True):
    """Base of the table's messages; `address` is written without the prefix."""

    address: ClassVar[str] = ""


@dataclass(frozen=True)
class Spec:
    """A row of the table, as derived from a message class.

    `answers` are the addresses that may answer a request before its `/done`, `found` what `/done`
    reports then.
    """

    message: type[Message]
    address: str
    what: str
    arguments: tuple[Argument, ...]
    options: tuple[Argument, ...] = ()
    answers: tuple[str, ...] = ()
    found: tuple[Argument, ...] = ()

    @property
    def is_button(self) -> bool:
        """Whether its arguments are never refused, however many there are."""
        return bool(self.arguments) and all(isinstance(each, Press) for each in self.arguments)

    @property
    def has_id(self) -> bool:
        """Whether exactly one `/done` or `/fail` answers it."""
        return bool(self.arguments) and self.arguments[0].name == "id"


@functools.cache
def annotated_arguments(kind: type[Message]) -> tuple[Argument, ...]:
    """The arguments and options that annotate a message, in the order of its fields."""
    found: list[Argument] = []
    for field in msgspec.structs.fields(kind):
        for each in get_args(field.type):
            if isinstance(each, Argument):
                optional = not field.required and not isinstance(each, Option)
                found.append(replace(each, name=_name(field.name), optional=optional))
    return tuple(found)


def field_of(name: str) -> str:
    """The field of an argument: one called like a word of Python's has a _ behind."""
    return f"{name}_" if keyword.iskeyword(name) else name


def _name(field: str) -> str:
    return field.removesuffix("_")


def given(message: Message) -> dict[str, Any]:
    """A message's arguments and options by name, without what was left out."""
    values = {
        each.name: getattr(message, field_of(each.name))
        for each in annotated_arguments(type(message))
    }
    return {name: value for name, value in values.items() if value is not None}


def flatten(message: Message) -> tuple[Value, ...]:
    """The values of an answer as OSC sends them.

    Raises:
        ValueError: one isn't what the table says; a fault of the daemon's.
    """
    values: list[Value] = []
    for argument in annotated_arguments(type(message)):
        value = getattr(message, field_of(argument.name))
        if argument.kind == "words" and not isinstance(value, str):
            values += value
            continue
        text = argument.kind in ("title", "text", "path", "choice")
        if text != isinstance(value, str) and argument.kind not in ("name", "words"):
            raise ValueError(f"{type(message).__name__}: {argument.name} can't be {value!r}")
        values.append(value)
    return tuple(values)


def words_of(text: str | None) -> str:
    """A docstring as one line."""
    return " ".join((text or "").split())


def printable(value: Any) -> str:
    """A received value as part of an error's text."""
    text = str(value)[:80]
    return text if text.isprintable() else ascii(text)
