"""Notes of a real daemon: what they play, when, on which voice; and how voices are set for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from daemons import daemon, prepare, silenced, until, wait_for
from eutectic.client.daemon_process import Daemon, status, until_ready
from eutectic.client.sync import Client
from eutectic.osc.answers import Fail, Focus, Idle, Snapshot, VoiceNotes

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    with daemon(tmp_path_factory.mktemp("notes")) as process:
        with process.client() as client:
            prepare(client)
            until_ready(client)
        yield process
        assert "Traceback" not in process.log


@pytest.fixture
def client(running: Daemon) -> Generator[Client]:
    with silenced(running) as client:
        client.send("/notify", 1)
        client.request("/sync")
        yield client


@pytest.fixture
def recorded(
    running: Daemon, client: Client
) -> Callable[[Callable[[], None]], NDArray[np.float32]]:
    """What is heard, (frame, channel), while something is done."""
    count = 0

    def record(play: Callable[[], None]) -> NDArray[np.float32]:
        nonlocal count
        count += 1
        path = client.start_recording(f"{time.monotonic_ns()}-{count}.wav").path
        play()
        client.stop_recording()
        return soundfile.read(path, dtype="float32")[0]

    return record


def pitch_hz(recording: NDArray[np.float32]) -> float:
    """The frequency of its strongest partial."""
    wave = recording[:, 0] * np.hanning(len(recording))
    spectrum = np.abs(np.fft.rfft(wave, 1 << 18))
    return float(np.argmax(spectrum) * 48_000 / (1 << 18))


def tone_on(client: Client, voice: int, *options: float | str) -> None:
    """Have a voice played the tone of 220 Hz, and be silent again."""
    client.request("/fuse", voice, "a", "r", "@blend", 1, *options)
    until(lambda: status(client)["voices"].startswith("1 of"))
    client.send("/stop", voice, 5)
    until(lambda: status(client)["voices"].startswith("none"))


def test_a_voice_that_played_nothing_says_so_and_goes_on(client: Client) -> None:
    client.send("/note", 4, 60, 100)
    failed = wait_for(client, Fail)
    assert (failed.request, failed.code) == ("/eutectic/note", "nothing_to_play")
    assert failed.text == "voice 4 has played nothing yet: /fuse plays one"
    client.send("/note", 4, 60, 0)
    client.request("/sync")


def test_a_note_is_what_was_played_last_at_its_pitch_until_it_is_let_go(
    client: Client, recorded: Callable[..., NDArray[np.float32]]
) -> None:
    tone_on(client, 1)
    client.set_voice(1, "loop", 1)

    def play() -> None:
        client.note(1, 67, 127)
        until(lambda: status(client)["notes"] == "1 sounding")
        time.sleep(1.2)  # longer than the sound
        client.note(1, 67, 0)
        until(lambda: status(client)["notes"] == "none sounding")

    recording = recorded(play)
    assert pitch_hz(recording) == pytest.approx(220 * 2 ** (7 / 12), rel=1e-3)
    client.set_voice(1, "root", 72)
    client.request("/sync")
    recording = recorded(lambda: (client.note(1, 60, 127), time.sleep(0.3)))
    assert pitch_hz(recording) == pytest.approx(110, rel=5e-3)
    client.set_voice(1, "root", 60)
    client.set_voice(1, "loop", 0)


def test_velocity_sets_the_level_as_that_of_a_fusion_does(
    client: Client, recorded: Callable[..., NDArray[np.float32]]
) -> None:
    tone_on(client, 1)
    peaks = []
    for velocity in (127, 40):
        play = lambda velocity=velocity: (  # noqa: E731
            client.send("/note", 1, 60, velocity, "@gate", 0.1), time.sleep(0.3)
        )  # fmt: skip
        peaks.append(np.abs(recorded(play)).max())
    assert 20 * np.log10(peaks[1] / peaks[0]) == pytest.approx(40 * np.log10(40 / 127), abs=0.2)


def test_stop_and_panic_end_notes_and_stop_of_a_note_is_no_remark(client: Client) -> None:
    tone_on(client, 1)
    client.set_voice(1, "loop", 1)
    for end in (("/stop", 1), ("/stop",), ("/panic",)):
        client.note(1, 60, 100)
        until(lambda: status(client)["notes"] == "1 sounding")
        client.send(*end)
        until(lambda: status(client)["notes"] == "none sounding")
    assert not [each for each in client.events(0.1) if isinstance(each, Idle)]
    client.set_voice(1, "loop", 0)


def test_notes_at_a_beat_are_struck_and_let_go_on_it(
    client: Client, recorded: Callable[..., NDArray[np.float32]]
) -> None:
    tone_on(client, 1)
    client.send("/envelope", 1, 0, 0, 1, 5)

    def play() -> None:
        client.send("/tempo", 120, 0)
        time.sleep(0.1)
        for beat in (1, 2):
            client.send("/note", 1, 60 + beat, 127, "@at_beat", beat)
            client.send("/note", 1, 60 + beat, 0, "@at_beat", beat + 0.25)
        client.send("/note", 1, 69, 127, "@at_beat", 1.5)
        client.send("/note", 1, 69, 0)
        time.sleep(1.6)
        assert status(client)["notes"] == "none sounding"

    heard = np.abs(recorded(play)).max(axis=1) > 1e-3
    first, second = np.flatnonzero(heard)[0], np.flatnonzero(heard)[-1]
    assert abs(second - first - (0.5 + 0.125) * 48_000) < 0.006 * 48_000
    client.send("/envelope", 1, 2, 0, 1, 120)


def test_how_a_voice_plays_notes_is_seen_by_all_and_kept(running: Daemon, client: Client) -> None:
    with running.client() as other:
        other.send("/notify", 1)
        number = wait_for(other, Snapshot).number
        other.send("/voice/set", 2, "rate", 1.5)
        other.send("/voice/set", 2, "reverse", 1)
        other.send("/voice/set", 2, "choke", 3)
        other.send("/envelope", 2, 5, 200, 0.75, 300)
        expected = VoiceNotes(2, 1.5, 0.0, 1.0, 1, 60.0, 3, 5.0, 200.0, 0.75, 300.0, number)
        wait_for(client, VoiceNotes, lambda row: row == expected)
    client.request("/preset/save", "played")
    for what, value in (("rate", 1), ("reverse", 0), ("choke", 0)):
        client.send("/voice/set", 2, what, value)
    client.request("/preset/load", "played")
    row = wait_for(client, VoiceNotes, lambda row: row.by == 0 and row.rate == 1.5)
    assert row.choke == 3 and row.release == 300
    text = (running.data / "presets" / "played.toml").read_text()
    assert "rate = 1.5" in text and "release_ms = 300.0" in text
    assert text.count(".notes]") == 1  # nothing of voices that were left as they are
    for what, value in (("rate", 1), ("reverse", 0), ("choke", 0)):
        client.send("/voice/set", 2, what, value)


@pytest.mark.parametrize(
    ("address", "values", "code"),
    [
        ("/voice/set", (1, "rate", 0.0), "bad_arguments"),
        ("/voice/set", (1, "choke", 17), "bad_arguments"),
        ("/note", (1, 128, 100), "bad_arguments"),
        ("/note", (9, 60, 100), "unknown_voice"),
        ("/note", (9, 60, 0), "unknown_voice"),
        ("/envelope", (9, 5, 5, 1, 5), "unknown_voice"),
        ("/focus", (9,), "unknown_voice"),
        ("/focus", (0,), "bad_arguments"),
    ],
)
def test_a_mistake_is_told_once(
    running: Daemon, address: str, values: tuple[float | str, ...], code: str
) -> None:
    with running.client() as client:
        client.send(address, *values)
        failed = wait_for(client, Fail)
        assert (failed.request, failed.code) == (f"/eutectic{address}", code)


def test_voice_0_is_the_one_in_focus_and_a_key_is_let_go_where_it_was_struck(
    client: Client,
) -> None:
    for voice in (2, 3):
        tone_on(client, voice)
        client.set_voice(voice, "loop", 1)
    client.focus(2)
    assert wait_for(client, Focus, lambda row: row.voice == 2)
    client.note(0, 60, 100)
    until(lambda: status(client)["notes"] == "1 sounding")
    client.focus(3)
    client.note(0, 64, 100)
    until(lambda: status(client)["notes"] == "2 sounding")
    client.note(0, 60, 0)
    until(lambda: status(client)["notes"] == "1 sounding")
    client.note(3, 64, 0)
    until(lambda: status(client)["notes"] == "none sounding")
    for voice in (2, 3):  # as with a pedal that holds it
        client.focus(voice)
        client.note(0, 60, 100)
    client.note(0, 60, 0)
    until(lambda: status(client)["notes"] == "none sounding")
    client.send("/voice/set", 0, "rate", 2)
    wait_for(client, VoiceNotes, lambda row: row.voice == 3 and row.rate == 2)
    client.send("/voice/set", 3, "rate", 1)
    for voice in (2, 3):
        client.set_voice(voice, "loop", 0)
    client.focus(1)


def test_in_a_session_that_is_loaded_notes_play_what_was_fused_in_it(client: Client) -> None:
    tone_on(client, 2)
    client.focus(2)
    client.set_voice(2, "root", 48)
    client.request("/session/save", "night")
    client.request("/session/new", "day")
    wait_for(client, Focus, lambda row: row.voice == 1)
    client.note(2, 60, 100)
    assert wait_for(client, Fail).code == "nothing_to_play"
    client.request("/session/load", "night")
    wait_for(client, Focus, lambda row: row.voice == 2)
    wait_for(client, VoiceNotes, lambda row: row.voice == 2 and row.root == 48)
    client.note(0, 60, 100)
    until(lambda: status(client)["notes"] == "1 sounding")
