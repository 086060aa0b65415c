"""Fusions on voices, of a real daemon: triggered, scrubbed, scheduled and stopped."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemons import daemon, fails, next_end, prepare, until, wait_for
from eutectic.client.daemon_process import Daemon, status, until_ready
from eutectic.client.replies import RequestFailed
from eutectic.client.sync import Client
from eutectic.osc.answers import (
    Done,
    Ended,
    Fail,
    FanReady,
    Idle,
    Late,
    Progress,
    Queued,
    Started,
)

pytestmark = pytest.mark.process


def test_a_fusion_is_queued_started_done_and_ended(client: Client) -> None:
    number = client.begin("/fuse", 1, "a", "r", "@blend", 0.31)
    wait_for(client, Queued, lambda queued: queued.id == number)
    started = wait_for(client, Started)
    assert (started.id, started.voice) == (number, 1) and started.latency_ms > 0
    assert client.end("/fuse", number).found is None
    assert wait_for(client, Ended) == Ended(1, number)


def test_a_fusion_that_is_ready_is_done_without_the_engine(client: Client) -> None:
    client.request("/fuse", 1, "a", "r", "@blend", 0.4)
    number = client.begin("/fuse", 1, "a", "r", "@blend", 0.4)
    assert not client.end("/fuse", number).of(Queued)
    wait_for(client, Started, lambda started: started.id == number)


def test_the_newest_fusion_wins_its_voice(client: Client) -> None:
    numbers = [client.begin("/fuse", 2, "a", "r", "@seed", 100 + seed) for seed in range(6)]
    ends = {end.id: end for _ in numbers for end in [next_end(client)]}
    assert isinstance(ends[numbers[-1]], Done)
    lost = [end for number in numbers[:-1] if isinstance(end := ends[number], Fail)]
    assert len(lost) >= 4
    assert {each.code for each in lost} == {"cancelled"}
    assert any("superseded" in each.text for each in lost)


def test_a_mistake_changes_nothing(client: Client) -> None:
    """A mistyped request fails, and what it would have taken the place of is played."""
    wrong = (
        ("aa", "r", "unknown_clip"), ("a", "rr", "unknown_reference"),
        ("a", "r", "@blend", 0.1, "@remaining", 3, "bad_setting"),
        ("a", "r", "@preset", "none", "bad_state"),
        ("a", "r", "@steps", 5, "@remaining", 9, "bad_setting"),
    )  # fmt: skip
    for seed, (*values, code) in enumerate(wrong):
        right = client.begin("/fuse", 2, "a", "r", "@seed", 300 + seed)
        assert fails(client, "/fuse", 2, *values) == code
        reply = client.end("/fuse", right)
        assert reply.of(Started) or wait_for(client, Started).id == right


def test_the_status_says_what_every_voice_plays(client: Client) -> None:
    until_ready(client)
    client.request("/fuse", 3, "a", "r", "@blend", 0.4, "@loop", 1)
    until(lambda: status(client)["voices"] == "1 of 4 playing")
    until(lambda: status(client)["voice 3"].startswith("a with r, blend 0.40, 0."))  # not its end
    lines = status(client)
    assert lines["voice 3"].startswith("a with r, blend 0.40, ")
    assert lines["voice 3"].endswith(" of 1.0 s")
    assert lines["voice 2"] == "idle" and lines["engine"].startswith("ready, ")
    with learning(client):
        until(lambda: "long learning" in status(client)["engine"])


def test_a_near_name_is_suggested(client: Client) -> None:
    client.request("/clip/load", "glass", "a.wav")
    with pytest.raises(RequestFailed, match="no clip glas; did you mean glass"):
        client.request("/fuse", 1, "glas", "r")
    client.request("/clip/free", "glass")


@pytest.mark.parametrize(("voices", "apart"), [(8, 0.0), (8, 0.05), (16, 0.0)])
def test_triggers_start_in_the_order_received(tmp_path: Path, voices: int, apart: float) -> None:
    """Sent together or 50 ms apart, on more voices than are fused at once."""
    with daemon(tmp_path, "--voices", str(voices)) as process, process.client() as client:
        prepare(client)
        until_ready(client)
        numbers: list[int] = []
        for voice in range(1, voices + 1):
            numbers.append(client.begin("/fuse", voice, "a", "r", "@blend", voice / 20))
            time.sleep(apart)
        assert [wait_for(client, Started).id for _ in numbers] == numbers


def test_a_trigger_that_comes_too_late_is_dropped_and_says_so(client: Client) -> None:
    steps = ("@steps", 1000, "@recall", 0)
    number = client.begin("/fuse", 1, "a", "r", "@seed", 410, *steps, "@within_ms", 1)
    with pytest.raises(RequestFailed, match="couldn't start within the time") as refused:
        client.end("/fuse", number)
    assert refused.value.code == "too_late"
    client.request("/fuse", 1, "a", "r", "@seed", 411, "@within_ms", 60_000, "@blend", 0.5)
    number = client.begin("/fuse", 1, "a", "r", "@seed", 411, "@within_ms", 200, "@blend", 0.5)
    assert not client.end("/fuse", number).of(Queued)
    wait_for(client, Started, lambda started: started.id == number)
    client.send_bundle(
        time.time() - 3, "/fuse", 9_999, 1, "a", "r", "@seed", 411, "@blend", 0.5, "@within_ms", 50
    )
    failed = wait_for(client, Fail)
    assert (failed.id, failed.code) == (9_999, "too_late")


def test_the_knobs_are_those_of_what_is_heard(running: Daemon, client: Client) -> None:
    """A fusion that is never heard gives them back; a timed one takes them when it starts."""

    def seed() -> int:
        client.request("/preset/save", "knobs")
        path = running.data / "presets" / "knobs.toml"
        return tomllib.loads(path.read_text())["voices"][0]["request"]["seed"]

    client.request("/fuse", 1, "a", "r", "@seed", 420, "@loop", 1)
    client.request("/fuse", 1, "a", "r", "@seed", 421, "@loop", 1)
    steps = ("@steps", 1000, "@recall", 0)
    number = client.begin("/fuse", 1, "a", "r", "@seed", 422, *steps, "@within_ms", 50)
    with pytest.raises(RequestFailed, match="couldn't start"):
        client.end("/fuse", number)
    assert seed() == 421
    timed = client.begin("/fuse", 1, "a", "r", "@seed", 420, "@at_ms", 600)
    client.end("/fuse", timed)
    assert seed() == 421
    wait_for(client, Started, lambda started: started.id == timed)
    assert seed() == 420


def test_buttons_act_when_pressed_and_not_when_released(client: Client) -> None:
    presses: list[tuple[int | float | str, ...]] = [(), (1,), (1.0,), ("bang",)]
    for address, more in (("/stop", []), ("/panic", [(0.3, "x")])):
        for values in (*presses, *more):
            client.request("/fuse", 1, "a", "r", "@loop", 1, "@blend", 0.4)
            wait_for(client, Started)
            client.send(address, 0.0)
            client.request("/sync")
            assert status(client)["voices"].startswith("1 ")
            client.send(address, *values)
            wait_for(client, Ended)
        assert not [each for each in client.events(0.1) if isinstance(each, Fail)]
    for values in presses:
        client.send("/schedule/clear", 0)
        client.send("/schedule/clear", *values)
    client.request("/sync")
    assert not [each for each in client.events(0.1) if isinstance(each, Fail)]


def test_an_idle_voice_answers(client: Client) -> None:
    for address, values, text in (
        ("/stop", (4,), "nothing to stop"), ("/scrub", (4, 0.25), "starts there"),
    ):  # fmt: skip
        client.send("/panic")
        until(lambda: status(client)["voices"].startswith("none"))
        time.sleep(1.0)  # such remarks come once a second
        client.send(address, *values)
        idle = wait_for(client, Idle)
        assert idle.voice == 4 and text in idle.text


def test_a_reference_on_its_way_is_waited_for(running: Daemon, client: Client) -> None:
    """A fusion right after /preset/load plays once the preset's clips are loaded."""
    preset = running.data / "presets" / "bells.toml"
    preset.write_text(
        "format = 1\n[[clips]]\nname = 'bell'\npath = 'c.wav'\n"
        "[[references]]\nname = 'tone'\nclip = 'bell'\nprompt = 'a tone'\n"
        "steps = 2\n"
    )
    loading = client.begin("/preset/load", "bells")
    playing = client.begin("/fuse", 1, "bell", "tone")
    client.end("/fuse", playing)
    client.end("/preset/load", loading)
    preset.unlink()
    client.request("/clip/free", "bell")
    client.request("/reference/free", "tone")


def test_voices_do_not_supersede_each_other(client: Client) -> None:
    numbers = [client.begin("/fuse", voice, "a", "r", "@seed", 7) for voice in (1, 2, 3, 4)]
    for number in numbers:
        client.end("/fuse", number)


def test_learning_is_preempted_by_a_fusion_and_goes_on(client: Client) -> None:
    number = client.begin("/reference/learn", "long", "a", "for ever", "@steps", 100_000)
    wait_for(client, Progress)
    client.request("/fuse", 1, "a", "r", "@seed", 55)
    wait_for(client, Progress, lambda progress: progress.id == number)
    client.request("/cancel", number)


def test_a_fan_gets_ready_place_by_place_and_is_scrubbed(client: Client) -> None:
    number = client.begin("/fan", "a", "r", 3, "@seed", 9)
    ready = client.end("/fan", number).of(FanReady)
    assert sorted(ready, key=lambda each: each.k) == [FanReady(number, k, 3) for k in range(3)]
    number = client.begin("/fan", "a", "r", 9, "@seed", 10, "@recall", 0, "@even", 1)
    fractions = [each.fraction for each in client.end("/fan", number).of(Progress)]
    assert fractions and fractions == sorted(fractions) and fractions[-1] <= 1
    client.request("/fuse", 1, "a", "r", "@seed", 9, "@blend", 0.5, "@loop", 1)
    idle = "1 open, 0 of them in the engine"
    until(lambda: status(client)["requests"] == idle)  # fans of other voices are ready, too
    for blend in (0.1, 0.9, 0.4):
        client.send("/scrub", 1, blend)
    client.request("/sync")
    assert status(client)["requests"] == idle


@contextmanager
def learning(client: Client) -> Generator[None]:
    """The engine is busy throughout."""
    number = client.begin("/reference/learn", "long", "a", "for ever", "@steps", 100_000)
    wait_for(client, Progress, lambda progress: progress.id == number)
    try:
        yield
    finally:
        client.request("/cancel", number)


def ready(client: Client) -> int:
    return int(status(client)["ready"].split()[0])


def settled(client: Client) -> int:
    """How many fusions are ready, once no more are made ahead."""
    before = -1
    while before != (now := ready(client)):
        before = now
        time.sleep(0.3)
    return now


def test_a_scrub_without_a_fan_makes_one_even_while_learning(client: Client) -> None:
    before = settled(client)
    with learning(client):
        client.request("/fuse", 1, "a", "r", "@blend", 0.5, "@seed", 77, "@loop", 1)
        client.send("/scrub", 1, 0.2)
        until(lambda: ready(client) == before + 5)


def test_the_fan_of_what_is_played_is_made_ahead_once_nothing_else_waits(client: Client) -> None:
    before = settled(client)
    with learning(client):
        client.request("/fuse", 1, "a", "r", "@blend", 0.5, "@seed", 78, "@loop", 1)
        client.request(
            "/fuse", 2, "a", "r", "@blend", 0.5, "@seed", 79
        )  # past the fan of 78, had it begun
        assert ready(client) == before + 2
    until(lambda: ready(client) == before + 10)


def test_a_fan_made_ahead_is_cancelled_when_its_voice_plays_another_fusion(client: Client) -> None:
    before = settled(client)
    with learning(client):
        client.request("/fuse", 1, "a", "r", "@blend", 0.5, "@seed", 80)
        client.request("/fuse", 1, "a", "r", "@blend", 0.5, "@seed", 81)
    until(lambda: ready(client) == before + 6)


def test_stop_and_panic_end_what_plays_and_what_is_coming(client: Client) -> None:
    for address, values in (("/stop", (1, 5.0)), ("/panic", ())):
        client.request("/fuse", 1, "a", "r", "@loop", 1)
        wait_for(client, Started)
        number = client.begin("/fuse", 1, "a", "r", "@seed", 200 + len(values))
        client.send(address, *values)
        failed = wait_for(client, Fail)
        assert (failed.id, failed.code) == (number, "cancelled")
        wait_for(client, Ended)
        assert status(client)["voices"].startswith("none")


def test_a_voice_is_set_within_its_range(client: Client) -> None:
    for what, value in (("gain", -6), ("pan", 0.5), ("loop", 1), ("xfade", 30), ("out", 2)):
        client.send("/voice/set", 3, what, value)
    client.send("/master/gain", -3)
    client.request("/sync")
    assert not [each for each in client.events(0.1) if isinstance(each, Fail)]
    client.send("/voice/set", 3, "pan", 2)
    client.request("/sync")
    assert [each for each in client.events(0.1) if isinstance(each, Fail)]
    for what, value in (("gain", 0), ("pan", 0), ("loop", 0), ("xfade", 10), ("out", 1)):
        client.send("/voice/set", 3, what, value)
    client.send("/master/gain", 0)


def test_a_bundle_s_time_tag_is_followed_and_a_late_one_reported(
    running: Daemon, client: Client
) -> None:
    client.request("/fuse", 1, "a", "r", "@blend", 0.5)
    client.events(0.1)
    number = client.begin("/fuse", 1, "a", "r", "@blend", 0.5, "@at_ms", 400)
    began = time.monotonic()
    client.end("/fuse", number)
    started = wait_for(client, Started, lambda started: started.id == number)
    assert started.latency_ms >= 400 and time.monotonic() - began >= 0.35
    for ahead, late in ((0.3, False), (-2.0, True), (60.0, True)):
        number += 1
        client.send_bundle(time.time() + ahead, "/fuse", number, 1, "a", "r", "@blend", 0.5)
        started = wait_for(client, Started)
        assert started.id == number and started.latency_ms >= (0 if late else 280)
        reported = [each.id for each in client.events() if isinstance(each, Late)]
        assert reported == ([number] if late else [])


def test_the_schedule_is_cleared(client: Client) -> None:
    client.request("/fuse", 1, "a", "r", "@blend", 0.5)
    ready = client.begin("/fuse", 1, "a", "r", "@blend", 0.5, "@at_ms", 1500)
    client.end("/fuse", ready)
    client.send_bundle(time.time() + 1.5, "/ping", 999)
    client.request("/sync")
    client.send("/schedule/clear")
    failed = wait_for(client, Fail)
    assert (failed.id, failed.code) == (999, "cancelled")
    assert wait_for(client, Ended, lambda ended: ended.id == ready).voice == 1
    started = [each.id for each in client.events(1.9) if isinstance(each, Started)]
    assert ready not in started
