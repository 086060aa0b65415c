"""Clients that receive events: registered by `/notify`, and dropped while they are silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from eutectic.errors import BadInput
from eutectic.osc.server import Peer

LEASE_SECONDS = 30.0
"""A subscriber that sends nothing for this long is dropped until it sends something again."""

MAX_SUBSCRIBERS = 64
"""Also of those that may come back."""


Kind = Literal["event", "meter", "log"]
"""What a client receives: all of them events; the others if it asked for them."""


@dataclass(frozen=True)
class Wishes:
    """How a client wants to be known, and what it wants to receive beside events."""

    name: str = ""
    kinds: frozenset[Kind] = frozenset({"event"})


@dataclass
class Subscriber:
    """A registered client; `extra` is the reply port that it named, `until` when its lease ends.

    `sent` counts its events since the last snapshot; `told` is the count that it knows of, -1 while
    it hasn't had the whole snapshot.
    """

    number: int
    peer: Peer
    extra: Peer | None
    wishes: Wishes
    until: float
    owns_extra: bool = True
    """Whether no other client named that port before."""
    sent: int = 0
    told: int = -1

    @property
    def name(self) -> str:
        """As it gave it; or its address."""
        return self.wishes.name or "{}:{}".format(*self.peer.address)

    def send(self, packet: bytes) -> None:
        """Send it a packet, and to the reply port that it named."""
        self.peer.send(packet)
        if self.extra is not None:
            self.extra.send(packet)

    def tell(self, packet: bytes) -> None:
        """Send it what counts its events, and to the reply port unless another's events count."""
        self.peer.send(packet)
        if self.extra is not None and self.owns_extra:
            self.extra.send(packet)


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

    def __iter__(self) -> Iterator[Subscriber]:
        return iter(list(self._subscribers.values()))

    def get(self, peer: Peer) -> Subscriber | None:
        """The subscriber at an address."""
        return self._subscribers.get(peer)

    def number(self, peer: Peer) -> int:
        """A subscriber's number; 0 for a peer that isn't registered."""
        subscriber = self._subscribers.get(peer)
        return 0 if subscriber is None else subscriber.number

    def wants(self, kind: Kind) -> bool:
        """Whether anybody receives events of this kind."""
        return any(kind in each.wishes.kinds for each in self._subscribers.values())

    def register(self, peer: Peer, reply_port: int | None, wishes: Wishes, now: float) -> int:
        """Add a subscriber, or update it; returns its number, from 1.

        One that gives no name keeps the one that it has.

        Raises:
            BadInput: there are too many.
        """
        self._wake(peer)
        known = self._subscribers.get(peer)
        if known is None and len(self._subscribers) >= MAX_SUBSCRIBERS:
            raise BadInput(f"no more than {MAX_SUBSCRIBERS} clients can be registered")
        extra = None
        if reply_port not in (None, peer.address[1]):  # on its own host: to nobody else
            extra = self._udp_peer((peer.address[0], reply_port))
        if known is None:
            self._last += 1
        number = self._last if known is None else known.number
        if known is not None and not wishes.name:
            wishes = replace(wishes, name=known.wishes.name)
        others = {each.extra for each in self._subscribers.values() if each.number != number}
        self._subscribers[peer] = Subscriber(
            number, peer, extra, wishes, now + LEASE_SECONDS, extra not in others
        )
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
        subscriber = self._subscribers.get(peer)
        if subscriber is None:
            peer.send(packet)
        else:
            subscriber.send(packet)

    def publish(self, packet: bytes, kind: Kind = "event", counted: bool = True) -> None:
        """Send an event to every subscriber that receives its kind.

        Meters and lines of the log aren't counted, nor events that are said not to be. A reply port
        that several named gets it once.
        """
        takers = [each for each in self._subscribers.values() if kind in each.wishes.kinds]
        peers = dict.fromkeys(each.peer for each in takers)
        peers |= dict.fromkeys(each.extra for each in takers if each.extra is not None)
        for peer in peers:
            peer.send(packet)
        if kind == "event" and counted:
            for each in takers:
                each.sent += 1
