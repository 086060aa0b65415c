"""What `serve` shows of the page in its terminal."""

from __future__ import annotations

import sys

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


def _can_be_shown(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return False
    return True
