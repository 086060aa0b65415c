"""`eutectic engine`: keys, and what is refused before anything is started."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from commands import refused
from eutectic.cli import run
from eutectic.link import keys


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EUTECTIC_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


def test_a_key_is_shown_once_and_taken_on_the_other_machine(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["engine", "keys"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    own = keys.own_keys(data)
    other = tmp_path / "other"
    monkeypatch.setenv("EUTECTIC_DATA", str(other))
    monkeypatch.setattr("sys.stdin", io.StringIO(line + "\n"))
    assert run(["engine", "keys", "--take"]) == 0
    (taken,) = keys.taken_keys(other)
    assert own is not None and taken.public.decode() in own.daemons


def test_what_cannot_be_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--listen HOST:PORT" in refused(capsys, "engine")
    assert "HOST:PORT" in refused(capsys, "engine", "--listen", "9730")
    assert "without keys" in refused(capsys, "engine", "--listen", "0.0.0.0:9730")
    assert "eutectic engine keys" in refused(capsys, "engine", "--take")
    assert "HOST:PORT" in refused(capsys, "serve", "--engine", "studio")
    monkeypatch.setattr("sys.stdin", io.StringIO("something else"))
    assert "no key" in refused(capsys, "engine", "keys", "--take")
