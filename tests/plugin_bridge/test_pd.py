"""The patches for Pure Data: as text, in a real Pd, and with a real daemon."""

from __future__ import annotations

import itertools
import re
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

import pd
from daemons import daemon, until, wait_for
from eutectic.client.daemon_process import Daemon, status
from eutectic.client.sync import Client
from eutectic.osc import answers
from eutectic.osc.answers import Engine, Meter
from eutectic.osc.parse import parse
from eutectic.osc.spec import PREFIX
from eutectic.osc.table import ANSWERS, REQUESTS, spec_of
from pd import Box, Pd, no_complaint

PATCHES = pd.patches()
ABSTRACTIONS = ("eutectic", "eutectic.clip", "eutectic.reference", "eutectic.voice",
                "eutectic.buffer", "eutectic.request", "eutectic.tempo",
                "eutectic.keys")  # fmt: skip
named = pytest.mark.parametrize("path", PATCHES, ids=lambda path: path.stem)

# As text


def test_each_abstraction_has_its_help_and_is_described() -> None:
    for name in ABSTRACTIONS:
        whole = pd.read(pd.FOLDER / f"{name}-help.pd")
        (meta,) = [patch for patch in whole.all() if patch.name == "META"]
        lines = {box.name: box.text for box in meta.boxes}
        assert lines["NAME"] == f"NAME {name}" and lines["LICENSE"] == "LICENSE MIT"
        assert len(lines["DESCRIPTION"].split()) > 2


@named
def test_nothing_in_a_patch_overlaps(path: Path) -> None:
    for patch in pd.read(path).all():
        covered = [(box.text, pd.areas(box)) for box in patch.boxes]
        for (one, first), (other, second) in itertools.combinations(covered, 2):
            for a, b in itertools.product(first, second):
                assert not a.overlaps(b), f"{patch.name}: {one} and {other}"


@named
def test_cords_join_boxes_that_exist(path: Path) -> None:
    for patch in pd.read(path).all():
        for cord in patch.cords:
            source, target = patch.boxes[cord.source], patch.boxes[cord.target]
            assert cord.outlet < ends(source, "outlet") and cord.inlet < ends(target, "inlet")
        assert len(set(patch.cords)) == len(patch.cords)


def ends(box: Box, what: str) -> float:
    """How many inlets or outlets it has; Pd checks its own objects when it opens them."""
    file = pd.FOLDER / f"{box.name}.pd"
    inner = box.inner or (pd.read(file) if box.kind == "obj" and file.exists() else None)
    if box.kind in ("text", "graph") or box.name == "cnv":
        return 0
    if inner is None:
        return 99
    return sum(each.name.removesuffix("~") == what for each in inner.boxes)


@named
def test_every_message_is_one_of_the_table(path: Path) -> None:
    for patch in pd.read(path).all():
        for box in patch.boxes:
            if box.name in ("eutectic.ask", "eutectic.request") and box.words[1] != "$1":
                assert spec_of(box.words[1]).has_id
            if box.name == "oscformat" and box.words[1:] not in ([], ["/eutectic", "$1"]):
                spec_of(box.words[1])
            for source in patch.sources(box):
                if source.kind == "msg":
                    for address, arguments in requests(box, source):
                        parse(PREFIX + address, arguments)
            if box.kind == "msg" and box.words[:1] == [";"] and "eutectic.send" in box.words:
                address, *arguments = box.words[2:]
                parse(PREFIX + address, values(arguments))


PLAYED = {
    "fuse": "/fuse", "stop": "/stop", "note": "/note", "envelope": "/envelope",
    "filter": "/voice/filter", "send": "/voice/send", "xy": "/scrub", "pad": "/pad/xy",
    "live": "/live", "undo": "/undo", "redo": "/redo", "focus": "/focus",
}  # fmt: skip
"""Words that a voice takes, and their requests."""


def requests(box: Box, message: Box) -> list[tuple[str, list[float | str]]]:
    """What a message box makes a box send to the daemon."""
    given = values(message.words)
    word, rest = (str(given[0]), given[1:]) if given else ("", [])
    own: list[float | str] = [*values(box.words[1:2])]
    if box.name == "eutectic" and word.startswith("/"):
        return [(word, rest)]
    if box.name in ("eutectic.ask", "eutectic.request"):
        return [(box.words[1], [1, *given])]
    if box.name == "oscformat" and box.words[1:2] not in ([], ["/eutectic"]):
        return [(box.words[1].removeprefix(PREFIX), given)]
    if box.name == "eutectic.buffer" and word == "render":
        return [("/render", [1, *rest[:2], "path.wav", *rest[2:]])]
    if box.name == "eutectic.clip" and word in ("load", "record", "grab", "free", "stop"):
        return [(f"/clip/{'record/stop' if word == 'stop' else word}", [1, *own, *rest])]
    if box.name == "eutectic.reference" and word in ("remember", "learn", "load", "free"):
        return [(f"/reference/{word}", [1, *own, *rest])]
    if box.name == "eutectic.voice" and word in ("favourite", "keep"):
        return [(f"/favourite/{'keep' if word == 'keep' else 'play'}", [1, *rest, *own])]
    if box.name == "eutectic.voice" and given[:2] == ["live", "stop"]:
        return [("/live/stop", own)]
    if box.name == "eutectic.voice" and word in PLAYED:
        return [(PLAYED[word], [*([1] if word == "fuse" else []), *own, *rest])]
    if box.name == "eutectic.voice" and word != "cc":
        return [("/voice/set", [*own, *given])]
    if box.name == "eutectic.tempo":
        return [(f"/tempo/{word}", rest) if word in ("tap", "run") else ("/tempo", given)]
    if box.name == "eutectic.keys":
        words = rest if word == "envelope" else given
        return [("/envelope" if word == "envelope" else "/note", [*own, *words])]
    known = ("connect", "meter", "cancel", "cc")
    assert not box.name.startswith("eutectic") or word in known, f"{message.text} to {box.text}"
    return []


def values(words: list[str]) -> list[float | str]:
    """As Pd sends them; what is filled in is 1."""
    filled = ["1" if word.startswith("$") else word for word in words]
    return [float(word) if re.fullmatch(r"-?\d+(\.\d+)?", word) else word for word in filled]


def test_every_answer_is_routed_by_the_id_that_it_starts_with() -> None:
    """[pd answers] lists those whose first argument isn't the id, and takes it from all others."""
    whole = pd.read(pd.FOLDER / "eutectic.pd")
    (sorting,) = [patch for patch in whole.all() if patch.name == "answers"]
    routed = {word for box in sorting.boxes if box.name == "route" for word in box.words[1:]}
    for spec in ANSWERS:
        first = spec.address.split("/")[1]
        assert (spec.has_id and spec.address.count("/") == 1) or first in routed
    assert routed <= {word for spec in ANSWERS for word in spec.address.split("/")}


def test_a_voice_sends_every_request_of_voices() -> None:
    whole = pd.read(pd.FOLDER / "eutectic.voice.pd")
    sent = {box.words[1] for patch in whole.all() for box in patch.boxes
            if box.name in ("eutectic.ask", "oscformat")}  # fmt: skip
    of_voices = {spec.address for spec in REQUESTS if "voice" in [a.name for a in spec.arguments]}
    assert {word.removeprefix(PREFIX) for word in sent} == of_voices


# In a real Pd


@pytest.mark.process
@named
def test_it_opens_without_an_error(path: Path) -> None:
    command = ["pd", "-nogui", "-noaudio", "-nomidi", "-stderr", "-open", str(path)]
    ran = subprocess.run(
        [*command, "-send", "pd quit"], capture_output=True, text=True, check=False, timeout=30
    )
    assert ran.stderr.strip() == "" and ran.returncode == 0


# With a real daemon


def helped(folder: Path, process: Daemon, name: str) -> Pd:
    return Pd(folder, pd.FOLDER / f"{name}-help.pd", port=process.port)


@pytest.mark.process
def test_help_requests_the_version(running: Daemon, tmp_path: Path) -> None:
    with helped(tmp_path, running, "eutectic") as patch:
        patch.wait("says: engine")
        patch.send("eutectic.try", "bang")
        patch.wait(r"says: version.reply 1 \d")
        patch.wait("done: /eutectic/version 1$")
        patch.send("eutectic.send", "/nonsense")
        patch.wait("eutectic: /nonsense: there is no /eutectic/nonsense$")
        no_complaint(patch.said, "done", "says", "eutectic")


@pytest.mark.process
def test_help_loads_a_clip(running: Daemon, client: Client, tmp_path: Path) -> None:
    with helped(tmp_path, running, "eutectic.clip") as patch:
        patch.send("eutectic.clip.try", "bang")
        patch.wait("clip: done")
        no_complaint(patch.said, "clip")
    paths = {each.clip: each.path for each in client.clips()}
    assert paths["glass"] == "ambi_glass_rub.flac"


@pytest.mark.process
def test_help_learns_a_reference(running: Daemon, client: Client, tmp_path: Path) -> None:
    with helped(tmp_path, running, "eutectic.reference") as patch:
        patch.send("eutectic.reference.try", "bang")
        patch.wait(r"reference: progress learn 0\.\d")
        patch.wait(r"reference: done \d+")
        no_complaint(patch.said, "reference")
    listed = client.references()
    (drone,) = [each for each in listed if each.reference == "drone"]
    assert drone == answers.Reference(drone.id, "drone", "drone", "warm low drone", "learned")


@pytest.mark.process
def test_help_plays_a_voice(running: Daemon, client: Client, tmp_path: Path) -> None:
    with helped(tmp_path, running, "eutectic.voice") as patch:
        patch.send("eutectic.voice.try", "bang")
        patch.wait(r"voice: started 1 \d+")
        assert "1" in status(client)["voices"]
        client.send("/panic")
        patch.wait("voice: ended 1")
        no_complaint(patch.said, "voice", "knob")


@pytest.mark.process
def test_help_fills_arrays(running: Daemon, tmp_path: Path) -> None:
    with helped(tmp_path, running, "eutectic.buffer") as patch:
        patch.send("eutectic.buffer.try", "bang")
        found = patch.wait(r"buffer: done (\S+) (\d+) 44100")
        samples, _ = soundfile.read(found[1])
        assert len(samples) == int(found[2]) and np.abs(samples).max() > 0.01
        for side, name in enumerate(("eutectic-left", "eutectic-right")):
            text = tmp_path / f"{name}.txt"
            patch.send(name, "write", str(text))
            until(lambda text=text: text.exists() and len(text.read_text().split()) == len(samples))
            array = np.array([float(each) for each in text.read_text().split()])
            assert np.abs(array - samples[:, side]).max() < 1e-5
        no_complaint(patch.said, "buffer")


@pytest.mark.process
def test_help_lists_presets(running: Daemon, client: Client, tmp_path: Path) -> None:
    with helped(tmp_path, running, "eutectic.request") as patch:
        patch.send("eutectic.request.try", "bang")
        count = len(client.presets())
        until(lambda: sum("preset:" in line for line in patch.said) == count)
        no_complaint(patch.said, "preset")


@pytest.mark.process
def test_help_counts_the_daemon_s_beats(running: Daemon, tmp_path: Path) -> None:
    with helped(tmp_path, running, "eutectic.tempo") as patch:
        patch.wait(r"beat: \d+$")
        patch.send("eutectic.tempo.try", "bang")
        patch.wait("beat: 1$")
        patch.wait("beat: 4$")
        beats = [int(line.split()[1]) for line in patch.said]
        after = beats[beats.index(1) :]
        assert after == list(range(1, len(after) + 1))


@pytest.mark.process
def test_the_set_that_is_played_plays_what_comes_in(tmp_path: Path) -> None:
    """It is grabbed and fused, live and recorded, and a fusion is played at other pitches."""
    at = np.arange(96_000) / 48_000
    soundfile.write(tmp_path / "in.wav", 0.3 * np.sin(2 * np.pi * 330 * at), 48_000)
    process = daemon(tmp_path, "--input", f"file:{tmp_path / 'in.wav'}")
    path = pd.FOLDER / "examples" / "played.pd"
    with process, process.client() as client:
        client.send("/notify", 1, "@meter", 1)
        wait_for(client, Engine, lambda engine: engine.state == "ready")
        with Pd(tmp_path, path, port=process.port) as patch:
            patch.send("eutectic.prepare", "bang")
            until(lambda: {"drone", "hum"} <= {each.reference for each in client.references()})
            patch.send("eutectic.fuse", "bang")
            until(lambda: re.search(r"/fuse \d+ .*: done", process.log) is not None)
            client.send("/panic")  # what is heard of voice 3 from now on is the key
            patch.send("eutectic.record", 1)
            patch.send("eutectic.grab", "bang")
            patch.send("eutectic.live", 1)
            patch.send("eutectic.key", 7)
            wait_for(client, Meter, lambda meter: meter.voice == 2 and meter.level > -60)
            until(lambda: len(re.findall(r"/fuse \d+ .*: done", process.log)) == 2)
            time.sleep(0.2)
            patch.send("eutectic.record", 0)
            until(lambda: re.search(r"/record/stop \d+ .*: done", process.log) is not None)
            no_complaint(patch.said)
    peaks = [np.abs(soundfile.read(stem)[0]).max()
             for stem in sorted(process.data.glob("renders/played-1-voice*.wav"))]  # fmt: skip
    assert [peak > 0.01 for peak in peaks] == [True, True, True, False]


@pytest.mark.process
def test_several_connections_in_one_pd_are_one(
    running: Daemon, client: Client, tmp_path: Path
) -> None:
    """A help patch is opened beside a patch that plays: nothing is requested twice."""
    names = ("eutectic.clip", "eutectic.reference", "eutectic")
    before = len(re.findall(r"/notify 0 of", running.log))
    patches = [pd.FOLDER / f"{name}-help.pd" for name in names]
    with Pd(tmp_path, *patches, port=running.port) as patch:
        patch.wait("says: engine")
        patch.send("eutectic.clip.try", "bang")
        patch.send("eutectic.reference.try", "bang")
        patch.wait("clip: done")
        patch.wait(r"reference: done \d+")
    asked = re.findall(r"(/\S+) (\d{4,}) of (\S+):", running.log)
    peers = {peer for _, _, peer in asked[-3:]}
    numbers = [number for _, number, _ in asked[-3:]]
    assert len(peers) == 1 and len(set(numbers)) == 3
    assert len(re.findall(r"/notify 0 of", running.log)) > before


@pytest.mark.process
def test_a_path_that_exists_is_skipped(running: Daemon, tmp_path: Path) -> None:
    """About every other path that it may choose is an earlier file."""
    folder = running.data / "renders" / "pd"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"fusion-{ms}.wav" for ms in range(20_000) if ms // 7 % 2]
    taken = [path for path in paths if not path.exists()]
    for path in taken:
        path.touch()
    begin = len(running.log)
    with helped(tmp_path, running, "eutectic.buffer") as patch:
        for count in range(1, 9):
            patch.send("eutectic.buffer.try", "bang")
            until(lambda count=count: len(rendered(patch.said)) == count)
        no_complaint(patch.said, "buffer")
        assert len(set(rendered(patch.said))) == 8
    assert "bad_output" in running.log[begin:]
    assert not any(path.stat().st_size for path in taken)


def rendered(said: list[str]) -> list[str]:
    return [line.split()[2] for line in said if line.startswith("buffer: done")]


@pytest.mark.process
def test_a_missing_daemon_is_reported_and_found_once_it_starts(tmp_path: Path) -> None:
    first = daemon(tmp_path)
    with first as process:
        port = process.port
    with helped(tmp_path, first, "eutectic") as patch:
        patch.wait("eutectic: nothing answers")
        first.options = (*first.options, "--port", str(port))
        with first:
            assert first.port == port
            patch.wait("says: engine")
