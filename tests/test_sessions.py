"""Sessions of a real daemon: their names, and what is missing when they are opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemons import daemon, fails, prepare, until
from eutectic.client.daemon_process import status, until_ready
from eutectic.client.sync import Client
from eutectic.osc.answers import SavedFile

pytestmark = pytest.mark.process


def clips(client: Client) -> dict[str, str]:
    """States by name."""
    return {each.clip: each.state for each in client.clips()}


@pytest.mark.parametrize("name", ["berlin.2026", "My Night", "Köln №1"])
def test_what_is_saved_under_a_name_is_opened_by_it(tmp_path: Path, name: str) -> None:
    with daemon(tmp_path) as process, process.client() as client:
        client.request("/clip/load", "a", "a.wav")
        saved = client.request("/session/save", name).found
        assert saved == SavedFile(str(process.data / "sessions" / f"{name}.toml"))
    with daemon(tmp_path, "--session", name) as process, process.client() as client:
        until_ready(client)
        assert clips(client) == {"a": "loaded"}
    assert f"session {name}: 1 clip, " in process.log


@pytest.mark.parametrize("name", ["a/b", ".hidden", "a\\b", " a", "x" * 65, "night.toml"])
def test_a_name_that_could_not_be_opened_is_not_saved(client: Client, name: str) -> None:
    assert fails(client, "/session/save", name) == "bad_arguments"


def test_an_unknown_name_is_said_with_the_near_ones(tmp_path: Path) -> None:
    with daemon(tmp_path) as process, process.client() as client:
        for name in ("berlin.2026", "tour"):
            client.request("/session/save", name)
    for name, there in (("berlin", "did you mean berlin.2026"), ("tuor", "did you mean tour")):
        with daemon(tmp_path, "--session", name) as process, process.client() as client:
            client.request("/clip/load", "a", "a.wav")
        *_, said = [line for line in process.log.splitlines() if "no session" in line]
        assert (
            f"no session '{name}' in" in said and there in said and "a new one is started" in said
        )
        (process.data / "sessions" / f"{name}.toml").unlink()


def test_what_is_missing_is_found_out_at_start(tmp_path: Path) -> None:
    options = ("--session", "night")
    with daemon(tmp_path, *options) as process, process.client() as client:
        prepare(client)
        client.request("/reference/remember", "m", "b", "hiss")
        client.request("/clip/load", "c", "c.wav")
    for name in ("b.wav", "c.wav"):
        (tmp_path / "clips" / name).rename(tmp_path / "clips" / f"{name}.away")
    for path in process.data.glob("encoded/*"):
        path.unlink()
    with daemon(tmp_path, *options) as process:
        for name in ("b.wav", "c.wav"):  # made anew by the daemon's helper
            (tmp_path / "clips" / name).unlink()
        with process.client() as client:
            until_ready(client)
            until(lambda: clips(client) == {"a": "loaded", "b": "missing", "c": "missing"})
            assert {each.reference: each.state for each in client.references()} == {
                "r": "missing", "m": "missing"
            }  # fmt: skip
            assert status(client)["clips"] == "a b c; 2 missing"
            assert fails(client, "/fuse", 1, "c", "r") == "stale_clip"
    assert "clip c: " in process.log and "c.wav is missing" in process.log


def test_what_was_rendered_can_be_loaded_by_its_name(tmp_path: Path) -> None:
    with daemon(tmp_path) as process, process.client() as client:
        prepare(client)
        client.request("/render", "a", "r", "third sound")
        client.request("/clip/load", "third", "third sound.wav")
        assert clips(client)["third"] == "loaded"
        assert fails(client, "/clip/load", "x", "nothing.wav") == "no_file"
