"""Warnings that repeat, summed up: one line at once, then one with their number now and then."""

from __future__ import annotations

import copy
import logging
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass

SECONDS = 10.0
"""Time over which repeated warnings are summed up."""


@dataclass
class _Repeated:
    """A kind of warning that has been shown: how often it came since, and the newest."""

    newest: logging.LogRecord
    count: int = 0


def _after(seconds: float, call: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()


class Summing(logging.Handler):
    """Passes records on to another handler; of warnings that differ in numbers alone, a sum.

    `after` calls a function so many seconds later, from any thread.
    """

    def __init__(
        self, target: logging.Handler, after: Callable[[float, Callable[[], None]], None] = _after
    ) -> None:
        super().__init__()
        self._target, self._after = target, after
        self._shown: dict[Hashable, _Repeated] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Pass it on, unless one of its kind has just been shown."""
        if record.levelno < logging.WARNING or record.exc_info:
            self._target.handle(record)
            return
        kind = _kind(record)
        repeated = self._shown.get(kind)
        if repeated is None:
            self._show(kind, record)
        else:
            repeated.newest = record
            repeated.count += 1

    def close(self) -> None:
        """Sum up what is left."""
        for kind in list(self._shown):
            self._sum_up(kind, again=False)
        super().close()

    def _show(self, kind: Hashable, record: logging.LogRecord) -> None:
        self._shown[kind] = _Repeated(record)
        self._after(SECONDS, lambda: self._sum_up(kind))
        self._target.handle(record)

    def _sum_up(self, kind: Hashable, again: bool = True) -> None:
        """Show how often it came; as long as it comes, do so again."""
        self.acquire()  # the timer's thread
        try:
            repeated = self._shown.pop(kind, None)
            if repeated is None or not repeated.count:
                return
            record = copy.copy(repeated.newest)
            times = "once more" if repeated.count == 1 else f"{repeated.count} times more"
            within = f" in {SECONDS:g} s" if again else ""
            record.msg, record.args = f"{record.getMessage()} ({times}{within})", None
            if again:
                self._show(kind, record)
            else:
                self._target.handle(record)
        finally:
            self.release()


def _kind(record: logging.LogRecord) -> Hashable:
    """What it says, but for its numbers."""
    arguments = record.args if isinstance(record.args, tuple) else ()
    words = tuple(str(each) for each in arguments if not isinstance(each, int | float))
    return record.name, record.levelno, record.msg, words
