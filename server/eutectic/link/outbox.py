"""What is to go over a wire: the most urgent first, and no more under way than the wire takes.

What has been handed to the network can't be overtaken any more. So only so much is handed to it as
fills the wire, which the other side's receipts tell; all else waits here, unread until its turn: a
trigger's sound passes a render's, and memory stays small however slow the wire is.
"""

from __future__ import annotations

import itertools
import math
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from eutectic.link.messages import PART_BYTES, Message

LEAST_BYTES, MOST_BYTES = 64 << 10, 8 << 20
"""Under way at once."""

DELAY_SECONDS = 0.02
"""How long what is under way may wait in the wire for others."""

FORGOTTEN_SECONDS = 20.0
"""An earliest receipt counts for so long: a wire may become another. Then it is nearly emptied."""

RATE_SHARE = 0.2
"""Of a new measurement, in the wire's rate."""

Frame = bytes | memoryview
Send = Callable[[Message, Frame | None], None]


@dataclass
class _Sent:
    """A frame under way: all bytes up to its end, when it went, and what had arrived by then."""

    total: int
    at: float
    arrived: int
    full: bool


class Window:
    """How many bytes may be under way: what the wire holds, DELAY_SECONDS and a part more.

    After BBR (Cardwell et al., 2016): how much arrives in a second, and how soon a receipt can
    come, are measured all the time. While the window is what limits, each round trip widens it.

    Attributes:
        size: in bytes.
        rate: the wire's in bytes a second; None while nothing has filled it.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self.size = LEAST_BYTES
        self.rate: float | None = None
        self._sent: deque[_Sent] = deque()
        self._total = self._arrived = 0
        self._earliest, self._earliest_at = math.inf, now()
        self._waited_for = 0
        """The earliest receipt is that of a byte after so many."""

    @property
    def under_way(self) -> int:
        return self._total - self._arrived

    def takes(self, size: int) -> bool:
        """Whether so many bytes more may go; anything may while there is nothing else."""
        return not self._sent or self.under_way + size <= self.size

    def sent(self, size: int) -> None:
        self._total += size
        full = self.under_way + size > self.size
        self._sent.append(_Sent(self._total, self._now(), self._arrived, full))

    def arrived(self, total: int) -> None:
        """The other side has so many bytes."""
        now = self._now()
        while self._sent and self._sent[0].total <= total:
            sent = self._sent.popleft()
            self._arrived = sent.total
            self._measure(sent, max(now - sent.at, 1e-6), now)
        holds = 0.0 if self.rate is None else self.rate * (self._earliest + DELAY_SECONDS)
        wanted = round(holds) + PART_BYTES if math.isfinite(holds) else 0
        self.size = max(LEAST_BYTES, min(wanted, MOST_BYTES))

    def _measure(self, sent: _Sent, delay: float, now: float) -> None:
        if now - self._earliest_at > FORGOTTEN_SECONDS:
            self._earliest, self._earliest_at, self._waited_for = math.inf, now, self._total
        if delay < self._earliest and sent.total > self._waited_for:
            self._earliest, self._earliest_at = delay, now
        rate = (self._arrived - sent.arrived) / delay
        if self.rate is None:
            self.rate = rate if sent.full else None
        elif sent.full or rate > self.rate:  # else there was just no more to send
            self.rate += RATE_SHARE * (rate - self.rate)


@dataclass
class _Waiting:
    message: Message
    size: int
    read: Callable[[], Frame | None] | None


@dataclass
class _Stream:
    priority: int
    order: int
    waiting: deque[_Waiting] = field(default_factory=deque[_Waiting])


class Outbox:
    """Streams of messages, each in its order; owned by the event loop.

    A message without a frame goes at once, unless others of its stream are waiting.
    """

    def __init__(self, send: Send, now: Callable[[], float] = time.monotonic) -> None:
        self._send = send
        self.window = Window(now)
        self._streams: dict[Hashable, _Stream] = {}
        self._order = itertools.count()

    def put(
        self, stream: Hashable, priority: int, message: Message, size: int = 0,
        read: Callable[[], Frame | None] | None = None,
    ) -> None:  # fmt: skip
        """Add a message, and a frame of `size` bytes that is read when its turn comes.

        If there is no such frame any more, neither is sent.
        """
        known = self._streams.get(stream)
        if known is None and read is None:
            self._send(message, None)
            return
        if known is None:
            known = self._streams[stream] = _Stream(priority, next(self._order))
        known.waiting.append(_Waiting(message, size, read))
        self._pump()

    def drop(self, stream: Hashable) -> bool:
        """Forget what waits in a stream; returns whether anything did."""
        return self._streams.pop(stream, None) is not None

    def arrived(self, total: int) -> None:
        """The other side has so many bytes."""
        self.window.arrived(total)
        self._pump()

    def _pump(self) -> None:
        while self._streams:
            key = min(self._streams, key=self._urgency)
            stream = self._streams[key]
            if not self.window.takes(stream.waiting[0].size):
                return
            self._send_next(stream)
            while stream.waiting and stream.waiting[0].read is None:
                self._send_next(stream)
            if not stream.waiting:
                del self._streams[key]

    def _urgency(self, key: Hashable) -> tuple[int, int]:
        stream = self._streams[key]
        return stream.priority, stream.order

    def _send_next(self, stream: _Stream) -> None:
        each = stream.waiting.popleft()
        frame = None if each.read is None else each.read()
        if each.read is not None and frame is None:
            return
        if frame is not None:
            self.window.sent(len(frame))
        self._send(each.message, frame)
