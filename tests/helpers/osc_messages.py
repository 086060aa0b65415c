"""Messages for tests: one of each kind in the table, and bundles of several."""

from __future__ import annotations

import math
import struct
import time
from typing import Any

from eutectic.osc.packets import NTP_EPOCH_SECONDS
from eutectic.osc.spec import Argument, Spec


def a_value(argument: Argument, number: int) -> Any:
    """A value that the argument takes, another for each number."""
    if argument.kind == "choice":
        return argument.choices[number % len(argument.choices)]
    if argument.kind in ("int", "float"):
        low = max(argument.low, -100.0)
        value = low + (min(argument.high, low + 100) - low) * (number % 7 + 1) / 9
        return math.ceil(value) if argument.kind == "int" else value
    return f"{argument.name}-{number}"


def everything(spec: Spec) -> tuple[list[Any], dict[str, Any]]:
    """A message with every argument and option, and what must be read from it."""
    arguments, expected = [], {}
    for number, each in enumerate(spec.arguments):
        expected[each.name] = a_value(each, number)
        arguments.append(expected[each.name])
    for number, each in enumerate(spec.options):
        expected[each.name] = a_value(each, number + 3)
        arguments += [f"@{each.name}", expected[each.name]]
    return arguments, expected


def bundle(seconds_ahead: float | None, *packets: bytes) -> bytes:
    """A bundle of several packets; None is OSC's "at once"."""
    stamp = (0, 1)
    if seconds_ahead is not None:
        when = time.time() + seconds_ahead + NTP_EPOCH_SECONDS
        stamp = (int(when), int(when % 1 * 2**32))
    elements = b"".join(struct.pack(">i", len(each)) + each for each in packets)
    return b"#bundle\0" + struct.pack(">II", *stamp) + elements
