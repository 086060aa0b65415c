"""`eutectic models`, with a Hub of our own that cuts the line."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from huggingface_hub import constants

import stable_audio_3
from commands import refused
from eutectic.cli import run
from eutectic.config import SHORT_NAMES

NAME = "sa3-small-sfx"
COMMIT = "1" * 40


class Hub(http.server.ThreadingHTTPServer):
    """Serves a model's files as the Hub does, and breaks off so many large downloads halfway.

    Attributes:
        sent: bytes of large files.
    """

    def __init__(self, files: dict[str, bytes], breaks: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.breaks, self.sent = files, breaks, 0
        self.damage = b""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._serve(with_body=False)

    def do_GET(self) -> None:
        if "/tree/" in self.path:
            self._json([
                {"type": "file", "path": name, "size": len(content),
                 "oid": hashlib.sha1(content).hexdigest()}
                for name, content in self.server.files.items()
            ])  # fmt: skip
        elif self.path.startswith("/api/models/"):
            names = [{"rfilename": name} for name in self.server.files]
            self._json({"id": SHORT_NAMES[NAME], "sha": COMMIT, "siblings": names})
        else:
            self._serve(with_body=True)

    def _serve(self, with_body: bool) -> None:
        repository, _, place = self.path.partition("/resolve/")
        content = self.server.files.get(place.partition("/")[2])
        if content is None or repository != f"/{SHORT_NAMES[NAME]}":
            self._status(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        large = len(content) > 100_000
        tag = hashlib.sha256(content).hexdigest() if large else hashlib.sha1(content).hexdigest()
        self._status(206 if start else 200)
        self.send_header("ETag", f'"{tag}"')
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if not with_body:
            return
        body = content[start:]
        if large and self.server.damage:
            body = self.server.damage[start:]
        if large and self.server.breaks:
            self.server.breaks -= 1
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)
        self.server.sent += len(body) if large else 0

    def _status(self, code: int) -> None:
        self.send_response(code)
        self.send_header("X-Repo-Commit", COMMIT)

    def _json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self._status(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Of a small checkpoint in Stable Audio 3's format, by their paths."""
    folder = stable_audio_3.write_checkpoint(
        tmp_path_factory.mktemp("published") / "small", stable_audio_3.SMALL
    )
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*")) if path.is_file()
    }  # fmt: skip


@pytest.fixture
def hub(files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Hub]:
    with Hub(files) as server:
        at = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(constants, "ENDPOINT", at)
        template = at + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(
            constants, "DOWNLOAD_CHUNK_SIZE", 1 << 16
        )  # what is cut off goes on there
        monkeypatch.setattr(time, "sleep", lambda _: None)  # between the client's attempts
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, bool]:
    """Which known models are here."""
    capsys.readouterr()
    assert run(["models", "--json"]) == 0
    return {row["name"]: row["here"] for row in json.loads(capsys.readouterr().out)}


def test_known_models_are_listed_with_their_licences(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models"]) == 0
    text = capsys.readouterr().out
    for words in ("embedded", NAME, "Gemma Terms of Use", "stable-audio-open-small", "2.27"):
        assert words in text


def test_a_download_that_is_cut_off_goes_on_and_arrives_whole(
    hub: Hub, files: dict[str, bytes], capsys: pytest.CaptureFixture[str], own_data: Path
) -> None:
    assert not listed(capsys)[NAME] and listed(capsys)["embedded"]
    hub.breaks = 2
    assert run(["models", "get", NAME, "--to", "carried"]) == 0
    assert hub.breaks == 0
    whole = sum(len(content) for content in files.values() if len(content) > 100_000)
    assert whole <= hub.sent < whole + 2 * (1 << 16)  # all but the last pieces went on
    assert listed(capsys)[NAME]
    copied = {path.relative_to("carried").as_posix(): path.read_bytes()
              for path in Path("carried").rglob("*") if path.is_file()}  # fmt: skip
    assert copied == files
    assert run(["models", "check", "carried"]) == 0
    assert "a new fusion of 6 s begins after " in capsys.readouterr().out


def test_a_file_that_was_damaged_on_its_way_is_not_kept(
    hub: Hub, files: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    weights = files["model.safetensors"]
    hub.damage = bytes([weights[0] ^ 1]) + weights[1:]
    assert run(["models", "get", NAME]) == 2
    last = capsys.readouterr().err.splitlines()[-1]  # after the bars of progress
    assert last.startswith("eutectic: model.safetensors, model.safetensors: damaged on the way")
    assert not listed(capsys)[NAME]
    hub.damage = b""
    assert run(["models", "get", NAME]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("get",), "get needs a model's name"),
        (("check", "nobody"), "unknown model 'nobody'"),
        (("get", "someone/unknown"), "the Hub has no such stable-audio-tools model"),
        (("get", NAME, "--to", "."), "exists; choose a new folder"),
    ],
)
def test_mistakes_are_one_line(
    hub: Hub, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert words in refused(capsys, "models", *arguments)
