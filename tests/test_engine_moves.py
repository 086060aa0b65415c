"""The engine moves to another machine and back while a voice plays; and its wire is cut.

The other machine is a process of this one, at the end of a line that can be cut.
"""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import psutil
import pytest

from daemons import fails, until, wait_for
from eutectic.client.state import State
from eutectic.client.sync import Client
from eutectic.experiments.live.engine_machine import EngineMachine
from eutectic.experiments.live.line import Line
from eutectic.link import host, remote
from eutectic.osc.answers import Answer, Done, Engine, Fail, Progress
from fed import RATE_HZ, Fed, fed

pytestmark = pytest.mark.process

LOCAL = "local"
WINDOW = RATE_HZ // 100
"""Frames in which something must sound."""

AUDIBLE = 0.001
ENDLESS = ("@steps", 100_000)


@dataclass
class Rooms:
    """A daemon's session in this room, and an engine in the next."""

    fed: Fed
    machine: EngineMachine
    line: Line

    @property
    def there(self) -> str:
        return f"127.0.0.1:{self.line.port}"

    @contextmanager
    def client(self, place: str = LOCAL) -> Generator[Client]:
        """A client, with the engine at a place; nothing plays before or afterwards."""
        with self.fed.client() as client:
            client.engine_where(place)
            yield client
            client.send("/panic")

    def level(self, start: int) -> float:
        """The least that sounded in any hundredth of a second since a frame of the output."""
        stop = self.fed.player.heard.frames
        stop -= (stop - start) % WINDOW
        played = self.fed.played(start, stop).reshape(-1, WINDOW)
        return float(np.abs(played).max(axis=1).min())


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Generator[Rooms]:
    folder = tmp_path_factory.mktemp("rooms")
    with (
        EngineMachine(folder / "there", "toy", "--compute", "cpu", "--no-spare") as machine,
        Line(machine.port) as line,
    ):
        (folder / "here").mkdir()
        with fed(folder / "here") as session:
            yield Rooms(session, machine, line)


def play(rooms: Rooms, client: Client, *options: int | float | str) -> int:
    """Play a loop on voice 1; the first frame at which it surely sounds."""
    client.request("/fuse", 1, "a", "r", "@loop", 1, *options)
    return rooms.fed.wait(0.1) + RATE_HZ // 10


def engines_of(machine: EngineMachine) -> list[int]:
    found = psutil.Process(machine.pid).children(recursive=True)
    return [each.pid for each in found if "eutectic.engine" in " ".join(each.cmdline())]


def learning(client: Client, name: str, prompt: str) -> int:
    """Begin to learn without an end; returns the request's number."""
    return client.begin("/reference/learn", name, "b", prompt, *ENDLESS)


def end_of(client: Client, number: int) -> Done | Fail:
    def ends(answer: Answer) -> bool:
        return isinstance(answer, Done | Fail) and answer.id == number

    end = wait_for(client, Answer, ends)
    assert isinstance(end, Done | Fail)
    return end


def test_what_cannot_be_used_changes_nothing(rooms: Rooms) -> None:
    with rooms.client() as client:
        engine = rooms.fed.engine_pid
        client.notify()
        client.events(0.2)
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        assert fails(client, "/engine/where", f"127.0.0.1:{port}") == "bad_engine"
        for place in ("next door", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", "here"):
            assert fails(client, "/engine/where", place) == "bad_setting"
        assert client.engine_where().place == LOCAL and rooms.fed.engine_pid == engine
        assert not [each for each in client.events(0.1) if isinstance(each, Engine)]


def test_what_plays_plays_on_as_the_engine_moves_there_and_back(rooms: Rooms) -> None:
    with rooms.client() as client:
        state = State()
        client.on_answer = state.take
        client.notify()
        start = play(rooms, client)
        found = client.engine_where(rooms.there)
        assert (found.place, found.state) == (rooms.there, "ready") and found.round_trip_ms > 0
        assert f"at {rooms.there}" in client.status()["engine"]
        client.request("/fuse", 2, "b", "r", "@seed", 1)
        assert state.engine is not None and state.engine.place == rooms.there
        found = client.engine_where(LOCAL)
        assert (found.place, found.state, found.round_trip_ms) == (LOCAL, "ready", 0)
        client.request("/fuse", 2, "b", "r", "@seed", 2)
        assert rooms.level(start) > AUDIBLE


def test_back_at_a_machine_that_was_not_told_of_its_leaving_it_has_the_engine_from_before(
    rooms: Rooms,
) -> None:
    with rooms.client(rooms.there) as client:
        before = engines_of(rooms.machine)
        rooms.line.cut()
        rooms.machine.suspend()  # or it might notice before this daemon is back
        try:
            client.engine_where(LOCAL)
        finally:
            rooms.machine.resume()
        client.engine_where(rooms.machine.where)  # by another way
        assert engines_of(rooms.machine) == before and len(before) == 1
        rooms.line.heal()
        assert client.engine_where().state == "ready"


def test_what_the_session_has_goes_along_and_what_is_learned_there_comes_back(
    rooms: Rooms,
) -> None:
    here, there = (each / "references" for each in (rooms.fed.data, rooms.machine.data))
    before, path = set(here.iterdir()), rooms.fed.folder / "clips" / "c.wav"
    with rooms.client() as client:
        client.load_clip("gone", "c.wav")
        path.unlink()
        client.engine_where(rooms.there)
        client.request("/fuse", 1, "gone", "r", "@recall", 0.5)  # kept, and learned, over here
        client.request("/reference/learn", "z", "b", "far away", "@steps", 2)
        (learned,) = set(here.iterdir()) - before
        assert (there / learned.name).read_bytes() == learned.read_bytes()
        client.delete_reference("z")
        assert not learned.exists() and not (there / learned.name).exists()
        client.free_clip("gone")


def test_what_runs_as_it_moves_fails_with_its_reason_and_what_waits_is_done_there(
    rooms: Rooms,
) -> None:
    with rooms.client() as client:
        running = learning(client, "x", "running")
        wait_for(client, Progress, lambda each: each.id == running)
        waiting = learning(client, "y", "waiting")
        client.engine_where(rooms.there)
        end = end_of(client, running)
        assert isinstance(end, Fail) and end.code == "cancelled" and "engine" in end.text
        wait_for(client, Progress, lambda each: each.id == waiting)
        client.request("/cancel", waiting)
        for name in ("x", "y"):
            client.free_reference(name)


def test_what_waits_as_it_moves_is_made_with_sounds_that_the_other_never_had(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "DRAIN_SECONDS", 0.2)
    with rooms.client(rooms.there) as client:
        client.request("/clip/load", "new", "b.wav", "@duration", 0.6)
        client.request("/fuse", 2, "new", "r", "@seed", 1)  # once it has all the session's sounds
        engine = rooms.machine.engine()
        engine.suspend()
        try:
            asked = [client.begin("/fuse", each, "new", "r", "@seed", each) for each in (2, 3, 4)]
            until(lambda: " 3 of them in the engine" in client.status()["requests"], 5)
            client.engine_where(LOCAL)
        finally:
            engine.resume()
        ends = [end_of(client, each) for each in asked]
        assert all(isinstance(each, Done) for each in ends), ends
        client.free_clip("new")


def test_a_cut_wire_leaves_what_plays_and_what_is_asked_meanwhile_is_done_once_it_heals(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rooms.client(rooms.there) as client:
        monkeypatch.setattr(remote, "LOST_SECONDS", 1.5)
        client.notify()
        start = play(rooms, client, "@seed", 7)
        running = learning(client, "x", "cut off")
        wait_for(client, Progress, lambda each: each.id == running)
        rooms.line.cut()
        lost = wait_for(client, Engine, lambda each: each.state == "lost")
        assert lost.place == rooms.there and lost.text
        end = end_of(client, running)
        assert isinstance(end, Fail) and end.code == "engine_lost"
        assert client.status()["engine"].startswith("lost")
        asked = client.begin("/fuse", 2, "a", "r", "@seed", 8)
        rooms.line.heal()
        assert isinstance(end_of(client, asked), Done)
        assert client.engine_where().state == "ready"
        assert rooms.level(start) > AUDIBLE
        client.free_reference("x")


def test_once_its_machine_is_gone_the_engine_comes_back_to_this_one(rooms: Rooms) -> None:
    with rooms.client(rooms.there) as client:
        client.notify()
        start = play(rooms, client, "@seed", 9)
        rooms.machine.kill()
        wait_for(client, Engine, lambda each: each.state == "lost")
        assert client.engine_where(LOCAL).state == "ready"
        client.request("/fuse", 2, "a", "r", "@seed", 10)
        assert rooms.level(start) > AUDIBLE
