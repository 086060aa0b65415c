"""Patchers to begin with, and the overview in Max's Extras menu."""

from __future__ import annotations

from collections.abc import Callable

import abstractions
import steps
from py2max.core.box import Box
from sheet import Sheet, options


def two_knobs() -> Sheet:
    """Blend and guidance on two knobs."""
    sheet = Sheet(
        "Two knobs",
        "One fusion: a knob for blend, which MIDI's controller 1 moves, too, and one for guidance.",
    )
    steps.connect(sheet)
    steps.prepare(sheet)
    sheet.section("3. Fuse", beside=True)
    fuse = sheet.message(f"fuse glass low {options('/fuse', blend=0.5, loop=1)}")
    stop = sheet.message("stop 500")
    blend = sheet.ui("dial", (60, 60), "blend: heard at once", size=1.0, floatoutput=1)
    cfg = sheet.ui("dial", (60, 60), "guidance: fused anew", size=10.0, floatoutput=1)
    slow = sheet.obj("speedlim 150", "not more often than this")
    anew = sheet.message(f"fuse glass low {options('/fuse', cfg='$1', loop=1)}")
    voice = sheet.window("eutectic.voice 1 1", abstractions.SEEN["eutectic.voice"])
    sheet.chain(blend, voice)
    sheet.chain(cfg, slow, anew, voice)
    sheet.cord(fuse, voice)
    sheet.cord(stop, voice)
    sheet.cord(voice, sheet.ui("toggle", (24, 24), "playing"))
    steps.show(sheet, voice, 1, "answers")
    return sheet


def eight_pads() -> Sheet:
    """Eight clips on four voices, by mouse or MIDI notes 36 to 43."""
    pads, voices, lowest = range(1, 9), range(1, 5), 36
    sheet = Sheet(
        "Eight pads",
        "Click a pad, or play MIDI notes 36 to 43: how hard is how loud. Two pads share a voice.",
    )
    sheet.section("1. The preset pads: clips 1 to 8, references 1 and 2, four voices")
    load = sheet.message("/preset/load 1 pads")
    window = sheet.window("eutectic", steps.CONNECTION)
    sheet.chain(load, window)
    steps.show(sheet, window, 0, "not loaded yet")
    sheet.section("2. Play")
    notes = sheet.obj("notein", wide=110)
    only_on = sheet.obj("stripnote", wide=90)
    pair = sheet.obj("pack 0 0", wide=90)
    sort = sheet.obj("route " + " ".join(str(lowest + pad - 1) for pad in pads), wide=1420)
    sheet.cord(notes, only_on)
    sheet.cord(notes, only_on, 1, 1)
    sheet.cord(only_on, pair)
    sheet.cord(only_on, pair, 1, 1)
    sheet.cord(pair, sort)
    players = [sheet.obj(f"eutectic.voice {voice}", wide=110) for voice in voices]
    for pad in pads:
        button = sheet.ui("textbutton", (60, 40), row=4, text=str(pad))
        hard = sheet.obj("t 100")
        fuse = sheet.message(f"fuse {pad} 1 {options('/fuse', velocity='$1')}")
        sheet.cord(sort, fuse, pad - 1)
        sheet.chain(button, hard, fuse, players[(pad - 1) // 2])
    return sheet


def step_sequencer() -> Sheet:
    """A bar of sixteen steps, sent at its beginning with the time of each."""
    steps_a_bar = 16
    sheet = Sheet(
        "Step sequencer",
        "Each bar is sent as it begins: every step says in how many milliseconds it is to be "
        "heard, and the daemon plays it on that frame, however busy Max is.",
    )
    steps.connect(sheet)
    steps.prepare(sheet)
    sheet.section("3. Draw how loud each step is, and start.", beside=True)
    tempo = sheet.obj("loadmess 125")
    step_ms = sheet.ui("number", (60, 22), "ms a step, 500 at most", minimum=20, maximum=500)
    both = sheet.obj("t i i", wide=120)
    bar_ms = sheet.obj(f"* {steps_a_bar}")
    run = sheet.ui("toggle", (24, 24), "start")
    bar = sheet.obj("metro 2000", wide=90)
    loud = sheet.ui(
        "multislider", (320, 100), size=steps_a_bar, setminmax=[0.0, 127.0], settype=0, setstyle=1
    )
    numbered = sheet.obj("listfunnel")
    each = sheet.obj("unpack 0 0", wide=120)
    velocity = sheet.obj("t i i", wide=80)
    sounds = sheet.obj("> 0", "0 is a rest")
    when = sheet.obj("* 125", wide=60)
    gate = sheet.obj("gate")
    pair = sheet.obj("pack 0 0", wide=80)
    fuse = sheet.message(f"fuse glass low {options('/fuse', at_ms='$1', velocity='$2')}")
    voice = sheet.window("eutectic.voice 1", abstractions.SEEN["eutectic.voice"])
    sheet.chain(tempo, step_ms, both, bar_ms)
    sheet.cord(bar_ms, bar, inlet=1)
    sheet.cord(both, when, 1, 1)
    sheet.chain(run, bar, loud, numbered, each, when)
    sheet.cord(each, velocity, 1)
    sheet.cord(velocity, pair, 0, 1)
    sheet.cord(velocity, sounds, 1)
    sheet.cord(sounds, gate)
    sheet.cord(when, gate, inlet=1)
    sheet.chain(gate, pair, fuse, voice)
    steps.show(sheet, voice, 1, "answers")
    return sheet


def grains() -> Sheet:
    """Short pieces of a rendered fusion, from anywhere in it."""
    sheet = Sheet(
        "Grains", "A fusion is rendered into a buffer~, and played in grains from anywhere in it."
    )
    steps.connect(sheet)
    steps.prepare(sheet)
    sheet.section("3. Render, then start the grains.", beside=True)
    render = sheet.message(f"render glass low {options('/render', blend=0.5)}")
    box = sheet.obj("eutectic.buffer grains", wide=160)
    length = sheet.obj("expr 1000. * $i1 / $i2", "its length in ms")
    run = sheet.ui("toggle", (24, 24), "start")
    every = sheet.obj("metro 90")
    anywhere = sheet.obj("random 1000", wide=90)
    order = sheet.obj("t b i")
    shape = sheet.message("0, 1. 15 1. 50 0. 15")
    ramp = sheet.obj("line~")
    speed = sheet.ui("flonum", (60, 22), "speed")
    rate = sheet.obj("sig~ 1.")
    groove = sheet.obj("groove~ grains 2", numinlets=3, numoutlets=3, wide=110)
    left, right = sheet.obj("*~"), sheet.obj("*~")
    sheet.chain(render, box, length)
    steps.show(sheet, box, 1, "answers")
    sheet.cord(length, anywhere, inlet=1)
    sheet.chain(run, every, anywhere, order, shape, ramp)
    sheet.cord(order, groove, 1)
    sheet.chain(speed, rate, groove)
    for outlet, scaled in enumerate((left, right)):
        sheet.cord(groove, scaled, outlet)
        sheet.cord(ramp, scaled, inlet=1)
    steps.play(sheet, left, right)
    return sheet


def handoff() -> Sheet:
    """Two buffers in turn: one is rendered while the other is heard."""
    sheet = Sheet(
        "Handoff",
        "Two buffers~ in turn: a new fusion is rendered while the old one is heard, and comes in "
        "when it is there.",
    )
    steps.connect(sheet)
    steps.prepare(sheet)
    sheet.section("3. Each click renders with another blend.", beside=True)
    click = sheet.ui("textbutton", (80, 22), text="render")
    order = sheet.obj("t b b", wide=120)
    turn = sheet.obj("counter 1 2")
    blend = sheet.ui("flonum", (60, 22), "blend", minimum=0.0, maximum=1.0)
    render = sheet.message(f"render glass low {options('/render', blend='$1')}")
    gate = sheet.obj("gate 2", wide=160)
    sheet.chain(click, order, blend, render)
    sheet.cord(order, turn, 1)
    sheet.cord(turn, gate)
    sheet.cord(render, gate, inlet=1)
    rate = sheet.obj("sig~ 1.")
    cross = sheet.obj("line~ 0.")
    other = sheet.obj("!-~ 1.")
    sheet.cord(cross, other)
    sides: list[Box] = []
    for at, (name, level) in enumerate((("first", other), ("second", cross))):
        box = sheet.obj(f"eutectic.buffer {name}")
        there = sheet.obj("t b b", wide=90)
        fade = sheet.message(f"{at}. 400")
        start = sheet.message("startloop")
        groove = sheet.obj(f"groove~ {name} 2 @loop 1", numinlets=3, numoutlets=3)
        sheet.cord(gate, box, at)
        sheet.chain(box, there, fade, cross)
        sheet.cord(there, start, 1)
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


EXAMPLES: dict[str, tuple[str, Callable[[], Sheet]]] = {
    "eutectic.two-knobs": ("blend and guidance on two knobs", two_knobs),
    "eutectic.eight-pads": ("eight pads, by mouse or MIDI", eight_pads),
    "eutectic.step-sequencer": ("sixteen steps, on the frame", step_sequencer),
    "eutectic.grains": ("grains of a rendered fusion", grains),
    "eutectic.handoff": ("two buffers in turn", handoff),
}


def overview() -> Sheet:
    """In Max's Extras menu."""
    sheet = Sheet(
        "Eutectic",
        "Fuses two sounds into a third, while you play. Run eutectic serve in a terminal; "
        "PROTOCOL.md lists its messages.",
    )
    sheet.section("The connection: one in a Max")
    sheet.window("eutectic", steps.CONNECTION)
    sheet.section("Abstractions: right-click for their help, double-click to see inside.")
    what = (
        ("eutectic.voice 1", "fuses and plays"), ("eutectic.clip glass", "a sound"),
        ("eutectic.reference low", "a sound that is learned"),
        ("eutectic.buffer fused", "a fusion in a buffer~"),
    )  # fmt: skip
    for row, (box, text) in enumerate(what):
        sheet.obj(box, text, row=row)
    sheet.section("Examples", beside=True)
    for at, (name, (text, _)) in enumerate(EXAMPLES.items()):
        if at:
            sheet.section()
        sheet.chain(sheet.message(f"load {name}.maxpat", text), sheet.obj("pcontrol"))
    return sheet
