"""`eutectic serve --engine` and `eutectic engine`: real commands, the ends of which die."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemons import daemon, prepare, until, wait_for
from eutectic.client.daemon_process import status, until_ready
from eutectic.experiments.live.engine_machine import EngineMachine
from eutectic.osc.answers import Engine
from eutectic.system.shared_memory import PREFIX, SHARED

pytestmark = pytest.mark.process


def test_either_side_may_be_killed_and_the_show_goes_on(tmp_path: Path) -> None:
    engine = tmp_path / "engine"
    with EngineMachine(engine, "toy", "--compute", "cpu", "--no-spare") as machine:
        away = "--engine", machine.where, "--session", str(tmp_path / "night.toml")
        first = daemon(tmp_path, *away)
        with first, first.client() as client:
            prepare(client)
            client.request("/fuse", 1, "a", "r", "@loop", 1)
            assert first.children("eutectic.engine") == []
            assert f"at {machine.where}" in status(client)["engine"]
            first.kill()
        pid = machine.engine().pid
        second = daemon(tmp_path, *away)
        with second, second.client() as client:
            until_ready(client)
            assert machine.engine().pid == pid
            client.send("/notify", 1)
            client.request("/fuse", 1, "a", "r", "@seed", 1)
            machine.kill()
            wait_for(client, Engine, lambda each: each.state == "lost")
            machine.start()
            until(lambda: not list(SHARED.glob(f"{PREFIX}{machine.pid}-*")))
            wait_for(client, Engine, lambda each: each.state == "ready", 60)
            client.request("/fuse", 1, "a", "r", "@seed", 2)
            assert "0 deaths" in status(client)["engine"]
        assert "Traceback" not in first.log + machine.log
