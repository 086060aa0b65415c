"""Audio transport: partials glide, and masses move in order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eutectic.audio import Waveform
from eutectic.morphs import masses, transport
from eutectic.morphs.masses import Masses
from sound_files import RATE, tone


def chord(*hertz: float) -> Waveform:
    return Waveform(sum(tone(RATE, 1.0, each) / len(hertz) for each in hertz), RATE)


def partials(sound: Waveform, share: float = 0.1) -> list[float]:
    """Frequencies of the peaks that reach a share of the greatest, in the steady middle."""
    steady = sound.samples[0, RATE // 4 : 3 * RATE // 4]
    spectrum = np.abs(np.fft.rfft(steady * np.blackman(len(steady)), 1 << 17))
    peaks = (spectrum[1:-1] > spectrum[2:]) & (spectrum[1:-1] >= spectrum[:-2])
    loud = np.flatnonzero(peaks & (spectrum[1:-1] > share * spectrum.max())) + 1
    return [float(place) * RATE / (1 << 17) for place in loud]


@pytest.mark.parametrize("blend", [0.1, 0.25, 0.5, 0.75, 0.9])
def test_a_sine_on_its_way_to_another_is_one_sine_between(blend: float) -> None:
    made = transport.morph(chord(440), chord(660), blend)
    (hertz,) = partials(made, share=0.01)
    assert hertz == pytest.approx(blend * 440 + (1 - blend) * 660, abs=0.4)  # measured 0.2


@pytest.mark.parametrize("right", [0.0, 1.0, -1.0])
def test_the_gliding_sine_neither_beats_nor_fades_wherever_it_is(right: float) -> None:
    """Also where the sum of both channels is silent."""
    one, other = (
        Waveform(chord(hertz).samples * np.float32([[1.0], [right]]), RATE) for hertz in (440, 660)
    )
    made = transport.morph(one, other, 0.3).samples[0, RATE // 4 : 3 * RATE // 4]
    peaks = np.abs(made[: len(made) // 441 * 441]).reshape(-1, 441).max(axis=1)
    assert peaks == pytest.approx(0.5, rel=0.02)  # measured 0.993 of it and more


def test_a_chord_glides_to_another_voice_by_voice() -> None:
    made = transport.morph(chord(300, 800), chord(400, 1200), 0.5)
    assert partials(made) == pytest.approx([350, 1000], abs=0.5)


def test_one_voice_splits_into_two() -> None:
    made = transport.morph(chord(600), chord(400, 1200), 0.5)
    assert partials(made) == pytest.approx([500, 900], abs=0.5)


def test_the_channels_glide_together() -> None:
    """A tone that is late by a quarter of its period on one side stays so at its new pitch."""
    time = np.arange(RATE) / RATE
    wide = [
        Waveform(
            np.float32([np.sin(2 * np.pi * hertz * time), np.cos(2 * np.pi * hertz * time)]) / 2,
            RATE,
        )
        for hertz in (440, 660)
    ]
    made = transport.morph(*wide, 0.5).samples[:, RATE // 4 : 3 * RATE // 4]
    left, right = np.fft.rfft(made * np.hanning(made.shape[1]), axis=1)
    top = np.abs(left).argmax()
    assert abs(right[top]) == pytest.approx(abs(left[top]), rel=0.01)
    assert np.angle(right[top] / left[top]) == pytest.approx(np.pi / 2, abs=0.01)


def shares_to_masses(shares: list[float]) -> Masses:
    bins = np.arange(len(shares))
    return Masses(bins, bins + 1, bins, np.array(shares) / sum(shares))


SHARES = st.lists(st.sampled_from([0.0, 1e-9, 0.25, 1.0, 3.0]), min_size=1, max_size=20).filter(any)


@given(SHARES, SHARES)
def test_a_plan_moves_all_of_each_mass_and_none_overtakes(
    kept: list[float], guiding: list[float]
) -> None:
    one, other = shares_to_masses(kept), shares_to_masses(guiding)
    plan = masses.transport(one, other)
    assert (plan.shares > 0).all()
    assert (np.diff(plan.kept) >= 0).all()
    assert (np.diff(plan.guiding) >= 0).all()
    for side, chosen in ((one, plan.kept), (other, plan.guiding)):
        moved = np.bincount(chosen, plan.shares, len(side.shares))
        assert moved == pytest.approx(side.shares, abs=1e-12)


@given(st.lists(st.sampled_from([-2.0, -0.5, 0.0, 0.5, 2.0]), min_size=1, max_size=30))
def test_segments_cover_the_spectrum_once_and_hold_their_centres(offsets: list[float]) -> None:
    made = masses.segment(np.ones(len(offsets)), np.array(offsets))
    assert made.starts[0] == 0
    assert made.ends[-1] == len(offsets)
    assert np.array_equal(made.ends[:-1], made.starts[1:])
    assert ((made.starts <= made.centres) & (made.centres < made.ends)).all()
    assert made.shares == pytest.approx((made.ends - made.starts) / len(offsets))


def test_a_segment_is_centred_where_its_reassigned_frequencies_meet() -> None:
    offsets = np.array([0.9, 0.1, -0.8, -1.9, 1.6, 0.7, -0.2, -1.1])
    made = masses.segment(np.ones(8), offsets)
    assert made.starts.tolist() == [0, 4]
    assert made.centres.tolist() == [1, 6]
