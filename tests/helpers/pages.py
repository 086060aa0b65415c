"""The stage page for tests: its process alone or a daemon's, browsers' connections, requests."""

from __future__ import annotations

import http.client
import json
import re
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from daemons import until
from eutectic.client.daemon_process import Daemon
from eutectic.osc.spec import PREFIX
from eutectic.page.settings import PageSettings
from eutectic.session.folders import Folders

PIN = "024680"
SECRET = "0f" * 32


def own_address() -> str:
    """An address of this machine that isn't loopback: what comes from it comes from elsewhere."""
    for some in psutil.net_if_addrs().values():
        for each in some:
            if each.family == socket.AF_INET and not each.address.startswith("127."):
                return each.address
    pytest.skip("this machine has no address beyond loopback")


def settings(folder: Path, osc_port: int = 9, **changes: Any) -> PageSettings:
    """Settings of a page whose data is under `folder`, and which other machines reach."""
    for name in ("clips", "renders"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    folders = Folders((folder / "clips", folder / "uploads"), folder / "renders", home=Path.home())
    made = PageSettings("0.0.0.0", 0, osc_port, SECRET, PIN, folder, folders, 44_100)
    return msgspec.structs.replace(made, **changes)


@contextmanager
def page_alone(given: PageSettings) -> Generator[int]:
    """The page's process without a daemon; yields its port."""
    process = subprocess.Popen([sys.executable, "-m", "eutectic.page"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(given.line())
        process.stdin.flush()
        yield json.loads(process.stdout.readline())["port"]
    finally:
        process.stdin.close()
        assert process.wait(10) == 0


def page_port(daemon: Daemon, times: int = 1) -> int:
    """A daemon's page's port, once its page has been started so many times."""
    pattern = r"page on http://[^:]*:(\d+)/"
    until(lambda: len(re.findall(pattern, daemon.log)) >= times)
    return int(re.findall(pattern, daemon.log)[-1])


class Tab:
    """A browser's connection, in the order that it receives."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.pictures: dict[int, np.ndarray] = {}
        self.levels: list[list[float]] = []
        self._waiting: list[list[Any]] = []

    def send(self, address: str, *values: Any) -> None:
        """Send a message; its address without the prefix, unless it is one of the page's own."""
        full = address if address.startswith("/page") else PREFIX + address
        self.connection.send(json.dumps([full, *values]))

    def ask(self, address: str, *values: Any) -> list[Any]:
        """Send a request; what its `/done` or `/fail` holds after the address."""
        self.send(address, *values)
        ends, about = (f"{PREFIX}/done", f"{PREFIX}/fail"), PREFIX + address
        return self.until(lambda one: one[0] in ends and one[1:3] == [about, values[0]])

    def until(self, matches: Callable[[list[Any]], bool], seconds: float = 20.0) -> list[Any]:
        """The first message that matches; those before it are dropped."""
        end = time.monotonic() + seconds
        while True:
            while self._waiting:
                message = self._waiting.pop(0)
                if matches(message):
                    return message
            self.read(end - time.monotonic())

    def of(self, address: str, *values: Any) -> list[Any]:
        """The first message with this whole address, and these values first."""
        return self.until(lambda one: one[0] == address and one[1:][: len(values)] == [*values])

    def read(self, seconds: float) -> None:
        """Take what comes next."""
        frame = self.connection.recv(timeout=max(seconds, 0))
        if isinstance(frame, str):
            self._waiting += json.loads(frame)
        elif frame[0] == 1:
            self.levels += np.frombuffer(frame[4:], "<f4").reshape(-1, 4).tolist()
        else:
            kind, number, width, height = struct.unpack("<B3xIHH", frame[:12])
            assert kind == 2
            self.pictures[number] = np.frombuffer(frame[12:], np.uint8).reshape(height, width)

    def closed(self) -> int:
        """The code that the page closes the connection with, once it does."""
        try:
            while True:
                self.read(20.0)
        except ConnectionClosed:
            return self.connection.close_code or 0

    def picture(self, number: int, *values: Any) -> np.ndarray:
        """Ask for a picture."""
        self.send("/page/picture", number, *values)
        while number not in self.pictures:
            self.read(20.0)
            for message in self._waiting:
                assert message[:2] != ["/page/fail", number], message
        return self.pictures.pop(number)


@contextmanager
def tab(port: int, host: str = "127.0.0.1", **headers: str) -> Generator[Tab]:
    """A browser that has opened the page."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with connect(f"ws://{host}:{port}/osc", additional_headers=named, max_size=None) as connection:
        yield Tab(connection)


def ask(
    port: int, method: str, target: str, body: Any = None, host: str = "127.0.0.1", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    """An HTTP request's response and its body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection(host, port, timeout=20)
    connection.request(method, target, body, named)
    response = connection.getresponse()
    read = response.read()
    connection.close()
    return response, read


def cookie_for(port: int, pin: str, host: str) -> str:
    """The cookie that a browser gets for the PIN."""
    response, _ = ask(port, "POST", "/pin", json.dumps({"pin": pin}), host)
    assert response.status == 303
    return (response.getheader("set-cookie") or "").partition(";")[0]
