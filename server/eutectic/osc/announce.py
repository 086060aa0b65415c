"""`python -m eutectic.osc.announce`: announces the daemon on the network, with zeroconf.

`_osc._udp` is for programs that send, `_oscjson._tcp` for those that ask OSCQuery first. Only a
daemon that listens beyond loopback is announced: the records go to every host of the network, where
a loopback address would lead each of them to itself.

It is a process of its own, because every mDNS packet on the network is read in Python, which must
not share a lock with the mix. It withdraws the announcement when its standard input closes, however
the daemon ended. It checks the machine's addresses regularly, since a tablet's network may come up
after the daemon, and reports in lines of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import json
import logging
import os
import socket
import sys
import threading
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Generator, Sequence

from eutectic.osc.spec import PORT
from eutectic.system import processes

log = logging.getLogger("eutectic.osc.announce")

CHECK_SECONDS = 5.0
"""Between checks of the machine's addresses."""

LABEL_CHARACTERS = 32
"""Of the host's name; with the rest a label stays within DNS's 63 bytes."""

NICENESS = 10


def instance_name(port: int) -> str:
    """The name that people choose a daemon by: its host, and its port unless it is the default."""
    where = "" if port == PORT else f" ({port})"
    return f"Eutectic on {_host_label()}{where}"


def host_names(port: int) -> set[str]:
    """Names that this machine alone answers to, in lower case: its own, and its announcement's."""
    own = socket.gethostname().lower()
    label = own.partition(".")[0]
    return {own, label, f"{label}.local", _server_name(port).rstrip(".").lower()}


def _server_name(port: int) -> str:
    return f"eutectic-{port}-{_host_label().replace(' ', '-')}.local."


def _host_label() -> str:
    label = socket.gethostname().partition(".")[0].encode("ascii", "ignore").decode()
    return label[:LABEL_CHARACTERS] or "this host"


@contextlib.asynccontextmanager
async def announced(host: str, port: int, query_port: int | None) -> AsyncGenerator[None]:
    """Announce a daemon that listens there, if others can reach it; withdraw that at the end.

    Failures are logged, and harm nothing else.
    """
    address = await beyond_loopback(host)
    if address is None:
        yield
        return
    command = [sys.executable, "-m", "eutectic.osc.announce", address, str(port)]
    command += [] if query_port is None else [str(query_port)]
    try:
        process = await processes.spawn(command)
    except OSError as error:
        log.warning("not announced on the network: %s", error.strerror)
        yield
        return
    logger = asyncio.get_running_loop().create_task(_log(process))
    try:
        yield
    finally:
        await processes.end(process)
        await logger


async def beyond_loopback(host: str) -> str | None:
    """The address of a host to listen on, if other machines can reach it."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, family=socket.AF_INET)
    except OSError:
        return None
    address = str(found[0][4][0])
    return None if ipaddress.IPv4Address(address).is_loopback else address


async def _log(process: Process) -> None:
    """Log what the process reports."""
    assert process.stdout is not None
    async for line in process.stdout:
        report = json.loads(line)
        if "error" in report:
            log.warning("not announced on the network: %s", report["error"])
        else:
            log.info("announced on the network as %s", report["name"])


# In the announcing process


def _report(**values: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # the daemon has died
        os.write(sys.stdout.fileno(), json.dumps(values).encode() + b"\n")


def _addresses(host: str) -> list[str]:
    """The addresses at which the daemon can be reached now.

    Loopback is included only if there is nothing else: no other host sees it then.
    """
    import psutil

    present = [
        each.address for some in psutil.net_if_addrs().values() for each in some
        if each.family == socket.AF_INET
    ]  # fmt: skip
    if host != "0.0.0.0":
        return [host] if host in present else []
    beyond = [each for each in present if not ipaddress.IPv4Address(each).is_loopback]
    return sorted(beyond or present)


@contextlib.contextmanager
def _registered(host: str, addresses: Sequence[str], ports: Sequence[int]) -> Generator[None]:
    """Register both services; names that are taken get a number."""
    from zeroconf import InterfaceChoice, IPVersion, ServiceInfo, Zeroconf

    interfaces = InterfaceChoice.All if host == "0.0.0.0" else [host]
    zeroconf = Zeroconf(interfaces, ip_version=IPVersion.V4Only)
    try:
        name = instance_name(ports[0])
        for kind, port in zip(("_osc._udp.local.", "_oscjson._tcp.local."), ports, strict=False):
            info = ServiceInfo(
                kind, f"{name}.{kind}", port, properties={"txtvers": "1"},
                server=_server_name(ports[0]),
                parsed_addresses=list(addresses),
            )  # fmt: skip
            zeroconf.register_service(info, allow_name_change=True)
            name = info.name.removesuffix(f".{kind}")
        _report(name=name)
        yield
    finally:
        zeroconf.close()  # which says goodbye first


def _announce(host: str, ports: Sequence[int], leave: threading.Event) -> None:
    """Stay registered, on the addresses as they come and go, until `leave` is set."""
    import zeroconf

    reported = ""
    while not leave.is_set():
        addresses = _addresses(host)
        error = "" if addresses else f"{host} isn't one of this machine's addresses"
        if addresses:
            try:
                with _registered(host, addresses, ports):
                    while addresses == _addresses(host) and not leave.wait(CHECK_SECONDS):
                        pass
            except (OSError, zeroconf.Error) as caught:
                error = str(caught) or type(caught).__name__
        if error and error != reported:
            _report(error=error)
        reported = error
        if error:
            leave.wait(CHECK_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description="Announces Eutectic; the daemon starts it.")
    parser.add_argument("host")
    parser.add_argument("ports", type=int, nargs="+", help="OSC, and OSCQuery if it is served")
    arguments = parser.parse_args()
    processes.set_niceness(NICENESS)
    leave = threading.Event()
    processes.end_with_parent(leave.set)
    _announce(arguments.host, arguments.ports, leave)


if __name__ == "__main__":
    main()
