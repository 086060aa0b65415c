"""What is to go over a wire: the most urgent first, and no more under way than the wire takes.

What has been handed to the network can't be overtaken any more. So only so much is handed to it as
fills the wire, which the other side's receipts tell; all else waits here, unread until its turn: a
trigger's sound passes a render's, and memory stays small however slow the wire is.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from eutectic.link.messages import Message

LEAST_BYTES, MOST_BYTES = 64 << 10, 8 << 20
"""Under way at once."""

DELAY_SECONDS = 0.02
"""Receipts may be so much later than the earliest ever: what waits for others to arrive."""

FORGOTTEN_SECONDS = 20.0
"""An earliest receipt counts for so long: a wire may become another."""

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
    """How many bytes may be under way.

    After TCP Vegas (Brakmo and Peterson, 1995) and BBR (Cardwell et al., 2016): it grows until
    receipts come later than they could, then shrinks to what the wire holds by itself.

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
        self._earliest, self._earliest_at = float("inf"), 0.0
        self._settles = 0
        """Bytes that must have arrived before it shrinks again."""

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
            size, self._arrived = sent.total - self._arrived, sent.total
            self._receipt(sent, now - sent.at, size, now)

    def _receipt(self, sent: _Sent, delay: float, size: int, now: float) -> None:
        delay = max(delay, 1e-6)
        if delay < self._earliest or now - self._earliest_at > FORGOTTEN_SECONDS:
            self._earliest, self._earliest_at = delay, now
        rate = (self._arrived - sent.arrived) / delay
        if self.rate is None:
            self.rate = rate if sent.full else None
        elif sent.full or rate > self.rate:  # else there was just no more to send
            self.rate += RATE_SHARE * (rate - self.rate)
        if delay > self._earliest + DELAY_SECONDS:
            if self._arrived >= self._settles:
                filled = round((self.rate or 0.0) * (self._earliest + DELAY_SECONDS / 2))
                self.size = max(LEAST_BYTES, min(self.size, filled))
                self._settles = self._total
        elif sent.full:
            self.size = min(MOST_BYTES, self.size + size)


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
