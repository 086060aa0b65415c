"""The OSC table: every message of the daemon, once.

Reading and checking requests, building replies, `PROTOCOL.md` and `eutectic send` all follow from
`REQUESTS` and `ANSWERS`. Addresses are written without the prefix `/eutectic` here.

Clients send what they can: Pure Data has only floats, so whole floats count as ints; a prompt may
be several arguments. Answers hold ints, floats and strings alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from eutectic.config import (
    MAX_SEED,
    MAX_VOICES,
    LearnSettings,
    Level,
    Method,
    Place,
    Residual,
    SamplingSettings,
    Solver,
)
from eutectic.errors import BadInput, BadSetting

PREFIX = "/eutectic"
PORT = 9720

MAX_ARGUMENTS, MAX_TEXT = 64, 1024
LARGEST_INT = 2**31 - 1

Kind = Literal["int", "float", "name", "text", "words", "path", "choice"]


class BadRequest(BadInput):
    """A message that asks for nothing that there is; `id` is the request's, -1 where it has none.

    Codes: `unknown_address`, `bad_arguments`, `bad_option`.
    """

    def __init__(self, code: str, text: str, request_id: int = -1) -> None:
        super().__init__(text)
        self.code, self.id = code, request_id


@dataclass(frozen=True)
class Argument:
    """One argument: what it may be, and in which unit. `words` takes all that is left."""

    name: str
    kind: Kind
    what: str = ""
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    optional: bool = False

    def read(self, value: Any) -> Any:
        """The checked value.

        Raises:
            ValueError: it is something else; the text says what was expected.
        """
        if self.kind in ("int", "float"):
            return self._number(value)
        if self.kind == "name" and not isinstance(value, str):
            return self._name(value)
        if not isinstance(value, str):
            raise ValueError(f"{self.name} must be text, not {value!r}")
        if len(value) > MAX_TEXT or not value.isprintable():
            raise ValueError(f"{self.name} must be printable, {MAX_TEXT} characters at most")
        if self.kind == "name":
            return self._name(value)
        if self.kind == "choice" and value not in self.choices:
            raise ValueError(f"{self.name} must be one of {', '.join(self.choices)}, not {value}")
        if not value:
            raise ValueError(f"{self.name} must not be empty")
        return value

    def _number(self, value: Any) -> int | float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{self.name} must be a number, not {value!r}")
        if not math.isfinite(value) or not self.low <= value <= self.high:
            raise ValueError(f"{self.name} must be {self.low:g} to {self.high:g}, not {value:g}")
        if self.kind == "float":
            return float(value)
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


@dataclass(frozen=True)
class Spec:
    """One message: its address and arguments; for requests their options and what answers them."""

    address: str
    arguments: tuple[Argument, ...]
    what: str
    options: tuple[Argument, ...] = ()
    answers: tuple[str, ...] = ()

    @property
    def has_id(self) -> bool:
        """Whether exactly one `/done` or `/fail` answers it."""
        return bool(self.arguments) and self.arguments[0] is ID


@dataclass(frozen=True)
class Request:
    """A checked request: arguments and options by name, without what was left out."""

    spec: Spec
    id: int
    values: dict[str, Any]


def _int(name: str, what: str, low: float = 0, high: float = LARGEST_INT) -> Argument:
    return Argument(name, "int", what, low, high)


def _float(name: str, what: str, low: float, high: float) -> Argument:
    return Argument(name, "float", what, low, high)


def _choice(name: str, what: str, literal: Any) -> Argument:
    return Argument(name, "choice", what, choices=get_args(literal))


ID = _int("id", "the client's number of the request")
VOICE = _int("voice", "from 1", 1, MAX_VOICES)
CLIP = Argument("clip", "name", "a clip's number or word")
REFERENCE = Argument("reference", "name", "a reference's number or word")
ORIGINAL = Argument("original", "name", "the clip whose course is kept")
NAME = Argument("name", "name", "a short word")
PRESET = Argument("preset", "name", "what it says of fusions holds where nothing else is said")
PATH = Argument("path", "path", "relative to the folder of clips or of renders")
SECONDS = _float("seconds", "s", 0.05, 600)
BLEND = _float("blend", "0 the reference … 1 the original", 0, 1)
FADE = Argument("fade_ms", "float", "ms", 0, 60_000, optional=True)

VOICE_RANGES = {
    "gain": (-200.0, 24.0), "pan": (-1.0, 1.0), "out": (1.0, 64.0), "loop": (0.0, 1.0),
    "xfade": (0.0, 60_000.0), "cfg": (0.0, 30.0),
}  # fmt: skip
"""Of `/voice/set`; outputs end with the device's."""

FUSION = (
    BLEND,
    _int("remaining", "instead of blend: steps left after the injection", 0, 1000),
    _int("seed", "the same seed gives the same sound", 0, MAX_SEED),
    _float("cfg", "guidance; 1 is none", 0, 30),
    Argument("negative", "text", "prompt to be guided away from"),
    _int("steps", "of the sampler", 1, 1000),
    _int("order", "of the sampler", 1, 3),
    _choice("solver", "order 2's rule, or pingpong", Solver),
    _float("eta", "1 SDE … 0 ODE", 0, 1),
    _choice("residual", "how the original is inverted", Residual),
    _float("residual_amount", "noise of gaussian", 0, 1),
    _choice("level", "match: as loud as the sources", Level),
    PRESET,
)
PLAYING = (
    _int("loop", "1: play it again and again", 0, 1),
    _float("at_ms", "ms from now", 0, 10_000),
    _float("velocity", "127 is full level", 0, 127),
)
JOB = ("/queued", "/progress")

REQUESTS = (
    Spec("/ping", (ID,), "Is the daemon there?"),
    Spec("/version", (ID,), "Which version it is.", answers=("/version.reply",)),
    Spec("/status", (ID,), "Everything worth knowing, a line each.", answers=("/status.reply",)),
    Spec("/sync", (ID,), "All that was sent before is begun.", answers=("/synced",)),
    Spec(
        "/notify",
        (_int("on", "1 registers, 0 leaves", 0, 1),
         Argument("reply_port", "int", "where this host also hears replies", 1, 65535,
                  optional=True)),
        "Events to this client, as long as something comes from it every 30 s.",
        (_int("meter", "1: levels, too", 0, 1),),
    ),
    Spec("/model/list", (ID,), "Models there are.", answers=("/model",)),
    Spec("/model/set", (ID, Argument("model", "text", "one of /model/list, or a Hub id")),
         "Another model; references learned with this one become stale."),
    Spec("/clip/load", (ID, CLIP, PATH), "Make a sound file, or a part of it, a clip.",
         (_float("start", "s", 0, 86_400), _float("duration", "s", 0.05, 86_400)), JOB),
    Spec("/clip/record", (ID, CLIP, SECONDS), "Make a clip of the input device's sound.", (), JOB),
    Spec("/clip/free", (ID, CLIP), "Forget a clip; what plays goes on."),
    Spec("/clip/list", (ID,), "Every clip.", answers=("/clip",)),
    Spec(
        "/reference/learn",
        (ID, REFERENCE, CLIP, Argument("prompt", "words", "words for it")),
        "Learn a clip as a reference, beside the weights in use.",
        (_int("steps", "of learning", 1, 100_000), _float("budget_s", "s at most", 0.1, 86_400),
         _int("rank", "of lora", 1, 256), _choice("method", "what is learned", Method)),
        JOB,
    ),
    Spec("/reference/free", (ID, REFERENCE), "Forget a reference; its file is kept."),
    Spec("/reference/list", (ID,), "Every reference.", answers=("/reference",)),
    Spec("/fuse", (ID, VOICE, ORIGINAL, REFERENCE), "Fuse, and play on a voice.",
         FUSION + PLAYING, (*JOB, "/started", "/ended")),
    Spec("/fan", (ID, ORIGINAL, REFERENCE, _int("n", "places, evenly from 0 to 1", 2, 33)),
         "Have the fusions of a pair ready at many blends.",
         tuple(each for each in FUSION if each.name not in ("blend", "remaining")),
         (*JOB, "/fan/ready")),
    Spec("/scrub", (VOICE, BLEND), "Move a voice across its fan."),
    Spec("/render", (ID, ORIGINAL, REFERENCE, PATH), "Fuse into a sound file.", FUSION, JOB),
    Spec("/cancel", (ID, _int("request", "the id to be given up")), "Give a request up."),
    Spec("/stop", (VOICE, FADE), "Fade a voice out."),
    Spec("/panic", (), "Silence, now."),
    Spec("/schedule/clear", (), "Nothing that waits for its time is played."),
    Spec("/voice/set",
         (VOICE,
          Argument("what", "choice", "", choices=tuple(VOICE_RANGES)),
          _float("value",
                 "gain dB, pan -1 … 1, first output from 1, loop 0 or 1, xfade ms, "
                 "cfg of its fusions from then on",
                 -200, 60_000)),
         "Change how a voice plays."),
    Spec("/master/gain", (_float("gain", "dB", -200, 24),), "Change how loud all is."),
    Spec("/preset/save", (ID, NAME), "Keep how voices and fusions are set."),
    Spec("/preset/load", (ID, NAME),
         "Set what a preset names, and follow its file: fusions, voices, clips, references.",
         (), JOB),
    Spec("/preset/list", (ID,), "Every preset.", answers=("/preset",)),
    Spec("/session/save", (ID, Argument("name", "name", "a short word", optional=True)),
         "Keep clips, references and voices for another night."),
    Spec("/device/list", (ID,), "Every output device.", answers=("/device",)),
    Spec("/device/set", (ID, Argument("device", "words", "a device's name")),
         "Play on another device."),
    Spec("/record/start", (ID, PATH), "Write what is played to a file."),
    Spec("/record/stop", (ID,), "End that file."),
    Spec("/midi/learn",
         (ID, Argument("target", "words",
                       "a request without id that the next control moved sends; $ is its value")),
         "Learn a control of the MIDI controller, and keep it in its map."),
)  # fmt: skip

_TEXT = Argument("text", "text")
_ADDRESS = Argument("address", "text", "the request's")
_STATE = Argument("state", "text")
_FRACTION = _float("fraction", "0 … 1", 0, 1)

ANSWERS = (
    Spec("/done", (_ADDRESS, ID, Argument("found", "words", "what it found, by request",
                                          optional=True)),
         "A request is wholly done."),
    Spec("/fail", (_ADDRESS, _int("id", "-1 where there is none", -1),
                   Argument("code", "text", "a word for programs"), _TEXT),
         "A request failed, and changed nothing."),
    Spec("/queued", (ID,), "The engine has it."),
    Spec("/progress", (ID, Argument("stage", "text"), _FRACTION), "How far it is."),
    Spec("/started", (ID, VOICE, _float("latency_ms", "from the request to its first sample",
                                        0, math.inf)),
         "A fusion's first sample leaves."),
    Spec("/ended", (VOICE, ID), "A fusion is silent."),
    Spec("/fan/ready", (ID, _int("k", "of n, from 0"), _int("n", "")), "One place can be heard."),
    Spec("/synced", (ID,), "Before this sync's done."),
    Spec("/version.reply", (ID, _TEXT), "The version."),
    Spec("/status.reply", (ID, Argument("what", "text"), _TEXT), "One line of the status."),
    Spec("/model", (ID, Argument("name", "text"), _int("in_use", "0 or 1", 0, 1)), "A model."),
    Spec("/clip", (ID, CLIP, PATH, SECONDS), "A clip."),
    Spec("/reference", (ID, REFERENCE, CLIP, Argument("prompt", "text"), _STATE), "A reference."),
    Spec("/preset", (ID, NAME, Argument("what", "text", "what it does, or what is wrong with it")),
         "A preset."),
    Spec("/preset/changed", (NAME, _TEXT), "The preset in use was written, and read anew or not."),
    Spec("/device", (Argument("name", "text"), _STATE), "A device, or what became of one."),
    Spec("/engine", (_STATE, _FRACTION), "What the engine is doing."),
    Spec("/xrun", (_int("count", "since the start"),), "Sound was lost."),
    Spec("/late", (ID, _float("ms", "ms", 0, math.inf)), "It was dated in the past, or too far."),
    Spec("/meter", (VOICE, _float("level", "dB", -200, 200)), "A voice's peak."),
)  # fmt: skip

_BY_ADDRESS = {spec.address: spec for spec in REQUESTS}
_ANSWERS = {spec.address: spec for spec in ANSWERS}


def spec_of(address: str) -> Spec:
    """The request of an address, with or without the prefix.

    Raises:
        BadRequest: there is none.
    """
    spec = _BY_ADDRESS.get("/" + address.removeprefix(PREFIX).lstrip("/"))
    if spec is None:
        raise BadRequest("unknown_address", f"there is no {_printable(address)}")
    return spec


def parse(address: str, arguments: Sequence[Any]) -> Request:
    """What a message asks for.

    Raises:
        BadRequest: no such address, or arguments or options that are not what the table says.
    """
    if not address.startswith(f"{PREFIX}/"):
        raise BadRequest("unknown_address", f"there is no {_printable(address)}")
    spec = spec_of(address)
    given = list(arguments)
    request_id = _id(given) if spec.has_id else -1
    if len(given) > MAX_ARGUMENTS:
        raise BadRequest("bad_arguments", f"more than {MAX_ARGUMENTS} arguments", request_id)
    first = next((at for at, one in enumerate(given) if _is_option(one)), len(given))
    try:
        values = _read_arguments(spec, given[:first])
    except ValueError as error:
        raise BadRequest("bad_arguments", str(error), request_id) from None
    try:
        values |= _read_options(spec, given[first:])
    except ValueError as error:
        raise BadRequest("bad_option", str(error), request_id) from None
    return Request(spec, request_id, values)


def answer(address: str, *values: int | float | str) -> tuple[str, tuple[int | float | str, ...]]:
    """A message of the daemon's, ready to be sent.

    Raises:
        ValueError: the table has no such message; a fault of ours.
    """
    spec = _ANSWERS[address]
    needed = [argument for argument in spec.arguments if not argument.optional]
    if len(values) < len(needed):
        raise ValueError(f"{address} needs {len(needed)} values, not {len(values)}")
    for argument, value in zip(spec.arguments, values, strict=False):
        text = argument.kind in ("text", "path", "choice")
        if text != isinstance(value, str) and argument.kind not in ("name", "words"):
            raise ValueError(f"{address}: {argument.name} can't be {value!r}")
    return PREFIX + address, values


def check(address: str, values: dict[str, Any]) -> dict[str, Any]:
    """Arguments and options of a request by their names, as a file gives them, checked.

    Raises:
        ValueError: one is unknown, or not what the table says.
    """
    spec = spec_of(address)
    known = {each.name: each for each in (*spec.arguments, *spec.options)}
    for name in values:
        if name not in known:
            raise ValueError(f"{name} is no argument nor option of {spec.address}")
    return {name: known[name].read(value) for name, value in values.items()}


def sampling(values: dict[str, Any]) -> SamplingSettings:
    """The sampling that a request's options ask for.

    Raises:
        BadSetting: two of them exclude each other.
    """
    fields = SamplingSettings.__dataclass_fields__
    return SamplingSettings(**{name: values[name] for name in values if name in fields})


def place(values: dict[str, Any], otherwise: float = 0.5) -> Place:
    """Where a request's options put the original.

    Raises:
        BadSetting: both by blend and by the steps remaining.
    """
    blend, remaining = values.get("blend"), values.get("remaining")
    if blend is not None and remaining is not None:
        raise BadSetting("choose either blend or remaining")
    return Place(otherwise if blend is None and remaining is None else blend, remaining)


def learning(values: dict[str, Any]) -> LearnSettings:
    """How a request's options want a reference learned."""
    fields = {"method": "method", "steps": "steps", "rank": "rank", "budget_seconds": "budget_s"}
    return LearnSettings(
        **{field: values[option] for field, option in fields.items() if option in values}
    )


def _id(given: list[Any]) -> int:
    """As far as it can be read, so that a wrong request's failure finds its sender's."""
    try:
        return int(ID.read(given[0]))
    except (ValueError, IndexError):
        return -1


def _is_option(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("@")


def _read_arguments(spec: Spec, given: list[Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for argument in spec.arguments:
        if argument.kind == "words" and given:
            words = " ".join(_word(argument, value) for value in given)
            values[argument.name] = argument.read(words)
            given = []
        elif given:
            values[argument.name] = argument.read(given[0])
            given = given[1:]
        elif not argument.optional:
            raise ValueError(f"{argument.name} is missing: {usage(spec)}")
    if given:
        raise ValueError(f"{len(given)} arguments too many: {usage(spec)}")
    return values


def _word(argument: Argument, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{argument.name} must be words or numbers, not {value!r}")
    return f"{value:g}"


def _read_options(spec: Spec, given: list[Any]) -> dict[str, Any]:
    options = {option.name: option for option in spec.options}
    values: dict[str, Any] = {}
    while given:
        key, *given = given
        name = key[1:] if _is_option(key) else None
        if name is None or name not in options:
            there = " ".join(f"@{name}" for name in options) or "none"
            raise ValueError(f"{_printable(key)} is no option here; there is: {there}")
        if name in values:
            raise ValueError(f"@{name} is given twice")
        if not given or _is_option(given[0]):
            raise ValueError(f"@{name} needs a value")
        values[name] = options[name].read(given[0])
        given = given[1:]
    return values


def _printable(value: Any) -> str:
    text = str(value)[:80]
    return text if text.isprintable() else ascii(text)


def usage(spec: Spec) -> str:
    """One line: the address and its arguments, optional ones in brackets."""
    parts = [PREFIX + spec.address]
    for argument in spec.arguments:
        name = f"{argument.name}…" if argument.kind == "words" else argument.name
        parts.append(f"[{name}]" if argument.optional else name)
    parts += [f"[@{option.name}]" for option in spec.options]
    return " ".join(parts)


_INTRODUCTION = f"""# The OSC messages of Eutectic

Made from `server/eutectic/osc/table.py` by `make protocol`.

- Every address begins with `{PREFIX}`; the daemon listens on UDP and TCP port {PORT} of 127.0.0.1
  unless told otherwise. TCP: a length of four bytes before each packet, or SLIP.
- Whole floats count as ints. Replies hold ints, floats and strings alone.
- Clips and references are named by the client with a whole number or a word of letters, digits and
  `_ . -`, 32 at most; voices are 1 to {MAX_VOICES}. They belong to the session, not to a client.
- A request with an `id` ends with exactly one `/done address id …` or `/fail address id code text`,
  to its sender alone. One without an id is answered only by `/fail address -1 …`, at most once a
  second.
- Options come last, as `@key value`. A prompt may be several arguments.
- Events go to clients that sent `/notify 1`, as long as something comes from them every 30 s.
- A bundle's time tag, or `@at_ms`, says when something is heard, to the frame. What is late, or
  dated more than 10 s ahead, is played at once, and `/late` says so.
"""


def protocol_markdown() -> str:
    """The text of `PROTOCOL.md`."""
    parts = [_INTRODUCTION, "## Requests\n"]
    parts += [_section(spec, options=True) for spec in REQUESTS]
    parts += ["## Answers and events\n"]
    parts += [_section(spec, options=False) for spec in ANSWERS]
    return "\n".join(parts)


def _section(spec: Spec, options: bool) -> str:
    names = " ".join(
        f"[{argument.name}]" if argument.optional else argument.name for argument in spec.arguments
    )
    lines = [f"### `{f'{spec.address} {names}'.strip()}`", "", spec.what]
    if spec.answers:
        lines[-1] += f" Answers: {', '.join(f'`{answer}`' for answer in spec.answers)}."
    rows = [(each, each.name) for each in spec.arguments]
    rows += [(each, f"@{each.name}") for each in spec.options] if options else []
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
