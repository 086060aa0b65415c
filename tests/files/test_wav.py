"""Recordings: right at any moment, and beyond 4 GiB, for other programs, too."""

from __future__ import annotations

import contextlib
import json
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from eutectic.files.wav import Encoding, WavWriter, header

RATE_HZ = 48_000


def noise(frames: int, channels: int = 2) -> np.ndarray:
    return np.random.default_rng(7).uniform(-1, 1, (frames, channels)).astype(np.float32)


def probed(path: Path) -> tuple[str, int, int, float]:
    """What ffprobe finds: codec, channels, rate and seconds."""
    command = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stderr == ""
    (stream,) = json.loads(run.stdout)["streams"]
    return (stream["codec_name"], stream["channels"], int(stream["sample_rate"]),
            float(stream["duration"]))  # fmt: skip


@pytest.mark.parametrize("max_riff_bytes", [2**32 - 1, 20_000])
@pytest.mark.parametrize(("encoding", "off"), [("pcm24", 2**-24), ("float32", 0.0)])
@pytest.mark.parametrize("channels", [1, 2, 3, 6])
def test_a_file_can_be_read_after_every_block_on_both_sides_of_its_limit(
    tmp_path: Path, encoding: Encoding, off: float, channels: int, max_riff_bytes: int
) -> None:
    path, sound = tmp_path / "x.wav", noise(4001, channels) * (1 - 2**-22)
    writer = WavWriter(path, RATE_HZ, channels, encoding, max_riff_bytes)
    assert soundfile.info(path).frames == 0
    for at in range(0, 4001, 333):
        writer.write(sound[at : at + 333])
        read, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
        assert rate_hz == RATE_HZ and len(read) == writer.frames
        assert np.abs(read - sound[: len(read)]).max() <= off
    writer.close()
    assert path.stat().st_size % 2 == 0
    form = "RF64" if path.stat().st_size > max_riff_bytes else "WAVEX" if channels > 2 else "WAV"
    assert (soundfile.info(path).format, soundfile.info(path).frames) == (form, 4001)


def test_what_is_louder_than_full_scale_is_clipped_and_silence_is_silence(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    writer = WavWriter(path, RATE_HZ, 1, "pcm24")
    writer.write(np.array([[0.0], [2.0], [-2.0], [1.0]], np.float32))
    writer.close()
    assert soundfile.read(path)[0].tolist() == [0.0, 1 - 2**-23, -1.0, 1 - 2**-23]


@pytest.mark.process
@pytest.mark.parametrize(("encoding", "codec"), [("pcm24", "pcm_s24le"), ("float32", "pcm_f32le")])
@pytest.mark.parametrize("frames", [1000, 2**32 // 8 + 12_345, 2**34 // 8])
def test_files_of_many_gigabytes_are_read_by_other_programs(
    tmp_path: Path, encoding: Encoding, codec: str, frames: int
) -> None:
    """Sparse: all but its ends is a hole."""
    path, end = tmp_path / "long.wav", noise(100)
    block = 2 * (3 if encoding == "pcm24" else 4)
    start = header(frames, RATE_HZ, 2, encoding)
    with path.open("wb") as file:
        file.write(start)
        file.truncate(len(start) + (frames - 100) * block)
    with contextlib.closing(WavWriter(tmp_path / "end.wav", RATE_HZ, 2, encoding)) as writer:
        writer.write(end)
    with path.open("ab") as file:
        file.write((tmp_path / "end.wav").read_bytes()[len(start) :])
    info = soundfile.info(path)
    assert (info.frames, info.channels, info.samplerate) == (frames, 2, RATE_HZ)
    read, _ = soundfile.read(path, start=frames - 100, dtype="float32")
    assert np.abs(read - end).max() <= 2**-23
    assert probed(path) == (codec, 2, RATE_HZ, pytest.approx(frames / RATE_HZ, abs=1e-5))


def test_a_small_file_is_read_by_programs_that_know_only_plain_wav(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    writer = WavWriter(path, RATE_HZ, 2, "pcm24")
    writer.write(noise(500))
    writer.close()
    with wave.open(str(path)) as file:
        assert (file.getnframes(), file.getsampwidth(), file.getnchannels()) == (500, 3, 2)


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        WavWriter(path, RATE_HZ, 2, "pcm24")
    assert path.read_text() == "mine"
