"""Another session in mid-show: a real daemon goes on with it, and what plays fades or plays on."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from daemons import daemon, fails, next_end, prepare, until, wait_for
from eutectic.client.daemon_process import Daemon, NotServing, until_ready
from eutectic.client.replies import RequestFailed
from eutectic.client.sync import Client
from eutectic.osc import answers, codes
from eutectic.osc.answers import Ended, Fail, Queued, Session, Started, VoiceState
from eutectic.session.kept import read

pytestmark = pytest.mark.process

PIECE_SECONDS = 0.05
RECORDED_SECONDS, BYTES_PER_SECOND = 1.2, 44_100 * 8


@pytest.fixture
def show(tmp_path: Path) -> Generator[Daemon]:
    """A daemon with two sessions: one (a, b, r) in use, and two (c alone), voice 1 at -20 dB."""
    with daemon(tmp_path, "--session", "one") as process, process.client() as client:
        until_ready(client)
        prepare(client)
        client.new_session("two")
        client.load_clip("c", "c.wav")
        client.remember("n", "c", "a tone")
        client.set_voice(1, "gain", -20.0)
        client.request("/fuse", 2, "c", "n")
        client.load_session("one")
        client.request("/fuse", 1, "a", "r", "@loop", 1, "@blend", 1.0)
        until(lambda: voice(client, 1).state == "playing")
        yield process
    assert "Traceback" not in process.log


def voice(client: Client, number: int) -> VoiceState:
    return client.request("/voice/list").of(VoiceState)[number - 1]


def there(client: Client) -> tuple[set[str], set[str]]:
    """The names of clips, and of references."""
    return {each.clip for each in client.clips()}, {each.reference for each in client.references()}


def used(client: Client) -> str:
    (name,) = (each.name for each in client.sessions() if each.in_use)
    return name


def levels_db(path: Path) -> np.ndarray:
    """Of every PIECE_SECONDS of a recording."""
    samples, rate_hz = soundfile.read(path)
    frames = round(PIECE_SECONDS * rate_hz)
    pieces = samples[: len(samples) // frames * frames].reshape(-1, frames, 2)
    return 20 * np.log10(np.sqrt((pieces**2).mean(axis=(1, 2))) + 1e-9)


def recorded(client: Client, keep: int) -> np.ndarray:
    """Levels from half a second before a change to session two until half a second behind it."""
    path = Path(client.start_recording("take.wav").path)
    begin = voice(client, 1).position
    until(lambda: abs(voice(client, 1).position - begin) > 0.4)
    client.load_session("two", keep=keep)
    until(lambda: path.stat().st_size > RECORDED_SECONDS * BYTES_PER_SECOND)
    client.stop_recording()
    return levels_db(path)


def test_another_session_takes_its_place_and_what_plays_fades_out(show: Daemon) -> None:
    with show.client() as client:
        levels = recorded(client, keep=0)
        assert there(client) == ({"c"}, {"n"}) and used(client) == "two"
        assert voice(client, 1).gain == -20 and voice(client, 1).state == "silent"
        assert (voice(client, 2).original, voice(client, 2).reference) == ("c", "n")
    assert levels[2] > -30 and levels[-1] < -100
    assert (np.abs(np.diff(levels)) > 60).sum() <= 2  # it ends once, and isn't cut up


def test_with_keep_what_plays_plays_on_as_loud_as_before(show: Daemon) -> None:
    with show.client() as client:
        levels = recorded(client, keep=1)
        assert there(client) == ({"c"}, {"n"})
        now = voice(client, 1)
        assert (now.state, now.original, now.gain) == ("playing", "a", 0.0)
    assert np.ptp(levels[2:-2]) < 3


def test_a_voice_that_played_on_is_then_set_as_its_session_says(show: Daemon) -> None:
    with show.client() as client:
        client.set_voice(1, "gain", -6.0)
        client.load_session("two", keep=1)
        client.load_session("one", keep=1)
        client.load_session("two", keep=1)
        assert voice(client, 1).gain == -6
        client.stop(1)
        until(lambda: voice(client, 1).gain == -20)
        assert voice(client, 1).original == ""
        client.load_session("one")
        assert voice(client, 1).original == "a"


def test_what_is_set_on_a_voice_that_plays_on_is_kept_in_its_session(show: Daemon) -> None:
    with show.client() as client:
        client.load_session("two", keep=1)
        client.set_voice(1, "mute", 1)
        client.set_voice(1, "xfade", 70.0)
        client.stop(1)
        until(lambda: voice(client, 1).original == "")
        assert (voice(client, 1).mute, voice(client, 1).gain) == (1, -20)
        client.load_session("one", keep=0)
        client.load_session("two", keep=0)
        assert (voice(client, 1).mute, voice(client, 1).gain) == (1, -20)
    assert "crossfade_ms = 70.0" in (show.data / "sessions" / "two.toml").read_text()


def test_a_fusion_that_is_refused_leaves_a_voice_that_plays_on_as_it_is(show: Daemon) -> None:
    with show.client() as client:
        client.load_session("two", keep=1)
        for options in (("nope", "n"), ("c", "n", "@preset", "nope")):
            assert fails(client, "/fuse", 1, *options) in ("unknown_clip", "bad_state")
        now = voice(client, 1)
        assert (now.state, now.original, now.blend) == ("playing", "a", 1.0)


def test_a_timed_fusion_that_sounds_at_a_change_is_said_to_end(show: Daemon) -> None:
    with show.client() as client:
        client.send("/fuse", 910, 1, "a", "r", "@loop", 1, "@at_ms", 100)
        wait_for(client, Started, lambda each: each.id == 910)
        client.load_session("two")
        assert wait_for(client, Ended, lambda each: each.id == 910).voice == 1


def test_voices_that_this_daemon_does_not_have_stay_in_their_session(show: Daemon) -> None:
    wide = show.data / "sessions" / "wide.toml"
    with show.client() as client:
        client.save_session("wide")
        mine = "\n[[voices]]\nnumber = 9\ngain_db = -7.0\n"
        wide.write_text(wide.read_text() + mine)
        client.load_session("wide")
        client.set_voice(1, "gain", -3.0)
        client.load_session("one")
        kept = [(each.number, each.gain_db) for each in read(wide).voices]
        assert kept == [(1, -3.0), (2, 0.0), (3, 0.0), (4, 0.0), (9, -7.0)]
        assert len(read(show.data / "sessions" / "one.toml").voices) == 4


def test_what_is_asked_for_on_a_voice_that_played_on_is_as_its_session_says(show: Daemon) -> None:
    with show.client() as client:
        client.load_session("two")
        client.request("/fuse", 2, "c", "n")
        client.keep_favourite("x", 2)
        recall = voice(client, 2).recall
        for asked in (
            ("/fuse", 900, 1, "c", "n", "@loop", 1),
            ("/pad/xy", 1, "c:n", "c:n", "c:n", "c:n", "@loop", 1),
            ("/favourite/play", 901, "x", 1),
        ):
            client.load_session("one")
            client.set_voice(1, "recall", 0.25)
            client.request("/fuse", 1, "a", "r", "@loop", 1)
            until(lambda: voice(client, 1).state == "playing")
            client.load_session("two", keep=1)
            assert client.pair("c", "n", voice=1).state == "now"
            client.send(*asked)
            until(lambda: voice(client, 1).gain == -20)
            now = voice(client, 1)
            assert (now.original, now.reference, now.recall) == ("c", "n", recall)
        client.load_session("one")
    assert "recall = 0.25" not in (show.data / "sessions" / "two.toml").read_text()


def test_what_plays_on_can_still_be_scrubbed_and_is_kept_nowhere(show: Daemon) -> None:
    with show.client() as client:
        client.load_session("two", keep=1)
        client.scrub(1, 0.25)
        until(lambda: voice(client, 1).blend == 0.25)
        assert voice(client, 1).state == "playing"
    show.stop()
    text = (show.data / "sessions" / "two.toml").read_text()
    assert "gain_db = -20.0" in text and 'original = "a"' not in text


def test_requests_under_way_are_cancelled_and_say_why(show: Daemon) -> None:
    with show.client() as client, show.client() as other:
        client.send("/reference/learn", 900, "long", "b", "noise", "@steps", 100_000)
        wait_for(client, Queued)
        other.load_session("two", keep=1)
        end = next_end(client)
        assert isinstance(end, Fail) and (end.id, end.code) == (900, "cancelled")
        assert end.text == "session two is in use now"
        other.load_session("one")
        assert there(other) == ({"a", "b"}, {"r", "long"})  # remembered, as after /cancel
        assert voice(other, 1).original == "a"


def test_what_is_asked_for_right_behind_a_change_is_of_the_new_session(show: Daemon) -> None:
    with show.client() as client:
        client.send("/session/load", 901, "two")
        client.send("/fuse", 902, 3, "c", "n", "@seed", 5)
        client.send("/fuse", 903, 4, "a", "r", "@seed", 5)
        ends = [next_end(client) for _ in range(3)]
        assert {each.id: getattr(each, "code", "done") for each in ends} == {
            901: "done", 902: "done", 903: "unknown_clip",
        }  # fmt: skip


def test_a_daemon_that_keeps_nothing_can_go_on_with_a_session_before_its_engine_is_up(
    show: Daemon, tmp_path: Path
) -> None:
    with show.client() as client:
        ready = client.request("/fuse", 1, "a", "r", "@seed", 9)
        assert ready.of(Queued)
    show.stop()
    with daemon(tmp_path) as process, process.client() as client:
        assert [(each.name, each.in_use) for each in client.sessions()] == [
            ("", 1), ("one", 0), ("two", 0),
        ]  # fmt: skip
        client.load_session("one")
        client.send("/note", 1, 60, 100)  # read from disk, and let go meanwhile, for later
        client.send("/note", 1, 60, 0, "@quantise", 2)
        until(lambda: client.status()["notes"] == "1 sounding")
        until(lambda: client.status()["notes"] == "none sounding")
        reply = client.request("/fuse", 1, "a", "r", "@seed", 9)
        assert reply.of(Started) or wait_for(client, Started)
        assert not reply.of(Queued)  # from disk, at once
        client.request("/fuse", 2, "a", "r", "@seed", 10)  # waits for the engine, and its clips
        assert used(client) == "one"
    assert not list(process.data.glob("sessions/unnamed*"))


def test_what_was_kept_nowhere_is_saved_before_another_takes_its_place(
    show: Daemon, tmp_path: Path
) -> None:
    show.stop()
    with daemon(tmp_path) as process, process.client() as client:
        until_ready(client)
        client.load_clip("b", "b.wav")
        client.load_session("two")
        (name,) = (each.name for each in client.sessions() if each.name.startswith("unnamed"))
        client.load_session(name)
        assert there(client) == ({"b"}, set())


def test_every_client_hears_of_a_change_and_lists_say_what_sessions_hold(show: Daemon) -> None:
    with show.client() as client, show.client() as other:
        other.notify()
        wait_for(other, answers.Snapshot)
        client.load_session("two")
        now = wait_for(other, Session, lambda each: each.in_use == 1 and each.name == "two")
        assert now == Session(-1, "two", "1 clip, 1 reference, 1 voice", 1)
        wait_for(other, answers.Clip, lambda each: (each.clip, each.state) == ("a", "freed"))
        client.save_session("a third")
        assert wait_for(other, Session, lambda each: each.name == "a third").in_use == 0
        (show.data / "sessions" / "bad.toml").write_text("format = 1\nmodel = 3\n")
        listed = {each.name: (each.what, each.in_use) for each in client.sessions()}
        assert set(listed) == {"one", "two", "a third", "bad"}
        assert listed["one"] == ("2 clips, 1 reference, 1 voice", 0)
        assert listed["two"] == (listed["a third"][0], 1)
        assert "bad.toml:2: model: expected" in listed["bad"][0].lower()


def test_a_refused_change_changes_nothing(show: Daemon, tmp_path: Path) -> None:
    folder = show.data / "sessions"
    (folder / "damaged.toml").write_text("format = 1\nmodel = 3\n")
    (folder / "voices.toml").write_text(
        'format = 1\nmodel = "toy"\n[[voices]]\nnumber = 1\n[voices.request]\nblend = 7\n'
    )
    theirs = daemon(tmp_path, "--session", "theirs")
    with theirs, theirs.client() as them, show.client() as client:
        them.save_session()
        client.request("/fuse", 1, "a", "r", "@loop", 1)
        for request, name, code, text in (
            ("load", "tow", "bad_state", "there are: damaged, one, theirs"),
            ("load", "damaged", "bad_state", "damaged.toml:2"),
            ("load", "voices", "bad_state", "voices.toml:6: blend"),
            ("load", "theirs", "bad_state", "another daemon is using this session"),
            ("load", "one", "bad_state", "in use already"),
            ("load", "\N{MUSICAL SYMBOL G CLEF}" * 64, "bad_state", "can't be read"),
            ("new", "two", "bad_output", "/session/load opens it"),
            ("new", "a/b", "bad_arguments", ""),
        ):
            with pytest.raises(RequestFailed) as refused:
                client.request(f"/session/{request}", name)
            assert refused.value.code == code, name
            assert text in str(refused.value) and "\n" not in str(refused.value)
            assert used(client) == "one" and there(client) == ({"a", "b"}, {"r"})
            assert voice(client, 1).state == "playing"
        with pytest.raises(NotServing, match="another daemon is using this session"):
            daemon(tmp_path, "--session", "one").start()
        with daemon(tmp_path, "--session", "two"):  # what was refused claimed nothing
            assert fails(client, "/session/load", "two") == "bad_state"


def test_the_claim_of_a_file_is_handed_over(show: Daemon, tmp_path: Path) -> None:
    with show.client() as client:
        client.load_session("two")
        with daemon(tmp_path, "--session", "one"):
            assert fails(client, "/session/load", "one") == "bad_state"
            assert fails(client, "/session/save", "one") == "bad_state"
            assert "bad_state" in codes.of("/session/save")
        client.load_session("one")


def test_a_session_that_cannot_be_saved_stays_in_use(show: Daemon) -> None:
    path = show.data / "sessions" / "one.toml"
    with show.client() as client:
        path.rename(path.with_name("away"))
        path.mkdir()
        assert fails(client, "/session/load", "two") == "bad_output"
        assert fails(client, "/session/new", "three") == "bad_output"
        assert used(client) == "one" and there(client) == ({"a", "b"}, {"r"})
        path.rmdir()
        client.new_session("three")
        assert there(client) == (set(), set())
        client.load_session("one")
        assert there(client) == ({"a", "b"}, {"r"})


def test_a_preset_that_was_followed_is_let_go(show: Daemon) -> None:
    preset = show.data / "presets" / "loud.toml"
    preset.parent.mkdir(exist_ok=True)
    preset.write_text("format = 1\nmaster_db = -3.0\n")
    with show.client() as client:
        client.notify()
        client.load_preset("loud")
        client.load_session("two")
        preset.write_text("format = 1\nmaster_db = 20.0\n")
        client.load_session("one")
        client.load_preset("loud")  # by now it would have been reloaded
        preset.write_text("format = 1\nmaster_db = 10.0\n")
        wait_for(client, answers.PresetChanged)
    assert show.log.count("preset loud: reloaded") == 1
