"""A disk that doesn't answer is given up, and nothing else waits for it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from eutectic.errors import Cancelled, Stalled
from eutectic.files import stalls


@pytest.fixture
def stalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """A file that gives nothing as long as the test lasts: a pipe that nobody writes to."""
    monkeypatch.setattr(stalls, "STALL_SECONDS", 0.2)
    path = tmp_path / "stalled"
    os.mkfifo(path)
    yield path
    lets_go = os.open(path, os.O_RDWR)  # its reader
    time.sleep(0.05)
    os.close(lets_go)


def reading(path: Path) -> stalls.Work[bytes]:
    def read(_alive: Callable[[], None]) -> bytes:
        with path.open("rb") as file:
            return file.read()

    return read


def test_a_disk_that_stalls_is_given_up_and_named(stalled: Path) -> None:
    with pytest.raises(Stalled, match="music: the disk hasn't answered"):
        stalls.wait_for("music", reading(stalled), lambda: None)


def test_giving_up_earlier_is_possible(stalled: Path) -> None:
    def give_up() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        stalls.wait_for("music", reading(stalled), give_up)


def test_the_event_loop_goes_on_meanwhile(stalled: Path) -> None:
    async def both() -> int:
        turns = 0
        task = asyncio.create_task(stalls.answered("music", reading(stalled)))
        while not task.done():
            await asyncio.sleep(0)
            turns += 1
        with pytest.raises(Stalled):
            await task
        return turns

    assert asyncio.run(both()) > 100


def test_a_disk_that_is_only_slow_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stalls, "STALL_SECONDS", 0.5)

    def slow(alive: Callable[[], None]) -> str:
        for _ in range(4):
            threading.Event().wait(0.2)
            alive()
        return "read"

    assert stalls.wait_for("music", slow, lambda: None) == "read"


def test_what_goes_wrong_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        stalls.wait_for("music", reading(tmp_path / "nowhere"), lambda: None)
