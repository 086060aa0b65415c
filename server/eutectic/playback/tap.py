"""Where the mix is passed on to while it is recorded. The mixing thread alone uses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from eutectic.playback.events import Event, Reached, Sounding

NEVER = 1 << 62

Then = Callable[[int | None], None]
"""Called with a frame that was reached; with None if it never will be."""


class Recording(Protocol):
    """What every block is passed to; the mixing thread calls it, so that it never waits.

    `stems`: whether it wants each voice by itself, too.
    """

    stems: bool

    def begin(self, frame: int, sounding: list[Sounding]) -> None:
        """The first block begins at this frame, in the middle of these."""
        ...

    def put(self, block: NDArray[np.float32], stems: NDArray[np.float32] | None) -> None:
        """The next block (frame, channel), and each voice's (voice, frame, 2)."""
        ...


class Tap:
    """Passes blocks to one recording, from its first frame to its last; `report` takes events."""

    def __init__(self, report: Callable[[Event], None]) -> None:
        self._report = report
        self._recording: Recording | None = None
        self._frames = range(0)
        self._awaited: Recording | None = None
        """One that is still to begin."""
        self._waiting: list[Then] = []
        """Told when the last frame has been passed on."""

    @property
    def wants_stems(self) -> bool:
        return any(each is not None and each.stems for each in (self._recording, self._awaited))

    def expect(self, recording: Recording | None) -> None:
        """This one begins next; None: none does, and what goes on ends."""
        self._awaited = recording

    def begin(self, recording: Recording | None, frame: int, sounding: list[Sounding]) -> None:
        """Pass on what is mixed from a frame on, unless another was expected since, or none."""
        if self._awaited is not recording:
            return
        self._awaited = None
        self._tell(frame)
        self._recording, self._frames = recording, range(frame, NEVER)
        if recording is not None:
            recording.begin(frame, sounding)

    def end(self, recording: Recording, frame: int, then: Then) -> bool:
        """Pass on what comes before a frame, and then report it; False: it isn't recorded now.

        Asked again before that, it ends as it was to, and all are told.
        """
        if self._recording is not recording:
            return False
        self._frames = range(self._frames.start, min(frame, self._frames.stop))
        self._waiting.append(then)
        return True

    def put(
        self, frame: int, block: NDArray[np.float32], stems: NDArray[np.float32] | None
    ) -> None:
        """Pass on a block (frame, channel) that begins at a frame, and each voice's (see above)."""
        recording, frames = self._recording, self._frames
        if recording is None:
            return
        first, last = max(0, frames.start - frame), max(0, frames.stop - frame)
        if len(part := block[first:last]):
            recording.put(part.copy(), None if stems is None else stems[:, first:last])
        if frames.stop <= frame + len(block):
            self._recording = None
            self._tell(frames.stop)

    def _tell(self, frame: int) -> None:
        for each in self._waiting:
            self._report(Reached(each, frame))
        self._waiting = []
