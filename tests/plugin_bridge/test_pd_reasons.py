"""The patches for Pure Data say what failed, and show what plays: a real Pd, a real daemon."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

import pytest

import pd
from daemons import daemon, until, wait_for
from eutectic.client.daemon_process import Daemon
from eutectic.client.sync import Client
from eutectic.osc.answers import VoiceState
from loras import write_lora
from pd import Panel, Pd, patch_of

pytestmark = pytest.mark.process

START = "start `eutectic serve`"
NAMES = ("eutectic", "eutectic.clip glass", "eutectic.reference low", "eutectic.voice 1",
         "eutectic.voice 9", "eutectic.buffer left", "eutectic.request /fan")  # fmt: skip


@pytest.fixture
def patch(running: Daemon, tmp_path: Path) -> Generator[Pd]:
    """All abstractions in one patch, connected."""
    with Pd(tmp_path, patch_of(tmp_path, *NAMES), port=running.port) as process:
        until(lambda: any(each.word == "ready" for each in process.panels))
        yield process


def reasons(patch: Pd) -> list[str]:
    return [each.reason for each in patch.panels if each.reason]


def showing(patch: Pd, word: str, reason: str = "") -> Panel:
    """The panel that shows a word and the beginning of a reason, once there is one."""

    def found() -> list[Panel]:
        alike = [each for each in patch.panels if each.word == word]
        return [
            each for each in alike
            if each.reason.startswith(reason) and bool(reason) == bool(each.lines)
        ]  # fmt: skip

    try:
        until(lambda: bool(found()), 10)
    except AssertionError:
        raise AssertionError(f"{word} {reason}: {patch.panels} {patch.said}") from None
    return found()[0]


def printed(patch: Pd) -> list[str]:
    return [line for line in patch.said if line.startswith("eutectic: ")]


FAILURES = [
    ("clip-glass", ("load", "nothing.wav"), ("load", "a.wav"),
     "no_file", "clip glass: nothing.wav: no such file; looked in "),
    ("clip-glass", ("load", "../../etc/passwd"), ("load", "a.wav"),
     "bad_path", "clip glass: ../../etc/passwd: is not under "),
    ("reference-low", ("remember", "nobody"), ("remember", "b"),
     "unknown_clip", "reference low: there is no clip nobody; /clip/load loads one"),
    ("voice-1", ("fuse", "a", "nobody"), ("fuse", "a", "r"),
     "unknown_reference", "voice 1: there is no reference nobody; "),
    ("voice-9", ("fuse", "a", "r"), None,
     "unknown_voice", "voice 9: there are 4 voices (serve --voices)"),
    ("voice-1", ("fuse", "a"), ("fuse", "a", "r"), "bad_arguments",
     "voice 1: reference is missing: "),
    ("buffer-left", ("render", "nobody", "r"), ("render", "a", "r"),
     "unknown_clip", "buffer left: there is no clip nobody; "),
    ("request-fan", ("a", "nobody", 3), ("a", "r", 3),
     "unknown_reference", "request /fan: there is no reference nobody; "),
]  # fmt: skip


@pytest.mark.parametrize(
    ("receiver", "wrong", "right", "code", "text"), FAILURES, ids=lambda value: str(value)[:30]
)
def test_a_failure_is_said_where_it_was_asked_and_once_in_the_console(
    patch: Pd, client: Client, receiver: str, wrong: tuple[float | str, ...],
    right: tuple[float | str, ...] | None, code: str, text: str,
) -> None:  # fmt: skip
    """Pressed three times, it is printed once; what works clears it, and then it is news again."""
    for _ in range(3):
        patch.send(f"do.{receiver}", *wrong)
        time.sleep(0.1)
    _, _, reason = text.partition(": ")
    panel = showing(patch, code, reason[:30])
    assert all(len(line) <= 40 for line in panel.lines)
    assert reasons(patch) == [panel.reason]
    client.request("/sync")
    (line,) = printed(patch)
    assert line.startswith(f"eutectic: {text}")
    if right is not None:
        patch.send(f"do.{receiver}", *right)
        until(lambda: not reasons(patch))
        patch.send(f"do.{receiver}", *wrong)
        showing(patch, code, reason[:30])
        assert printed(patch) == [line, line]


def test_what_has_no_id_fails_in_the_connection_s_panel(patch: Pd) -> None:
    for step in range(20):
        patch.send("do.voice-9", step / 20)
        time.sleep(0.1)
    showing(patch, "ready", "/scrub: there are 4 voices (serve --voices)")
    assert printed(patch) == ["eutectic: /scrub: there are 4 voices (serve --voices)"]
    patch.send("do.eutectic", "/ping", 7)
    until(lambda: not reasons(patch))


def test_a_long_reason_is_cut_between_words_into_two_lines(patch: Pd) -> None:
    patch.send("do.clip-glass", "load", "日本" * 40 + ".wav")
    panel = showing(patch, "no_file", "日本")
    assert len(panel.lines) == 2 and panel.lines[1].endswith("…")
    assert set("".join(panel.lines)) <= set("日本…")
    patch.send("do.clip-glass", "load", "a-name-without-any-end.wav")
    until(lambda: any(each.lines[:1] == ["a-name-without-any-end.wav: no such"]
                      for each in patch.panels))  # fmt: skip


def test_cancelling_what_is_not_there_leaves_the_state_as_it_is(patch: Pd) -> None:
    patch.send("do.clip-glass", "load", "a.wav")
    showing(patch, "ready")
    until(lambda: sum(each.word == "ready" for each in patch.panels) == 2)
    patch.send("do.clip-glass", "cancel")
    showing(patch, "ready", "request")
    assert len(printed(patch)) == 1


def test_no_daemon_is_said_where_something_was_asked_and_once_in_the_console(
    tmp_path: Path,
) -> None:
    """Pd is there first; the daemon comes, dies while it plays, and comes again."""
    first = daemon(tmp_path)
    with first as process:
        port = process.port
    first.options = (*first.options, "--port", str(port))
    with Pd(tmp_path, patch_of(tmp_path, *NAMES), port=port) as patch:
        showing(patch, "no-answer", START)
        assert reasons(patch) == [START]
        patch.send("do.clip-glass", "load", "a.wav")
        patch.send("do.voice-1", "fuse", "a", "r")
        until(lambda: reasons(patch) == [START] * 3)
        assert printed(patch) == [f"eutectic: nothing answers: {START}"]
        with first, first.client() as client:
            until(lambda: not reasons(patch))
            client.request("/clip/load", "a", "a.wav")
            client.request("/reference/remember", "r", "a")
            patch.send("do.voice-1", "fuse", "a", "r", "@loop", 1)
            patch.wait("playing: 1")
            showing(patch, "playing")
            first.kill()
            patch.wait("playing: 0")
            until(lambda: len(printed(patch)) == 2)
            assert not any(each.word == "playing" for each in patch.panels)
            assert set(reasons(patch)) == {START}
        with first:
            until(lambda: not reasons(patch))
        assert len(printed(patch)) == 2 or printed(patch)[2:] == printed(patch)[:1]


def test_a_lora_is_loaded_and_played_by_a_patch(running: Daemon, client: Client, patch: Pd) -> None:
    path = write_lora(running.data.parent / "clips" / "tape.safetensors")
    patch.send("do.reference-low", "load", "absent.safetensors")
    showing(patch, "no_file", "absent.safetensors: no such file")
    patch.send("do.reference-low", "load", path.name, "@strength", 0.5)
    until(lambda: [each.state for each in client.references() if each.reference == "low"] ==
          ["learned"])  # fmt: skip
    patch.send("do.voice-1", "strength", 0.25)
    patch.send("do.voice-1", "fuse", "a", "low", "@loop", 1)
    patch.wait("playing: 1")
    path.unlink()


def test_a_patch_without_a_connection_says_so(tmp_path: Path) -> None:
    with Pd(tmp_path, patch_of(tmp_path, "eutectic.clip glass"), port=9) as patch:
        patch.send("do.clip-glass", "load", "a.wav")
        showing(patch, "no-answer", "open [eutectic]")
        assert not printed(patch)


# Knobs


def knobs(patch: Pd) -> tuple[float | None, float | None]:
    """Blend and gain of voice 1, where the daemon has put them."""
    found = [each for each in patch.panels if each.knob("blend") is not None]
    return (found[0].knob("blend"), found[0].knob("gain")) if found else (None, None)


def test_knobs_are_where_another_client_puts_them_and_send_nothing_back(
    patch: Pd, running: Daemon, client: Client
) -> None:
    with running.client() as other:
        other.send("/notify", 1)
        wait_for(other, VoiceState)
        time.sleep(0.5)
        other.events()
        for blend, gain in ((0.9, -30), (0.1, -3)):
            client.send("/scrub", 1, blend)
            client.send("/voice/set", 1, "gain", gain)
            until(lambda blend=blend, gain=gain: knobs(patch) == (blend, gain))
        seen = [each for each in other.events(0.5) if isinstance(each, VoiceState)]
        assert {(round(each.blend, 3), each.gain) for each in seen} <= {
            (0.9, 0), (0.9, -30), (0.1, -30), (0.1, -3)
        }  # fmt: skip
        client.request("/preset/save", "low")
        client.send("/voice/set", 1, "gain", 0)
        until(lambda: knobs(patch)[1] == 0)
        client.request("/preset/load", "low")
        until(lambda: knobs(patch) == (0.1, -3))
        client.send("/voice/set", 1, "gain", 0)


def test_a_knob_that_is_moved_is_not_pulled_back(patch: Pd, client: Client) -> None:
    client.send("/scrub", 1, 0.5)
    until(lambda: knobs(patch)[0] == 0.5)
    for step in range(31):
        patch.send("do.voice-1", step / 30)
        time.sleep(0.03)
        assert knobs(patch)[0] == 0.5, "nothing is set while it moves"
    until(lambda: knobs(patch)[0] == 1)


def test_two_pds_show_the_same(patch: Pd, running: Daemon, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    with Pd(folder, patch_of(folder, "eutectic", "eutectic.voice 1"), port=running.port) as other:
        until(lambda: knobs(other)[0] is not None)
        patch.send("do.voice-1", 0.25)
        until(lambda: knobs(other)[0] == 0.25)
        other.send("do.voice-1", 0.75)
        until(lambda: knobs(patch)[0] == 0.75)


def test_a_patch_that_is_opened_later_shows_the_present_state(
    patch: Pd, client: Client, tmp_path: Path
) -> None:
    client.send("/scrub", 1, 0.125)
    until(lambda: knobs(patch)[0] == 0.125)
    folder = tmp_path / "later"
    folder.mkdir()
    late = patch_of(folder, "eutectic.voice 1")
    patch.send("pd", "open", late.name, str(folder))
    until(lambda: sum(each.knob("blend") == 0.125 for each in patch.panels) == 2)


def test_the_two_knobs_of_the_example_show_what_plays(
    running: Daemon, client: Client, tmp_path: Path
) -> None:
    example = pd.FOLDER / "examples" / "two-knob-fusion.pd"
    watch = tmp_path / "watch.pd"
    watch.write_text(
        "#N canvas 0 0 300 260 12;\n"
        "#X obj 20 20 r eutectic.knob.1;\n#X obj 20 50 print one;\n#X connect 0 0 1 0;\n"
        "#X obj 20 20 r eutectic.knob.2;\n#X obj 20 50 print two;\n#X connect 2 0 3 0;\n"
    )
    with Pd(tmp_path, example, watch, port=running.port) as patch:
        patch.send("eutectic.prepare", "bang")
        until(lambda: sum(each.word == "ready" for each in patch.panels) == 4)
        patch.send("eutectic.play", "bang")
        patch.wait("two: set 1$")
        client.send("/voice/set", 1, "recall", 0.25)
        client.send("/scrub", 1, 0.75)
        patch.wait("one: set 0.75$")
        patch.wait("two: set 0.25$")
