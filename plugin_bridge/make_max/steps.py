"""What several patchers have in common: the connection, and two clips made a reference."""

from __future__ import annotations

import abstractions
from connection import SEEN as CONNECTION
from py2max.core.box import Box
from sheet import Sheet, options

from eutectic.files.shipped import presets_folder

ORIGINAL, REFERENCE = "ambi_glass_rub.flac", "loop_drone_g_97.flac"
"""Clips that ship, and are found by their names."""


def shipped(name: str) -> str:
    """The name of a clip that ships.

    Raises:
        FileNotFoundError: it doesn't.
    """
    if not (presets_folder("clips") / name).is_file():
        raise FileNotFoundError(name)
    return name


def connect(sheet: Sheet, title: str = "First: eutectic serve, in a terminal") -> Box:
    """A section with the connection."""
    sheet.section(title)
    return sheet.window("eutectic", CONNECTION)


def prepare(sheet: Sheet, beside: bool = False) -> None:
    """Steps 1 and 2: sections with clips `glass` and `drone`, and the reference `low`."""
    sheet.section("1. Two sounds become clips. Others can be dropped here.", beside)
    for name, file, more in (
        ("glass", ORIGINAL, ""),
        ("drone", REFERENCE, options("/clip/load", duration=4.0)),
    ):
        load = sheet.message(f"load {shipped(file)} {more}".strip())
        sheet.chain(load, sheet.window(f"eutectic.clip {name}", abstractions.SEEN["eutectic.clip"]))
    sheet.section("2. One of them is learned: half a minute on a small computer.")
    learn = sheet.message("learn drone warm low drone")
    reference = sheet.obj("eutectic.reference low", wide=150)
    line = sheet.obj("prepend set")
    said = sheet.message("not learned yet")
    sheet.chain(learn, reference)
    sheet.cord(reference, line, 1)
    sheet.cord(line, said)


def show(sheet: Sheet, source: Box, outlet: int, text: str) -> None:
    """What comes from an outlet, in a message box."""
    line = sheet.obj("prepend set")
    said = sheet.message(text)
    sheet.cord(source, line, outlet)
    sheet.cord(line, said)


def play(sheet: Sheet, left: Box, right: Box, outlets: tuple[int, int] = (0, 0)) -> None:
    """Left and right to the loudspeakers."""
    out = sheet.ui("ezdac~", (45, 45), "click: sound on")
    sheet.cord(left, out, outlets[0])
    sheet.cord(right, out, outlets[1], 1)
