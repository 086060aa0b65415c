"""Real engine processes, under a host in a loop of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil

from eutectic.link.host import Host
from eutectic.link.protocol import Result
from eutectic.link.spare import Spare
from eutectic.link.wire import Local, engine_arguments

BUDGET = 100 << 20
"""Of the engine's cache, in bytes."""


def hosted(
    tmp_path: Path, scenario: Callable[[Host, list[Result]], Awaitable[None]],
    model: str = "toy", with_spare: bool = False,
) -> None:  # fmt: skip
    """Run a scenario with a real engine; no process may be left behind."""

    async def run() -> None:
        results: list[Result] = []
        spare = Spare(with_spare)
        host = Host(local(tmp_path, model, spare), results.append, spare)
        host.start()
        try:
            await asyncio.wait_for(scenario(host, results), 120)
        finally:
            await host.stop()

    asyncio.run(run())
    assert not engines()


def local(store: Path, model: str, spare: Spare) -> Local:
    """Engines of this machine, on its processor."""
    return Local(spare, engine_arguments(model, store, BUDGET, "cpu"))


def engines() -> list[int]:
    """Processes of engines, spares among them."""
    return [
        child.pid for child in psutil.Process().children()
        if "eutectic.engine" in " ".join(child.cmdline())
    ]  # fmt: skip


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.02)
