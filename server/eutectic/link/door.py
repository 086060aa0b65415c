"""Where an engine's machine listens, and whom it lets in: daemons with a key, or its own alone."""

from __future__ import annotations

import asyncio
import logging
import socket
from pathlib import Path

import zmq
import zmq.asyncio
from zmq.auth.asyncio import AsyncioAuthenticator

from eutectic.errors import BadInput, BadSetting
from eutectic.link import keys
from eutectic.link.line import LINGER_MS, MAX_MESSAGE_BYTES, is_loopback

log = logging.getLogger("eutectic.link")


class Door:
    """A socket for all daemons; owned by the event loop.

    Attributes:
        socket: through which messages come and go, each after the name of its connection.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._context = zmq.asyncio.Context()
        self.socket = self._context.socket(zmq.ROUTER)
        self._auth: AsyncioAuthenticator | None = None

    def open(self, host: str, port: int) -> str:
        """Listen; returns where, and to whom, in words.

        Raises:
            BadInput: there can't be listened, or not without keys.
        """
        own = keys.own_keys(self._data)
        if own is None and not is_loopback(host):
            raise BadSetting(f"without keys only 127.0.0.1:{port} can be listened on: "
                             "`eutectic engine keys` makes some")  # fmt: skip
        for option, value in (
            (zmq.LINGER, LINGER_MS), (zmq.SNDHWM, 0), (zmq.RCVHWM, 0), (zmq.IPV6, 1),
            (zmq.ROUTER_MANDATORY, 1), (zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES),
        ):  # fmt: skip
            self.socket.setsockopt(option, value)
        if own is not None:
            self._auth = AsyncioAuthenticator(self._context)
            self._auth.start()
            self._auth.configure_curve_callback("*", _Doorkeeper(self._data))
            self.socket.curve_server = True
            self.socket.curve_secretkey = own.secret.encode()
            self.socket.curve_publickey = own.public.encode()
        try:
            self.socket.bind(f"tcp://{_address(host)}:{port or '*'}")
        except zmq.ZMQError as error:
            raise BadSetting(f"{host}:{port} can't be listened on ({error.strerror})") from None
        bound = str(self.socket.get_string(zmq.LAST_ENDPOINT)).rpartition(":")[2]
        whom = "for daemons that have a key" if own is not None else "for this machine alone"
        return f"listening on {host}:{bound} {whom}"

    async def close(self) -> None:
        """Close it, once what was sent has gone, or after LINGER_MS."""
        if self._auth is not None:
            self._auth.stop()
        self.socket.close()
        await asyncio.to_thread(self._context.term)


class _Doorkeeper:
    """Knows the daemons that may come in: those in the file of keys, as it is by now."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def callback(self, domain: str, key: bytes) -> bool:  # noqa: ARG002
        try:
            own = keys.own_keys(self._data)
        except BadInput as error:  # it would let nobody in ever again
            log.error("%s", error)
            return False
        return own is not None and key.decode() in own.daemons


def _address(host: str) -> str:
    """A host's address, as ZeroMQ listens on it.

    Raises:
        BadSetting: it has none.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise BadSetting(f"{host}: is no address of this machine ({error.strerror})") from None
    address = str(found[0][4][0])
    return f"[{address}]" if ":" in address else address
