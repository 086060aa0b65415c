"""Which other hosts may send OSC: those allowed everything, those that may look, and no others.

OSC has no passwords, so an address is all that tells a performer's tablet from anyone else in the
network. Hosts that aren't allowed are answered nothing: the address of a UDP packet may be
forged, and answers would go to whoever it names.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Literal

from eutectic.errors import BadSetting
from eutectic.osc import table
from eutectic.osc.answers import Fail, packet
from eutectic.osc.parse import parse
from eutectic.osc.server import Handler, Peer
from eutectic.osc.spec import PREFIX, BadRequest

log = logging.getLogger("eutectic.osc")

ANY = "any"
MAX_NAMED = 32
"""Hosts whose first refused message is logged; senders can forge any number of addresses."""

Level = Literal["all", "watch", "none"]

WATCHING = (
    table.Notify, table.Ping, table.Status, table.Version, table.Sync, table.AskPair,
    table.ListFan, table.ListModels, table.ListClips, table.ListReferences, table.ListVoices,
    table.ListPresets, table.ListSessions, table.ListDevices, table.ListInputs,
    table.ListFavourites,
)  # fmt: skip
"""Requests that change nothing."""


def networks(given: Sequence[str]) -> tuple[IPv4Network, ...]:
    """Networks from addresses, with or without a mask; `any` is all of them.

    Raises:
        BadSetting: one is something else.
    """
    return tuple(_network(each) for each in given)


def _network(given: str) -> IPv4Network:
    try:
        return IPv4Network("0.0.0.0/0" if given == ANY else given, strict=False)
    except ValueError:
        text = f"{given} is no address, like 192.168.1.20, 192.168.1.0/24 or any"
        raise BadSetting(text) from None


@dataclass(frozen=True)
class Access:
    """What hosts may do; this machine's own programs may do all.

    Attributes:
        own: the address that the daemon listens on: what comes from it comes from here.
    """

    own: str = ""
    allowed: tuple[IPv4Network, ...] = ()
    watching: tuple[IPv4Network, ...] = ()

    def level(self, host: str) -> Level:
        """What a host may do."""
        try:
            address = IPv4Address(host)
        except ValueError:  # a controller that is plugged in here
            return "all"
        if address.is_loopback or host == self.own or any(address in one for one in self.allowed):
            return "all"
        return "watch" if any(address in one for one in self.watching) else "none"


class Gate:
    """Passes on what a host may send; owned by the event loop.

    Attributes:
        refused: packets and connections of hosts that aren't allowed.
    """

    def __init__(self, access: Access, handler: Handler) -> None:
        self._access, self._handler = access, handler
        self._named: set[str] = set()
        self.refused = 0

    def admits(self, host: str) -> bool:
        """Whether a host may send anything at all."""
        if self._access.level(host) != "none":
            return True
        self.refused += 1
        self._name(host, "sends OSC, which isn't allowed: serve --allow or --watch lets it")
        return False

    def take(self, peer: Peer, address: str, arguments: tuple[Any, ...], due: float | None) -> None:
        """Pass a message on, unless its sender may only watch and it would change something."""
        host = peer.address[0]
        if self._access.level(host) == "watch":
            try:
                request = parse(address, arguments)
            except BadRequest:  # the handler answers it
                pass
            else:
                if not isinstance(request, WATCHING):
                    self._refuse(peer, request)
                    return
        self._handler(peer, address, arguments, due)

    def _refuse(self, peer: Peer, request: table.Request) -> None:
        self._name(peer.address[0], f"may only watch: {request.address} is refused")
        if request.id >= 0:
            text = "this client may only watch: serve --allow lets it do more"
            peer.send(packet(Fail(PREFIX + request.address, request.id, "not_allowed", text)))

    def _name(self, host: str, what: str) -> None:
        """Log what a host does that it may not, once for each of the first hosts."""
        if host not in self._named and len(self._named) < MAX_NAMED:
            self._named.add(host)
            log.warning("%s %s", host, what)
            if len(self._named) == MAX_NAMED:
                log.warning("%d hosts weren't allowed what they sent; no more are named", MAX_NAMED)
