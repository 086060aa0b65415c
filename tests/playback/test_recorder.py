from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from eutectic.errors import BadOutput
from eutectic.files.wav import WavWriter
from eutectic.playback import recorder
from eutectic.playback.recorder import Recorder

RATE_HZ = 48_000


def blocks(count: int) -> list[np.ndarray]:
    generator = np.random.default_rng(5)
    return list(generator.uniform(-0.9, 0.9, (count, 256, 2)).astype(np.float32))


def test_every_block_is_written_in_order(tmp_path: Path) -> None:
    path = tmp_path / "played.wav"
    writer = Recorder(path, RATE_HZ, 2)
    played = blocks(500)
    for block in played:
        writer.put(block)
    assert writer.close() == 500 * 256
    samples, rate_hz = soundfile.read(path, dtype="float32")
    assert rate_hz == RATE_HZ
    assert np.abs(samples - np.concatenate(played)).max() <= 2**-23  # 24 bits
    assert (writer.lost, writer.error) == (0, None)


def test_an_existing_file_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "precious.wav"
    path.write_text("mine")
    with pytest.raises(BadOutput, match="exists"):
        Recorder(path, RATE_HZ, 2)
    assert path.read_text() == "mine"
    with pytest.raises(BadOutput, match="can't be written"):
        Recorder(tmp_path / "nowhere" / "x.wav", RATE_HZ, 2)


def test_an_unclosed_recording_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "cut off.wav"
    writer = Recorder(path, RATE_HZ, 2)
    for block in blocks(100):
        writer.put(block)
    while writer.frames < 100 * 256:
        threading.Event().wait(0.01)
    samples, _ = soundfile.read(path)
    assert len(samples) == 100 * 256
    writer.close()


def test_stems_begin_with_the_mix_and_are_as_long(tmp_path: Path) -> None:
    path, late = tmp_path / "set.wav", 300
    writer = Recorder(path, RATE_HZ, 2, voices=3, late=late)
    parts = 0.1 * np.random.default_rng(1).standard_normal((3, 70 * 128, 2)).astype(np.float32)
    delayed = np.concatenate([np.ones((late, 2), np.float32), parts.sum(axis=0)])
    for at in range(0, parts.shape[1], 128):
        writer.put(delayed[at : at + 128], parts[:, at : at + 128])
    frames = writer.close()
    assert frames == parts.shape[1] - late
    names = ("set.wav", "set-voice1.wav", "set-voice2.wav", "set-voice3.wav")
    mix, *stems = (soundfile.read(tmp_path / name, dtype="float32")[0] for name in names)
    assert [len(each) for each in (mix, *stems)] == 4 * [frames]
    for stem, part in zip(stems, parts, strict=True):
        assert np.abs(stem - part[:frames]).max() <= 2**-23
    assert np.abs(sum(stems) - mix).max() <= 4 * 2**-23


def test_where_one_file_of_several_exists_none_is_made(tmp_path: Path) -> None:
    mine = tmp_path / "set-voice2.wav"
    mine.write_text("mine")
    with pytest.raises(BadOutput, match=r"set-voice2\.wav: exists"):
        Recorder(tmp_path / "set.wav", RATE_HZ, 2, voices=3)
    assert [each.name for each in tmp_path.iterdir()] == [mine.name]
    assert mine.read_text() == "mine"


def test_a_slow_disk_loses_blocks_and_never_blocks_the_mix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "MAX_QUEUED_BLOCKS", 4)
    gate = threading.Event()
    write = WavWriter.write

    def slow(file: WavWriter, data: np.ndarray) -> None:
        gate.wait()
        write(file, data)

    monkeypatch.setattr(WavWriter, "write", slow)
    writer = Recorder(tmp_path / "slow.wav", RATE_HZ, 2)
    for block in blocks(400):
        writer.put(block)
    assert writer.lost >= 350
    gate.set()
    assert writer.close() == (400 - writer.lost) * 256


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_ends_the_recording_with_one_line(tmp_path: Path) -> None:
    path = tmp_path / "full.wav"
    writer = Recorder(path, RATE_HZ, 2)
    writer._files[0]._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115
    for block in blocks(400):
        writer.put(block)
    writer.close()
    assert writer.error is not None and str(path) in writer.error
