"""Messages to systemd, where it has started this process: sd_notify(3)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncGenerator

PINGS = 3
"""In each period of the watchdog."""


def tell(state: str) -> None:
    """Send a state, such as `READY=1`; nothing where nobody asked for it."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path or not hasattr(socket, "AF_UNIX"):
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(state.encode(), address)


@contextlib.asynccontextmanager
async def supervised() -> AsyncGenerator[None]:
    """Say that the process is ready; while it is, that its event loop runs; then that it stops."""
    tell("READY=1")
    pinging = asyncio.get_running_loop().create_task(_ping())
    try:
        yield
    finally:
        pinging.cancel()
        tell("STOPPING=1")


async def _ping() -> None:
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return
    while microseconds.isdecimal():
        tell("WATCHDOG=1")
        await asyncio.sleep(int(microseconds) / 1e6 / PINGS)
