"""Which port a name means, with names as ALSA, JACK and its bridges give them."""

from __future__ import annotations

from pathlib import Path

import pytest

from eutectic.midi.names import assign, output_for, rank, stable

NANO = "nanoKONTROL2:nanoKONTROL2 MIDI 1"


@pytest.mark.parametrize(
    ("wanted", "name", "fits"),
    [
        (f"{NANO} 20:0", f"{NANO} 28:0", 0), (NANO, f"{NANO} 28:0", 0),
        ("nanoKONTROL2 MIDI 1", f"{NANO} 28:0", 0), ("nanokontrol2", f"{NANO} 28:0", 0),
        ("nano", f"{NANO} 28:0", 1), ("MIDI 1", f"{NANO} 28:0", 1),
        ("Port 1", "loopMIDI Port 1", 1), ("Port 1", "loopMIDI Port 10", None),
        ("Port 1", "Port 10", None), ("Port 1", "Port 1", 0), ("Port 10", "Port 1", None),
        ("1", "pads 11", None), ("2 out", "12 out", None), ("20:0", f"{NANO} 20:0", None),
        ("a2j:nanoKONTROL2 [20] (capture): nanoKONTROL2 MIDI 1",
         "a2j:nanoKONTROL2 [24] (playback): nanoKONTROL2 MIDI 1", 0),
        ("a2j:nanoKONTROL2", "a2j:nanoKONTROL2 [24] (capture): nanoKONTROL2 MIDI 1", 1),
        ("pads", "pads-01:out", 1), ("pads", "pads:out", 0), ("pad.", "pads:out", None),
        ("", "Midi Through:Midi Through Port-0 14:0", None), ("", "anything:out", 1),
        ("Midi Through", "Midi Through:Midi Through Port-0 14:0", 0),
    ],
)  # fmt: skip
def test_names_are_compared_without_what_changes_and_numbers_as_a_whole(
    wanted: str, name: str, fits: int | None
) -> None:
    assert rank(wanted, name) == fits


def test_of_several_ports_the_one_that_is_named_whole_is_taken() -> None:
    names = ["Port 10", "Port 1", "Port 11"]
    assert assign(["Port 1"], [None], names) == ["Port 1"]
    assert assign(["Port 1"], [None], ["Port 10", "Port 11"]) == [None]
    assert assign(["pads"], [None], ["pads-01:out", "pads:out"]) == ["pads:out"]


def cards(folder: Path, **sockets: str) -> Path:
    """The kernel's folder of sound cards, each in a USB socket."""
    for card, socket in sockets.items():
        (folder / "usb" / socket).mkdir(parents=True, exist_ok=True)
        (folder / card).mkdir(exist_ok=True)
        (folder / card / "device").unlink(missing_ok=True)
        (folder / card / "device").symlink_to(folder / "usb" / socket)
    return folder


def test_two_of_a_kind_are_told_apart_by_their_sockets_whatever_their_numbers(
    tmp_path: Path,
) -> None:
    """ALSA's client 16 + 4 n is card n."""
    wanted: list[str | None] = ["nano", "nano"]
    first, second = f"{NANO} 20:0", f"{NANO} 24:0"
    before = cards(tmp_path, card1="1-2", card2="1-1")
    assert assign(wanted, [None, None], [first, second], before) == [second, first]
    sockets = [f"{NANO} {tmp_path / 'usb' / each}" for each in ("1-1", "1-2")]
    after = cards(tmp_path, card1="1-1", card2="1-2")
    assert assign(wanted, sockets, [first, second], after) == [first, second]
    alone = cards(tmp_path, card1="1-2")
    assert assign(wanted, sockets, [first], alone) == [None, first]


def test_one_that_comes_back_does_not_take_the_place_of_another() -> None:
    had = ["pads:out", "pads-01:out"]
    assert assign([None, "pads"], had, ["pads-01:out"]) == [None, "pads-01:out"]
    assert assign(["pads", "pads"], had, ["pads-01:out"]) == [None, "pads-01:out"]
    assert assign(["pads", "pads"], had, ["pads-02:out"]) == ["pads-02:out", None]


def test_lights_are_those_of_the_controller_whose_controls_they_are() -> None:
    outputs = [f"{NANO} 20:0", f"{NANO} 24:0"]
    assert [output_for(each, "nano", outputs) for each in outputs] == outputs
    assert output_for(f"{NANO} 28:0", "nano", outputs) is None
    bridged = [f"a2j:nanoKONTROL2 [{n}] (playback): nanoKONTROL2 MIDI 1" for n in (20, 24)]
    named = bridged[1].replace("playback", "capture")
    assert output_for(named, named, bridged) == bridged[1]
    assert output_for("pads:out", "pads", ["pads lights:in"]) == "pads lights:in"
    assert stable(bridged[0]) == stable(bridged[1]) == "a2j:nanoKONTROL2: nanoKONTROL2 MIDI 1"
