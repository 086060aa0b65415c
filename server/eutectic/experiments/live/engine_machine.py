"""`eutectic engine --listen` as a child process: another machine, as far as a daemon can tell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil

from eutectic.errors import EutecticError
from eutectic.system.processes import LEAVE_SECONDS, Service


class NotListening(EutecticError):
    """It exited before it listened."""


class EngineMachine(Service):
    """An engine that listens on a port of loopback, with its own data folder.

    Its log, `engine.log`, is in that.
    """

    def __init__(self, data: Path, model: str, *options: str, port: int = 0) -> None:
        self.data, self.port = data, port
        self._options = ("--model", model, *options)
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def where(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.data / "engine.log").read_text()

    def start(self) -> None:
        """Start it, at the same port if that was started before.

        Raises:
            NotListening: it exited; the text is its log.
        """
        self.data.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "eutectic", "engine", "--listen", self.where]
        with (self.data / "engine.log").open("a") as log:
            self._process = subprocess.Popen(
                [*command, *self._options], stdout=subprocess.PIPE, stderr=log, text=True,
                env=os.environ | {"EUTECTIC_DATA": str(self.data)},
            )  # fmt: skip
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = re.search(r"listening on [^ ]*:(\d+)", line)
        if found is None:
            raise NotListening(f"{self._process.wait()}: {self.log}")
        self.port = int(found[1])

    def engine(self) -> psutil.Process:
        """The engine's process, or that of the one that serves first.

        Raises:
            NotListening: there is none.
        """
        for child in psutil.Process(self.pid).children(recursive=True):
            if "eutectic.engine" in " ".join(child.cmdline()):
                return child
        raise NotListening("it has no engine")

    def suspend(self) -> None:
        """Let it do nothing, as if its machine were gone."""
        psutil.Process(self.pid).suspend()

    def resume(self) -> None:
        """Let it go on."""
        psutil.Process(self.pid).resume()

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill it, without any clean-up."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
