"""Pure Data for tests: reading patches as text, and running them without a window."""

from __future__ import annotations

import re
import socket
import subprocess
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from eutectic.system.processes import Service

FOLDER = Path(__file__).parents[2] / "plugin_bridge" / "pd"

CHARACTER, LINE = 7, 15
"""Of Pd's font of 12, pixels."""

START_SECONDS = 20.0

REMOTE = """#N canvas 0 0 300 260 12;
#X obj 20 20 netreceive -u {port};
#X obj 20 50 list split 1;
#X obj 20 80 t b s;
#X obj 20 140 list store;
#X obj 20 170 list trim;
#X obj 20 200 send;
#X obj 120 20 r remote;
#X obj 120 50 print remote;
#X connect 6 0 7 0;
#X connect 0 0 1 0;
#X connect 1 0 2 0;
#X connect 1 1 3 1;
#X connect 2 0 3 0;
#X connect 2 1 5 1;
#X connect 3 0 4 0;
#X connect 4 0 5 0;
"""
"""What comes as `name message` is sent to that name: hands for a Pd without a window."""

PANELS, FIRST = 90, 1001
"""Patches and abstractions that are looked at, and the $0 of Pd's first."""

PARTS = ("text", "line-1", "line-2", "blend", "gain")
"""What panels receive under their $0: the word, the reason in two lines, and sliders."""


@dataclass(frozen=True)
class Area:
    """Pixels that something covers."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Area) -> bool:
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return across > 0 and down > 0


@dataclass
class Box:
    """One thing in a patch: `words` is its text, escapes undone; `inner` is a subpatch's."""

    kind: str
    x: int
    y: int
    words: list[str]
    width: int | None = None
    inner: Patch | None = None

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def name(self) -> str:
        return self.words[0] if self.words else ""


@dataclass(frozen=True)
class Cord:
    """From an outlet of a box to an inlet of another, boxes by their places."""

    source: int
    outlet: int
    target: int
    inlet: int


@dataclass
class Patch:
    """One canvas."""

    name: str
    boxes: list[Box] = field(default_factory=list[Box])
    cords: list[Cord] = field(default_factory=list[Cord])
    panel: tuple[int, int] | None = None
    """Width and height of what it shows in a patch that uses it."""

    def all(self) -> Iterator[Patch]:
        """This one and its subpatches."""
        yield self
        for box in self.boxes:
            if box.inner is not None:
                yield from box.inner.all()

    def sources(self, target: Box) -> list[Box]:
        """What is connected to a box."""
        at = self.boxes.index(target)
        return [self.boxes[cord.source] for cord in self.cords if cord.target == at]


def patches() -> list[Path]:
    """Every patch that ships."""
    return sorted(FOLDER.rglob("*.pd"))


def read(path: Path) -> Patch:
    """A patch as its file says; raises ValueError for what no patch has."""
    open_: list[Patch] = []
    whole: Patch | None = None
    for statement in re.findall(r"#(.*?)(?<!\\);\r?\n", path.read_text(), re.DOTALL):
        chunk, kind, *rest = _words(statement)
        if chunk == "N":
            open_.append(Patch(path.stem if not open_ else rest[4]))
        elif chunk == "A":
            continue
        elif kind == "connect":
            open_[-1].cords.append(Cord(*(int(each) for each in rest)))
        elif kind == "coords":
            if int(rest[6]):
                open_[-1].panel = int(rest[4]), int(rest[5])
        elif kind == "restore":
            inner = open_.pop()
            box = _box("graph" if rest[2] == "graph" else "obj", rest)
            box.inner = inner
            open_[-1].boxes.append(box)
        elif kind == "declare":
            continue
        elif kind != "array":
            open_[-1].boxes.append(_box(kind, rest))
        whole = open_[0]
    if whole is None or len(open_) != 1:
        raise ValueError(f"{path}: canvases that don't end")
    return whole


def _words(statement: str) -> list[str]:
    found = re.findall(r"(?:\\.|[^\s\\])+", statement)
    return [re.sub(r"\\(.)", r"\1", word) for word in _apart(found)]


def _apart(words: list[str]) -> Iterator[str]:
    """`, f 20` says a box's width; the comma stands at the word before it."""
    for word in words:
        if word.endswith(",") and not word.endswith("\\,"):
            yield word[:-1]
            yield "\\width"
        else:
            yield word


def _box(kind: str, rest: list[str]) -> Box:
    x, y, *words = rest
    width = None
    if len(words) >= 3 and words[-3] == "width" and words[-2] == "f":
        width, words = int(words[-1]), words[:-3]
    return Box(kind, int(x), int(y), words, width)


def areas(box: Box) -> list[Area]:
    """What a box covers, and its label; coloured grounds lie under others and cover nothing."""
    gui = {"bng": 7, "tgl": 5, "hsl": 9, "vsl": 9, "hradio": 7, "cnv": 6}
    found: list[Area] = []
    if box.kind == "obj" and box.name in gui:
        size = [int(each) for each in box.words[1:3]]
        width = size[0] if box.name in ("bng", "tgl", "hsl") else 0
        height = size[0] if box.name in ("bng", "tgl") else size[1] if box.name == "hsl" else 0
        if box.name == "hradio":
            width, height = size[0] * int(box.words[4]), size[0]
        if width:
            found.append(Area(box.x, box.y, width, height))
        at = gui[box.name]
        if box.words[at : at + 1] not in ([], ["empty"]):
            label, left, down = box.words[at], int(box.words[at + 1]), int(box.words[at + 2])
            found.append(Area(box.x + left, box.y + down - 7, len(label) * CHARACTER, 14))
        return found
    panel = _panel(box)
    if panel is not None:
        return [Area(box.x, box.y, *panel)]
    if box.kind in ("floatatom", "symbolatom"):
        return [Area(box.x, box.y, int(box.words[0]) * CHARACTER + 4, LINE + 6)]
    lines = _lines(box)
    return [Area(box.x, box.y, (box.width or max(map(len, lines))) * CHARACTER + 4,
                 LINE * len(lines) + (2 if box.kind == "text" else 6))]  # fmt: skip


def _panel(box: Box) -> tuple[int, int] | None:
    if box.inner is not None:
        return box.inner.panel
    file = FOLDER / f"{box.name}.pd"
    return read(file).panel if box.kind == "obj" and file.exists() else None


def _lines(box: Box) -> list[str]:
    text = "pd " + box.text.removeprefix("pd ") if box.inner is not None else box.text
    if box.kind == "msg":
        text = text.replace("; ", ";\n")
    lines = [
        wrapped
        for line in text.split("\n")
        for wrapped in textwrap.wrap(line, box.width or 60) or [""]
    ]
    return lines or [""]


@dataclass(frozen=True)
class Panel:
    """What an abstraction shows, by PARTS."""

    parts: dict[str, str]

    @property
    def word(self) -> str:
        return self.parts.get("text", "")

    @property
    def lines(self) -> list[str]:
        """Why it failed."""
        found = [self.parts.get(part, "empty") for part in ("line-1", "line-2")]
        return [line for line in found if line not in ("empty", "")]

    @property
    def reason(self) -> str:
        return " ".join(self.lines)

    def knob(self, name: str) -> float | None:
        """Where the daemon has put a slider; None: nowhere yet."""
        return float(self.parts[name]) if name in self.parts else None


def _eyes() -> str:
    """A patch that prints what panels are sent."""
    lines = ["#N canvas 0 0 300 260 12;", "#X obj 20 80 print panel;"]
    cords: list[str] = []
    for number in range(FIRST, FIRST + PANELS):
        for part in PARTS:
            at = len(lines) - 1
            lines += [
                f"#X obj 20 20 r {number}-{part};", f"#X obj 20 50 list prepend {number} {part};"
            ]  # fmt: skip
            cords += [f"#X connect {at} 0 {at + 1} 0;", f"#X connect {at + 1} 0 0 0;"]
    return "\n".join([*lines, *cords, ""])


def patch_of(folder: Path, *objects: str) -> Path:
    """A patch in which each object receives from `do.` and its own name or number."""
    path = folder / "bench.pd"
    lines = ["#N canvas 0 0 300 260 12;", f"#X declare -path {FOLDER};"]
    cords: list[str] = []
    for at, text in enumerate(objects):
        name = text.replace("eutectic.", "").replace("/", "").split()
        receiver = f"do.{'-'.join(name)}"
        lines += [f"#X obj 20 20 r {receiver};", f"#X obj 20 50 {text};"]
        cords.append(f"#X connect {2 * at} 0 {2 * at + 1} 0;")
    lines.append("#X obj 20 80 print playing;")
    if "eutectic.voice 1" in objects:
        voice = 2 * objects.index("eutectic.voice 1") + 1
        cords.append(f"#X connect {voice} 0 {2 * len(objects)} 0;")
    lines += ["#N canvas 0 0 450 278 (subpatch) 0;", "#X array left 100 float 2;",
              "#X coords 0 1 99 -1 200 140 1 0 0;", "#X restore 20 200 graph;"]  # fmt: skip
    path.write_text("\n".join([*lines, *cords, ""]))
    return path


class Pd(Service):
    """A running Pd, which knows the daemon's port; without a window, unless that is asked for."""

    def __init__(
        self, folder: Path, *patches: Path, port: int, audio: tuple[str, ...] = (),
        window: bool = False,
    ) -> None:  # fmt: skip
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        remote = folder / "remote.pd"
        remote.write_text(REMOTE.format(port=self._port))
        self._log = folder / "pd.log"
        self._command = ["pd", *(() if window else ("-nogui",)), "-nomidi", "-stderr"]
        self._command += audio or ("-noaudio",)
        eyes = folder / "eyes.pd"
        eyes.write_text(_eyes())
        for patch in (remote, eyes, *patches):
            self._command += ["-open", str(patch)]
        self._command += ["-send", f"eutectic.connect 127.0.0.1 {port}"]
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def start(self) -> None:
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        end = time.monotonic() + START_SECONDS
        while "remote:" not in self._log.read_text():
            assert time.monotonic() < end, f"Pd doesn't start: {self.said}"
            self.send("remote", "hears")
            time.sleep(0.05)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._socket.close()

    @property
    def said(self) -> list[str]:
        """What its [print] boxes say, and it complains of."""
        lines = self._log.read_text().splitlines()
        return [line for line in lines if not line.startswith(("remote:", "panel:"))]

    @property
    def panels(self) -> list[Panel]:
        """What the panels show that have shown anything."""
        seen: dict[str, dict[str, str]] = {}
        for line in self._log.read_text().splitlines():
            found = re.match(r"panel: (\d+) (\S+) (label |set )?(.*)", line)
            if found is not None and (found[3] == "set " or found[2] not in ("blend", "gain")):
                parts = seen.setdefault(found[1], {})
                parts[found[2]] = re.sub(r"\\(.)", r"\1", found[4])
        return [Panel(parts) for parts in seen.values()]

    def send(self, name: str, *message: float | str) -> None:
        """A message to one of its receivers."""
        words = " ".join(str(each) for each in (name, *message))
        self._socket.sendto(f"{words};\n".encode(), ("127.0.0.1", self._port))

    def wait(self, pattern: str, seconds: float = 30.0) -> re.Match[str]:
        """The first line of the log that a pattern matches."""
        end = time.monotonic() + seconds
        while True:
            for line in self.said:
                found = re.search(pattern, line)
                if found is not None:
                    return found
            assert time.monotonic() < end, f"nothing like {pattern}: {self.said}"
            time.sleep(0.02)


def no_complaint(said: list[str], *printed: str) -> None:
    """Check that Pd printed nothing but what boxes of these names print."""
    wrong = [line for line in said if not line.startswith(tuple(f"{p}: " for p in printed))]
    assert wrong == []
