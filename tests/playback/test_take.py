"""Takes: where they begin and end, what they cut, and that neither end clicks."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from eutectic.audio import db_to_gain
from eutectic.errors import BadAudio, BadOutput
from eutectic.experiments.live.clicks import LIMIT_DB, click_db
from eutectic.playback.heard import Heard
from eutectic.playback.take import LEAD_SECONDS, TAIL_SECONDS, Recording, Take

RATE = 48_000
LEAD, TAIL = round(LEAD_SECONDS * RATE), round(TAIL_SECONDS * RATE)


def tone(seconds: float, level_db: float = -6.0) -> NDArray[np.float32]:
    """A cosine, (channel, frame), which begins and ends at its loudest."""
    at = np.arange(round(seconds * RATE)) / RATE
    wave = db_to_gain(level_db) * np.cos(2 * np.pi * 220 * at)
    return np.stack([wave, wave]).astype(np.float32)


def silence(seconds: float) -> NDArray[np.float32]:
    """Silence as a microphone gives it: 80 dB under full scale."""
    noise = np.random.default_rng(0).standard_normal((2, round(seconds * RATE)))
    return (1e-4 * noise / 3).astype(np.float32)


def taken(
    path: Path, sound: NDArray[np.float32], block: int = 4800, seconds: float | None = None,
    threshold_db: float | None = None, trim: bool = False,
) -> NDArray[np.float32]:  # fmt: skip
    """What a take of a sound keeps, as its file has it (channel, frame)."""
    take = Take(path, RATE, 2, seconds, threshold_db, trim)
    for start in range(0, sound.shape[1], block):
        take.add(sound[:, start : start + block])
    take.finish()
    assert take.error is None
    samples, rate_hz = soundfile.read(path, dtype="float32")
    assert (rate_hz, len(samples)) == (RATE, take.frames)
    return samples.T


def test_a_take_is_what_was_heard_and_neither_end_clicks(tmp_path: Path) -> None:
    sound = tone(1.0)
    kept = taken(tmp_path / "take.wav", sound, 777)
    inner = slice(96, -96)
    np.testing.assert_array_equal(kept[:, inner], sound[:, inner])
    assert click_db(np.pad(kept.T, ((4096, 4096), (0, 0))), RATE) < LIMIT_DB


def test_a_take_of_some_seconds_has_their_frames(tmp_path: Path) -> None:
    assert taken(tmp_path / "take.wav", tone(1.0), seconds=0.3).shape[1] == 0.3 * RATE


@pytest.mark.parametrize("block", [100, 4800, RATE])
def test_a_threshold_waits_and_keeps_the_attack_whole(tmp_path: Path, block: int) -> None:
    hit = tone(0.5)
    hit[:, :240] *= np.linspace(0, 1, 240, dtype=np.float32)
    sound = np.concatenate([silence(1.0), hit], axis=1)
    kept = taken(tmp_path / "take.wav", sound, block, threshold_db=-20)
    first = int(np.flatnonzero(np.abs(sound).max(axis=0) >= 0.1)[0])
    begin = first - LEAD
    assert kept.shape[1] == sound.shape[1] - begin
    np.testing.assert_array_equal(kept[:, 96:-96], sound[:, begin:][:, 96:-96])


@pytest.mark.parametrize("block", [100, 4800, 3 * RATE])
def test_trimmed_is_what_lies_between_the_first_and_the_last_sound(
    tmp_path: Path, block: int
) -> None:
    sound = np.concatenate([silence(1), tone(0.3), silence(0.4), tone(0.2), silence(1)], axis=1)
    kept = taken(tmp_path / "take.wav", sound, block, trim=True)
    assert kept.shape[1] == pytest.approx(0.9 * RATE + LEAD + TAIL, abs=2)
    start = RATE - LEAD
    inner = slice(96, kept.shape[1] - 96)
    np.testing.assert_array_equal(kept[:, inner], sound[:, start:][:, inner])


@pytest.mark.parametrize(
    ("sound", "options", "reason"),
    [
        (silence(1), {"threshold_db": -30.0}, "nothing reached -30 dB"),
        (silence(1), {"trim": True}, "nothing reached -60 dB"),
        (np.zeros((2, RATE), np.float32), {}, "it is silent"),
        (tone(0.02), {}, "only 20 ms were heard"),
    ],
)
def test_what_is_no_clip_leaves_no_file(
    tmp_path: Path, sound: NDArray[np.float32], options: dict[str, float], reason: str
) -> None:
    path = tmp_path / "take.wav"
    with pytest.raises(BadAudio, match=reason):
        taken(path, sound, **options)  # type: ignore[arg-type]
    assert not path.exists()


def test_one_that_is_called_off_when_it_is_finished_leaves_no_file(tmp_path: Path) -> None:
    take = Take(tmp_path / "take.wav", RATE, 2)
    take.add(tone(0.2))
    take.finish()
    take.discard()
    assert not list(tmp_path.iterdir())


def test_a_file_that_exists_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    path.write_text("mine")
    with pytest.raises(BadOutput, match="exists"):
        Take(path, RATE, 2)
    assert path.read_text() == "mine"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
def test_a_full_disk_ends_it_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take = Take(tmp_path / "take.wav", RATE, 2)
    take.add(tone(0.5))
    with open("/dev/full", "r+b", buffering=0) as full:
        monkeypatch.setattr(take._file, "_file", full)  # pyright: ignore[reportPrivateUsage]
        take.add(tone(0.5))
    assert take.error is not None
    assert "No space left" in take.error


@pytest.mark.parametrize("block", [10, RATE])
@pytest.mark.parametrize(("quiet", "is_faded"), [(True, False), (False, True)])
def test_only_an_attack_that_a_take_begins_with_is_not_faded(
    tmp_path: Path, quiet: bool, is_faded: bool, block: int
) -> None:
    heard, sound = Heard(RATE, 2), tone(1.0)
    heard.write((silence(0.5) if quiet else tone(0.5)).T)
    heard.write(sound.T)
    take = Take(tmp_path / "take.wav", RATE, 2)
    for start in range(RATE // 2, heard.frames, block):
        take.take(heard, start, min(start + block, heard.frames))
    take.finish()
    kept, _ = soundfile.read(tmp_path / "take.wav", dtype="float32")
    gains = kept[:96, 0] / sound[0, :96]
    assert gains.min() == (pytest.approx(0, abs=1e-3) if is_faded else 1)
    assert np.abs(np.diff(gains)).max() < 0.03  # measured: 0.02
    np.testing.assert_array_equal(kept[96:-96], sound.T[96:-96])


class Playing(threading.Thread):
    """Fills a memory with a tone, faster than it sounds, until it is told to stop."""

    def __init__(self, heard: Heard) -> None:
        super().__init__(daemon=True)
        self.heard, self.leave = heard, threading.Event()
        self.sound = tone(1.0).T

    def run(self) -> None:
        while not self.leave.is_set():
            for start in range(0, RATE, 480):
                self.heard.write(self.sound[start : start + 480])
            time.sleep(0.01)


def test_a_recording_ends_at_the_frame_at_which_it_was_stopped_even_in_the_past(
    tmp_path: Path,
) -> None:
    heard = Heard(RATE, 2)
    heard.write(np.tile(tone(1.0).T, (2, 1)))
    recording = Recording(heard, Take(tmp_path / "take.wav", RATE, 2), RATE // 2)
    thread = threading.Thread(target=recording.run)
    thread.start()
    time.sleep(0.3)
    recording.stop(2 * RATE - 1000)
    thread.join()
    assert recording.take.frames == 1.5 * RATE - 1000
    assert recording.gap == ""


def test_a_recording_is_longer_than_the_memory(tmp_path: Path) -> None:
    heard = Heard(RATE, 2)
    heard.write(tone(0.1).T)
    recording = Recording(heard, Take(tmp_path / "take.wav", RATE, 2, 90.0), 0)
    playing = Playing(heard)
    playing.start()
    recording.run()
    playing.leave.set()
    playing.join()
    assert recording.take.frames == 90 * RATE
    assert recording.gap == ""


def test_a_source_that_ends_leaves_what_was_heard(tmp_path: Path) -> None:
    heard = Heard(RATE, 2)
    heard.write(tone(1.0).T)
    recording = Recording(heard, Take(tmp_path / "take.wav", RATE, 2), 0)
    recording.run()
    assert recording.gap == "the input was lost"
    assert soundfile.info(tmp_path / "take.wav").frames == RATE


def test_a_cancelled_recording_leaves_no_file(tmp_path: Path) -> None:
    heard = Heard(RATE, 2)
    heard.write(tone(1.0).T)
    recording = Recording(heard, Take(tmp_path / "take.wav", RATE, 2), 0)
    recording.cancel()
    recording.run()
    assert not list(tmp_path.iterdir())
