"""`eutectic serve` as a child process, for measurements and tests."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from eutectic.client.sync import Client
from eutectic.errors import EutecticError
from eutectic.osc.answers import StatusReply
from eutectic.system.processes import Service

STOP_SECONDS = 20.0


class NotServing(EutecticError):
    """The daemon exited before it listened, or didn't become ready."""


class Daemon(Service):
    """A daemon on a free port; its data and its log, `daemon.log`, are in the folder `data`.

    It has no page, unless the options ask for one.
    """

    def __init__(
        self, data: Path, *options: str, command: tuple[str, ...] = (), **environment: str
    ) -> None:
        self.data, self.options = data, options
        self._command = [*command, sys.executable, "-m", "eutectic", "serve", "--port", "0",
                         "--page", "off"]  # fmt: skip
        self._environment = os.environ | {"EUTECTIC_DATA": str(data)} | environment
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return (self.data / "daemon.log").read_text()

    def start(self) -> None:
        """Start the daemon and wait until it listens.

        Raises:
            NotServing: it exited; the text is its log.
        """
        with (self.data / "daemon.log").open("a") as log:
            self._process = subprocess.Popen(
                [*self._command, *self.options], stdout=subprocess.PIPE, stderr=log, text=True,
                env=self._environment,
            )  # fmt: skip
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = re.search(r"listening on [^ ]*:(\d+)", line)
        if found is None:
            raise NotServing(f"{self._process.wait()}: {self.log}")
        self.port = int(found[1])

    def stop(self) -> int:
        """Stop it with SIGTERM; returns its exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """Kill it, without any clean-up."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def client(self, tcp: bool = False) -> Client:
        return Client(port=self.port, tcp=tcp)

    def children(self, what: str) -> list[psutil.Process]:
        """Living child processes with `what` in their command line, such as `eutectic.engine`."""
        return [
            child for child in psutil.Process(self.pid).children()
            if what in " ".join(_words_of(child))
        ]  # fmt: skip

    def engine(self, seconds: float = 60.0) -> psutil.Process:
        """The engine's process, once it has started; a spare is always the younger."""
        until = time.monotonic() + seconds
        while not (found := self.children("eutectic.engine")):
            if time.monotonic() > until:
                raise NotServing("the engine didn't start")
            time.sleep(0.05)
        return min(found, key=psutil.Process.create_time)


def _words_of(process: psutil.Process) -> list[str]:
    """Its command line; empty if it has ended, whether or not anyone has waited for it."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # a zombie is one, too
        return []


def status(client: Client) -> dict[str, str]:
    """The lines of `/status` by name."""
    lines = client.request("/status", timeout=10).of(StatusReply)
    return {line.what: line.text for line in lines}


def until_ready(client: Client, seconds: float = 120.0) -> None:
    """Wait until the engine has warmed up."""
    until = time.monotonic() + seconds
    while not status(client)["engine"].startswith("ready"):
        if time.monotonic() > until:
            raise NotServing("the engine didn't become ready")
        time.sleep(0.1)
