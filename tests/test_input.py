"""Clips of what is heard: a real daemon, whose input is a sound file played by a second process."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from daemons import daemon, fails, prepare, restored, until, wait_for
from eutectic.client.daemon_process import Daemon
from eutectic.client.replies import RequestFailed
from eutectic.client.sync import Client
from eutectic.osc.answers import Done, Input, InputLevel
from eutectic.playback.take import LEAD_SECONDS
from eutectic.system.shared_memory import PREFIX, SHARED

pytestmark = pytest.mark.process

RATE = 48_000
BURST = slice(RATE // 2, 3 * RATE // 4)
"""Of the input's second, what isn't silent."""


@pytest.fixture(scope="module")
def sound() -> NDArray[np.float32]:
    """What is heard over and over (frame, channel): no two stretches of the burst are the same."""
    noise = 0.2 * np.random.default_rng(3).standard_normal((RATE, 2))
    noise[: BURST.start] = noise[BURST.stop :] = 0
    return noise.clip(-0.8, 0.8).astype(np.float32)


@pytest.fixture(scope="module")
def module_daemon(
    tmp_path_factory: pytest.TempPathFactory, sound: NDArray[np.float32]
) -> Generator[Daemon]:
    folder = tmp_path_factory.mktemp("input")
    renders = folder / "renders"
    renders.mkdir()
    soundfile.write(folder / "heard.wav", sound, RATE, "FLOAT")
    options = ("--input", f"file:{folder / 'heard.wav'}", "--renders", str(renders))
    with daemon(folder, *options) as process:
        with process.client() as client:
            prepare(client)
        yield process


@pytest.fixture
def running(module_daemon: Daemon) -> Generator[Daemon]:
    with restored(module_daemon) as process:
        yield process
    for path in renders(module_daemon).iterdir():
        path.unlink()


@pytest.fixture
def client(running: Daemon) -> Generator[Client]:
    with running.client() as each:
        yield each


def renders(process: Daemon) -> Path:
    return process.data.parent / "renders"


def clip(process: Daemon, client: Client, name: str) -> NDArray[np.float32]:
    """A clip's file (frame, channel)."""
    (path,) = [each.path for each in client.clips() if each.clip == name]
    samples, rate_hz = soundfile.read(renders(process) / path, dtype="float32")
    assert rate_hz == RATE
    return samples


def is_silent(client: Client) -> bool:
    """Whether nothing is heard just now."""
    try:
        client.grab_clip("moment", 0.06)
    except RequestFailed:
        return True
    return False


def heard_seconds(client: Client) -> float:
    """How much there is of the past, up to 3 s."""
    client.grab_clip("past", 3.0)
    return next(each.seconds for each in client.clips() if each.clip == "past")


def place(samples: NDArray[np.float32], sound: NDArray[np.float32]) -> int:
    """Where in the input a clip begins, all of which is the input's but for its faded ends."""
    inner = samples[100:-100]
    first = int(np.flatnonzero(inner[:, 0])[0])
    after = (first + 1) % len(inner)
    (at,) = np.flatnonzero((sound[:, 0] == inner[first, 0]) & (sound[:, 1] == inner[first, 1]))
    start = (int(at) - first) % len(sound)
    assert after
    np.testing.assert_array_equal(
        inner, sound.take(range(start, start + len(inner)), axis=0, mode="wrap")
    )
    return (start - 100) % len(sound)


def test_what_is_grabbed_is_the_past_of_the_moment_that_was_asked_for(
    running: Daemon, client: Client, sound: NDArray[np.float32]
) -> None:
    until(lambda: heard_seconds(client) > 2.6)
    at = time.time() + 0.2
    client.send_bundle(at, "/clip/grab", 101, "now", 2.0)
    client.send_bundle(at, "/clip/grab", 102, "before", 2.0, "@ago", 0.5)
    for number in (101, 102):
        wait_for(client, Done, lambda answer, number=number: answer.id == number)
    now, before = clip(running, client, "now"), clip(running, client, "before")
    assert len(now) == len(before) == 2 * RATE
    between = (place(now, sound) - place(before, sound)) % len(sound)
    assert between == pytest.approx(RATE // 2, abs=2)  # the clock is followed meanwhile


def test_what_was_played_a_moment_ago_can_be_fused_at_once(client: Client) -> None:
    number = client.begin("/clip/grab", "now", 2.0)
    client.request("/fuse", 1, "now", "r")
    client.end("/clip/grab", number)


def test_a_recording_is_as_long_as_between_its_two_moments(
    running: Daemon, client: Client, sound: NDArray[np.float32]
) -> None:
    at = time.time() + 0.1
    client.send_bundle(at, "/clip/record", 201, "open")
    client.send_bundle(at + 1.1, "/clip/record/stop", 202, "open")
    wait_for(client, Done, lambda answer: answer.id == 201)
    samples = clip(running, client, "open")
    assert len(samples) == pytest.approx(1.1 * RATE, abs=48)
    place(samples, sound)


def test_a_recording_of_the_output_begins_and_ends_on_the_beat(
    running: Daemon, client: Client
) -> None:
    client.send("/tempo", 240.0)
    client.request("/fuse", 1, "a", "r", "@loop", 1)
    number = client.begin("/clip/record", "bar", "@from", "output", "@quantise", 1)
    until(lambda: "recording bar" in client.status()["input"])
    time.sleep(0.4)
    client.request("/clip/record/stop", "bar", "@quantise", 1)
    client.end("/clip/record", number)
    frames = len(clip(running, client, "bar"))
    assert frames >= RATE // 4
    assert frames % (RATE // 4) == 0


def test_a_recording_begins_by_itself_and_the_attack_is_whole(
    running: Daemon, client: Client, sound: NDArray[np.float32]
) -> None:
    until(lambda: not is_silent(client))
    until(lambda: is_silent(client))  # from now on for three quarters of a second
    client.record_clip("hit", 0.2, threshold=-20.0)
    first = int(np.flatnonzero(np.abs(sound).max(axis=1) >= 0.1)[0])
    samples = clip(running, client, "hit")
    assert len(samples) == round(0.2 * RATE)
    assert place(samples, sound) == first - round(LEAD_SECONDS * RATE)


def test_two_are_recorded_at_once_but_not_twice_the_same(running: Daemon, client: Client) -> None:
    numbers = {name: client.begin("/clip/record", name) for name in ("one", "two")}
    until(lambda: "recording one two" in client.status()["input"])
    assert fails(client, "/clip/record", "one") == "recording"
    assert fails(client, "/clip/grab", "two", 1.0) == "recording"
    client.send("/panic")  # silences, and loses no recording
    time.sleep(1.1)
    client.stop_clip("one")
    client.stop_clip()
    assert fails(client, "/clip/record/stop") == "not_recording"
    for number in numbers.values():
        client.end("/clip/record", number)
    assert all(len(clip(running, client, name)) > RATE for name in numbers)


def test_what_is_stopped_before_it_begins_fails_in_one_line_and_leaves_no_file(
    running: Daemon, client: Client
) -> None:
    number = client.begin("/clip/record", "loud", "@threshold", -1.0)
    until(lambda: "recording loud" in client.status()["input"])
    assert fails(client, "/clip/record/stop", "lout") == "not_recording"
    client.stop_clip("loud")
    with pytest.raises(RequestFailed, match="nothing reached -1 dB") as failed:
        client.end("/clip/record", number)
    assert failed.value.code == "bad_audio"
    number = client.begin("/clip/record", "later", "@at_beat", 1e6)
    until(lambda: "recording later" in client.status()["input"])
    client.stop_clip("later")
    with pytest.raises(RequestFailed, match="stopped before it began"):
        client.end("/clip/record", number)
    assert not list(renders(running).iterdir())


def test_a_cancelled_recording_leaves_no_file(running: Daemon, client: Client) -> None:
    number = client.begin("/clip/record", "gone")
    until(lambda: len(list(renders(running).iterdir())) == 1)
    client.request("/cancel", number)
    with pytest.raises(RequestFailed):
        client.end("/clip/record", number)
    assert not list(renders(running).iterdir())
    assert "gone" not in [each.clip for each in client.clips()]


def test_another_session_keeps_the_file_of_what_is_being_recorded(
    running: Daemon, client: Client, sound: NDArray[np.float32]
) -> None:
    number = client.begin("/clip/record", "left")
    until(lambda: len(list(renders(running).iterdir())) == 1)
    until(lambda: "recording left" in client.status()["input"])
    time.sleep(len(sound) / RATE)  # not all of which is silent
    client.new_session("another")
    with pytest.raises(RequestFailed, match="session another is in use now"):
        client.end("/clip/record", number)
    assert "left" not in [each.clip for each in client.clips()]
    (path,) = renders(running).iterdir()
    assert soundfile.info(path).frames >= len(sound)
    (before,) = [each.name for each in client.sessions() if each.name.startswith("unnamed")]
    client.load_session(before)


def test_files_of_one_name_and_second_stay_beside_each_other(
    running: Daemon, client: Client
) -> None:
    for _ in range(3):
        client.grab_clip("same", 2.0)
    assert len(list(renders(running).glob("recorded-same-*.wav"))) == 3


def test_clients_see_the_input_and_its_level(running: Daemon, client: Client) -> None:
    client.send("/notify", 1, "@meter", 1)
    state = wait_for(client, Input)
    assert (state.state, state.channels, state.text) == ("listening", 2, "")
    wait_for(client, InputLevel, lambda answer: answer.level > -20)
    wait_for(client, InputLevel, lambda answer: answer.level == -120)
    client.set_input("off")
    wait_for(client, Input, lambda answer: answer.state == "off")
    assert fails(client, "/clip/grab", "none", 1.0) == "no_input"
    assert fails(client, "/clip/record", "none") == "no_input"
    assert fails(client, "/input/set", "file:nothing.wav") == "no_file"
    shared = set(SHARED.glob(f"{PREFIX}{running.pid}-*"))
    soundfile.write(running.data.parent / "clips" / "empty.wav", np.zeros((0, 2)), RATE)
    assert fails(client, "/input/set", "file:empty.wav") == "bad_device"
    assert set(SHARED.glob(f"{PREFIX}{running.pid}-*")) <= shared
    client.set_input(f"file:{running.data.parent / 'clips' / 'a.wav'}")
    wait_for(client, Input, lambda answer: answer.state == "listening")
    client.set_input(f"file:{running.data.parent / 'clips' / '..' / 'clips' / 'b.wav'}")


def test_an_input_that_dies_is_opened_again_and_its_past_can_still_be_had(
    running: Daemon, client: Client
) -> None:
    (process,) = running.children("listen")
    process.kill()
    until(lambda: running.children("listen") not in ([], [process]))
    until(lambda: "listening" in client.status()["input"])
    client.grab_clip("before", 3.0)


def test_the_input_that_was_asked_for_last_stays(running: Daemon, client: Client) -> None:
    other = f"file:{running.data.parent / 'clips' / 'a.wav'}"
    opened = client.begin("/input/set", other)
    client.set_input("off")
    client.end("/input/set", opened)
    assert client.status()["input"] == "off"
    client.set_input(other)


def test_the_daemons_end_keeps_what_is_being_recorded(module_daemon: Daemon) -> None:
    """The last of this module: it ends the daemon."""
    with module_daemon.client() as client:
        client.begin("/clip/record", "last", "@from", "output")
        client.request("/fuse", 1, "a", "r", "@loop", 1)
        time.sleep(0.6)
    module_daemon.stop()
    (path,) = renders(module_daemon).glob("recorded-last-*.wav")
    samples, _ = soundfile.read(path)
    assert len(samples) > RATE // 2
    assert np.abs(samples).max() > 0.05
