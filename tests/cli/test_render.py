"""`eutectic render`: what it says before, while and after; stopped, killed, and going on."""

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from commands import refused
from eutectic.cli import rendering, run
from eutectic.cli.rendering import Asked
from eutectic.engine.engine import Engine
from eutectic.engine.loading import load_for_use
from eutectic.engine.store import Store
from eutectic.recipe import read_recipe
from eutectic.rendering.opening import open_destination
from eutectic.rendering.worker import Worker
from plans import Inline
from sound_files import RATE, tone, write

TOY = ["--model", "toy", "--no-learn", "--workers", "1"]
GRID = ["render", "-o", "out", "--original", "in", "--reference", "bell.wav", *TOY]


@pytest.fixture
def sounds(own_data: Path) -> Path:
    """Two originals in a folder, and a reference."""
    (own_data / "in").mkdir()
    for number, name in enumerate(("in/one", "in/two", "bell")):
        write(own_data / f"{name}.wav", tone(RATE, 0.2, 300.0 + 200 * number))
    return own_data


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The sounds are made in the test's own process."""
    engine = Engine(load_for_use("toy", "cpu"), Store(tmp_path / "store"))

    def pool(asked: Asked, out: str | None = None, is_stopped: object = None) -> Inline:
        return Inline(Worker(engine, open_destination(out or asked.out), "worker 1"))

    monkeypatch.setattr(Asked, "pool", pool)


def manifest(folder: str = "out") -> list[dict[str, str]]:
    with Path(folder, "manifest.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def made(folder: str = "out") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).glob("*.flac")}


def test_a_grid_is_rendered_with_a_manifest_in_order_and_goes_on_where_it_was(
    sounds: Path, here: None, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*GRID, "--blends", "0.3,0.7", "--seeds", "1-2"]
    assert run([*command, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "8 fusions of 2 originals and 1 reference" in shown
    assert "8 to make: about" in shown and " MB, by a few that were timed" in shown
    assert "names such as one+bell-030-s1.flac" in shown
    assert not Path("out").exists()
    assert run(command) == 0
    assert "8 made in" in capsys.readouterr().out
    rows = manifest()
    assert [row["name"] for row in rows] == [
        f"{original}+bell-{blend}-s{seed}.flac"
        for original in ("one", "two") for seed in (1, 2) for blend in ("030", "070")
    ]  # fmt: skip
    before = made()
    assert set(before) == {row["name"] for row in rows}
    assert read_recipe(Path("out", rows[0]["name"])).place.blend == 0.3
    gone = Path("out", rows[3]["name"])
    gone.unlink()
    assert run([*command, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "7 are there already" in shown and "by 7 of this model and steps here" in shown
    assert run(command) == 0
    assert "1 made, 7 were there already" in capsys.readouterr().out
    assert made() == before
    assert run(command) == 0  # without a worker
    assert "8 were there already" in capsys.readouterr().out


def stopped(command: list[str], how: signal.Signals, count: int) -> tuple[int, str]:
    """Send a run a signal once it has made so many; its status, and what it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "eutectic", *command], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while process.poll() is None and len(made()) < count:
        time.sleep(0.02)
    process.send_signal(how)
    _, said = process.communicate(timeout=120)
    return process.returncode, said


@pytest.mark.process
def test_stopped_and_killed_it_goes_on_with_what_is_missing(
    sounds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*GRID, "--seeds", "1-20"]
    status, said = stopped(command, signal.SIGINT, 2)
    first = made()
    assert status == 130
    assert "finishing what is begun" in said
    assert 2 <= len(first) < 40
    assert f"the same command goes on: {40 - len(first)} are left" in said
    assert len(manifest()) == len(first)
    assert stopped(command, signal.SIGKILL, len(first) + 2)[0] == -signal.SIGKILL
    second = made()
    assert first.items() <= second.items()
    assert len(first) + 2 <= len(second) < 40
    assert run(command) == 0
    shown = capsys.readouterr().out
    there = int(shown.partition(" were there already")[0].rpartition(" ")[2])
    assert len(second) <= there < 40
    assert f"{40 - there} made" in shown
    rows = manifest()
    assert [row["name"] for row in rows] == [
        f"{original}+bell-050-s{seed}.flac" for original in ("one", "two") for seed in range(1, 21)
    ]
    assert {row["name"] for row in rows} == set(made())
    assert second.items() <= made().items()


def test_a_signal_that_comes_twice_at_once_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with rendering.Stop() as stop:
        for _ in range(2):  # to a process, and to its group
            signal.raise_signal(signal.SIGTERM)
        assert stop.is_asked
        monkeypatch.setattr(rendering, "SAME_SECONDS", 0.0)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)


def test_a_list_is_rendered_and_a_bad_sound_is_named_once(
    sounds: Path, here: None, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("in/bad.wav").write_text("no sound")
    Path("list.csv").write_text("original,reference,blend\nin,bell.wav,0.3 0.7\n")
    command = ["render", "list.csv", "-o", "out", "--name", "{original}/{blend}", *TOY]
    assert run(command) == 2
    shown = capsys.readouterr()
    assert shown.err.count("bad.wav") == 1 and "it is left out" in shown.err
    assert "4 made, 2 couldn't be made" in shown.out
    assert [(row["name"], bool(row["reason"])) for row in manifest()] == [
        ("bad/030.flac", True), ("bad/070.flac", True), ("one/030.flac", False),
        ("one/070.flac", False), ("two/030.flac", False), ("two/070.flac", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--reference", "bell.wav"], "no originals are named"),
        (["--original", "in"], "no references are named"),
        (["--original", "in", "--reference", "bel.wav"], "did you mean bell.wav"),
        (["--original", "", "--reference", "bell.wav"], "--original is empty"),
        (["--original", "in", "--reference", "bell.wav", "--presets", ","], "--preset is empty"),
        (
            ["--original", "in", "--reference", "bell.wav", "--presets", "glaze, rsut,"],
            "preset rsut",
        ),
        (["--original", "in/*.aif", "--reference", "bell.wav"], "matches no file"),
        (["--original", "in", "--reference", "bell.wav", "--blends", "0.3,2"], "blends must be"),
        (["--original", "in", "--reference", "bell.wav", "--seeds", "x"], "seeds must be a number"),
        (["--original", "in", "--reference", "bell.wav", "--cfg", "99"], "cfg must be 0 to 30"),
        (["--original", "in", "--reference", "bell.wav", "--presets", "rsut"], "did you mean rust"),
        (["--original", "in", "--reference", "bell.wav", "--name", "../{original}"], "a dot"),
        (["--original", "in", "--reference", "bell.wav", "--name", "x"], "needs {original}"),
        (["--original", "in", "--reference", "bell.wav", "--lora", "x.ckpt"], "no such file"),
        (["--original", "in", "--reference", "in", "--prompt", "x"], "there are 2 references"),
        (["--original", "in", "--reference", "bell.wav", "--ray", "there"], "is no address"),
        (["bell.wav"], "lists are .toml or .csv files"),
        (["list.csv"], "can't be read"),
        (["--original", "in", "--reference", "bell.wav", "--model", "x"], "unknown model"),
    ],
)
def test_a_mistake_gets_one_line_and_changes_nothing(
    sounds: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert words in refused(capsys, "render", "-o", "out", "--model", "toy", *arguments)
