"""Text files that grow line by line, from a thread of their own: who adds a line never waits."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

from eutectic.errors import BadOutput


class LineWriter:
    """A new text file; any thread may add to it.

    Attributes:
        error: why nothing more is written, in one line.
    """

    def __init__(self, path: Path) -> None:
        """Create the file.

        Raises:
            BadOutput: it exists, or can't be written.
        """
        self.path = path
        self.error: str | None = None
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        try:
            self._file = path.open("xb", buffering=0)
        except FileExistsError:
            raise BadOutput(f"{path}: exists; choose another name") from None
        except OSError as error:
            raise BadOutput(f"{path}: can't be written ({error.strerror})") from None
        self._thread = threading.Thread(target=self._write, name="lines", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Add a line, its end included; never waits."""
        self._lines.put(line)

    def close(self) -> None:
        """Write what is queued and close."""
        self._lines.put(None)
        self._thread.join()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            if self.error is None:
                self._append(line.encode())
        self._file.close()

    def _append(self, data: bytes) -> None:
        try:
            view = memoryview(data)
            while view:  # a nearly full disk takes only part of what is written
                view = view[self._file.write(view) or 0 :]
        except OSError as error:
            self.error = f"{self.path}: can't be written any more ({error.strerror})"
