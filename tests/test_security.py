"""Malicious clients: a real daemon gives them nothing, and goes on."""

from __future__ import annotations

import socket
import struct
from collections.abc import Generator
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from daemons import fails, make_clips, next_end, wait_for
from eutectic.client.daemon_process import Daemon
from eutectic.client.sync import Client
from eutectic.osc.answers import Done, Fail
from eutectic.osc.packets import encode
from eutectic.osc.spec import PREFIX

pytestmark = pytest.mark.process


@pytest.fixture
def folder(running: Daemon) -> Path:
    return running.data.parent


@pytest.fixture
def client(running: Daemon) -> Generator[Client]:
    with running.client() as client:
        yield client
        client.request("/ping", timeout=5)


def test_nothing_outside_the_folders_is_read_or_written(client: Client, folder: Path) -> None:
    outside = make_clips(folder / "outside")
    clips, renders = folder / "clips", folder / "data" / "renders"
    (clips / "link.wav").symlink_to(outside / "a.wav")
    (clips / "folder").symlink_to(outside)
    (clips / "circle.wav").symlink_to(clips / "circle.wav")
    (renders / "folder").symlink_to(outside)
    (renders / "there.wav").symlink_to(outside / "new.wav")
    for path in ("../outside/a.wav", str(outside / "a.wav"), "link.wav", "folder/a.wav",
                 "x/../../outside/a.wav", f"Macintosh HD:{outside / 'a.wav'}",
                 "/etc/passwd", "circle.wav", "~/a.wav", "nul\0.wav"):  # fmt: skip
        assert fails(client, "/clip/load", "stolen", path) in (
            "bad_path", "bad_audio", "no_file", "bad_arguments"
        )  # fmt: skip
    for path in ("../x.wav", str(outside / "x.wav"), "folder/x.wav", "there.wav", "x.toml"):
        assert fails(client, "/render", "a", "r", path) == "bad_path"
        assert fails(client, "/record/start", path) == "bad_path"
    assert {path.name for path in outside.iterdir()} == {"a.wav", "b.wav", "c.wav"}
    assert [each.clip for each in client.clips()] == ["a", "b"]


def test_a_device_that_is_a_file_is_created_under_renders_alone(
    client: Client, folder: Path
) -> None:
    assert fails(client, "/device/set", f"file:{folder / 'x.wav'}") == "bad_path"
    assert not (folder / "x.wav").exists()


def test_oversized_packets_are_dropped(running: Daemon, client: Client) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for size in (65_507, 40_000):
            sender.sendto(b"x" * size, ("127.0.0.1", running.port))
            sender.sendto(b"/eutectic/ping\0\0,s\0\0" + b"y" * (size - 20),
                          ("127.0.0.1", running.port))  # fmt: skip
    for size in (2**31 - 1, 1 << 20, -5, 0):
        with socket.create_connection(("127.0.0.1", running.port)) as connection:
            connection.settimeout(5)
            connection.sendall(struct.pack(">i", size) + b"x" * 1000)
            assert connection.recv(10) == b""
    with socket.create_connection(("127.0.0.1", running.port)) as connection:
        connection.settimeout(10)
        endless = b"\xc0" + b"x" * (64 << 20)
        with pytest.raises(ConnectionError):
            connection.sendall(endless)
    client.request("/ping")


def test_connections_are_limited(running: Daemon, client: Client) -> None:
    there = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(40)]
    client.request("/ping")
    for connection in there:
        connection.close()


def test_sounds_that_expand_when_read_take_no_memory(
    running: Daemon, client: Client, folder: Path
) -> None:
    """An hour of silence in a small file, and one whose header promises years."""
    bomb = folder / "clips" / "bomb.flac"
    with soundfile.SoundFile(bomb, "w", 44_100, 8, "PCM_24") as file:
        for _ in range(360):
            file.write(np.zeros((441_000, 8), np.int16))
    assert bomb.stat().st_size < 10 << 20
    promising = folder / "clips" / "years.wav"
    header = bytearray((folder / "clips" / "a.wav").read_bytes())
    header[4:8] = header[40:44] = struct.pack("<I", 2**32 - 64)
    promising.write_bytes(header)
    before = running.engine().memory_info().rss
    for name in ("bomb.flac", "years.wav"):
        for options in ((), ("@duration", 86_400), ("@start", 3000, "@duration", 500)):
            number = client.begin("/clip/load", "big", name, *options)
            end = next_end(client)
            assert end.id == number and (isinstance(end, Done) or end.code == "bad_audio")
    assert running.engine().memory_info().rss < before + (200 << 20)


def test_replies_go_to_the_sender_s_own_host(running: Daemon, client: Client) -> None:
    """The reply port is all that can be chosen; a host in its place is refused."""
    client.send("/notify", 1, "10.0.0.1")
    assert wait_for(client, Fail).code == "bad_arguments"
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as third,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second,
    ):
        third.bind(("127.0.0.2", 0))
        third.settimeout(0.5)
        second.bind(("127.0.0.1", 0))
        port = third.getsockname()[1]
        second.sendto(encode(f"{PREFIX}/notify", (1, port)), ("127.0.0.1", running.port))
        second.sendto(encode(f"{PREFIX}/ping", (1,)), ("127.0.0.1", running.port))
        with pytest.raises(TimeoutError):
            third.recv(100)


def test_it_listens_on_loopback_alone(running: Daemon) -> None:
    for process in [psutil.Process(running.pid), *psutil.Process(running.pid).children()]:
        for connection in process.net_connections("inet"):
            assert connection.laddr.ip == "127.0.0.1"
