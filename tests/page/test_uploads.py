"""Sounds that browsers send: kept whole under a name of their own, or not at all."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Generator, Iterable
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from daemons import daemon, make_clips, until
from eutectic.client.daemon_process import Daemon
from eutectic.osc.spec import PREFIX
from eutectic.page.uploads import (
    LOOK_BYTES,
    MAX_AT_ONCE,
    SPARED_BYTES,
    UNFINISHED,
    UploadRefused,
    Uploads,
)
from pages import ask, page_alone, page_port, settings, tab

pytestmark = pytest.mark.process


async def parts(given: Iterable[bytes]) -> AsyncIterator[bytes]:
    for each in given:
        yield each
        await asyncio.sleep(0)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("rain.wav", "rain.wav"), ("../../rain.wav", "rain.wav"), ("/etc/cron.d/x.wav", "x.wav"),
        ("C:\\music\\a b.flac", "a b.flac"), ("..\\..\\x.wav", "x.wav"),
        (".hidden.wav", "hidden.wav"), ("雨の音.wav", "雨の音.wav"), ("a\x00b\n.wav", "ab.wav"),
        ("x" * 300 + ".wav", "x" * 120 + ".wav"),
        ("no_suffix", "no_suffix"), ("a.wav ", "a.wav"), ('q"u?o*t<e>.wav', "quote.wav"),
        ("a." + "b" * 50, "a." + "b" * 50), ("雨" * 100 + ".wav", "雨" * 40 + ".wav"),
    ],
)  # fmt: skip
def test_a_name_is_confined_to_the_folder(tmp_path: Path, name: str, kept: str) -> None:
    uploads = Uploads(tmp_path)
    path = asyncio.run(uploads.take(name, parts([b"sound"]), None))
    assert (path.parent, path.name, path.read_bytes()) == (uploads.folder, kept, b"sound")
    assert names(uploads.folder) == [kept]


@pytest.mark.parametrize("name", ["", ".", "..", "/", "a/", "\x00", " . ", "???"])
def test_a_file_without_a_name_is_refused(tmp_path: Path, name: str) -> None:
    uploads = Uploads(tmp_path)
    with pytest.raises(UploadRefused, match="needs a name") as refused:
        asyncio.run(uploads.take(name, parts([b"sound"]), None))
    assert refused.value.status == 400
    assert not names(uploads.folder)


def test_nothing_is_replaced_and_no_name_means_two_files(tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    (clips / "rain-2.wav").write_bytes(b"another")
    uploads = Uploads(tmp_path, [clips])
    for number in range(3):
        asyncio.run(uploads.take("rain.wav", parts([b"%d" % number]), None))
    kept = {path.name: path.read_bytes() for path in uploads.folder.iterdir()}
    assert kept == {"rain.wav": b"0", "rain-3.wav": b"1", "rain-4.wav": b"2"}


@pytest.mark.parametrize("announced", [None, 10, 1001])
def test_what_is_too_long_is_refused_however_it_is_announced(
    tmp_path: Path, announced: int | None
) -> None:
    uploads = Uploads(tmp_path, max_bytes=1000)
    with pytest.raises(UploadRefused) as refused:
        asyncio.run(uploads.take("rain.wav", parts([b"x" * 300] * 4), announced))
    assert refused.value.status == 413
    assert not names(uploads.folder)
    asyncio.run(uploads.take("rain.wav", parts([b"x" * 500] * 2), None))
    assert names(uploads.folder) == ["rain.wav"]


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    with pytest.raises(UploadRefused, match="is empty"):
        asyncio.run(uploads.take("rain.wav", parts([]), None))
    assert not names(uploads.folder)


def test_only_some_are_taken_at_once(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)

    async def run() -> list[int]:
        go = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield b"x"
            await go.wait()

        tasks = [
            asyncio.get_running_loop().create_task(uploads.take(f"{n}.wav", slow(), None))
            for n in range(MAX_AT_ONCE)
        ]
        while len(names(uploads.folder)) < MAX_AT_ONCE:
            await asyncio.sleep(0.01)
        with pytest.raises(UploadRefused) as refused:
            await uploads.take("more.wav", parts([b"x"]), None)
        go.set()
        await asyncio.gather(*tasks)
        await uploads.take("more.wav", parts([b"x"]), None)
        return [refused.value.status]

    assert asyncio.run(run()) == [429]
    assert names(uploads.folder) == [*(f"{n}.wav" for n in range(MAX_AT_ONCE)), "more.wav"]


def test_those_that_stall_leave_their_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eutectic.page.uploads.PART_SECONDS", 0.1)
    uploads = Uploads(tmp_path)

    async def stalled() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    async def run() -> list[object]:
        taken = [uploads.take(f"{n}.wav", stalled(), 10) for n in range(MAX_AT_ONCE)]
        ended = asyncio.gather(*taken, return_exceptions=True)
        found = await asyncio.wait_for(ended, 10)
        await uploads.take("more.wav", parts([b"x"]), None)
        return [isinstance(each, UploadRefused) and each.status for each in found]

    assert asyncio.run(run()) == [408] * MAX_AT_ONCE
    assert names(uploads.folder) == ["more.wav"]


class Disk:
    """The free room of a disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, free: int) -> None:
        self.free = free
        usage = SimpleNamespace(disk_usage=lambda _folder: self)
        monkeypatch.setattr("eutectic.page.uploads.shutil", usage)


def test_room_is_spared_for_what_others_were_said_to_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, uploads = Disk(monkeypatch, SPARED_BYTES + 1000), Uploads(tmp_path)
    for announced, expected in ((1001, 507), (1000, 0), (None, 0)):
        refused = 0
        try:
            asyncio.run(uploads.take("rain.wav", parts([b"x"]), announced))
        except UploadRefused as error:
            refused = error.status
        assert refused == expected, announced

    async def run() -> int:
        go = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield b"x" * 200
            disk.free -= 200
            await go.wait()

        first = asyncio.get_running_loop().create_task(uploads.take("a.wav", slow(), 600))
        while disk.free > SPARED_BYTES + 800:
            await asyncio.sleep(0.01)
        await uploads.take("b.wav", parts([b"x"]), 400)
        with pytest.raises(UploadRefused) as refused:
            await uploads.take("c.wav", parts([b"x"]), 401)
        go.set()
        await first
        return refused.value.status

    assert asyncio.run(run()) == 507
    assert names(uploads.folder) == ["a.wav", "b.wav", "rain-2.wav", "rain.wav"]


def test_a_disk_that_fills_meanwhile_ends_an_upload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, uploads = Disk(monkeypatch, SPARED_BYTES), Uploads(tmp_path)

    async def recorded_meanwhile() -> AsyncIterator[bytes]:
        yield b"x"
        disk.free -= 1
        for _ in range(64):
            yield b"x" * (LOOK_BYTES // 8)

    with pytest.raises(UploadRefused) as refused:
        asyncio.run(uploads.take("rain.wav", recorded_meanwhile(), None))
    assert refused.value.status == 507
    assert not names(uploads.folder)


def test_a_file_is_closed_before_it_is_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows renames no other."""
    uploads, replace = Uploads(tmp_path), Path.replace

    def closed_first(self: Path, target: Path) -> Path:
        held = [os.path.realpath(one) for one in Path("/proc/self/fd").iterdir()]
        if str(self.resolve()) in held:
            raise PermissionError(13, "is being used")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", closed_first)
    path = asyncio.run(uploads.take("rain.wav", parts([b"so", b"und"]), None))
    assert path.read_bytes() == b"sound" and path.stat().st_mode & 0o777 == 0o644


def test_a_name_that_can_t_be_given_stays_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Path, target: Path) -> Path:
        raise OSError(5, "no luck")

    uploads = Uploads(tmp_path)
    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(UploadRefused, match="no luck"):
        asyncio.run(uploads.take("rain.wav", parts([b"sound"]), None))
    assert not names(uploads.folder)


# Over HTTP


def test_an_upload_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    (folder / f"{UNFINISHED}old").write_bytes(b"of a process that was killed")
    (folder / "mine.wav").write_bytes(b"kept")
    with page_alone(settings(tmp_path)) as port:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            head = f"POST /upload?name=a.wav HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            connection.sendall(head.encode() + b"Content-Length: 1000000\r\n\r\n" + b"x" * 5000)
            until(lambda: len(names(folder)) == 2)
        until(lambda: names(folder) == ["mine.wav"])
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(head.encode() + b"Content-Length: 99999999999\r\n\r\nx")
            assert connection.recv(100).startswith(b"HTTP/1.1 413")
        response, line = ask(port, "POST", "/upload", b"x")
        assert response.status == 400 and line.count(b"\n") == 1
        assert ask(port, "GET", "/upload?name=a.wav")[0].status == 404
    assert names(folder) == ["mine.wav"]


@pytest.fixture(scope="module")
def paged(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    with daemon(tmp_path_factory.mktemp("paged"), "--page", "0") as process:
        yield process


def test_a_sound_that_was_sent_is_a_clip_and_other_files_are_refused_and_kept(
    paged: Daemon, tmp_path: Path
) -> None:
    port, uploads = page_port(paged), paged.data / "uploads"
    sound = (make_clips(tmp_path / "clips") / "a.wav").read_bytes()
    found = []
    for body, name in ((sound, "regen im märz.wav"), (b"no sound" * 1000, "letter.txt")):
        response, answer = ask(port, "POST", f"/upload?name={quote(name)}", body)
        assert response.status == 200
        found.append(json.loads(answer)["path"])
    with tab(port) as one:
        assert one.ask("/clip/load", 1, "rain", found[0])[0] == f"{PREFIX}/done"
        assert one.ask("/clip/load", 2, "letter", found[1])[3] == "bad_audio"
        assert one.ask("/clip/load", 3, "rain", "regen im märz.wav")[0] == f"{PREFIX}/done"
    assert names(uploads) == ["letter.txt", "regen im märz.wav"]
    assert (uploads / "regen im märz.wav").read_bytes() == sound
