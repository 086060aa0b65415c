"""The Max package is what its script writes, and correct as far as can be tested without Max."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from py2max import Patcher as Written

from eutectic.files.shipped import presets_folder
from eutectic.osc.parse import parse
from eutectic.osc.spec import PREFIX, Argument, Spec
from eutectic.osc.table import ANSWERS, VOICE_RANGES, spec_of
from maxpat import Box, Patcher, faults, unpaired

BRIDGE = Path(__file__).parents[2] / "plugin_bridge"
PACKAGE = BRIDGE / "max"
PATCHERS = sorted([*PACKAGE.rglob("*.maxpat"), *PACKAGE.rglob("*.maxhelp")])
ABSTRACTIONS = {
    path.stem: Patcher.read(path).ports() for path in (PACKAGE / "patchers").glob("*.maxpat")
}
ASK, OUT, NOBODY = "eutectic.ask", "eutectic.out", "eutectic.nobody"

SURFACE = {
    "eutectic.voice": {
        word: (address, ("voice",)) for word, address in {
            "fuse": "/fuse", "stop": "/stop", "note": "/note", "envelope": "/envelope",
            "filter": "/voice/filter", "send": "/voice/send", "xy": "/scrub", "pad": "/pad/xy",
            "live": "/live", "live stop": "/live/stop", "undo": "/undo", "redo": "/redo",
            "focus": "/focus", "favourite": "/favourite/play", "keep": "/favourite/keep",
        }.items()
    },
    "eutectic.clip": {
        "load": ("/clip/load", ("clip",)), "record": ("/clip/record", ("clip",)),
        "stop": ("/clip/record/stop", ("clip",)), "grab": ("/clip/grab", ("clip",)),
        "free": ("/clip/free", ("clip",)), "cancel": ("/cancel", ("request",)),
    },
    "eutectic.reference": {
        "learn": ("/reference/learn", ("reference",)),
        "remember": ("/reference/remember", ("reference",)),
        "load": ("/reference/load", ("reference",)),
        "free": ("/reference/free", ("reference",)), "cancel": ("/cancel", ("request",)),
    },
    "eutectic.buffer": {"render": ("/render", ("path",)), "cancel": ("/cancel", ("request",))},
}  # fmt: skip
"""Words that abstractions take, the request of each, and which of its arguments they put in."""


@pytest.mark.process
def test_the_package_is_what_the_script_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, BRIDGE / "make_max", tmp_path], check=True)
    made = {path.relative_to(tmp_path): path for path in tmp_path.rglob("*") if path.is_file()}
    kept = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*") if path.is_file()}
    assert kept - made.keys() == {Path("README.md")}
    for name, path in made.items():
        assert path.read_bytes() == (PACKAGE / name).read_bytes(), f"{name}: run `make max`"


def test_the_package_describes_itself() -> None:
    info = json.loads((PACKAGE / "package-info.json").read_text())
    assert info["name"] == "Eutectic" and info["max_version_min"] == "8.5.0"
    assert {path.stem for path in (PACKAGE / "help").glob("*.maxhelp")} == set(ABSTRACTIONS)
    assert (PACKAGE / "license.txt").read_text().startswith("MIT License")


@pytest.mark.parametrize("path", PATCHERS, ids=lambda path: path.name)
def test_a_patcher_is_valid_by_py2max_and_by_us(path: Path) -> None:
    found = [
        str(finding)
        for finding in Written.from_file(path).lint()
        if not re.match(r"object 'eutectic[a-z.]*' is not in the Max reference", finding.message)
    ]
    assert not found
    assert not faults(Patcher.read(path), ABSTRACTIONS)


def test_what_is_sent_is_received_in_the_package() -> None:
    assert unpaired([Patcher.read(path) for path in PATCHERS], PREFIX) == [NOBODY]


def _requests(patcher: Patcher) -> Iterator[tuple[Box, list[str], bool, bool]]:
    """Messages with an address of the daemon's: their words, signed or not, whole or begun."""
    for box in patcher.named("message", "prepend"):
        words = box.words[1:]
        signed = len(words) > 1 and words[1].startswith(PREFIX)
        if signed or (words and words[0].startswith(PREFIX)):
            yield box, words[signed:], signed, box.name == "message"


def _read(argument: Argument, word: str) -> None:
    if not re.match(r"[$#]\d", word):
        number = re.fullmatch(r"-?\d+(\.\d*)?", word)
        argument.read(word if number is None else float(word) if "." in word else int(word))


def _agrees(spec: Spec, arguments: list[Argument], words: list[str], whole: bool) -> None:
    """The words are the arguments in their order, then options."""
    first = next((at for at, word in enumerate(words) if word.startswith("@")), len(words))
    given, rest = words[:first], words[first:]
    if len(given) >= len(arguments) > 0 and arguments[-1].kind == "words":
        last = len(arguments) - 1
        given = [*given[:last], " ".join(given[last:])]
    assert len(given) <= len(arguments), f"{spec.address}: too many in {words}"
    for argument, word in zip(arguments, given, strict=False):
        _read(argument, word)
    if whole:
        assert all(argument.optional for argument in arguments[len(given) :]), words
    known = {option.name: option for option in spec.options}
    assert len(rest) % 2 == 0
    for name, value in zip(rest[::2], rest[1::2], strict=True):
        _read(known[name[1:]], value)


@pytest.mark.parametrize("path", PATCHERS, ids=lambda path: path.name)
def test_every_request_agrees_with_the_table(path: Path) -> None:
    patcher = Patcher.read(path)
    for box, words, signed, whole in _requests(patcher):
        spec = spec_of(words[0])
        assert words[0] == PREFIX + spec.address
        assert spec.has_id == signed, f"{words}: the connection puts an id into what is signed"
        way = "#0-notify" if spec.address == "/notify" else OUT
        assert [each.words[1] for each in patcher.after(box)] == [ASK if signed else way]
        arguments = [each for each in spec.arguments if each.name != "id"]
        _agrees(spec, arguments, words[1:], whole)


def test_the_abstractions_send_every_request_they_are_for() -> None:
    sent = {
        words[0].removeprefix(PREFIX)
        for path in (PACKAGE / "patchers").glob("*.maxpat")
        for _, words, _, _ in _requests(Patcher.read(path))
    }
    requests = {request for words in SURFACE.values() for request, _ in words.values()}
    others = {"/scrub", "/voice/set", "/notify", "/panic", "/tempo", "/tempo/tap", "/tempo/run"}
    assert sent == requests | others


@pytest.mark.parametrize("path", PATCHERS, ids=lambda path: path.name)
def test_messages_to_an_abstraction_agree_with_the_table(path: Path) -> None:
    patcher = Patcher.read(path)
    for box in patcher.named("message"):
        for target in patcher.after(box):
            if target.name == "eutectic":
                _check_message_to_the_connection(box.words[1:])
            elif target.name == "eutectic.keys":
                _check_note(box.words[1:])
            elif target.name == "eutectic.tempo":
                _check_tempo(box.words[1:])
            elif target.name in SURFACE:
                _check_message(target.name, box.words[1:])


def _check_message_to_the_connection(words: list[str]) -> None:
    if words[0] in ("connect", "meter"):
        return
    values = [float(word) if re.fullmatch(r"-?\d+\.?", word) else word for word in words[1:]]
    request = parse(PREFIX + words[0], values)
    assert request.id < 1000, "larger ids are given to abstractions"


def _check_tempo(words: list[str]) -> None:
    address = f"/tempo/{words[0]}" if words[0] in ("tap", "run") else "/tempo"
    spec = spec_of(address)
    _agrees(spec, list(spec.arguments), words[address != "/tempo" :], whole=True)


def _check_note(words: list[str]) -> None:
    address, words = ("/envelope", words[1:]) if words[0] == "envelope" else ("/note", words)
    spec = spec_of(address)
    _agrees(spec, list(spec.arguments[1:]), words, whole=True)


def _check_message(name: str, words: list[str]) -> None:
    if name == "eutectic.voice" and words[0] in VOICE_RANGES:
        spec, put_in = spec_of("/voice/set"), ("voice",)
    else:
        word = " ".join(words[:2]) if " ".join(words[:2]) in SURFACE[name] else words[0]
        address, put_in = SURFACE[name][word]
        spec, words = spec_of(address), words[len(word.split()) :]
    left = [each for each in spec.arguments if each.name not in ("id", *put_in)]
    _agrees(spec, left, words, whole=True)


def test_abstractions_take_these_words() -> None:
    for name, words in SURFACE.items():
        patcher = Patcher.read(PACKAGE / "patchers" / f"{name}.maxpat")
        (inlet,) = patcher.named("inlet")
        (sort,) = patcher.after(inlet)
        taken: set[str] = set()
        while sort.name == "route":  # what one doesn't know goes to the next
            taken |= set(sort.words[1:])
            (sort,) = patcher.after(sort, len(sort.words) - 1)
        assert {word.split()[0] for word in words} <= taken


@pytest.mark.parametrize("path", PATCHERS, ids=lambda path: path.name)
def test_every_answer_that_is_routed_is_in_the_table(path: Path) -> None:
    answers = {PREFIX + spec.address for spec in ANSWERS}
    patcher = Patcher.read(path)
    for box in patcher.named("route", "routepass"):
        routed = {word for word in box.words[1:] if word.startswith(PREFIX)}
        ((above, outlet),) = patcher.before(box) if routed else [(box, 0)]
        if above.words[1:][outlet : outlet + 1] == [f"{PREFIX}/done"]:
            assert all(word == PREFIX + spec_of(word).address for word in routed)
        else:
            assert routed <= answers


def test_abstractions_route_words_that_the_connection_sends() -> None:
    sent = {"done", "fail", "ended", "queued", "progress", "started"}
    connection = Patcher.read(PACKAGE / "patchers" / "eutectic.maxpat")
    words = {box.words[1] for box in connection.named("prepend", "message") if len(box.words) > 1}
    assert sent <= words and sent <= {spec.address[1:] for spec in ANSWERS}
    for name in SURFACE:
        patcher = Patcher.read(PACKAGE / "patchers" / f"{name}.maxpat")
        routed = [set(box.words[1:]) for box in patcher.named("route") if "queued" in box.words]
        assert len(routed) == 1 and routed[0] <= sent


def test_clips_that_patchers_load_ship() -> None:
    names = {
        name
        for path in PATCHERS
        for name in re.findall(r"load (\S+\.flac)", path.read_text(encoding="utf-8"))
    }
    assert names == {"ambi_glass_rub.flac", "loop_drone_g_97.flac"}
    assert all((presets_folder("clips") / name).is_file() for name in names)


def test_the_readme_admits_that_no_max_ran_them() -> None:
    text = " ".join((PACKAGE / "README.md").read_text(encoding="utf-8").split())
    assert "These patchers have never been run in Max" in text
    for path in PATCHERS:
        assert path.stem in text, f"{path.stem} is not in the README"


@pytest.fixture
def raw() -> dict[str, Any]:
    text = (PACKAGE / "patchers" / "eutectic.voice.maxpat").read_text(encoding="utf-8")
    return copy.deepcopy(json.loads(text)["patcher"])


def _box(raw: dict[str, Any], text: str) -> dict[str, Any]:
    return next(each["box"] for each in raw["boxes"] if each["box"].get("text") == text)


def test_the_linter_refuses_an_object_that_max_does_not_have(raw: dict[str, Any]) -> None:
    _box(raw, "zl.reg")["text"] = "OSC-route /fuse"
    assert "OSC-route is no object of Max 8.5 that we know" in faults(Patcher.of(raw), ABSTRACTIONS)


def test_the_linter_refuses_ports_that_an_object_does_not_have(raw: dict[str, Any]) -> None:
    _box(raw, "zl.reg")["numoutlets"] = 3
    assert any("not what the file says" in fault for fault in faults(Patcher.of(raw), ABSTRACTIONS))


@pytest.mark.parametrize(
    ("end", "value", "fault"),
    [
        ("source", ["obj-999", 0], "joins nothing"),
        ("destination", ["obj-999", 0], "joins nothing"),
        ("source", [None, 7], "has no outlet 7"),
        ("destination", [None, 7], "has no inlet 7"),
    ],
)
def test_the_linter_refuses_a_cord_that_joins_nothing(
    raw: dict[str, Any], end: str, value: list[Any], fault: str
) -> None:
    line = raw["lines"][0]["patchline"]
    line[end] = [value[0] or line[end][0], value[1]]
    assert any(fault in each for each in faults(Patcher.of(raw), ABSTRACTIONS))


def test_the_linter_refuses_boxes_that_overlap(raw: dict[str, Any]) -> None:
    one, other = raw["boxes"][3]["box"], raw["boxes"][8]["box"]
    one["patching_rect"] = [other["patching_rect"][0] + 5, *other["patching_rect"][1:]]
    assert any("overlap" in fault for fault in faults(Patcher.of(raw), ABSTRACTIONS))


def test_the_linter_refuses_an_id_that_is_used_twice(raw: dict[str, Any]) -> None:
    raw["boxes"][3]["box"]["id"] = raw["boxes"][4]["box"]["id"]
    assert any("is there twice" in fault for fault in faults(Patcher.of(raw), ABSTRACTIONS))


def test_the_linter_refuses_two_cords_from_an_outlet_and_silent_inlets(raw: dict[str, Any]) -> None:
    raw["lines"].append(raw["lines"][0])
    inlet = next(each["box"] for each in raw["boxes"] if each["box"]["maxclass"] == "inlet")
    inlet["comment"] = ""
    found = faults(Patcher.of(raw), ABSTRACTIONS)
    assert any("in whichever order" in fault for fault in found)
    assert "an inlet doesn't say what it is for" in found


def test_the_linter_refuses_a_send_that_nobody_receives(raw: dict[str, Any]) -> None:
    _box(raw, "s eutectic.ask")["text"] = "s eutectic.aks"
    patchers = [Patcher.read(path) for path in PATCHERS if path.stem != "eutectic.voice"]
    assert "eutectic.aks" in unpaired([*patchers, Patcher.of(raw)], PREFIX)
