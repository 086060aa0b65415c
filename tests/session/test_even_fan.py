"""A fan whose knob is even to the ear, made and scrubbed by a real daemon."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemons import daemon, prepare
from eutectic.client.daemon_process import Daemon, until_ready
from eutectic.client.sync import Client
from eutectic.osc.answers import FanReady, Queued
from eutectic.session import kept
from eutectic.session.kept import KeptSession

pytestmark = pytest.mark.process

SIZE = 5


def saved(process: Daemon, client: Client) -> KeptSession:
    client.request("/session/save", "now")
    return kept.read(process.data / "sessions" / "now.toml")


def scrubbed(process: Daemon, client: Client) -> list[float]:
    """The blends that a voice has at steady positions of its knob."""
    blends: list[float] = []
    for k in range(SIZE):
        client.send("/scrub", 1, k / (SIZE - 1))
        blends.append(saved(process, client).voices[0].blend)
    return blends


def test_the_knob_of_an_even_fan_is_even_also_after_a_restart(tmp_path: Path) -> None:
    options = ("--session", str(tmp_path / "night.toml"))
    with daemon(tmp_path, *options) as process, process.client() as client:
        prepare(client)
        client.request("/fuse", 1, "a", "r")
        steady = scrubbed(process, client)
        reply = client.request("/fan", "a", "r", SIZE, "@even", 1)
        assert sorted(each.k for each in reply.of(FanReady)) == list(range(SIZE))
        (even,) = saved(process, client).fans.values()
        assert scrubbed(process, client) == pytest.approx(even)
        assert not client.request("/fuse", 1, "a", "r", "@blend", even[1]).of(Queued)
    assert steady == [k / (SIZE - 1) for k in range(SIZE)]
    assert even[0] == 0 and even[-1] == 1 and even == sorted(even) and even != steady
    with daemon(tmp_path, *options) as process, process.client() as client:
        until_ready(client)
        client.request("/fuse", 1, "a", "r")
        assert scrubbed(process, client) == pytest.approx(even)
