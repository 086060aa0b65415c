"""Distances meet their definitions: independent of level; timing counts for one, not the other."""

import numpy as np
import pytest

from eutectic.audio import Waveform
from eutectic.engine.distances import log_mel, log_mel_distance, texture_distance
from eutectic.experiments.report import rank_correlation

RATE = 44100
RANDOM = np.random.default_rng(0)


def noise(seconds: float = 1.0) -> np.ndarray:
    return RANDOM.standard_normal((2, round(RATE * seconds))).astype(np.float32)


def pulses(first_half: bool) -> Waveform:
    samples = noise() * 1e-3
    half = samples.shape[1] // 2
    part = slice(None, half) if first_half else slice(half, None)
    samples[:, part] *= 300
    return Waveform(samples, RATE)


def test_a_sound_has_distance_zero_from_itself_at_any_level() -> None:
    wave = Waveform(noise(), RATE)
    quiet = Waveform(wave.samples * np.float32(0.01), RATE)
    assert log_mel_distance(wave, quiet) < 1e-3
    assert texture_distance(wave, quiet) < 1e-3


def test_timing_counts_for_log_mel_and_not_for_texture() -> None:
    early, late = pulses(True), pulses(False)
    assert log_mel_distance(early, late) > 5  # measured 10.6
    assert texture_distance(early, late) < 0.5  # measured 0.2


def test_a_tone_lies_in_its_band() -> None:
    time = np.arange(RATE) / RATE
    tone = Waveform(np.sin(2 * np.pi * 1000 * time)[None].astype(np.float32), RATE)
    bands = log_mel(tone).mean(axis=1)
    edges = np.linspace(2595 * np.log10(1 + 40 / 700), 2595 * np.log10(1 + 16000 / 700), 66)
    centres = 700 * (10 ** (edges[1:-1] / 2595) - 1)
    assert centres[bands.argmax()] == pytest.approx(1000, rel=0.1)


def test_the_common_length_is_compared() -> None:
    long = noise(2.0)
    short = Waveform(long[:, :RATE].copy(), RATE)
    assert log_mel_distance(Waveform(long, RATE), short) < 0.15  # the RMS of the halves differs


def test_rank_correlation_compares_ranks() -> None:
    assert rank_correlation([1, 2, 3, 4], [1, 10, 100, 1000]) == pytest.approx(1.0)
    assert rank_correlation([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1.0)
