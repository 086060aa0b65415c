"""Commands run in the test's own process, and what they wrote."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from eutectic.cli import run


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that must be refused; returns its one line."""
    before = sorted(Path.cwd().rglob("*"))
    code = run(list(arguments))
    captured = capsys.readouterr()
    assert code == 2, captured
    assert captured.out == ""
    assert captured.err.startswith("eutectic: ")
    assert captured.err.count("\n") == 1
    assert sorted(Path.cwd().rglob("*")) == before
    return captured.err


def read(path: str) -> np.ndarray:
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T
