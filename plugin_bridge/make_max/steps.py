"""Sections that several patchers share: the connection, two clips, and a reference."""

from __future__ import annotations

from collections.abc import Iterable

from py2max.core.box import Box
from sheet import Sheet, options

from eutectic.files.shipped import presets_folder

ORIGINAL, REFERENCE = "ambi_glass_rub.flac", "loop_drone_g_97.flac"
"""Clips that ship with Eutectic; the daemon finds them by name."""


def shipped(name: str) -> str:
    """Check that a clip ships with Eutectic, and return its name.

    Raises:
        FileNotFoundError: it doesn't.
    """
    if not (presets_folder("clips") / name).is_file():
        raise FileNotFoundError(name)
    return name


def connect(sheet: Sheet) -> None:
    """A section with the connection."""
    sheet.section("First run eutectic serve in a terminal")
    sheet.bpatcher("eutectic")


def prepare(sheet: Sheet, beside: bool = False) -> None:
    """Steps 1 and 2: sections with clips `glass` and `drone`, and the reference `low`."""
    sheet.section("1. Load two sounds as clips, or drop others here.", beside)
    for name, file, more in (
        ("glass", ORIGINAL, ""),
        ("drone", REFERENCE, options("/clip/load", duration=4.0)),
    ):
        load = sheet.message(f"load {shipped(file)} {more}".strip())
        sheet.chain(load, sheet.bpatcher(f"eutectic.clip {name}"))
    sheet.section("2. Make one of them a reference.")
    remember = sheet.message("remember drone warm low drone")
    reference = sheet.obj("eutectic.reference low", min_width=150)
    sheet.chain(remember, reference)
    show(sheet, reference, 1, "no reference yet")


def try_out(sheet: Sheet, sources: Iterable[Box], target: Box, lamp: tuple[str, str]) -> None:
    """Connect sources to an abstraction; show its first outlet as a lamp, its answers as text.

    Args:
        sources: boxes that send to it.
        target: the abstraction.
        lamp: class of the lamp, and the remark beside it.
    """
    for source in sources:
        sheet.cord(source, target)
    kind, remark = lamp
    sheet.cord(target, sheet.ui(kind, (24, 24), remark))
    show(sheet, target, 1, "answers")


def show(sheet: Sheet, source: Box, outlet: int, text: str) -> None:
    """Show what an outlet sends in a message box, which starts with this text."""
    setter = sheet.obj("prepend set")
    display = sheet.message(text)
    sheet.cord(source, setter, outlet)
    sheet.cord(setter, display)


def play(sheet: Sheet, left: Box, right: Box, outlets: tuple[int, int] = (0, 0)) -> None:
    """Connect left and right to the audio output."""
    out = sheet.ui("ezdac~", (45, 45), "click: audio on")
    sheet.cord(left, out, outlets[0])
    sheet.cord(right, out, outlets[1], 1)
