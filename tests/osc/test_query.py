"""OSCQuery over real HTTP, and zeroconf over real multicast, of real daemons."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import socket
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import zeroconf
from hypothesis import given
from hypothesis import strategies as st

from daemons import daemon, until
from eutectic.client.daemon_process import Daemon, until_ready
from eutectic.osc.announce import announced, instance_name
from eutectic.osc.query import MAX_CONNECTIONS, MAX_HEAD_BYTES, HostInfo, respond
from eutectic.osc.table import ANSWERS, PREFIX, REQUESTS, parse

pytestmark = pytest.mark.process

KINDS = ("_osc._udp.local.", "_oscjson._tcp.local.")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    with daemon(tmp_path_factory.mktemp("query")) as process:
        yield process
        assert "Traceback" not in process.log


@pytest.fixture
def port(running: Daemon) -> int:
    return query_port(running)


def query_port(running: Daemon) -> int:
    """As its log tells it, from a thread that may come after the line that it is ready."""
    pattern = r"OSCQuery on http://[^:]*:(\d+)/"
    until(lambda: re.search(pattern, running.log) is not None)
    return int(re.findall(pattern, running.log)[-1])


def get(port: int, target: str, method: str = "GET") -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, target)
    response = connection.getresponse()
    body = response.read()
    if body:
        assert response.headers["Content-Type"].startswith("application/json")
    connection.close()
    return response.status, json.loads(body) if body else None


# OSCQuery


def test_host_info_tells_where_osc_is_taken(running: Daemon, port: int) -> None:
    status, info = get(port, "/?HOST_INFO")
    assert status == 200
    assert (info["OSC_IP"], info["OSC_PORT"]) == ("127.0.0.1", running.port)
    assert info["OSC_TRANSPORT"] == "UDP" and info["NAME"] == instance_name(running.port)
    assert info["EXTENSIONS"]["RANGE"] is True and info["EXTENSIONS"]["VALUE"] is False


def leaves(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "TYPE" in node:
        yield node
    for name, child in node.get("CONTENTS", {}).items():
        assert child["FULL_PATH"] == f"{node['FULL_PATH'].rstrip('/')}/{name}"
        yield from leaves(child)


def test_the_namespace_is_the_whole_table(port: int) -> None:
    status, root = get(port, "/")
    assert status == 200 and root["FULL_PATH"] == "/"
    found = {node["FULL_PATH"]: node for node in leaves(root)}
    assert set(found) == {PREFIX + spec.address for spec in (*REQUESTS, *ANSWERS)}
    for specs, access in ((REQUESTS, 2), (ANSWERS, 1)):
        for spec in specs:
            node = found[PREFIX + spec.address]
            needed = [each for each in spec.arguments if not each.optional]
            assert node["ACCESS"] == access and len(node["TYPE"]) == len(needed)
            assert len(node.get("RANGE", needed)) == len(needed)
            assert spec.what in node["DESCRIPTION"]
            for argument in (*spec.arguments, *spec.options):
                assert argument.name in node["DESCRIPTION"]


def test_what_a_node_promises_the_daemon_takes(port: int) -> None:
    """A message made from TYPE and RANGE alone parses, at both ends of every range."""
    _, root = get(port, "/")
    made = {"i": 1, "f": 1.0, "s": "word"}
    for node in leaves(root):
        if node["ACCESS"] == 1:
            continue
        ranges = node.get("RANGE", [None] * len(node["TYPE"]))
        for end in ("MIN", "MAX"):
            values = [
                (limits or {}).get(end, (limits or {}).get("VALS", [made[kind]])[0])
                for kind, limits in zip(node["TYPE"], ranges, strict=True)
            ]
            parse(node["FULL_PATH"], values)


def test_one_node_and_one_attribute(port: int) -> None:
    status, node = get(port, "/eutectic/scrub")
    assert status == 200
    assert node["TYPE"] == "if"
    assert node["RANGE"] == [{"MIN": 1, "MAX": 16}, {"MIN": 0, "MAX": 1}]
    for name in node:
        assert get(port, f"/eutectic/scrub?{name}") == (200, {name: node[name]})
    _, what = get(port, "/eutectic/voice/set?RANGE")
    assert what["RANGE"][1] == {"VALS": ["gain", "pan", "out", "loop", "xfade", "cfg"]}


@pytest.mark.parametrize(
    ("target", "method", "status"),
    [
        ("/nothing", "GET", 404), ("/eutectic//scrub", "GET", 404), ("/..", "GET", 404),
        ("/eutectic/scrub?VALUE", "GET", 204), ("/eutectic/scrub?CONTENTS", "GET", 204),
        ("/eutectic/panic?RANGE", "GET", 204), ("/?TYPE", "GET", 204),
        ("/eutectic/scrub?nothing", "GET", 400), ("/%ff", "GET", 400), ("//[", "GET", 400),
        ("/", "POST", 405), ("/", "HEAD", 200), ("/eutectic/scrub/", "GET", 200),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_so(port: int, target: str, method: str, status: int) -> None:
    found, body = get(port, target, method)
    assert found == status and (body is None) == (status != 200 or method == "HEAD")


@given(st.one_of(st.binary(max_size=200), st.text(max_size=80).map(
    lambda target: f"GET /{target} HTTP/1.1".encode())))  # fmt: skip
def test_whatever_is_asked_is_answered(head: bytes) -> None:
    answer = respond(head, HostInfo("x", None, 1))
    assert re.match(rb"HTTP/1\.1 (200|204|400|404|405) [A-Za-z ]+\r\n", answer)


def test_a_flood_of_requests_and_slow_ones_harm_nothing(running: Daemon, port: int) -> None:
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(10 * MAX_CONNECTIONS)]
    for connection in slow[:MAX_CONNECTIONS]:
        connection.sendall(b"GET / HT")
    with running.client() as client:
        client.request("/ping", timeout=5)
    for connection in slow:
        connection.close()
    until(lambda: answers(port))
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /" + b"x" * 2 * MAX_HEAD_BYTES)
        assert b"431" in connection.recv(100)
    for _ in range(500):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
    until(lambda: answers(port))
    with running.client() as client:
        client.request("/ping", timeout=5)


def answers(port: int) -> bool:
    try:
        return get(port, "/eutectic/ping?TYPE") == (200, {"TYPE": "i"})
    except (OSError, http.client.HTTPException):
        return False


def test_a_connection_that_asks_nothing_is_closed(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(20)
        connection.sendall(b"GET / HTTP/1.1\r\n")
        assert connection.recv(10) == b""


# The daemon's two ports, and what is announced


@pytest.fixture
def browser() -> Generator[Browser]:
    with Browser() as browser:
        yield browser


class Browser:
    """Somebody else's zeroconf, on the loopback interface; its services by kind and name."""

    def __init__(self) -> None:
        self.zeroconf = zeroconf.Zeroconf(["127.0.0.1"])
        self.names: dict[str, set[str]] = {kind: set() for kind in KINDS}
        for kind in KINDS:
            zeroconf.ServiceBrowser(self.zeroconf, kind, handlers=[self._heard])

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.zeroconf.close()

    def _heard(self, zeroconf: Any, service_type: str, name: str, state_change: Any) -> None:
        there = self.names[service_type]
        (there.discard if state_change.name == "Removed" else there.add)(
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


def test_a_daemon_for_others_is_announced_and_gone_when_it_is_killed(
    tmp_path: Path, browser: Browser
) -> None:
    """Under another name where its own is taken; OSCQuery on another port where that is."""
    port = free_port()
    name, other = instance_name(port), f"{instance_name(port)}-2"
    stranger = zeroconf.ServiceInfo(
        KINDS[0], f"{name}.{KINDS[0]}", 7, server="stranger.local.",
        parsed_addresses=["127.0.0.1"],
    )  # fmt: skip
    browser.zeroconf.register_service(stranger)
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


def test_two_daemons_have_two_names_and_take_them_back(browser: Browser) -> None:
    ports = free_port(), free_port()
    names = {instance_name(port) for port in ports}

    async def both() -> None:
        async with announced("0.0.0.0", ports[0], None), announced("0.0.0.0", ports[1], None):
            await asyncio.to_thread(until, lambda: names <= browser.names[KINDS[0]])

    asyncio.run(both())
    until(lambda: not names & browser.names[KINDS[0]])
    assert len(names) == 2 and not names & browser.names[KINDS[1]]


def test_a_daemon_for_this_machine_alone_is_not_announced(running: Daemon) -> None:
    with running.client() as client:
        until_ready(client)  # an announcing process would have been there for long
    assert running.engine() and not running.children("eutectic.osc.announce")
