"""Files that are written whole or not at all."""

import subprocess
import sys
from pathlib import Path

import pytest

from eutectic.files.atomic import atomic_path, whole_files
from eutectic.session import kept
from eutectic.session.presets import Presets

KILLED = """
import os, signal, sys
from pathlib import Path
import pytest

from eutectic.files.atomic import atomic_path
with atomic_path(Path(sys.argv[1])) as temporary:
    temporary.write_text("format = 1")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.process
def test_what_a_killed_process_left_is_none_of_the_files(tmp_path: Path) -> None:
    with atomic_path(tmp_path / ".night.toml") as temporary:
        temporary.write_text('description = "a"\n')
    subprocess.run([sys.executable, "-c", KILLED, tmp_path / "day.toml"], check=False)
    assert len(list(tmp_path.iterdir())) == 2
    assert whole_files(tmp_path, ".toml") == [tmp_path / ".night.toml"]
    assert [name for name, _ in Presets(tmp_path, ()).list()] == [".night"]
    assert [name for name, _ in kept.listed(tmp_path)] == [".night"]
    assert whole_files(tmp_path / "none", ".toml") == []
