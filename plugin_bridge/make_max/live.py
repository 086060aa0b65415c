"""The patcher of a Max for Live device: renders a fusion, and plays it on Live's track."""

from __future__ import annotations

from typing import Any

import connection
from py2max.core.box import Box
from sheet import Sheet, options

NAMES = ("off", "on")


def _parameter(name: str, **more: Any) -> dict[str, Any]:
    """What Live knows of a control: its name, what it may be, and what it is at first."""
    value = {"parameter_longname": name, "parameter_shortname": name, "parameter_modmode": 0}
    return {
        "parameter_enable": 1,
        "varname": name,
        "saved_attribute_attributes": {
            "valueof": value | {f"parameter_{key}": item for key, item in more.items()}
        },
    }


def _dial(sheet: Sheet, name: str, low: float, high: float, first: float) -> Box:
    ranges = {"mmin": low, "mmax": high, "initial": [first]}
    shown = _parameter(name, type=0, unitstyle=1, initial_enable=1, **ranges)
    return sheet.ui("live.dial", (44, 48), **shown)


def _text(sheet: Sheet, name: str, mode: int) -> Box:
    """A button (mode 0), or a switch (1)."""
    shown = _parameter(name, type=2, mmax=1, enum=list(NAMES))
    return sheet.ui("live.text", (60, 20), text=name, texton=name, mode=mode, **shown)


def _name(sheet: Sheet, word: str, first: str) -> tuple[Box, Box]:
    """A field for the name of a clip or a reference; returns it and what it says."""
    field = sheet.ui("textedit", (90, 20), text=first, keymode=1, lines=1)
    said = sheet.obj("route text")
    sheet.chain(sheet.obj(f"loadmess set {word}"), field, said)
    return field, said


def device() -> Sheet:
    """`Eutectic for Live.maxpat`."""
    sheet = Sheet(
        "Eutectic for Live",
        "To be saved as a Max Audio Effect (the README says how). It renders a fusion of a clip "
        "and a reference that the daemon has, and plays it on this track, over what comes in.",
        presentation=True,
    )
    _rendering(sheet)
    _playing(sheet)
    sheet.section("3. The connection")
    window = sheet.window("eutectic", connection.SEEN)
    sheet.show(window, 8, 8, 260, 60)
    sheet.patcher.devicewidth = 400.0
    return sheet


def _rendering(sheet: Sheet) -> None:
    sheet.section("1. What is rendered, when Render asks for it.")
    original, first = _name(sheet, "glass", "glass")
    reference, second = _name(sheet, "low", "low")
    blend = _dial(sheet, "Blend", 0.0, 1.0, 0.5)
    render = _text(sheet, "Render", 0)
    order = sheet.obj("t b b b", wide=160)
    kept = sheet.obj("f")
    sources = sheet.obj("join 3 @triggers 2", wide=180)
    ask = sheet.message(f"render $1 $2 {options('/render', blend='$3')}")
    box = sheet.obj("eutectic.buffer ---fused", wide=160)
    sheet.chain(render, order, kept)
    sheet.cord(blend, kept, inlet=1)
    sheet.cord(kept, sources, inlet=2)
    sheet.chain(sources, ask, box)
    sheet.cord(order, reference, 1)
    sheet.cord(order, original, 2)
    sheet.cord(first, sources)
    sheet.cord(second, sources, inlet=1)
    line = sheet.obj("prepend set")
    said = sheet.ui("comment", (180, 20), text="nothing rendered yet")
    sheet.cord(box, line, 1)
    sheet.cord(line, said)
    there = sheet.obj("t b")
    sheet.chain(box, there, sheet.obj("s ---start"))
    words = [sheet.ui("comment", (70, 20), text=text) for text in ("clip", "reference")]
    for at, (word, field) in enumerate(zip(words, (original, reference), strict=True)):
        sheet.show(word, 8, 76 + 24 * at, 70, 20)
        sheet.show(field, 82, 76 + 24 * at, 186, 20)
    sheet.show(said, 8, 132, 260, 20)
    sheet.show(blend, 284, 8, 44, 48)
    sheet.show(render, 280, 76, 52, 20)


def _playing(sheet: Sheet) -> None:
    sheet.section("2. What is heard: the track, and the fusion in a loop.", beside=True)
    starts = sheet.obj("r ---start")
    start = sheet.message("startloop")
    rate = sheet.obj("sig~ 1.")
    groove = sheet.obj("groove~ ---fused 2 @loop 1", numinlets=3, numoutlets=3)
    level = _dial(sheet, "Level", 0.0, 1.0, 0.7)
    plays = _text(sheet, "Play", 1)
    product = sheet.obj("*", wide=60)
    again = sheet.obj("t b f")
    ramp = sheet.obj("pack 0. 30")
    smooth = sheet.obj("line~")
    track = sheet.obj("plugin~", wide=90)
    out = sheet.obj("plugout~", wide=90)
    sheet.chain(starts, start, groove)
    sheet.cord(rate, groove)
    sheet.chain(plays, product, ramp, smooth)
    sheet.chain(level, again, product)
    sheet.cord(again, product, 1, 1)
    for outlet in range(2):
        scaled, both = sheet.obj("*~"), sheet.obj("+~")
        sheet.cord(groove, scaled, outlet)
        sheet.cord(smooth, scaled, inlet=1)
        sheet.cord(track, both, outlet)
        sheet.cord(scaled, both, inlet=1)
        sheet.cord(both, out, inlet=outlet)
    sheet.show(level, 344, 8, 44, 48)
    sheet.show(plays, 340, 76, 52, 20)
