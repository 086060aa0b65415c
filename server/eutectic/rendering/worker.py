"""A worker: one model that makes batches and writes them, wherever it runs. It owns a thread."""

from __future__ import annotations

from collections.abc import Callable

from eutectic.engine.engine import Engine
from eutectic.engine.errands import Errands
from eutectic.engine.watch import UNWATCHED
from eutectic.link.errands import Known, Wanted
from eutectic.rendering.destination import Sink
from eutectic.rendering.work import Batch, Row


class Worker:
    """Makes batches with one engine; owned by the thread that owns the model.

    `sink`: where rows and sounds go. `name`: in the rows.
    """

    def __init__(self, engine: Engine, sink: Sink, name: str) -> None:
        self.engine, self.sink, self.name = engine, sink, name
        self._errands = Errands(engine)

    def learn(self, wanted: Wanted) -> Known:
        """A reference from the store, or learned now.

        Raises:
            BadInput: the sound or a setting can't be used, or the store can't be written.
        """
        return self._errands.remember(wanted, lambda _: UNWATCHED)

    def render(self, batch: Batch, done: Callable[[Row], None]) -> None:
        """Make a batch; each item becomes one row, written before `done` is called with it.

        Raises:
            BadOutput: the destination can't be written.
        """
        raise NotImplementedError
