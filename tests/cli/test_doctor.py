"""`eutectic doctor`: what works is said to, what doesn't is found, with what to do about it."""

import json
import os
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from eutectic import environment
from eutectic.cli import run
from eutectic.client.daemon_process import Daemon
from eutectic.doctor import engine, engine_check, machine
from eutectic.doctor.findings import Finding

pytestmark = pytest.mark.process

HOST = "127.0.0.1"


def free_port() -> int:
    """The first of two free ports in a row."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind((HOST, 0))
            number = one.getsockname()[1]
            try:
                two.bind((HOST, number + 1))
            except OSError:
                continue
            return number


def diagnosed(
    capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0
) -> dict[str, dict[str, Any]]:
    """Findings by name."""
    capsys.readouterr()
    assert run(["doctor", "--json", *arguments]) == code
    report = json.loads(capsys.readouterr().out)
    assert report["version"] == metadata.version("eutectic")
    return {each["name"]: each for each in report["findings"]}


def test_a_machine_that_works_has_nothing_to_mend(
    capsys: pytest.CaptureFixture[str], own_data: Path
) -> None:
    port = free_port()
    found = diagnosed(capsys, "--port", str(port))
    assert not [each for each in found.values() if each["state"] == "bad"]
    for name, words in {
        "Python": sys.version.split()[0], "packages": "stable-audio-tools 0.0.20",
        "byte code": "", "engine": "in this environment", "engine's byte code": "",
        "data folder": "can be written", "disk space": "GB free", "MIDI": "",
        f"OSC, port {port}": "free", f"OSCQuery, port {port + 1}": "free",
        f"Page, port {port + 2}": "free",
        "torch": f"on cpu, {os.environ.get('OMP_NUM_THREADS', os.cpu_count())} threads",
        "model": "its checks pass; a new fusion by its network begins after ",
        "models here": "embedded",
    }.items():  # fmt: skip
        assert words in found[name]["text"], name
    text = json.dumps(found)
    assert str(own_data.parent) not in text and str(Path.home()) + "/" not in text
    assert run(["doctor", "--port", str(port), "--paths"]) == 0
    shown = capsys.readouterr().out
    assert str(own_data.parent / "data") in shown and shown.endswith("nothing to mend\n")


def test_a_port_that_another_program_has_is_found_with_its_owner(
    capsys: pytest.CaptureFixture[str],
) -> None:
    port = free_port()
    program = f"import socket, time; s = socket.socket({int(socket.AF_INET)}, {int(socket.SOCK_DGRAM)}); s.bind(('{HOST}', {port})); print('there', flush=True); time.sleep(60)"  # noqa: E501
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "there\n"
        found = diagnosed(capsys, "--port", str(port), code=1)[f"OSC, port {port}"]
        assert run(["doctor", "--port", str(port)]) == 1
        other.kill()
    assert found["state"] == "bad" and f"(process {other.pid})" in found["text"]
    assert "serve --port" in found["advice"]
    lines = capsys.readouterr().out.splitlines()
    assert f"! OSC, port {port}" in "\n".join(lines) and lines[-1].startswith("1 of ")


def test_a_daemon_that_runs_is_no_fault(
    running: Daemon, capsys: pytest.CaptureFixture[str]
) -> None:
    found = diagnosed(capsys, "--port", str(running.port))
    assert found[f"OSC, port {running.port}"]["text"] == "a daemon is running"


def test_other_versions_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name == "torchaudio":
            raise metadata.PackageNotFoundError(name)
        return "1.13.1" if name == "torch" else real(name)

    monkeypatch.setattr(metadata, "version", version)
    found = engine_check.packages()
    assert found.state == "bad"
    assert "torch 1.13.1 instead of 2.11.0, torchaudio missing instead of 2.11.0" in found.text


def test_an_engine_that_is_missing_or_does_not_run_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(environment.VARIABLE, str(tmp_path))
    (found,) = engine.engine(None, paths=False)
    assert found == Finding("engine", "bad", "no engine is installed", found.advice)
    assert found.advice == "this installs it: eutectic setup"
    python = tmp_path / environment.PYTHON
    python.parent.mkdir()
    python.write_text("#!/bin/sh\necho it is broken >&2; exit 1\n")
    python.chmod(0o755)
    (found,) = engine.engine(None, paths=False)
    assert found.state == "bad" and found.text == "doesn't run: it is broken"


def test_a_data_folder_that_cannot_be_written_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (found,) = machine.folders(tmp_path / "file" / "data", paths=False)
    assert found.state == "bad" and "EUTECTIC_DATA" in found.advice
    assert str(tmp_path) not in found.text


def test_missing_byte_code_is_found(tmp_path: Path) -> None:
    program = (
        "from eutectic.doctor.machine import byte_code\n"
        "print(byte_code('', ['stable_audio_tools']).state)"
    )
    states = [
        subprocess.check_output([sys.executable, "-c", program], text=True, env=os.environ | more)
        for more in ({}, {"PYTHONPYCACHEPREFIX": str(tmp_path)})
    ]
    assert states == ["ok\n", "note\n"]


def test_a_sound_system_that_does_not_answer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from eutectic.doctor import sound
    from eutectic.errors import BadDevice
    from eutectic.playback import streams

    def refuse() -> None:
        raise BadDevice("PortAudio is missing")

    monkeypatch.setattr(streams, "list_devices", refuse)
    (found,) = sound.devices()
    assert found == Finding("PortAudio", "bad", "PortAudio is missing", found.advice)
    assert "libportaudio2" in found.advice
