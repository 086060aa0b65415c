"""The daemon's log as events, for clients that follow it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator

from eutectic.errors import one_line
from eutectic.osc import answers

MAX_WAITING = 64
"""Lines that may wait for the next call; of more, the oldest are left out."""

LOGGER = logging.getLogger("eutectic")


class LogEvents(logging.Handler):
    """Collects lines from whatever thread logs them; the event loop takes them."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._lines: deque[answers.Log] = deque()
        self._left_out = 0
        self.is_followed = False
        """Whether anybody receives them."""

    def emit(self, record: logging.LogRecord) -> None:
        if not self.is_followed:
            return
        level = "error" if record.levelno >= logging.ERROR else record.levelname.lower()
        if getattr(record, "failed", False):
            level = "warning"
        text = getattr(record, "line", None) or record.getMessage()
        text = one_line(text).encode(errors="replace").decode()
        self._lines.append(answers.Log(level, getattr(record, "client", ""), text))
        while len(self._lines) > MAX_WAITING:
            self._lines.popleft()
            self._left_out += 1

    def take(self) -> Iterator[answers.Log]:
        """The lines since the last call."""
        left_out, self._left_out = self._left_out, 0
        if left_out:
            yield answers.Log("warning", "", f"{left_out} lines are left out")
        while self._lines:
            yield self._lines.popleft()
