"""Every request, to a real daemon with a real engine, over real sockets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from daemons import daemon, fails, prepare, until, wait_for
from eutectic.client.daemon_process import Daemon, status
from eutectic.client.sync import Client
from eutectic.files.shipped import presets_folder
from eutectic.osc import server as osc
from eutectic.osc.table import PREFIX, REQUESTS

pytestmark = pytest.mark.process


@pytest.fixture
def folder(running: Daemon) -> Path:
    return running.data.parent


def test_the_daemon_has_no_torch_and_answers_before_its_engine_is_there(tmp_path: Path) -> None:
    with daemon(tmp_path) as process, process.client() as client:
        client.request("/ping", timeout=5)
        assert not status(client)["engine"].startswith("ready")
        maps = Path(f"/proc/{process.pid}/maps").read_text()
        assert "numpy" in maps and "torch" not in maps
        prepare(client)
        client.request("/fuse", 1, "a", "r")
        assert "torch" not in Path(f"/proc/{process.pid}/maps").read_text()
        assert "torch" in Path(f"/proc/{process.engine().pid}/maps").read_text()


def written(process: Daemon) -> dict[str, int]:
    """The references on disk, and when each was written."""
    files = (process.data / "references").iterdir()
    return {path.name: path.stat().st_mtime_ns for path in files}


def test_what_a_command_learned_before_the_show_the_daemon_finds(tmp_path: Path) -> None:
    clip = presets_folder("clips") / "perc_bell.flac"
    command = [sys.executable, "-m", "eutectic", "learn", str(clip), "--model", "toy"]
    command += ["--prompt", "a bell", "--learn-steps", "2"]
    environment = os.environ | {"EUTECTIC_DATA": str(tmp_path / "data")}
    subprocess.run(command, check=True, env=environment)
    with daemon(tmp_path) as process, process.client() as client:
        learned = written(process)
        client.request("/clip/load", "bell", clip.name)
        client.request("/reference/learn", "r", "bell", "a", "bell", "@steps", 2)
        assert written(process) == learned and len(learned) == 1


def test_every_request_with_an_id_ends_exactly_once(client: Client) -> None:
    """Whatever it is, without its arguments: one done or one fail, and no silence."""
    slow = ("/model/set", "/device/set", "/clip/record")
    specs = [spec for spec in REQUESTS if spec.has_id and spec.address not in slow]
    sent = {client.begin(spec.address): PREFIX + spec.address for spec in specs}
    ends = [values[:2] for address, values in client.events(2.0) if address in ("/done", "/fail")]
    assert sorted(ends) == sorted((address, number) for number, address in sent.items())


def test_a_fusion_is_queued_started_done_and_ended(client: Client) -> None:
    number = client.begin("/fuse", 1, "a", "r", "@blend", 0.31)
    wait_for(client, lambda message: message == ("/queued", (number,)))
    started = wait_for(client, lambda message: message[0] == "/started")
    assert started[1][:2] == (number, 1) and started[1][2] > 0
    assert client.end("/fuse", number).found == ()
    assert wait_for(client, lambda message: message[0] == "/ended")[1] == (1, number)


def test_a_fusion_that_is_ready_is_done_without_the_engine(client: Client) -> None:
    client.request("/fuse", 1, "a", "r", "@blend", 0.4)
    number = client.begin("/fuse", 1, "a", "r", "@blend", 0.4)
    reply = client.end("/fuse", number)
    assert "/queued" not in [address for address, _ in reply.lines]
    wait_for(client, lambda message: message[0] == "/started" and message[1][0] == number)


def test_the_newest_fusion_wins_its_voice(client: Client) -> None:
    numbers = [client.begin("/fuse", 2, "a", "r", "@seed", 100 + seed) for seed in range(6)]
    ends = {
        message[1][1]: message
        for _ in numbers
        for message in [wait_for(client, lambda m: m[0] in ("/done", "/fail"))]
    }
    assert ends[numbers[-1]][0] == "/done"
    lost = [ends[number] for number in numbers[:-1]]
    assert sum(message[0] == "/fail" for message in lost) >= 4
    assert {message[1][2] for message in lost if message[0] == "/fail"} == {"cancelled"}
    assert any("superseded" in message[1][3] for message in lost if message[0] == "/fail")


def test_voices_do_not_supersede_each_other(client: Client) -> None:
    numbers = [client.begin("/fuse", voice, "a", "r", "@seed", 7) for voice in (1, 2, 3, 4)]
    for number in numbers:
        client.end("/fuse", number)


@pytest.mark.parametrize(
    ("address", "values", "code"),
    [
        ("/fuse", (1, "nobody", "r"), "unknown_clip"),
        ("/fuse", (1, "a", "nobody"), "unknown_reference"),
        ("/fuse", (5, "a", "r"), "unknown_voice"),
        ("/fuse", (1, "a", "r", "@blend", 0.5, "@remaining", 3), "bad_setting"),
        ("/fuse", (1, "a", "r", "@cfg", "high"), "bad_option"),
        ("/fuse", (1, "a"), "bad_arguments"),
        ("/fuse", (1, "a", "r", "@remaining", 900), "bad_setting"),
        ("/clip/load", ("d", "nothing.wav"), "bad_audio"),
        ("/clip/load", ("d", "silence.wav"), "bad_audio"),
        ("/clip/load", ("d", "a.wav", "@start", 100), "bad_audio"),
        ("/clip/free", ("nobody",), "unknown_clip"),
        ("/reference/free", ("nobody",), "unknown_reference"),
        ("/reference/learn", ("q", "nobody", "words"), "unknown_clip"),
        ("/cancel", (123_456,), "unknown_request"),
        ("/preset/load", ("nobody",), "bad_state"),
        ("/model/set", ("nobody",), "bad_model"),
        ("/device/set", ("nobody",), "bad_device"),
        ("/record/stop", (), "not_recording"),
        ("/midi/learn", ("blend",), "no_midi"),
    ],
)
def test_what_can_not_be_done_fails_with_a_word_and_changes_nothing(
    client: Client, folder: Path, address: str, values: tuple[str | int | float, ...], code: str
) -> None:
    soundfile.write(folder / "clips" / "silence.wav", np.zeros(44_100), 44_100)
    before = client.request("/clip/list").lines, client.request("/reference/list").lines
    assert fails(client, address, *values) == code
    names = lambda lines: [line[1][1:] for line in lines]  # noqa: E731
    after = client.request("/clip/list").lines, client.request("/reference/list").lines
    assert [names(lines) for lines in before] == [names(lines) for lines in after]


def test_what_is_wrong_without_an_id_is_said_once_a_second(client: Client) -> None:
    for _ in range(50):
        client.send("/stop", "loud")
    client.request("/sync")
    fails_ = [values for address, values in client.events(0.2) if address == "/fail"]
    assert len(fails_) == 1
    assert fails_[0][:3] == (f"{PREFIX}/stop", -1, "bad_arguments")


def test_an_address_that_is_not_there_is_said_so(client: Client) -> None:
    client.send("/nothing", 5)
    failed = wait_for(client, lambda message: message[0] == "/fail")
    assert failed[1][:3] == (f"{PREFIX}/nothing", -1, "unknown_address")


def test_a_request_is_cancelled_by_its_id_and_by_nobody_else(
    running: Daemon, client: Client
) -> None:
    number = client.begin("/reference/learn", "long", "a", "for ever", "@steps", 100_000)
    wait_for(client, lambda message: message[0] == "/progress")
    with running.client() as other:
        assert fails(other, "/cancel", number) == "unknown_request"
    assert fails(client, "/fuse", 1, "a", "long") == "not_ready"
    client.request("/cancel", number)
    failed = wait_for(client, lambda message: message[0] == "/fail")
    assert failed[1][1:3] == (number, "cancelled")


def test_learning_makes_way_for_a_fusion_and_goes_on(client: Client) -> None:
    number = client.begin("/reference/learn", "long", "a", "for ever", "@steps", 100_000)
    wait_for(client, lambda message: message[0] == "/progress")
    client.request("/fuse", 1, "a", "r", "@seed", 55)
    wait_for(client, lambda message: message[0] == "/progress" and message[1][0] == number)
    client.request("/cancel", number)


def test_clips_and_references_are_loaded_listed_and_freed(client: Client) -> None:
    client.request("/clip/load", 7, "c.wav", "@start", 0.25, "@duration", 0.5)
    client.request("/reference/learn", 8, 7, "a", "low", "tone", "@steps", 1)
    listed = {line[1][1]: line[1][2:] for line in client.request("/clip/list").lines}
    assert listed["7"] == ("c.wav", 0.5)
    references = {line[1][1]: line[1][2:] for line in client.request("/reference/list").lines}
    assert references["8"] == ("7", "a low tone", "ready")
    client.request("/clip/free", 7)
    client.request("/fuse", 1, "a", 8)
    client.request("/reference/free", 8)
    assert fails(client, "/fuse", 1, "a", 8) == "unknown_reference"
    assert fails(client, "/fuse", 1, 7, "r") == "unknown_clip"


def test_requests_on_a_clip_that_is_being_loaded_wait_for_it(client: Client) -> None:
    numbers = [
        ("/clip/load", client.begin("/clip/load", "late", "c.wav")),
        ("/reference/learn", client.begin("/reference/learn", "lr", "late", "x", "@steps", 1)),
        ("/fuse", client.begin("/fuse", 3, "late", "r")),
    ]
    for address, number in numbers:
        client.end(address, number)
    client.request("/clip/free", "late")


def test_a_fan_gets_ready_place_by_place_and_is_scrubbed(client: Client) -> None:
    number = client.begin("/fan", "a", "r", 3, "@seed", 9)
    reply = client.end("/fan", number)
    ready = [values for address, values in reply.lines if address == "/fan/ready"]
    assert sorted(values[1] for values in ready) == [0, 1, 2]
    client.request("/fuse", 1, "a", "r", "@seed", 9, "@blend", 0.5, "@loop", 1)
    before = status(client)["requests"]
    for blend in (0.1, 0.9, 0.4):
        client.send("/scrub", 1, blend)
    client.request("/sync")
    assert status(client)["requests"] == before


@contextmanager
def learning(client: Client) -> Generator[None]:
    """The engine has something to do all along."""
    number = client.begin("/reference/learn", "long", "a", "for ever", "@steps", 100_000)
    wait_for(client, lambda message: message[0] == "/progress" and message[1][0] == number)
    try:
        yield
    finally:
        client.request("/cancel", number)


def ready(client: Client) -> int:
    return int(status(client)["ready"].split()[0])


def settled(client: Client) -> int:
    """How many are ready, once no more are made ahead."""
    before = -1
    while before != (now := ready(client)):
        before = now
        time.sleep(0.3)
    return now


def test_a_scrub_without_a_fan_makes_one_whatever_is_being_learned(client: Client) -> None:
    before = settled(client)
    with learning(client):
        client.request("/fuse", 1, "a", "r", "@blend", 0.5, "@seed", 77, "@loop", 1)
        client.send("/scrub", 1, 0.2)
        until(lambda: ready(client) == before + 5)


def test_the_fan_of_what_is_played_is_made_ahead_once_nothing_else_waits(client: Client) -> None:
    before = settled(client)
    with learning(client):
        client.request("/fuse", 1, "a", "r", "@blend", 0.5, "@seed", 78, "@loop", 1)
        client.request(
            "/fuse", 2, "a", "r", "@blend", 0.5, "@seed", 79
        )  # past the fan of 78, had it begun
        assert ready(client) == before + 2
    until(lambda: ready(client) == before + 10)


def test_a_fan_made_ahead_is_given_up_when_its_voice_plays_others(client: Client) -> None:
    before = settled(client)
    with learning(client):
        client.request("/fuse", 1, "a", "r", "@blend", 0.5, "@seed", 80)
        client.request("/fuse", 1, "a", "r", "@blend", 0.5, "@seed", 81)
    until(lambda: ready(client) == before + 6)


def test_a_render_is_a_file_of_the_original_s_length(client: Client, folder: Path) -> None:
    reply = client.request("/render", "a", "r", "night/one", "@blend", 0.6)
    path, frames, rate_hz = reply.found
    assert Path(path) == folder / "data" / "renders" / "night" / "one.wav"
    assert (frames, rate_hz) == (44_100, 44_100)
    samples, rate_hz = soundfile.read(path)
    assert samples.shape == (44_100, 2) and rate_hz == 44_100
    assert np.abs(samples).max() > 0.01
    assert fails(client, "/render", "a", "r", "night/one.wav") == "bad_output"


def test_what_is_played_is_recorded(client: Client, folder: Path) -> None:
    client.request("/record/start", "take")
    assert fails(client, "/record/start", "other") == "recording"
    client.request("/fuse", 1, "a", "r", "@blend", 0.9)
    wait_for(client, lambda message: message[0] == "/ended")
    path, frames, rate_hz = client.request("/record/stop").found
    samples, _ = soundfile.read(path)
    assert len(samples) == frames and rate_hz == 48_000
    assert np.abs(samples).max() > 0.05


def test_stop_and_panic_end_what_plays_and_what_is_coming(client: Client) -> None:
    for address, values in (("/stop", (1, 5.0)), ("/panic", ())):
        client.request("/fuse", 1, "a", "r", "@loop", 1)
        wait_for(client, lambda message: message[0] == "/started")
        number = client.begin("/fuse", 1, "a", "r", "@seed", 200 + len(values))
        client.send(address, *values)
        failed = wait_for(client, lambda message: message[0] == "/fail")
        assert failed[1][1:3] == (number, "cancelled")
        wait_for(client, lambda message: message[0] == "/ended")
        assert status(client)["voices"].startswith("none")


def test_a_voice_is_set_within_its_range(client: Client) -> None:
    for what, value in (("gain", -6), ("pan", 0.5), ("loop", 1), ("xfade", 30), ("out", 2)):
        client.send("/voice/set", 3, what, value)
    client.send("/master/gain", -3)
    client.request("/sync")
    assert not [values for address, values in client.events(0.1) if address == "/fail"]
    client.send("/voice/set", 3, "pan", 2)
    client.request("/sync")
    assert [values[2] for address, values in client.events(0.1) if address == "/fail"]
    for what, value in (("gain", 0), ("pan", 0), ("loop", 0), ("xfade", 10), ("out", 1)):
        client.send("/voice/set", 3, what, value)
    client.send("/master/gain", 0)


def test_a_preset_brings_voices_back(client: Client, folder: Path) -> None:
    client.send("/voice/set", 4, "gain", -12)
    client.request("/fuse", 4, "a", "r", "@blend", 0.3, "@seed", 5)
    client.request("/preset/save", "quiet")
    client.send("/voice/set", 4, "gain", 0)
    client.request("/preset/load", "quiet")
    client.request("/preset/save", "again")
    names = [line[1][1] for line in client.request("/preset/list").lines]
    folders = presets_folder("fusions"), presets_folder("sessions")
    shipped = {path.stem for each in folders for path in each.glob("*.toml")}
    assert names == sorted({"again", "before", "quiet"} | shipped)
    presets = folder / "data" / "presets"
    assert (presets / "again.toml").read_text() == (presets / "quiet.toml").read_text()
    assert "gain_db = -12.0" in (presets / "quiet.toml").read_text()
    client.request("/preset/save", "quiet")
    assert (presets / "quiet.toml~").exists()
    client.send("/voice/set", 4, "gain", 0)


def test_a_bundle_s_time_tag_is_kept_to_and_a_late_one_says_so(
    running: Daemon, client: Client
) -> None:
    client.request("/fuse", 1, "a", "r", "@blend", 0.5)
    client.events(0.1)
    number = client.begin("/fuse", 1, "a", "r", "@blend", 0.5, "@at_ms", 400)
    began = time.monotonic()
    client.end("/fuse", number)
    started = wait_for(client, lambda m: m[0] == "/started" and m[1][0] == number)
    assert started[1][2] >= 400 and time.monotonic() - began >= 0.35
    for ahead, late in ((0.3, False), (-2.0, True), (60.0, True)):
        number += 1
        client.send_bundle(time.time() + ahead, "/fuse", number, 1, "a", "r", "@blend", 0.5)
        came = wait_for(client, lambda m: m[0] == "/started")
        assert came[1][0] == number and came[1][2] >= (0 if late else 280)
        assert [values[0] for address, values in client.events() if address == "/late"] == (
            [number] if late else []
        )


def test_the_schedule_is_cleared(client: Client) -> None:
    client.request("/fuse", 1, "a", "r", "@blend", 0.5)
    ready = client.begin("/fuse", 1, "a", "r", "@blend", 0.5, "@at_ms", 1500)
    client.end("/fuse", ready)
    client.send_bundle(time.time() + 1.5, "/ping", 999)
    client.request("/sync")
    client.send("/schedule/clear")
    failed = wait_for(client, lambda message: message[0] == "/fail")
    assert failed[1][1:3] == (999, "cancelled")
    client.events(1.7)
    assert not [m for m in client.events(0.2) if m[0] == "/started" and m[1][0] == ready]


def test_events_go_to_those_who_asked_and_replies_to_the_sender(
    running: Daemon, client: Client
) -> None:
    with running.client() as other:
        other.send("/notify", 1, "@meter", 1)
        wait_for(other, lambda message: message[0] == "/done")
        client.request("/fuse", 1, "a", "r", "@blend", 0.5)
        meters = [wait_for(other, lambda message: message[0] == "/meter") for _ in range(8)]
        assert {values[0] for _, values in meters} == {1, 2, 3, 4}
        heard = {address for address, _ in other.events(0.3)}
        assert heard <= {"/meter", "/engine"}
        other.send("/notify", 0)
        wait_for(other, lambda message: message[0] == "/done")
        other.events()
        assert not other.events(0.3)


def test_a_reply_port_hears_as_well(running: Daemon) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear, running.client() as client:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(5)
        client.send("/notify", 1, ear.getsockname()[1])
        client.request("/ping")
        heard = {osc.decode(ear.recv(4096))[0][0] for _ in range(3)}
        assert f"{PREFIX}/done" in heard


def test_tcp_does_what_udp_does(running: Daemon) -> None:
    with running.client(tcp=True) as client:
        client.request("/ping")
        client.request("/fuse", 2, "a", "r", "@blend", 0.45)
        wait_for(client, lambda message: message[0] == "/ended")
    with socket.create_connection(("127.0.0.1", running.port)) as slipped:
        slipped.sendall(osc.slip(osc.encode(f"{PREFIX}/ping", (5,))))
        slipped.settimeout(5)
        assert b"/eutectic/done" in slipped.recv(4096)


def test_pure_data_fuses_and_hears_of_it(running: Daemon, tmp_path: Path) -> None:
    """`pd -nogui` sends floats and symbols, and gets answers at its own socket."""
    patch = tmp_path / "client.pd"
    lines = [
        "#N canvas 0 0 600 400 10;",
        f"#X msg 10 10 connect 127.0.0.1 {running.port};",
        "#X msg 10 40 41 1 a r @blend 0.5;",
        "#X obj 10 70 oscformat eutectic fuse;",
        "#X obj 10 100 list prepend send;",
        "#X obj 10 130 list trim;",
        "#X obj 10 160 netsend -u -b;",
        "#X obj 10 190 oscparse;",
        "#X obj 10 220 list trim;",
        "#X obj 10 250 print heard;",
        "#X obj 200 10 loadbang;",
        "#X obj 200 40 trigger bang bang;",
        "#X obj 300 70 del 300;",
        "#X connect 0 0 5 0;",
        "#X connect 1 0 2 0;",
        "#X connect 2 0 3 0;",
        "#X connect 3 0 4 0;",
        "#X connect 4 0 5 0;",
        "#X connect 5 1 6 0;",
        "#X connect 6 0 7 0;",
        "#X connect 7 0 8 0;",
        "#X connect 9 0 10 0;",
        "#X connect 10 1 0 0;",
        "#X connect 10 0 11 0;",
        "#X connect 11 0 1 0;",
    ]
    patch.write_text("\n".join(lines))
    command = ["timeout", "6", "pd", "-nogui", "-noaudio", "-nomidi", "-stderr", "-open", patch]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert "couldn't create" not in said and "connection failed" not in said
    heard = [line for line in said.splitlines() if line.startswith("heard:")]
    assert any("done" in line and " 41" in line for line in heard), said
    assert any("started 41 1" in line for line in heard), said


def test_status_tells_of_everything(client: Client) -> None:
    client.request("/fuse", 1, "a", "r")
    there = status(client)
    assert {"engine", "model", "device", "latency", "lost", "voices", "requests", "clients",
            "clips", "references", "ready", "memory", "engine cache", "engine memory", "queue",
            "denoise", "decode", "first sample, ready"} <= set(there)  # fmt: skip
    assert there["lost"].startswith("0 underruns") and there["model"] == "toy"


def test_another_model_makes_references_stale_and_the_old_one_brings_them_back(
    tmp_path: Path,
) -> None:
    with daemon(tmp_path) as process, process.client() as client:
        prepare(client)
        client.request("/model/set", "embedded", timeout=120)
        assert fails(client, "/fuse", 1, "a", "r") == "stale_reference"
        states = [line[1][-1] for line in client.request("/reference/list").lines]
        assert states == ["stale"]
        broken = tmp_path / "data" / "models" / "broken"
        broken.mkdir(parents=True)
        (broken / "model_config.json").write_text("{}")
        assert fails(client, "/model/set", "broken") == "bad_model"
        models = {line[1][1]: line[1][2] for line in client.request("/model/list").lines}
        assert models == {"embedded": 1, "toy": 0, "broken": 0}
        client.request("/model/set", "toy", timeout=120)
        client.request("/fuse", 1, "a", "r")


def test_the_command_line_sends_and_asks(running: Daemon) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "eutectic", *arguments, "--port", str(running.port)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    sent = run("send", "/fuse", "1", "a", "r", "@blend", "0.5")
    assert sent.returncode == 0 and sent.stdout.splitlines()[-1].startswith("/done /eutectic/fuse")
    wrong = run("send", "/fuse", "1", "nobody", "r")
    assert wrong.returncode == 2 and wrong.stderr.startswith("eutectic: unknown_clip")
    assert run("send", "/scrub", "1", "0.5").returncode == 0
    assert run("send", "/scrub", "1", "much").returncode == 2
    assert run("send", "/nothing").returncode == 2
    assert "engine" in run("status").stdout
    gone = subprocess.run(
        [sys.executable, "-m", "eutectic", "status", "--port", "9"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert gone.returncode == 2 and "does `eutectic serve` run?" in gone.stderr
