"""Browsers and a real daemon, over the page's real process."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import psutil
import pytest

from daemons import daemon, prepare, until
from eutectic.client.daemon_process import Daemon
from eutectic.osc.packets import decode
from eutectic.osc.spec import PREFIX
from eutectic.page.bridge import SLOW, Bridge
from eutectic.page.host import Opened, page_process
from eutectic.page.outbox import MAX_WAITING, Outbox, TooSlow
from eutectic.page.terminal import show
from eutectic.system import processes
from pages import page_alone, page_port, settings, tab

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def paged(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    """A daemon with a page, clips a and b, and b learned as r."""
    with daemon(tmp_path_factory.mktemp("paged"), "--page", "0") as process:
        with process.client() as client:
            prepare(client)
        yield process
        assert "Traceback" not in process.log


@pytest.fixture
def port(paged: Daemon) -> int:
    return page_port(paged)


def test_a_browser_speaks_the_table_s_messages_as_json(port: int) -> None:
    with tab(port) as one:
        assert one.of("/page/info") == ["/page/info", 1, [], ""]
        one.send("/notify", 1, "@name", "desk", "@meter", 1)
        number = one.of(f"{PREFIX}/done", f"{PREFIX}/notify")[3]
        assert one.of(f"{PREFIX}/snapshot") == [f"{PREFIX}/snapshot", number]
        assert one.of(f"{PREFIX}/clip", -1, "a")[5] == "loaded"
        assert one.of(f"{PREFIX}/seq")[1] > 0
        assert one.ask("/fuse", 7, 1, "a", "r", "@loop", True)[:3] == [
            f"{PREFIX}/done", f"{PREFIX}/fuse", 7
        ]  # fmt: skip
        voice = one.until(lambda each: each[:2] == [f"{PREFIX}/voice", 1] and each[5] == "playing")
        assert voice[2:4] == ["a", "r"]
        while not any(row[0] == 1 and row[1] > -100 for row in one.levels):
            one.read(10)
        assert all(len(row) == 4 for row in one.levels)
        one.send("/panic")


def test_two_browsers_are_two_clients_and_follow_one_another(port: int) -> None:
    with tab(port) as one, tab(port) as other:
        numbers = []
        for each, name in ((one, "desk"), (other, "phone")):
            each.send("/notify", 1, "@name", name)
            numbers.append(each.of(f"{PREFIX}/done", f"{PREFIX}/notify")[3])
            each.of(f"{PREFIX}/seq")
        assert numbers[0] != numbers[1]
        one.send("/voice/set", 2, "gain", -7.5)
        for each in (other, one):
            voice = each.until(lambda one: one[:2] == [f"{PREFIX}/voice", 2] and one[6] == -7.5)
            assert voice[-1] == numbers[0]
        one.connection.close()
        assert other.of(f"{PREFIX}/client", numbers[0], "desk")[3] == 0


@pytest.mark.parametrize(
    ("text", "address", "number", "code"),
    [
        ("", "", -1, "bad_message"),
        ("[", "", -1, "bad_message"),
        ("{}", "", -1, "bad_message"),
        ("[]", "", -1, "bad_message"),
        ("[1, 2]", "", -1, "bad_message"),
        ('["/eutectic/ping\\u0000", 1]', "", -1, "bad_message"),
        ('["/eutectic/nothing", 4]', "/nothing", 4, "unknown_address"),
        ('["/eutectic/clip/load", 5]', "/clip/load", 5, "bad_arguments"),
        ('["/eutectic/fan", 5, "a", "r", 5, "@swing", 1]', "/fan", 5, "bad_option"),
        ('["/eutectic/clip/free", 6, ["a"]]', "/clip/free", -1, "bad_arguments"),
        ('["/eutectic/clip/free", 6, null]', "/clip/free", -1, "bad_arguments"),
        ('["/eutectic/ping", 99999999999]', "/ping", -1, "bad_arguments"),
        ('["/eutectic/voice/set", 1, "gain", 1e999]', "/voice/set", -1, None),
        ('["/eutectic/reference/remember", 1, "r", "b", 1e300]', "/reference/remember", -1,
         "bad_arguments"),
        ('["/eutectic/panic", -3.5e38]', "/panic", -1, "bad_arguments"),
        ('["/eutectic/notify", 1, 9000]', "/notify", 0, "not_allowed"),
    ],
)  # fmt: skip
def test_what_isn_t_a_request_is_answered_and_changes_nothing(
    port: int, text: str, address: str, number: int, code: str | None
) -> None:
    with tab(port) as one:
        one.connection.send(text)
        fail = one.of(f"{PREFIX}/fail")
        assert fail[1:3] == [PREFIX + address, number] or code is None
        assert code in (None, fail[3]) and "\n" not in fail[4]
        assert one.ask("/ping", 1) == [f"{PREFIX}/done", f"{PREFIX}/ping", 1]


def test_a_binary_frame_or_one_that_is_too_long_harms_that_browser_alone(port: int) -> None:
    with tab(port) as one, tab(port) as other:
        one.connection.send(b"\x01\x02")
        assert one.of(f"{PREFIX}/fail")[3] == "bad_message"
        one.connection.send(json.dumps(["/eutectic/ping", 1, "x" * 100_000]))
        assert one.closed()
        assert other.ask("/ping", 2)[0] == f"{PREFIX}/done"


def test_nothing_of_the_page_is_forwarded(port: int) -> None:
    with tab(port) as one:
        for values in ([], ["x"], [-1], [1, "fusion"], [1, "elephant", "x"]):
            one.send("/page/picture", *values)
            assert one.of("/page/fail")[2]
        one.send("/page/nothing", 3)
        assert one.of("/page/fail", 3)


def test_the_page_s_process_may_be_killed(paged: Daemon, port: int) -> None:
    """It comes back on its port; the daemon plays on, and the browser is right again."""
    begin = len(paged.log)
    (process,) = paged.children("eutectic.page")
    with paged.client() as client, tab(port) as one:
        one.send("/notify", 1)
        one.of(f"{PREFIX}/snapshot")
        process.kill()
        assert one.closed()
        client.request("/ping", timeout=5)
        until(lambda: "page on http://" in paged.log[begin:])
    assert page_port(paged) == port
    with tab(port) as one:
        one.send("/notify", 1)
        assert one.of(f"{PREFIX}/clip", -1, "a")
    assert "it is started again in 0.25 s" in paged.log[begin:]
    assert paged.children("eutectic.page") != [process]


REPORT = '{"port": 7, "urls": [], "code": ""}'


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets what a page's process writes before it waits for its end."""

    def writes(text: str) -> None:
        spawn = processes.spawn
        script = f"import sys; print({text!r}, flush=True); sys.stdin.read()"
        monkeypatch.setattr(processes, "spawn", lambda _: spawn([sys.executable, "-c", script]))

    monkeypatch.setattr("eutectic.page.host.FIRST_PAUSE_SECONDS", 0.01)
    return writes


def opened_pages(
    folder: Path, wanted: int, opened: Callable[[Opened], None] = lambda _: None
) -> list[Opened]:
    """What a page's process is said to have opened, once it was so often."""

    async def run() -> list[Opened]:
        pages: list[Opened] = []

        def note(page: Opened) -> None:
            pages.append(page)
            opened(page)

        async with asyncio.timeout(20), page_process(settings(folder), note):
            while len(pages) < wanted:
                await asyncio.sleep(0.01)
        return pages

    return asyncio.run(run())


def test_what_else_the_page_s_process_writes_is_logged(
    tmp_path: Path, child: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    child(f"a library's warning\n\n5\n\x1b[31m\n{'x' * 100_000}\n{REPORT}")
    assert opened_pages(tmp_path, 1) == [Opened(7, [], "", True)]
    assert "the page says: a library's warning" in caplog.text and "\x1b" not in caplog.text


def test_a_page_that_can_t_be_followed_is_started_again(
    tmp_path: Path, child: Callable[[str], None]
) -> None:
    def a_bug(_page: Opened) -> None:
        raise ZeroDivisionError

    child(REPORT)
    assert len(opened_pages(tmp_path, 3, a_bug)) == 3


@pytest.mark.parametrize("is_read", [True, False])
def test_a_terminal_that_is_held_or_has_gone_holds_up_nothing(is_read: bool) -> None:
    reader, writer = os.pipe()
    if not is_read:
        os.close(reader)
    before = set(threading.enumerate())
    with open(writer, "w", buffering=1) as terminal:
        show(["x" * 10_000_000], lambda line: print(line, file=terminal, flush=True))
        added = set(threading.enumerate()) - before
        if is_read:
            assert added  # it waits for the terminal, and we don't
            os.close(reader)
        for each in added:
            each.join(20)
        with contextlib.suppress(BrokenPipeError):
            terminal.close()


def test_the_page_ends_with_its_daemon_however_that_ends(tmp_path: Path) -> None:
    with daemon(tmp_path, "--page", "0") as process:
        page_port(process)
        (page,) = process.children("eutectic.page")
        process.kill()
        gone, _ = psutil.wait_procs([page], timeout=10)
        assert gone


def test_a_daemon_without_a_page_starts_none(tmp_path: Path) -> None:
    with daemon(tmp_path, "--page", "off") as process, process.client() as client:
        client.request("/ping", timeout=10)
        assert not process.children("eutectic.page")


def test_a_browser_is_told_when_the_daemon_goes_and_when_it_is_back(tmp_path: Path) -> None:
    one_folder, other_folder = tmp_path / "one", tmp_path / "other"
    one_folder.mkdir()
    other_folder.mkdir()
    with daemon(one_folder) as first:
        port = first.port
        with page_alone(settings(tmp_path / "page", port)) as page, tab(page) as one:
            assert one.ask("/ping", 1)[0] == f"{PREFIX}/done"
            first.kill()
            assert one.of("/page/daemon") == ["/page/daemon", 0]
            assert one.ask("/ping", 2)[3] == "no_daemon"
            with daemon(other_folder, "--port", str(port)):
                assert one.of("/page/daemon") == ["/page/daemon", 1]
                one.send("/notify", 1)
                assert one.of(f"{PREFIX}/snapshot")
            assert one.of("/page/daemon") == ["/page/daemon", 0]


def test_a_browser_that_leaves_takes_its_notes_with_it(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        page_alone(settings(tmp_path, listener.getsockname()[1])) as port,
        tab(port) as one,
    ):
        for message in ((1, 60, 100), (1, 64, 80), (2, 67, 90), (1, 64, 0)):
            one.send("/note", *message)
        one.send("/note", 1, 72, 100, "@gate", 0.5)
        one.send("/ping", 1)
        daemon, _ = listener.accept()
        with daemon, daemon.makefile("rb") as stream:
            sent = list(itertools.takewhile(lambda each: each[0] == "/note", read(stream)))
            assert len(sent) == 5
            one.connection.close()
            assert {each[1:] for each in read(stream)} == {(1, 60, 0), (2, 67, 0)}


def read(stream: BinaryIO) -> Iterator[tuple[Any, ...]]:
    """OSC messages, each preceded by its length, until there are no more."""
    while head := stream.read(4):
        for address, values, _ in decode(stream.read(int.from_bytes(head))):
            yield address.removeprefix(PREFIX), *values


def test_without_a_daemon_the_page_says_so_at_once(tmp_path: Path) -> None:
    with page_alone(settings(tmp_path)) as page, tab(page) as one:
        assert one.of("/page/daemon") == ["/page/daemon", 0]
        assert one.ask("/fuse", 3, 1, "a", "r")[3] == "no_daemon"
        one.send("/page/window", 4, "a", "r")
        assert "serve" in one.of("/page/fail", 4)[2]


class Sink:
    """Takes what an outbox sends, as a WebSocket does."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def send_text(self, text: str) -> None:
        self.sent.append(json.loads(text))

    async def send_bytes(self, data: bytes) -> None:
        self.sent.append(data)


def test_messages_of_one_moment_are_sent_as_one_in_order() -> None:
    async def run() -> list[Any]:
        sink: Any = Sink()
        outbox = Outbox(sink)
        task = asyncio.get_running_loop().create_task(outbox.run())
        outbox.post("/first", 1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for number in range(100):
            outbox.post("/more", number)
            outbox.level(3, -40.0 + number / 10, number / 100)
        while len(sink.sent) < 3:
            await asyncio.sleep(0.005)
        task.cancel()
        return sink.sent

    first, more, levels = asyncio.run(run())
    assert first == [["/first", 1]]
    assert more == [["/more", number] for number in range(100)]
    assert len(levels) == 4 + 4 * 4


def test_a_browser_that_reads_nothing_is_given_up_before_memory_is() -> None:
    async def run() -> None:
        sink: Any = Sink()
        outbox = Outbox(sink)
        for _ in range(2 * MAX_WAITING):
            outbox.post("/more")
        with pytest.raises(TooSlow):
            await outbox.run()
        assert not sink.sent

    asyncio.run(run())


class Stopped(Sink):
    """A WebSocket whose browser reads nothing and says nothing."""

    async def send_text(self, text: str) -> None:
        await asyncio.Event().wait()

    async def send_bytes(self, data: bytes) -> None:
        await asyncio.Event().wait()

    async def receive(self) -> None:
        await asyncio.Event().wait()

    async def close(self, code: int) -> None:
        self.sent.append(code)
        await asyncio.Event().wait()


def test_a_browser_that_has_stopped_keeps_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eutectic.page.outbox.SEND_SECONDS", 0.05)
    monkeypatch.setattr("eutectic.page.bridge.CLOSE_SECONDS", 0.05)

    async def run() -> list[Any]:
        sink: Any = Stopped()
        unused: Any = None
        outbox = Outbox(sink)
        outbox.post("/more")
        bridge = Bridge(outbox, ("127.0.0.1", 9), unused, unused, unused)
        await asyncio.wait_for(bridge.run(), 10)
        return sink.sent

    assert asyncio.run(run()) == [SLOW]


@pytest.mark.parametrize("what", ["message", "picture"])
def test_what_a_slow_browser_leaves_is_limited_while_it_is_sent(what: str) -> None:
    """It takes each frame late, but in time."""

    async def run() -> int:
        sink: Any = Sink()
        outbox = Outbox(sink)

        async def late(_frame: object) -> None:
            sink.sent.append(what)
            assert len(sink.sent) < 3, "it should have been given up"
            for _ in range(MAX_WAITING):
                if what == "message":
                    outbox.post("/more")
                else:
                    outbox.picture(1, 1, b"0")

        sink.send_text = sink.send_bytes = late
        outbox.picture(1, 1, b"0")
        outbox.picture(2, 1, b"0")
        with pytest.raises(TooSlow):
            await outbox.run()
        return len(sink.sent)

    assert asyncio.run(run()) == 1
