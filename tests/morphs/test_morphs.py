"""What every morph keeps to: both ends of the knob, lengths, channels, silence, an even way."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from eutectic.audio import Waveform, load_clip
from eutectic.config import Morphing
from eutectic.morphs import MORPHS
from eutectic.morphs.pairing import SEAM_SECONDS, repeated
from sound_files import RATE, tone

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
EACH = pytest.mark.parametrize("name", MORPHS)


def noise(frames: int, channels: int = 2, seed: int = 0) -> Waveform:
    samples = 0.1 * np.random.default_rng(seed).standard_normal((channels, frames))
    return Waveform(samples.astype(np.float32), RATE)


def sine(hertz: float, seconds: float = 0.5, channels: int = 2) -> Waveform:
    return Waveform(tone(RATE, seconds, hertz, channels), RATE)


def test_the_table_has_every_name_that_the_command_line_offers() -> None:
    assert tuple(MORPHS) == get_args(Morphing)


@EACH
def test_either_end_of_the_knob_gives_a_sound_back(name: str) -> None:
    original, reference = noise(30_001), noise(41_000, seed=1)
    for blend, source in ((1.0, original), (0.0, reference)):
        made = MORPHS[name](original, reference, blend)
        assert made.samples.dtype == np.float32
        assert np.abs(made.samples - source.samples[:, :30_001]).max() < 1e-6  # measured 0


@EACH
def test_the_way_between_is_even_enough_to_play(name: str) -> None:
    """Distance from the reference over that from both: 0 to 1 without a step back or a jump."""
    original = load_clip(CLIPS / "ambi_glass_rub.flac", RATE, duration_seconds=1.2)
    reference = load_clip(CLIPS / "loop_weirdo.flac", RATE, duration_seconds=0.9)
    looks = [bands(MORPHS[name](original, reference, blend)) for blend in np.linspace(0, 1, 9)]
    gone = [float(np.linalg.norm(look - looks[0])) for look in looks]
    left = [float(np.linalg.norm(look - looks[-1])) for look in looks]
    steps = np.diff([one / (one + other) for one, other in zip(gone, left, strict=True)])
    assert steps.min() > 0  # measured 0.01 to 0.08
    assert steps.max() < 0.55  # measured 0.31 to 0.49


def bands(sound: Waveform) -> np.ndarray:
    """Log power (window, band) of the RMS-normalised mono mix, in 64 bands of rising width."""
    mono = sound.samples.mean(axis=0)
    windows = np.lib.stride_tricks.sliding_window_view(mono / mono.std(), 2048)[::512]
    power = np.square(np.abs(np.fft.rfft(windows * np.hanning(2048))))
    edges = np.unique(np.geomspace(2, 1024, 65).astype(int))
    return np.log(np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1) + 1e-4)


@EACH
@pytest.mark.parametrize(("kept", "guiding"), [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_mono_and_stereo_go_together(name: str, kept: int, guiding: int) -> None:
    original, reference = noise(9_000, kept), noise(9_000, guiding, seed=1)
    for blend, source in ((1.0, original), (0.5, None), (0.0, reference)):
        made = MORPHS[name](original, reference, blend)
        assert made.samples.shape == (max(kept, guiding), 9_000)
        if source is not None:
            assert np.abs(made.samples - source.samples).max() < 1e-6


@EACH
@pytest.mark.parametrize("right", [0.0, 0.3, 1.0, -1.0])
def test_two_sounds_of_one_place_stay_in_that_place(name: str, right: float) -> None:
    def placed(mono: Waveform) -> Waveform:
        return Waveform(mono.samples * np.float32([[1.0], [right]]), RATE)

    made = MORPHS[name](placed(noise(20_000, 1)), placed(noise(20_000, 1, seed=1)), 0.4)
    left, other = made.samples.astype(np.float64)
    assert left.std() > 0.02
    if name in ("spectral", "cepstral") and right == 0.3:  # whose floor isn't as far below
        assert np.corrcoef(left, other)[0, 1] > 0.99
    else:
        assert np.abs(other - right * left).max() < 1e-5 * np.abs(left).max()


@EACH
@pytest.mark.parametrize("frames", [1, 10, 441, 2_205, 4_097])
def test_sounds_of_any_length_are_morphed(name: str, frames: int) -> None:
    for other in (1, 300, 9_000):
        made = MORPHS[name](noise(frames), noise(other, seed=1), 0.5)
        assert made.samples.shape == (2, frames)
        assert np.isfinite(made.samples).all()


@EACH
def test_a_reference_of_another_rate_keeps_its_pitch(name: str) -> None:
    other = Waveform(tone(22_050, 0.5, 1000.0), 22_050)
    made = MORPHS[name](sine(300.0), other, 0.0)
    assert made.rate_hz == RATE
    assert peak_hz(made) == pytest.approx(1000, abs=2)


@EACH
def test_silence_stays_silent_and_harms_nothing(name: str) -> None:
    silent, sound = Waveform(np.zeros((2, 9_000), np.float32), RATE), noise(9_000)
    assert not MORPHS[name](silent, silent, 0.5).samples.any()
    for pair in ((silent, sound), (sound, silent)):
        made = MORPHS[name](*pair, 0.5).samples
        assert np.isfinite(made).all()
        assert 0 < made.std() < sound.samples.std()


def test_a_short_reference_is_repeated_without_a_gap_or_a_click() -> None:
    own, seam = 10_000, round(SEAM_SECONDS * RATE)
    looped = repeated(sine(440.0).samples[:, :own].astype(np.float64), 45_000, seam)
    assert looped.shape == (2, 45_000)
    assert np.array_equal(looped[:, : own - seam], sine(440.0).samples[:, : own - seam])
    steepest = 2 * np.pi * 440 / RATE * 0.5
    assert np.abs(np.diff(looped)).max() < 1.5 * steepest
    power = np.square(repeated(noise(own).samples.astype(np.float64), 45_000, seam))
    levels = power[:, :44_000].reshape(2, -1, 1_000).mean(axis=(0, 2))
    assert levels.min() > 0.8 * levels.mean()


def peak_hz(sound: Waveform) -> float:
    middle = sound.samples[0] * np.hanning(sound.frames)
    return float(np.abs(np.fft.rfft(middle, 1 << 18)).argmax()) * RATE / (1 << 18)
