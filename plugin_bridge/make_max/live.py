"""The patcher of a Max for Live device: renders a fusion and plays it on its track."""

from __future__ import annotations

from typing import Any

from py2max.core.box import Box
from sheet import PANELS, Sheet, options


def _parameter(name: str, **more: Any) -> dict[str, Any]:
    """A control's attributes as a Live parameter; `more` are named without their prefix."""
    value = {"parameter_longname": name, "parameter_shortname": name, "parameter_modmode": 0}
    return {
        "parameter_enable": 1,
        "varname": name,
        "saved_attribute_attributes": {
            "valueof": value | {f"parameter_{key}": item for key, item in more.items()}
        },
    }


def _dial(sheet: Sheet, name: str, initial: float) -> Box:
    """A dial from 0 to 1."""
    ranges = {"mmin": 0.0, "mmax": 1.0, "initial": [initial]}
    parameter = _parameter(name, type=0, unitstyle=1, initial_enable=1, **ranges)
    return sheet.ui("live.dial", (44, 48), **parameter)


def _text(sheet: Sheet, name: str, mode: int) -> Box:
    """A button (mode 0) or a switch (mode 1)."""
    parameter = _parameter(name, type=2, mmax=1, enum=["off", "on"])
    return sheet.ui("live.text", (60, 20), text=name, texton=name, mode=mode, **parameter)


def _name(sheet: Sheet, initial: str) -> tuple[Box, Box]:
    """A field for the name of a clip or a reference; returns the field and its output."""
    field = sheet.ui("textedit", (90, 20), text=initial, keymode=1, lines=1)
    output = sheet.obj("route text")
    sheet.chain(sheet.obj(f"loadmess set {initial}"), field, output)
    return field, output


def device() -> Sheet:
    """`Eutectic for Live.maxpat`."""
    sheet = Sheet(
        "Eutectic for Live",
        "Save this as a Max Audio Effect (see the README). It renders a fusion of a clip and a "
        "reference of the daemon, and plays it on top of this track.",
        presentation=True,
    )
    _rendering(sheet)
    _playing(sheet)
    sheet.section("3. The connection")
    sheet.present(sheet.bpatcher("eutectic"), 8, 8, *PANELS["eutectic"])
    sheet.patcher.devicewidth = 400.0
    return sheet


def _rendering(sheet: Sheet) -> None:
    sheet.section("1. Render a fusion of the clip and the reference named here.")
    original, first = _name(sheet, "glass")
    reference, second = _name(sheet, "low")
    blend = _dial(sheet, "Blend", 0.5)
    render = _text(sheet, "Render", 0)
    order = sheet.obj("t b b b", min_width=160)
    kept = sheet.obj("f")
    sources = sheet.obj("join 3 @triggers 2", min_width=180)
    ask = sheet.message(f"render $1 $2 {options('/render', blend='$3')}")
    box = sheet.obj("eutectic.buffer ---fused", min_width=160)
    sheet.chain(render, order, kept)
    sheet.cord(blend, kept, inlet=1)
    sheet.cord(kept, sources, inlet=2)
    sheet.chain(sources, ask, box)
    sheet.cord(order, reference, 1)
    sheet.cord(order, original, 2)
    sheet.cord(first, sources)
    sheet.cord(second, sources, inlet=1)
    setter = sheet.obj("prepend set")
    status = sheet.ui("comment", (180, 20), text="nothing rendered yet")
    sheet.cord(box, setter, 1)
    sheet.cord(setter, status)
    rendered = sheet.obj("t b")
    sheet.chain(box, rendered, sheet.obj("s ---start"))
    labels = [sheet.ui("comment", (70, 20), text=text) for text in ("clip", "reference")]
    for row, (label, field) in enumerate(zip(labels, (original, reference), strict=True)):
        sheet.present(label, 8, 76 + 24 * row, 70, 20)
        sheet.present(field, 82, 76 + 24 * row, 186, 20)
    sheet.present(status, 8, 132, 260, 20)
    sheet.present(blend, 284, 8, 44, 48)
    sheet.present(render, 280, 76, 52, 20)


def _playing(sheet: Sheet) -> None:
    sheet.section("2. Play the track, with the fusion as a loop on top.", beside=True)
    starts = sheet.obj("r ---start")
    start = sheet.message("startloop")
    rate = sheet.obj("sig~ 1.")
    groove = sheet.obj("groove~ ---fused 2 @loop 1", numinlets=3, numoutlets=3)
    level = _dial(sheet, "Level", 0.7)
    plays = _text(sheet, "Play", 1)
    product = sheet.obj("*", min_width=60)
    again = sheet.obj("t b f")
    ramp = sheet.obj("pack 0. 30")
    smooth = sheet.obj("line~")
    track = sheet.obj("plugin~", min_width=90)
    out = sheet.obj("plugout~", min_width=90)
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
    sheet.present(level, 344, 8, 44, 48)
    sheet.present(plays, 340, 76, 52, 20)
