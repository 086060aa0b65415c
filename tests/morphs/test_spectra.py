"""Spectral and cepstral morphs, the equal-power mix, and the transform under them."""

import numpy as np
import pytest

from eutectic.audio import Waveform, gain_to_db
from eutectic.morphs import Morph, cepstral, mix, spectral, transport
from eutectic.morphs.stft import Stft
from sound_files import RATE, tone


def noise(frames: int, seed: int) -> Waveform:
    samples = 0.1 * np.random.default_rng(seed).standard_normal((2, frames))
    return Waveform(samples.astype(np.float32), RATE)


def filtered(sound: Waveform, gain_db: float) -> Waveform:
    """The sound with everything from 5 kHz upwards raised."""
    spectrum = np.fft.rfft(sound.samples)
    spectrum[:, round(5000 * sound.seconds) :] *= 10 ** (gain_db / 20)
    return Waveform(np.fft.irfft(spectrum, sound.frames).astype(np.float32), RATE)


def tilt_db(sound: Waveform) -> float:
    """Level from 6 to 20 kHz over that from 1 to 4 kHz."""
    power = np.square(np.abs(np.fft.rfft(sound.samples))).mean(axis=0)
    low, high = (
        power[round(start * sound.seconds) : round(end * sound.seconds)].mean()
        for start, end in ((1000, 4000), (6000, 20_000))
    )
    return 10 * float(np.log10(high / low))


@pytest.mark.parametrize(
    "stft", [spectral.STFT, transport.STFT, Stft(64, 16, 64), Stft(64, 8, 256)]
)
@pytest.mark.parametrize("length", [1, 100, 20_000])
def test_a_sound_comes_back_from_its_spectra(stft: Stft, length: int) -> None:
    samples = np.random.default_rng(0).standard_normal((2, length))
    again = stft.sound((stft.spectra(frames) for frames in stft.blocks(samples)), length)
    assert again.shape == samples.shape
    assert np.abs(again - samples).max() < 1e-12


def test_a_partials_lobe_has_one_phase() -> None:
    stft = transport.STFT
    samples = np.cos(2 * np.pi * 1000 * np.arange(20_000) / RATE + 0.3)[None]
    (frames,) = stft.blocks(samples)
    spectrum = stft.spectra(frames)[0, 8]
    top = np.abs(spectrum).argmax()
    lobe = spectrum[top - 5 : top + 6]
    assert np.abs(np.angle(lobe / spectrum[top])).max() < 0.01


def test_a_partial_of_both_sounds_has_the_mean_of_their_levels_in_db() -> None:
    loud, quiet = (Waveform(gain * tone(RATE, 1.0, 1000.0), RATE) for gain in (1.0, 0.01))
    for blend, db in ((0.75, -10), (0.5, -20), (0.25, -30)):
        made = spectral.morph(loud, quiet, blend).samples[:, RATE // 4 : 3 * RATE // 4]
        assert gain_to_db(float(made.std() / loud.samples.std())) == pytest.approx(db, abs=0.1)


def test_partials_of_one_sound_alone_are_lowered_to_half_their_level_over_the_floor() -> None:
    alone = tone(RATE, 1.0, 500.0) + 0.1 * tone(RATE, 1.0, 2000.0)
    other = Waveform(tone(RATE, 1.0, 5000.0), RATE)
    made = spectral.morph(Waveform(alone, RATE), other, 0.5)
    spectrum = np.abs(np.fft.rfft(made.samples[0] * np.hanning(RATE)))
    between = gain_to_db(float(spectrum[500] / spectrum[2000]))
    assert between == pytest.approx(10, abs=0.5)


@pytest.mark.parametrize("morph", [spectral.morph, cepstral.morph])
def test_the_levels_of_the_sounds_change_only_the_level_of_the_morph(morph: Morph) -> None:
    one, other = noise(RATE // 4, 0), filtered(noise(RATE // 4, 1), 20.0)
    quieter = Waveform(np.float32(0.01) * one.samples, RATE)
    made, softer = (morph(each, other, 0.5).samples for each in (one, quieter))
    assert np.abs(10 * softer - made).max() < 1e-4 * made.std()


def test_the_envelope_is_half_way_in_db_whichever_sound_excites_it() -> None:
    flat, bright = noise(RATE, 0), filtered(noise(RATE, 1), 20.0)
    assert tilt_db(bright) - tilt_db(flat) == pytest.approx(20, abs=1)
    for pair in ((flat, bright), (bright, flat)):
        made = cepstral.morph(*pair, 0.5)
        assert tilt_db(made) - tilt_db(flat) == pytest.approx(10, abs=1)


def test_the_envelope_passes_over_partials_and_follows_formants() -> None:
    voice = sum(tone(RATE, 0.5, hertz) / 20 for hertz in range(150, 9000, 150))
    (frames,) = spectral.STFT.blocks(np.float64(voice))
    spectra = spectral.STFT.spectra(frames)
    own = cepstral.envelope(spectra)[0, 20, 40:380]  # 0.9 to 8.2 kHz
    fine = spectral.log_magnitudes(spectra)[0, 20, 40:380]
    assert np.ptp(own) < 0.25 * np.ptp(fine)


def test_the_mix_has_the_power_of_its_sounds() -> None:
    one, other = noise(RATE, 0), noise(RATE, 1)
    for blend in (0.2, 0.5, 0.8):
        made = mix.morph(one, other, blend)
        assert made.samples.std() == pytest.approx(one.samples.std(), rel=0.02)
