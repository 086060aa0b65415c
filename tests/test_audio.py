"""Clips of any kind are loaded as the model needs them; unusable ones say why in one line."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from eutectic import audio
from eutectic.audio import Waveform
from eutectic.errors import BadAudio, BadOutput
from eutectic.files.atomic import atomic_path
from sound_files import BAD_CLIPS, RATE, bad_clip, tone, write


@pytest.mark.parametrize("rate_hz", [8000, 22050, 44100, 48000, 96000, 192000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_rate_and_channel_count_keeps_pitch_and_length(
    tmp_path: Path, rate_hz: int, channels: int
) -> None:
    path = write(tmp_path / "a.wav", tone(rate_hz, 0.5, channels=channels), rate_hz)
    clip = audio.load_clip(path, RATE)
    assert clip.samples.shape == (2, RATE // 2)
    assert clip.samples.dtype == np.float32
    spectrum = np.abs(np.fft.rfft(clip.samples[0] * np.hanning(clip.frames)))
    assert np.argmax(spectrum) == pytest.approx(1000 * 0.5, abs=1)


def test_centre_of_5_1_is_heard_on_both_sides_and_the_sides_stay_apart() -> None:
    samples = np.zeros((6, 4), np.float32)
    samples[0], samples[2], samples[5] = 1.0, 2.0, 4.0  # L, C, Rs
    left, right = audio.to_channels(samples, 2)
    assert left == pytest.approx(1 + 2 * 0.7071)
    assert right == pytest.approx(2 * 0.7071 + 4 * 0.7071)


def test_surplus_channels_fold_to_the_sides_in_turn() -> None:
    quad = np.arange(4, dtype=np.float32)[:, None]
    assert audio.to_channels(quad, 2).tolist() == [[1.0], [2.0]]
    assert audio.to_channels(quad, 1).tolist() == [[1.5]]


def test_only_the_section_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(RATE, 3.0))
    whole = audio.load_clip(path, RATE)
    part = audio.load_clip(path, RATE, start_seconds=1.0, duration_seconds=0.5, max_seconds=0.6)
    assert np.array_equal(part.samples, whole.samples[:, RATE : RATE + RATE // 2])


@pytest.mark.parametrize("kind", BAD_CLIPS)
def test_unusable_clips_say_why(tmp_path: Path, kind: str) -> None:
    with pytest.raises(BadAudio) as caught:
        audio.load_clip(bad_clip(tmp_path, kind), RATE, max_seconds=24.0)
    assert BAD_CLIPS[kind] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has other permissions")
def test_a_file_without_permission_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the system's answer is replaced."""
    path = write(tmp_path / "a.wav", tone(RATE, 0.2))
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(BadAudio, match="no permission"):
        audio.load_clip(path, RATE)


def test_a_start_beyond_the_end_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadAudio, match="ends before"):
        audio.load_clip(write(tmp_path / "a.wav", tone(RATE, 0.5)), RATE, start_seconds=2.0)


def test_loudness_of_a_sine_is_known() -> None:
    """ITU-R BS.1770: a full-scale 997 Hz sine on one channel is -3.01 LUFS."""
    samples = np.zeros((2, 3 * RATE), np.float32)
    samples[0] = np.sin(2 * np.pi * 997 * np.arange(3 * RATE) / RATE)
    assert audio.loudness_lufs(Waveform(samples, RATE)) == pytest.approx(-3.01, abs=0.05)
    short = Waveform(samples[:, : RATE // 5], RATE)
    assert audio.loudness_lufs(short) == pytest.approx(-3.7, abs=0.1)  # by RMS, no K-weighting


def test_an_equal_power_crossfade_keeps_its_power() -> None:
    rising, falling = audio.equal_power(np.linspace(0, 1, 101))
    assert rising**2 + falling**2 == pytest.approx(1)
    assert (rising[0], falling[0], rising[-1]) == (0, 1, 1)
    assert np.all(np.diff(rising) > 0)


@given(st.floats(-60, -10), st.floats(-40, -8))
@settings(max_examples=25, deadline=None)
def test_matching_reaches_the_target_or_the_ceiling(level_db: float, target: float) -> None:
    samples = tone(RATE, 1.0) * np.float32(2 * audio.db_to_gain(level_db))
    matched, gain = audio.match_loudness(Waveform(samples, RATE), target)
    peak_db = audio.gain_to_db(float(np.abs(matched.samples).max()))
    assert peak_db <= audio.PEAK_CEILING_DB + 1e-3
    reached = audio.loudness_lufs(matched)
    at_ceiling = peak_db > audio.PEAK_CEILING_DB - 1e-3
    at_most = audio.gain_to_db(gain) > audio.MAX_LEVEL_GAIN_DB - 1e-3
    assert at_ceiling or at_most or reached == pytest.approx(target, abs=0.1)


def hits(level_db: float) -> Waveform:
    """Five short bursts far louder than the noise between them."""
    rng = np.random.default_rng(0)
    samples = 0.01 * rng.standard_normal((2, 3 * RATE))
    for start in range(RATE // 2, 3 * RATE - RATE // 2, RATE // 2):
        samples[:, start : start + RATE // 50] += rng.standard_normal((2, RATE // 50))
    return Waveform((audio.db_to_gain(level_db) * samples).astype(np.float32), RATE)


def test_limiting_keeps_the_loudness_of_a_sound_with_high_peaks() -> None:
    sound = hits(-20.0)
    target = audio.loudness_lufs(sound) + 10
    by_gain = np.abs(sound.samples).max() * audio.db_to_gain(10)
    assert audio.gain_to_db(float(by_gain)) > 1
    matched, _ = audio.match_loudness(sound, target)
    assert np.abs(matched.samples).max() <= audio.db_to_gain(audio.PEAK_CEILING_DB) + 1e-6
    assert audio.loudness_lufs(matched) == pytest.approx(target, abs=1)  # measured -0.7


def test_limiting_neither_clicks_nor_touches_what_is_quiet() -> None:
    sound = Waveform(3 * tone(RATE, 1.0), RATE)
    limited = audio.limit(sound.samples, RATE)
    quiet = audio.limit(0.1 * sound.samples, RATE)
    assert np.array_equal(quiet, 0.1 * sound.samples)
    # a jump of the gain would be a larger step than the unlimited sine's
    steps, before = np.abs(np.diff(limited, axis=1)).max(), np.abs(np.diff(sound.samples)).max()
    assert steps <= before
    swelling = sound.samples * np.linspace(0, 1, sound.frames, dtype=np.float32)
    gains = audio.limit(swelling, RATE)[0] / np.where(swelling[0] == 0, 1, swelling[0])
    heard = np.abs(swelling[0]) > 0.01
    assert np.abs(np.diff(gains[heard])).max() < 0.02


def test_silence_is_left_unchanged() -> None:
    silence = Waveform(np.zeros((2, RATE), np.float32), RATE)
    assert audio.loudness_lufs(silence) == -np.inf
    assert audio.match_loudness(silence, -20.0) == (silence, 1.0)


def test_the_same_sound_is_the_same_file_and_reads_back_exactly(tmp_path: Path) -> None:
    wave = Waveform(3 * tone(48000, 0.3), 48000)
    for name in ("a.wav", "b.wav"):
        audio.save_wav(tmp_path / name, wave)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    samples, rate_hz = soundfile.read(tmp_path / "a.wav", dtype="float32")
    assert rate_hz == 48000
    assert np.array_equal(samples.T, wave.samples)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_text("mine")

    def write_half() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(BadOutput, match="No space left"):
        write_half()
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("where", ["", "none/a.wav"])
def test_an_unwritable_path_says_so(tmp_path: Path, where: str) -> None:
    wave = Waveform(tone(RATE, 0.1), RATE)
    with pytest.raises(BadOutput):
        audio.save_wav(tmp_path / where if where else tmp_path, wave)


def test_the_digest_depends_on_rate_and_samples() -> None:
    wave = Waveform(tone(RATE, 0.1), RATE)
    digests = {
        wave.digest,
        Waveform(wave.samples, 48000).digest,
        Waveform(wave.samples * np.float32(0.5), RATE).digest,
        Waveform(wave.samples[:1], RATE).digest,
    }
    assert len(digests) == 4
