"""`eutectic service`: what it installs is what the system's own tools take; it is removed again."""

import plistlib
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from commands import refused
from daemons import daemon
from eutectic.cli import run, units

OPTIONS = ["--session", "My Night", "--device", '5% "off" $HOME\\x']


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and none of the system's commands, which would act on the real one."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    return tmp_path / "home"


@pytest.mark.process
def test_systemd_takes_the_unit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["service", "install", "--print", "--", *OPTIONS]) == 0
    text = capsys.readouterr().out
    assert f'ExecStart="{sys.executable}" "-m" "eutectic" "serve" "--session" "My Night"' in text
    assert "Restart=on-failure" in text and "pipewire.service" in text
    unit = tmp_path / "eutectic.service"
    unit.write_text(text)
    monkeypatch.undo()
    analyze = shutil.which("systemd-analyze")
    if analyze is not None:  # elsewhere there is no systemd to take it
        command = [analyze, "--user", "verify", "--man=no", str(unit)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "eutectic.service" not in done.stderr and "eutectic.service" not in done.stdout


def test_words_are_what_systemd_reads_back() -> None:
    line = next(line for line in units.systemd(OPTIONS).text.splitlines() if "ExecStart" in line)
    assert line.endswith('"--device" "5%% \\"off\\" $$HOME\\\\x"')


def test_launchd_gets_a_property_list(monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    unit = units.launchd(OPTIONS)
    assert unit.path == own_home / "Library" / "LaunchAgents" / "eutectic.plist"
    values = plistlib.loads(unit.text.encode())
    assert values["ProgramArguments"] == units.command(OPTIONS)
    assert values["KeepAlive"] == {"SuccessfulExit": False} and values["RunAtLoad"] is True


def test_windows_gets_one_command() -> None:
    line = units.windows(["--session", "My Night"])
    assert line.startswith("schtasks /Create /SC ONLOGON /TN eutectic /TR ")
    assert '\\"My Night\\"' in line


def test_it_is_installed_once_and_removed(
    own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unit = own_home / ".config" / "systemd" / "user" / "eutectic.service"
    assert run(["service", "status"]) == 0
    assert capsys.readouterr().out == f"not installed: {unit}\n"
    for _ in range(2):
        assert run(["service", "install", "--", "--session", "one"]) == 0
        shown = capsys.readouterr()
        assert str(unit) in shown.out and "systemctl --user enable --now eutectic" in shown.err
    before = unit.read_text()
    words = refused(capsys, "service", "install", "--", "--session", "two")
    assert "exists and differs; --force replaces it" in words and unit.read_text() == before
    assert run(["service", "install", "--force", "--", "--session", "two"]) == 0
    assert '"two"' in unit.read_text()
    assert run(["service", "remove"]) == 0 and not unit.exists()
    capsys.readouterr()
    assert "not installed" in refused(capsys, "service", "remove")


@pytest.mark.process
def test_a_daemon_says_that_it_is_ready_alive_and_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To a socket as systemd makes it."""
    monkeypatch.undo()
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        listening.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        monkeypatch.setenv("WATCHDOG_USEC", "300000")
        with daemon(tmp_path):
            assert listening.recv(100) == b"READY=1"
            times = []
            for _ in range(4):
                assert listening.recv(100) == b"WATCHDOG=1"
                times.append(time.monotonic())
            assert times == sorted(times)
        said = [listening.recv(100)]
        while said[-1] != b"STOPPING=1":
            said.append(listening.recv(100))
