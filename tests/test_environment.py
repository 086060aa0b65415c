"""Which Python runs the engine, and what the lock in the package lists."""

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from eutectic import environment
from eutectic.environment import LOCK, MADE, PYTHON, VARIABLE, NoEngine, command

ROOT = Path(__file__).parents[1]


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is named as the engine's, with a Python."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (tmp_path / PYTHON).parent.mkdir()
    (tmp_path / PYTHON).symlink_to(sys.executable)
    return tmp_path


def test_where_torch_is_this_python_runs_the_engine() -> None:
    assert environment.is_here()
    assert command("eutectic.engine") == [sys.executable, "-m", "eutectic.engine"]


def test_an_environment_that_somebody_made_is_used_as_it_is(chosen: Path) -> None:
    python, *options, module = command("eutectic.engine")
    assert Path(python) == chosen / PYTHON and module == "eutectic.engine" and "-P" in options


def test_one_that_setup_made_is_used_if_it_is_whole_and_of_this_version(chosen: Path) -> None:
    for lock, words in (("", "in part; .* eutectic setup"), ("0" * 64, "another version")):
        (chosen / MADE).write_text(json.dumps({"lock": lock, "for": "cpu"}))
        with pytest.raises(NoEngine, match=words):
            command("eutectic.engine")
    (chosen / MADE).write_text(json.dumps({"lock": environment.lock_digest(), "for": "cpu"}))
    assert command("eutectic.engine")[0] == str(chosen / PYTHON)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"lock": "1"}', "\x00"])
def test_a_note_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / MADE).write_text(text)
    assert environment.made(tmp_path) == {}


def test_none_is_missed_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(NoEngine, match="no engine is installed; this installs it: eutectic setup"):
        command("eutectic.engine")


@pytest.mark.process
def test_another_python_runs_this_package_even_if_it_has_one_of_its_own(tmp_path: Path) -> None:
    own = tmp_path / "eutectic"
    own.mkdir()
    (own / "__init__.py").write_text("raise SystemExit('the wrong one')")
    script = ROOT / "server" / "eutectic" / "elsewhere.py"
    done = subprocess.run(
        [sys.executable, "-P", script, "eutectic", "--version"],
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert (done.stdout, done.stderr) == (metadata.version("eutectic") + "\n", "")


def test_the_lock_has_all_that_is_imported_at_the_versions_of_the_tests() -> None:
    locked = environment.locked()
    tested = (ROOT / "requirements.lock").read_text()
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", LOCK.read_text(), re.MULTILINE):
        assert f"\n{name}=={version} " in tested, name
    required = {re.split(r"[^\w.-]", each)[0] for each in metadata.requires("eutectic") or ()
                if "extra ==" not in each}  # fmt: skip
    packages = {each.replace("_", "-") for each in environment.PACKAGES}
    assert required | packages <= set(locked)
    assert not required & packages


def test_every_package_of_the_lock_has_a_digest() -> None:
    entries = re.split(r"^(?=\w)", LOCK.read_text(), flags=re.MULTILINE)[1:]
    assert len(entries) > 90
    assert [each.split()[0] for each in entries if "--hash=sha256:" not in each] == []
