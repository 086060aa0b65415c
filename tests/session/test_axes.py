"""Fans of two axes and pads, played by a real daemon."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from daemons import daemon, fails, prepare, silenced, until, wait_for
from eutectic.client.daemon_process import Daemon, until_ready
from eutectic.client.sync import Client
from eutectic.osc.answers import Fail, FanReady, FanReply, Queued, Started, VoiceAxis, VoiceState
from eutectic.session import kept
from loops import RATE_HZ, is_heard, rendered

pytestmark = pytest.mark.process

PAIR = ("a", "r")
SECONDS = 0.6
"""Of the loops."""


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    """A prepared daemon at the model's rate, with a second reference and a short clip."""
    folder = tmp_path_factory.mktemp("axes")
    session = ("--session", str(folder / "night.toml"))
    with daemon(folder, "--rate", str(RATE_HZ), *session, seconds=SECONDS) as process:
        with process.client() as client:
            prepare(client)
            client.request("/reference/remember", "m", "b", "hiss")
            client.request("/clip/load", "short", "c.wav", "@duration", 0.3)
            until_ready(client)
            client.request("/preset/save", "before")
        yield process
        assert "Traceback" not in process.log


@pytest.fixture
def client(playing: Daemon) -> Generator[Client]:
    with silenced(playing) as client:
        client.notify()
        yield client
        client.request("/preset/load", "before")


def places(client: Client, *options: str | float) -> list[FanReply]:
    return client.request("/fan/list", *PAIR, *options).of(FanReply)


def axis(client: Client, across: str, y: float, ready: int) -> VoiceAxis:
    """The event that says so."""
    return wait_for(client, VoiceAxis, lambda each: (
        (each.across, each.ready) == (across, ready) and each.y == pytest.approx(y, abs=1e-6)
    ))  # fmt: skip


def fuse(client: Client, *options: str | float) -> None:
    number = client.begin("/fuse", 1, *PAIR, "@loop", 1, *options)
    wait_for(client, Started, lambda started: started.id == number)
    client.end("/fuse", number)


@pytest.mark.parametrize(
    ("across", "options", "rows"),
    [
        ("recall", ("@m", 3), ((0, ("@recall", 0)), (0.5, ("@recall", 0.5)))),
        ("cfg", ("@m", 2, "@high", 3), ((0, ("@cfg", 1)), (1, ("@cfg", 3)))),
        ("eta", ("@m", 2, "@low", 1, "@high", 0), ((0, ("@eta", 1)), (1, ("@eta", 0)))),
        ("reference2", ("@reference2", "m"), ((0, ()),)),
    ],
)
def test_a_grid_is_made_and_listed_across(
    client: Client, across: str, options: tuple[str | float, ...],
    rows: tuple[tuple[float, tuple[str | float, ...]], ...],
) -> None:  # fmt: skip
    seed = ("@seed", sum(map(ord, across)))  # one that no other has made anything of
    number = client.begin("/fan", *PAIR, 3, "@across", across, *options, *seed)
    ready = client.end("/fan", number).of(FanReady)
    size = len(ready)
    assert size == (9 if across == "recall" else 6)
    assert sorted(each.k for each in ready) == list(range(size))
    assert {each.n for each in ready} == {size}
    assert {each.k for each in ready[:4]} == {0, 2, size - 3, size - 1}
    listed = places(client, *seed)
    assert [(each.k, each.n, each.ready) for each in listed] == [(k, size, 1) for k in range(size)]
    assert [each.blend for each in listed] == [0.0, 0.5, 1.0] * (size // 3)
    assert [each.y for each in listed][::3] == pytest.approx([0, 0.5, 1][:: 1 if size == 9 else 2])
    for y, named in rows:
        reply = client.request("/fuse", 1, *PAIR, *seed, *named, "@blend", 0.5)
        assert not reply.of(Queued), f"y {y} was made under another name"


def test_what_is_asked_for_in_vain_is_refused_and_changes_nothing(client: Client) -> None:
    seed = ("@seed", 41)
    for code, *options in (
        ("bad_setting", "@across", "cfg", "@recall", 1), ("bad_setting", "@m", 3),
        ("bad_setting", "@across", "recall", "@low", 0.5, "@high", 0.5),
        ("bad_setting", "@across", "eta", "@high", 2), ("bad_setting", "@across", "reference2"),
        ("bad_setting", "@across", "eta", "@reference2", "m"),
        ("bad_setting", "@across", "reference2", "@reference2", "m", "@m", 3),
        ("unknown_reference", "@across", "reference2", "@reference2", "nobody"),
        ("bad_option", "@across", "seed"),
    ):  # fmt: skip
        assert fails(client, "/fan", *PAIR, 3, *seed, *options) == code, options
    assert {each.y for each in places(client, *seed)} == {0.0}


def test_a_voice_that_plays_takes_up_its_grid_and_y_turns_its_recall(client: Client) -> None:
    seed = ("@seed", 42)
    fuse(client, *seed, "@recall", 0, "@blend", 0.5)
    client.request("/fan", *PAIR, 3, *seed, "@recall", 0, "@across", "recall", "@m", 3)
    axis(client, "recall", 0.0, 9)
    client.send("/scrub", 1, 0.5, 0.5)
    axis(client, "recall", 0.5, 9)
    half = rendered(client, *PAIR, *seed, "@blend", 0.5, "@recall", 0.5)
    until(lambda: is_heard(client, half))
    wait_for(client, VoiceState, lambda each: each.recall == pytest.approx(0.5))
    client.send("/voice/set", 1, "recall", 1)
    axis(client, "recall", 1.0, 9)
    whole = rendered(client, *PAIR, *seed, "@blend", 0.5, "@recall", 1)
    until(lambda: is_heard(client, whole))
    fuse(client, *seed)  # stays where the hand is
    assert is_heard(client, whole)


def test_y_between_two_references_is_kept_with_the_session(playing: Daemon, client: Client) -> None:
    seed = ("@seed", 43)
    client.request("/fan", *PAIR, 3, *seed, "@across", "reference2", "@reference2", "m")
    fuse(client, *seed, "@blend", 0.5)
    client.send("/voice/set", 1, "y", 1)
    other = rendered(client, "a", "m", *seed, "@recall", 0, "@blend", 0.5)
    until(lambda: is_heard(client, other))
    client.request("/session/save", "one")
    assert kept.read(playing.data / "sessions" / "one.toml").voices[0].y == 1
    client.request("/session/new", "two")
    axis(client, "", 0.0, 0)
    client.request("/session/load", "one")
    axis(client, "reference2", 1.0, 6)
    fuse(client, *seed)
    until(lambda: is_heard(client, other))


def test_a_pad_plays_its_corners_at_the_length_of_the_longest(client: Client) -> None:
    client.send("/pad/xy", 1, "a:r:0.5", "short:m", "a:m:0.2", "a:r", "@loop", 1)
    axis(client, "pad", 0.0, 4)
    state = wait_for(client, VoiceState, lambda each: each.state == "playing")
    assert (state.seconds, state.loop) == (pytest.approx(SECONDS, abs=1e-3), 1)
    client.send("/scrub", 1, 0, 0)
    corner = rendered(client, *PAIR, "@blend", 0.5)
    until(lambda: is_heard(client, corner))
    client.send("/scrub", 1, 0, 1)
    corner = rendered(client, "a", "m", "@blend", 0.2)
    until(lambda: is_heard(client, corner))
    fuse(client, "@blend", 0.5)
    assert wait_for(client, VoiceAxis, lambda each: each.across != "pad").of in (0, 6, 9)


def test_a_pad_with_an_unknown_corner_is_refused_whole(client: Client) -> None:
    fuse(client, "@blend", 0.5)
    before = rendered(client, *PAIR, "@blend", 0.5)
    for corner, code in (("nobody:r", "unknown_clip"), ("a:r:2", "bad_arguments"),
                         ("a", "bad_arguments"), ("a:nobody", "unknown_reference")):  # fmt: skip
        until(lambda corner=corner, code=code: refused(client, corner, code))
    assert is_heard(client, before)


def refused(client: Client, corner: str, code: str) -> bool:
    """Whether a pad with this corner was; such a message is answered once a second."""
    client.send("/pad/xy", 1, "a:r", "a:m", "a:r", corner)
    return any(isinstance(each, Fail) and each.code == code for each in client.events(0.3))


def test_a_pad_that_comes_to_nothing_leaves_the_voice_as_it_was(
    playing: Daemon, client: Client
) -> None:
    fuse(client, "@blend", 0.5)
    client.send("/stop", 1)
    until(lambda: client.request("/voice/list").of(VoiceState)[0].state == "silent")
    engine = playing.engine()
    engine.suspend()
    client.send("/pad/xy", 1, *(f"b:m:{0.41 + 0.01 * k:.2f}" for k in range(4)))
    wait_for(client, VoiceAxis, lambda each: each.corners.startswith("b:m:0.41"))
    client.send("/stop", 1)
    assert wait_for(client, Fail).code == "cancelled"
    engine.resume()
    state = client.request("/voice/list").of(VoiceState)[0]
    assert (state.state, state.original, state.reference) == ("silent", *PAIR)
    with playing.client() as other:
        other.notify()
        assert wait_for(other, VoiceAxis, lambda each: each.voice == 1).across != "pad"


def test_a_sounding_pad_is_gone_back_to(client: Client) -> None:
    client.send("/pad/xy", 1, "a:r:0.5", "a:m", "a:m:0.2", "a:r", "@loop", 1)
    axis(client, "pad", 0.0, 4)
    corner = rendered(client, *PAIR, "@blend", 0.5)
    fuse(client, "@blend", 0.3)
    goes(client, "/undo", "a:r:0.5")
    client.send("/scrub", 1, 0, 0)
    until(lambda: is_heard(client, corner))
    client.send("/pad/xy", 1, "a:m:0.2", "a:r:0.5", "a:m", "a:r", "@loop", 1)
    wait_for(client, VoiceAxis, lambda each: (each.corners[:7], each.ready) == ("a:m:0.2", 4))
    goes(client, "/undo", "a:r:0.5")
    until(lambda: is_heard(client, corner))
    goes(client, "/redo", "a:m:0.2")


def goes(client: Client, address: str, first: str) -> None:
    """To a pad that sounds and has this first corner."""
    client.events(0.1)
    client.send(address, 1)
    wait_for(client, VoiceAxis, lambda each: (each.corners[: len(first)], each.ready) == (first, 4))


def test_the_corners_of_a_pad_are_made_again_if_the_engine_died(
    playing: Daemon, client: Client
) -> None:
    rendered(client, *PAIR, "@blend", 0.5)
    fuse(client, "@blend", 0.5)
    engine = playing.engine()
    engine.suspend()  # with the second corner in its hands
    client.send("/pad/xy", 1, "a:r:0.5", "a:r:0.51", "a:m:0.52", "a:m:0.53", "@loop", 1)
    axis(client, "pad", 0.0, 1)
    engine.kill()
    axis(client, "pad", 0.0, 4)
