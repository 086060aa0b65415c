"""The input: a device whose last minute is remembered, and which is reopened when it was lost.

It has a process of its own: an input that blocks or dies takes no output with it. Opening one takes
a while, so that a thread does it.
"""

from __future__ import annotations

import logging
import subprocess
import threading
from pathlib import Path

from eutectic.errors import BadDevice
from eutectic.playback.heard import Heard
from eutectic.playback.replies import Listening
from eutectic.playback.streams import OPEN_SECONDS, end_process, reply_of, start_process
from eutectic.system.shared_memory import new_path

log = logging.getLogger("eutectic.playback")

RETRY_SECONDS = (1.0, 8.0)
"""Between attempts to open a device of a name, at first and at last."""

DEFAULT_RETRY_SECONDS = (4.0, 64.0)
"""The same of the system's default: there may be none, and each attempt starts a process."""


class Input:
    """An input device, by its name; the system's default; or a sound file, by FILE and its path.

    Attributes:
        name: the device's; empty while it is not known.
        state: `off` until it is open, and if there is none; `listening` or `lost`.
        text: what is wrong with it; empty: nothing.
        heard: the last minute, at the device's own rate; None before it was open. After a loss it
            goes on, with silence between; only a device that comes back with another rate or other
            channels has a new one.
    """

    def __init__(self, wanted: str | None) -> None:
        self._wanted = wanted
        self.name, self.state, self.text = wanted or "", "off", ""
        self.heard: Heard | None = None
        self._path = new_path()
        self._process: subprocess.Popen[bytes] | None = None
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Open it now.

        Raises:
            BadDevice: it doesn't exist, can't be opened, or was closed meanwhile.
        """
        name = self._wanted or self.name or None
        process = start_process("listen", {"--device": name, "--heard": self._path})
        self._process = process
        if self._closing.is_set():
            process.kill()
        try:
            self._listen(reply_of(process, OPEN_SECONDS, Listening))
        except BadDevice:
            end_process(process)
            self._unlink(but="" if self.heard is None else str(self.heard.path))
            raise

    def start(self) -> None:
        """Open it unless it is, and look after it, in a thread."""
        self._thread = threading.Thread(target=self._run, name="input", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it; what was heard can still be read by those who hold it."""
        self._closing.set()
        if self._process is not None:
            self._process.kill()
        if self._thread is not None:
            self._thread.join()
        if self._process is not None:
            end_process(self._process)
        self._unlink()
        self.state = "off"

    def _run(self) -> None:
        while not self._closing.is_set():
            if self.state == "listening":
                assert self._process is not None
                self._process.wait()
                if not self._closing.is_set():
                    self._lose()
            elif not self._opened():
                return

    def _opened(self) -> bool:
        """Try until it is open; that there is no default is said once, and is no loss."""
        pause, longest = RETRY_SECONDS if self.name else DEFAULT_RETRY_SECONDS
        while not self._closing.is_set():
            try:
                self.open()
            except BadDevice as error:
                if self.name:
                    if self.state == "off":
                        log.error("%s", error)
                    self.state = "lost"
                elif not self.text:
                    log.info("no input: %s; looked for again now and then", error)
                self.text = str(error)
            else:
                return True
            self._closing.wait(pause)
            pause = min(2 * pause, longest)
        return False

    def _listen(self, listening: Listening) -> None:
        if self.heard is None or str(self.heard.path) != listening.path:
            self._unlink(but=listening.path)
            self.heard = Heard(listening.rate_hz, listening.channels, Path(listening.path))
        if self.text:
            log.info("%s: the input is %s", listening.name, "back" if self.name else "there")
        self.name, self.state, self.text = listening.name, "listening", ""

    def _lose(self) -> None:
        log.error("%s: the input is gone; trying to reopen it", self.name)
        self.state, self.text = "lost", "the device is gone; trying to reopen it"
        assert self._process is not None
        end_process(self._process)

    def _unlink(self, but: str = "") -> None:
        """Free the memory of all it was open with, as soon as it is no longer mapped."""
        for path in self._path.parent.glob(f"{self._path.name}-*"):
            if str(path) != but:
                path.unlink(missing_ok=True)
