"""`/live`: the input as a rolling original, with a real engine and a microphone in memory."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
from numpy.typing import NDArray

from daemons import until, wait_for
from eutectic.audio import save_wav
from eutectic.client.replies import RequestFailed
from eutectic.client.sync import Client
from eutectic.experiments.live.clicks import longest_silence
from eutectic.osc.answers import Fail, Live, Started, VoiceState
from eutectic.system.shared_memory import SHARED
from fed import RATE_HZ, Fed, fed, silence

pytestmark = pytest.mark.process

HOP_SECONDS = 0.01
"""Much more than what an attack takes, much less than a piece."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Generator[Fed]:
    with fed(tmp_path_factory.mktemp("fed")) as session:
        yield session


@pytest.fixture
def client(session: Fed) -> Generator[Client]:
    """A client that is told everything; nothing is live afterwards, and the input is a noise."""
    session.microphone.sound = noise
    with session.client() as client:
        client.send("/notify", 1)
        yield client
        client.send("/panic")
        client.request("/sync")
    session.microphone.state = "listening"


_NOISE = np.convolve(np.random.default_rng(0).standard_normal(1 << 20), np.ones(64) / 64, "same")


def noise(frames: NDArray[np.int64]) -> NDArray[np.float32]:
    """Low enough for the toy's codec to keep it."""
    return _NOISE[frames % len(_NOISE)].astype(np.float32)


def begin(client: Client, *values: float | str, voice: int = 1) -> Live:
    """Go live with the input as it is; returns what it says once it is heard."""
    client.send("/live", voice, "r", "@length", 0.6, "@every", 0.3, "@blend", 1.0, "@recall", 1.0,
                *values)  # fmt: skip
    return wait_for(client, Live, lambda live: live.voice == voice and live.state == "playing")


def lag_ms(session: Fed, start: int, stop: int) -> float:
    """How late the output's frames are to the input that they are most alike to."""
    played = session.played(start, stop)
    now = time.monotonic()
    heard = session.microphone.heard
    offset = heard.frame_at(now) - session.player.heard.frame_at(now)
    first = start + offset - 2 * RATE_HZ
    before = heard.read(first, stop + offset)[0]
    match = np.abs(scipy.signal.correlate(before, played, "valid"))
    return 1000 * (start + offset - first - int(match.argmax())) / RATE_HZ


def test_what_is_heard_sounds_as_late_as_is_reported_and_without_a_hole(
    session: Fed, client: Client
) -> None:
    live = begin(client)
    now = session.player.heard.frames
    assert session.played(now - RATE_HZ // 100, now).any()
    start = session.wait(1.5)
    stop = start + round(1.4 * RATE_HZ)
    limiter = 1000 * session.player.latency_frames / RATE_HZ
    output = 1000 * session.session._outputs.latency_seconds()
    in_memory = live.lag_ms - output + limiter
    assert lag_ms(session, start, stop) == pytest.approx(in_memory, abs=3)
    assert longest_silence(session.played(start, stop)) < HOP_SECONDS * RATE_HZ
    playing = wait_for(client, VoiceState, lambda voice: voice.state == "playing")
    assert (playing.voice, playing.original, playing.reference) == (1, "", "r")


def test_in_beats_the_lag_is_a_whole_number_and_it_starts_and_stops_on_them(
    session: Fed, client: Client
) -> None:
    client.send("/tempo", 240)
    until(lambda: session.player.timeline.bpm == 240)
    timeline, output = session.player.timeline, session.session._outputs.latency_seconds()
    first = timeline.beat_of(session.player.frames) // 1 + 16
    client.send("/live", 1, "r", "@unit", "beats", "@length", 2, "@every", 1, "@blend", 1.0,
                "@at_beat", first)  # fmt: skip
    live = wait_for(client, Live, lambda live: live.state == "playing")
    assert live.lag_ms % 250 == pytest.approx(0, abs=0.2)
    start, limiter = round(timeline.frame_of(first)), session.player.latency_frames
    heard = session.played(start - RATE_HZ // 2, start + RATE_HZ)
    assert np.flatnonzero(np.abs(heard) > 1e-6)[0] - RATE_HZ // 2 in range(limiter + 480)
    measured = lag_ms(session, start, start + RATE_HZ - 4800)
    assert measured + 1000 * output - 1000 * limiter / RATE_HZ == pytest.approx(live.lag_ms, abs=3)
    last = timeline.beat_of(session.player.frames) // 1 + 2
    client.send("/live/stop", 1, "@at_beat", last)
    wait_for(client, Live, lambda live: live.state == "off")
    stop = round(timeline.frame_of(last)) + limiter
    heard = session.played(stop - 480, stop + RATE_HZ // 4)
    assert np.abs(heard[:480]).max() > 0.001
    assert not heard[RATE_HZ // 20 :].any()


def test_one_that_has_not_begun_is_stopped_on_an_earlier_beat_and_what_plays_goes_on(
    session: Fed, client: Client
) -> None:
    client.request("/fuse", 1, "a", "r", "@loop", 1)
    client.send("/tempo", 240)
    until(lambda: session.player.timeline.bpm == 240)
    timeline = session.player.timeline
    now = timeline.beat_of(session.player.frames) // 1
    client.send("/live", 1, "r", "@length", 0.6, "@every", 0.3, "@at_beat", now + 8)
    wait_for(client, Live, lambda live: live.state == "starting")
    client.send("/live/stop", 1, "@at_beat", now + 6)
    wait_for(client, Live, lambda live: live.state == "off")
    start, stop = (round(timeline.frame_of(now + beat)) for beat in (5, 10))
    assert longest_silence(session.played(start, stop)) < HOP_SECONDS * RATE_HZ
    assert "playing" not in [each.state for each in client.events() if isinstance(each, Live)]
    assert client.request("/voice/list").of(VoiceState)[0].original == "a"


def test_one_whose_input_is_still_opening_is_stopped(session: Fed, client: Client) -> None:
    session.microphone.state = "off"
    client.send("/live", 1, "r")
    wait_for(client, VoiceState, lambda voice: (voice.voice, voice.state) == (1, "waiting"))
    client.send("/panic")
    fail = wait_for(client, Fail)
    assert (fail.request, fail.code) == ("/eutectic/live", "cancelled")
    session.microphone.state = "listening"
    client.request("/sync")
    assert client.request("/voice/list").of(VoiceState)[0].state == "silent"


def test_a_recording_whose_input_is_still_opening_is_stopped(session: Fed, client: Client) -> None:
    session.microphone.state = "off"
    number = client.begin("/clip/record", "opening")
    client.stop_clip("opening")
    with pytest.raises(RequestFailed, match="stopped before it began"):
        client.end("/clip/record", number)


def test_the_status_says_what_is_live(session: Fed, client: Client) -> None:
    live = begin(client, voice=2)
    lines = client.status()
    assert lines["voice 2"] == f"live with r, playing, {live.lag_ms:.0f} ms late"
    assert (lines.voices[1].state, lines.voices[1].reference) == ("live", "r")


def likeness_to_input(session: Fed) -> float:
    """Of what is played from now on."""
    start = session.wait(0.3)
    played = session.played(start, start + RATE_HZ // 4)
    heard = session.microphone.heard
    before = heard.read(heard.frames - 3 * RATE_HZ, heard.frames)[0]
    match = np.abs(scipy.signal.correlate(before, played, "valid")).max()
    return float(match / np.sqrt((played**2).sum() * (noise(np.arange(len(played))) ** 2).sum()))


def test_pieces_are_alike_where_they_meet_and_follow_the_knob(session: Fed, client: Client) -> None:
    live = begin(client)
    assert likeness_to_input(session) > 0.8
    client.send("/scrub", 1, 0.5)
    session.wait(1.5)
    (run,) = session.session._live._runs.values()
    assert run.last is not None
    assert run.last.likeness > 0.95  # measured 0.999: the reference goes on as the input does
    client.send("/scrub", 1, 0.0)
    session.wait(live.lag_ms / 1000 + 0.5)
    assert likeness_to_input(session) < 0.4


def test_an_engine_that_is_too_slow_is_given_longer_steps(session: Fed, client: Client) -> None:
    begin(client)
    took = session.session._live._making._took
    for known in took.values():
        known.extend([0.5] * known.maxlen)
    client.send("/live/stop")
    wait_for(client, Live, lambda live: live.state == "off")
    live = begin(client)
    took.clear()
    assert "every 0.9 s" in live.text
    assert live.lag_ms > 1500
    assert likeness_to_input(session) > 0.8


def test_nothing_of_it_is_kept(session: Fed, client: Client) -> None:
    def kept() -> set[Path]:
        return {path for path in session.data.rglob("*") if path.suffix == ".safetensors"}

    shared = len(list(SHARED.glob(f"eutectic-{os.getpid()}-*")))
    before, clips = kept(), {each.clip for each in client.clips()}
    begin(client)
    session.wait(1.0)
    client.send("/live/stop", 1)
    wait_for(client, Live, lambda live: live.state == "off")
    assert kept() == before
    assert {each.clip for each in client.clips()} == clips
    until(lambda: len(list(SHARED.glob(f"eutectic-{os.getpid()}-*"))) == shared)


def test_silence_closes_the_gate_and_sound_opens_it(session: Fed, client: Client) -> None:
    begin(client)
    session.microphone.sound = silence
    wait_for(client, Live, lambda live: live.state == "gated")
    start = session.wait(0.2) + RATE_HZ // 5  # it fades out
    assert not session.played(start, start + RATE_HZ // 2).any()
    session.microphone.sound = noise
    wait_for(client, Live, lambda live: live.state == "playing")
    start = session.wait(0.2)
    assert np.abs(session.played(start, start + RATE_HZ // 2)).max() > 0.01


@pytest.mark.parametrize("how", [("/live/stop",), ("/stop", 1), ("/panic",)])
def test_it_is_stopped(session: Fed, client: Client, how: tuple[str, int]) -> None:
    begin(client)
    client.send(*how)
    wait_for(client, Live, lambda live: live.state == "off")
    start = session.wait(0.3) + RATE_HZ // 5
    assert not session.played(start, start + RATE_HZ // 4).any()


def test_a_fusion_on_its_voice_ends_it(session: Fed, client: Client) -> None:
    begin(client)
    start = session.wait(0.1)
    number = client.begin("/fuse", 1, "a", "r", "@loop", 1)
    wait_for(client, Started, lambda started: started.id == number)
    wait_for(client, Live, lambda live: live.state == "off")
    stop = session.wait(0.5) + RATE_HZ // 2
    assert longest_silence(session.played(start, stop)) < HOP_SECONDS * RATE_HZ


def test_another_reference_is_what_clients_see(session: Fed, client: Client) -> None:
    client.remember("m", "a", "a tone")
    begin(client)
    client.send("/live", 1, "m", "@length", 0.6, "@every", 0.3)
    wait_for(client, Live, lambda live: live.reference == "m")
    wait_for(client, VoiceState, lambda voice: voice.reference == "m")


def test_what_was_played_before_it_is_gone_back_to(
    session: Fed, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plays(seed: int) -> bool:
        voice = client.request("/voice/list").of(VoiceState)[0]
        return (voice.state, voice.original, voice.seed) == ("playing", "a", seed)

    client.request("/fuse", 1, "a", "r", "@loop", 1, "@seed", 25)
    until(lambda: plays(25))
    begin(client)
    client.request("/fuse", 1, "a", "r", "@loop", 1, "@seed", 75)
    until(lambda: plays(75))
    with monkeypatch.context() as patch:  # an undo that is refused changes nothing
        patch.setattr("eutectic.session.jobs.MAX_JOBS", 0)
        session.session._shelf.memory.clear()
        for path in (session.data / "fusions").iterdir():
            path.unlink()
        client.send("/undo", 1)
        assert wait_for(client, Fail).code == "busy"
        assert plays(75)
    client.send("/undo", 1)
    until(lambda: plays(25))
    client.send("/redo", 1)
    until(lambda: plays(75))


def test_asked_for_again_it_is_what_was_asked_for_last(session: Fed, client: Client) -> None:
    begin(client)
    pid = session.engine_pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    number = client.begin("/fuse", 1, "a", "r", "@seed", 77)
    client.send("/live", 1, "r", "@length", 0.6, "@every", 0.3)
    client.request("/sync")
    os.kill(pid, signal.SIGCONT)
    with pytest.raises(RequestFailed, match="superseded by /live"):
        client.end("/fuse", number)


def test_one_that_is_not_ready_on_its_multiple_waits_for_the_next(
    session: Fed, client: Client
) -> None:
    client.send("/tempo", 400)
    until(lambda: session.player.timeline.bpm == 400)
    client.send("/live", 1, "r", "@length", 0.6, "@every", 0.3, "@blend", 1.0, "@quantise", 2)
    wait_for(client, Live, lambda live: live.state == "playing")
    told = session.player.frames
    until(lambda: session.player.frames > told + RATE_HZ // 10)
    now, timeline = session.player.frames, session.player.timeline
    heard = np.flatnonzero(np.abs(session.played(now - RATE_HZ, now)) > 1e-6)
    first = now - RATE_HZ + int(heard[np.diff(heard, prepend=-RATE_HZ) > RATE_HZ // 20][-1])
    off = timeline.beat_of(first - session.player.latency_frames) % 2
    assert min(off, 2 - off) < 0.1


def test_a_slower_tempo_leaves_no_hole(session: Fed, client: Client) -> None:
    client.send("/tempo", 240)
    until(lambda: session.player.timeline.bpm == 240)
    client.send("/live", 1, "r", "@unit", "beats", "@length", 2, "@every", 1, "@blend", 1.0)
    wait_for(client, Live, lambda live: live.state == "playing")
    start = session.wait(0.1)
    client.send("/tempo", 60)
    stop = session.wait(2.5) + 5 * RATE_HZ // 2
    assert longest_silence(session.played(start, stop)) < HOP_SECONDS * RATE_HZ


def test_another_length_takes_over_without_a_hole(session: Fed, client: Client) -> None:
    live = begin(client)
    start = session.wait(0.1)
    client.send("/live", 1, "r", "@length", 1.0, "@every", 0.5, "@blend", 1.0)
    wait_for(client, Live, lambda other: other.state == "playing" and other.lag_ms != live.lag_ms)
    stop = session.wait(1.0) + RATE_HZ
    assert longest_silence(session.played(start, stop)) < HOP_SECONDS * RATE_HZ


def test_an_engine_that_is_slow_or_dies_leaves_no_hole(session: Fed, client: Client) -> None:
    live = begin(client)
    start = session.wait(0.1)
    pid = session.engine_pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    slow = wait_for(client, Live, lambda other: other.dropped > live.dropped)
    assert slow.text
    os.kill(pid, signal.SIGKILL)
    until(lambda: session.engine_pid not in (None, pid))
    again = wait_for(client, Live, lambda other: other.state == "playing" and not other.text)
    assert again.lag_ms == pytest.approx(live.lag_ms, abs=1)
    stop = session.wait(0.5)
    assert longest_silence(session.played(max(start, stop - 50 * RATE_HZ), stop)) < 480


def test_an_input_that_is_lost_closes_the_gate_until_it_is_back(
    session: Fed, client: Client
) -> None:
    begin(client)
    session.microphone.state = "lost"
    lost = wait_for(client, Live, lambda live: live.state == "gated")
    assert lost.text
    session.microphone.state = "listening"
    wait_for(client, Live, lambda live: live.state == "playing" and not live.text)


def test_what_cannot_be_fused_is_refused(session: Fed, client: Client) -> None:
    for code, values in {
        "unknown_reference": (1, "nothing"),
        "unknown_voice": (9, "r"),
        "bad_setting": (1, "r", "@length", 60, "@every", 30),
    }.items():
        with session.client() as another:  # each is told of one a second
            another.send("/live", *values)
            assert wait_for(another, Fail).code == code
    session.microphone.state = "lost"
    client.send("/live", 1, "r")
    assert wait_for(client, Fail).code == "no_input"


def test_a_voice_that_plays_on_from_another_session_goes_live(session: Fed, client: Client) -> None:
    client.request("/fuse", 1, "a", "r", "@loop", 1)
    client.request("/session/new", "another", "@keep", 1)
    client.load_clip("b", "b.wav")
    client.remember("r", "b", "noise")
    begin(client)
    session.wait(0.5)
    assert client.status().voices[0].state == "live"


def test_a_favourite_that_is_being_written_takes_no_other_s_place_in_the_next_session(
    session: Fed, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(*what: object) -> None:
        time.sleep(0.5)
        save_wav(*what)  # type: ignore[arg-type]

    for seed, name in enumerate(("theirs", "mine")):
        client.new_session(name)
        client.load_clip("b", "b.wav")
        client.remember("m", "b", "noise")
        client.request("/fuse", 1, "b", "m", "@loop", 1, "@seed", seed)
        if name == "theirs":
            client.keep_favourite("rain", 1)
    monkeypatch.setattr("eutectic.session.favourites.save_wav", slowly)
    number = client.begin("/favourite/keep", "rain", 1)
    session.wait(0.2)
    client.load_session("theirs")
    client.end("/favourite/keep", number)
    assert {each.name for each in client.favourites()} == {"rain", "rain-2"}
