"""`python -m eutectic.osc.announce`: tells the network where the daemon is, with zeroconf.

`_osc._udp` for programs that send, `_oscjson._tcp` for those that ask OSCQuery first. Only a daemon
that listens beyond loopback is announced: the records go to every host of the network, and an
address of loopback would lead each of them to itself.

A process of its own: every mDNS packet of the network is read in Python, which must not share a
lock with the mix; and what it announced is taken back when its standard input closes, however the
daemon ended. It looks again from time to time which addresses there are, since a tablet's network
may come after the daemon; and says in lines of JSON what it does.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncGenerator, Generator, Sequence
from typing import Any

from eutectic.osc.table import PORT

log = logging.getLogger("eutectic.osc.announce")

LOOK_SECONDS = 5.0
LEAVE_SECONDS = 3.0
"""A process that takes longer to take its announcement back is killed."""

LABEL_CHARACTERS = 32
"""Of the host's name; with the rest it stays under DNS's 63 bytes a label."""


def instance_name(port: int) -> str:
    """What people choose a daemon by: its host, and its port where that isn't the usual one."""
    where = "" if port == PORT else f" ({port})"
    return f"Eutectic on {_host_label()}{where}"


def _host_label() -> str:
    label = socket.gethostname().partition(".")[0].encode("ascii", "ignore").decode()
    return label[:LABEL_CHARACTERS] or "this host"


@contextlib.asynccontextmanager
async def announced(host: str, port: int, query_port: int | None) -> AsyncGenerator[None]:
    """Announce the daemon that listens there, where others can reach it; take it back at the end.

    What goes wrong is a line in the log, and nothing else.
    """
    address = await _resolved(host)
    if address is None or ipaddress.IPv4Address(address).is_loopback:
        yield
        return
    command = [sys.executable, "-m", "eutectic.osc.announce", address, str(port)]
    command += [] if query_port is None else [str(query_port)]
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    except OSError as error:
        log.warning("not announced on the network: %s", error.strerror)
        yield
        return
    listener = asyncio.get_running_loop().create_task(_log(process))
    try:
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), LEAVE_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
        await listener


async def _resolved(host: str) -> str | None:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, family=socket.AF_INET)
    except OSError:
        return None
    return str(found[0][4][0])


async def _log(process: asyncio.subprocess.Process) -> None:
    """Say in the log what the process says."""
    assert process.stdout is not None
    async for line in process.stdout:
        said = json.loads(line)
        if "error" in said:
            log.warning("not announced on the network: %s", said["error"])
        else:
            log.info("announced on the network as %s", said["name"])


# From here on, in the process of its own


def _say(**what: Any) -> None:
    with contextlib.suppress(BrokenPipeError):  # the daemon is gone, and so is its pipe
        os.write(sys.stdout.fileno(), json.dumps(what).encode() + b"\n")


def _addresses(host: str) -> list[str]:
    """Where others reach the daemon, of the addresses that there are now.

    Those of loopback only where there is no other: there nobody else can hear of them.
    """
    import psutil

    there = [
        each.address for some in psutil.net_if_addrs().values() for each in some
        if each.family == socket.AF_INET
    ]  # fmt: skip
    if host != "0.0.0.0":
        return [host] if host in there else []
    beyond = [each for each in there if not ipaddress.IPv4Address(each).is_loopback]
    return sorted(beyond or there)


@contextlib.contextmanager
def _registered(host: str, addresses: Sequence[str], ports: Sequence[int]) -> Generator[None]:
    """Both services on the network; their names are changed where somebody has them."""
    from zeroconf import InterfaceChoice, IPVersion, ServiceInfo, Zeroconf

    interfaces = InterfaceChoice.All if host == "0.0.0.0" else [host]
    zeroconf = Zeroconf(interfaces, ip_version=IPVersion.V4Only)
    try:
        name = instance_name(ports[0])
        for kind, port in zip(("_osc._udp.local.", "_oscjson._tcp.local."), ports, strict=False):
            info = ServiceInfo(
                kind, f"{name}.{kind}", port, properties={"txtvers": "1"},
                server=f"eutectic-{ports[0]}-{_host_label().replace(' ', '-')}.local.",
                parsed_addresses=list(addresses),
            )  # fmt: skip
            zeroconf.register_service(info, allow_name_change=True)
            name = info.name.removesuffix(f".{kind}")
        _say(name=name)
        yield
    finally:
        zeroconf.close()  # which says goodbye first


def _announce(host: str, ports: Sequence[int], leave: threading.Event) -> None:
    """Stay registered on the addresses that there are, until it is time to leave."""
    import zeroconf

    told = ""
    while not leave.is_set():
        addresses = _addresses(host)
        error = "" if addresses else f"{host} is none of this machine's addresses"
        if addresses:
            try:
                with _registered(host, addresses, ports):
                    while addresses == _addresses(host) and not leave.wait(LOOK_SECONDS):
                        pass
            except (OSError, zeroconf.Error) as caught:
                error = str(caught) or type(caught).__name__
        if error and error != told:
            _say(error=error)
        told = error
        if error:
            leave.wait(LOOK_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description="Announces Eutectic; the daemon starts it.")
    parser.add_argument("host")
    parser.add_argument("ports", type=int, nargs="+", help="OSC, and OSCQuery where it is served")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the daemon ends it, by closing the pipe
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, 0, 10)
    leave = threading.Event()

    def until_input_ends() -> None:
        sys.stdin.buffer.read()
        leave.set()

    threading.Thread(target=until_input_ends, daemon=True).start()
    _announce(arguments.host, arguments.ports, leave)


if __name__ == "__main__":
    main()
