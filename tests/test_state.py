"""One state that all clients see: real clients of a real daemon, whoever caused what."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Generator

import msgspec
import pytest

from daemons import daemon, make_clips, prepare, restored, until, wait_for
from eutectic.client.daemon_process import Daemon
from eutectic.client.replies import RequestFailed
from eutectic.client.state import COUNTED, State
from eutectic.osc.answers import (
    Answer,
    FanReply,
    Log,
    Master,
    Meter,
    PairReply,
    Sent,
    Snapshot,
    Started,
    VoiceState,
    read_answer,
)
from eutectic.osc.packets import decode
from eutectic.osc.spec import PREFIX

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def module_daemon(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    with daemon(tmp_path_factory.mktemp("state")) as process:
        with process.client() as client:
            prepare(client)
        yield process


@pytest.fixture
def running(module_daemon: Daemon) -> Generator[Daemon]:
    with restored(module_daemon) as process:
        yield process


class Follower:
    """A client that follows the daemon's state."""

    def __init__(self, running: Daemon, *options: int | str, tcp: bool = False) -> None:
        self.client, self.state = running.client(tcp=tcp), State()
        self.client.on_answer = self._take
        self.heard: list[Answer] = []
        """Since the last snapshot."""
        self.client.send("/notify", 1, *options)
        wait_for(self.client, Snapshot)

    def _take(self, answer: Answer) -> None:
        self.state.take(answer)
        self.heard = [] if isinstance(answer, Snapshot) else [*self.heard, answer]

    def until(self, condition: Callable[[State], bool]) -> State:
        """Receive until the state is as it should be."""
        end = time.monotonic() + 20
        while not condition(self.state):
            assert time.monotonic() < end, f"it never was: {self.state}"
            self.client.events(0.02)
        return self.state

    def __enter__(self) -> Follower:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()


def test_a_snapshot_follows_notify_at_once_and_has_all_there_is(running: Daemon) -> None:
    with running.client() as client:
        client.send("/voice/set", 2, "gain", -7)
        client.request("/fuse", 1, "a", "r", "@blend", 0.25, "@loop", 1, "@seed", 9)
        with Follower(running, "@name", "tablet") as late:
            wait_for(late.client, Sent)
            state = late.state
            assert state.engine is not None and state.engine.state == "ready"
            assert state.engine.model == "toy"
            assert set(state.clips) == {"a", "b"} and state.clips["a"].state == "loaded"
            assert state.references["r"].state == "learned"
            assert "first_night" in state.presets
            assert [each.voice for each in state.voices.values()] == [1, 2, 3, 4]
            first = state.voices[1]
            assert (first.state, first.original, first.reference) == ("playing", "a", "r")
            assert (first.blend, first.loop, first.seed, first.seconds) == (0.25, 1, 9, 1.0)
            assert state.voices[2].gain == -7
            late.until(lambda state: state.number in state.clients)
            assert state.clients[state.number].name == "tablet"
            assert state.recording is not None and state.recording.path == ""
            assert not state.missed


def test_it_has_the_position_of_that_moment(running: Daemon) -> None:
    with running.client() as client:
        client.begin("/fuse", 1, "a", "r", "@blend", 0.5, "@loop", 1)
        wait_for(client, Started)
        positions: set[float] = set()
        for _ in range(5):
            time.sleep(0.13)
            with Follower(running) as late:
                positions.add(late.until(lambda state: 1 in state.voices).voices[1].position)
        assert len(positions) == 5 and max(positions) <= 1.0


def test_all_clients_are_told_of_what_one_of_them_does(running: Daemon) -> None:
    make_clips(running.data.parent / "clips")
    with Follower(running) as other, Follower(running) as own:
        own.client.request("/clip/load", "c", "c.wav")
        other.until(lambda state: "c" in state.clips and state.clips["c"].state == "loaded")
        own.client.request("/reference/learn", "new", "c", "another", "tone", "@steps", 3)
        learned = other.until(
            lambda state: "new" in state.references and state.references["new"].state == "learned"
        )
        assert learned.references["new"].clip == "c"
        own.client.request("/preset/save", "mine")
        other.until(lambda state: "mine" in state.presets)
        own.client.request("/fuse", 3, "c", "new", "@blend", 0.5, "@loop", 1)
        other.until(lambda state: state.voices[3].state == "playing")
        own.client.send("/voice/set", 3, "mute", 1)
        own.client.send("/master/gain", -3)
        other.until(lambda state: state.voices[3].mute == 1)
        other.until(lambda state: state.master == Master(-3.0, own.state.number))
        own.client.request("/record/start", "take.wav")
        other.until(lambda state: state.recording is not None and state.recording.seconds >= 1)
        own.client.request("/record/stop")
        other.until(lambda state: state.recording is not None and state.recording.path == "")
        own.client.request("/reference/free", "new")
        own.client.request("/clip/free", "c")
        other.until(lambda state: "c" not in state.clips and "new" not in state.references)
        own.client.send("/master/gain", 0)
        own.client.send("/voice/set", 3, "mute", 0)


def test_what_one_client_changes_comes_back_marked_as_its_own(running: Daemon) -> None:
    with Follower(running) as one, Follower(running) as two:
        assert one.state.number != two.state.number
        one.client.send("/voice/set", 1, "gain", -5)
        for each in (one, two):
            state = each.until(lambda state: state.voices[1].gain == -5)
            assert state.voices[1].by == one.state.number
        two.client.send("/scrub", 1, 0.75)
        for each in (one, two):
            state = each.until(lambda state: state.voices[1].blend == 0.75)
            assert state.voices[1].by == two.state.number
        two.client.request("/preset/load", "before")
        for each in (one, two):
            each.until(lambda state: state.voices[1].by == 0 and state.voices[1].gain == 0)


def test_a_slider_that_is_moved_is_seen_thirty_times_a_second_and_ends_right(
    running: Daemon,
) -> None:
    with Follower(running) as other, running.client() as mover:
        began = time.monotonic()
        for step in range(1000):
            mover.send("/voice/set", 1, "pan", step / 1000)
            time.sleep(0.001)
        mover.send("/voice/set", 1, "pan", 1)
        seconds = time.monotonic() - began
        seen = [each for each in other.client.events(0.3) if isinstance(each, VoiceState)]
        assert seen[-1].pan == 1
        assert 5 < len(seen) < 40 * (seconds + 0.4)


def test_clients_come_and_go(running: Daemon) -> None:
    with Follower(running) as stays:
        with Follower(running, "@name", "phone") as leaves:
            number = leaves.state.number
            assert (
                stays.until(lambda state: number in state.clients).clients[number].name == "phone"
            )
            leaves.client.send("/notify", 0)
        stays.until(lambda state: number not in state.clients)


def test_a_connection_that_ends_is_a_client_that_has_left(running: Daemon) -> None:
    with Follower(running) as stays:
        with Follower(running, tcp=True) as leaves:
            number = leaves.state.number
            stays.until(lambda state: number in state.clients)
        stays.until(lambda state: number not in state.clients)


def test_what_was_missed_shows_in_the_count(running: Daemon) -> None:
    with Follower(running) as follower:
        follower.until(lambda state: len(state.voices) == 4)
        state = follower.state
        follower.client.on_answer = lambda answer: (
            None if isinstance(answer, VoiceState) else state.take(answer)
        )
        follower.client.send("/voice/set", 1, "gain", -1)
        follower.until(lambda state: state.missed)
        follower.client.on_answer = state.take
        follower.client.send("/notify", 1)
        follower.until(lambda state: not state.missed and len(state.voices) == 4)
        assert follower.state.voices[1].gain == -1


def test_nothing_is_missed_and_the_count_is_sent_as_a_sign_of_life(running: Daemon) -> None:
    with Follower(running, "@meter", 1) as follower:
        for step in range(50):
            follower.client.send("/voice/set", 1 + step % 4, "gain", -step)
        follower.client.events(2.5)
        assert len([each for each in follower.heard if isinstance(each, Sent)]) >= 2
        assert not follower.state.missed
        count = 0
        for each in follower.heard:
            count += isinstance(each, COUNTED)
            if isinstance(each, Sent):
                assert each.count == count


def test_two_hundred_clips_reach_a_client_that_is_slow_to_read(running: Daemon) -> None:
    with running.client() as client:
        for begin in range(0, 200, 20):
            loads = [
                client.begin("/clip/load", f"clip{number}", "c.wav", "@duration", 0.1)
                for number in range(begin, begin + 20)
            ]
            for each in loads:
                client.end("/clip/load", each)
        with Follower(running) as late:
            late.until(lambda state: len(state.clips) == 202)
            assert not late.state.missed


def test_levels_come_thirty_times_a_second_with_the_position_of_what_plays(
    running: Daemon,
) -> None:
    with running.client() as client, Follower(running, "@meter", 1) as follower:
        client.request("/fuse", 2, "a", "r", "@blend", 1, "@loop", 1)
        wait_for(client, Started)
        meters = [each for each in follower.client.events(1.0) if isinstance(each, Meter)]
        of_voice = [each for each in meters if each.voice == 2]
        assert 5 < len(of_voice) < 45
        assert max(each.level for each in of_voice) > -30
        assert len({each.position for each in of_voice}) > 5
        assert max(each.level for each in meters if each.voice == 0) > -30
        client.send("/voice/set", 2, "mute", 1)
        follower.client.events(0.2)
        muted = [each for each in follower.client.events(0.3) if isinstance(each, Meter)]
        assert max(each.level for each in muted) == -120
        client.send("/voice/set", 2, "mute", 0)


def test_the_log_is_sent_to_those_who_follow_it_with_the_senders_name(running: Daemon) -> None:
    with Follower(running, "@log", 1) as follower, Follower(running, "@name", "Pd") as pd:
        time.sleep(0.1)
        pd.client.begin("/clip/load", "x", "nothing.wav")
        line = wait_for(follower.client, Log, lambda each: "nothing.wav" in each.text)
        assert (line.client, line.level) == ("Pd", "warning")
        assert line.text.startswith("/clip/load 1: no_file")
        assert not [each for each in pd.client.events(0.2) if isinstance(each, Log)]


def test_a_pair_says_whether_it_can_be_played_now(running: Daemon) -> None:
    with running.client() as client, Follower(running) as follower:
        client.request("/clip/load", "c", "c.wav")
        (later,) = client.request("/pair", "c", "r").of(PairReply)
        assert (later.state, later.ready, later.of) == ("later", 0, 5)
        client.request("/fuse", 1, "c", "r", "@blend", 0.5)
        now = follower.until(lambda state: _ready(state, "c", "r") == 5).pairs["c", "r", 0]
        assert (now.state, now.cost_ms, now.text) == ("now", 0.0, "")
        (again,) = client.request("/pair", "c", "r").of(PairReply)
        assert msgspec.structs.replace(again, id=-1) == now
        places = client.request("/fan/list", "c", "r").of(FanReply)
        assert [(each.k, each.n, each.blend, each.ready) for each in places] == [
            (k, 5, k / 4, 1) for k in range(5)
        ]
        for each in places:
            assert (running.data / "fusions" / f"{each.key}.safetensors").exists()


def _ready(state: State, original: str, reference: str) -> int:
    pair = state.pairs.get((original, reference, 0))
    return 0 if pair is None else pair.ready


def test_the_cost_of_a_pair_is_what_such_fusions_took(running: Daemon) -> None:
    with running.client() as client:
        for seed in range(900, 906):
            client.request("/fuse", 1, "a", "r", "@blend", 0.5, "@seed", seed)
        (reply,) = client.request("/pair", "a", "r", "@seed", 999, "@blend", 0.5).of(PairReply)
        assert reply.state == "later" and reply.cost_ms > 0
        events = client.events()
        took = [each.latency_ms for each in events if isinstance(each, Started)]
        assert 0.7 * min(took) <= reply.cost_ms <= max(took)


def test_pairs_that_can_not_be_fused_say_why(running: Daemon) -> None:
    with running.client() as client, running.client() as other:
        with pytest.raises(RequestFailed, match="no clip nothing"):
            client.request("/pair", "nothing", "r")
        learning = other.begin("/reference/learn", "slow", "a", "a", "tone", "@steps", 100_000)
        until(lambda: any(each.reference == "slow" for each in client.references()))
        (remembered,) = client.request("/pair", "a", "slow").of(PairReply)
        assert remembered.state in ("later", "now")  # it plays while it is learned
        other.send("/cancel", other.begin("/ping"), learning)


def test_a_reply_port_gets_the_same_events(running: Daemon) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear, running.client() as client:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(5)
        client.send("/notify", 1, ear.getsockname()[1])
        received: set[str] = set()
        while f"{PREFIX}/seq" not in received:
            received.add(decode(ear.recv(4096))[0][0])
        assert {f"{PREFIX}/snapshot", f"{PREFIX}/voice", f"{PREFIX}/clip"} < received


def test_a_pad_hit_again_is_an_event_with_the_new_position(running: Daemon) -> None:
    with running.client() as client, Follower(running) as follower:
        client.request("/fuse", 1, "a", "r", "@blend", 0.5, "@loop", 1)
        follower.until(lambda state: state.voices[1].state == "playing")
        follower.client.events(0.7)  # well into it
        follower.heard.clear()
        client.request("/fuse", 1, "a", "r", "@blend", 0.5, "@loop", 1)
        follower.client.events(0.3)
        again = [each for each in follower.heard if isinstance(each, VoiceState)]
        assert again and again[0].position < 0.3
        follower.client.events(1.5)  # around the loop's seam, which is none
        assert len([each for each in follower.heard if isinstance(each, VoiceState)]) < 8


def test_files_that_nobody_can_read_end_nothing(running: Daemon) -> None:
    presets = running.data / "presets"
    (presets / "deep.toml").write_text("x = " + 3000 * "[")
    (presets / os.fsdecode(b"caf\xe9.toml")).write_text("format = 1\n")
    try:
        with Follower(running) as follower:
            follower.until(lambda state: {"deep", "café"} <= set(state.presets))
            follower.client.send("/voice/set", 1, "gain", -9)
            follower.until(lambda state: state.voices[1].gain == -9)
    finally:
        for path in presets.glob("*.toml"):
            if path.stem not in ("before",):
                path.unlink()


def test_a_reply_port_that_two_clients_name_is_counted_once(running: Daemon) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(5)
        with running.client() as one, running.client() as two:
            one.send("/notify", 1, ear.getsockname()[1])
            one.events(0.3)
            two.send("/notify", 1, ear.getsockname()[1])
            two.events(0.3)
            two.send("/voice/set", 1, "gain", -2)
            two.events(1.2)
        state = State()
        ear.settimeout(0.1)
        with contextlib.suppress(TimeoutError):
            while True:
                address, values, _ = decode(ear.recv(4096))[0]
                state.take(read_answer(address, values))
        assert not state.missed and state.voices[1].gain == -2
