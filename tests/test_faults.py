"""What goes wrong on stage, done to a real daemon: it plays on, recovers, and reports it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from daemons import daemon, fails, prepare, until, wait_for
from eutectic.client.daemon_process import Daemon, NotServing, status, until_ready
from eutectic.client.replies import RequestFailed
from eutectic.client.sync import Client
from eutectic.experiments.live.clicks import longest_silence
from eutectic.experiments.live.jack_server import RATE_HZ, Jack
from eutectic.osc.answers import Device, Engine, Fail, Late, Progress, Queued, Started
from eutectic.system.shared_memory import PREFIX, SHARED
from takes import GAP_FRAMES, PERIOD, take

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def jack() -> Generator[Jack]:
    with Jack(PERIOD) as server:
        yield server


def loop_forever(client: Client) -> None:
    client.request("/fuse", 1, "a", "r", "@blend", 1, "@loop", 1, "@level", "raw")
    time.sleep(0.5)


def assert_no_gap(samples: NDArray[np.float32]) -> None:
    played = samples[RATE_HZ // 10 :]  # connecting takes a moment
    assert longest_silence(played) < GAP_FRAMES and np.abs(played).max() > 0.1


def shared_of(pid: int) -> list[Path]:
    return list(SHARED.glob(f"{PREFIX}{pid}-*"))


@pytest.mark.realtime
def test_an_engine_that_is_killed_leaves_no_gap_and_is_restored(jack: Jack, tmp_path: Path) -> None:
    # an input's memory would be there all the time
    process = daemon(tmp_path, "--rate", str(RATE_HZ), "--input", "off", device="system")
    with process, process.client() as client:
        prepare(client)
        until_ready(client)
        loop_forever(client)

        def kill() -> None:
            client.send("/notify", 1)
            learning = client.begin("/reference/learn", "l", "a", "x", "@steps", 100_000)
            wait_for(client, Progress)
            old = process.engine()
            old.send_signal(signal.SIGKILL)
            failed = wait_for(client, Fail)
            assert (failed.id, failed.code) == (learning, "engine_died")
            wait_for(client, Engine, lambda engine: engine.state == "dead")
            client.request("/fuse", 2, "a", "r", "@seed", int(time.time()) % 10_000)
            assert process.engine().pid != old.pid and not old.is_running()

        assert_no_gap(take(tmp_path, kill))
        until(lambda: not shared_of(process.pid))  # fusions made ahead have some for a moment


@pytest.mark.realtime
def test_a_daemon_that_is_killed_leaves_nothing_behind_and_is_restored(
    jack: Jack, tmp_path: Path
) -> None:
    options = ("--rate", str(RATE_HZ), "--session", str(tmp_path / "night.toml"))
    process = daemon(tmp_path, *options, device="system")
    process.start()
    with process.client() as client:
        prepare(client)
        client.send("/voice/set", 2, "gain", -7)
        client.request("/fuse", 1, "a", "r", "@blend", 0.25, "@loop", 1)
        number = client.begin("/reference/learn", "l", "a", "x", "@steps", 100_000)
        wait_for(client, Progress, lambda progress: progress.id == number)
        until(lambda: "gain_db = -7.0" in (tmp_path / "night.toml").read_text())
        until(lambda: bool(list((tmp_path / "data" / "fusions").glob("*.safetensors"))))
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    killed = process.pid
    process.kill()
    psutil.wait_procs(children, timeout=10)
    assert not [child for child in children if child.is_running()]
    process.start()
    try:
        with process.client() as client:
            assert not status(client)["engine"].startswith("ready")
            client.request("/fuse", 1, "a", "r", "@blend", 0.25, timeout=2)
            assert not status(client)["engine"].startswith("ready")
            assert not shared_of(killed)
            client.request("/fuse", 1, "a", "r", "@blend", 0.35)
            assert [each.clip for each in client.clips()] == ["a", "b"]
            client.request("/preset/save", "as-it-was")
    finally:
        assert process.stop() == 0
    preset = (tmp_path / "data" / "presets" / "as-it-was.toml").read_text()
    assert "gain_db = -7.0" in preset
    assert not shared_of(process.pid)


def test_damaged_files_are_made_again_and_a_damaged_session_is_not_replaced(
    tmp_path: Path,
) -> None:
    session = tmp_path / "night.toml"
    process = daemon(tmp_path, "--session", str(session))
    with process, process.client() as client:
        prepare(client)
        client.request("/fuse", 1, "a", "r", "@blend", 0.25)
    data = tmp_path / "data"
    kept = [*data.glob("fusions/*.safetensors"), *data.glob("encoded/*.safetensors")]
    assert len(kept) == 3
    for path in kept:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0x55
        path.write_bytes(content)
    with process, process.client() as client:
        number = client.begin("/fuse", 1, "a", "r", "@blend", 0.25)
        assert client.end("/fuse", number).of(Queued)
    assert "rendering it again" in process.log
    text = session.read_text()
    session.write_text(text[: len(text) // 2])
    command = [sys.executable, "-m", "eutectic", "serve", "--model", "toy", "--device", "null",
               "--port", "0", "--session", str(session)]  # fmt: skip
    refused = subprocess.run(
        command, capture_output=True, text=True, check=False,
        env=os.environ | {"EUTECTIC_DATA": str(data)},
    )  # fmt: skip
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1
    assert "night.toml~ was saved before it" in refused.stderr
    assert session.read_text() == text[: len(text) // 2]


def test_a_full_disk_loses_only_what_would_be_kept_on_it(tmp_path: Path) -> None:
    canvas = 4 * 2 * (48_000 + 2400)  # one second: it fits, but its file doesn't
    process = daemon(tmp_path)
    limited = Daemon(process.data, *process.options, command=("prlimit", f"--fsize={canvas + 64}"))
    with limited, limited.client() as client:
        prepare(client)
        client.request("/fuse", 1, "a", "r", "@blend", 0.25)
        client.send("/notify", 1)
        client.request("/record/start", "long")
        lost = wait_for(client, Fail)
        assert (lost.request, lost.id) == ("/eutectic/record/start", -1)
        assert "what was written is kept" in lost.text
        assert "can't be written any more" in status(client)["recording"]
        assert fails(client, "/record/stop") == "bad_output"
        number = client.begin("/fuse", 1, "a", "r", "@blend", 0.25)
        assert not client.end("/fuse", number).of(Queued)
        assert not list(process.data.glob("fusions/*.safetensors"))
        client.request("/fuse", 1, "a", "r", "@blend", 0.75)
    assert "can't be kept on disk" in limited.log


def test_a_clip_whose_file_is_gone_plays_from_its_encoding_on_disk(tmp_path: Path) -> None:
    with daemon(tmp_path) as process, process.client() as client:
        prepare(client)
        (tmp_path / "clips" / "a.wav").unlink()
        client.request("/fuse", 1, "a", "r", "@blend", 0.2)
        process.engine().kill()
        client.request("/fuse", 1, "a", "r", "@blend", 0.3)
        for path in process.data.glob("encoded/*"):
            path.unlink()
        process.engine().kill()
        time.sleep(0.3)
        assert fails(client, "/fuse", 1, "a", "r", "@blend", 0.4) == "stale_clip"
        client.request("/fuse", 1, "a", "r", "@blend", 0.3)
        client.request("/fuse", 1, "b", "r", "@blend", 0.3)


@pytest.mark.realtime
def test_a_device_that_is_lost_and_returns_is_played_on_again(jack: Jack, tmp_path: Path) -> None:
    with (
        daemon(tmp_path, "--rate", str(RATE_HZ), device="system") as process,
        process.client() as client,
    ):
        client.send("/notify", 1)
        prepare(client)
        loop_forever(client)
        jack.stop()
        wait_for(client, Device, lambda device: device.state == "lost")
        assert "lost" in status(client)["device"]
        jack.start()
        wait_for(client, Device, lambda device: device.state == "back")
        assert_no_gap(take(tmp_path, lambda: time.sleep(0.5)))


def test_a_second_daemon_on_one_port_fails_and_the_first_goes_on(tmp_path: Path) -> None:
    with daemon(tmp_path) as process, process.client() as client:
        command = [sys.executable, "-m", "eutectic", "serve", "--model", "toy", "--device", "null",
                   "--port", str(process.port)]  # fmt: skip
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        assert second.returncode == 2 and second.stderr.count("\n") == 1
        assert f"can't listen on 127.0.0.1:{process.port}" in second.stderr
        client.request("/ping")


def test_a_session_is_kept_by_one_daemon_alone(tmp_path: Path) -> None:
    session = tmp_path / "night.toml"
    with daemon(tmp_path, "--session", str(session)) as process, process.client() as client:
        prepare(client)
        with pytest.raises(NotServing, match="another daemon is using this session"):
            daemon(tmp_path, "--session", str(session)).start()
        until(lambda: session.exists() and "noise" in session.read_text())
    with daemon(tmp_path, "--session", str(session)) as process, process.client() as client:
        client.request("/fuse", 1, "a", "r")


@pytest.mark.parametrize("step", [3600, -3600])
def test_a_clock_that_is_stepped_moves_nothing(tmp_path: Path, step: int) -> None:
    clock = tmp_path / "clock"
    clock.write_text("0")
    process = daemon(tmp_path)
    folder = str(Path(__file__).parent / "stepped_clock")
    stepped = Daemon(process.data, *process.options, PYTHONPATH=folder, STEPPED_CLOCK=str(clock))
    with stepped, stepped.client() as client:
        prepare(client)
        client.request("/fuse", 1, "a", "r", "@blend", 0.5)
        number = client.begin("/fuse", 1, "a", "r", "@blend", 0.5, "@at_ms", 800)
        clock.write_text(str(step))
        started = wait_for(client, Started, lambda started: started.id == number)
        assert 800 <= started.latency_ms < 1500
        client.send_bundle(time.time() + step + 0.5, "/fuse", 900, 1, "a", "r", "@blend", 0.5)
        started = wait_for(client, Started, lambda started: started.id == 900)
        assert 450 < started.latency_ms < 1500
        assert not [each for each in client.events(0.1) if isinstance(each, Late)]


def test_an_engine_without_its_model_fails_and_takes_another(tmp_path: Path) -> None:
    with daemon(tmp_path, model=str(tmp_path / "nowhere")) as process, process.client() as client:
        until(lambda: status(client)["engine"].startswith("failed"))
        with pytest.raises(RequestFailed, match="no model"):
            client.request("/clip/load", "a", "a.wav")
        client.request("/model/set", "toy")
        prepare(client)
        client.request("/fuse", 1, "a", "r")
