"""The client library, against the table and a real daemon; and third-party clients."""

import asyncio
import inspect
import shutil
import socket
import subprocess
import time
import typing
from pathlib import Path

import psutil
import pytest

import eutectic
from daemons import daemon, prepare, until, wait_for
from eutectic import AsyncClient, Client, NoAnswer, RequestFailed
from eutectic.client import aio, sync
from eutectic.client.asked import Asking
from eutectic.client.daemon_process import Daemon
from eutectic.client.methods import Methods
from eutectic.client.options import (
    ClipOptions,
    FanOptions,
    GrabOptions,
    LearningOptions,
    MomentOptions,
    PairOptions,
    PlacesOptions,
    PlayingOptions,
    RecordOptions,
)
from eutectic.client.values import Loaded
from eutectic.osc import answers
from eutectic.osc.answers import Ended, FanReady, Meter, Started
from eutectic.osc.spec import PREFIX, BadRequest
from eutectic.osc.table import REQUESTS, spec_of

OPTIONS = {"/clip/load": ClipOptions, "/reference/learn": LearningOptions, "/fuse": PlayingOptions,
           "/fan": FanOptions, "/pair": PairOptions, "/fan/list": PlacesOptions,
           "/clip/record": RecordOptions, "/clip/record/stop": MomentOptions,
           "/clip/grab": GrabOptions}  # fmt: skip


class Sent(Methods):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def run(self, asked):  # type: ignore[no-untyped-def]
        self.addresses.append(asked.address)

    def send(self, address, *values):  # type: ignore[no-untyped-def]
        self.addresses.append(address)


def test_every_request_of_the_table_is_a_method_and_no_other() -> None:
    sent = Sent()
    examples = {int: 1, float: 0.5, str: "word", bool: True}
    for name, member in vars(Methods).items():
        if name.startswith("_") or name == "send":
            continue
        method = member.make if isinstance(member, Asking) else member
        hints = typing.get_type_hints(method)
        values = [
            examples.get(hints[each.name], "word")
            for each in inspect.signature(method).parameters.values()
            if each.name != "self" and each.kind is each.POSITIONAL_OR_KEYWORD
        ]
        getattr(sent, name)(*values)
    assert sorted(sent.addresses) == sorted(spec.address for spec in REQUESTS)


@pytest.mark.parametrize("address", OPTIONS)
def test_options_are_those_of_the_table(address: str) -> None:
    spec = spec_of(address)
    hints = typing.get_type_hints(OPTIONS[address])
    typed = {name.rstrip("_"): hint for name, hint in hints.items()}
    assert set(typed) == {option.name for option in spec.options}
    for option in spec.options:
        if option.kind == "choice":
            assert typing.get_args(typed[option.name]) == option.choices
        elif option.kind in ("int", "float"):
            assert typed[option.name] is (int if option.kind == "int" else float)


def test_what_the_package_exports_is_there() -> None:
    assert all(inspect.isclass(getattr(eutectic, name)) for name in eutectic.__all__)


@pytest.mark.process
def test_a_script_plays_through_methods(running: Daemon) -> None:
    with Client(port=running.port) as client:
        client.notify()
        assert [each.clip for each in client.clips()] == ["a", "b"]
        client.fuse(1, "a", "r", blend=0.5, loop=1)
        assert wait_for(client, Started).voice == 1
        client.scrub(1, 0.25)
        status = client.status()
        assert [voice.state for voice in status.voices] == ["playing", "idle", "idle", "idle"]
        voice = status.voices[0]
        assert (voice.original, voice.reference, voice.blend) == ("a", "r", 0.25)
        assert 0 <= voice.position <= voice.seconds == pytest.approx(1.0)
        assert status["model"] == "toy" and client.version() == status["version"]
        client.set_voice(1, "gain", -6.0)
        found = client.render("a", "r", "made.wav", blend=0.25, seed=3)
        assert (found.frames, found.rate_hz) == (44_100, 44_100)
        assert Path(found.path).is_file()
        client.stop(1, 5.0)
        assert wait_for(client, Ended, seconds=2.0).voice == 1
        with pytest.raises(RequestFailed, match="no clip nothing"):
            client.fuse(1, "nothing", "r")


@pytest.mark.process
def test_many_requests_are_awaited_at_once_and_each_gets_its_own(running: Daemon) -> None:
    async def play() -> None:
        async with AsyncClient(port=running.port) as client:
            client.notify(meter=True)
            clips, references, fan, ping = await asyncio.gather(
                client.clips(), client.references(), client.fan("a", "r", 3), client.ping()
            )
            assert [each.clip for each in clips] == ["a", "b"]
            assert [each.reference for each in references] == ["r"]
            assert (fan, ping) == (None, None)
            ready = await client.ask("/fan", "a", "r", 3)
            assert {each.k for each in ready.of(FanReady)} == {0, 1, 2}
            assert (await client.status()).voices[3].voice == 4
            with pytest.raises(RequestFailed) as failed:
                await client.fuse(1, "nothing", "r")
            assert failed.value.code == "unknown_clip"
            async for event in client.events():
                if isinstance(event, Meter):
                    break

    asyncio.run(asyncio.wait_for(play(), 60))


@pytest.mark.process
def test_a_request_that_is_cancelled_here_is_cancelled_in_the_daemon(running: Daemon) -> None:
    async def cancel() -> str:
        async with AsyncClient(port=running.port) as client:
            learning = asyncio.ensure_future(client.learn("s", "a", "x", steps=100_000))
            await asyncio.sleep(0.5)
            learning.cancel()
            with pytest.raises(asyncio.CancelledError):
                await learning
            state = "learning"
            while state.startswith("learning"):
                (state,) = [
                    each.state for each in await client.references()
                    if each.reference == "s"
                ]  # fmt: skip
            return state

    assert asyncio.run(asyncio.wait_for(cancel(), 30)) == "remembered"


@pytest.mark.process
def test_a_preset_s_clips_references_and_voices_are_returned(running: Daemon) -> None:
    with Client(port=running.port) as client:
        loaded = client.load_preset("first_night")
        assert {"glass", "drone"} <= set(loaded.clips) and "drone" in loaded.references
        assert set(loaded.clips) <= {each.clip for each in client.clips()}
        client.save_preset("mine")
        assert client.load_preset("mine") == Loaded([], [], [1, 2, 3, 4])


def test_what_is_never_answered_is_not_waited_for() -> None:
    with Client(port=9) as client, pytest.raises(BadRequest, match="/scrub is never answered"):
        client.ask("/scrub", 1, 0.5)
    with pytest.raises(BadRequest, match="/panic is never answered"):
        asyncio.run(AsyncClient(port=9).ask("/panic"))


@pytest.mark.process
@pytest.mark.parametrize("how", ["killed", "killed, over TCP", "hanging"])
def test_a_daemon_that_is_gone_is_not_waited_for(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a request that would take minutes."""
    for module in (sync, aio):
        monkeypatch.setattr(module, "LOST_SECONDS", 3.0)
    with daemon(tmp_path) as process, process.client(tcp="TCP" in how) as client:
        prepare(client)
        number = client.begin("/reference/learn", "long", "a", "x", "@steps", 100_000)
        assert client.end("/ping", client.begin("/ping")).answers == []

        async def learn() -> None:
            async with AsyncClient(port=process.port) as other:
                events = asyncio.ensure_future(anext(aiter(other.events())))
                learning = asyncio.ensure_future(other.learn("l", "b", "y", steps=100_000))
                await asyncio.sleep(0.5)
                end()
                with pytest.raises(NoAnswer):
                    await learning
                with pytest.raises(NoAnswer):
                    await events

        def end() -> None:
            if how == "hanging":
                psutil.Process(process.pid).suspend()
            else:
                process.kill()

        asyncio.run(learn())
        with pytest.raises(NoAnswer, match="silent for 3 s" if how == "hanging" else None):
            client.end("/reference/learn", number, timeout=3600)
        if how == "hanging":
            psutil.Process(process.pid).resume()


def test_events_end_when_the_client_is_closed() -> None:
    async def listen() -> list[answers.Answer]:
        async with AsyncClient(port=9) as client:
            listening = asyncio.ensure_future(_all(client))
            await asyncio.sleep(0)
        return await listening

    async def _all(client: AsyncClient) -> list[answers.Answer]:
        return [event async for event in client.events()]

    assert asyncio.run(asyncio.wait_for(listen(), 10)) == []


def test_without_a_daemon_a_request_fails_at_once() -> None:
    async def ask() -> None:
        async with AsyncClient(port=9, timeout=20) as client:
            await client.ping()

    with pytest.raises(NoAnswer, match="is `eutectic serve` running"):
        asyncio.run(ask())


@pytest.mark.process
def test_liblo_plays_the_daemon(running: Daemon, tmp_path: Path) -> None:
    """liblo's `oscsendfile` plays from one socket; its `oscdump` receives at the reply port."""
    for tool in ("oscsendfile", "oscdump"):
        assert shutil.which(tool), f"{tool} is missing (apt: liblo-tools)"
    port = _free_port()
    received, script = tmp_path / "received.txt", tmp_path / "script.txt"
    played = [
        (0, "/notify", f"ii 1 {port}"),
        (1, "/clip/load", 'iss 1 "c" "c.wav"'),
        (2, "/reference/learn", 'isssssi 2 "t" "c" "a" "tone" "@steps" 2'),
        (6, "/fuse", 'iisssfsi 3 1 "a" "t" "@blend" 0.5 "@loop" 1'),
        (10, "/scrub", "if 1 0.75"),
        (11, "/fuse", 'iiss 4 1 "nothing" "t"'),
        (12, "/stop", "i 1"),
    ]  # fmt: skip
    messages = [
        f"{at // 2:08x}.{'80000000' if at % 2 else '00000000'} {PREFIX}{address} {rest}"
        for at, address, rest in played  # in half seconds
    ]
    script.write_text("\n".join(messages) + "\n")
    with received.open("w") as out:
        dump = subprocess.Popen(["oscdump", "-L", str(port)], stdout=out)
    try:
        time.sleep(0.3)
        url = f"osc.udp://127.0.0.1:{running.port}"
        subprocess.run(["oscsendfile", url, str(script)], check=True, timeout=60)
        until(lambda: f"{PREFIX}/ended" in received.read_text())
    finally:
        dump.terminate()
        dump.wait()
    lines = [line.split(" ", 1)[1] for line in received.read_text().splitlines()]
    for start in (
        f'{PREFIX}/done sii "{PREFIX}/notify" 0', f"{PREFIX}/engine s", f"{PREFIX}/queued i 1",
        f'{PREFIX}/done si "{PREFIX}/clip/load" 1',
        f'{PREFIX}/done sii "{PREFIX}/reference/learn" 2',
        f"{PREFIX}/started iif 3 1", f'{PREFIX}/done si "{PREFIX}/fuse" 3',
        f'{PREFIX}/fail siss "{PREFIX}/fuse" 4 "unknown_clip"', f"{PREFIX}/ended ii 1 3",
    ):  # fmt: skip
        assert any(line.startswith(start) for line in lines), (start, lines)
    assert not any(f'"{PREFIX}/fuse" 4' in line and "/done" in line for line in lines)


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
