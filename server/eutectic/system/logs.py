"""Logging of processes that must not wait for a terminal."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import queue
from collections.abc import Generator

from eutectic.system.summing import Summing


@contextlib.contextmanager
def logging_to_terminal(level: str) -> Generator[None]:
    """Log from a separate thread, so that a terminal that blocks holds up nothing else.

    Warnings that repeat are summed up.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    logging.getLogger().addHandler(logging.NullHandler())  # libraries stay quiet
    logger = logging.getLogger("eutectic")
    summing = Summing(logging.handlers.QueueHandler(records))
    summing.setLevel(level.upper())
    logger.setLevel(min(summing.level, logging.INFO))  # clients may follow what the terminal isn't
    logger.addHandler(summing)
    listener = logging.handlers.QueueListener(records, handler)
    listener.start()
    try:
        yield
    finally:
        logger.removeHandler(summing)
        summing.close()
        listener.stop()
