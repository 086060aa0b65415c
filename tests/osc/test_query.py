"""OSCQuery over real HTTP, of a real daemon."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemons import until
from eutectic.client.daemon_process import Daemon
from eutectic.osc.announce import instance_name
from eutectic.osc.parse import parse
from eutectic.osc.query import MAX_CONNECTIONS, MAX_HEAD_BYTES, HostInfo, respond
from eutectic.osc.spec import PREFIX
from eutectic.osc.table import ANSWERS, REQUESTS, VOICE_RANGES
from osc_query import get, query_port

pytestmark = pytest.mark.process


@pytest.fixture
def port(running: Daemon) -> int:
    return query_port(running)


def test_host_info_gives_the_daemon_s_osc_port(running: Daemon, port: int) -> None:
    status, info = get(port, "/?HOST_INFO")
    assert status == 200
    assert (info["OSC_IP"], info["OSC_PORT"]) == ("127.0.0.1", running.port)
    assert info["OSC_TRANSPORT"] == "UDP" and info["NAME"] == instance_name(running.port)
    assert info["EXTENSIONS"]["RANGE"] is True and info["EXTENSIONS"]["VALUE"] is False


BROWSER = b"GET / HTTP/1.1\r\nHost: %s\r\nAccept: text/html,*/*;q=0.8\r\n\r\n"


@pytest.mark.parametrize(
    ("host", "name"),
    [(b"127.0.0.1:9721", "127.0.0.1"), (b"stage.local:9721", "stage.local"), (b"stage", "stage")],
)
def test_a_browser_is_sent_on_to_the_page(host: bytes, name: str) -> None:
    info = HostInfo("x", None, 9720, 9722)
    head = respond(BROWSER % host, info).decode()
    assert head.startswith("HTTP/1.1 307 ") and head.endswith("\r\n\r\n")
    assert f"\r\nLocation: http://{name}:9722/\r\n" in head


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\nHost: a:1\r\nAccept: application/json\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a:1\r\n\r\n",
        b"GET /?HOST_INFO HTTP/1.1\r\nHost: a:1\r\nAccept: text/html\r\n\r\n",
        b"GET /eutectic/fuse HTTP/1.1\r\nHost: a:1\r\nAccept: text/html\r\n\r\n",
        BROWSER % b"a b", BROWSER % b"a/b", BROWSER % b"x\x00y",
    ],
)  # fmt: skip
def test_a_program_and_a_host_that_is_none_are_answered_with_json(request_: bytes) -> None:
    assert respond(request_, HostInfo("x", None, 9720, 9722)).startswith(b"HTTP/1.1 200 ")


def test_without_a_page_a_browser_is_answered_with_json() -> None:
    assert respond(BROWSER % b"a:1", HostInfo("x", None, 9720)).startswith(b"HTTP/1.1 200 ")


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
    taken = {spec.address for spec in REQUESTS}
    both = {spec.address for spec in ANSWERS} & taken
    for specs, access in ((REQUESTS, 2), (ANSWERS, 1)):
        for spec in specs:
            node = found[PREFIX + spec.address]
            needed = [each for each in spec.arguments if not each.optional]
            assert node["ACCESS"] == (3 if spec.address in both else access)
            if access == 2 or spec.address not in taken:
                assert len(node["TYPE"]) == len(needed)
                assert len(node.get("RANGE", needed)) == len(needed)
            assert spec.what in node["DESCRIPTION"]
            for argument in (*spec.arguments, *spec.options):
                assert argument.name in node["DESCRIPTION"]


def test_messages_made_from_a_node_s_type_and_range_parse(port: int) -> None:
    """At both ends of every range."""
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
    assert what["RANGE"][1] == {"VALS": list(VOICE_RANGES)}


@pytest.mark.parametrize(
    ("target", "method", "status"),
    [
        ("/nothing", "GET", 404), ("/eutectic//scrub", "GET", 404), ("/..", "GET", 404),
        ("/eutectic/scrub?VALUE", "GET", 204), ("/eutectic/scrub?CONTENTS", "GET", 204),
        ("/eutectic/panic?RANGE", "GET", 204), ("/?TYPE", "GET", 204),
        ("/eutectic/scrub?nothing", "GET", 400), ("/%ff", "GET", 400), ("//[", "GET", 400),
        ("/?HOST_INFO=", "GET", 200), ("/?HOST_INFO&x=1", "GET", 200), ("/", "OPTIONS", 204),
        ("/eutectic/scrub?TYPE=", "GET", 200), ("/", "POST", 405), ("/", "HEAD", 200),
        ("/eutectic/scrub/", "GET", 200),
    ],
)  # fmt: skip
def test_what_can_not_be_served_has_its_status(
    port: int, target: str, method: str, status: int
) -> None:
    found, body = get(port, target, method)
    assert found == status and (body is None) == (status != 200 or method == "HEAD")


@given(st.one_of(st.binary(max_size=200), st.text(max_size=80).map(
    lambda target: f"GET /{target} HTTP/1.1".encode())))  # fmt: skip
def test_every_request_is_answered(head: bytes) -> None:
    answer = respond(head, HostInfo("x", None, 1))
    assert re.match(rb"HTTP/1\.1 (200|204|400|404|405|501) [A-Za-z ]+\r\n", answer)


def test_web_pages_may_read_it_and_are_told_that_there_is_no_websocket(port: int) -> None:
    at = f"http://127.0.0.1:{port}/"
    asked = urllib.request.Request(at, headers={"Origin": "http://show.example"})
    with urllib.request.urlopen(asked) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    with contextlib.closing(connection):
        connection.request("GET", "/", headers=upgrade)
        answer = connection.getresponse()
        assert answer.status == 501 and "no WebSocket" in json.loads(answer.read())["ERROR"]


def test_floods_and_slow_clients_harm_nothing(running: Daemon, port: int) -> None:
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(10 * MAX_CONNECTIONS)]
    for connection in slow[:MAX_CONNECTIONS]:
        connection.sendall(b"GET / HT")
    with running.client() as client:
        client.request("/ping", timeout=5)
    for connection in slow:
        connection.close()
    until(lambda: responds(port))
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /" + b"x" * 2 * MAX_HEAD_BYTES)
        assert b"431" in connection.recv(100)
    for _ in range(500):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
    until(lambda: responds(port))
    with running.client() as client:
        client.request("/ping", timeout=5)


def responds(port: int) -> bool:
    try:
        return get(port, "/eutectic/ping?TYPE") == (200, {"TYPE": "i"})
    except (OSError, http.client.HTTPException):
        return False


def test_a_connection_that_requests_nothing_is_closed(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(20)
        connection.sendall(b"GET / HTTP/1.1\r\n")
        assert connection.recv(10) == b""
