"""Every request, to a real daemon with a real engine, over real sockets."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import numpy as np
import psutil
import pytest
import soundfile

from daemons import daemon, fails, prepare, until, wait_for
from eutectic.client.daemon_process import Daemon, status
from eutectic.client.sync import Client
from eutectic.files.shipped import presets_folder
from eutectic.osc import answers
from eutectic.osc.answers import (
    Answer,
    Done,
    Ended,
    Fail,
    Meter,
    PresetChanged,
    Progress,
    SoundFile,
    Started,
    VoiceState,
)
from eutectic.osc.packets import decode, encode, slip
from eutectic.osc.spec import PREFIX
from eutectic.osc.table import REQUESTS

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
    """The references on disk, and their inodes: a file that is written anew has another."""
    files = (process.data / "references").iterdir()
    return {path.name: path.stat().st_ino for path in files}


def test_the_daemon_finds_what_a_command_learned_before(tmp_path: Path) -> None:
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
    """Each of the table, without its arguments: one `/done` or one `/fail`."""
    slow = ("/model/set", "/device/set", "/clip/record")
    specs = [spec for spec in REQUESTS if spec.has_id and spec.address not in slow]
    sent = {client.begin(spec.address): PREFIX + spec.address for spec in specs}
    ends = [(each.request, each.id) for each in client.events(2.0) if isinstance(each, Done | Fail)]
    assert sorted(ends) == sorted((address, number) for number, address in sent.items())


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
        ("/clip/load", ("d", "nothing.wav"), "no_file"),
        ("/clip/load", ("d", "silence.wav"), "bad_audio"),
        ("/clip/load", ("d", "a.wav", "@start", 100), "bad_audio"),
        ("/clip/free", ("nobody",), "unknown_clip"),
        ("/reference/free", ("nobody",), "unknown_reference"),
        ("/reference/delete", ("nobody",), "unknown_reference"),
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
    before = listed(client)
    assert fails(client, address, *values) == code
    assert listed(client) == before


def listed(client: Client) -> list[Answer]:
    """All clips and references, whatever the ids of the requests."""
    found = [*client.clips(), *client.references()]
    return [msgspec.structs.replace(each, id=0) for each in found]


def test_failures_without_an_id_are_reported_once_a_second(client: Client) -> None:
    for _ in range(50):
        client.send("/master/gain", "loud")
    client.request("/sync")
    (failed,) = [each for each in client.events(0.2) if isinstance(each, Fail)]
    assert (failed.request, failed.id) == (f"{PREFIX}/master/gain", -1)
    assert failed.code == "bad_arguments"


def test_an_unknown_address_fails(client: Client) -> None:
    for values, number in (((5,), 5), (("glass",), -1)):
        client.send("/nothing", *values)
        failed = wait_for(client, Fail)
        assert (failed.request, failed.id) == (f"{PREFIX}/nothing", number)
        assert failed.code == "unknown_address"


def test_a_request_is_cancelled_by_its_id_and_its_own_client_alone(
    running: Daemon, client: Client
) -> None:
    number = client.begin("/reference/learn", "long", "a", "for ever", "@steps", 100_000)
    wait_for(client, Progress)
    with running.client() as other:
        assert fails(other, "/cancel", number) == "unknown_request"
    client.request("/cancel", number)
    failed = wait_for(client, Fail)
    assert (failed.id, failed.code) == (number, "cancelled")


def test_clips_and_references_are_loaded_listed_and_freed(client: Client) -> None:
    client.request("/clip/load", 7, "c.wav", "@start", 0.25, "@duration", 0.5)
    client.request("/reference/learn", 8, 7, "a", "low", "tone", "@steps", 1)
    assert answers.Clip(0, "7", "c.wav", 0.5, "loaded") in listed(client)
    assert answers.Reference(0, "8", "7", "a low tone", "learned") in listed(client)
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


def test_a_render_is_a_file_of_the_original_s_length(client: Client, folder: Path) -> None:
    path = folder / "data" / "renders" / "night" / "one.wav"
    reply = client.request("/render", "a", "r", "night/one", "@blend", 0.6)
    assert reply.found == SoundFile(str(path), 44_100, 44_100)
    samples, rate_hz = soundfile.read(path)
    assert samples.shape == (44_100, 2) and rate_hz == 44_100
    assert np.abs(samples).max() > 0.01
    assert fails(client, "/render", "a", "r", "night/one.wav") == "bad_output"


def test_what_is_played_is_recorded(client: Client, folder: Path) -> None:
    client.request("/record/start", "take")
    assert fails(client, "/record/start", "other") == "recording"
    client.request("/fuse", 1, "a", "r", "@blend", 0.9)
    wait_for(client, Ended)
    found = client.request("/record/stop").found
    samples, _ = soundfile.read(found.path)
    assert len(samples) == found.frames and found.rate_hz == 48_000
    assert np.abs(samples).max() > 0.05


def test_a_preset_brings_voices_back(client: Client, folder: Path) -> None:
    client.send("/voice/set", 4, "gain", -12)
    client.request("/fuse", 4, "a", "r", "@blend", 0.3, "@seed", 5)
    client.request("/preset/save", "quiet")
    client.send("/voice/set", 4, "gain", 0)
    client.request("/preset/load", "quiet")
    client.request("/preset/save", "again")
    names = [each.name for each in client.presets()]
    folders = presets_folder("fusions"), presets_folder("sessions")
    shipped = {path.stem for each in folders for path in each.glob("*.toml")}
    assert names == sorted({"again", "before", "quiet"} | shipped)
    presets = folder / "data" / "presets"
    assert (presets / "again.toml").read_text() == (presets / "quiet.toml").read_text()
    assert "gain_db = -12.0" in (presets / "quiet.toml").read_text()
    client.request("/preset/save", "quiet")
    assert (presets / "quiet.toml~").exists()
    client.send("/notify", 1)
    client.send("/voice/set", 4, "gain", -20)
    assert not [each for each in client.events(1.5) if isinstance(each, PresetChanged)]
    text = (presets / "quiet.toml").read_text()
    (presets / "quiet.toml").write_text(text.replace("gain_db = -12.0", "gain_db = -11.0"))
    assert wait_for(client, PresetChanged) == PresetChanged("quiet", "reloaded")
    wait_for(client, VoiceState, lambda each: (each.voice, each.gain) == (4, -11))
    client.send("/voice/set", 4, "gain", 0)


def test_events_go_to_subscribers_and_replies_to_the_sender(
    running: Daemon, client: Client
) -> None:
    with running.client() as other:
        other.send("/notify", 1, "@meter", 1)
        wait_for(other, Done)
        client.request("/fuse", 1, "a", "r", "@blend", 0.5)
        meters = [wait_for(other, Meter) for _ in range(10)]
        assert {each.voice for each in meters} == {0, 1, 2, 3, 4}
        assert not [each for each in other.events(0.3) if isinstance(each, Started | Progress)]
        other.send("/notify", 0)
        wait_for(other, Done)
        other.events()
        assert not other.events(0.3)


def test_every_client_sees_what_voices_play_and_how_their_knobs_are_set(
    running: Daemon, client: Client
) -> None:
    def seen(**values: int | float | str) -> VoiceState:
        return wait_for(
            other, VoiceState, lambda each: all(getattr(each, k) == values[k] for k in values)
        )

    with running.client() as other:
        client.send("/voice/set", 2, "gain", -3)
        client.request("/sync")
        other.send("/notify", 1)
        assert [wait_for(other, VoiceState).voice for _ in range(4)] == [1, 2, 3, 4]
        client.request("/fuse", 2, "a", "r", "@blend", 0.25, "@loop", 1)
        playing = seen(voice=2, state="playing")
        assert (playing.original, playing.reference) == ("a", "r")
        assert (playing.blend, playing.gain) == (0.25, -3)
        client.send("/scrub", 2, 0.75)
        assert seen(voice=2, blend=0.75).state == "playing"
        client.send("/voice/set", 2, "recall", 0.5)
        client.send("/voice/set", 2, "gain", -6)
        seen(voice=2, recall=0.5, gain=-6)
        client.request("/preset/save", "knobs")
        client.send("/scrub", 2, 0.0)
        seen(voice=2, blend=0.0)
        client.request("/preset/load", "knobs")
        seen(voice=2, blend=0.75)
        client.send("/stop", 2)
        assert seen(voice=2, state="silent", blend=0.75).original == "a"
        other.events()
        assert not [each for each in other.events(0.3) if isinstance(each, VoiceState)]
        client.send("/voice/set", 2, "gain", 0)


def test_staying_in_contact_spares_the_log(running: Daemon) -> None:
    with running.client() as client:
        begin = len(running.log)
        for _ in range(3):
            client.request("/ping")
            client.send("/notify", 1)
            wait_for(client, Done)
        assert running.log[begin:].count("/notify 0") == 1
        assert "/ping" not in running.log[begin:]


def test_a_reply_port_receives_as_well(running: Daemon) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear, running.client() as client:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(5)
        client.send("/notify", 1, ear.getsockname()[1])
        client.request("/ping")
        received = {decode(ear.recv(4096))[0][0] for _ in range(3)}
        assert f"{PREFIX}/done" in received


def test_tcp_works_as_udp_does(running: Daemon) -> None:
    with running.client(tcp=True) as client:
        client.request("/ping")
        client.request("/fuse", 2, "a", "r", "@blend", 0.45)
        wait_for(client, Ended)
    with socket.create_connection(("127.0.0.1", running.port)) as slipped:
        slipped.sendall(slip(encode(f"{PREFIX}/ping", (5,))))
        slipped.settimeout(5)
        assert b"/eutectic/done" in slipped.recv(4096)


def test_pure_data_fuses_and_receives_the_answers(running: Daemon, tmp_path: Path) -> None:
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
        "#X obj 10 250 print received;",
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
    printed = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert "couldn't create" not in printed and "connection failed" not in printed
    received = [line for line in printed.splitlines() if line.startswith("received:")]
    assert any("done" in line and " 41" in line for line in received), printed
    assert any("started 41 1" in line for line in received), printed


def test_status_has_a_line_for_everything(client: Client) -> None:
    client.request("/fuse", 1, "a", "r")
    lines = status(client)
    assert {"engine", "model", "device", "latency", "lost", "voices", "requests", "clients",
            "clips", "references", "ready", "memory", "engine cache", "engine memory", "queue",
            "denoise", "decode", "first sample, ready"} <= set(lines)  # fmt: skip
    assert lines["lost"].startswith("0 underruns") and lines["model"] == "toy"


def test_another_model_makes_references_stale_and_the_old_one_brings_them_back(
    tmp_path: Path,
) -> None:
    with daemon(tmp_path) as process, process.client() as client:
        prepare(client)
        client.request("/model/set", "embedded", timeout=120)
        assert fails(client, "/fuse", 1, "a", "r") == "stale_reference"
        (reference,) = client.references()
        assert reference.state == "not_learned"
        broken = tmp_path / "data" / "models" / "broken"
        broken.mkdir(parents=True)
        (broken / "model_config.json").write_text("{}")
        assert fails(client, "/model/set", "broken") == "bad_model"
        models = {each.name: each.in_use for each in client.models()}
        assert models == {"embedded": 1, "toy": 0, "broken": 0}
        client.request("/model/set", "toy", timeout=120)
        client.request("/fuse", 1, "a", "r")


def test_until_another_model_is_ready_the_old_one_makes_what_is_asked_for(tmp_path: Path) -> None:
    """Nothing fails, neither before nor at the change, and what plays plays on."""
    with daemon(tmp_path) as process, process.client() as client, process.client() as other:
        prepare(client)
        client.request("/reference/remember", "s", "b", "low")
        client.request("/fuse", 1, "a", "s", "@recall", 0.0, "@loop", 1)
        engine = process.engine().pid
        number, made = other.begin("/model/set", "embedded"), 0
        changed = threading.Thread(target=other.end, args=("/model/set", number, 120))
        changed.start()
        while changed.is_alive():
            client.request("/fuse", 2, "a", "s", "@recall", 0.0, "@seed", made)
            made += process.engine().pid == engine
        assert made > 3
        lines = status(client)
        assert lines["model"] == "embedded" and lines["voices"].startswith("2 of")
        assert lines["engine"].startswith("ready, 0 deaths") and "cancelled" not in process.log


def test_a_command_that_is_interrupted_ends_its_request_and_keeps_a_recording(
    running: Daemon,
) -> None:
    def begin(stage: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "eutectic", "send", "--port", str(running.port)]
        command, pipe = [*command, *arguments], subprocess.PIPE
        sending = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)
        assert sending.stdout is not None
        while f" {stage} " not in (line := sending.stdout.readline()):
            assert line, "it has ended"
        return sending

    with running.client() as client:
        client.request("/fuse", 1, "a", "r", "@loop", 1)
    tape = begin("record", "/clip/record", "tape", "@from", "output")
    time.sleep(0.2)
    tape.send_signal(signal.SIGINT)
    said = tape.communicate(timeout=30)
    assert (tape.returncode, said[1]) == (0, "") and "/done /eutectic/clip/record" in said[0]
    learning = begin("learn", "/reference/learn", "never", "a", "it", "@steps", "100000")
    learning.terminate()
    assert learning.communicate(timeout=30)[1] == "eutectic: cancelled\n"
    assert learning.returncode == 130
    with running.client() as client:
        assert "tape" in {each.clip for each in client.clips()}
        client.request("/clip/free", "tape")
        client.send("/stop")
        client.request("/reference/learn", "never", "a", "it", "@steps", 1)  # it is this one's turn
        client.request("/reference/free", "never")


def test_the_command_line_sends_and_prints_answers(running: Daemon) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "eutectic", *arguments, "--port", str(running.port)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    sent = run("send", "/fuse", "1", "a", "r", "@blend", "0.5")
    assert sent.returncode == 0 and sent.stdout.splitlines()[-1].startswith("/done /eutectic/fuse")
    wrong = run("send", "/fuse", "1", "nobody", "r")
    assert wrong.returncode == 2 and wrong.stderr.startswith("eutectic: unknown_clip")
    assert wrong.stdout == "" and wrong.stderr.count("\n") == 1  # said once
    wrong = run("send", "/fuse", "1", "nobody", "r", "--json")
    assert json.loads(wrong.stdout)["code"] == "unknown_clip"
    assert (wrong.returncode, wrong.stderr) == (2, "")
    assert run("send", "/scrub", "1", "0.5").returncode == 0
    assert run("send", "/scrub", "1", "much").returncode == 2
    assert run("send", "/nothing").returncode == 2
    assert "engine" in run("status").stdout
    shown = json.loads(run("status", "--json").stdout)
    assert "engine" in shown["lines"] and shown["voices"][0]["voice"] == 1
    gone = subprocess.run(
        [sys.executable, "-m", "eutectic", "status", "--port", "9"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert gone.returncode == 2 and "is `eutectic serve` running?" in gone.stderr


def test_a_spare_engine_is_shown_and_used(tmp_path: Path) -> None:
    with daemon(tmp_path, "--spare") as process, process.client() as client:
        prepare(client)
        until(lambda: status(client)["engine"] == "ready, 0 deaths, a spare waits")
        waiting = {child.pid for child in psutil.Process(process.pid).children()}
        process.engine().send_signal(signal.SIGKILL)
        client.request("/fuse", 1, "a", "r", "@seed", 3)
        assert process.engine().pid in waiting
        assert status(client)["engine"].startswith("ready, 1 deaths")
    assert not any(psutil.pid_exists(pid) for pid in waiting)
