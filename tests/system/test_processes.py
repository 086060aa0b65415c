from __future__ import annotations

import asyncio
import signal
import sys
import time

import pytest

from eutectic.system import processes

pytestmark = pytest.mark.process

CHILD = """
import os, time
from eutectic.system.processes import end_with_parent
end_with_parent(lambda: os._exit(7))
print("ready", flush=True)
time.sleep(60)
"""

STUBBORN = "print('ready', flush=True); import time; time.sleep(60)"


def end(code: str, interrupt: bool = False) -> int | None:
    """The exit status of a child that is ended once it is ready."""

    async def run() -> int | None:
        process = await processes.spawn([sys.executable, "-c", code])
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        if interrupt:
            process.send_signal(signal.SIGINT)
        await processes.end(process)
        return process.returncode

    return asyncio.run(run())


def test_a_child_ignores_ctrl_c_and_ends_when_its_input_closes() -> None:
    assert end(CHILD, interrupt=True) == 7


def test_a_child_that_stays_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LEAVE_SECONDS", 0.2)
    began = time.monotonic()
    assert end(STUBBORN) == -signal.SIGKILL
    assert time.monotonic() - began < 10
