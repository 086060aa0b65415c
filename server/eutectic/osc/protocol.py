"""`plugin_bridge/PROTOCOL.md`, made from the table."""

from __future__ import annotations

import math

from eutectic.config import MAX_VOICES
from eutectic.osc.spec import LARGEST_INT, PORT, PREFIX, Argument, Spec
from eutectic.osc.table import ANSWERS, REQUESTS

_INTRODUCTION = f"""# Eutectic's OSC messages

Generated from `server/eutectic/osc/table.py` and `answers.py` by `make protocol`.

- Every address starts with `{PREFIX}`; the daemon listens on UDP and TCP port {PORT} of 127.0.0.1
  by default. Over TCP, each packet is preceded by its length in four bytes, or framed by SLIP.
- Whole floats count as ints. Replies contain ints, floats and strings only.
- Clips and references are named by the client: a whole number, or a word of up to 32 letters,
  digits and `_ . -`. Voices are numbered 1 to {MAX_VOICES}. All of them belong to the session, not
  to one client.
- A request with an `id` ends with exactly one `/done address id …` or `/fail address id code text`,
  sent to its sender only. A request without an id is answered only if it fails, by
  `/fail address -1 …`, at most once a second.
- Options come last, as `@key value`. A prompt may be sent as several arguments.
- Events are sent to clients that have sent `/notify 1`, as long as they send something at least
  every 30 s. One that was silent for longer is sent the state of things, and events again, as soon
  as it sends something.
- A bundle's time tag, or `@at_ms`, sets the time at which something is heard, to the frame. What is
  late, or more than 10 s ahead, is played at once and reported by `/late`.
"""


def protocol_markdown() -> str:
    """The text of `PROTOCOL.md`."""
    parts = [_INTRODUCTION, "## Requests\n"]
    parts += [_section(spec) for spec in REQUESTS]
    parts += ["## Answers and events\n"]
    parts += [_section(spec) for spec in ANSWERS]
    return "\n".join(parts)


def _section(spec: Spec) -> str:
    names = " ".join(
        f"[{argument.name}]" if argument.optional else argument.name for argument in spec.arguments
    )
    lines = [f"### `{f'{spec.address} {names}'.strip()}`", "", spec.what]
    if spec.answers:
        lines[-1] += f" Answers: {', '.join(f'`{answer}`' for answer in spec.answers)}."
    if spec.found:
        lines[-1] += f" `/done` reports: {', '.join(f'`{each.name}`' for each in spec.found)}."
    rows = [(each, each.name) for each in spec.arguments]
    rows += [(each, f"@{each.name}") for each in spec.options]
    if rows:
        lines += ["", "| | | |", "|---|---|---|"]
        lines += [f"| `{name}` | {_range(each)} | {each.what} |" for each, name in rows]
    return "\n".join(lines) + "\n"


def _range(argument: Argument) -> str:
    """What an argument may be, in words."""
    if argument.kind == "choice":
        return ", ".join(argument.choices)
    if argument.kind not in ("int", "float"):
        return {"name": "number or word", "words": "words"}.get(argument.kind, argument.kind)
    low, high = argument.low, argument.high
    if high in (LARGEST_INT, math.inf):
        return argument.kind if low in (0, -math.inf) else f"{argument.kind}, from {low:g}"
    return f"{argument.kind}, {low:g} to {high:g}"
