"""The wheel in a clean environment: what works without an engine, and `eutectic setup`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from daemons import until
from eutectic import environment
from eutectic.cli import run, setup
from eutectic.client.daemon_process import status
from eutectic.client.replies import RequestFailed
from eutectic.client.sync import Client
from eutectic.environment import LOCK, MADE, VARIABLE

ROOT = Path(__file__).parents[2]
CLIPS = ROOT / "presets" / "clips"
GLASS, DRONE = CLIPS / "ambi_glass_rub.flac", CLIPS / "loop_drone_g_97.flac"
MISSING = "eutectic: no engine is installed; this installs it: eutectic setup\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment in which pip has installed the wheel, and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", folder / "new"], check=True)
    python = folder / "new" / environment.PYTHON
    install = [python, "-m", "pip", "install", "--quiet", "--no-compile", wheel]
    subprocess.run(install, check=True)
    return python


@pytest.fixture
def empty(tmp_path: Path) -> dict[str, str]:
    """Variables of a user who has no engine yet, and nothing else.

    Byte code is kept, as a user's Python does: `installed` has none, and is started often.
    """
    variables = os.environ | {
        "EUTECTIC_DATA": str(tmp_path / "data"), VARIABLE: str(tmp_path / "engine"),
    }  # fmt: skip
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    return variables


class Served:
    """A daemon of the installed wheel."""

    def __init__(self, python: Path, variables: dict[str, str], *options: str) -> None:
        command = [python, "-m", "eutectic", "serve", "--port", "0", "--device", "null"]
        self.process = subprocess.Popen(
            [*command, "--no-spare", *options], env=variables, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.client = Client(port=int(line.split(":")[1].split(",")[0]))

    def __enter__(self) -> Client:
        return self.client.__enter__()

    def __exit__(self, *_: object) -> None:
        self.client.__exit__(None, None, None)
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0


def eutectic(
    python: Path, variables: dict[str, str], *arguments: object, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    command = [python, "-m", "eutectic", *map(str, arguments)]
    return subprocess.run(
        command, env=variables, cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.mark.process
def test_what_needs_no_engine_works_without_one(
    installed: Path, empty: dict[str, str], tmp_path: Path
) -> None:
    assert "Fuse two sounds" in eutectic(installed, empty, "--help").stdout
    assert eutectic(installed, empty, "patches").returncode == 0
    mixed = eutectic(installed, empty, "fuse", GLASS, DRONE, "-o", "m.wav", "--method", "mix",
                     cwd=tmp_path)  # fmt: skip
    assert mixed.returncode == 0 and (tmp_path / "m.wav").exists()


@pytest.mark.process
@pytest.mark.parametrize(
    "arguments",
    [
        ("fuse", GLASS, DRONE), ("window", GLASS, DRONE), ("learn", DRONE), ("demo",), ("bench",),
        ("paper", "fig1"), ("models",), ("train-embedded",),
    ],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
def test_what_needs_one_says_how_to_get_it_in_one_line(
    installed: Path, empty: dict[str, str], tmp_path: Path, arguments: tuple[object, ...]
) -> None:
    (tmp_path / "here").mkdir()
    done = eutectic(installed, empty, *arguments, cwd=tmp_path / "here")
    assert (done.returncode, done.stderr) == (2, MISSING)
    assert not list((tmp_path / "here").iterdir())


@pytest.mark.process
def test_the_daemon_says_so_too_and_does_not_try_for_ever(
    installed: Path, empty: dict[str, str]
) -> None:
    with Served(installed, empty) as client:
        until(lambda: status(client)["engine"].startswith("failed"))
        with pytest.raises(RequestFailed, match="this installs it: eutectic setup"):
            client.request("/clip/load", "a", "ambi_glass_rub.flac")
        time.sleep(1)
        assert status(client)["engine"].endswith("this installs it: eutectic setup")
        with pytest.raises(RequestFailed, match="no engine is installed"):
            client.request("/model/set", "toy")


@pytest.mark.process
def test_the_engine_of_another_environment_fuses_for_the_daemon_and_for_commands(
    installed: Path, empty: dict[str, str], tmp_path: Path
) -> None:
    variables = empty | {VARIABLE: sys.prefix}
    with Served(installed, variables, "--model", "toy") as client:
        client.request("/clip/load", "a", "ambi_glass_rub.flac", timeout=120)
        client.request("/clip/load", "b", "loop_drone_g_97.flac")
        client.request("/reference/remember", "r", "b", "low")
        client.request("/fuse", 1, "a", "r")
    done = eutectic(installed, variables, "fuse", GLASS, DRONE, "-o", "x.wav", "--model", "toy",
                    "--recall", 1, cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0 and (tmp_path / "x.wav").exists(), done.stderr
    wrong = eutectic(installed, variables, "fuse", GLASS, DRONE, "--blend", 2, cwd=tmp_path)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)


@pytest.fixture
def made(installed: Path, empty: dict[str, str]) -> Generator[Path]:
    """An engine that setup made after it had been interrupted; removed at the end."""
    folder = Path(empty[VARIABLE])
    command = [installed, "-m", "eutectic", "setup", KIND]
    with subprocess.Popen(command, env=empty, stderr=subprocess.DEVNULL) as process:
        until((folder / MADE).exists)
        process.send_signal(signal.SIGINT)
    assert process.returncode == 130
    left = eutectic(installed, empty, "learn", DRONE)
    assert "is installed in part; this goes on with it: eutectic setup" in left.stderr
    subprocess.run(command, env=empty, check=True)
    yield folder
    assert eutectic(installed, empty, "setup", "--remove").returncode == 0
    assert not folder.exists()


KIND = {"linux": "--cuda", "darwin": "--mps"}.get(sys.platform, "--cpu")
"""What the package index has; the tests' own environment holds the same, so it is in uv's cache."""


@pytest.mark.process
def test_setup_makes_the_engine_and_removes_it(
    made: Path, installed: Path, empty: dict[str, str], tmp_path: Path
) -> None:
    assert "is installed, for" in eutectic(installed, empty, "setup", KIND).stdout
    done = eutectic(installed, empty, "fuse", GLASS, DRONE, "-o", "x.wav", "--model", "toy",
                    "--recall", 1, cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0 and (tmp_path / "x.wav").exists(), done.stderr
    found = eutectic(installed, empty, "doctor", "--json").stdout
    assert "installed for" in found and str(made) not in found
    assert (made / environment.PYTHON).exists()


@pytest.mark.process
def test_setup_touches_no_folder_that_it_did_not_make(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    monkeypatch.setenv(VARIABLE, str(folder))
    for arguments, words in (
        (["--remove"], "holds no engine"), ([KIND], "is not empty"),
        (["--cpu", "--cuda"], "choose one of"), (["--offline", str(tmp_path / "no")], "no folder"),
    ):  # fmt: skip
        assert run(["setup", *arguments]) == 2
        assert words.replace("no folder", "is not a folder") in capsys.readouterr().err
    assert [each.name for each in folder.iterdir()] == ["mine.txt"]


@pytest.mark.process
def test_without_the_wheels_that_it_needs_it_says_that_it_goes_on(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "engine"))
    assert run(["setup", KIND, "--offline", str(tmp_path / "wheels")]) == 2
    assert "setup goes on where it was" in capfd.readouterr().err.splitlines()[-1]
    with pytest.raises(environment.NoEngine, match="in part"):
        environment.command("eutectic.engine")


def test_where_torch_is_there_is_nothing_to_install(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["setup"]) == 0
    assert "nothing to install" in capsys.readouterr().out
    assert run(["setup", "--lock"]) == 0
    assert capsys.readouterr().out == f"{LOCK}\n"


@pytest.mark.process
def test_a_kind_that_cannot_be_had_leaves_the_engine_that_is_there(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wheels").mkdir()
    folder = tmp_path / "engine"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    noted = json.dumps({"lock": environment.lock_digest(), "for": "another"})
    (folder / MADE).write_text(noted)
    monkeypatch.setenv(VARIABLE, str(folder))
    before = environment.command("eutectic.engine")
    assert run(["setup", KIND, "--offline", str(tmp_path / "wheels")]) == 2
    assert environment.command("eutectic.engine") == before
    assert (folder / MADE).read_text() == noted


@pytest.mark.process
def test_one_whose_python_is_gone_is_made_again(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wheels").mkdir()
    folder = tmp_path / "engine"
    folder.mkdir()
    kind = KIND.removeprefix("--")
    (folder / MADE).write_text(json.dumps({"lock": environment.lock_digest(), "for": kind}))
    monkeypatch.setenv(VARIABLE, str(folder))
    run(["setup", KIND, "--offline", str(tmp_path / "wheels")])
    assert "is installed, for" not in capfd.readouterr().out
    assert (folder / environment.PYTHON).exists()


def test_for_a_processor_alone_nothing_of_cuda_is_left_in_the_lock() -> None:
    lock = LOCK.read_text()
    for kind, are_left in (("cpu", False), ("cuda", True)):
        rest = setup.without_torch(lock, kind)
        names = [line.split("==")[0] for line in rest.splitlines() if line[:1].isalpha()]
        assert not {"torch", "torchaudio"} & set(names)
        assert {"torchsde", "numpy", "stable-audio-tools"} <= set(names)
        assert any(name.startswith(("nvidia-", "triton")) for name in names) == are_left
