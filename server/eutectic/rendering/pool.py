"""Who makes batches, as the driver sees it: processes on this machine, or workers on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, Self

import msgspec

from eutectic.link.errands import Known, Wanted
from eutectic.rendering.work import Batch, Row

Done = Callable[[Row], None]
"""Called with each row when its sound, or why there is none, is in the destination."""


class Setup(msgspec.Struct, frozen=True):
    """What all workers of a run have in common.

    `destination`: a folder, or an address that fsspec knows. `compute`: as of `--compute`.
    """

    model: str
    destination: str
    compute: str | None = None


class Reference(msgspec.Struct, frozen=True):
    """What came of a reference: what is known of it, or the reason why it can't be used."""

    wanted: Wanted
    known: Known | None = None
    reason: str = ""


class Pool(Protocol):
    """Workers of one run; entering a `with` block starts them, leaving it ends them all.

    Methods are called from one thread, which they also call back in. Ctrl-C may come at any time.
    """

    @property
    def size(self) -> int:
        """How many workers there are, or will be."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def learn(self, references: Iterable[Wanted], done: Callable[[Reference], None]) -> None:
        """Learn each reference that isn't in the store yet, once; returns when all are.

        One that can't be used is no error here: its batches become rows with the reason.

        Raises:
            BadInput: no worker can be had at all.
        """
        ...

    def run(self, batches: Iterator[Batch], done: Done) -> None:
        """Make batches, few at a time, so that none is asked for long before it is made.

        Every item of every batch gets exactly one row, in whatever order. What can't be made, or
        kills its worker again and again, is a row with the reason.

        Raises:
            BadInput: no worker can be had any more, or the destination can't be written.
        """
        ...
