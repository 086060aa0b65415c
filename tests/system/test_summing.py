"""Repeated warnings are one line at once, and then a sum."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from daemons import daemon
from eutectic.system.summing import SECONDS, Summing


class Lines(logging.Handler):
    """Keeps what is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.all.append(record.getMessage())


class Clock:
    """Calls what is due when its time is said to have passed."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        assert seconds == SECONDS
        self.due.append(call)

    def passes(self) -> None:
        due, self.due = self.due, []
        for call in due:
            call()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def summing(lines: Lines, clock: Clock) -> Summing:
    return Summing(lines, clock.after)


@pytest.fixture
def log(summing: Summing) -> logging.Logger:
    log = logging.Logger("some")
    log.addHandler(summing)
    return log


def test_what_repeats_is_shown_once_and_summed_up_as_long_as_it_comes(
    log: logging.Logger, lines: Lines, clock: Clock
) -> None:
    for count in range(1, 161):
        log.warning("audio was lost: %d underruns", count)
    assert lines.all == ["audio was lost: 1 underruns"]
    clock.passes()
    assert lines.all[1:] == ["audio was lost: 160 underruns (159 times more in 10 s)"]
    log.warning("audio was lost: %d underruns", 161)
    assert len(lines.all) == 2
    clock.passes()
    assert lines.all[2:] == ["audio was lost: 161 underruns (once more in 10 s)"]
    clock.passes()  # quiet
    log.warning("audio was lost: %d underruns", 162)
    assert lines.all[3:] == ["audio was lost: 162 underruns"]


def test_warnings_that_say_different_things_are_all_shown(
    log: logging.Logger, lines: Lines, clock: Clock
) -> None:
    log.warning("clip %s is missing", "1")
    log.warning("clip %s is missing", "2")
    log.warning("%s", ValueError("one"))
    log.warning("%s", ValueError("two"))
    log.error("clip %s is missing", "1")
    assert len(lines.all) == 5
    clock.passes()
    assert len(lines.all) == 5


def test_what_is_no_warning_is_never_held_back(
    log: logging.Logger, lines: Lines, clock: Clock
) -> None:
    for _ in range(3):
        log.info("/fuse 1: done")
        try:
            raise ValueError
        except ValueError:
            log.exception("a fault")
    assert lines.all == ["/fuse 1: done", "a fault"] * 3
    assert not clock.due


def test_what_is_held_back_at_the_end_is_shown(
    log: logging.Logger, lines: Lines, summing: Summing
) -> None:
    for _ in range(3):
        log.warning("again")
    summing.close()
    assert lines.all == ["again", "again (2 times more)"]


@pytest.mark.process
def test_the_daemon_sums_up_its_warnings(tmp_path: Path) -> None:
    with daemon(tmp_path) as process, process.client() as client:
        for _ in range(20):
            client.send("/panic")
            client.request("/sync")
    told = [line for line in process.log.splitlines() if "panic: silent" in line]
    assert len(told) == 2
    assert told[1].endswith("(19 times more)")
