"""Example patchers, and the overview in Max's Extras menu."""

from __future__ import annotations

from collections.abc import Callable

import steps
from py2max.core.box import Box
from sheet import Sheet, options


def two_knobs() -> Sheet:
    """Blend and recall on two knobs."""
    sheet = Sheet(
        "Two knobs",
        "One fusion, with a knob for blend (also on MIDI controller 1) and one for recall.",
    )
    steps.connect(sheet)
    steps.prepare(sheet)
    sheet.section("3. Fuse.", beside=True)
    fuse = sheet.message(f"fuse glass low {options('/fuse', blend=0.5, loop=1)}")
    stop = sheet.message("stop 500")
    blend = sheet.ui("dial", (60, 60), "blend: heard at once", size=1.0, floatoutput=1)
    recall = sheet.ui("dial", (60, 60), "recall: what plays is made again", size=1.0, floatoutput=1)
    named = sheet.obj("prepend recall")
    voice = sheet.bpatcher("eutectic.voice 1 1")
    sheet.chain(blend, voice)
    sheet.chain(recall, named, voice)
    steps.try_out(sheet, (fuse, stop), voice, ("toggle", "playing"))
    return sheet


def eight_pads() -> Sheet:
    """Eight clips on four voices, by mouse or MIDI notes 36 to 43."""
    pads, voices, lowest = range(1, 9), range(1, 5), 36
    sheet = Sheet(
        "Eight pads",
        "Click a pad, or play MIDI notes 36 to 43 with velocity. Each pair of pads shares a voice.",
    )
    sheet.section("1. Load the preset pads: clips 1 to 8, references 1 and 2, four voices.")
    load = sheet.message("/preset/load 1 pads")
    panel = sheet.bpatcher("eutectic")
    sheet.chain(load, panel)
    steps.show(sheet, panel, 0, "not loaded yet")
    sheet.section("2. Play.")
    notes = sheet.obj("notein", min_width=110)
    note_ons = sheet.obj("stripnote", min_width=90)
    pair = sheet.obj("pack 0 0", min_width=90)
    sort = sheet.obj("route " + " ".join(str(lowest + pad - 1) for pad in pads), min_width=1420)
    sheet.cord(notes, note_ons)
    sheet.cord(notes, note_ons, 1, 1)
    sheet.cord(note_ons, pair)
    sheet.cord(note_ons, pair, 1, 1)
    sheet.cord(pair, sort)
    boxes = [sheet.obj(f"eutectic.voice {voice}", min_width=110) for voice in voices]
    for pad in pads:
        button = sheet.ui("textbutton", (60, 40), row=4, text=str(pad))
        velocity = sheet.obj("t 100")
        fuse = sheet.message(f"fuse {pad} 1 {options('/fuse', velocity='$1')}")
        sheet.cord(sort, fuse, pad - 1)
        sheet.chain(button, velocity, fuse, boxes[(pad - 1) // 2])
    return sheet


def step_sequencer() -> Sheet:
    """A bar of sixteen steps, all sent at its start, each with its time."""
    steps_per_bar = 16
    sheet = Sheet(
        "Step sequencer",
        "Each bar is sent as it starts: every step carries the milliseconds until it is due, and "
        "the daemon plays it on that frame, however busy Max is.",
    )
    steps.connect(sheet)
    steps.prepare(sheet)
    sheet.section("3. Draw the velocity of each step, and start.", beside=True)
    tempo = sheet.obj("loadmess 125")
    step_ms = sheet.ui("number", (60, 22), "ms per step, 500 at most", minimum=20, maximum=500)
    both = sheet.obj("t i i", min_width=120)
    bar_ms = sheet.obj(f"* {steps_per_bar}")
    run = sheet.ui("toggle", (24, 24), "start")
    bar = sheet.obj("metro 2000", min_width=90)
    velocities = sheet.ui(
        "multislider", (320, 100), size=steps_per_bar, setminmax=[0.0, 127.0], settype=0, setstyle=1
    )
    numbered = sheet.obj("listfunnel")
    each = sheet.obj("unpack 0 0", min_width=120)
    velocity = sheet.obj("t i i", min_width=80)
    sounds = sheet.obj("> 0", "0 is a rest")
    time_ms = sheet.obj("* 125", min_width=60)
    gate = sheet.obj("gate")
    pair = sheet.obj("pack 0 0", min_width=80)
    fuse = sheet.message(f"fuse glass low {options('/fuse', at_ms='$1', velocity='$2')}")
    voice = sheet.bpatcher("eutectic.voice 1")
    sheet.chain(tempo, step_ms, both, bar_ms)
    sheet.cord(bar_ms, bar, inlet=1)
    sheet.cord(both, time_ms, 1, 1)
    sheet.chain(run, bar, velocities, numbered, each, time_ms)
    sheet.cord(each, velocity, 1)
    sheet.cord(velocity, pair, 0, 1)
    sheet.cord(velocity, sounds, 1)
    sheet.cord(sounds, gate)
    sheet.cord(time_ms, gate, inlet=1)
    sheet.chain(gate, pair, fuse, voice)
    steps.show(sheet, voice, 1, "answers")
    return sheet


def grains() -> Sheet:
    """Grains from random positions in a rendered fusion."""
    sheet = Sheet(
        "Grains", "A fusion is rendered into a buffer~ and played as grains from random positions."
    )
    steps.connect(sheet)
    steps.prepare(sheet)
    sheet.section("3. Render, then start the grains.", beside=True)
    render = sheet.message(f"render glass low {options('/render', blend=0.5)}")
    box = sheet.obj("eutectic.buffer grains", min_width=160)
    length = sheet.obj("expr 1000. * $i1 / $i2", "its length in ms")
    run = sheet.ui("toggle", (24, 24), "start")
    every = sheet.obj("metro 90")
    position = sheet.obj("random 1000", min_width=90)
    order = sheet.obj("t b i")
    envelope = sheet.message("0, 1. 15 1. 50 0. 15")
    ramp = sheet.obj("line~")
    speed = sheet.ui("flonum", (60, 22), "speed")
    rate = sheet.obj("sig~ 1.")
    groove = sheet.obj("groove~ grains 2", numinlets=3, numoutlets=3, min_width=110)
    left, right = sheet.obj("*~"), sheet.obj("*~")
    sheet.chain(render, box, length)
    steps.show(sheet, box, 1, "answers")
    sheet.cord(length, position, inlet=1)
    sheet.chain(run, every, position, order, envelope, ramp)
    sheet.cord(order, groove, 1)
    sheet.chain(speed, rate, groove)
    for outlet, scaled in enumerate((left, right)):
        sheet.cord(groove, scaled, outlet)
        sheet.cord(ramp, scaled, inlet=1)
    steps.play(sheet, left, right)
    return sheet


def handoff() -> Sheet:
    """Two buffers in turn: one plays while the other is rendered."""
    sheet = Sheet(
        "Handoff",
        "Two buffer~s in turn: a new fusion is rendered while the old one plays, and fades in when "
        "it is ready.",
    )
    steps.connect(sheet)
    steps.prepare(sheet)
    sheet.section("3. Set a blend, and click to render with it.", beside=True)
    click = sheet.ui("textbutton", (80, 22), text="render")
    order = sheet.obj("t b b", min_width=120)
    turn = sheet.obj("counter 1 2")
    blend = sheet.ui("flonum", (60, 22), "blend", minimum=0.0, maximum=1.0)
    render = sheet.message(f"render glass low {options('/render', blend='$1')}")
    gate = sheet.obj("gate 2", min_width=160)
    sheet.chain(click, order, blend, render)
    sheet.cord(order, turn, 1)
    sheet.cord(turn, gate)
    sheet.cord(render, gate, inlet=1)
    rate = sheet.obj("sig~ 1.")
    fade_in = sheet.obj("line~ 0.")
    fade_out = sheet.obj("!-~ 1.")
    sheet.cord(fade_in, fade_out)
    sides: list[Box] = []
    for at, (name, level) in enumerate((("first", fade_out), ("second", fade_in))):
        box = sheet.obj(f"eutectic.buffer {name}")
        ready = sheet.obj("t b b", min_width=90)
        fade = sheet.message(f"{at}. 400")
        start = sheet.message("startloop")
        groove = sheet.obj(f"groove~ {name} 2 @loop 1", numinlets=3, numoutlets=3)
        sheet.cord(gate, box, at)
        sheet.chain(box, ready, fade, fade_in)
        sheet.cord(ready, start, 1)
        sheet.cord(start, groove)
        sheet.cord(rate, groove)
        for outlet in range(2):
            scaled = sheet.obj("*~")
            sheet.cord(groove, scaled, outlet)
            sheet.cord(level, scaled, inlet=1)
            sides.append(scaled)
    left, right = sheet.obj("+~"), sheet.obj("+~")
    for at, side in enumerate(sides):
        sheet.cord(side, (left, right)[at % 2], inlet=at // 2)
    steps.play(sheet, left, right)
    return sheet


def played() -> Sheet:
    """What was just heard, the input, a keyboard, and a finger between four sounds."""
    sheet = Sheet(
        "Played",
        "A set that is played by hand. It hears the input of the system, or of eutectic serve "
        "--input NAME; without one, 2 and 3 say so, and the rest plays.",
    )
    sheet.section("1. Load the preset played, and set the tempo. Record it, and each voice.")
    record = sheet.ui("textbutton", (60, 22), text="record")
    named = sheet.obj("sprintf /record/start 2 played-%ld.wav @stems 1", min_width=330)
    sheet.chain(record, sheet.obj("counter 1 999"), named)
    others = sheet.messages("/preset/load 1 played", "/record/stop 3")
    panel = sheet.bpatcher("eutectic")
    for source in (*others, named):
        sheet.cord(source, panel)
    steps.show(sheet, panel, 1, "what failed")
    beats = sheet.obj("eutectic.tempo", min_width=160)
    for message in sheet.messages("120. 0.", "tap"):
        sheet.cord(message, beats)
    sheet.cord(beats, sheet.ui("number", (60, 22), "beat"))
    _grabbed(sheet)
    _live(sheet)
    _keyboard(sheet)
    _four_sounds(sheet)
    return sheet


def _grabbed(sheet: Sheet) -> None:
    sheet.section("2. Grab the last four seconds, and fuse them on the beat.")
    grab = sheet.message("grab 4.")
    timed = options("/fuse", beats=8, quantise=1)
    fuse = sheet.message(f"fuse grabbed drone {timed}")
    voice = sheet.bpatcher("eutectic.voice 1")
    sheet.chain(grab, sheet.bpatcher("eutectic.clip grabbed"), fuse, voice)
    for message in sheet.messages("undo", "redo", "keep mine", "favourite mine"):
        sheet.cord(message, voice)


def _live(sheet: Sheet) -> None:
    sheet.section("3. Fuse each bar that comes in; it sounds some bars later.", beside=True)
    switch = sheet.ui("toggle", (24, 24), "live")
    sort = sheet.obj("sel 1 0", min_width=90)
    begin = sheet.message(f"live drone {options('/live', every=4, unit='beats')}")
    end = sheet.message("live stop")
    voice = sheet.bpatcher("eutectic.voice 2")
    sheet.chain(switch, sort, begin, voice)
    sheet.cord(sort, end, 1)
    sheet.cord(end, voice)


def _keyboard(sheet: Sheet) -> None:
    sheet.section("4. Fuse the bell, then play it: here, or on a MIDI keyboard.")
    fuse = sheet.message("fuse bell hum")
    cutoff = sheet.ui("dial", (60, 60), "filter", size=8000.0, min=100.0, floatoutput=1)
    voice = sheet.bpatcher("eutectic.voice 3")
    sheet.chain(fuse, voice)
    sheet.chain(cutoff, sheet.obj("prepend cutoff"), voice)
    gate = options("/note", gate=1.0)
    keys = sheet.obj("eutectic.keys 3", min_width=160)
    notes = [f"{note} 100 {gate}" for note in (60, 64, 67)]
    for message in sheet.messages(*notes, "envelope 400. 0. 1. 2000."):
        sheet.cord(message, keys)


def _four_sounds(sheet: Sheet) -> None:
    sheet.section("5. Four sounds, one in each corner; move between them.", beside=True)
    pad = sheet.message(
        f"pad glass:drone bell:drone glass:hum bell:hum {options('/pad/xy', loop=1)}"
    )
    x, y = (sheet.ui("dial", (60, 60), way, size=1.0, floatoutput=1) for way in ("x", "y"))
    again = sheet.obj("t b f", min_width=60)
    pair = sheet.obj("pack 0. 0.", min_width=120)
    voice = sheet.bpatcher("eutectic.voice 4")
    sheet.chain(pad, voice)
    sheet.chain(x, pair, sheet.obj("prepend xy"), voice)
    sheet.cord(y, again)
    sheet.cord(again, pair)
    sheet.cord(again, pair, 1, 1)


EXAMPLES: dict[str, tuple[str, Callable[[], Sheet]]] = {
    "eutectic.two-knobs": ("blend and guidance on two knobs", two_knobs),
    "eutectic.eight-pads": ("eight pads, by mouse or MIDI", eight_pads),
    "eutectic.step-sequencer": ("sixteen steps, timed to the frame", step_sequencer),
    "eutectic.grains": ("grains of a rendered fusion", grains),
    "eutectic.played": ("grab, live, a keyboard, four sounds", played),
    "eutectic.handoff": ("two buffers in turn", handoff),
}


def overview() -> Sheet:
    """`Eutectic.maxpat` in Max's Extras menu."""
    sheet = Sheet(
        "Eutectic",
        "Fuses two sounds into a third, while you play. Run eutectic serve in a terminal; "
        "PROTOCOL.md lists its messages.",
    )
    sheet.section("The connection: one is enough in Max.")
    sheet.bpatcher("eutectic")
    sheet.section("Abstractions: right-click for help, double-click to look inside.")
    abstractions = (
        ("eutectic.voice 1", "fuses and plays"), ("eutectic.clip glass", "a sound"),
        ("eutectic.reference low", "a sound that gives its character"),
        ("eutectic.buffer fused", "a fusion in a buffer~"),
        ("eutectic.keys 1", "a fusion on a keyboard"), ("eutectic.tempo", "beats"),
    )  # fmt: skip
    for row, (box, text) in enumerate(abstractions):
        sheet.obj(box, text, row=row)
    sheet.section("Examples", beside=True)
    for at, (name, (text, _)) in enumerate(EXAMPLES.items()):
        if at:
            sheet.section()
        sheet.chain(sheet.message(f"load {name}.maxpat", text), sheet.obj("pcontrol"))
    return sheet
