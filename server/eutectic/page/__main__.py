"""`python -m eutectic.page`: the stage page's process.

Its settings are the first line of standard input, and it ends when that closes. It reports in lines
of JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import socket
import sys
from collections.abc import Generator

import uvicorn

from eutectic.page.access import phone_urls
from eutectic.page.app import application
from eutectic.page.settings import PageSettings
from eutectic.system import processes

NICENESS = 5
"""Above the engine, as what is played passes through here; below the daemon."""

STOP_SECONDS = 1
MAX_MESSAGE_BYTES = 65_536
"""Of a browser's WebSocket."""


class _Server(uvicorn.Server):
    """Leaves signals alone: Ctrl-C reaches the daemon as well, which ends this process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _listen(host: str, port: int) -> socket.socket:
    """A socket at this port, or at any free one if it is taken."""
    try:
        return socket.create_server((host, port), backlog=64)
    except OSError:
        return socket.create_server((host, 0), backlog=64)


def _report(**values: object) -> None:
    os.write(sys.stdout.fileno(), json.dumps(values).encode() + b"\n")


def _code(url: str) -> str:
    """A QR code as text, for a terminal."""
    import segno

    out = io.StringIO()
    segno.make(url, micro=False).terminal(out, border=2, compact=True)
    return out.getvalue()


def main() -> None:
    settings = PageSettings.read(sys.stdin.buffer.readline())
    processes.set_niceness(NICENESS)
    logging.basicConfig(format="page: %(message)s", level=logging.WARNING)
    try:
        listener = _listen(settings.host, settings.port)
    except OSError as error:
        _report(error=f"{settings.host}:{settings.port}: {error.strerror}")
        return
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        application(settings, port), log_config=None, access_log=False, server_header=False,
        lifespan="on", ws="websockets-sansio", ws_max_size=MAX_MESSAGE_BYTES,
        ws_per_message_deflate=False, proxy_headers=False, timeout_graceful_shutdown=STOP_SECONDS,
    )  # fmt: skip
    server = _Server(config)
    processes.end_with_parent(lambda: setattr(server, "should_exit", True))
    urls = phone_urls(settings.host, port) if settings.pin else []
    _report(port=port, urls=urls, code=_code(f"{urls[0]}?pin={settings.pin}") if urls else "")
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
