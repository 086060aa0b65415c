"""The daemon's side of the stage page: its process, started again when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from eutectic.page.settings import PageSettings
from eutectic.system import processes

log = logging.getLogger("eutectic.page")

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 30.0
"""Before a page that has ended is started again; doubled each time that it ends soon."""

SOON_SECONDS = 30.0


@dataclass(frozen=True)
class Opened:
    """What the page reports once it listens.

    `urls` are for other machines' browsers; `code` is a QR code of the first as text. `is_new`:
    these haven't been reported before.
    """

    port: int
    urls: list[str]
    code: str
    is_new: bool


@contextlib.asynccontextmanager
async def page_process(
    settings: PageSettings, opened: Callable[[Opened], None]
) -> AsyncGenerator[None]:
    """Run the page's process; `opened` is called each time that it listens.

    Its failures are logged, and harm nothing else.
    """
    host = asyncio.get_running_loop().create_task(_keep(settings, opened))
    try:
        yield
    finally:
        host.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await host


async def _keep(settings: PageSettings, opened: Callable[[Opened], None]) -> None:
    loop = asyncio.get_running_loop()
    known: list[str] = []
    pause = FIRST_PAUSE_SECONDS
    while True:
        began = loop.time()
        try:
            process = await processes.spawn([sys.executable, "-m", "eutectic.page"])
        except OSError as error:
            log.warning("no page: %s", error.strerror)
        else:
            settings = await _follow(process, settings, known, opened)
        if loop.time() - began > SOON_SECONDS:
            pause = FIRST_PAUSE_SECONDS
        log.warning("the page has ended; it is started again in %g s", pause)
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


async def _follow(
    process: Process, settings: PageSettings, known: list[str], opened: Callable[[Opened], None]
) -> PageSettings:
    """Pass on what a process reports until it ends; the settings of the next one."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(settings.line())
        async for line in process.stdout:
            report: dict[str, Any] = json.loads(line)
            if "error" in report:
                log.warning("no page: %s", report["error"])
            else:
                urls = [str(report["port"]), *report["urls"]]
                if settings.port not in (0, report["port"]):
                    log.warning("port %d is taken: the page uses another one", settings.port)
                log.info("page on http://%s:%d/", settings.host, report["port"])
                opened(Opened(**report, is_new=urls != known))
                known[:] = urls
                settings = msgspec.structs.replace(settings, port=report["port"])
        await process.wait()
    finally:
        await processes.end(process)
    return settings
