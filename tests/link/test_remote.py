"""An engine on another machine: a real one, over loopback."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from eutectic.config import LearnSettings, Place, SamplingSettings
from eutectic.errors import BadInput, BadSetting
from eutectic.experiments.live.engine_machine import EngineMachine
from eutectic.experiments.live.line import Line
from eutectic.link import keys, line, parcels, remote
from eutectic.link import messages as wire
from eutectic.link import protocol as link
from eutectic.link.agent import Agent, Lent
from eutectic.link.host import Host
from eutectic.link.protocol import (
    Canvas,
    Done,
    Failed,
    Fuse,
    Learn,
    Load,
    Loaded,
    Priority,
    ReferenceSpec,
    Result,
    Source,
    Work,
)
from eutectic.link.remote import Remote
from eutectic.link.spare import Spare
from eutectic.link.wire import BadEngine, Lost
from eutectic.system.shared_memory import PREFIX, SHARED
from hosts import hosted, until

pytestmark = pytest.mark.process

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
GLASS = Source(str(CLIPS / "ambi_glass_rub.flac"), 0.0, 1.0)
DRONE = Source(str(CLIPS / "ambi_haunted_hum.flac"), 0.5, 1.5)


OPTIONS = "--compute", "cpu", "--no-spare"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Generator[EngineMachine]:
    with EngineMachine(tmp_path_factory.mktemp("engine"), "toy", *OPTIONS) as engine:
        yield engine


@dataclass
class Away:
    """A host whose engine is on the other machine, and the line to that."""

    host: Host
    line: Line
    results: list[Result]

    async def run(self, work: Work) -> Done | Failed:
        return await run(self.host, work)


def away(machine: EngineMachine, data: Path, scenario: Callable[[Away], Awaitable[None]]) -> None:
    """Run a scenario; nothing may be left in shared memory."""

    async def inside(to: Line) -> None:
        results: list[Result] = []
        there = Remote(f"127.0.0.1:{to.port}", "toy", data)
        host = Host(there, results.append, Spare(False))
        host.start()
        try:
            await asyncio.wait_for(scenario(Away(host, to, results)), 120)
        finally:
            await host.stop()

    with Line(machine.port) as to:
        asyncio.run(inside(to))
    assert not list(SHARED.glob(f"{PREFIX}{os.getpid()}-*"))


class Listener:
    """Receives one job's results; `ended` is the last."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[Done | Failed] = asyncio.get_running_loop().create_future()
        self.started = asyncio.Event()
        self.chunks: list[tuple[int, int]] = []

    def __call__(self, result: Result) -> None:
        if isinstance(result, Done | Failed):
            self.ended.set_result(result)
        elif isinstance(result, link.Chunk):
            self.chunks.append((result.start, result.stop))
        if not isinstance(result, link.Progress) or result.stage != link.SENDING:
            self.started.set()


def submitted(host: Host, work: Work) -> Listener:
    listener = Listener()
    host.submit(work, listener)
    return listener


async def run(host: Host, work: Work) -> Done | Failed:
    return await submitted(host, work).ended


async def loaded(host: Host, source: Source = GLASS) -> Loaded:
    done = await run(host, Load(0, source))
    assert isinstance(done, Loaded), done
    return done


def endless(clip: Loaded, prompt: str) -> Learn:
    return Learn(0, ReferenceSpec(clip.key, prompt, LearnSettings(steps=100_000)))


def fusion(
    original: str, reference: Loaded, canvas: Canvas, priority: Priority, heard: Canvas | None
) -> Fuse:
    spec, sampling = ReferenceSpec(reference.key, ""), SamplingSettings(seed=3)
    places = [Place(blend=0.6)]
    return Fuse(0, original, spec, places, sampling, "match", [canvas], priority, heard)


async def fusions(host: Host) -> tuple[bytes, bytes]:
    """Of two clips, and of something that was heard."""
    glass, drone = await loaded(host), await loaded(host, DRONE)
    made: list[bytes] = []
    heard = Canvas.make(2, 48_000, 0, 48_000)
    heard.map()[:] = 0.1 * np.random.default_rng(1).standard_normal((2, 48_000))
    for original, listened in ((glass.key, None), ("", heard)):
        canvas = Canvas.make(2, 48_000, 2400, 48_000)
        priority = Priority.TRIGGER if listened is None else Priority.LIVE
        listener = submitted(host, fusion(original, drone, canvas, priority, listened))
        assert isinstance(await listener.ended, Done), listener.ended
        assert listener.chunks[0][0] == 0 and listener.chunks[-1][1] == 50_400
        made.append(canvas.map().tobytes())
        canvas.unlink()
    heard.unlink()
    return made[0], made[1]


def test_fusions_are_those_of_this_machine_to_the_bit(
    machine: EngineMachine, tmp_path: Path
) -> None:
    made: dict[str, tuple[bytes, bytes]] = {}

    async def there(each: Away) -> None:
        made["there"] = await fusions(each.host)
        assert each.host.pid is None and each.host.round_trip_ms > 0

    async def here(host: Host, results: list[Result]) -> None:
        made["here"] = await fusions(host)

    away(machine, tmp_path, there)
    hosted(tmp_path, here)
    assert made["there"] == made["here"]
    assert len(set(made["here"])) == 2 and any(made["here"][0])


def test_a_sound_goes_over_once_and_only_as_much_as_is_used(
    machine: EngineMachine, tmp_path: Path
) -> None:
    section = Source(GLASS.path, 0.25, 0.8)

    async def first(each: Away) -> None:
        await until(lambda: each.host.state == "ready")
        before = each.line.carried
        await loaded(each.host, section)
        assert each.line.carried - before < 0.8 * 44_100 * 8 + 20_000
        before = each.line.carried
        await loaded(each.host, section)
        assert each.line.carried - before < 5000

    async def again(each: Away) -> None:
        await loaded(each.host, section)
        assert each.line.carried < 10_000

    away(machine, tmp_path, first)
    away(machine, tmp_path, again)


def test_a_clip_whose_file_is_gone_is_found_by_its_key(
    machine: EngineMachine, tmp_path: Path
) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(Path(GLASS.path).read_bytes())

    async def scenario(each: Away) -> None:
        clip = await loaded(each.host, Source(str(path), 0.1, 0.7))
        path.unlink()
        source = Source(str(path), 0.1, 0.7)
        found = await each.run(Load(0, source, clip.key))
        assert isinstance(found, Loaded) and found.key == clip.key
        for key in (None, "0" * 32):
            failed = await each.run(Load(0, source, key))
            assert isinstance(failed, Failed) and failed.code == "no_file"
            assert str(path) in failed.text and str(machine.data) not in failed.text

    away(machine, tmp_path, scenario)


def test_an_engine_that_is_killed_over_there_is_restarted_and_only_its_job_fails(
    machine: EngineMachine, tmp_path: Path
) -> None:
    async def scenario(each: Away) -> None:
        clip = await loaded(each.host)
        running = submitted(each.host, endless(clip, "running"))
        await running.started.wait()
        waiting = submitted(each.host, endless(clip, "waiting"))
        old = machine.engine()
        old.send_signal(signal.SIGKILL)
        failed = await running.ended
        assert isinstance(failed, Failed) and failed.code == "engine_died"
        await waiting.started.wait()
        assert (each.host.deaths, each.host.losses) == (1, 0)
        assert machine.engine().pid != old.pid

    away(machine, tmp_path, scenario)


def test_jobs_that_had_begun_fail_when_the_wire_is_cut_and_others_are_sent_again(
    machine: EngineMachine, tmp_path: Path
) -> None:
    async def scenario(each: Away) -> None:
        clip = await loaded(each.host)
        pid = machine.engine().pid
        running = submitted(each.host, endless(clip, "running"))
        await running.started.wait()
        waiting = submitted(each.host, endless(clip, "waiting"))
        each.line.cut()
        each.line.reset()
        failed = await running.ended
        assert isinstance(failed, Failed) and failed.code == "engine_lost"
        await until(lambda: each.host.state == "lost")
        assert not waiting.started.is_set()
        each.line.heal()
        await waiting.started.wait()
        assert (each.host.deaths, each.host.losses) == (0, 1)
        assert machine.engine().pid == pid  # with its model, and all that it knows

    away(machine, tmp_path, scenario)


def test_a_wire_that_is_silent_is_lost(
    machine: EngineMachine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "LOST_SECONDS", 1.5)

    async def scenario(each: Away) -> None:
        await until(lambda: each.host.state == "ready")
        machine.suspend()
        try:
            await until(lambda: each.host.state == "lost")
        finally:
            machine.resume()
        await loaded(each.host)

    away(machine, tmp_path, scenario)


def test_a_job_that_is_cancelled_ends_over_there_and_leaves_no_memory(
    machine: EngineMachine, tmp_path: Path
) -> None:
    async def scenario(each: Away) -> None:
        clip = await loaded(each.host)
        running = submitted(each.host, endless(clip, "cancelled"))
        await running.started.wait()
        canvas = Canvas.make(2, 48_000, 0, 48_000)
        waiting = Listener()
        work = fusion(clip.key, clip, canvas, Priority.WARM, None)
        number = each.host.submit(work, waiting)
        await until(lambda: shared_of(machine) != [])
        each.host.cancel(number)
        each.host.cancel(number - 1)
        failed = await running.ended
        assert isinstance(failed, Failed) and failed.code == "cancelled"
        canvas.unlink()
        await until(lambda: shared_of(machine) == [])

    away(machine, tmp_path, scenario)


def shared_of(machine: EngineMachine) -> list[Path]:
    return list(SHARED.glob(f"{PREFIX}{machine.pid}-*"))


def refused(machine: EngineMachine, match: str, **changes: str) -> None:
    """Asking it for an engine fails with one line that says where, and why."""
    there = Remote(machine.where, changes.get("model", "toy"), machine.data.parent / "daemon",
                   changes.get("digest", ""))  # fmt: skip
    with pytest.raises(BadEngine, match=match) as error:
        asyncio.run(there.engine())
    assert machine.where in str(error.value) and "\n" not in str(error.value)


def test_a_second_daemon_is_refused_until_the_first_has_left(
    machine: EngineMachine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(each: Away) -> None:
        await until(lambda: each.host.state == "ready")
        monkeypatch.setattr(remote, "DAEMON", "another")
        with pytest.raises(Lost, match=f"{machine.where}: is in use by the daemon on "):
            await Remote(machine.where, "toy", tmp_path).engine()
        assert each.host.state == "ready"

    away(machine, tmp_path, scenario)

    async def second(each: Away) -> None:
        await loaded(each.host)

    away(machine, tmp_path, second)


def test_a_model_that_is_not_there_or_is_another_is_refused(
    machine: EngineMachine, tmp_path: Path
) -> None:
    async def scenario(each: Away) -> None:
        await until(lambda: each.host.state == "ready")

    away(machine, tmp_path, scenario)  # from then on it knows its model's digest
    refused(machine, "has no model nowhere: it has toy, embedded", model="nowhere")
    refused(machine, "its model toy is another", digest="0" * 64)


def test_a_host_says_why_it_was_refused_and_so_do_its_jobs(
    machine: EngineMachine, tmp_path: Path
) -> None:
    async def scenario(each: Away) -> None:
        await until(lambda: each.host.state == "ready")
        there = Remote(machine.where, "nowhere", tmp_path)
        await each.host.restart(there)
        waiting = submitted(each.host, Load(0, GLASS))
        failed = await waiting.ended
        assert isinstance(failed, Failed) and failed.code == "no_model"
        assert failed.text.startswith(f"{machine.where}: has no model nowhere")
        assert each.host.state == "failed" and each.host.failure == failed.text

    away(machine, tmp_path, scenario)


def test_what_makes_no_sense_ends_one_connection_alone(
    machine: EngineMachine, tmp_path: Path
) -> None:
    hello = wire.Hello("d", "n", remote.version("eutectic"), wire.PROTOCOL, "toy", "", 1, ())
    endless = Canvas("", 1 << 40, 1 << 40, 0, 48_000)

    async def refused() -> str:
        to = line.Line(machine.where, None)
        to.send(hello)
        to.send(wire.Heard(1, endless, 0), b"heard")
        while not isinstance(message := (await to.receive())[0], wire.Refused):
            pass
        await to.close()
        return message.text

    async def scenario(each: Away) -> None:
        await loaded(each.host)

    assert asyncio.run(asyncio.wait_for(refused(), 30)) == "that made no sense"
    away(machine, tmp_path, scenario)


def test_a_name_with_several_addresses_is_reached_by_the_one_that_answers(
    machine: EngineMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = socket.getaddrinfo

    def both(host: str, *of: object, **more: object) -> list[object]:
        hosts = ("::1", "127.0.0.1") if host == "studio.local" else (host,)
        return [found for each in hosts for found in known(each, *of, **more)]  # pyright: ignore

    monkeypatch.setattr(socket, "getaddrinfo", both)
    answer = asyncio.run(line.found(f"studio.local:{machine.port}"))
    assert answer == (machine.where, False)


def test_another_version_is_refused(
    machine: EngineMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "version", lambda _: "0.0.1")
    refused(machine, r"has Eutectic [\d.]+, and this machine 0\.0\.1")


def test_what_is_no_engine_is_told_from_one_that_wants_a_key(tmp_path: Path) -> None:
    async def ask() -> None:
        async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"SSH-2.0-something_or_other_that_answers\r\n")
            writer.close()

        async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            await Remote(f"127.0.0.1:{port}", "toy", tmp_path).engine()

    with pytest.raises(BadEngine, match="no engine of Eutectic answers there"):
        asyncio.run(ask())


def test_where_nobody_listens_the_engine_is_lost(machine: EngineMachine, tmp_path: Path) -> None:
    with pytest.raises(Lost, match=r"no engine answers at 127\.0\.0\.1:1"):
        asyncio.run(Remote("127.0.0.1:1", "toy", tmp_path).engine())


def test_a_machine_that_does_not_answer_is_left_at_once_for_another(
    machine: EngineMachine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "HELLO_SECONDS", 1e6)
    monkeypatch.setattr(line, "CONNECT_MS", 1_000_000)

    async def scenario(each: Away) -> None:
        await until(lambda: each.host.state == "ready")
        with socket.create_server(("127.0.0.1", 0)) as silent:
            place = f"127.0.0.1:{silent.getsockname()[1]}"
            await each.host.restart(Remote(place, "toy", tmp_path))
            await asyncio.to_thread(silent.accept)
            await each.host.restart(Remote(machine.where, "toy", tmp_path))
            await loaded(each.host)

    away(machine, tmp_path, scenario)


@pytest.mark.parametrize("text", ["", "here", "here:", ":9730", "a:b:1", "h:70000", "h h:1"])
def test_a_place_is_a_host_and_a_port(text: str) -> None:
    with pytest.raises(BadSetting, match="HOST:PORT"):
        remote.place(text)
    assert remote.place("[::1]:9730") == "[::1]:9730"


def test_with_keys_only_those_who_have_one_are_let_in(tmp_path: Path) -> None:
    engine, daemon, other = (tmp_path / name for name in ("engine", "daemon", "other"))
    engine.mkdir()
    first, second = keys.make(engine), keys.make(other)
    with EngineMachine(engine, "toy", *OPTIONS) as machine:
        refused(machine, "asks for a key")
        keys.take(daemon, second)
        refused(machine, "takes none of this machine's keys")
        keys.take(daemon, first)

        async def enter() -> None:
            engine = await Remote(machine.where, "toy", daemon).engine()
            assert isinstance(await engine.receive(), link.State | link.ModelFacts)
            await engine.leave()

        asyncio.run(enter())
        kept = (engine / keys.OWN).read_bytes()
        (engine / keys.OWN).write_text("{")
        refused(machine, "takes none of this machine's keys")
        (engine / keys.OWN).write_bytes(kept)
        asyncio.run(enter())
        third = keys.make(engine, anew=True)
        refused(machine, "takes none of this machine's keys")
        keys.take(daemon, third)
        asyncio.run(enter())


def test_without_a_key_no_other_machine_is_asked(tmp_path: Path) -> None:
    with pytest.raises(BadEngine, match=r"there is no key for example\.org:9730"):
        asyncio.run(Remote("example.org:9730", "toy", tmp_path).engine())


def listening(host: str, port: int, data: Path) -> None:
    lent = Lent(host, port, "toy", "cpu", 1 << 20, data)

    async def run() -> None:
        await Agent(lent, Spare(False)).run(lambda _: None)

    asyncio.run(run())


def test_an_engine_that_cannot_listen_says_why_in_one_line(
    machine: EngineMachine, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=rf"{machine.where} can't be listened on \(Address already"):
        listening("127.0.0.1", machine.port, tmp_path)
    with pytest.raises(BadInput, match=r"without keys only 127\.0\.0\.1:9730 can be"):
        listening("0.0.0.0", 9730, tmp_path)


def test_its_files_are_found_where_they_were_received(machine: EngineMachine) -> None:
    received = list((machine.data / parcels.FOLDER).glob(f"*/{parcels.SOUND}"))
    assert received and not list((machine.data / parcels.FOLDER).rglob("*.part"))
