"""Controllers: maps, what controls do, and a real daemon on real MIDI ports of JACK's."""

import asyncio
import itertools
import re
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import rtmidi

from daemons import daemon, fails, prepare, until, wait_for
from eutectic.client.daemon_process import Daemon, status
from eutectic.client.sync import Client
from eutectic.experiments.live.jack_server import Jack
from eutectic.files.shipped import presets_folder
from eutectic.files.toml import BadState
from eutectic.midi import surface
from eutectic.midi.maps import parse_target, read_map
from eutectic.midi.surface import Surface
from eutectic.osc.answers import Queued
from eutectic.osc.spec import PREFIX, BadRequest

MAPS = sorted(presets_folder("controllers").glob("*.toml"))

MAP = """format = 1
device = "pads"
[leds]
off = 0
ready = 5
working = 4
playing = 1
[keyboard]
channel = 2
[[controls]]
message = "note"
number = 36
target = "/fuse 1 a r @blend 0.5 @loop 1 @velocity $"
[[controls]]
message = "note"
number = 37
target = "/stop 1"
[[controls]]
message = "cc"
number = 20
count = 2
target = "/scrub # $"
[[controls]]
message = "cc"
number = 30
target = "/voice/set 1 gain $"
range = [-60.0, 6.0]
bottom = -200.0
takeover = false
[[controls]]
message = "cc14"
number = 2
channel = 3
target = "/voice/set 1 pan $"
takeover = false
[[controls]]
message = "cc"
number = 40
mode = "twos"
target = "/master/gain $"
range = [-63.5, 0.0]
[[controls]]
message = "cc"
number = 50
target = "/panic"
[[controls]]
message = "cc"
number = 60
target = "/voice/set 1 cutoff $"
[[controls]]
message = "cc"
number = 61
mode = "twos"
target = "/voice/filter 1 low $"
range = [100.0, 12700.0]
[[controls]]
message = "pitch"
target = "/voice/set 2 pan $"
takeover = false
"""


class Desk:
    """Receives what a controller sends, and holds the values that it changes."""

    def __init__(self, path: Path) -> None:
        self.sent: list[tuple[str, tuple[Any, ...]]] = []
        self.values: dict[str, float] = {}
        self.surface = Surface(path, path.with_name("own.toml"), None)
        self.surface.connect(self.take, lambda request: self.values.get(request.address))

    def take(self, peer: object, address: str, values: tuple[Any, ...], due: object) -> None:
        self.sent.append((address.removeprefix(PREFIX), values))

    def move(self, *data: int) -> list[tuple[str, tuple[Any, ...]]]:
        """What a MIDI message makes the controller send."""
        self.sent.clear()
        self.surface.receive(list(data))
        return list(self.sent)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    path = tmp_path / "map.toml"
    path.write_text(MAP)
    return Desk(path)


@pytest.mark.parametrize("path", MAPS, ids=lambda path: path.stem)
def test_every_map_that_ships_loads_and_no_control_does_two_things(path: Path) -> None:
    found, controls = read_map(path)
    assert found.description.endswith(".")
    places = [(each.control.message, each.control.channel, each.number) for each in controls]
    assert len(set(places)) == len(places) > 20
    addresses = {each.target.address for each in controls}
    assert {"/fuse", "/scrub", "/stop", "/panic"} <= addresses or path.stem == "launchpad"


def test_a_pad_fuses_with_its_velocity_and_its_release_sends_nothing(desk: Desk) -> None:
    ((address, values),) = desk.move(0x90, 36, 100)
    assert (address, values[1:]) == (
        "/fuse", (1, "a", "r", "@blend", 0.5, "@loop", 1, "@velocity", 100.0)
    )  # fmt: skip
    assert desk.move(0x80, 36, 0) == desk.move(0x90, 36, 0) == []
    ((_, again),) = desk.move(0x90, 36, 1)
    assert again[0] != values[0]


def test_a_button_that_sends_control_changes_acts_once_a_press(desk: Desk) -> None:
    assert desk.move(0xB0, 50, 127) == [("/panic", ())]
    assert desk.move(0xB0, 50, 127) == []
    assert desk.move(0xB0, 50, 0) == []
    assert desk.move(0xB0, 50, 127) == [("/panic", ())]


def test_a_fader_covers_its_range_and_its_bottom_is_silence(desk: Desk) -> None:
    gains = [desk.move(0xB0, 30, value)[0][1][2] for value in (0, 1, 127)]
    assert gains == [-200.0, pytest.approx(-60 + 66 / 127), 6.0]


def test_a_knob_takes_over_at_the_value_and_lets_go_when_that_is_changed(desk: Desk) -> None:
    desk.values["/scrub"] = 0.5
    assert desk.move(0xB0, 20, 10) == []
    assert desk.move(0xB0, 20, 40) == []
    ((address, values),) = desk.move(0xB0, 20, 70)  # crosses it
    assert (address, values) == ("/scrub", (1, pytest.approx(70 / 127)))
    desk.values["/scrub"] = values[1]
    assert desk.move(0xB0, 20, 100)[0][1][1] == pytest.approx(100 / 127)
    desk.values["/scrub"] = 0.1  # by another client
    assert desk.move(0xB0, 20, 101) == []
    assert desk.move(0xB0, 20, 13)[0][1][1] == pytest.approx(13 / 127)


def test_a_knob_never_jumps_by_more_than_it_is_moved(desk: Desk) -> None:
    desk.values["/scrub"] = 0.8
    heard = 0.8
    for value in [*range(0, 128, 3), *range(127, -1, -2), *range(0, 128)]:
        for _, values in desk.move(0xB0, 20, value):
            assert abs(values[1] - heard) <= 3.5 / 127
            heard = desk.values["/scrub"] = values[1]
    assert heard == 1.0


def test_a_cutoff_turns_in_octaves_and_takes_over_where_it_is(desk: Desk) -> None:
    desk.values["/voice/set"] = 20.0
    cutoffs = [desk.move(0xB0, 60, value)[0][1][2] for value in (0, 127)]
    assert cutoffs == [pytest.approx(20), pytest.approx(20_000)]
    desk.values["/voice/set"] = 632.0  # half way to the ear
    assert desk.move(0xB0, 60, 100) == []
    assert desk.move(0xB0, 60, 64)[0][1][2] == pytest.approx(20 * 1000 ** (64 / 127))
    desk.values["/voice/filter"] = 1000.0
    octave = 127 ** (1 / 127)
    assert desk.move(0xB0, 61, 2)[0][1] == (1, "low", pytest.approx(1000 * octave**2))


def test_fourteen_bits_are_joined(desk: Desk) -> None:
    coarse = desk.move(0xB2, 2, 64)[0][1][2]
    fine = desk.move(0xB2, 34, 1)[0][1][2]
    assert 0 < fine - coarse == pytest.approx(2 / 16383)
    assert desk.move(0xB0, 2, 64) == []  # another channel's


@pytest.mark.parametrize("order", [(2, 34), (34, 2)])
def test_a_fourteen_bit_fader_moves_without_a_dip_whichever_half_is_first(
    desk: Desk, order: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = itertools.count(100.0, 0.01)

    async def move() -> None:
        for value in [*range(8000, 8300), *range(8300, 7000, -50), *range(7000, 16384, 300)]:
            halves = {2: value >> 7, 34: value & 127}
            monkeypatch.setattr(surface.time, "monotonic", partial(float, next(now)))
            made = [each for number in order for each in desk.move(0xB2, number, halves[number])]
            if value > 8000 or order[0] == 34:  # until then no lower half is known
                assert [values[2] for _, values in made] == [pytest.approx(value / 16383 * 2 - 1)]

    asyncio.run(move())


def test_half_a_value_is_used_soon_if_the_other_half_is_not_sent(desk: Desk) -> None:
    async def move() -> list[tuple[str, tuple[Any, ...]]]:
        for number, value in ((2, 64), (34, 127), (2, 65)):
            desk.move(0xB2, number, value)
        assert not desk.sent
        while not desk.sent:
            await asyncio.sleep(0.005)
        return desk.sent

    ((_, values),) = asyncio.run(asyncio.wait_for(move(), 10))
    assert values[2] == pytest.approx((65 << 7) / 16383 * 2 - 1)


def test_running_status_is_followed_until_the_controller_is_plugged_in_again(desk: Desk) -> None:
    assert desk.move(0xB0, 30, 0) == desk.move(30, 0) != []
    assert len(desk.move(0x90, 36, 1, 37, 1)) == 2
    desk.surface.plugged_in()
    assert desk.move(36, 1) == []


def test_the_wheel_covers_the_whole_range(desk: Desk) -> None:
    ends = [desk.move(0xE0, *data)[0][1][2] for data in ((0, 0), (127, 127))]
    assert ends == [-1.0, 1.0]


@pytest.mark.parametrize(
    ("mode", "up", "down"), [("twos", 1, 127), ("offset", 65, 63), ("sign", 1, 65)]
)
def test_encoders_count_from_the_current_value(
    tmp_path: Path, mode: str, up: int, down: int
) -> None:
    path = tmp_path / "map.toml"
    path.write_text(MAP.replace('mode = "twos"', f'mode = "{mode}"'))
    desk = Desk(path)
    desk.values["/master/gain"] = -10.0
    assert desk.move(0xB0, 40, up) == [("/master/gain", (pytest.approx(-9.5),))]
    assert desk.move(0xB0, 40, down) == [("/master/gain", (pytest.approx(-10.5),))]
    desk.values["/master/gain"] = 0.0
    assert desk.move(0xB0, 40, up) == [("/master/gain", (0.0,))]


def test_lights_are_sent_on_changes_and_again_once_the_controller_is_plugged_in(desk: Desk) -> None:
    lit: list[list[int]] = []
    desk.surface.open(lit.append)
    for state in ("off", "ready", "ready", "working", "playing"):
        desk.surface.show(lambda pad, state=state: state)
    assert lit == [[0x90, 36, value] for value in (0, 5, 4, 1)]
    desk.surface.plugged_in()
    desk.surface.show(lambda pad: "playing")
    assert lit[-1] == [0x90, 36, 1]
    assert len(lit) == 5


def test_an_output_that_is_opened_later_is_lit_and_what_is_held_plays_on(desk: Desk) -> None:
    lit: list[list[int]] = []
    desk.surface.open(lit.append)
    desk.surface.show(lambda pad: "playing")
    desk.move(0x91, 60, 100)
    desk.surface.darken()
    desk.surface.show(lambda pad: "playing")
    assert lit == 2 * [[0x90, 36, 1]]
    assert desk.sent == [("/note", (0, 60, 100))]
    assert desk.move(60, 0) == [("/note", (0, 60, 0))]  # running status


@pytest.mark.parametrize(
    "target", ["/nothing", "/fuse 1", "/scrub 1 2", "/scrub 99 $", "/fuse 1 $ r",
               "/fuse 1 a r @blend 7", "", "/fuse 1 a r @nothing $"]
)  # fmt: skip
def test_a_target_that_is_not_a_request_is_refused(target: str) -> None:
    with pytest.raises((BadRequest, ValueError)):
        parse_target(target)


@pytest.mark.parametrize(
    ("was", "becomes", "at", "words"),
    [
        ('"/panic"', '"/panik"', '"/panik"', "target: there is no /panik"),
        (
            "number = 20\ncount = 2",
            "number = 120\ncount = 20",
            "/scrub #",
            "target: number 128 is beyond 127",
        ),
        (
            "range = [-63.5, 0.0]",
            "range = [-63.5, 99.0]",
            "/master/gain",
            "target: range: gain must be",
        ),
        ("number = 30", "number = 300", "number = 300", "number: "),
        ("playing = 1", "shining = 1", "shining", "shining: unknown field"),
    ],
)
def test_a_wrong_map_is_refused_with_its_file_line_and_key(
    tmp_path: Path, was: str, becomes: str, at: str, words: str
) -> None:
    path = tmp_path / "map.toml"
    path.write_text(text := MAP.replace(was, becomes))
    (line,) = [n for n, each in enumerate(text.splitlines(), 1) if at in each]
    with pytest.raises(BadState, match=re.escape(f"{path}:{line}: {words}")):
        read_map(path)


def test_what_is_learned_is_kept_in_the_users_own_map(desk: Desk, tmp_path: Path) -> None:
    async def learn() -> str:
        learning = asyncio.ensure_future(desk.surface.learn("/scrub 2 $", 5))
        await asyncio.sleep(0)
        desk.surface.receive([0xB0, 50, 99])
        return await learning

    assert asyncio.run(learn()) == "cc 50 channel 1"
    assert desk.move(0xB0, 50, 127) == [("/scrub", (2, 1.0))]
    assert desk.move(0xB0, 21, 127) == [("/scrub", (2, 1.0))]
    _, controls = read_map(tmp_path / "own.toml")
    assert [each.target.address for each in controls if each.number == 50] == ["/scrub"]
    assert (tmp_path / "map.toml").read_text() == MAP


def test_learning_a_fourteen_bit_fader_replaces_what_its_halves_did(
    desk: Desk, tmp_path: Path
) -> None:
    async def learn() -> str:
        learning = asyncio.ensure_future(desk.surface.learn("/scrub 2 $", 5))
        await asyncio.sleep(0)
        for data in (
            [0xB0, 99, 1],
            [0xB0, 98, 1],
            [0xB0, 6, 3],
            [0xD0, 50],
            [0xA0, 36, 5],
            [0xFE],
            [0xF8],
            [0xB0, 123, 1],
            [0xB0, 50, 0],
            [0xB0, 20, 9],
            [0xB0, 52, 9],
        ):
            desk.surface.receive(data)
        return await learning

    assert asyncio.run(learn()) == "cc14 20 channel 1"
    _, controls = read_map(tmp_path / "own.toml")
    found = [each.control.message for each in controls if each.number in (20, 52)]
    assert found == ["cc14"]


class Pads:
    """A controller that can be plugged in: its ports, and the states of its lights.

    The lights' port stays open: JACK may never run a client that is opened while others are.
    """

    def __init__(self, name: str = "pads") -> None:
        self._name = name
        self._lit: dict[int, int] = {}
        self._in = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name=f"{name} lights")
        self._in.open_virtual_port("in")

    @property
    def lit(self) -> dict[int, int]:
        while event := self._in.get_message():
            (_, number, value), _ = event
            self._lit[number] = value
        return self._lit

    @contextmanager
    def plugged_in(self) -> Generator[Any]:
        """Its output port, while it is plugged in."""
        self.lit.clear()
        out = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name=self._name)
        out.open_virtual_port("out")
        try:
            yield out
        finally:
            out.delete()

    def close(self) -> None:
        self._in.delete()


@pytest.fixture(scope="module")
def pads() -> Generator[Pads]:
    with Jack():
        pads = Pads()
        yield pads
        pads.close()


@pytest.fixture(scope="module")
def running(pads: Pads, tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Daemon, Path]]:
    folder = tmp_path_factory.mktemp("midi")
    path = folder / "stage.toml"
    path.write_text(MAP)
    with daemon(folder, "--midi", "pads", "--controller", str(path)) as process:
        with process.client() as client:
            prepare(client)
        yield process, path


@pytest.mark.realtime
def test_a_controller_plays_is_lit_and_can_be_unplugged_and_plugged_in_again(
    running: tuple[Daemon, Path], pads: Pads
) -> None:
    process, _ = running
    with process.client() as client:
        for _ in range(2):
            with pads.plugged_in() as out:
                until(lambda: pads.lit.get(36) == 5)
                out.send_message([0x90, 36, 100])
                until(lambda: status(client)["voices"].startswith("1 of"))
                until(lambda: pads.lit.get(36) == 1)
                out.send_message([0x90, 37, 100])
                until(lambda: status(client)["voices"].startswith("none"))
                until(lambda: pads.lit.get(36) == 5)
            until(lambda: "disconnected" in process.log.split("MIDI: pads")[-1])


@pytest.mark.realtime
def test_a_keyboard_plays_the_voice_in_focus_and_unplugged_lets_its_keys_go(
    running: tuple[Daemon, Path], pads: Pads
) -> None:
    process, _ = running
    with process.client() as client:
        client.request("/fuse", 2, "a", "r", "@blend", 0.5)
        client.send("/stop", 2)
        until(lambda: status(client)["voices"].startswith("none"))
        client.send("/voice/set", 2, "loop", 1)
        client.send("/focus", 2)
        with pads.plugged_in() as out:
            until(lambda: pads.lit.get(36) == 5)
            for key in (60, 64):
                out.send_message([0x91, key, 100])
            until(lambda: status(client)["notes"] == "2 sounding")
            out.send_message([0x81, 60, 0])
            until(lambda: status(client)["notes"] == "1 sounding")
        until(lambda: status(client)["notes"] == "none sounding")


@pytest.mark.realtime
def test_a_controller_that_is_back_in_a_moment_still_plays(
    running: tuple[Daemon, Path], pads: Pads
) -> None:
    """A loose plug: whether or not a look at all ports falls between."""
    process, _ = running
    with process.client() as client:
        for _ in range(3):
            begin = process.log.count(" connected")
            with pads.plugged_in() as out:
                until(lambda before=begin: process.log.count(" connected") > before)
                out.send_message([0x90, 36, 100])
                until(lambda: status(client)["voices"].startswith("1 of"))
                out.send_message([37, 100])  # running status
                until(lambda: status(client)["voices"].startswith("none"))
        until(lambda: "disconnected" in process.log.split("MIDI: pads")[-1])


@pytest.mark.realtime
def test_a_control_is_learned_over_osc(running: tuple[Daemon, Path], pads: Pads) -> None:
    process, path = running
    with process.client() as client, pads.plugged_in() as out:
        assert fails(client, "/midi/learn", "/nothing") == "unknown_address"
        until(lambda: pads.lit.get(36) == 5)
        number = client.begin("/midi/learn", "/voice/set", 2, "gain", "$")
        wait_for(client, Queued, lambda queued: queued.id == number)
        out.send_message([0xB4, 77, 64])
        assert client.end("/midi/learn", number).found.control == "cc 77 channel 5"
        assert "/voice/set 2 gain $" in path.read_text()
        path.write_text("format = 1\n[[controls]]\nmessage = 'cc'\ntarget = '/panik'\n")
        until(lambda: f"{path}:4: target: there is no /panik" in process.log)
        out.send_message([0x90, 36, 100])  # as before
        until(lambda: status(client)["voices"].startswith("1 of"))


@pytest.mark.realtime
def test_two_controllers_of_one_kind_each_do_what_they_learned(pads: Pads, tmp_path: Path) -> None:
    """JACK calls the second pads-01; each keeps its place while the other is unplugged."""
    path = tmp_path / "stage.toml"
    path.write_text(text := MAP.replace("/stop 1", "/panic"))
    options = ("--midi", "pads", "--midi", "pads", "--controller", str(path))
    with daemon(tmp_path, *options) as process, process.client() as client:
        prepare(client)

        def playing(*voices: int) -> None:
            until(lambda: {f"voice {n}" for n in voices} == playing_now(client))

        with pads.plugged_in() as first:
            with pads.plugged_in() as second:
                until(lambda: process.log.count(" connected") == 2)
                target = "/fuse 2 a r @blend 0.5 @loop 1 @velocity $"
                number = client.begin("/midi/learn", target)
                wait_for(client, Queued)
                second.send_message([0x90, 36, 100])
                client.end("/midi/learn", number)
                assert path.read_text() == text
                assert "/fuse 2" in path.with_stem("stage-2").read_text()
                second.send_message([0x80, 36, 0])
                second.send_message([0x90, 36, 100])
                playing(2)
                first.send_message([0x90, 36, 100])
                playing(1, 2)
                first.send_message([0x90, 37, 100])
                playing()
            until(lambda: process.log.count("disconnected") == 1)
            for number in (36, 37):
                first.send_message([0x80, number, 0])
            first.send_message([0x90, 36, 100])
            playing(1)
            first.send_message([0x90, 37, 100])
            playing()
            with pads.plugged_in() as second:
                until(lambda: process.log.count(" connected") == 3)
                second.send_message([0x90, 36, 100])
                playing(2)
        assert "Traceback" not in process.log


def playing_now(client: Client) -> set[str]:
    """The voices that play."""
    lines = status(client)
    return {name for name, text in lines.items()
            if name.startswith("voice ") and text != "idle"}  # fmt: skip
