"""Musical time in a real daemon: what a client asks for on beats is on them in the file."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pytest
import soundfile

from daemons import daemon, prepare, silenced, wait_for
from eutectic.client.daemon_process import Daemon
from eutectic.client.sync import Client
from eutectic.osc.answers import Ended, Fail, Late, Started, Tempo

pytestmark = pytest.mark.process

BPM = 150.0


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    folder = tmp_path_factory.mktemp("beats")
    with daemon(folder, device=f"file:{folder / 'played.wav'}") as process:
        with process.client() as client:
            prepare(client)
            client.set_tempo(BPM, 0.0)
            client.fuse(1, "a", "r")  # which then is ready at once
            client.stop(1, 0.0)
        yield process


@pytest.fixture
def client(process: Daemon) -> Generator[Client]:
    with silenced(process) as client:
        client.notify()
        yield client


def tempo(client: Client) -> Tempo:
    """The beat as a client that comes now is told."""
    client.notify(False)
    client.notify()
    return wait_for(client, Tempo)


def onsets(samples: np.ndarray, silence: int = 400) -> list[int]:
    sounding = np.flatnonzero(np.abs(samples).max(axis=1) > 0)
    return [int(each) for each in sounding[np.diff(sounding, prepend=-silence - 2) > silence]]


def test_what_is_asked_for_on_beats_is_on_them_to_the_frame(client: Client) -> None:
    """A recording of eight beats, with a loop of one and a half from its second."""
    base = float(np.ceil(tempo(client).beat)) + 4
    client.set_voice(1, "xfade", 2.0)
    client.begin("/record/start", "grid.wav", "@at_beat", base)
    client.begin("/fuse", 1, "a", "r", "@beats", 3.5, "@at_beat", base + 1)
    client.stop(1, 1.0, at_beat=base + 6)
    samples, rate_hz = soundfile.read(client.stop_recording(at_beat=base + 8).path)
    beat = 60 / BPM * rate_hz
    assert len(samples) == pytest.approx(8 * beat, abs=1)
    found = onsets(samples)
    first = found[0]
    assert first == pytest.approx(beat, abs=2)  # of its attack the first sample may be 0
    assert found[1:] == [pytest.approx(first + round(3.5 * beat), abs=1)]
    assert np.flatnonzero(samples[:, 0])[-1] == pytest.approx(6 * beat + rate_hz / 1000, abs=60)
    wait_for(client, Ended)


def test_a_fusion_waits_for_its_multiple_and_a_past_beat_is_late(client: Client) -> None:
    now = tempo(client).beat
    client.begin("/fuse", 1, "a", "r", "@quantise", 4)
    started = wait_for(client, Started)
    wait = (4 * np.ceil(now / 4) - now) * 60 / BPM
    assert started.latency_ms / 1000 == pytest.approx(wait, abs=0.3)
    client.begin("/fuse", 1, "a", "r", "@at_beat", 0.0)
    assert wait_for(client, Late).ms > 1000
    wait_for(client, Started)


def test_held_beats_hold_what_waits_for_them_and_clearing_ends_the_wait(client: Client) -> None:
    client.run_tempo(False)
    try:
        wait_for(client, Tempo, lambda row: row.running == 0)
        held = tempo(client).beat
        client.begin("/record/start", "never.wav", "@quantise", 4)
        client.clear_schedule()
        assert wait_for(client, Fail).code == "cancelled"
        client.start_recording("never.wav")  # its file is gone
        client.stop_recording()
        assert tempo(client).beat == pytest.approx(held, abs=0.1)
    finally:
        client.run_tempo(True)
    wait_for(client, Tempo, lambda row: row.running == 1)
    assert tempo(client).beat == pytest.approx(held, abs=2)


def test_the_tempo_is_shown_and_in_status(client: Client) -> None:
    client.set_tempo(97.5, 12.25)
    found = wait_for(client, Tempo, lambda row: row.bpm == 97.5)
    assert found.beat == pytest.approx(12.25, abs=0.3)
    assert "97.50 bpm, beat 12." in client.status()["tempo"]
    client.set_tempo(BPM)
