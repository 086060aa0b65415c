"""`eutectic serve`: the parts of the daemon, wired and run.

Two threads matter: the event loop (requests, the engine's results, files) and the player's, which
mixes. Everything slow is in other processes or threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import secrets
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING

from eutectic.errors import BadSetting
from eutectic.link.spare import Spare
from eutectic.osc.access import Access, Gate
from eutectic.osc.announce import announced, beyond_loopback, instance_name
from eutectic.osc.query import QueryServer
from eutectic.osc.server import Server
from eutectic.osc.spec import MAX_PORT, PORT
from eutectic.osc.subscribers import Subscribers
from eutectic.page.host import Opened, page_process
from eutectic.page.settings import PageSettings
from eutectic.page.terminal import page_lines, show
from eutectic.playback.output import Output
from eutectic.playback.player import Player
from eutectic.playback.streams import DeviceSettings
from eutectic.session.session import Session
from eutectic.session.settings import SessionSettings
from eutectic.system.memory import mmap_large_blocks
from eutectic.system.processes import set_niceness
from eutectic.system.supervision import supervised

if TYPE_CHECKING:
    from eutectic.midi.surfaces import Surfaces

log = logging.getLogger("eutectic.daemon")

SWITCH_SECONDS = 0.0005
"""How long a thread may hold the interpreter; Python's default, 5 ms, is a sixth of the ring."""

PIN_DIGITS = 6


@dataclass(frozen=True)
class Controller:
    """Part of a MIDI port's name (None: the map's), the map, and where a changed one is saved."""

    port: str | None
    map: Path
    own: Path


@dataclass(frozen=True)
class DaemonSettings:
    """Where it listens, what it plays on, and the session's settings.

    `query_port` is OSCQuery's: 0 for none; None for the one after `port`, or a free one if `port`
    is 0. `page_port` is the stage page's: None for none, 0 for a free one.
    Other hosts than this one may send OSC if they are `allowed`, and look if they are `watching`.
    """

    host: str
    port: int
    device: DeviceSettings
    voices: int
    session: SessionSettings
    controllers: tuple[Controller, ...] = ()
    query_port: int | None = None
    page_port: int | None = None
    allowed: tuple[IPv4Network, ...] = ()
    watching: tuple[IPv4Network, ...] = ()


async def serve(settings: DaemonSettings, spare: Spare, ready: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM; `ready` is called with lines to show once requests are served.

    The first engine is the spare, if there is one.

    Raises:
        BadInput: the port, the device or the session's file can't be used.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    mmap_large_blocks()
    set_niceness(-10)
    stop = _stop_signal()
    async with contextlib.AsyncExitStack() as stack:
        server = await Server.bind(settings.host, settings.port)
        stack.push_async_callback(server.close)
        output = Output(settings.device)
        player = Player(output.rate_hz, output.channels, settings.voices)
        surfaces = _surfaces(settings.controllers, stack)
        subscribers = Subscribers(server.udp_peer)
        session = Session(settings.session, output, player, subscribers, spare, surfaces)
        stack.push_async_callback(session.close)
        await session.start()
        gate = Gate(await _access(settings), session.take)
        await server.serve(gate.take, gate.admits, session.leave)
        query = await _query_server(settings, server.port, stack)
        gc.freeze()  # what exists by now stays: later collections needn't scan it
        ready(
            f"listening on {settings.host}:{server.port}, playing on {output.name} at "
            f"{output.rate_hz} Hz; the engine is starting"
        )
        folders = settings.session.folders
        ready(f"clips are read from {', '.join(map(str, folders.clips))}")
        ready(f"sounds are written to {folders.renders}")
        to = "" if server.port == PORT else f" --port {server.port}"
        ready(
            f"try: eutectic send{to} /preset/load first_night; "
            f"eutectic send{to} /fuse 1 glass drone @loop 1; eutectic status{to}"
        )
        session.start_output()
        await stack.enter_async_context(announced(settings.host, server.port, query and query.port))
        if settings.page_port is not None:
            page = await _page_settings(settings, settings.page_port, server.port, output.rate_hz)
            opened = partial(_page_opened, page, query, ready)
            await stack.enter_async_context(page_process(page, opened))
        await stack.enter_async_context(supervised())
        await stop.wait()
        log.info("shutting down")


async def _access(settings: DaemonSettings) -> Access:
    """What other hosts may do.

    Raises:
        BadSetting: they can't even reach the daemon.
    """
    own, others = await beyond_loopback(settings.host), settings.allowed or settings.watching
    if own is None and others:
        raise BadSetting(f"--allow and --watch need --host 0.0.0.0: {settings.host} is this "
                         "machine alone")  # fmt: skip
    if own is not None and not others:
        log.warning("no other host may send OSC: --allow ADDRESS/MASK lets it")
    return Access(own or "", settings.allowed, settings.watching)


async def _page_settings(
    settings: DaemonSettings, port: int, osc_port: int, rate_hz: int
) -> PageSettings:
    """What the page is told; a PIN is only for browsers on other machines."""
    is_alone = await beyond_loopback(settings.host) is None
    pin = "" if is_alone else f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"
    session = settings.session
    return PageSettings(
        settings.host, port, osc_port, secrets.token_hex(), pin, session.data, session.folders,
        rate_hz,
    )  # fmt: skip


def _page_opened(
    settings: PageSettings, query: QueryServer | None, ready: Callable[[str], None], page: Opened
) -> None:
    """The page listens, for the first time or again."""
    if query is not None:
        query.show_page(page.port)
    if page.is_new:
        show(page_lines(page, settings.host, settings.pin), ready)


async def _query_server(
    settings: DaemonSettings, osc_port: int, stack: contextlib.AsyncExitStack
) -> QueryServer | None:
    """Start OSCQuery's server; None if there is none."""
    if settings.query_port == 0:
        return None
    port = settings.query_port or (settings.port and min(settings.port + 1, MAX_PORT))
    try:
        server = await QueryServer.start(settings.host, port, instance_name(osc_port), osc_port)
    except OSError as error:
        log.warning("no OSCQuery: %s", error.strerror or error)
        return None
    stack.push_async_callback(server.close)
    return server


def _surfaces(
    controllers: Sequence[Controller], stack: contextlib.AsyncExitStack
) -> Surfaces | None:
    """The controllers' surfaces; their ports are opened as soon as they are plugged in."""
    if not controllers:
        return None
    from eutectic.midi.ports import Plug, Ports
    from eutectic.midi.surface import Surface
    from eutectic.midi.surfaces import Surfaces

    call = asyncio.get_running_loop().call_soon_threadsafe
    surfaces = [
        Surface(each.map, each.own, each.port, number) for number, each in enumerate(controllers)
    ]
    soon = partial(partial, _soon, call)
    ports = Ports([
        Plug(
            each.port, soon(each.receive), soon(each.plugged_in), soon(each.let_go),
            soon(each.darken),
        )
        for each in surfaces
    ])  # fmt: skip
    stack.callback(ports.close)
    for number, each in enumerate(surfaces):
        each.open(partial(ports.send, number))
    return Surfaces(surfaces)


def _soon(call: Callable[..., object], what: Callable[..., None], *values: object) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended
        call(what, *values)


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))  # pyright: ignore[reportUnknownLambdaType]
    return stop
