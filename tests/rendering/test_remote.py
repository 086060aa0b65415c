"""Renders in S3, as moto's server has it, and in a store of another kind."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import msgspec
import pytest

import renders
from daemons import until
from eutectic.errors import BadInput, BadOutput
from eutectic.rendering.destination import TAKEN
from eutectic.rendering.local import LocalFolder
from eutectic.rendering.manifest import save_manifest
from eutectic.rendering.opening import open_destination
from renders import TAGS, Killed, key, plan, row, sound

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """An address of a bucket, on a server that this environment's variables lead to."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    log = tmp_path_factory.mktemp("moto") / "log"
    with pytest.MonkeyPatch.context() as patched, log.open("w") as out:
        for name, value in {
            "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "mine",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():  # fmt: skip
            patched.setenv(name, value)
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        with subprocess.Popen(command, stdout=out, stderr=out) as process:
            until(lambda: "Running on" in log.read_text())
            import s3fs

            s3fs.S3FileSystem().mkdir("renders")
            yield "s3://renders"
            process.kill()


def files(url: str) -> dict[str, int]:
    """All that a user sees there, with sizes."""
    import s3fs

    found = s3fs.S3FileSystem(use_listings_cache=False).find(url, detail=True)
    root = url.removeprefix("s3://")
    names = {path[len(root) + 1 :]: each["size"] for path, each in found.items()}
    return {name: size for name, size in names.items() if not name.startswith(".eutectic/")}


def test_a_run_into_s3_has_the_same_files_and_manifest_as_one_into_a_folder(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eutectic.rendering.remote.ROWS", 4)
    names, url = list(plan(12)), f"{store}/a/b"
    here, there = LocalFolder(tmp_path), open_destination(url)
    manifests = []
    for each in (here, there):
        each.settle()
        renders.render(each, iter(names[:5]), "one")
        renders.render(each, iter(names), "two")
        assert save_manifest(each, map(key, names), "csv") == "manifest.csv"
        manifests.append([same(found) for found in each.ordered(map(key, names))])
    assert manifests[0] == manifests[1]
    assert [each.name for each in manifests[0]] == names
    sizes = {name: (tmp_path / name).stat().st_size for name in names if not renders.bad(name)}
    assert {name: size for name, size in files(url).items() if name != "manifest.csv"} == sizes


def same(found: renders.Row) -> renders.Row:
    return msgspec.structs.replace(found, seconds=None, worker="", at="")


def test_nothing_in_a_store_is_replaced(store: str) -> None:
    import s3fs

    url, s3 = f"{store}/taken", s3fs.S3FileSystem()
    s3.pipe_file(f"{url}/x.wav", b"mine")
    s3.pipe_file(f"{url}/manifest.csv", b"mine, too")
    there = open_destination(url)
    sink = there.sink("w")
    assert sink.put(row("x.wav"), sound("x"), TAGS).reason == TAKEN
    (found,) = there.rows()
    assert found.reason == TAKEN
    assert there.write("manifest.csv", [b"1"]) == "manifest-2.csv"
    assert there.write("manifest.csv", [b"2"]) == "manifest-2.csv"
    assert s3.cat_file(f"{url}/x.wav") == b"mine"
    assert s3.cat_file(f"{url}/manifest.csv") == b"mine, too"
    s3.rm(f"{url}/x.wav")
    assert list(there.rows()) == []
    assert sink.put(row("x.wav"), sound("x"), TAGS).reason == ""
    sink.close()


def test_killed_at_any_moment_a_run_into_s3_makes_nothing_twice(store: str) -> None:
    url, count = f"{store}/killed", 30
    said = Killed(url, count, between=8, pause_seconds=0.05)
    assert said.kills > 3
    assert all(said[name] <= 1 for name in plan(count)), "what was done is done again"
    found = list(open_destination(url).ordered(map(key, plan(count))))
    assert [each.name for each in found] == list(plan(count))
    assert files(url) == {each.name: each.size for each in found if not each.reason}


def test_a_store_of_another_kind_gets_files_under_their_names_as_a_whole(tmp_path: Path) -> None:
    url = f"local://{tmp_path}/renders"
    there = open_destination(url)
    renders.render(there, plan(9), "w")
    assert sorted(each.name for each in there.rows()) == sorted(plan(9))
    left = tmp_path / "renders" / ".eutectic" / "parts"
    assert list(left.iterdir()) == []
    (left / "half.wav").write_bytes(b"half")
    there.settle()
    assert not left.exists()


def test_addresses_that_cannot_be_used_are_one_line(store: str) -> None:
    with pytest.raises(BadInput, match=r"nothing://x: .*nothing"):
        open_destination("nothing://x")
    with pytest.raises(BadOutput, match="s3://no-such-bucket-here/x: "):
        open_destination("s3://no-such-bucket-here/x").sink("w").put(
            row("x", reason="no"), None, None
        )
    with pytest.raises(BadInput, match=r"gs://x: needs a package .*gcsfs"):
        open_destination("gs://x")
