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
    for block in blocks(20):
        writer.put(block)
    assert writer.lost >= 15
    gate.set()
    assert writer.close() == (20 - writer.lost) * 256


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_ends_the_recording_with_one_line(tmp_path: Path) -> None:
    path = tmp_path / "full.wav"
    writer = Recorder(path, RATE_HZ, 2)
    writer._file._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115
    for block in blocks(400):
        writer.put(block)
    writer.close()
    assert writer.error is not None and str(path) in writer.error
