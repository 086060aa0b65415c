"""Which hosts may send OSC: a real daemon, spoken to from an address that isn't loopback."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from daemons import daemon, make_clips, wait_for
from eutectic.cli import run
from eutectic.client.daemon_process import Daemon
from eutectic.errors import BadSetting
from eutectic.osc import access as access_
from eutectic.osc.access import WATCHING, Access, Gate, networks
from eutectic.osc.answers import Master
from eutectic.osc.packets import Value, decode, encode
from eutectic.osc.spec import PREFIX
from eutectic.osc.table import KINDS
from pages import own_address

SILENCE_SECONDS = 0.5


@pytest.mark.parametrize("given", ["", "x", "10.0.0", "10.0.0.0/33", "::1", "10.0.0.0/8/8", "All"])
def test_what_is_no_network_is_refused(given: str) -> None:
    with pytest.raises(BadSetting, match="is no address") as refused:
        networks([given])
    assert "\n" not in str(refused.value)


def test_this_machine_may_do_all_and_others_what_they_are_allowed() -> None:
    access = Access("10.0.0.1", networks(["10.0.0.7", "10.1.0.0/16"]), networks(["10.0.0.9/24"]))
    levels = {
        "127.0.0.1": "all", "127.0.0.2": "all", "midi": "all", "10.0.0.1": "all",
        "10.0.0.7": "all", "10.1.255.1": "all", "10.0.0.8": "watch", "10.2.0.1": "none",
        "192.168.1.1": "none",
    }  # fmt: skip
    assert {host: access.level(host) for host in levels} == levels
    assert Access(allowed=networks(["any"])).level("8.8.8.8") == "all"
    assert Access().level("10.0.0.1") == "none"


def test_every_request_that_lists_or_asks_may_be_watched_and_no_other() -> None:
    """A new request is one that changes something until it is said not to."""
    asking = {kind for kind in KINDS if kind.address.endswith("/list")}
    asking |= {kind for kind in KINDS if kind.address in (
        "/notify", "/ping", "/status", "/version", "/sync", "/pair"
    )}  # fmt: skip
    assert set(WATCHING) == asking


class Sender:
    """A peer that keeps what it is sent."""

    def __init__(self, host: str) -> None:
        self.address = (host, 9000)
        self.sent: list[tuple[str, tuple[Value, ...]]] = []

    def send(self, packet: bytes) -> None:
        self.sent += [(address, values) for address, values, _ in decode(packet)]


def test_who_watches_is_passed_what_changes_nothing() -> None:
    passed: list[str] = []
    gate = Gate(
        Access(watching=networks(["any"])), lambda _p, address, _a, _d: passed.append(address)
    )
    peer = Sender("10.0.0.1")
    for address, *values in (
        ("/ping", 1), ("/notify", 1), ("/clip/list", 2), ("/nothing", 3), ("/fuse", "odd"),
        ("/panic",), ("/scrub", 1, 0.5), ("/clip/free", 4, "a"), ("/session/save", 5),
    ):  # fmt: skip
        gate.take(peer, PREFIX + address, tuple(values), None)
    expected = ["/ping", "/notify", "/clip/list", "/nothing", "/fuse"]
    assert passed == [PREFIX + address for address in expected]
    assert [(values[0], values[1], values[2]) for _, values in peer.sent] == [
        (f"{PREFIX}/clip/free", 4, "not_allowed"), (f"{PREFIX}/session/save", 5, "not_allowed")
    ]  # fmt: skip


def test_a_crowd_of_forged_addresses_is_a_limited_number_of_lines(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gate = Gate(Access(), lambda *_: None)
    for number in range(3 * access_.MAX_NAMED):
        for _ in range(5):
            assert not gate.admits(f"10.0.0.{number}")
    assert gate.refused == 15 * access_.MAX_NAMED
    assert len(caplog.records) == access_.MAX_NAMED + 1


# A real daemon, from elsewhere


@contextlib.contextmanager
def reached(folder: Path, *options: str) -> Generator[tuple[Daemon, Callable[..., list[str]]]]:
    """A daemon that listens everywhere, and a way to ask it from another address by UDP."""
    host = own_address()
    with (
        daemon(folder, "--host", "0.0.0.0", *options) as process,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        other.bind((host, 0))
        other.connect((host, process.port))
        other.settimeout(SILENCE_SECONDS)

        def ask(address: str, *values: Value) -> list[str]:
            """Addresses and codes of what is answered, until nothing is for a while."""
            other.send(encode(PREFIX + address, values))
            found: list[str] = []
            with contextlib.suppress(TimeoutError):
                while True:
                    for got, arguments, _ in decode(other.recv(65_536)):
                        code = f" {arguments[2]}" if got.endswith("/fail") else ""
                        found.append(got.removeprefix(PREFIX) + code)
            return found

        yield process, ask


@pytest.mark.process
def test_other_hosts_are_answered_nothing_by_default(tmp_path: Path) -> None:
    with reached(tmp_path) as (process, ask), process.client() as client:
        for _ in range(3):
            assert ask("/ping", 1) == []
            assert ask("/nothing", 1) == []
        with socket.create_connection((own_address(), process.port)) as connection:
            connection.settimeout(5)
            packet = encode(f"{PREFIX}/ping", [1])
            with contextlib.suppress(OSError):
                connection.sendall(len(packet).to_bytes(4, "big") + packet)
                assert connection.recv(10) == b""
        client.request("/ping", timeout=5)
        assert process.log.count("sends OSC, which isn't allowed") == 1
        assert "no other host may send OSC: --allow" in process.log


@pytest.mark.process
def test_who_watches_sees_all_and_changes_nothing(tmp_path: Path) -> None:
    with reached(tmp_path, "--watch", own_address()) as (process, ask):
        make_clips(tmp_path / "clips")
        assert ask("/ping", 1) == ["/done"]
        assert "/snapshot" in ask("/notify", 1)
        assert "/fail not_allowed" in ask("/clip/load", 2, "a", "a.wav")
        ask("/master/gain", -20.0)
        ask("/panic")
        with process.client() as client:
            assert client.clips() == []
            client.send("/notify", 1)
            assert wait_for(client, Master).gain == 0.0
        assert process.log.count("may only watch") == 1


@pytest.mark.process
def test_who_is_allowed_does_all(tmp_path: Path) -> None:
    with reached(tmp_path, "--allow", f"{own_address()}/24") as (process, ask):
        assert ask("/preset/save", 2, "mine") == ["/done"]
        assert (process.data / "presets" / "mine.toml").exists()
        assert "isn't allowed" not in process.log


@pytest.mark.process
def test_allowing_hosts_that_can_t_reach_the_daemon_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EUTECTIC_DATA", str(tmp_path / "data"))
    for option, words in (("10.0.0.7", "need --host"), ("10.0.0", "is no address")):
        assert run(["serve", "--model", "toy", "--device", "null", "--port", "0", "--page", "off",
                    "--no-spare", "--allow", option]) == 2  # fmt: skip
        assert words in capsys.readouterr().err
