"""`fuse`, `window` and `learn` use a running daemon's engine: the same bits, and nothing waits."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil
import pytest

from daemons import daemon, prepare, until
from eutectic.cli import loading, run
from eutectic.client.daemon_process import Daemon, status
from eutectic.link import errands
from eutectic.link.errands import Hello
from eutectic.link.protocol import Source

pytestmark = pytest.mark.process

SECONDS = 120


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    """A daemon with the toy model, whose engine is ready."""
    with daemon(tmp_path_factory.mktemp("serving")) as process, process.client() as client:
        until(lambda: status(client)["engine"].startswith("ready"), SECONDS)
        yield process


@pytest.fixture(autouse=True)
def its_data(serving: Daemon, monkeypatch: pytest.MonkeyPatch, own_data: Path) -> Path:
    monkeypatch.setenv("EUTECTIC_DATA", str(serving.data))
    return serving.data


@pytest.fixture
def only_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands load no engine of their own."""

    def load(model: str, compute: str | None) -> None:
        pytest.fail(f"{model} was loaded on {compute}")

    monkeypatch.setattr(loading, "load_engine", load)


def clip(serving: Daemon, name: str) -> str:
    return str(serving.data.parent / "clips" / name)


def toy(serving: Daemon, command: str, *options: str) -> list[str]:
    """A command, with sounds named from its own folder, which isn't the daemon's."""
    sounds = ["b.wav"] if command == "learn" else ["a.wav", "b.wav"]
    for name in sounds:
        if not Path(name).exists():
            Path(name).symlink_to(clip(serving, name))
    return [command, *sounds, "--model", "toy", *options]


LEARN = ("--learn-steps", "2", "--prompt", "white noise")


@pytest.mark.parametrize(
    "options",
    [
        (), ("--recall", "0.5", *LEARN), ("--recall", "0", "--no-learn", "--seed", "1,2"),
        ("--blend", "0,0.3,0.7,1", "--recall", "0.3", "--no-learn"),
        ("--residual", "edit-friendly", "--no-learn"), ("--residual", "ddim", "--no-learn"),
        ("--level", "raw", "--start", "0.1", "--duration", "0.3"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_fusion_is_the_same_file_to_the_bit(
    serving: Daemon, options: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    assert run(toy(serving, "fuse", "-o", "alone/", "--alone", *options)) == 0
    request.getfixturevalue("only_there")
    for folder in ("there/", "again/"):  # all is known the second time
        assert run(toy(serving, "fuse", "-o", folder, *options)) == 0
        made = {path.name: path.read_bytes() for path in Path("alone").iterdir()}
        assert made == {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_a_window_is_the_same(serving: Daemon, request: pytest.FixtureRequest) -> None:
    options = ("--points", "4", "--no-learn", "--recall", "0.5")
    assert run(toy(serving, "window", "-o", "alone", "--alone", *options)) == 0
    request.getfixturevalue("only_there")
    assert run(toy(serving, "window", "-o", "there", *options)) == 0
    for path in Path("alone").glob("*.wav"):
        assert path.read_bytes() == (Path("there") / path.name).read_bytes()
    alone, there = (
        np.genfromtxt(Path(folder) / "window.csv", delimiter=",", skip_header=1)
        for folder in ("alone", "there")
    )
    np.testing.assert_allclose(alone, there, atol=2e-4)  # sums depend on where memory lies


def test_what_is_learned_there_is_found_by_all(
    serving: Daemon, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--learn-steps", "3", "--prompt", "for all")
    before = set((serving.data / "references").iterdir())
    assert run(toy(serving, "learn", "--alone", *options)) == 0
    (learned,) = set((serving.data / "references").iterdir()) - before
    content, line = learned.read_bytes(), capsys.readouterr().out
    learned.unlink()
    request.getfixturevalue("only_there")
    assert run(toy(serving, "learn", *options)) == 0
    assert learned.read_bytes() == content and capsys.readouterr().out == line


@pytest.mark.usefixtures("only_there")
def test_mistakes_that_only_the_model_finds_are_refused_as_ever(
    serving: Daemon, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(toy(serving, "fuse", "--remaining", "5000")) == 2
    line = capsys.readouterr().err
    assert line.startswith("eutectic: ") and line.count("\n") == 1 and "5000" in line


def ask(serving: Daemon, **changed: str) -> errands.Engine | None:
    usual = {"key": "", "version": version("eutectic"), "model": "toy", "compute": None}
    return errands.connect(serving.data, Hello(**(usual | changed)))


def test_it_is_only_asked_by_its_like(serving: Daemon) -> None:
    assert ask(serving) is not None
    for other in ({"model": "embedded"}, {"compute": "cpu"}, {"version": "0.0"}):
        assert ask(serving, **other) is None


def test_only_who_can_read_its_file_is_served(serving: Daemon, tmp_path: Path) -> None:
    path = serving.data / errands.FILE
    assert path.stat().st_mode & 0o777 == 0o600
    there = json.loads(path.read_text())
    (tmp_path / errands.FILE).write_text(json.dumps(there | {"key": "0" * 32}))
    hello = Hello("", version("eutectic"), "toy", None)
    assert errands.connect(tmp_path, hello) is None
    with socket.create_connection(("127.0.0.1", there["port"])) as rude:
        rude.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
        assert ask(serving) is not None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"port": "x", "key": 1}', '{"port": 9}'])
def test_without_one_that_answers_a_command_works_alone(
    serving: Daemon, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    data = tmp_path / "other"
    data.mkdir()
    (data / errands.FILE).write_text(text)
    monkeypatch.setenv("EUTECTIC_DATA", str(data))
    assert run(toy(serving, "fuse", "-o", "x.wav", "--no-learn")) == 0


def test_one_that_is_silent_is_not_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        errands.publish(tmp_path, silent.getsockname()[1], "key")
        assert errands.connect(tmp_path, Hello("", "1", "toy", None)) is None


@contextmanager
def command(serving: Daemon, *words: str) -> Generator[subprocess.Popen[str]]:
    """A command in a process of its own, which is killed at the end if it still runs."""
    words = tuple(toy(serving, *words))
    with subprocess.Popen(
        [sys.executable, "-m", "eutectic", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"EUTECTIC_DATA": str(serving.data)},
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def spent(engine: psutil.Process) -> float:
    """Seconds of processors that it has used."""
    times = engine.cpu_times()
    return times.user + times.system


def until_it_rests(engine: psutil.Process) -> None:
    def rests() -> bool:
        before = spent(engine)
        time.sleep(1.0)
        return spent(engine) - before < 0.02  # it is nice: beside others it may be given little

    until(rests, SECONDS)


def until_it_works(engine: psutil.Process) -> None:
    before = spent(engine)
    until(lambda: spent(engine) - before > 0.5, SECONDS)


def deaths(serving: Daemon) -> int:
    """How often the daemon has seen an engine die."""
    with serving.client() as client:
        (told,) = re.findall(r"(\d+) deaths", status(client)["engine"])
    return int(told)


def until_back(serving: Daemon, deaths_before: int) -> None:
    """Wait until the daemon has seen an engine die, and another is ready."""
    until(lambda: deaths(serving) > deaths_before, SECONDS)
    with serving.client() as client:
        until(lambda: status(client)["engine"].startswith("ready"), SECONDS)


def test_a_performer_is_served_while_a_command_learns_and_ctrl_c_ends_it(serving: Daemon) -> None:
    with (
        serving.client() as client,
        command(serving, "learn", "--learn-steps", "100000", "--prompt", "endless") as learning,
    ):
        prepare(client)
        engine = serving.engine()
        until_it_works(engine)
        client.request("/fuse", 1, "a", "r", timeout=SECONDS)
        assert run(toy(serving, "fuse", "-o", "meanwhile.wav", "--recall", "1")) == 0
        learning.send_signal(signal.SIGINT)
        assert learning.wait(SECONDS) == 130
        until_it_rests(engine)


def test_a_command_that_is_stopped_holds_up_nothing(serving: Daemon) -> None:
    hello = Hello("", version("eutectic"), "toy", None)
    stopped = errands.connect(serving.data, hello)
    assert stopped is not None
    wanted = errands.Wanted(Source(clip(serving, "b.wav")), "noise")
    places = tuple(errands.Place(k / 200) for k in range(200))
    fuse = errands.Fuse(
        Source(clip(serving, "a.wav")), wanted, places, errands.SamplingSettings(), "match"
    )
    for _ in range(3):  # more than any socket holds, and nobody reads
        errands.send(stopped._connection, fuse)
    with serving.client() as client:
        prepare(client)
        client.request("/fuse", 2, "a", "r", timeout=SECONDS)
    assert ask(serving) is not None


def test_a_performer_learns_before_a_command_does(serving: Daemon) -> None:
    """What the command waits for doesn't hold up what the performer began."""
    with serving.client() as client:
        prepare(client)
        slow = client.begin("/reference/learn", "slow", "b", "slow", "@steps", 2000)
        until(lambda: "learning" in status(client)["engine"], SECONDS)
        with command(serving, "learn", "--learn-steps", "5000", "--prompt", "after") as learning:
            client.end("/reference/learn", slow, timeout=SECONDS)
            assert learning.poll() is None


@pytest.mark.parametrize("words", [("learn", "--prompt", "died"), ("window", "-o", "out")])
def test_an_engine_that_dies_takes_no_command_with_it(
    serving: Daemon, words: tuple[str, ...]
) -> None:
    learning = ("--learn-steps", "4000", "--recall", "0.5")
    options = learning if words[0] == "window" else learning[:2]
    engine, before = serving.engine(), deaths(serving)
    until_it_rests(engine)
    with command(serving, *words, *options) as asked:
        until_it_works(engine)
        engine.kill()
        assert asked.stderr is not None
        assert asked.stderr.readline() == "note: the daemon's engine ended; going on without it\n"
    until_back(serving, before)


def test_if_the_engine_dies_the_command_goes_on_without_it(serving: Daemon) -> None:
    seeds = ",".join(map(str, range(40)))
    slow = ("--no-learn", "--recall", "0.5", "--steps", "200")
    before = deaths(serving)
    with command(serving, "fuse", "-o", "out/", "--seed", seeds, *slow) as fusing:
        assert fusing.stdout is not None
        fusing.stdout.readline()
        serving.engine().kill()
        _, errors = fusing.communicate(timeout=120)
    assert fusing.returncode == 0
    assert errors == "note: the daemon's engine ended; going on without it\n"
    assert len(list(Path("out").iterdir())) == 40
    until_back(serving, before)
    time.sleep(0.1)
    assert ask(serving) is not None
