"""Announcements, by zeroconf over real multicast, of real daemons."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import zeroconf

from daemons import daemon, until
from eutectic.client.daemon_process import until_ready
from eutectic.osc.announce import announced, instance_name
from osc_query import get, query_port

pytestmark = pytest.mark.process

KINDS = ("_osc._udp.local.", "_oscjson._tcp.local.")


@pytest.fixture
def browser() -> Generator[Browser]:
    with Browser() as browser:
        yield browser


class Browser:
    """Another program's zeroconf, on the loopback interface; names of services by kind."""

    def __init__(self) -> None:
        self.zeroconf = zeroconf.Zeroconf(["127.0.0.1"])
        self.names: dict[str, set[str]] = {kind: set() for kind in KINDS}
        for kind in KINDS:
            zeroconf.ServiceBrowser(self.zeroconf, kind, handlers=[self._changed])

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.zeroconf.close()

    def _changed(self, zeroconf: Any, service_type: str, name: str, state_change: Any) -> None:
        names = self.names[service_type]
        (names.discard if state_change.name == "Removed" else names.add)(
            name.removesuffix(f".{service_type}")
        )

    def info(self, kind: str, name: str) -> zeroconf.ServiceInfo:
        found = self.zeroconf.get_service_info(kind, f"{name}.{kind}", 5000)
        assert found is not None
        return found


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_a_daemon_beyond_loopback_is_announced_until_it_is_killed(
    tmp_path: Path, browser: Browser
) -> None:
    """Under another name if its own is taken; OSCQuery on another port if that is."""
    port = free_port()
    name, other = instance_name(port), f"{instance_name(port)}-2"
    other_service = zeroconf.ServiceInfo(
        KINDS[0], f"{name}.{KINDS[0]}", 7, server="other.local.",
        parsed_addresses=["127.0.0.1"],
    )  # fmt: skip
    browser.zeroconf.register_service(other_service)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        options = ("--port", str(port), "--query", str(number), "--host", "0.0.0.0")
        with daemon(tmp_path, *options) as process:
            until(lambda: all(other in browser.names[kind] for kind in KINDS))
            assert f"port {number} is taken" in process.log and query_port(process) != number
            assert browser.info(KINDS[0], other).port == process.port == port
            assert browser.info(KINDS[1], other).port == query_port(process)
            assert get(query_port(process), "/?HOST_INFO")[1].get("OSC_IP") is None
            assert "Traceback" not in process.log
            process.kill()
            until(lambda: not any(other in browser.names[kind] for kind in KINDS))
            assert "eutectic.osc.announce" not in process.log


def test_two_daemons_have_two_names_and_withdraw_them(browser: Browser) -> None:
    ports = free_port(), free_port()
    names = {instance_name(port) for port in ports}

    async def both() -> None:
        async with announced("0.0.0.0", ports[0], None), announced("0.0.0.0", ports[1], None):
            await asyncio.to_thread(until, lambda: names <= browser.names[KINDS[0]])

    asyncio.run(both())
    assert len(names) == 2
    until(lambda: not any(names & browser.names[kind] for kind in KINDS))


def test_a_daemon_on_loopback_is_not_announced(tmp_path: Path) -> None:
    with daemon(tmp_path) as process, process.client() as client:
        until_ready(client)  # an announcing process would have started long before
        assert process.engine() and not process.children("eutectic.osc.announce")
