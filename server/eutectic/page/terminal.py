"""What `serve` shows of the page in its terminal."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Sequence

from eutectic.page.host import Opened


def page_lines(page: Opened, host: str, pin: str) -> list[str]:
    """Where the page is; for other machines' browsers its PIN and, in a terminal, a QR code."""
    shown = "127.0.0.1" if host == "0.0.0.0" else host
    found = [f"the page is at http://{shown}:{page.port}/"]
    if page.urls:
        found.append(f"on other devices at {' or '.join(page.urls)}, with the PIN {pin}")
        if sys.stdout.isatty() and _can_be_shown(page.code):
            found.append(page.code)
    return found


def show(lines: Sequence[str], ready: Callable[[str], None]) -> None:
    """Show lines from a thread: a terminal that is held, or has gone, holds up nothing else."""

    def run() -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in lines:
                ready(line)

    threading.Thread(target=run, name="page lines", daemon=True).start()


def _can_be_shown(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return False
    return True
