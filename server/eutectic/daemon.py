"""`eutectic serve`: the daemon's parts, wired, from its start to its end.

Two threads matter: the event loop (requests, the engine's results, files) and the player's, which
mixes. Everything slow is in other processes or threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import logging.handlers
import os
import queue
import signal
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eutectic.osc.announce import announced, instance_name
from eutectic.osc.query import QueryServer
from eutectic.osc.server import Peer, Server, Subscribers
from eutectic.playback.output import Output
from eutectic.playback.player import Player
from eutectic.playback.streams import DeviceSettings
from eutectic.session.session import Session, SessionSettings
from eutectic.system.memory import mmap_large_blocks

if TYPE_CHECKING:
    from eutectic.midi.surface import Surface

log = logging.getLogger("eutectic.daemon")

SWITCH_SECONDS = 0.0005
"""How long one thread may keep the others waiting; Python's own 5 ms are a fifth of the ring."""

MAX_PORT = 65_535


@dataclass(frozen=True)
class Controller:
    """A part of a MIDI port's name (None: the map's), its map, and where a changed one is kept."""

    port: str | None
    map: Path
    own: Path


@dataclass(frozen=True)
class DaemonSettings:
    """Where it listens, what it plays on, and the session's own settings.

    `query_port` is OSCQuery's: None the one after `port`, or any where that is any; 0 none.
    """

    host: str
    port: int
    device: DeviceSettings
    voices: int
    session: SessionSettings
    controller: Controller | None = None
    query_port: int | None = None


async def serve(settings: DaemonSettings, ready: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM; `ready` is told a line once requests are taken.

    Raises:
        BadInput: the port, the device or the kept session can't be had.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    mmap_large_blocks()
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    leave = _leave_signal()
    session: Session | None = None

    def handle(peer: Peer, address: str, arguments: tuple[Any, ...], due: float | None) -> None:
        assert session is not None
        session.take(peer, address, arguments, due)

    async with contextlib.AsyncExitStack() as stack:
        server = await Server.start(settings.host, settings.port, handle)
        stack.push_async_callback(server.close)
        output = Output(settings.device)  # before anything is read: requests wait in the socket
        player = Player(output.rate_hz, output.channels, settings.voices)
        surface = _surface(settings.controller, stack)
        session = Session(settings.session, output, player, Subscribers(server), surface)
        stack.push_async_callback(session.close)
        await session.start()
        query_port = await _query_server(settings, server.port, stack)
        gc.freeze()  # what is there by now stays: later collections needn't look at it
        ready(
            f"listening on {settings.host}:{server.port}, playing on {output.name} at "
            f"{output.rate_hz} Hz; the engine is starting"
        )
        session.start_output()
        await stack.enter_async_context(announced(settings.host, server.port, query_port))
        await leave.wait()
        log.info("leaving")


async def _query_server(
    settings: DaemonSettings, osc_port: int, stack: contextlib.AsyncExitStack
) -> int | None:
    """The port of OSCQuery's server; a daemon that can't have one goes on without."""
    if settings.query_port == 0:
        return None
    port = settings.query_port or (settings.port and min(settings.port + 1, MAX_PORT))
    try:
        server = await QueryServer.start(settings.host, port, instance_name(osc_port), osc_port)
    except OSError as error:
        log.warning("no OSCQuery: %s", error.strerror or error)
        return None
    stack.push_async_callback(server.close)
    return server.port


def _surface(controller: Controller | None, stack: contextlib.AsyncExitStack) -> Surface | None:
    """The controller's, its ports opened as soon as they are there."""
    if controller is None:
        return None
    from eutectic.midi.ports import Ports
    from eutectic.midi.surface import Surface

    surface = Surface(controller.map, controller.own, controller.port)
    call = asyncio.get_running_loop().call_soon_threadsafe
    ports = Ports(
        surface.port, lambda data: _soon(call, surface.receive, data),
        lambda: _soon(call, surface.came),
    )  # fmt: skip
    surface.light = ports.send
    stack.callback(ports.close)
    return surface


def _soon(call: Callable[..., object], what: Callable[..., None], *values: object) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended
        call(what, *values)


def _leave_signal() -> asyncio.Event:
    leave = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, leave.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(leave.set))  # pyright: ignore[reportUnknownLambdaType]
    return leave


@contextlib.contextmanager
def logging_to_terminal(level: str) -> Generator[None]:
    """Log from a thread of its own: a terminal that is stuck holds up nobody."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    waiting: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    logging.getLogger().addHandler(logging.NullHandler())  # libraries say it to themselves
    logger = logging.getLogger("eutectic")
    logger.setLevel(level.upper())
    logger.addHandler(logging.handlers.QueueHandler(waiting))
    listener = logging.handlers.QueueListener(waiting, handler)
    listener.start()
    try:
        yield
    finally:
        listener.stop()
