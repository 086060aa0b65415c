"""Everything under presets is usable, and every clip is listed with its source."""

import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from daemons import daemon, fails, prepare, wait_for
from eutectic.audio import load_clip
from eutectic.client.daemon_process import Daemon, status
from eutectic.client.replies import RequestFailed
from eutectic.client.sync import Client
from eutectic.experiments.demo import ORIGINAL, REFERENCE, WORST
from eutectic.files.shipped import presets_folder
from eutectic.files.toml import BadState
from eutectic.osc.answers import Ended, PresetChanged, Progress
from eutectic.playback.output import Output
from eutectic.playback.presets import override, read_audio_preset
from eutectic.playback.streams import DeviceSettings
from eutectic.session.presets import read_preset

FOLDER = Path(__file__).parents[2] / "presets" / "clips"
CLIPS = sorted(FOLDER.glob("*.flac"))


@pytest.mark.parametrize("path", CLIPS, ids=lambda path: path.stem)
def test_every_clip_loads_and_is_short(path: Path) -> None:
    assert 2 < load_clip(path, 44100, max_seconds=24).seconds < 12


def test_every_clip_is_listed_with_its_source_and_nothing_else_is() -> None:
    text = (FOLDER / "README.md").read_text()
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    assert [row[1].strip().strip("`") for row in rows] == [path.name for path in CLIPS]
    assert all("freesound.org/people/" in row[4] for row in rows)
    assert "CC0 1.0" in text


def test_the_demo_finds_its_clips() -> None:
    assert presets_folder("clips") == FOLDER
    assert {ORIGINAL, REFERENCE, *WORST} <= {path.stem for path in CLIPS}


def test_the_pictures_of_the_readme_exist() -> None:
    root = FOLDER.parents[1]
    named = re.findall(r"!\[[^]]*\]\(([^)]+)\)", (root / "README.md").read_text())
    assert named
    assert all((root / name).read_bytes().startswith(b"\x89PNG") for name in named)


PRESETS = FOLDER.parent
FUSIONS = sorted((PRESETS / "fusions").glob("*.toml"))
SESSIONS = sorted((PRESETS / "sessions").glob("*.toml"))
DEVICES = sorted((PRESETS / "devices").glob("*.toml"))


@pytest.mark.parametrize("path", FUSIONS + SESSIONS, ids=lambda path: path.stem)
def test_every_preset_loads_and_is_described(path: Path) -> None:
    preset = read_preset(path)
    assert preset.description.endswith(".")
    assert preset.fusion or preset.clips


def test_twelve_fusions_ship_and_no_two_are_alike() -> None:
    assert len({str(sorted(read_preset(path).fusion.items())) for path in FUSIONS}) == 12


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_a_session_names_clips_and_references_that_exist(path: Path) -> None:
    preset = read_preset(path)
    assert {clip.path for clip in preset.clips} <= {clip.name for clip in CLIPS}
    clips, references = ({each.name for each in some} for some in (preset.clips, preset.references))
    assert {each.clip for each in preset.references} <= clips
    for voice in (each for each in preset.voices if each.request):
        assert voice.request["original"] in clips
        assert voice.request["reference"] in references


@pytest.mark.parametrize("path", DEVICES, ids=lambda path: path.stem)
def test_every_device_preset_can_be_opened(path: Path) -> None:
    audio = override(read_audio_preset(path.stem, (path.parent,)), device="null")
    output = Output(DeviceSettings(
        audio.device, audio.rate, audio.channels, audio.block, audio.ring_ms / 1000, audio.latency
    ))  # fmt: skip
    assert output.channels == audio.channels
    output.close()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("format = 1\n[fusion]\nblend = 3\n", 3, "blend: must be 0 to 1, not 3"),
        ("format = 1\n[fusion]\nblendd = 0.3\n", 3, "blendd: is not an argument"),
        ("format = 1\n[fusion]\nblend = 0.1\nremaining = 3\n", 2, "fusion: choose either"),
        ("format = 1\n[fusion]\nresidual = 'loud'\n", 3, "residual: must be one of"),
        ("format = 1\n\ncolour = 3\n", 3, "colour: unknown field"),
        ("format = 1\n[[voices]]\nnumber = 1\n[[voices]]\npan = 0\nnumber = 99\n", 6, "number: "),
        ("format = 1\n[[voices]]\nnumber = 1\n[[voices]]\npan = 'x'\nnumber = 2\n", 5, "pan: "),
        ("format = 1\n[[voices]]\npan = 0\n", 2, "number: missing"),
        ("format = 1\n[[clips]]\nname = 'a b'\npath = 'x'\n", 3, "name: "),
        ("format = 7\n", 1, "format: unsupported version"),
        ("description = 'x'\n", 1, "format: missing"),
        ("format = 1\nvoices = 3\n", 2, "voices: expected"),
        ("format = 1\n[[voices]]\nnumber = 1\n[voices.request]\nblend = 'x'\n", 5, "blend: "),
    ],
)
def test_a_wrong_preset_is_refused_with_its_file_line_and_key(
    text: str, line: int, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(BadState) as refused:
        read_preset(path)
    assert f"{path}:{line}: {words}" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("data", [b"format = ", b"\xff\xfe", b"[[[", b"format = 1\nformat = 1\n"])
def test_what_is_no_toml_is_refused_with_its_file(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "damaged.toml"
    path.write_bytes(data)
    with pytest.raises(BadState, match=re.escape(str(path))):
        read_preset(path)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    with daemon(tmp_path_factory.mktemp("presets")) as process:
        with process.client() as client:
            prepare(client)
        yield process


@pytest.fixture
def own(running: Daemon) -> Path:
    folder = running.data / "presets"
    folder.mkdir(exist_ok=True)
    return folder


def _rendered(client: Client, name: str, *options: int | float | str) -> NDArray[np.float64]:
    return soundfile.read(client.request("/render", "a", "r", name, *options).found.path)[0]


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """What is kept and what is made again differ by 4e-5 at most."""
    return bool(np.abs(one - other).max() < 1e-3)


@pytest.mark.process
def test_a_fusion_takes_from_its_preset_what_it_leaves_out(running: Daemon, own: Path) -> None:
    (own / "mine.toml").write_text("format = 1\n[fusion]\nblend = 0.9\nseed = 5\n")
    with running.client() as client:
        client.send("/notify", 1)
        plain = _rendered(client, "plain", "@blend", 0.9, "@seed", 5)
        assert _alike(_rendered(client, "named", "@preset", "mine"), plain)
        assert not _alike(_rendered(client, "other", "@preset", "mine", "@seed", 6), plain)
        client.request("/preset/load", "mine")
        assert _alike(_rendered(client, "loaded"), plain)
        blend = _rendered(client, "blend", "@blend", 0.2, "@seed", 5)
        assert _alike(_rendered(client, "place", "@blend", 0.2), blend)
        assert not _alike(blend, plain)
        (own / "mine.toml").write_text("format = 1\n[fusion]\nseed = 0\nblend = 0.5\n")
        assert wait_for(client, PresetChanged) == PresetChanged("mine", "reloaded")
        now = _rendered(client, "as", "@blend", 0.5, "@seed", 0)
        assert _alike(_rendered(client, "again"), now)


@pytest.mark.process
def test_a_preset_s_references_may_be_remembered_alone(running: Daemon) -> None:
    with running.client() as client:
        client.request("/preset/load", "played")
        states = {each.reference: each.state for each in client.references()}
    assert states["drone"] == states["hum"] == "remembered"


@pytest.mark.process
def test_a_preset_that_is_damaged_while_it_plays_is_named_and_changes_nothing(
    running: Daemon, own: Path
) -> None:
    path = own / "live.toml"
    path.write_text("format = 1\nmaster_db = -7.0\n[[voices]]\nnumber = 1\ngain_db = -3.0\n")
    with running.client() as client:
        client.send("/notify", 1)
        client.request("/preset/load", "live")
        client.request("/fuse", 1, "a", "r", "@loop", 1)
        path.write_text("format = 1\nmaster_db = -9.0\n[[voices]]\nnumber = 1\ngain_db = 'loud'\n")
        changed = wait_for(client, PresetChanged)
        assert changed.name == "live"
        assert f"{path}:5: gain_db: " in changed.text
        listed = {each.name: each.what for each in client.presets()}
        assert f"{path}:5: gain_db: " in listed["live"]
        assert fails(client, "/preset/load", "live") == "bad_state"
        assert "1" in status(client)["voices"]
        client.request("/preset/save", "after")
        assert "master_db = -7.0" in (own / "after.toml").read_text()
        client.send("/stop", 1)


@pytest.mark.process
def test_a_session_that_ships_is_loaded_learned_and_played(running: Daemon) -> None:
    with running.client() as client:
        client.send("/notify", 1)
        reply = client.request("/preset/load", "first_night", timeout=120)
        assert reply.of(Progress)
        assert {"glass", "drone"} <= {each.clip for each in client.clips()}
        client.send("/scrub", 1, 0.75)
        client.request("/fuse", 1, "glass", "drone", timeout=60)
        client.send("/stop", 1)
        wait_for(client, Ended)


@pytest.mark.process
def test_a_preset_whose_clip_is_missing_changes_nothing(running: Daemon, own: Path) -> None:
    (own / "lost.toml").write_text(
        "format = 1\nmaster_db = -30.0\n[[clips]]\nname = 'x'\npath = 'a.wav'\n"
        "[[clips]]\nname = 'y'\npath = 'nowhere.wav'\n"
    )
    with running.client() as client:
        assert fails(client, "/preset/load", "lost") == "no_file"
        assert not {"x", "y"} & {each.clip for each in client.clips()}


@pytest.mark.process
def test_a_clip_that_ships_is_found_by_its_name(running: Daemon) -> None:
    with running.client() as client:
        client.request("/clip/load", "bell", "perc_bell.flac")
        assert fails(client, "/clip/load", "up", "../other/perc_bell.flac") == "bad_path"


READERS = """
import sys, threading
from pathlib import Path
import msgspec
from eutectic.files import toml

sys.setswitchinterval(1e-6)
for _ in range(100):
    class Part(msgspec.Struct):
        name: str
        also: list["int"] = []

    kind = msgspec.defstruct("Kind", [("format", int), ("parts", list[Part])])
    start = threading.Barrier(4)

    def read():
        start.wait()
        toml.read(Path(sys.argv[1]), kind)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
"""


@pytest.mark.process
def test_clients_that_ask_for_presets_at_once_end_no_daemon(tmp_path: Path) -> None:
    """Threads that are the first to read a kind of file: without a lock, all crash."""
    path = tmp_path / "parts.toml"
    path.write_text("format = 1\n" + "[[parts]]\nname = 'p'\n" * 20)
    subprocess.run([sys.executable, "-c", READERS, path], check=True)


@pytest.mark.process
def test_a_mistyped_preset_is_answered_with_near_names(running: Daemon) -> None:
    with running.client() as client:
        for address, *values in (
            ("/preset/load", "rsut"),
            ("/fuse", 1, "a", "r", "@preset", "rsut"),
        ):
            with pytest.raises(
                RequestFailed, match=r"there is no preset rsut; did you mean rust\?"
            ):
                client.request(str(address), *values)
