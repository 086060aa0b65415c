"""Filters and sends of voices: asked for, shown to every client, refused, and kept."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import msgspec
import pytest

from daemons import daemon, wait_for
from eutectic.client.daemon_process import Daemon
from eutectic.client.sync import Client
from eutectic.files import toml
from eutectic.osc.answers import Fail, VoiceStrip
from eutectic.session.kept import KeptVoice
from eutectic.session.strips import KeptStrip

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    with daemon(tmp_path_factory.mktemp("strips"), "--session", "night") as process:
        yield process
        assert "Traceback" not in process.log


@pytest.fixture
def client(running: Daemon) -> Generator[Client]:
    with running.client() as client:
        yield client
        client.set_filter(1, "off", 1000.0, 0.0)
        for send in (1, 2):
            client.set_send(1, send, 0, 0.0)
        client.request("/sync")


def strip(client: Client, voice: int = 1) -> VoiceStrip:
    return client.request("/voice/list").of(VoiceStrip)[voice - 1]


def test_what_is_left_out_stays_as_it_was(client: Client) -> None:
    client.set_filter(1, "low", 400.0, 0.5)
    client.set_filter(1, "band")
    client.set_filter(1, "high", 900.0)
    client.set_send(1, 1, 1, -12.0)
    client.set_send(1, 1, 2)
    client.set_voice(1, "send2", -3.0)
    client.set_voice(1, "resonance", 0.25)
    number = strip(client).by
    assert strip(client) == VoiceStrip(1, "high", 900.0, 0.25, 2, -12.0, 0, -3.0, number)
    assert strip(client, 2) == VoiceStrip(2, "off", 1000.0, 0.0, 0, 0.0, 0, 0.0, 0)


def test_every_client_hears_of_it(running: Daemon, client: Client) -> None:
    with running.client() as other:
        other.notify()
        other.request("/sync")
        client.set_voice(1, "cutoff", 2500.0)
        wait_for(other, VoiceStrip, lambda each: (each.voice, each.cutoff) == (1, 2500.0))


@pytest.mark.parametrize(
    ("address", "values"),
    [
        ("/voice/filter", (1, "notch")),
        ("/voice/filter", (1, "low", 10.0)),
        ("/voice/filter", (1, "low", 500.0, 1.5)),
        ("/voice/send", (1, 3, 1)),
        ("/voice/send", (1, 1, 3)),  # the device has two outputs
        ("/voice/send", (1, 1, 1, 30.0)),
        ("/voice/set", (1, "cutoff", 5.0)),
        ("/voice/set", (1, "send1", 25.0)),
    ],
)
def test_what_can_not_be_is_refused_in_a_line_and_changes_nothing(
    client: Client, address: str, values: tuple[int | float | str, ...]
) -> None:
    before = strip(client)
    client.send(address, *values)
    assert wait_for(client, Fail).code == "bad_arguments"
    assert strip(client) == before


def test_a_voice_that_is_not_there_has_none(client: Client) -> None:
    client.send("/voice/filter", 9, "low")
    assert wait_for(client, Fail).code == "unknown_voice"


def test_sessions_and_presets_keep_them(running: Daemon, client: Client) -> None:
    client.set_filter(1, "band", 700.0, 0.75)
    client.set_send(1, 2, 1, -20.0)
    client.request("/preset/save", "mine")
    wanted = strip(client)
    client.set_filter(1, "off", 50.0, 0.0)
    client.set_send(1, 2, 0)
    client.request("/preset/load", "mine")
    restored = strip(client)
    assert restored == VoiceStrip(1, "band", 700.0, 0.75, 0, 0.0, 1, -20.0, 0)
    assert msgspec.structs.replace(wanted, by=0) == restored
    client.request("/session/save", "tonight")
    client.request("/session/new", "empty")
    assert strip(client).filter == "off"
    client.request("/session/load", "tonight")
    assert strip(client).filter == "band"


def test_a_file_of_a_version_without_strips_is_read_and_one_with_nonsense_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "voice.toml"
    path.write_text("number = 1\n")
    assert toml.read(path, KeptVoice).strip is None
    path.write_text('number = 1\n[strip]\nfilter = "low"\ncutoff_hz = 300.0\n')
    assert toml.read(path, KeptVoice).strip == KeptStrip("low", 300.0)
    path.write_text('number = 1\n[strip]\nfilter = "notch"\n')
    with pytest.raises(toml.BadState, match="notch"):
        toml.read(path, KeptVoice)
