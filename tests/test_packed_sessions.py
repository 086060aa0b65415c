"""A session packed by a daemon, unpacked in a second data folder, plays there as it did."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from commands import refused
from daemons import daemon, fails, prepare
from eutectic.cli import run
from eutectic.client.daemon_process import Daemon, until_ready
from eutectic.client.sync import Client
from eutectic.osc.answers import Queued
from loras import write_lora

pytestmark = pytest.mark.process

SEED = 11


@pytest.fixture
def first(tmp_path: Path) -> Generator[Daemon]:
    """A daemon whose session has clips, a learned and a remembered reference, and two LoRAs."""
    folder = tmp_path / "first"
    folder.mkdir()
    with daemon(folder, "--session", "night") as process, process.client() as client:
        until_ready(client)
        prepare(client)
        client.load_clip("c", "c.wav", start=0.25, duration=0.5)
        client.remember("m", "c", "a tone")
        lora = write_lora(folder / "clips" / "tape.safetensors")
        client.load_reference("t", lora.name)
        client.load_reference("tc", lora.name, clip="c", strength=0.5)
        client.save_preset("mine")
        client.set_voice(2, "gain", -9.0)
        client.request("/fuse", 2, "a", "r", "@seed", SEED)
        yield process
    assert "Traceback" not in process.log


PAIRS = (("a", "r"), ("a", "m"), ("b", "t"), ("c", "tc"))


def sounds(client: Client) -> list[np.ndarray]:
    """Of each pair, made anew by the engine."""
    made: list[np.ndarray] = []
    for original, reference in PAIRS:
        name = f"{original}-{reference}-{len(made)}"
        file = client.render(original, reference, name, blend=0.4, recall=0.5)
        made.append(soundfile.read(file.path)[0])
    return made


def second(tmp_path: Path) -> Daemon:
    return daemon(tmp_path / "second", "--session", "night")


def unpack(pack: str | Path, folder: Path, *options: str) -> int:
    return run(["sessions", "unpack", str(pack), "--data", str(folder / "data"), *options])


def test_it_plays_elsewhere_the_same_bits_without_learning_again(
    first: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with first.client() as client:
        before = sounds(client)
        pack = client.pack_session("sets/night").path
        assert pack == str(first.data / "renders" / "sets" / "night.zip")
        assert fails(client, "/session/pack", "sets/night.zip") == "bad_output"
        assert fails(client, "/session/pack", "../night.zip") == "bad_path"
        assert fails(client, "/session/pack", "night.wav") == "bad_path"
    first.stop()
    shutil.move(pack, tmp_path / "night.zip")
    for folder in (first.data.parent / "clips", *first.data.glob("*/")):
        shutil.rmtree(folder)  # nothing can be found where it was
    assert unpack(tmp_path / "night.zip", tmp_path / "second") == 0
    out, err = capsys.readouterr()
    assert out.startswith("session night: 3 clips, 4 references, 1 voice, in ") and err == ""
    assert "eutectic serve --model toy --session 'night'" in out
    with second(tmp_path) as process, process.client() as client:
        until_ready(client)
        assert {each.clip: each.state for each in client.clips()} == dict.fromkeys("abc", "loaded")
        assert {each.reference: each.state for each in client.references()} == {
            "r": "learned", "m": "remembered", "t": "learned", "tc": "learned",
        }  # fmt: skip
        for there, here in zip(sounds(client), before, strict=True):
            assert np.array_equal(there, here)
        assert client.request("/fuse", 2, "a", "r", "@seed", SEED).of(Queued)  # not packed
        assert [each.name for each in client.presets() if each.name == "mine"]
        assert client.request("/voice/list").answers[1].gain == -9
    assert "learned by another model" not in process.log and "is gone" not in process.log


def test_ready_fusions_go_along_on_request(
    first: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    first.stop()
    monkeypatch.chdir(tmp_path)
    assert run(["sessions", "pack", "night", "--fusions", "--data", str(first.data)]) == 0
    out, err = capsys.readouterr()
    assert "MB in night.zip" in out
    assert err == ""
    assert "exists" in refused(capsys, "sessions", "pack", "night", "--data", str(first.data))
    with zipfile.ZipFile("night.zip") as pack:
        assert any(name.startswith("fusions/") for name in pack.namelist())
    assert unpack("night.zip", tmp_path / "second") == 0
    with second(tmp_path) as process, process.client() as client:
        assert not client.request("/fuse", 2, "a", "r", "@seed", SEED).of(Queued)


def test_what_cannot_be_done_is_one_line_and_leaves_nothing(
    first: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    first.stop()
    data = str(first.data)
    monkeypatch.chdir(tmp_path)
    assert run(["sessions", "pack", "night", "-o", "x.zip", "--data", data]) == 0
    assert run(["sessions", "--data", data]) == 0
    assert "night" in capsys.readouterr().out
    for path in (first.data.parent / "clips" / "a.wav", *(first.data / "encoded").iterdir()):
        path.unlink()
    for words, said in (
        (("pack",), "needs a session"),
        (("pack", "nigth", "--data", data), "did you mean night"),
        (("pack", "night", "--data", data), "can't be packed whole: a: "),
        (("pack", "night", "-o", "no/x.zip", "--data", data), "does not exist"),
        (("list", "night"), "takes no session"),
        (("list", "--fusions"), "for pack alone"),
        (("unpack", "x.zip", "--data", data), "--name gives"),
        (("unpack", "x.zip", "--name", "../x", "--data", data), "is no name"),
        (("unpack", "none.zip", "--data", "there"), "no such file"),
    ):
        assert said in refused(capsys, "sessions", *words)
    assert run(["sessions", "pack", "night", "--without-missing", "--data", data]) == 0
    assert "note: a: " in capsys.readouterr().err
