"""From OSC arguments to checked requests."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Sequence
from typing import Any, get_args

from eutectic.osc.fields import Id
from eutectic.osc.spec import (
    MANY,
    MAX_ARGUMENTS,
    PREFIX,
    Argument,
    BadRequest,
    Spec,
    field_of,
    printable,
)
from eutectic.osc.table import Request, spec_of

(_ID,) = (each for each in get_args(Id) if isinstance(each, Argument))


class _Missing(ValueError):
    """There are too few arguments."""


def parse(address: str, arguments: Sequence[Any]) -> Request:
    """The request that a message makes.

    Raises:
        BadRequest: no such address, or arguments or options that are not what the table says.
    """
    given = list(arguments)
    try:
        spec = spec_of(address)
        if not address.startswith(f"{PREFIX}/"):
            text = f"there is no {printable(address)}; did you mean {PREFIX}{spec.address}?"
            raise BadRequest("unknown_address", text)
    except BadRequest as error:
        raise BadRequest(error.code, str(error), _number_of_a_request(given)) from None
    if spec.is_button:
        return _made(spec, _read_press(spec, given))
    request_id = _number_of_a_request(given) if spec.has_id else -1
    if len(given) > MAX_ARGUMENTS:
        raise BadRequest("bad_arguments", f"more than {MAX_ARGUMENTS} arguments", request_id)
    first = next((at for at, one in enumerate(given) if _is_option(one)), len(given))
    try:
        values = _read_arguments(spec.arguments, given[:first])
    except ValueError as error:
        if _lacks_id(spec, given[:first], error):
            raise BadRequest("bad_arguments", f"the id is missing: {usage(spec)}") from None
        raise BadRequest("bad_arguments", f"{error}: {usage(spec)}", request_id) from None
    try:
        values |= _read_options(spec, given[first:])
    except ValueError as error:
        raise BadRequest("bad_option", str(error), request_id) from None
    return _made(spec, values)


def check(address: str, values: dict[str, Any]) -> dict[str, Any]:
    """Arguments and options of a request by their names, as a file gives them, checked.

    Raises:
        ValueError: one is unknown, or not what the table says.
    """
    spec = spec_of(address)
    known = {each.name: each for each in (*spec.arguments, *spec.options)}
    for name in values:
        if name not in known:
            raise ValueError(f"{name} is not an argument or option of {spec.address}")
    return {name: known[name].read(value) for name, value in values.items()}


def usage(spec: Spec) -> str:
    """One line: the address and its arguments, optional ones in brackets."""
    parts = [PREFIX + spec.address]
    for argument in spec.arguments:
        name = f"{argument.name}…" if argument.kind in MANY else argument.name
        parts.append(f"[{name}]" if argument.optional else name)
    parts += ["[@option value]..."] if spec.options else []
    return " ".join(parts)


def help_of(spec: Spec) -> list[str]:
    """What a request does, and a line for each argument and option."""
    lines = [spec.what, usage(spec)]
    for each in (*spec.arguments, *spec.options):
        name = f"@{each.name}" if each in spec.options else each.name
        low, high = each.low, each.high
        limits = (
            f" ({low:.10g} to {high:.10g})" if math.isfinite(low) and math.isfinite(high) else ""
        )
        words = "one of " + ", ".join(each.choices) if each.choices else ""
        what = "; ".join(filter(None, (each.what, words)))
        lines.append(f"  {name:18} {what}{limits}")
    return lines


def number_or_word(text: str) -> int | float | str:
    """A word as an OSC value: a number if it reads as one, as patches send it."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _made(spec: Spec, values: dict[str, Any]) -> Request:
    request = spec.message(**{field_of(name): value for name, value in values.items()})
    assert isinstance(request, Request)
    return request


def _number_of_a_request(given: list[Any]) -> int:
    """The id if it can be read, so that a malformed request's failure reaches its sender."""
    try:
        return int(_ID.read(given[0]))
    except (ValueError, IndexError):
        return -1


def _lacks_id(spec: Spec, given: list[Any], error: ValueError) -> bool:
    """Whether these would be a request's arguments, were an id before them, and nothing else."""
    ambiguous = isinstance(error, _Missing) or spec.arguments[-1].kind in MANY
    if not spec.has_id or (ambiguous and _number_of_a_request(given) >= 0):
        return False
    try:
        _read_arguments(spec.arguments[1:], given)
    except ValueError:
        return False
    return True


def _is_option(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("@")


def _read_arguments(arguments: Sequence[Argument], given: list[Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for argument in arguments:
        if argument.kind in MANY and given:
            words = " ".join(_word(argument, value) for value in given)
            values[argument.name] = argument.read(words)
            given = []
        elif given:
            values[argument.name] = argument.read(given[0])
            given = given[1:]
        elif not argument.optional:
            raise _Missing(f"{argument.name} is missing")
    if given:
        count = f"{len(given)} arguments" if len(given) > 1 else "an argument"
        raise ValueError(f"{count} too many")
    return values


def _word(argument: Argument, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{argument.name} must be words or numbers, not {value!r}")
    return f"{value:.0f}" if float(value).is_integer() else f"{value:g}"


def _read_press(spec: Spec, given: list[Any]) -> dict[str, Any]:
    """What a button sends, as far as it can be used; all else counts as not sent."""
    first = next((at for at, one in enumerate(given) if _is_option(one)), len(given))
    read = zip(spec.arguments, given[:first], strict=False)
    values = {each.name: each.read(value) for each, value in read}
    for key, value in itertools.pairwise(given[first:]):
        for option in spec.options:
            if key == f"@{option.name}":
                with contextlib.suppress(ValueError):
                    values[option.name] = option.read(value)
    return values


def _read_options(spec: Spec, given: list[Any]) -> dict[str, Any]:
    options = {option.name: option for option in spec.options}
    values: dict[str, Any] = {}
    while given:
        key, *given = given
        name = key[1:] if _is_option(key) else None
        if name is None or name not in options:
            known = " ".join(f"@{name}" for name in options) or "none"
            raise ValueError(f"{printable(key)} is no option here; options are: {known}")
        if name in values:
            raise ValueError(f"@{name} is given twice")
        if not given or _is_option(given[0]):
            raise ValueError(f"@{name} needs a value")
        values[name] = options[name].read(given[0])
        given = given[1:]
    return values
