"""Keys between a daemon and an engine's machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import zmq

from eutectic.errors import BadInput
from eutectic.link import keys


def test_what_is_shown_lets_a_daemon_in_and_is_kept_nowhere(tmp_path: Path) -> None:
    engine, daemon = tmp_path / "engine", tmp_path / "daemon"
    line = keys.make(engine)
    keys.take(daemon, f"  {line}\n")
    (curve,) = keys.taken_keys(daemon)
    own = keys.own_keys(engine)
    assert own is not None and curve.engine.decode() == own.public
    assert own.daemons == (curve.public.decode(),)
    assert zmq.curve_public(curve.secret) == curve.public
    assert curve.secret.decode() not in (engine / keys.OWN).read_text()


def test_only_their_owner_can_read_them(tmp_path: Path) -> None:
    keys.take(tmp_path, keys.make(tmp_path))
    modes = {(tmp_path / name).stat().st_mode & 0o777 for name in (keys.OWN, keys.TAKEN)}
    assert modes == {0o600}


@pytest.mark.skipif(os.name != "posix", reason="others are kept out in another way")
def test_that_others_can_read_them_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys.make(tmp_path)
    (tmp_path / keys.OWN).chmod(0o644)
    for _ in range(2):
        assert keys.own_keys(tmp_path) is not None
    assert [each.getMessage() for each in caplog.records] == [
        f"{tmp_path / keys.OWN}: others can read these keys; chmod 600 keeps them out"
    ]


def test_each_daemon_has_its_own_and_all_are_forgotten_for_new_ones(tmp_path: Path) -> None:
    keys.make(tmp_path)
    keys.make(tmp_path)
    before = keys.own_keys(tmp_path)
    assert before is not None and len(set(before.daemons)) == 2
    keys.make(tmp_path, anew=True)
    after = keys.own_keys(tmp_path)
    assert after is not None and len(after.daemons) == 1 and after.public == before.public
    assert not set(after.daemons) & set(before.daemons)


def test_a_machines_newer_key_takes_the_place_of_its_older_one(tmp_path: Path) -> None:
    one, other, daemon = tmp_path / "one", tmp_path / "other", tmp_path / "daemon"
    for line in (keys.make(one), keys.make(other), keys.make(one)):
        keys.take(daemon, line)
    engines = [each.engine.decode() for each in keys.taken_keys(daemon)]
    known = [own.public for own in (keys.own_keys(one), keys.own_keys(other)) if own is not None]
    assert engines == known


@pytest.mark.parametrize("change", [lambda line: line[:-1], lambda line: "x" + line, lambda _: ""])
def test_what_is_no_key_is_refused_and_changes_nothing(tmp_path: Path, change) -> None:
    line = change(keys.make(tmp_path / "engine"))
    with pytest.raises(BadInput, match="no key"):
        keys.take(tmp_path, line)
    assert keys.taken_keys(tmp_path) == []


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / keys.OWN).write_text("{")
    with pytest.raises(BadInput, match=keys.OWN):
        keys.make(tmp_path)
    assert (tmp_path / keys.OWN).read_text() == "{"


@pytest.mark.parametrize("line", ["eutectic-engine-é", "eutectic-engine-1"])
def test_what_has_other_letters_is_no_key_either(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadInput, match="no key"):
        keys.take(tmp_path, line)
