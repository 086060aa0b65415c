"""The daemon's side of the stage page: its process, started again when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

import msgspec

from eutectic.osc.spec import printable
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


class _Report(msgspec.Struct, frozen=True):
    """A line of the page's process: where it listens, or why it doesn't."""

    port: int = 0
    urls: list[str] = msgspec.field(default_factory=list[str])
    code: str = ""
    error: str = ""


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
            settings = await _follow(process, settings, known, opened)
        except OSError as error:
            log.warning("no page: %s", error.strerror or error)
        except Exception:  # a bug: the page is started again, all else goes on
            log.exception("the page can't be followed")
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
        async for line in _lines(process.stdout):
            report = _read(line)
            if report.error:
                log.warning("no page: %s", report.error)
            elif report.port:
                urls = [str(report.port), *report.urls]
                if settings.port not in (0, report.port):
                    log.warning("port %d is taken: the page uses another one", settings.port)
                log.info("page on http://%s:%d/", settings.host, report.port)
                opened(Opened(report.port, report.urls, report.code, is_new=urls != known))
                known[:] = urls
                settings = msgspec.structs.replace(settings, port=report.port)
        await process.wait()
    finally:
        await processes.end(process)
    return settings


async def _lines(stdout: asyncio.StreamReader) -> AsyncGenerator[bytes]:
    """Lines of a process; of one that is far too long the end alone."""
    while True:
        try:
            line = await stdout.readline()
        except ValueError:
            continue
        if not line:
            return
        yield line


def _read(line: bytes) -> _Report:
    """A line of the page's process; one that a library wrote is logged, and reports nothing."""
    try:
        return msgspec.json.decode(line, type=_Report)
    except msgspec.DecodeError:
        log.warning("the page says: %s", printable(line.decode(errors="replace").rstrip()))
        return _Report()
