"""Nothing good is lost, with a real daemon: back and forth, favourites, stems, a show again."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from daemons import daemon, fails, prepare, restored, until, wait_for
from eutectic.cli import run
from eutectic.client.daemon_process import Daemon, status, until_ready
from eutectic.client.replies import RequestFailed
from eutectic.client.sync import Client
from eutectic.files.tags import read_comment
from eutectic.osc.answers import Fail, Focus, Idle, VoiceState
from eutectic.session import shows

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def module_daemon(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    folder = tmp_path_factory.mktemp("history")
    with daemon(folder, "--session", "night", "--rate", "44100") as process:
        with process.client() as client:
            until_ready(client)
            prepare(client)
            client.load_clip("c", "c.wav", duration=0.7)
        yield process


@pytest.fixture
def running(module_daemon: Daemon) -> Generator[Daemon]:
    with restored(module_daemon) as process:
        with process.client() as client:
            client.request("/clip/load", "c", "c.wav", "@duration", 0.7)
        yield process


def voice(client: Client, number: int = 1) -> VoiceState:
    return client.request("/voice/list").of(VoiceState)[number - 1]


def plays(client: Client, original: str, blend: float) -> bool:
    state = voice(client)
    return (state.state, state.original, round(state.blend, 3)) == ("playing", original, blend)


def fused(client: Client, *values: int | float | str) -> None:
    client.request("/fuse", *values)
    until(lambda: voice(client, int(values[0])).state == "playing")


def commanded(running: Daemon, address: str, *values: int | float | str) -> str:
    """The code that a message without an id fails with; empty: it is done."""
    with running.client() as client:  # one that has been remarked on lately is not, again
        client.send(address, *values)
        client.request("/sync")
        return next((each.code for each in client.events() if isinstance(each, Fail)), "")


def test_undo_goes_back_at_the_same_place_and_redo_forth(running: Daemon) -> None:
    with running.client() as client:
        fused(client, 1, "a", "r", "@loop", 1, "@blend", 0.25, "@seed", 1)
        fused(client, 1, "a", "r", "@loop", 1, "@blend", 0.75, "@seed", 2)
        before = voice(client)
        client.send("/undo", 1)
        until(lambda: plays(client, "a", 0.25))
        after = voice(client)
        assert (before.seed, after.seed) == (2, 1)
        client.send("/redo", 1)
        until(lambda: plays(client, "a", 0.75) and voice(client).seed == 2)


def test_what_is_asked_for_straight_behind_a_fusion_means_it_and_not_the_next(
    running: Daemon,
) -> None:
    def asked(blend: float) -> int:
        return client.begin("/fuse", 1, "a", "r", "@loop", 1, "@blend", blend, "@seed", 1)

    with running.client() as client:
        client.notify()
        for blend in (0.25, 0.5, 0.75):
            client.end("/fuse", asked(blend))
        until(lambda: plays(client, "a", 0.75))
        asked(0.25)
        client.send("/scrub", 1, 0.4)
        kept = client.begin("/favourite/keep", "straight", 1)
        client.send("/undo", 1)
        client.end("/fuse", asked(0.5))
        client.end("/favourite/keep", kept)
        passes(client, 0.1)
        assert plays(client, "a", 0.5)
        (favourite,) = client.favourites()
        assert favourite.blend == pytest.approx(0.4)
        client.free_favourite("straight")
        client.stop(1, 0)
        until(lambda: voice(client).state == "silent")
        client.events()
        asked(0.25)
        client.stop(1, 0)
        passes(client, 0.1)
        assert not [each for each in client.events() if isinstance(each, Idle)]


def test_it_goes_on_from_its_start_where_the_length_is_another(running: Daemon) -> None:
    with running.client() as client:
        fused(client, 1, "c", "r", "@loop", 1, "@blend", 0.25)
        fused(client, 1, "a", "r", "@loop", 1, "@blend", 0.75)
        client.send("/undo", 1)
        until(lambda: plays(client, "c", 0.25) and voice(client).seconds < 0.75)


def test_a_group_of_knob_turns_is_one_step_and_a_new_one_drops_redo(running: Daemon) -> None:
    with running.client() as client:
        fused(client, 1, "a", "r", "@loop", 1, "@blend", 0.25)
        for blend in (0.3, 0.4, 0.5, 0.6):
            client.send("/scrub", 1, blend)
            client.send("/voice/set", 1, "gain", -20 * blend)
            client.request("/sync")
        client.send("/undo", 1)
        until(lambda: plays(client, "a", 0.25))
        assert voice(client).gain == 0
        client.send("/redo", 1)
        until(lambda: plays(client, "a", 0.6))
        assert voice(client).gain == pytest.approx(-12)
        client.send("/undo", 1)
        client.send("/voice/set", 1, "pan", 0.5)
        client.request("/sync")
        assert commanded(running, "/redo", 1) == "nothing_to_undo"


def test_a_loop_goes_on_when_something_else_is_undone(running: Daemon) -> None:
    with running.client() as client:
        for loop in (("@loop", 1), ("@beats", 1.5)):
            fused(client, 1, "a", "r", *loop)
            client.send("/voice/set", 1, "gain", -6.0)
            client.request("/sync")
            client.send("/undo", 1)
            until(lambda: voice(client).gain == 0)
            client.request("/sync")
            assert (voice(client).state, voice(client).loop) == ("playing", 1)
            client.send("/panic")


def test_a_turned_recall_is_undone_with_what_it_did(running: Daemon) -> None:
    with running.client() as client:
        fused(client, 1, "a", "r", "@loop", 1, "@blend", 0.5, "@recall", 1)
        client.send("/voice/set", 1, "recall", 0.25)
        until(lambda: voice(client).recall == 0.25)
        wait_until_rested(client)
        client.send("/undo", 1)
        until(lambda: voice(client).recall == 1)
        client.send("/redo", 1)
        until(lambda: voice(client).recall == 0.25)


def wait_until_rested(client: Client) -> None:
    """What a knob has turned is made by then."""
    client.request("/fan", "a", "r", 2, "@recall", 0.25)


def test_of_a_silent_voice_only_its_settings_go_back(running: Daemon) -> None:
    with running.client() as client:
        fused(client, 2, "a", "r", "@loop", 1, "@blend", 0.25)
        fused(client, 2, "c", "r", "@loop", 1, "@blend", 0.5)
        client.send("/stop", 2, 0)
        until(lambda: voice(client, 2).state == "silent")
        client.send("/undo", 2)
        client.request("/sync")
        state = voice(client, 2)
        assert (state.state, state.original, state.blend) == ("silent", "a", 0.25)


def test_a_step_whose_clip_was_freed_is_skipped_with_a_line(running: Daemon) -> None:
    with running.client() as client:
        fused(client, 1, "a", "r", "@loop", 1, "@blend", 0.25)
        fused(client, 1, "c", "r", "@loop", 1, "@blend", 0.5)
        fused(client, 1, "a", "r", "@loop", 1, "@blend", 0.75)
        client.free_clip("c")
        client.send("/undo", 1)
        text = wait_for(client, Fail).text
        assert text == "clip c was freed: that step of voice 1 is skipped"
        until(lambda: plays(client, "a", 0.25))


def test_a_voice_without_steps_says_so(running: Daemon) -> None:
    assert commanded(running, "/undo", 4) == "nothing_to_undo"
    assert commanded(running, "/redo", 4) == "nothing_to_undo"
    assert commanded(running, "/undo", 9) == "unknown_voice"


def test_another_session_has_no_steps_of_this_one(running: Daemon) -> None:
    with running.client() as client:
        fused(client, 1, "a", "r", "@blend", 0.25)
        client.send("/voice/set", 1, "gain", -3.0)
        client.new_session("other")
        assert commanded(running, "/undo", 1) == "nothing_to_undo"
        client.load_session("night")
        with pytest.raises(RequestFailed):
            client.load_session("night")


def test_a_favourite_plays_when_clip_and_reference_are_gone(running: Daemon) -> None:
    with running.client() as client:
        client.load_clip("d", "c.wav", duration=0.4)
        client.remember("n", "d", "a tone")
        fused(client, 2, "d", "n", "@loop", 1, "@blend", 0.5, "@seed", 7)
        kept = client.keep_favourite("rain", 2)
        assert kept.name == "rain" and Path(kept.path).exists()
        client.send("/stop", 2, 0)
        client.free_clip("d")
        client.free_reference("n")
        (row,) = client.favourites()
        assert (row.name, row.original, row.reference, row.state) == ("rain", "d", "n", "kept")
        assert row.seconds == pytest.approx(0.4, abs=0.001)
        client.play_favourite("rain", 3)
        until(lambda: voice(client, 3).state == "playing")
        state = voice(client, 3)
        assert (state.original, state.blend, state.seed, state.loop) == ("d", 0.5, 7, 1)
        client.send("/scrub", 3, 0.9)
        client.request("/sync")
        assert voice(client, 3).state == "playing"
        client.free_favourite("rain")
        assert client.favourites() == [] and Path(kept.path).exists()
        assert fails(client, "/favourite/play", "rain") == "unknown_favourite"
        assert fails(client, "/favourite/keep", "quiet", 4) == "nothing_to_play"


def test_kept_again_the_same_sound_is_one_and_another_is_kept_beside_it(running: Daemon) -> None:
    with running.client() as client:
        fused(client, 1, "a", "r", "@loop", 1, "@blend", 0.5, "@seed", 1)
        first, again = client.keep_favourite("drone", 1), client.keep_favourite("drone", 1)
        assert first == again
        before = Path(first.path).read_bytes()
        fused(client, 1, "a", "r", "@loop", 1, "@blend", 0.5, "@seed", 2)
        until(lambda: voice(client).seed == 2)
        other = client.keep_favourite("drone", 1)
        assert other.name == "drone-2" and other.path != first.path
        assert Path(first.path).read_bytes() == before
        folder = Path(first.path).parent
        aside = folder.rename(folder.with_name("aside"))
        folder.write_text("in its way")
        assert fails(client, "/favourite/keep", "drone-3", 1) == "bad_output"
        folder.unlink()
        aside.rename(folder)
        for each in client.favourites():
            client.free_favourite(each.name)


def test_a_favourite_scrubbed_between_two_places_is_what_is_heard(running: Daemon) -> None:
    with running.client() as client:
        client.request("/fan", "a", "r", 5, "@seed", 3)
        fused(client, 1, "a", "r", "@loop", 1, "@blend", 0.5, "@seed", 3)
        client.send("/scrub", 1, 0.6)
        client.request("/sync")
        kept = client.keep_favourite("between", 1)
        mixed = json.loads(read_comment(Path(kept.path)))["favourite"]["mixed"]
        assert [blend for blend, _, _ in mixed] == [0.5, 0.75]
        client.play_favourite("between", 1)
        until(lambda: plays(client, "a", 0.6))
        client.free_favourite("between")


def test_fuse_like_makes_a_favourite_again_to_the_bit(
    running: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running.client() as client:
        client.remember("n", "b", "noise")
        fused(client, 1, "a", "n", "@loop", 1, "@blend", 0.5, "@seed", 5)
        kept = client.keep_favourite("again", 1)
        client.free_favourite("again")
    about = json.loads(read_comment(Path(kept.path)))["favourite"]
    monkeypatch.setenv("EUTECTIC_DATA", str(tmp_path))
    again = tmp_path / "again.wav"
    assert run(["fuse", "--like", kept.path, "-o", str(again)]) == 0
    sound, made = (soundfile.read(path, dtype="float32")[0] for path in (kept.path, again))
    assert len(sound) == about["frames"] + about["tail"]
    assert np.array_equal(made, sound[: about["frames"]])


def recorded(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


def test_stems_add_up_to_the_mix(running: Daemon) -> None:
    with running.client() as client:
        fused(client, 1, "a", "r", "@loop", 1, "@blend", 0.5)
        client.set_voice(1, "gain", -12.0)
        client.set_voice(2, "gain", -12.0)
        client.set_voice(2, "pan", 0.5)
        path = Path(client.start_recording("stems.wav", stems=1).path)
        fused(client, 2, "c", "r", "@loop", 1, "@blend", 0.25)
        client.send("/scrub", 1, 0.75)
        passes(client, 0.5)
        frames = client.stop_recording().frames
        assert fails(client, "/record/start", "stems.wav", "@stems", 1) == "bad_output"
    stems = [recorded(path.with_name(f"stems-voice{n + 1}.wav")) for n in range(4)]
    mix = recorded(path)
    assert [len(each) for each in (mix, *stems)] == 5 * [frames]
    assert stems[0].any() and stems[1].any() and not stems[2].any()
    assert np.abs(mix - sum(stems)).max() <= 1e-6  # 24 bits are 6e-8 in each


def passes(client: Client, seconds: float) -> None:
    """So much of the show goes by."""
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() > end)
    client.request("/sync")


def test_a_show_is_replayed_to_the_frame_even_in_another_session(
    running: Daemon, capsys: pytest.CaptureFixture[str]
) -> None:
    with running.client() as client:
        for sound in ("a", "c"):
            client.request("/fan", sound, "r", 5, "@seed", 4)
        fused(client, 3, "a", "r", "@loop", 1, "@blend", 1.0, "@seed", 4)
        passes(client, 0.3)
        first = Path(client.start_recording("show.wav").path)
        passes(client, 0.1)
        fused(client, 1, "a", "r", "@loop", 1, "@blend", 0.25, "@seed", 4, "@velocity", 90)
        for blend in (0.3, 0.5, 0.9, 0.6):
            client.send("/scrub", 1, blend)
            passes(client, 0.05)
        client.set_voice(1, "pan", -0.5)
        client.send("/stop", 3, 50)
        fused(client, 3, "c", "r", "@loop", 1, "@blend", 0.5, "@seed", 4)
        passes(client, 0.2)
        assert fails(client, "/fuse", 2, "nothing", "r") == "unknown_clip"
        client.send("/undo", 1)
        passes(client, 0.1)
        client.send("/stop", 3, 20)
        client.set_master_gain(-6.0)
        passes(client, 0.3)
        frames = client.stop_recording().frames
        client.send("/panic")
        show, was = shows.read(first.with_suffix(".jsonl")), recorded(first)
        assert [each.address for each in show.events].count("/fuse") == 2
        assert "/scrub" in {each.address for each in show.events}
        assert np.abs(was[-1000:]).max() > 1e-3
        client.new_session("encore")
        now = replayed(running, client, first, capsys)[:frames]
        assert {each.clip for each in client.clips()} == {"a", "b", "c"}
        client.load_session("night")
    assert len(now) == frames
    settled = 2000  # what went on then fades in now
    assert np.abs(was - now)[settled:].max() <= 1e-6


def replayed(
    running: Daemon, client: Client, first: Path, capsys: pytest.CaptureFixture[str]
) -> np.ndarray:
    """A recording of a show that is played again, from its beginning on."""
    second = Path(client.start_recording("again.wav").path)
    capsys.readouterr()
    command = ["send", "--replay", str(first.with_suffix(".jsonl")), "--json"]
    assert run([*command, "--port", str(running.port)]) == 0
    client.stop_recording()
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["found"]
    assert found["events"] > 8 and (found["failed"], found["late"]) == (0, 0)
    again = shows.read(second.with_suffix(".jsonl"))
    return recorded(second)[again.events[0].frame :]  # what played when the show began


def test_a_show_is_replayed_at_its_tempo_and_what_waited_waits_again(
    running: Daemon, capsys: pytest.CaptureFixture[str]
) -> None:
    def onsets(path: Path) -> list[int]:
        sound = np.flatnonzero(np.abs(recorded(path)).max(axis=1) > 1e-4)
        return [int(each) for each in sound[np.diff(sound, prepend=-5000) > 1000]]

    with running.client() as client:
        fused(client, 1, "c", "r", "@blend", 1.0)
        client.set_voice(1, "loop", 1)
        client.send("/envelope", 1, 0, 0, 1, 5)
        client.send("/stop", 1, 0)
        until(lambda: voice(client).state == "silent")
        client.send("/tempo", 97, 0)
        client.request("/sync")
        first = Path(client.start_recording("tapped.wav").path)
        for _ in range(3):
            client.send("/tempo/tap")
            passes(client, 0.21)
        for beat in (3.5, 5):
            client.send("/note", 1, 60, 127, "@at_beat", tapped(client) + beat, "@gate", 0.05)
        client.send_bundle(time.time() + 0.2, "/note", 1, 67, 127, "@gate", 0.05)
        passes(client, 1.5)
        client.stop_recording()
        was = onsets(first)
        client.send("/tempo", 97)
        second = Path(client.start_recording("tapped again.wav").path)
        client.replay(first.with_suffix(".jsonl"))
        client.stop_recording()
        began, begun = (
            shows.read(each.with_suffix(".jsonl")).events[0] for each in (first, second)
        )
    assert len(was) == 3 and began.address == "/tempo"
    later = np.array(onsets(second)) - was
    assert np.abs(later - (begun.frame - began.frame)).max() <= 2  # samples between whole ones


def tapped(client: Client) -> int:
    """The last whole beat."""
    return int(float(client.status()["tempo"].split("beat ")[1].split(",")[0]))


def test_a_recording_and_its_events_never_overwrite_and_are_reported(running: Daemon) -> None:
    with running.client() as client:
        mine = running.data / "renders" / "mine.jsonl"
        mine.write_text("mine")
        assert fails(client, "/record/start", "mine.wav") == "bad_output"
        assert mine.read_text() == "mine" and not mine.with_suffix(".wav").exists()
        late = client.begin("/record/start", "late.wav", "@at_beat", 1e6)
        assert fails(client, "/record/stop") == "not_recording"
        with pytest.raises(RequestFailed, match="stopped before it began"):
            client.end("/record/start", late)
        assert not list(mine.parent.glob("late.*"))
        assert fails(client, "/replay", "mine.jsonl") == "bad_input"
        assert fails(client, "/replay", "none.jsonl") == "no_file"


def test_a_replay_that_is_cancelled_lets_its_keys_go(running: Daemon) -> None:
    with running.client() as client:
        fused(client, 2, "a", "r")
        client.send("/stop", 2)
        client.set_voice(2, "loop", 1)
        path = Path(client.start_recording("held.wav").path)
        passes(client, 0.2)
        client.send("/note", 2, 60, 100)
        passes(client, 1.0)
        client.stop_recording()
        client.send("/panic")
        until(lambda: status(client)["notes"] == "none sounding")
        number = client.begin("/replay", str(path.with_suffix(".jsonl")))
        until(lambda: status(client)["notes"] == "1 sounding")
        client.request("/cancel", number)
        until(lambda: status(client)["notes"] == "none sounding")
        client.set_voice(2, "loop", 0)


def test_panic_ends_a_replay_and_another_sound_of_a_name_is_refused(running: Daemon) -> None:
    with running.client() as client:
        client.focus(2)
        path = Path(client.start_recording("long.wav").path)
        passes(client, 0.2)
        fused(client, 1, "a", "r", "@loop", 1)
        passes(client, 1.0)
        client.stop_recording()
        client.focus(1)
        number = client.begin("/replay", str(path.with_suffix(".jsonl")))
        until(lambda: voice(client).state == "playing")
        client.notify()
        wait_for(client, Focus, lambda focus: focus.voice == 2)
        client.send("/panic")
        with pytest.raises(RequestFailed, match="panic"):
            client.end("/replay", number, 20.0)
        until(lambda: voice(client).state == "silent")
        client.request("/clip/load", "c", "b.wav")
        with pytest.raises(RequestFailed, match="clip c is another sound here"):
            client.replay(path.with_suffix(".jsonl"))
