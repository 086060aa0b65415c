"""A Max patcher: sections of boxes and cords, laid out by `layout` and written with py2max.

Messages to the daemon are built by `request`, `answer` and `options`, which reject anything that
isn't in `eutectic.osc.table`.
"""

from __future__ import annotations

import textwrap
import warnings
from itertools import pairwise
from typing import Any

import layout
from py2max import Patcher
from py2max.core.box import Box
from py2max.core.common import Rect, box_width_for, text_width
from py2max.core.patchline import Patchline
from py2max.maxref import MAXCLASS_DEFAULTS
from py2max.maxref.porttypes import port_counts

from eutectic.osc.parse import check
from eutectic.osc.spec import PREFIX
from eutectic.osc.table import ANSWERS, spec_of

MARGIN, HEIGHT, SECTION_GAP = 20.0, 22.0, 28.0

LINES = (20.0, 33.0, 47.0, 60.0, 74.0, 87.0, 100.0, 114.0, 127.0, 141.0, 154.0, 167.0, 181.0, 194.0,
         208.0, 221.0)  # fmt: skip
"""Heights of a comment of one line, two lines and so on, at 12 points."""

ASK, OUT, OWNER = "eutectic.ask", "eutectic.out", "eutectic.owner"
"""Sends for a request that needs an id, for a complete message, and for the active connection."""

IN = "eutectic.in"
"""The send of events, as the daemon sends them."""

MINE, NOBODY = "#0-eutectic", "eutectic.nobody"
"""The receive that gets a request's answers: an abstraction's own, or one that doesn't exist."""

PORTS = {
    "eutectic": (1, 4),
    "eutectic.voice": (1, 2),
    "eutectic.clip": (1, 2),
    "eutectic.reference": (1, 2),
    "eutectic.buffer": (1, 2),
    "eutectic.keys": (1, 0),
    "eutectic.tempo": (1, 2),
}
"""Inlets and outlets of each abstraction."""

PANELS = {"eutectic": (260, 60), "eutectic.voice": (260, 112), "eutectic.clip": (260, 84)}
"""Width and height of an abstraction's panel in a bpatcher."""


def request(address: str) -> str:
    """The full address of a request.

    Raises:
        BadRequest: it isn't in the table.
    """
    return PREFIX + spec_of(address).address


def answer(address: str) -> str:
    """The full address of an answer or event.

    Raises:
        ValueError: it isn't in the table.
    """
    if address not in {spec.address for spec in ANSWERS}:
        raise ValueError(f"the daemon never sends {address}")
    return PREFIX + address


def options(address: str, **values: Any) -> str:
    """Options of a request as words of a message box; Max fills in a value such as `$1`.

    Raises:
        ValueError: the request has no such option, or the value isn't valid for it.
    """
    known = {option.name for option in spec_of(address).options}
    for name in values:
        if name not in known:
            raise ValueError(f"{address} has no option @{name}")
    check(address, {key: value for key, value in values.items() if not str(value).startswith("$")})
    return " ".join(f"@{name} {value}" for name, value in values.items())


class Sheet:
    """A patcher under construction, in columns of sections. Boxes are numbered as they're added."""

    def __init__(self, title: str, description: str, presentation: bool = False) -> None:
        self.patcher = Patcher(on_invalid="raise", openinpresentation=int(presentation))
        self._columns: list[list[_Section]] = []
        self._nodes: dict[str, layout.Node] = {}
        self._lines: list[Patchline] = []
        self._head = [self._note(title, 600, 18, fontface=1), self._note(description, 620)]

    def section(self, title: str = "", beside: bool = False, width: float = 420) -> None:
        """Start a section below the previous one, or in a new column beside it."""
        if beside or not self._columns:
            self._columns.append([])
        head = self._note(title, width, fontface=2) if title else None
        self._columns[-1].append(_Section(head))

    def obj(
        self, text: str, remark: str = "", row: int | None = None, min_width: float = 0, **more: Any
    ) -> Box:
        """An object box; `remark` is a comment beside it, `min_width` is in pixels."""
        name = text.split(maxsplit=1)[0]
        if name in PORTS:
            inlets, outlets = PORTS[name]
            more |= {"numinlets": inlets, "numoutlets": outlets, "outlettype": [""] * outlets}
        if name == "r":
            more["numinlets"] = 0  # a receive with a name has none
        box = self._box(text, **more)
        width = max(box_width_for(text, max(box.numinlets, box.numoutlets)), min_width)
        return self._add(box, (width, HEIGHT), remark, row)

    def message(self, text: str, remark: str = "", row: int | None = None) -> Box:
        """A message box."""
        box = self.patcher.add_message(text, Rect(0, 0, 10, HEIGHT))
        return self._add(box, (box_width_for(text, 2), HEIGHT), remark, row)

    def messages(self, *texts: str) -> list[Box]:
        """Several message boxes."""
        return [self.message(text) for text in texts]

    def ui(
        self, maxclass: str, area: tuple[float, float], remark: str = "", row: int | None = None,
        **more: Any,
    ) -> Box:  # fmt: skip
        """A user interface object."""
        known = MAXCLASS_DEFAULTS.get(maxclass) or {}
        counts = dict(zip(("numinlets", "numoutlets"), port_counts(maxclass), strict=True))
        ports = {key: more.pop(key, known.get(key, counts[key])) for key in counts}
        more.setdefault("outlettype", [""] * ports["numoutlets"])
        box = Box(
            maxclass, id=self.patcher.get_id(), patching_rect=Rect(0, 0, *area), **ports, **more
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an attribute that py2max doesn't know for this object
            self.patcher.add_box(box)
        return self._add(box, area, remark, row)

    def paragraph(self, text: str) -> Box:
        """A comment laid out like a box of its own."""
        note, height = self._note(text, 420)
        return self._add(note, (note.patching_rect.w, height), "", None)

    def inlet(self, hint: str) -> Box:
        """An inlet; `hint` appears when the mouse is over it."""
        return self.ui("inlet", (30, 30), hint, row=0, comment=hint)

    def outlet(self, hint: str) -> Box:
        """An outlet; `hint` appears when the mouse is over it. Outlets keep their order."""
        return self.ui("outlet", (30, 30), row=-1, comment=hint)

    def bpatcher(self, text: str, remark: str = "") -> Box:
        """An abstraction with its arguments, whose panel is shown in a bpatcher."""
        name, *words = text.split()
        arguments = [int(word) if word.isdigit() else word for word in words]
        inlets, outlets = PORTS[name]
        return self.ui(
            "bpatcher", PANELS[name], remark, name=f"{name}.maxpat", args=arguments,
            numinlets=inlets, numoutlets=outlets, outlettype=[""] * outlets, viewvisibility=1,
            border=1,
        )  # fmt: skip

    def cord(self, source: Box, target: Box, outlet: int = 0, inlet: int = 0) -> None:
        """Connect an outlet to an inlet."""
        self._lines.append(self.patcher.add_line(source, target, inlet=inlet, outlet=outlet))

    def chain(self, *boxes: Box) -> None:
        """Connect the first outlet of each box to the first inlet of the next."""
        for source, target in pairwise(boxes):
            self.cord(source, target)

    def present(self, box: Box, *rect: float) -> None:
        """Show a box in presentation mode as well, at left, top, width, height."""
        box.add_to_presentation(rect)

    def text(self) -> str:
        """The content of the patcher's file.

        Raises:
            ValueError: py2max finds a fault in the patcher.
        """
        width, height = self._place()
        self.patcher.rect = Rect(85.0, 104.0, width, height)
        faults = [str(each) for each in self.patcher.lint() if not _is_expected(each.message)]
        if faults:
            raise ValueError("\n".join(faults))
        return self.patcher.to_json() + "\n"

    def _box(self, text: str, **more: Any) -> Box:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return self.patcher.add_textbox(text, patching_rect=Rect(0, 0, 10, HEIGHT), **more)

    def _note(self, text: str, width: float, size: float = 12, **more: Any) -> tuple[Box, float]:
        """A comment wrapped to a width, and its height."""
        letters = max(int((width - 14) * len(text) / text_width(text, size)), 10)
        lines = [line for part in text.split("\n") for line in textwrap.wrap(part, letters)]
        longest = max(text_width(line, size) for line in lines)
        if "fontface" in more:
            longest *= 1.08
        height = round(LINES[len(lines) - 1] * size / 12, 1)
        rect = Rect(0, 0, round(longest + 14, 1), height)
        box = self.patcher.add_comment(
            "\n".join(lines), rect, linecount=len(lines), fontsize=size, **more
        )
        return box, height

    def _add(self, box: Box, area: tuple[float, float], remark: str, row: int | None) -> Box:
        width, height = area
        box.patching_rect = Rect(0, 0, width, height)
        section = self._columns[-1][-1]
        node = layout.Node(width, height, width, box.numinlets, box.numoutlets, row)
        if remark:
            note, note_height = self._note(remark, 210)
            node.width = width + 4 + note.patching_rect.w
            node.height = max(height, note_height)
            section.remarks[node] = note
        section.nodes[node] = box
        self._nodes[box.id or ""] = node
        return box

    def _place(self) -> tuple[float, float]:
        """Set the position of everything; return the window's size."""
        x, top = MARGIN, MARGIN
        for box, height in self._head:
            _move(box, x, top)
            top += height + 6
        top += 10
        right = max(MARGIN + box.patching_rect.w for box, _ in self._head)
        bottom = top
        lines = [(line, self._cord(line.source, line.destination)) for line in self._lines]
        for column in self._columns:
            y, widest = top, 0.0
            for section in column:
                width, height = section.place(x, y, [cord for _, cord in lines])
                y, widest = y + height + SECTION_GAP, max(widest, width)
            x += widest + 2 * SECTION_GAP
            bottom, right = max(bottom, y), max(right, x - 2 * SECTION_GAP)
        for line, cord in lines:
            if cord.bends:
                vars(line)["midpoints"] = [at for bend in cord.bends for at in bend]
        return right + MARGIN, bottom - SECTION_GAP + MARGIN

    def _cord(self, source: list[Any], target: list[Any]) -> layout.Cord:
        return layout.Cord(self._nodes[source[0]], source[1], self._nodes[target[0]], target[1])


class _Section:
    def __init__(self, head: tuple[Box, float] | None) -> None:
        self.head = head
        self.nodes: dict[layout.Node, Box] = {}
        self.remarks: dict[layout.Node, Box] = {}

    def place(self, x: float, y: float, cords: list[layout.Cord]) -> tuple[float, float]:
        """Place the boxes below and to the right of this corner; return width and height."""
        above, head_width = 0.0, 0.0
        if self.head is not None:
            _move(self.head[0], x, y)
            above, head_width = self.head[1] + 10, self.head[0].patching_rect.w
        own = [cord for cord in cords if cord.source in self.nodes]
        width, height = layout.lay_out(list(self.nodes), own)
        for node, box in self.nodes.items():
            _move(box, x + node.x, y + above + node.y)
            if node in self.remarks:
                _move(self.remarks[node], x + node.x + node.body + 4, y + above + node.y + 1)
        for cord in own:
            cord.bends = [(round(x + a, 1), round(y + above + b, 1)) for a, b in cord.bends]
        return max(head_width, width), above + height


def _move(box: Box, x: float, y: float) -> None:
    box.patching_rect = Rect(round(x, 1), round(y, 1), *box.patching_rect[2:])


def _is_expected(message: str) -> bool:
    """Whether py2max only reports that it doesn't know one of our abstractions."""
    return message.startswith("object 'eutectic") and message.endswith("not in the Max reference")
