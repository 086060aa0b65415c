"""References of a real daemon: playable from the first moment, and learned meanwhile."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from daemons import daemon, fails, prepare, wait_for
from eutectic.client.daemon_process import Daemon, status
from eutectic.client.replies import RequestFailed
from eutectic.client.sync import Client
from eutectic.osc import answers
from eutectic.osc.answers import Done, Fail, Progress, Queued, Started
from eutectic.session import kept

pytestmark = pytest.mark.process

FOR_EVER = ("@steps", 100_000)
numbers = itertools.count()


def state(client: Client, name: str) -> str:
    """Of a reference, as listed and as the status says."""
    (listed,) = [each.state for each in client.references() if each.reference == name]
    assert f"{name} {listed.split()[0]}" in status(client)["references"]
    return listed


def rendered(client: Client, name: str, *options: int | float | str) -> NDArray[np.float64]:
    """Its fusion with a, in a new file."""
    reply = client.request("/render", "a", name, f"of-references/{next(numbers)}", *options)
    return soundfile.read(reply.found.path)[0]


@contextmanager
def learning(client: Client, name: str, clip: str) -> Generator[int]:
    """The id of a request that learns until it is cancelled."""
    number = client.begin("/reference/learn", name, clip, "for ever", *FOR_EVER)
    wait_for(client, Progress, lambda each: (each.id, each.stage) == (number, "learn"))
    try:
        yield number
    finally:
        client.send("/cancel", client.begin("/ping"), number)
        wait_for(client, Fail, lambda each: each.id == number)


def test_what_is_remembered_plays_at_once_and_nothing_is_learned(
    running: Daemon, client: Client
) -> None:
    before = sorted((running.data / "references").iterdir())
    assert client.request("/reference/remember", "m", "b").answers == []
    assert answers.Reference(0, "m", "b", "b", "remembered") in [
        answers.Reference(0, each.reference, each.clip, each.prompt, each.state)
        for each in client.references()
    ]
    number = client.begin("/fuse", 1, "a", "m", "@blend", 0.5)
    wait_for(client, Started, lambda started: started.id == number)
    client.end("/fuse", number)
    assert sorted((running.data / "references").iterdir()) == before
    client.request("/reference/remember", "m", "b", "a", "white", "noise")
    assert state(client, "m") == "remembered"
    assert fails(client, "/reference/remember", "m", "nobody") == "unknown_clip"


def test_a_fusion_is_heard_while_its_reference_is_learned_and_if_that_is_cancelled(
    client: Client,
) -> None:
    with learning(client, "slow", "b"):
        assert state(client, "slow").startswith("learning ")
        number = client.begin("/fuse", 1, "a", "slow", "@loop", 1)
        wait_for(client, Started, lambda started: started.id == number)
        client.end("/fuse", number)
    assert state(client, "slow") == "remembered"
    client.request("/fuse", 1, "a", "slow", "@seed", 5)


def test_requests_on_a_reference_whose_clip_is_being_loaded_wait_for_it(client: Client) -> None:
    sent = [
        ("/clip/load", client.begin("/clip/load", "late", "c.wav")),
        ("/reference/remember", client.begin("/reference/remember", "lm", "late")),
        ("/fuse", client.begin("/fuse", 1, "a", "lm")),
        ("/reference/learn", client.begin("/reference/learn", "ll", "late", "x", "@steps", 1)),
        ("/fuse", client.begin("/fuse", 2, "a", "ll")),
    ]
    for address, number in sent:
        client.end(address, number)


def test_what_is_learned_is_heard_from_then_on_and_at_full_recall_nothing_changes(
    client: Client,
) -> None:
    client.request("/reference/remember", "grows", "b", "grows")
    client.request("/fuse", 1, "a", "grows", "@recall", 1)
    before = [rendered(client, "grows", *options) for options in ((), ("@recall", 0.5))]
    full = rendered(client, "grows", "@recall", 1)
    assert np.array_equal(before[0], full)
    client.request("/reference/learn", "grows", "b", "grows", "@steps", 20)
    assert state(client, "grows") == "learned"
    after = [rendered(client, "grows", *options) for options in ((), ("@recall", 0.5))]
    for one, other in zip(before, after, strict=True):
        assert np.abs(one - other).max() > 0.01
    for options in (("@recall", 1), ("@recall", 1, "@cfg", 3)):
        number = client.begin("/fuse", 1, "a", "grows", *options)
        assert not client.end("/fuse", number).of(Queued)


def test_start_and_slack_change_what_is_remembered(client: Client) -> None:
    client.request("/clip/load", "c", "c.wav")
    client.request("/reference/remember", "m", "c", "a", "tone")
    made = [
        rendered(client, "m", "@blend", 0.3, *options)
        for options in ((), ("@slack", 3), ("@start", 0.33), ("@slack", 0.3))
    ]
    for other in made[1:]:
        assert np.abs(other - made[0]).max() > 1e-3
    assert fails(client, "/fuse", 1, "a", "m", "@slack", 0) == "bad_option"


def test_learning_again_keeps_what_was_learned_until_it_is_done(client: Client) -> None:
    client.request("/reference/learn", "twice", "b", "twice", "@steps", 3)
    before = rendered(client, "twice")
    with learning(client, "twice", "b"):
        assert np.array_equal(rendered(client, "twice"), before)
    assert state(client, "twice") == "learned"
    with learning(client, "twice", "a"):  # of another clip: that is remembered
        assert np.abs(rendered(client, "twice") - before).max() > 0.01
    assert state(client, "twice") == "remembered"


@pytest.mark.parametrize(("how", "said"), [("free", "freed"), ("delete", "deleted")])
def test_a_reference_that_is_freed_while_it_is_learned_stays_away(
    client: Client, how: str, said: str
) -> None:
    number = client.begin("/reference/learn", "gone", "b", "for ever", *FOR_EVER)
    wait_for(client, Progress, lambda each: (each.id, each.stage) == (number, "learn"))
    client.request(f"/reference/{how}", "gone")
    failed = wait_for(client, Fail, lambda each: each.id == number)
    assert failed.code == "cancelled" and said in failed.text
    assert fails(client, "/fuse", 1, "a", "gone") == "unknown_reference"


def test_a_deleted_reference_takes_its_file_along_unless_another_has_it(
    running: Daemon, client: Client
) -> None:
    def files() -> set[Path]:
        return set((running.data / "references").iterdir())

    before = files()
    client.request("/reference/learn", "first", "b", "deleted", "@steps", 4)
    client.request("/reference/learn", "second", "b", "deleted", "@steps", 4)
    client.request("/reference/remember", "third", "b", "deleted")
    (made,) = files() - before
    size = made.stat().st_size // 1000
    assert client.request("/reference/delete", "first").found.kb == 0  # the second plays on
    assert client.request("/reference/delete", "third").found.kb == 0
    rendered(client, "second")
    assert client.request("/reference/delete", "second").found.kb == size
    assert files() == before
    for name in ("first", "second", "third"):
        assert fails(client, "/fuse", 1, "a", name) == "unknown_reference"
    assert fails(client, "/reference/delete", "second") == "unknown_reference"
    client.request("/reference/learn", "again", "b", "deleted", "@steps", 4)
    assert state(client, "again") == "learned"
    assert client.delete_reference("again").kb > 0


def test_no_pad_is_refused_while_a_session_is_loaded_and_learned(running: Daemon) -> None:
    """All of the sixty-four, pressed as soon as the preset is asked for."""
    with running.client() as client:
        loading = client.begin("/preset/load", "pads")
        wait_for(client, Queued, lambda queued: queued.id == loading)
        wait_for(client, Progress, lambda each: each.id == loading)
        pads = [
            client.begin("/fuse", voice, str(clip), str(reference))
            for voice in (1, 2, 3, 4) for clip in range(1, 9) for reference in (1, 2)
        ]  # fmt: skip
        last = {voice: pads[16 * voice - 1] for voice in (1, 2, 3, 4)}
        ends: dict[int, Done | Fail] = {}
        while len(ends) < len(pads) + 1:
            end = wait_for(client, answers.Answer, lambda each: isinstance(each, Done | Fail), 120)
            assert isinstance(end, Done | Fail)
            ends[end.id] = end
        failed = [each for each in ends.values() if isinstance(each, Fail)]
        assert [each for each in failed if each.code != "cancelled"] == []
        assert all(isinstance(ends[number], Done) for number in (*last.values(), loading))
        client.send("/panic")
        client.request("/preset/load", "before")


def test_what_is_remembered_outlives_the_daemon_and_its_model(tmp_path: Path) -> None:
    path = tmp_path / "night.toml"
    options = ("--session", str(path))
    with daemon(tmp_path, *options) as process, process.client() as client:
        prepare(client)
        client.request("/reference/remember", "m", "b", "hiss")
        client.send("/voice/set", 2, "recall", 0.25)
        client.request("/fuse", 2, "a", "m", "@slack", 0.5, "@start", 0.1)
    there = kept.read(path)
    (known,) = [each.spec for each in there.references if each.name == "m"]
    assert (known.prompt, known.settings, there.recall) == ("hiss", None, 0.0)
    assert (there.voices[1].recall, there.voices[0].recall) == (0.25, None)
    assert there.voices[1].request["recall"] == 0.25
    with daemon(tmp_path, *options) as process, process.client() as client:
        number = client.begin("/fuse", 2, "a", "m", "@slack", 0.5, "@start", 0.1, "@loop", 1)
        assert not client.end("/fuse", number).of(Queued)  # ready, whether the engine is or not
        client.request("/model/set", "embedded", timeout=120)
        assert state(client, "m") == "remembered" and state(client, "r") == "not_learned"
        client.request("/fuse", 2, "a", "m", timeout=60)
        with pytest.raises(RequestFailed, match="another model"):
            client.request("/fuse", 2, "a", "r")
    with daemon(tmp_path, *options) as process, process.client() as client:  # the toy again
        assert state(client, "m") == "remembered" and state(client, "r") == "learned"
        assert rendered(client, "m", "@blend", 0).any()
        client.request("/render", "b", "r", "b", "@blend", 1)
        other = soundfile.read(process.data / "renders" / "b.wav")[0]
        assert np.abs(rendered(client, "r", "@blend", 1) - other).max() > 0.1  # a isn't b
