"""What the pages say can be done: messages are taken, options exist, sounds are there."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
import typer.main

from daemons import daemon
from eutectic.cli import app
from eutectic.files.shipped import presets_folder
from eutectic.osc.parse import number_or_word, parse
from eutectic.osc.spec import PREFIX
from eutectic.osc.table import ANSWERS, REQUESTS, VOICE_RANGES, spec_of
from eutectic.session.presets import read_preset

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in (*PAGES, ROOT / "README.md")}
ALL = "\n".join(TEXTS.values())

SOUNDS_BYTES = 1_500_000
"""All sounds together: they are part of every clone."""


def sounds() -> Any:
    """The script that makes the sounds."""
    path = DOCS / "make" / "sounds.py"
    spec = importlib.util.spec_from_file_location("make_sounds", path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def code() -> Iterator[str]:
    """Every line of code, in blocks and in sentences."""
    for block in re.findall(r"```[a-z]*\n(.*?)```", ALL, re.DOTALL):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", ALL, flags=re.DOTALL))


def values(words: list[str]) -> list[Any]:
    return [number_or_word(word) for word in words]


def test_what_is_sent_by_command_is_taken() -> None:
    lines = [line for line in code() if "eutectic send " in line and "…" not in line]
    assert len(lines) > 12
    for line in lines:
        words = shlex.split(line)
        address, *given = words[words.index("send") + 1 :]
        if address == "NAME" or address.startswith("--"):
            continue
        first = [1] if spec_of(address).has_id else []
        parse(PREFIX + address, [*first, *values(given)])


def test_messages_in_sentences_are_taken() -> None:
    lines = [line for line in code() if re.match(r"/[a-z/.]+ \S", line) and "…" not in line]
    assert len(lines) > 4
    for line in lines:
        address, *given = shlex.split(line)
        first = [1] if spec_of(address).has_id else []  # which `eutectic send` adds, too
        parse(PREFIX + address, [*first, *values(given)])


def test_addresses_are_those_of_the_table() -> None:
    answers = {spec.address for spec in ANSWERS}
    for line in code():
        if re.fullmatch(r"/[a-z]+(/[a-z]+)*", line) and line not in answers:
            spec_of(line)


def test_options_of_commands_exist() -> None:
    group: Any = typer.main.get_command(app)
    known = {
        name: {each for one in command.params for each in (*one.opts, *one.secondary_opts)}
        for name, command in group.commands.items()
    }
    everywhere = set[str]().union(*known.values()) | {"--help"}
    for line in code():
        if line.startswith(("docker ", "from ", "hf ", "pip ", "python ", "ray ")):
            continue
        command = re.match(r"(?:\.venv/bin/)?eutectic ([a-z-]+)", line)
        assert not command or command[1] in known, line
        there = everywhere if command is None else known[command[1]] | {"--help"}
        if command and command[1] == "service":  # behind -- come those of serve
            there = there | known["serve"]
        assert set(re.findall(r"(?<!\S)--[a-z][a-z-]*", line)) <= there, line


def test_every_option_of_fusions_and_how_they_are_played_is_described() -> None:
    text = TEXTS["options.md"]
    rows = set(re.findall(r"^\| `([a-z_0-9]+)` \|", text, re.M))
    wanted = {each.name for address in ("/fuse", "/fan") for each in spec_of(address).options}
    times = {"at_ms", "within_ms", "at_beat", "quantise"}
    assert wanted - rows <= {"residual_amount", "preset", "velocity", *times}
    assert all(f"`{name}`" in text or f"@{name}" in text for name in wanted)
    assert {"xfade", "loop"} <= rows
    of_any = {each.name for spec in REQUESTS for each in spec.options}
    assert rows <= of_any | set(VOICE_RANGES)


def test_each_described_option_has_a_sound_and_a_value_to_try() -> None:
    for row in re.findall(r"^\| `[a-z_]+` \|(.*)\|$", TEXTS["options.md"], re.M):
        what, tried = (cell.strip() for cell in row.rsplit("|", 1))
        assert what.endswith(".") and tried


def test_presets_that_are_named_ship() -> None:
    named = set(re.findall(r"@preset ([a-z_]+)", ALL))
    assert named
    for name in named:
        read_preset(presets_folder("fusions") / f"{name}.toml")


def test_links_between_pages_lead_to_files() -> None:
    for path in (*PAGES, ROOT / "README.md"):
        for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_tables_of_listen_first_are_what_was_measured() -> None:
    module = sounds()
    text = TEXTS["listen.md"]
    found = json.loads(module.FIGURES.read_text(encoding="utf-8"))
    assert module.with_tables(text, found) == text
    assert all(len(each["points"]) == 5 for each in found.values())


def test_the_sounds_are_there_whole_small_and_not_silent() -> None:
    module = sounds()
    names = re.findall(r'<audio[^>]* src="([^"]+)"', TEXTS["listen.md"])
    assert len(names) == 7 * len(module.PAIRS)
    paths = [DOCS / name for name in names]
    assert {path.name for path in (DOCS / "sounds").glob("*.mp3")} == {path.name for path in paths}
    assert sum(path.stat().st_size for path in paths) < SOUNDS_BYTES
    for path in paths:
        samples, rate_hz = soundfile.read(path)
        assert 2 < len(samples) / rate_hz < module.MAX_SECONDS + 0.2
        assert abs(samples).max() > 0.05


@pytest.mark.training
def test_the_sounds_measure_what_the_page_says() -> None:
    module = sounds()
    engine = module.load_engine("embedded", "cpu")
    known = json.loads(module.FIGURES.read_text(encoding="utf-8"))
    for pair in module.PAIRS:
        found = module.figures(module.measure(engine, pair))
        for ours, theirs in zip(found["points"], known[pair.name]["points"], strict=True):
            assert ours == pytest.approx(theirs, abs=0.011)  # both are rounded


@pytest.mark.process
def test_the_cookbook_s_script_loads_a_folder_of_pads(tmp_path: Path) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", TEXTS["cookbook.md"], re.DOTALL)
    with daemon(tmp_path) as running, running.client() as client:
        script = script.replace("~/Sounds/pads", str(tmp_path / "clips"))
        script = script.replace("Client()", "connected()")
        exec(compile(script, "cookbook.md", "exec"), {"connected": running.client})
        client.request("/sync")
        assert [each.clip for each in client.clips()] == ["1", "2", "3"]
        assert client.references()[0].reference == "first"
        assert client.request("/voice/list").answers[3].loop == 1


@pytest.mark.process
def test_the_bridge_s_script_that_follows_the_state_has_all_there_is(tmp_path: Path) -> None:
    text = (ROOT / "plugin_bridge" / "README.md").read_text(encoding="utf-8")
    _, script = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    with daemon(tmp_path) as running, running.client() as client:
        client.load_clip("glass", "a.wav")
        client.scrub(1, 0.25)
        client.request("/sync")
        names: dict[str, Any] = {"connected": running.client}
        exec(compile(script.replace("Client()", "connected()"), "README.md", "exec"), names)
        state = names["state"]
        assert state.voices[1].blend == 0.25
        assert list(state.clips) == ["glass"] and not state.missed
