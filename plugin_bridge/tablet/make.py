"""Writes `eutectic.json` (Open Stage Control) and `TOUCHOSC.md` from one list of controls.

    python plugin_bridge/tablet/make.py

Both play the session of `presets/sessions/pads.toml`: clips 1 to 8, references 1 and 2, four
voices. Every message is checked against the table before anything is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eutectic.osc.parse import parse
from eutectic.osc.spec import PREFIX
from eutectic.osc.table import ANSWERS, VOICE_RANGES

HERE = Path(__file__).parent
VERSION = "1.25.0"
"""Of Open Stage Control: the first whose sessions need no conversion today."""

VOICES, CLIPS, REFERENCES = range(1, 5), range(1, 9), (1, 2)
LOAD_ID = 1
QUIET_DB = -60.0
RENEW_MS = 10_000
"""Registration lasts 30 s after the last message."""

Value = int | str
Widget = dict[str, Any]


@dataclass(frozen=True)
class Control:
    """Something to be touched: what it sends, and, for a fader, its range and where it begins."""

    id: str
    label: str
    address: str
    arguments: tuple[Value, ...] = ()
    range: tuple[float, float] | None = None
    begins: float = 0.0

    @property
    def types(self) -> str:
        """OSC type tags of what it sends."""
        fixed = "".join("s" if isinstance(each, str) else "i" for each in self.arguments)
        return fixed + ("" if self.range is None else "f")

    def check(self) -> None:
        """Whether the daemon takes what it sends.

        Raises:
            BadRequest: it doesn't.
        """
        for end in [()] if self.range is None else [(self.range[0],), (self.range[1],)]:
            parse(PREFIX + self.address, (*self.arguments, *end))


def fuse_id(reference: int, voice: int, clip: int) -> int:
    """A pad's request id, always the same; the tens are its voice."""
    return 100 * reference + 10 * voice + clip


def pads(reference: int) -> list[Control]:
    """A row for each voice, a column for each clip."""
    return [
        Control(
            f"pad_{reference}_{voice}_{clip}", f"{clip}", "/fuse",
            (fuse_id(reference, voice, clip), voice, str(clip), str(reference)),
        )
        for voice in VOICES for clip in CLIPS
    ]  # fmt: skip


def voice_controls(voice: int) -> tuple[Control, Control, Control]:
    """Blend, gain, stop."""
    highest = min(6.0, VOICE_RANGES["gain"][1])
    return (
        Control(f"blend_{voice}", "blend", "/scrub", (voice,), (0.0, 1.0), 0.5),
        Control(f"gain_{voice}", "gain", "/voice/set", (voice, "gain"), (QUIET_DB, highest)),
        Control(f"stop_{voice}", "stop", "/stop", (voice,)),
    )


LOAD = Control("load", "load pads", "/preset/load", (LOAD_ID, "pads"))
PANIC = Control("panic", "panic", "/panic")
MASTER = Control("master", "master", "/master/gain", (), (QUIET_DB, 6.0))


def controls() -> list[Control]:
    """Every one."""
    return [
        LOAD, MASTER, PANIC,
        *(control for voice in VOICES for control in voice_controls(voice)),
        *(pad for reference in REFERENCES for pad in pads(reference)),
    ]  # fmt: skip


def listeners() -> Iterator[Widget]:
    """Invisible widgets that turn what the daemon sends into the texts that are seen."""
    voice_of = "Math.floor(%s / 10) %% 10"
    scripts = {
        "/queued": f"set('state_' + {voice_of % 'value'}, 'working')",
        "/progress": (
            f"set(value[0] === {LOAD_ID} ? 'message' : 'state_' + {voice_of % 'value[0]'}, "
            "value[1] + ' ' + Math.round(100 * value[2]) + ' %')"
        ),
        "/started": "set('state_' + value[1], 'playing after ' + Math.round(value[2]) + ' ms')",
        "/ended": "set('state_' + value[0], 'silent')",
        "/done": (
            f"if (value[0] === '{PREFIX}{LOAD.address}') set('message', 'the pads are ready')"
        ),
        "/fail": (
            "if (value[2] !== 'cancelled') { set('message', value[3]); "
            f"set('state_' + {voice_of % 'value[1]'}, value[2]) }}"
        ),
        "/engine": "set('engine', 'engine: ' + value[0] + ' ' + Math.round(100 * value[1]) + ' %')",
        "/xrun": "set('lost', 'sound lost: ' + value)",
    }  # fmt: skip
    known = {spec.address for spec in ANSWERS}
    for address, script in scripts.items():
        if address not in known:
            raise ValueError(f"the daemon never sends {address}")
        yield {"type": "variable", "id": f"on{address.replace('/', '_')}",
               "address": PREFIX + address, "onValue": script}  # fmt: skip


def touched(control: Control, **more: Any) -> Widget:
    """A control as a widget: a fader where it has a range, else a button without a value."""
    widget: Widget = {
        "type": "button" if control.range is None else "fader",
        "id": control.id,
        "address": PREFIX + control.address,
        "preArgs": list(control.arguments) or "",
        "typeTags": control.types,
    }
    if control.range is None:
        widget |= {"mode": "momentary", "label": control.label}
    else:
        low, high = control.range
        widget |= {"range": {"min": low, "max": high}, "default": control.begins, "decimals": 3,
                   "html": control.label}  # fmt: skip
    return widget | more


def text(name: str, begins: str, **more: Any) -> Widget:
    """A line that the daemon's events are written into."""
    return {"type": "text", "id": name, "default": begins, "bypass": True} | more


def panel(name: str, layout: str, widgets: list[Widget], **more: Any) -> Widget:
    return {"type": "panel", "id": name, "layout": layout, "scroll": False} | more | {
        "widgets": widgets
    }  # fmt: skip


def voice_panel(voice: int) -> Widget:
    blend, gain, stop = voice_controls(voice)
    meter = {
        "type": "fader", "id": f"meter_{voice}", "address": f"{PREFIX}/meter", "preArgs": [voice],
        "range": {"min": QUIET_DB, "max": 0}, "default": QUIET_DB, "design": "compact",
        "interaction": False, "bypass": True, "width": 30,
    }  # fmt: skip
    faders = [touched(blend, expand=True), touched(gain, expand=True), meter]
    return panel(f"voice_{voice}", "vertical", [
        text(f"name_{voice}", f"voice {voice}", height=30),
        text(f"state_{voice}", "silent", height=30),
        panel(f"faders_{voice}", "horizontal", faders, expand=True),
        touched(stop, height=50),
    ], expand=True)  # fmt: skip


def session() -> Widget:
    """The whole session file."""
    header = panel("header", "horizontal", [
        touched(LOAD, width=110), text("engine", "engine: not heard of", expand=True),
        text("lost", "sound lost: 0", width=140),
        touched(MASTER, expand=True, horizontal=True), touched(PANIC, width=110),
    ], height=70)  # fmt: skip
    pages = [
        {"type": "tab", "id": f"reference_{reference}", "label": f"reference {reference}",
         "layout": "grid", "gridTemplate": len(CLIPS),
         "widgets": [touched(pad, width="auto", height="auto") for pad in pads(reference)]}
        for reference in REFERENCES
    ]  # fmt: skip
    notify = f"send('{PREFIX}/notify', 1, '@meter', 1)"
    return {
        "createdWith": "Open Stage Control", "version": VERSION, "type": "session",
        "content": {
            "type": "root", "id": "root", "layout": "vertical",
            "onCreate": f"{notify}\nsetInterval(function() {{ {notify} }}, {RENEW_MS})",
            "widgets": [
                header,
                text("message", "clips are columns, voices are rows", height=30),
                panel("voices", "horizontal", [voice_panel(voice) for voice in VOICES],
                      expand=True),
                {"type": "panel", "id": "pads", "expand": True, "tabs": pages},
                *listeners(),
            ],
        },
    }  # fmt: skip


INTRODUCTION = f"""# A layout for TouchOSC, to be built by hand

Made from the table of messages by `make.py`; every message below is one that the daemon takes. No
layout file is here, since none could be tried.

Connections: OSC, UDP, the daemon's host (it announces itself as `_osc._udp`), port 9720; a receive
port of your choice. Start the daemon with `--host 0.0.0.0`, or the tablet can't reach it.

A control's message has the address below and the arguments in this order: constants as INTEGER or
STRING, as they are written; *value* is the control's own, as FLOAT, scaled to the range given.
Buttons send on their rise alone. Request ids are constants: a pad uses the same one every time.

| control | kind | address | types | arguments |
|---|---|---|---|---|
| connect | button | `{PREFIX}/notify` | `ii` | 1 9000 |
"""

RECEIVED = (
    ("engine", "label", "/engine", "state, and how far it is (0 to 1)"),
    ("state of a voice", "label", "/started", "id, voice, ms from touch to sound"),
    ("state of a voice", "label", "/ended", "voice, id"),
    ("message", "label", "/fail", "address, id, a word, a sentence"),
    ("sound lost", "label", "/xrun", "how often since the start"),
)


def touchosc() -> str:
    """The text of TOUCHOSC.md."""
    lines = [INTRODUCTION.rstrip("\n")]
    for each in controls():
        kind = "button" if each.range is None else "fader"
        arguments = " ".join(str(argument) for argument in each.arguments)
        if each.range is not None:
            arguments = f"{arguments} *value* {each.range[0]:g} to {each.range[1]:g}".strip()
        types = f"`{each.types}`" if each.types else "none"
        lines.append(f"| {each.id} | {kind} | `{PREFIX}{each.address}` | {types} | {arguments} |")
    lines += [
        "",
        "`connect` names the receive port, 9000 here: answers and events come there as long as",
        "something is sent every 30 s; touch it again after a longer rest.",
        "",
        "| shown | kind | address | arguments that come |",
        "|---|---|---|---|",
    ]
    lines += [f"| {name} | {kind} | `{PREFIX}{address}` | {what} |"
              for name, kind, address, what in RECEIVED]  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    for control in controls():
        control.check()
    (HERE / "eutectic.json").write_text(json.dumps(session(), indent=1) + "\n")
    (HERE / "TOUCHOSC.md").write_text(touchosc())


if __name__ == "__main__":
    main()
