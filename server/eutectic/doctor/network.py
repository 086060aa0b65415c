"""The ports that the daemon listens on."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import psutil

from eutectic.doctor.findings import Finding

HOST = "127.0.0.1"


def ports(osc: int) -> list[Finding]:
    """Whether the ports for OSC, OSCQuery and the page are free, or else who has them."""
    return [_port("OSC", osc, (socket.SOCK_DGRAM, socket.SOCK_STREAM), "--port"),
            _port("OSCQuery", osc + 1, (socket.SOCK_STREAM,), "--query"),
            _port("Page", osc + 2, (socket.SOCK_STREAM,), "--page")]  # fmt: skip


def _port(name: str, number: int, kinds: tuple[socket.SocketKind, ...], option: str) -> Finding:
    name = f"{name}, port {number}"
    if all(_is_free(number, kind) for kind in kinds):
        return Finding(name, "ok", "free")
    owner = _owner(number)
    if "eutectic" in owner:
        return Finding(name, "ok", "a daemon is running")
    advice = f"end that, or choose another port: serve {option}"
    return Finding(name, "bad", f"taken by {owner or 'another user'}", advice)


def _is_free(number: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as tried:
        if kind == socket.SOCK_STREAM:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((HOST, number))
        except OSError:
            return False
    return True


def _owner(number: int) -> str:
    """The program that has a port, and its process; empty where that can't be known."""
    with contextlib.suppress(psutil.Error):
        for each in psutil.net_connections("inet"):
            if each.laddr and each.laddr.port == number and each.pid:
                process = psutil.Process(each.pid)
                started = process.cmdline()[:3]  # by its command, or by Python's -m
                is_ours = any(Path(word).stem == "eutectic" for word in started)
                return "eutectic" if is_ours else f"{process.name()} (process {each.pid})"
    return ""
