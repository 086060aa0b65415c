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

FORGOTTEN_SECONDS, SURE = 20.0, 8
"""An earliest receipt counts for so long: a wire may become another. Then it is nearly emptied, for
so many receipts."""

RATE_SHARE, BEST_SECONDS = 0.2, 2.0
"""Of a new measurement, in the wire's rate; and for how long the best one counts."""

PROBING = 2.0
"""So much more is under way than would fill the wire, as long as nothing waits in it."""

Frame = bytes | memoryview
Send = Callable[[Message, Frame | None], None]


@dataclass
class _Sent:
    """A frame under way: all bytes up to its end, when it went, and whether the window was full.

    `arrived`, `arrived_at`: by then, and when the last of them did; `since`: when those went.
    """

    total: int
    at: float
    full: bool
    arrived: int
    arrived_at: float
    since: float


class Window:
    """How many bytes may be under way: what the wire holds, DELAY_SECONDS and a part more.

    After BBR (Cardwell et al., 2016): how much arrives in a second, and how soon a receipt can
    come, are measured all the time. While the window is what limits, each round trip widens it.
    The best of what arrived lately counts, as one lost packet holds up all that follows it.

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
        self._arrived_at = self._since = now()
        self._earliest, self._earliest_at = math.inf, now()
        self._best: deque[tuple[float, float]] = deque()
        """Rates and when they were measured, each with none as good after it."""
        self._waited_for = self._unsure = 0
        """The earliest receipt is of a byte after so many; and so many receipts must come first."""

    @property
    def under_way(self) -> int:
        return self._total - self._arrived

    def takes(self, size: int) -> bool:
        """Whether so many bytes more may go; anything may while there is nothing else."""
        return not self._sent or self.under_way + size <= self.size

    def sent(self, size: int) -> None:
        now = self._now()
        if not self._sent:
            self._arrived_at = self._since = now
        self._total += size
        full = self.under_way + size > self.size
        self._sent.append(
            _Sent(self._total, now, full, self._arrived, self._arrived_at, self._since)
        )

    def arrived(self, total: int) -> None:
        """The other side has so many bytes."""
        now, delay = self._now(), 0.0
        while self._sent and self._sent[0].total <= total:
            sent = self._sent.popleft()
            self._arrived, delay = sent.total, max(now - sent.at, 1e-6)
            self._measure(sent, delay, now)
        if not self._best or self._unsure or math.isinf(self._earliest):
            self.size = LEAST_BYTES
            return
        holds = self._best[0][0] * (self._earliest + DELAY_SECONDS)
        if delay < self._earliest + DELAY_SECONDS / 2:
            holds *= PROBING
        self.size = max(LEAST_BYTES, min(round(holds) + PART_BYTES, MOST_BYTES))

    def _measure(self, sent: _Sent, delay: float, now: float) -> None:
        if now - self._earliest_at > FORGOTTEN_SECONDS:
            self._earliest, self._earliest_at = math.inf, now
            self._waited_for, self._unsure = self._total, SURE
        if sent.total > self._waited_for:
            self._unsure = max(0, self._unsure - 1)
            if delay < self._earliest:
                self._earliest, self._earliest_at = delay, now
        took = max(now - sent.arrived_at, sent.at - sent.since, 1e-6)  # what was held comes at once
        rate = (self._arrived - sent.arrived) / took
        self._arrived_at, self._since = now, sent.at
        if not sent.full and rate < (self.rate or math.inf):  # there was just no more to send
            return
        self.rate = rate if self.rate is None else self.rate + RATE_SHARE * (rate - self.rate)
        while self._best and self._best[-1][0] <= rate:
            self._best.pop()
        self._best.append((rate, now))
        while now - self._best[0][1] > BEST_SECONDS:
            self._best.popleft()


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
