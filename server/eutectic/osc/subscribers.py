"""Clients that receive events: registered by `/notify`, and dropped while they are silent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eutectic.errors import BadInput
from eutectic.osc.server import Peer

LEASE_SECONDS = 30.0
"""A subscriber that sends nothing for this long is dropped until it sends something again."""

MAX_SUBSCRIBERS = 64
"""Also of those that may come back."""


@dataclass
class Subscriber:
    """A registered client; `extra` is the reply port that it named, `until` when its lease ends."""

    number: int
    peer: Peer
    extra: Peer | None
    meter: bool
    until: float


class Subscribers:
    """Everyone who receives events.

    `udp_peer` makes a peer of a host and a port.
    """

    def __init__(self, udp_peer: Callable[[tuple[str, int]], Peer]) -> None:
        self._udp_peer = udp_peer
        self._subscribers: dict[Peer, Subscriber] = {}
        self._silent: dict[Peer, Subscriber] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._subscribers)

    def __contains__(self, peer: Peer) -> bool:
        return peer in self._subscribers

    def register(self, peer: Peer, reply_port: int | None, meter: bool, now: float) -> int:
        """Add a subscriber, or update it; returns its number, from 1.

        Raises:
            BadInput: there are too many.
        """
        self._wake(peer)
        known = self._subscribers.get(peer)
        if known is None and len(self._subscribers) >= MAX_SUBSCRIBERS:
            raise BadInput(f"no more than {MAX_SUBSCRIBERS} clients can be registered")
        extra = None
        if reply_port is not None:  # on the sender's own host: nobody else is sent anything
            extra = self._udp_peer((peer.address[0], reply_port))
        if known is None:
            self._last += 1
        number = self._last if known is None else known.number
        self._subscribers[peer] = Subscriber(number, peer, extra, meter, now + LEASE_SECONDS)
        return number

    def touch(self, peer: Peer, now: float) -> int:
        """Renew the lease of a peer that sent something.

        Returns the number of one that had been dropped, such as a tablet that slept; else 0.
        """
        number = self._wake(peer)
        if peer in self._subscribers:
            self._subscribers[peer].until = now + LEASE_SECONDS
        return number

    def _wake(self, peer: Peer) -> int:
        if peer not in self._silent or len(self._subscribers) >= MAX_SUBSCRIBERS:
            return 0
        self._subscribers[peer] = self._silent.pop(peer)
        return self._subscribers[peer].number

    def leave(self, peer: Peer) -> int:
        """Remove a subscriber; returns its number, 0 for a peer that wasn't registered."""
        self._wake(peer)
        subscriber = self._subscribers.pop(peer, None)
        return 0 if subscriber is None else subscriber.number

    def expire(self, now: float) -> list[int]:
        """Drop those whose lease has ended; returns their numbers."""
        gone = [each for each in self._subscribers.values() if each.until < now]
        for each in gone:
            self._silent[each.peer] = self._subscribers.pop(each.peer)
        while len(self._silent) > MAX_SUBSCRIBERS:
            del self._silent[next(iter(self._silent))]
        return [each.number for each in gone]

    def reply(self, peer: Peer, packet: bytes) -> None:
        """Send a reply to a peer, and to the reply port that it named."""
        peer.send(packet)
        subscriber = self._subscribers.get(peer)
        if subscriber is not None and subscriber.extra is not None:
            subscriber.extra.send(packet)

    def publish(self, packet: bytes, meter: bool = False) -> None:
        """Send an event to every subscriber; meters only to those that asked for them.

        A reply port that several named gets it once.
        """
        takers = [each for each in self._subscribers.values() if each.meter or not meter]
        peers = dict.fromkeys(each.peer for each in takers)
        peers |= dict.fromkeys(each.extra for each in takers if each.extra is not None)
        for peer in peers:
            peer.send(packet)
