"""Write `eutectic.json` (Open Stage Control) and `TOUCHOSC.md` from one list of controls.

    python plugin_bridge/tablet/make.py

Both play the session `presets/sessions/pads.toml`: clips 1 to 8, references 1 and 2, four voices.
Every message is checked against the table before anything is written.
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
"""Open Stage Control's session format: the oldest that current versions load without conversion."""

VOICES, CLIPS, REFERENCES = range(1, 5), range(1, 9), (1, 2)
LOAD_ID = 1
QUIET_DB = -60.0
RENEW_MS = 10_000
"""Registration expires 30 s after the last message."""

Value = int | str
Widget = dict[str, Any]


@dataclass(frozen=True)
class Control:
    """A button or a fader: what it sends, and a fader's range and initial value."""

    id: str
    label: str
    address: str
    arguments: tuple[Value, ...] = ()
    range: tuple[float, float] | None = None
    initial: float = 0.0

    @property
    def types(self) -> str:
        """OSC type tags of its message."""
        fixed = "".join("s" if isinstance(each, str) else "i" for each in self.arguments)
        return fixed + ("" if self.range is None else "f")

    def check(self) -> None:
        """Check its message against the table.

        Raises:
            BadRequest: the daemon doesn't accept it.
        """
        for end in [()] if self.range is None else [(self.range[0],), (self.range[1],)]:
            parse(PREFIX + self.address, (*self.arguments, *end))


def fuse_id(reference: int, voice: int, clip: int) -> int:
    """A pad's constant request id; the tens digit is its voice."""
    return 100 * reference + 10 * voice + clip


def pads(reference: int) -> list[Control]:
    """One row per voice, one column per clip."""
    return [
        Control(
            f"pad_{reference}_{voice}_{clip}", f"{clip}", "/fuse",
            (fuse_id(reference, voice, clip), voice, str(clip), str(reference)),
        )
        for voice in VOICES for clip in CLIPS
    ]  # fmt: skip


def voice_controls(voice: int) -> tuple[Control, Control, Control]:
    """A voice's blend, gain and stop."""
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
    """All controls."""
    return [
        LOAD, MASTER, PANIC,
        *(control for voice in VOICES for control in voice_controls(voice)),
        *(pad for reference in REFERENCES for pad in pads(reference)),
    ]  # fmt: skip


def listeners() -> Iterator[Widget]:
    """Invisible widgets that show the daemon's answers and events in the text widgets."""
    voice_of = "Math.floor(%s / 10) %% 10"
    scripts = {
        "/queued": f"set('state_' + {voice_of % 'value'}, 'queued')",
        "/progress": (
            f"set(value[0] === {LOAD_ID} ? 'message' : 'state_' + {voice_of % 'value[0]'}, "
            "value[1] + ' ' + Math.round(100 * value[2]) + ' %')"
        ),
        "/started": "set('state_' + value[1], 'playing (' + Math.round(value[2]) + ' ms)')",
        "/ended": "set('state_' + value[0], 'silent')",
        "/done": (
            f"if (value[0] === '{PREFIX}{LOAD.address}') set('message', 'the pads are ready')"
        ),
        "/fail": (
            "if (value[2] !== 'cancelled') { set('message', value[3]); "
            f"set('state_' + {voice_of % 'value[1]'}, value[2]) }}"
        ),
        "/engine": "set('engine', 'engine: ' + value[0] + ' ' + Math.round(100 * value[1]) + ' %')",
        "/xrun": "set('lost', 'dropouts: ' + value)",
    }  # fmt: skip
    known = {spec.address for spec in ANSWERS}
    for address, script in scripts.items():
        if address not in known:
            raise ValueError(f"the daemon never sends {address}")
        yield {"type": "variable", "id": f"on{address.replace('/', '_')}",
               "address": PREFIX + address, "onValue": script}  # fmt: skip


def control_widget(control: Control, **more: Any) -> Widget:
    """A fader if the control has a range, otherwise a button without a value."""
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
        widget |= {"range": {"min": low, "max": high}, "default": control.initial, "decimals": 3,
                   "html": control.label}  # fmt: skip
    return widget | more


def text(name: str, initial: str, **more: Any) -> Widget:
    """A line of text, set by the listeners."""
    return {"type": "text", "id": name, "default": initial, "bypass": True} | more


def panel(name: str, layout: str, widgets: list[Widget], **more: Any) -> Widget:
    """Widgets in a row or a column."""
    return {"type": "panel", "id": name, "layout": layout, "scroll": False} | more | {
        "widgets": widgets
    }  # fmt: skip


def voice_panel(voice: int) -> Widget:
    """A voice's name, state, faders, meter and stop button."""
    blend, gain, stop = voice_controls(voice)
    meter = {
        "type": "fader", "id": f"meter_{voice}", "address": f"{PREFIX}/meter", "preArgs": [voice],
        "range": {"min": QUIET_DB, "max": 0}, "default": QUIET_DB, "design": "compact",
        "interaction": False, "bypass": True, "width": 30,
    }  # fmt: skip
    faders = [control_widget(blend, expand=True), control_widget(gain, expand=True), meter]
    return panel(f"voice_{voice}", "vertical", [
        text(f"name_{voice}", f"voice {voice}", height=30),
        text(f"state_{voice}", "silent", height=30),
        panel(f"faders_{voice}", "horizontal", faders, expand=True),
        control_widget(stop, height=50),
    ], expand=True)  # fmt: skip


def session() -> Widget:
    """The whole session file."""
    header = panel("header", "horizontal", [
        control_widget(LOAD, width=110), text("engine", "engine: not connected", expand=True),
        text("lost", "dropouts: 0", width=140),
        control_widget(MASTER, expand=True, horizontal=True), control_widget(PANIC, width=110),
    ], height=70)  # fmt: skip
    pages = [
        {"type": "tab", "id": f"reference_{reference}", "label": f"reference {reference}",
         "layout": "grid", "gridTemplate": len(CLIPS),
         "widgets": [control_widget(pad, width="auto", height="auto") for pad in pads(reference)]}
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


INTRODUCTION = f"""# A TouchOSC layout to build by hand

Generated by `make.py`, which checks every message against the daemon's own table. There is no
layout file to import, because none could be tested.

Connection: OSC over UDP to the daemon's host (it announces itself as `_osc._udp`), port 9720, with
a receive port of your choice. Start the daemon with `--host 0.0.0.0 --allow` and the tablet's
address or network, such as 192.168.1.0/24, or the tablet can't reach it.

Give each control one message, with the address and the arguments in the order listed: constants as
INTEGER (type `i`) or STRING (`s`), and *value*, the control's own value, as FLOAT (`f`), scaled to
the range given. Buttons send only when pressed. Request ids are constants: a pad always sends the
same one.

| control | kind | address | types | arguments |
|---|---|---|---|---|
| connect | button | `{PREFIX}/notify` | `ii` | 1 9000 |
"""

RECEIVED = (
    ("engine", "label", "/engine", "state, progress (0 to 1)"),
    ("voice state", "label", "/started", "id, voice, latency in ms"),
    ("voice state", "label", "/ended", "voice, id"),
    ("message", "label", "/fail", "address, id, error code, explanation"),
    ("dropouts", "label", "/xrun", "count since the start"),
)


def touchosc() -> str:
    """The content of TOUCHOSC.md."""
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
        "`connect` sends the receive port, 9000 here: answers and events arrive there as long as",
        "something is sent at least every 30 s. After a longer pause, press it again.",
        "",
        "| display | kind | address | arguments received |",
        "|---|---|---|---|",
    ]
    lines += [f"| {name} | {kind} | `{PREFIX}{address}` | {what} |"
              for name, kind, address, what in RECEIVED]  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    """Check every control, then write both files."""
    for control in controls():
        control.check()
    (HERE / "eutectic.json").write_text(json.dumps(session(), indent=1) + "\n")
    (HERE / "TOUCHOSC.md").write_text(touchosc())


if __name__ == "__main__":
    main()
