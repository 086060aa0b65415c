"""Keyboards: keys that no control is bound to, the pedal, the wheel; and pads that strike notes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from eutectic.files.toml import BadState
from eutectic.midi.maps import read_map
from eutectic.midi.surface import Surface
from eutectic.osc.spec import PREFIX

Sent = list[tuple[str, tuple[Any, ...]]]
Played = Callable[..., Sent]

MAP = """format = 1
[keyboard]
{keyboard}
[[controls]]
message = "note"
number = 36
target = "/note 3 48.5 $ @gate 2"
[[controls]]
message = "cc"
channel = 3
number = 64
target = "/panic"
"""


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str], tuple[Surface, Played]]:
    """A controller with a keyboard, and what it sends for MIDI messages."""

    def make(keyboard: str = "") -> tuple[Surface, Played]:
        path = tmp_path / "map.toml"
        path.write_text(MAP.format(keyboard=keyboard))
        surface, sent = Surface(path, tmp_path / "own.toml", None), []
        surface.connect(
            lambda peer, address, values, due: sent.append((address.removeprefix(PREFIX), values)),
            lambda request: None,
        )

        def play(*data: int) -> Sent:
            sent.clear()
            surface.receive(list(data))
            return list(sent)

        return surface, play

    return make


@pytest.fixture
def play(make: Callable[..., tuple[Surface, Played]]) -> Played:
    return make()[1]


def test_keys_play_the_voice_in_focus_and_are_let_go_once(play: Played) -> None:
    assert play(0x90, 60, 100) == [("/note", (0, 60, 100))]
    assert play(0x80, 60, 64) == [("/note", (0, 60, 0))]
    assert play(0x80, 60, 64) == []
    assert play(0x90, 60, 1, 60, 0) == [("/note", (0, 60, 1)), ("/note", (0, 60, 0))]


def test_a_map_says_which_channel_and_voice_a_keyboard_has(
    make: Callable[..., tuple[Surface, Played]],
) -> None:
    _, play = make("channel = 2\nvoice = 4")
    assert play(0x90, 60, 100) == []
    assert play(0x91, 60, 100) == [("/note", (4, 60, 100))]


def test_a_key_that_is_bound_does_only_that(play: Played) -> None:
    assert play(0x90, 36, 127) == [("/note", (3, 48.5, 127.0, "@gate", 2))]
    assert play(0x80, 36, 0) == [("/note", (3, 48.5, 0, "@gate", 2))]


def test_the_pedal_holds_keys_until_it_is_let_go(play: Played) -> None:
    play(0x90, 60, 100)
    assert play(0xB0, 64, 127) == []
    assert play(0x80, 60, 0) == []
    assert play(0x90, 60, 90, 62, 90) == [("/note", (0, 60, 90)), ("/note", (0, 62, 90))]
    assert play(0x80, 62, 0) == []
    assert play(0xB0, 64, 0) == [("/note", (0, 62, 0))]
    assert play(0x80, 60, 0) == [("/note", (0, 60, 0))]


def test_a_pedal_is_of_its_channel_and_one_that_is_bound_is_none(play: Played) -> None:
    play(0xB1, 64, 127)
    play(0x90, 60, 100)
    assert play(0x80, 60, 0) == [("/note", (0, 60, 0))]
    play(0x92, 60, 100)
    assert play(0xB2, 64, 127) == [("/panic", ())]
    assert play(0x82, 60, 0) == [("/note", (0, 60, 0))]


@pytest.mark.parametrize("number", [120, 123])
def test_all_notes_off_lets_all_of_the_channel_go(play: Played, number: int) -> None:
    play(0xB0, 64, 127)
    play(0x90, 60, 100, 62, 100)
    play(0x80, 60, 0)
    play(0x91, 65, 100)
    assert sorted(play(0xB0, number, 0)) == [("/note", (0, 60, 0)), ("/note", (0, 62, 0))]
    play(0x90, 67, 100)
    assert play(0x80, 67, 0) == [("/note", (0, 67, 0))]  # the pedal counts as up
    assert play(0x81, 65, 0) == [("/note", (0, 65, 0))]


def test_the_wheel_bends_by_whole_semitones_at_its_ends_and_none_in_the_middle(
    make: Callable[..., tuple[Surface, Played]],
) -> None:
    for keyboard, semitones in (("", 2), ("bend = 12", 12)):
        _, play = make(keyboard)
        bends = [play(0xE0, *data)[0] for data in ((0, 64), (127, 127), (0, 0))]
        assert [(address, values[:2]) for address, values in bends] == [
            ("/voice/set", (0, "bend"))
        ] * 3
        up = semitones * 8191 / 8192
        assert [values[2] for _, values in bends] == pytest.approx([0, up, -semitones], abs=1e-9)


def test_a_controller_that_is_unplugged_lets_everything_go(
    make: Callable[..., tuple[Surface, Played]],
) -> None:
    surface, play = make()
    play(0xB0, 64, 127)
    play(0x90, 60, 100, 62, 100, 36, 100)
    play(0x80, 60, 0)
    play(0xE0, 0, 100)
    sent: Sent = []
    surface.connect(
        lambda peer, address, values, due: sent.append((address, values)), lambda _: None
    )
    surface.let_go()
    keys = [values[:3] for address, values in sent if address.endswith("/note")]
    assert sorted(keys) == [(0, 60, 0), (0, 62, 0), (3, 48.5, 0)]
    assert [values for _, values in sent if values[1] == "bend"] == [(0, "bend", 0.0)]
    sent.clear()
    surface.plugged_in()
    assert sent == []


def test_what_is_held_is_let_go_before_its_keys_mean_something_else(
    make: Callable[..., tuple[Surface, Played]], tmp_path: Path
) -> None:
    surface, play = make()
    sent: Sent = []
    play(0x90, 60, 100, 36, 100)
    surface.connect(lambda peer, address, values, due: sent.append((address, values)), ANY)

    async def learn() -> None:
        moved = asyncio.ensure_future(surface.moved())
        await asyncio.sleep(0)  # until then a key's release would be learned, and not played
        moved.cancel()

    asyncio.run(learn())
    assert sorted(values[:3] for _, values in sent) == [(0, 60, 0), (3, 48.5, 0)]
    surface.receive([0x90, 62, 100])
    sent.clear()
    (tmp_path / "map.toml").write_text("format = 1")
    asyncio.run(surface.reload())
    assert [values for _, values in sent] == [(0, 62, 0)]


@pytest.mark.parametrize("wrong", ["channel = 17", "voice = -1", "bend = 30", "octave = 1"])
def test_a_keyboard_that_cannot_be_is_refused(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "map.toml"
    path.write_text(MAP.format(keyboard=wrong))
    with pytest.raises(BadState, match="keyboard"):
        read_map(path)
