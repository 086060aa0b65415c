"""`plugin_bridge/PROTOCOL.md`, made from the table."""

from __future__ import annotations

import math
from collections.abc import Iterable

from eutectic.config import MAX_VOICES
from eutectic.osc import codes, examples
from eutectic.osc.spec import LARGEST_INT, PORT, PREFIX, Argument, Spec
from eutectic.osc.table import ANSWERS, REQUESTS


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


_INTRODUCTION = """# Eutectic's OSC messages

Generated from `server/eutectic/osc/table.py` and its neighbours by `make protocol`.
"""

_RULES = f"""## What holds for all of them

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
- Events are sent to clients that have sent `/notify 1`, whoever caused them, as long as they send
  something at least every 30 s. One that was silent for longer is sent the state of things, and
  events again, as soon as it sends something.
- First comes `/snapshot`: what the client knew before is over, and an event for everything that
  there is follows. `/seq` says how many have been sent since then, at least once a second. A client
  that has counted fewer sends `/notify 1` again; one that hears nothing for a second has lost the
  daemon.
- Events of controls name in `by` the client that moved them last, by its number in `/notify`'s
  `/done`. A client that is just moving a control ignores those with its own number.
- A bundle's time tag, or `@at_ms`, sets the time at which something is heard, to the frame. What is
  late, or more than 10 s ahead, is played at once and reported by `/late`.
"""

_TRANSCRIPT = """\
What a client sends (`>`) and what it is sent (`<`), without what reports progress. On a terminal,
`eutectic send /clip/load glass ambi_glass_rub.flac` does the same, and counts the ids.
"""

_DEFAULTS = f"""\
What a request leaves out has the value of its `@preset`, or of the preset in use, or else the
default that is listed here. A request that fails has changed nothing. Any may fail with
{_listed(codes.ALWAYS)}; other codes are named with each, and
[explained at the end](#codes-of-fail).
"""


def protocol_markdown() -> str:
    """The text of `PROTOCOL.md`."""
    parts = [_INTRODUCTION, _story(), _RULES, "## Requests\n", _DEFAULTS]
    parts += [_section(spec) for spec in REQUESTS]
    parts += ["## Answers and events\n"]
    parts += [_section(spec) for spec in ANSWERS]
    parts += [_codes()]
    return "\n".join(parts)


def _story() -> str:
    """What is sent and received from nothing to a scrub."""
    lines = ["## From two files to a scrub", "", _TRANSCRIPT]
    for step in examples.STORY:
        lines += [step.why, ""] if step.why else []
        lines += ["```", f"> {PREFIX}{step.sent}"]
        lines += [f"< {PREFIX}{each}" for each in step.received]
        lines += ["```", ""]
    return "\n".join(lines)


def _codes() -> str:
    """What the codes of failures mean."""
    lines = ["## Codes of `/fail`", "", "| code | means |", "|---|---|"]
    lines += [f"| `{code}` | {meaning} |" for code, meaning in codes.CODES.items()]
    return "\n".join(lines) + "\n"


def _section(spec: Spec) -> str:
    names = " ".join(
        f"[{argument.name}]" if _is_omissible(spec, argument) else argument.name
        for argument in spec.arguments
    )
    lines = [f"### `{f'{spec.address} {names}'.strip()}`", "", spec.what]
    if spec.answers:
        lines[-1] += f" Answers: {_listed(spec.answers)}."
    if spec.found:
        lines[-1] += f" `/done` reports: {_listed(each.name for each in spec.found)}."
    if codes.of(spec.address):
        lines[-1] += f" May fail with: {_listed(codes.of(spec.address))}."
    lines += ["", "```", PREFIX + examples.line_of(spec), "```"]
    rows = [(each, each.name) for each in spec.arguments]
    rows += [(each, f"@{each.name}") for each in spec.options]
    if rows:
        cells = [
            (f"`{name}`", _range(each), each.what, _default(spec, each)) for each, name in rows
        ]
        shown = 4 if any(default for *_, default in cells) else 3
        heads = ("", "takes", "means", "default")[:shown]
        lines += ["", _row(heads), "|" + shown * "---|"]
        lines += [_row(each[:shown]) for each in cells]
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _is_omissible(spec: Spec, argument: Argument) -> bool:
    """Whether a message may come without it; of the daemon's own only `/done` may."""
    return argument.optional and (spec in REQUESTS or argument.kind == "words")


def _default(spec: Spec, argument: Argument) -> str:
    """What counts if it is left out; nothing for what can't be."""
    if not _is_omissible(spec, argument) and argument not in spec.options:
        return ""
    return examples.default_of(spec, argument.name)


def _range(argument: Argument) -> str:
    """What an argument may be, in words."""
    if argument.kind == "choice":
        return ", ".join(argument.choices)
    if argument.kind not in ("int", "float"):
        return {"name": "number or word", "words": "words"}.get(argument.kind, argument.kind)
    low, high = argument.low, argument.high
    if high in (LARGEST_INT, math.inf):
        return argument.kind if low in (0, -math.inf) else f"{argument.kind}, from {low:g}"
    return f"{argument.kind}, {low:.10g} to {high:.10g}"
