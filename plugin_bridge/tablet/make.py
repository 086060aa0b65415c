"""Write `eutectic.json` (Open Stage Control) and `TOUCHOSC.md` from one list of controls.

    python plugin_bridge/tablet/make.py

Both play the session `presets/sessions/pads.toml`: clips 1 to 8, references 1 and 2, four voices.
Every message is checked against the table before anything is written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eutectic.osc.answers import (
    Answer,
    Clip,
    Engine,
    Fail,
    Master,
    Meter,
    PairReply,
    Reference,
    VoiceState,
    VoiceStrip,
    Xrun,
)
from eutectic.osc.parse import parse
from eutectic.osc.spec import PREFIX, annotated_arguments
from eutectic.osc.table import ANSWERS, VOICE_RANGES

HERE = Path(__file__).parent
VERSION = "1.25.0"
"""Open Stage Control's session format: the oldest that current versions load without conversion."""

VOICES, CLIPS, REFERENCES = range(1, 5), range(1, 9), (1, 2)
LOAD_ID = 1
QUIET_DB = -60.0
CUTOFFS_HZ = (100.0, 20_000.0)
RENEW_MS = 10_000
"""Registration expires 30 s after the last message."""
LOST_MS = 5_000
"""The daemon sends `/seq` every second; after so long without it, it is asked for events anew."""

MARKS = {"now": "●", "later": "○", "working": "◐", "never": "✕"}
"""On pads, by the state of their pair: plays at once, soon, is being prepared, can't be played."""
PLAYING, UNKNOWN = "▶", "·"

Value = int | str
Widget = dict[str, Any]


@dataclass(frozen=True)
class Control:
    """A button or a fader: what it sends, and a fader's range and initial value.

    `in_octaves`: equal ways of the fader are equal steps to the ear, as of Hz.
    """

    id: str
    label: str
    address: str
    arguments: tuple[Value, ...] = ()
    range: tuple[float, float] | None = None
    initial: float = 0.0
    in_octaves: bool = False

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
            f"pad_{reference}_{voice}_{clip}", f"VAR{{mark, {UNKNOWN}}} {clip}", "/fuse",
            (fuse_id(reference, voice, clip), voice, str(clip), str(reference)),
        )
        for voice in VOICES for clip in CLIPS
    ]  # fmt: skip


def voice_controls(voice: int) -> tuple[Control, ...]:
    """A voice's faders, and its buttons."""
    return (*voice_faders(voice), *voice_buttons(voice))


def voice_faders(voice: int) -> tuple[Control, ...]:
    """A voice's blend, gain and filter."""
    highest = min(6.0, VOICE_RANGES["gain"][1])
    return (
        Control(f"blend_{voice}", "blend", "/scrub", (voice,), (0.0, 1.0), 0.5),
        Control(f"gain_{voice}", "gain", "/voice/set", (voice, "gain"), (QUIET_DB, highest)),
        Control(f"cutoff_{voice}", "filter", "/voice/filter", (voice, "low"), CUTOFFS_HZ,
                CUTOFFS_HZ[1], in_octaves=True),
    )  # fmt: skip


def voice_buttons(voice: int) -> tuple[Control, ...]:
    """Of a voice, what ends it, fuses the input on it, and goes back."""
    return (
        Control(f"stop_{voice}", "stop", "/stop", (voice,)),
        Control(f"live_{voice}", "live", "/live", (voice, str(REFERENCES[0]))),
        Control(f"undo_{voice}", "undo", "/undo", (voice,)),
    )


LOAD = Control("load", "load pads", "/preset/load", (LOAD_ID, "pads"))
PANIC = Control("panic", "panic", "/panic")
TAP = Control("tap", "tap", "/tempo/tap")
MASTER = Control("master", "master", "/master/gain", (), (QUIET_DB, 6.0))


def controls() -> list[Control]:
    """All controls."""
    return [
        LOAD, MASTER, TAP, PANIC,
        *(control for voice in VOICES for control in voice_controls(voice)),
        *(pad for reference in REFERENCES for pad in pads(reference)),
    ]  # fmt: skip


def at(kind: type[Answer], name: str) -> str:
    """Where an event of this kind holds what has this name, as a script writes it."""
    names = [each.name for each in annotated_arguments(kind)]
    return f"value[{names.index(name)}]"


def own(kind: type[Answer]) -> str:
    """Whether it was this client that changed what an event is about: its faders are right."""
    return f"{at(kind, 'by')} === globals.number"


def scripts() -> dict[str, str]:
    """What is done with each answer and event, by address.

    Others move the same controls: faders follow `/voice` and `/master`, without sending again.
    """
    voice = at(VoiceState, "voice")
    follow = f"if (!({own(VoiceState)})) {{ " + " ".join(
        f"set('{name}_' + {voice}, {at(VoiceState, name)}, {{send: false}});"
        for name in ("blend", "gain")
    )  # fmt: skip
    pair = f"{at(VoiceState, 'reference')} + ' ' + {at(VoiceState, 'original')}"
    waiting = f"'waiting ' + Math.round(100 * {at(VoiceState, 'fraction')}) + ' %'"
    state = at(VoiceState, "state")
    return {
        "/voice": (
            f"if ({voice} <= {VOICES[-1]}) {{ "
            f"set('state_' + {voice}, {state} === 'waiting' ? {waiting} : {state}); {follow} }} "
            f"globals.plays({voice}, {state} === 'silent' ? '' : {pair}) }}"
        ),
        "/master": (
            f"if (!({own(Master)})) set('master', {at(Master, 'gain')}, {{send: false}})"
        ),
        "/voice/strip": (
            f"if ({at(VoiceStrip, 'voice')} <= {VOICES[-1]} && !({own(VoiceStrip)})) "
            f"set('cutoff_' + {at(VoiceStrip, 'voice')}, {at(VoiceStrip, 'cutoff')}, "
            "{send: false})"
        ),
        "/meter": (
            f"if ({at(Meter, 'voice')} > 0 && {at(Meter, 'voice')} <= {VOICES[-1]}) "
            f"set('meter_' + {at(Meter, 'voice')}, {at(Meter, 'level')}, {{send: false}})"
        ),
        "/pair.reply": (
            f"if ({at(PairReply, 'voice')} === 0) {{ "  # not what others ask about their voices
            f"globals.marks[{at(PairReply, 'reference')} + ' ' + {at(PairReply, 'original')}] = "
            f"{json.dumps(MARKS, ensure_ascii=False)}[{at(PairReply, 'state')}]; "
            f"globals.draw({at(PairReply, 'reference')}, {at(PairReply, 'original')}) }}"
        ),
        "/clip": f"set('message', 'clip ' + {at(Clip, 'clip')} + ': ' + {at(Clip, 'state')})",
        "/reference": (
            f"set('message', 'reference ' + {at(Reference, 'reference')} + ': ' + "
            f"{at(Reference, 'state')})"
        ),
        "/progress": (
            f"if (value[0] === {LOAD_ID}) "
            "set('message', value[1] + ' ' + Math.round(100 * value[2]) + ' %')"
        ),
        "/done": (
            f"if (value[0] === '{PREFIX}/notify') globals.number = value[2]; "
            f"if (value[0] === '{PREFIX}{LOAD.address}') set('message', 'the pads are ready')"
        ),
        "/fail": (
            f"if (value[2] !== 'cancelled' && value[0] !== '{PREFIX}/pair') "
            "set('message', value[3])"
        ),
        "/engine": (
            f"set('engine', 'engine: ' + {at(Engine, 'state')} + ' ' + "
            f"Math.round(100 * {at(Engine, 'fraction')}) + ' %, ' + {at(Engine, 'model')})"
        ),
        "/xrun": "set('lost', 'dropouts: ' + value)",
        "/seq": "globals.heard = Date.now()",
    }  # fmt: skip


def listeners() -> Iterator[Widget]:
    """Invisible widgets that show the daemon's answers and events in the others."""
    known = {spec.address for spec in ANSWERS}
    for address, script in scripts().items():
        if address not in known:
            raise ValueError(f"the daemon never sends {address}")
        name = re.sub("[/.]", "_", address)
        yield {"type": "variable", "id": f"on{name}", "address": PREFIX + address,
               "onValue": script}  # fmt: skip


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
        if control.in_octaves:
            widget["logScale"] = True
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
    meter = {
        "type": "fader", "id": f"meter_{voice}",
        "range": {"min": QUIET_DB, "max": 0}, "default": QUIET_DB, "design": "compact",
        "interaction": False, "bypass": True, "width": 30,
    }  # fmt: skip
    faders = [*(control_widget(each, expand=True) for each in voice_faders(voice)), meter]
    buttons = [control_widget(each, expand=True) for each in voice_buttons(voice)]
    return panel(f"voice_{voice}", "vertical", [
        text(f"name_{voice}", f"voice {voice}", height=30),
        text(f"state_{voice}", "silent", height=30),
        panel(f"faders_{voice}", "horizontal", faders, expand=True),
        panel(f"buttons_{voice}", "horizontal", buttons, height=50),
    ], expand=True)  # fmt: skip


ON_CREATE = f"""\
globals.number = 0; globals.heard = 0; globals.marks = {{}}; globals.playing = {{}}
globals.draw = function(reference, clip) {{
  if (!(reference <= {REFERENCES[-1]} && clip <= {CLIPS[-1]})) return  // not one of these pads
  for (var voice = {VOICES[0]}; voice <= {VOICES[-1]}; voice++) {{
    var pair = reference + ' ' + clip
    setVar('pad_' + reference + '_' + voice + '_' + clip, 'mark',
           globals.playing[voice] === pair ? '{PLAYING}' : globals.marks[pair] || '{UNKNOWN}')
  }}
}}
globals.plays = function(voice, pair) {{
  var pairs = [globals.playing[voice], pair]
  globals.playing[voice] = pair
  for (var each of pairs) if (each) globals.draw.apply(null, each.split(' '))
}}
var ask = function() {{
  if (Date.now() - globals.heard > {LOST_MS})
    send('{PREFIX}/notify', 1, '@meter', 1, '@name', 'pads')
  for (var reference of {list(REFERENCES)}) for (var clip of {list(CLIPS)})
    send('{PREFIX}/pair', 100 * reference + clip, String(clip), String(reference))
}}
ask(); setInterval(ask, {RENEW_MS})"""
"""Events are asked for again if the daemon is silent; a pair that was asked about is followed."""


def session() -> Widget:
    """The whole session file."""
    header = panel("header", "horizontal", [
        control_widget(LOAD, width=110), text("engine", "engine: not connected", expand=True),
        text("lost", "dropouts: 0", width=140),
        control_widget(MASTER, expand=True, horizontal=True), control_widget(TAP, width=110),
        control_widget(PANIC, width=110),
    ], height=70)  # fmt: skip
    pages = [
        {"type": "tab", "id": f"reference_{reference}", "label": f"reference {reference}",
         "layout": "grid", "gridTemplate": len(CLIPS),
         "widgets": [control_widget(pad, width="auto", height="auto") for pad in pads(reference)]}
        for reference in REFERENCES
    ]  # fmt: skip
    return {
        "createdWith": "Open Stage Control", "version": VERSION, "type": "session",
        "content": {
            "type": "root", "id": "root", "layout": "vertical",
            "onCreate": ON_CREATE,
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
| connect | button | `{PREFIX}/notify` | `iisi` | 1 9000 @meter 1 |
"""

RECEIVED = (
    ("engine", "label", Engine), ("voice state, blend, gain", "labels and faders", VoiceState),
    ("filter", "fader", VoiceStrip), ("master", "fader", Master), ("level", "meter", Meter),
    ("pad", "colour", PairReply), ("clips", "label", Clip), ("references", "label", Reference),
    ("message", "label", Fail), ("dropouts", "label", Xrun),
)  # fmt: skip
"""What a layout may show, and the event that says it."""


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
        "`connect` sends the receive port, 9000 here, and asks for levels, too (`@meter 1`):",
        "answers and events arrive there as long as something is sent at least every 30 s. First",
        "come events for all there is, then whatever changes, whoever changes it. After a longer",
        "pause, press it again.",
        "",
        "| display | kind | address | arguments received |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {kind} | `{PREFIX}{event.address}` | "
        f"{', '.join(each.name for each in annotated_arguments(event))} |"
        for name, kind, event in RECEIVED
    ]
    lines += [
        "",
        "`by` is the number of the client that moved the control last; `/done /eutectic/notify`",
        "tells the tablet its own. While a fader is being touched, ignore what has that number.",
        "A pad is told of its pair (`now`, `later`, `working`, `never`) once it has asked:",
        "`/eutectic/pair 1 CLIP REFERENCE`, also with *load*. What has another `voice` than 0 is",
        "about that voice's settings, which others asked about.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Check every control, then write both files."""
    for control in controls():
        control.check()
    (HERE / "eutectic.json").write_text(json.dumps(session(), indent=1) + "\n")
    (HERE / "TOUCHOSC.md").write_text(touchosc())


if __name__ == "__main__":
    main()
