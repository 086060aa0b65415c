"""A linter for Max patchers: what Max 8.5 says of its objects, and how ours are to look.

How many inlets and outlets an object has is said here, and never taken from the file. A patcher is
the `patcher` of a .maxpat file's JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Ports = tuple[int, int]
"""Inlets and outlets."""


def _fixed(inlets: int, outlets: int, names: str) -> dict[str, Callable[[list[str]], Ports]]:
    return {name: lambda _: (inlets, outlets) for name in names.split()}


def _expression(words: list[str]) -> Ports:
    return max([int(number) for number in re.findall(r"\$[ifs](\d)", " ".join(words))] or [1]), 1


def _formats(words: list[str]) -> Ports:
    return len(re.findall(r"%0?\d*(?:ld|s|f)", " ".join(words))), 1


def _matches(words: list[str]) -> Ports:
    return len(words) + 1, len(words) + 1


STOCK: dict[str, Callable[[list[str]], Ports]] = {
    **_fixed(0, 1, "r inlet"),
    **_fixed(1, 0, "s outlet comment forward print udpsend"),
    **_fixed(1, 1, "button toggle led dial slider prepend append loadmess freebang udpreceive"),
    **_fixed(1, 1, "pcontrol listfunnel sig~"),
    **_fixed(1, 2, "number flonum multislider live.dial live.text patcherargs opendialog dropfile"),
    **_fixed(1, 2, "buffer~ bendin"),
    **_fixed(1, 3, "textbutton change date notein ctlin"),
    **_fixed(1, 4, "textedit coll"),
    **_fixed(2, 0, "ezdac~"),
    **_fixed(2, 1, "message i f + - * / == > metro delay speedlim random +~ *~ !-~"),
    **_fixed(2, 2, "stripnote line~ plugin~ plugout~ zl.join zl.nth zl.reg zl.slice"),
    **_fixed(5, 4, "counter"),
    "route": _matches, "routepass": _matches, "sel": _matches,
    "t": lambda words: (1, len(words)),
    "unpack": lambda words: (1, len(words)),
    "pack": lambda words: (len(words), 1),
    "join": lambda words: (int(words[0]), 1),
    "gate": lambda words: (2, int(words[0]) if words else 1),
    "groove~": lambda words: (3, (int(words[1]) if words[1:2] != ["@loop"] else 1) + 1),
    "expr": _expression,
    "sprintf": _formats,
}  # fmt: skip
"""Objects of Max 8.5 that are used, and their ports by their arguments."""


@dataclass(frozen=True)
class Box:
    """A box of a patcher."""

    raw: Mapping[str, Any]

    @property
    def id(self) -> str:
        return self.raw["id"]

    @property
    def words(self) -> list[str]:
        """Name and arguments: of a message and a comment, the text after the kind of box."""
        kind = self.raw["maxclass"]
        if kind == "newobj":
            return self.raw["text"].split()
        if kind == "bpatcher":
            return [self.raw["name"].removesuffix(".maxpat"), *map(str, self.raw["args"])]
        return [kind, *self.raw.get("text", "").split()]

    @property
    def name(self) -> str:
        return self.words[0]

    @property
    def rect(self) -> tuple[float, float, float, float]:
        left, top, width, height = self.raw["patching_rect"]
        return left, top, width, height

    def overlaps(self, other: Box) -> bool:
        a, b = self.rect, other.rect
        return (
            a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]
        )

    def ports(self, abstractions: Mapping[str, Ports]) -> Ports | None:
        """Inlets and outlets; None: there is no such object."""
        if self.name in abstractions:
            return abstractions[self.name]
        known = STOCK.get(self.name)
        return None if known is None else known(self.words[1:])

    def is_signal(self, outlet: int) -> bool:
        """Whether an outlet gives sound."""
        return self.name.endswith("~") and (self.name, outlet) not in (
            ("line~", 1), ("buffer~", 0), ("buffer~", 1),
        )  # fmt: skip


@dataclass(frozen=True)
class Patcher:
    """A patcher's boxes and cords."""

    boxes: list[Box]
    cords: list[tuple[str, int, str, int]]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Patcher:
        lines = [each["patchline"] for each in raw["lines"]]
        return cls(
            [Box(each["box"]) for each in raw["boxes"]],
            [(*line["source"], *line["destination"]) for line in lines],
        )

    @classmethod
    def read(cls, path: Path) -> Patcher:
        return cls.of(json.loads(path.read_text(encoding="utf-8"))["patcher"])

    def named(self, *names: str) -> Iterator[Box]:
        return (box for box in self.boxes if box.name in names)

    def after(self, box: Box, outlet: int | None = None) -> list[Box]:
        """Boxes that an outlet, or any, leads to."""
        known = {each.id: each for each in self.boxes}
        return [
            known[target]
            for source, at, target, _ in self.cords
            if source == box.id and outlet in (None, at)
        ]

    def before(self, box: Box) -> list[tuple[Box, int]]:
        """Boxes and their outlets that lead to one."""
        known = {each.id: each for each in self.boxes}
        return [(known[source], at) for source, at, target, _ in self.cords if target == box.id]

    def ports(self) -> Ports:
        """Its own inlets and outlets, where it is an abstraction."""
        return len(list(self.named("inlet"))), len(list(self.named("outlet")))


def faults(patcher: Patcher, abstractions: Mapping[str, Ports]) -> list[str]:
    """What is wrong with a patcher, a line each."""
    found = [*_boxes(patcher, abstractions), *_cords(patcher, abstractions)]
    for at, box in enumerate(patcher.boxes):
        found += [
            f"{box.words} and {other.words} overlap"
            for other in patcher.boxes[at + 1 :]
            if box.overlaps(other)
        ]
    return found


def _boxes(patcher: Patcher, abstractions: Mapping[str, Ports]) -> Iterator[str]:
    seen: set[str] = set()
    for box in patcher.boxes:
        if box.id in seen:
            yield f"the id {box.id} is there twice"
        seen.add(box.id)
        ports = box.ports(abstractions)
        if ports is None:
            yield f"{box.name} is no object of Max 8.5 that we know"
        elif ports != (box.raw["numinlets"], box.raw["numoutlets"]):
            yield f"{box.words} has {ports} inlets and outlets, not what the file says"
        if box.name in ("inlet", "outlet") and not box.raw.get("comment"):
            yield f"an {box.name} doesn't say what it is for"
    for kind in ("inlet", "outlet"):
        left = [box.rect[0] for box in patcher.named(kind)]
        if left != sorted(left):
            yield f"{kind}s are not in order: Max numbers them from the left"


def _cords(patcher: Patcher, abstractions: Mapping[str, Ports]) -> Iterator[str]:
    boxes = {box.id: box for box in patcher.boxes}
    taken: set[tuple[str, int]] = set()
    for source, outlet, target, inlet in patcher.cords:
        if source not in boxes or target not in boxes:
            yield f"a cord from {source} to {target} joins nothing"
            continue
        above, below = boxes[source], boxes[target]
        outlets, inlets = above.ports(abstractions), below.ports(abstractions)
        if outlets is not None and not 0 <= outlet < outlets[1]:
            yield f"{above.words} has no outlet {outlet}"
        if inlets is not None and not 0 <= inlet < inlets[0]:
            yield f"{below.words} has no inlet {inlet}"
        if below.rect[1] < above.rect[1] + above.rect[3]:
            yield f"the cord from {above.words} to {below.words} doesn't run down"
        if (source, outlet) in taken and not above.is_signal(outlet):
            yield f"{above.words}: two cords from outlet {outlet}, in whichever order"
        taken.add((source, outlet))


def unpaired(patchers: Sequence[Patcher], addressed: str) -> list[str]:
    """Names that are sent to and never received, or the other way.

    A name that begins with #0 belongs to one patcher alone; one in front of an address, as
    `addressed` begins, is where a request's answers go.
    """
    sent: set[tuple[int, str]] = set()
    received: set[tuple[int, str]] = set()
    for at, patcher in enumerate(patchers):
        for box in patcher.boxes:
            words = box.words[1:]
            local = at if words and words[0].startswith("#0") else -1
            if box.name == "s":
                sent.add((local, words[0]))
            elif box.name == "r":
                received.add((local, words[0]))
            elif box.name in ("message", "prepend") and "".join(words[1:2]).startswith(addressed):
                sent.add((local, words[0]))
    return sorted(name for _, name in sent ^ received)
