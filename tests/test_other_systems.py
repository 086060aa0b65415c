"""The daemon where nothing is that only Linux has; on macOS and Windows it has not been run."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

import pytest

from daemons import daemon, prepare, until, wait_for
from eutectic.client.daemon_process import Daemon, status, until_ready
from eutectic.osc.answers import Engine, Started

pytestmark = pytest.mark.process

WITHOUT = Path(__file__).parent / "other_system"


def test_the_daemon_plays_and_survives_without_what_only_linux_has(tmp_path: Path) -> None:
    usual = daemon(tmp_path, "--spare")
    shared = set(Path(tempfile.gettempdir()).glob("eutectic*"))
    with (
        Daemon(usual.data, *usual.options, PYTHONPATH=str(WITHOUT), USER="me") as process,
        process.client() as client,
    ):
        client.notify()
        prepare(client)
        until_ready(client)
        number = client.begin("/fuse", 1, "a", "r", "@loop", 1, "@recall", 0)
        wait_for(client, Started, lambda started: started.id == number)
        client.end("/fuse", number)
        client.request("/render", "a", "r", "here")
        until(lambda: status(client)["engine"].endswith("a spare waits"))
        process.engine().send_signal(signal.SIGKILL)
        wait_for(client, Engine, lambda engine: engine.state == "dead")
        client.request("/fuse", 2, "a", "r", "@seed", 5)
        client.send("/panic")
    assert "Traceback" not in process.log and "ERROR" not in process.log.replace(
        "ERROR the engine died", ""
    ).replace("ERROR engine: dead", "")
    assert set(Path(tempfile.gettempdir()).glob("eutectic*")) == shared
