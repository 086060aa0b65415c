"""The ear knows sounds by what they are, and each measure shows its own fault of a morph."""

from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile
import torch

from eutectic.audio import Waveform, db_to_gain
from eutectic.engine.even import decibel_mel, proportion
from eutectic.errors import BadInput, BadSetting
from eutectic.experiments.ear import check_package, measures
from eutectic.experiments.ear.embedding import (
    BLOCK_FRAMES,
    BLOCK_HOP,
    MEL_LARGEST,
    RATE_HZ,
    STFT_HOP,
    Ear,
    blocks,
    log_mel,
    unrelated,
)
from eutectic.experiments.ear.judging import BLENDS, COLUMNS, Judge, as_heard
from eutectic.experiments.ear.measures import Likenesses
from eutectic.experiments.ear.pairs import Pair, files_of, find_pairs, made_of
from eutectic.experiments.ear.tables import compared, wins
from eutectic.experiments.ear.variants import Variant
from eutectic.experiments.quality.classes import CLASSES, synthesise
from eutectic.training.recordings import is_held_out

SECONDS = 2.4


@pytest.fixture(scope="module")
def ear() -> Ear:
    """Used to four synthetic sounds of each class."""
    return Ear.used_to(synthesise(name, seed, SECONDS) for name in CLASSES for seed in range(4))


@pytest.fixture(scope="module")
def sounds() -> dict[str, Waveform]:
    """Another sound of each class, with peaks at half of full scale."""
    made = {name: synthesise(name, 50, SECONDS) for name in CLASSES}
    return {
        name: Waveform(each.samples / np.float32(2 * np.abs(each.samples).max()), each.rate_hz)
        for name, each in made.items()
    }


def low_passed(waveform: Waveform, hertz: float) -> Waveform:
    sections = scipy.signal.butter(4, hertz, fs=waveform.rate_hz, output="sos")
    filtered = scipy.signal.sosfilt(sections, waveform.samples)
    return Waveform(np.asarray(filtered, np.float32), waveform.rate_hz)


def mix(original: Waveform, reference: Waveform, blend: float) -> Waveform:
    """An equal-power mix."""
    angle = np.pi / 2 * blend
    mixed = np.sin(angle) * original.samples + np.cos(angle) * reference.samples
    return Waveform(mixed.astype(np.float32), original.rate_hz)


def noise(seconds: float = SECONDS, seed: int = 0) -> Waveform:
    samples = 0.1 * np.random.default_rng(seed).standard_normal((2, round(RATE_HZ * seconds)))
    return Waveform(samples.astype(np.float32), RATE_HZ)


# The ear


def test_a_sound_is_like_itself_and_unlike_others(ear: Ear, sounds: dict[str, Waveform]) -> None:
    heard = torch.stack([ear.hear(sound) for sound in sounds.values()])
    likeness = (heard @ heard.T).numpy()
    assert np.diag(likeness) == pytest.approx(1, abs=1e-5)
    assert likeness[~np.eye(len(heard), dtype=bool)].mean() == pytest.approx(0, abs=0.25)


def test_a_low_passed_copy_is_between_the_sound_and_others(
    ear: Ear, sounds: dict[str, Waveform]
) -> None:
    for name in ("drone", "wind", "glitch"):
        sound = sounds[name]
        slightly, much = (ear.likeness(sound, low_passed(sound, hz)) for hz in (6000, 300))
        others = [ear.likeness(sound, other) for other in sounds.values() if other is not sound]
        assert 1 > slightly > much
        assert slightly > np.median(others)


def test_silence_and_the_shortest_sounds_are_heard(ear: Ear, sounds: dict[str, Waveform]) -> None:
    silence = Waveform(np.zeros((2, RATE_HZ), np.float32), RATE_HZ)
    click = Waveform(np.ones((1, 10), np.float32), RATE_HZ)
    assert ear.likeness(silence, silence) == pytest.approx(1, abs=1e-5)
    assert abs(ear.likeness(silence, sounds["drone"])) < 1
    assert abs(ear.likeness(click, silence)) < 1
    assert as_heard(silence) is silence


def test_the_spectrogram_of_an_impulse_is_flat_at_its_power() -> None:
    samples = np.zeros((1, 8 * STFT_HOP), np.float32)
    samples[0, 4 * STFT_HOP] = 0.1
    mel = log_mel(Waveform(samples, RATE_HZ))
    expected = np.log10(1 + 1e4 * 0.1**2) / MEL_LARGEST  # filters of unit sum keep it
    assert mel[4].numpy() == pytest.approx(expected, abs=1e-6)
    assert float(mel[0].abs().max()) == 0


def test_windows_overlap_by_half_and_a_short_sound_is_followed_by_silence() -> None:
    mel = torch.arange(3 * BLOCK_FRAMES - 1)[:, None].expand(-1, 4).float() + 1
    windows = blocks(mel)
    assert windows[:, 0, 0].tolist() == [1 + BLOCK_HOP * number for number in range(4)]
    assert windows.shape == (4, BLOCK_FRAMES, 4)
    (short,) = blocks(mel[:30])
    assert torch.equal(short[:30], mel[:30])
    assert float(short[30:].abs().max()) == 0


def test_recordings_are_heard_at_their_own_rate(ear: Ear, sounds: dict[str, Waveform]) -> None:
    sound = low_passed(sounds["drone"], 8000)
    slower = scipy.signal.resample_poly(sound.samples, 1, 2, axis=1).astype(np.float32)
    assert ear.likeness(sound, Waveform(slower, RATE_HZ // 2)) > 0.97


def test_unrelated_recordings_are_none_of_those_compared(tmp_path: Path) -> None:
    for number in range(20):
        samples = noise(0.2, seed=number).samples * (number + 1) / 20
        soundfile.write(tmp_path / f"{number:02}.wav", samples.T, RATE_HZ, subtype="FLOAT")
    soundfile.write(tmp_path / "20.wav", np.zeros((RATE_HZ, 1)), RATE_HZ)
    pair = [tmp_path / "05.wav", tmp_path / "elsewhere" / "07.flac"]
    levels = [float(np.abs(each.samples).max()) for each in unrelated(tmp_path, pair)]
    assert len(levels) == 18  # 20 without the pair's names; silence is no recording
    assert len(unrelated(tmp_path, pair, count=12)) == 12
    with pytest.raises(BadInput, match="12 or more recordings"):
        unrelated(tmp_path, [tmp_path / f"{number:02}.wav" for number in range(10)])


def test_a_missing_package_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delitem(__import__("sys").modules, "aisfx", raising=False)
    with pytest.raises(BadInput, match=r"aisfx.*pip install --no-deps"):
        check_package("aisfx")


# Measures


def test_a_straight_curve_is_perfectly_even_and_a_jump_not_at_all() -> None:
    knob = [0, 0.25, 0.5, 0.75, 1]
    assert measures.evenness(knob, [1, 2, 3, 4, 5]) == pytest.approx(1)
    assert measures.evenness([0, 0.1, 1], [0, 1, 10]) == pytest.approx(1)
    assert measures.evenness(knob, [0, 0, 0, 1, 1]) == pytest.approx(0)
    assert 0 < measures.evenness(knob, [0, 0, 0.5, 1, 1]) < 0.5
    assert measures.evenness(knob, [0, 2, 1, 3, 4]) < measures.evenness(knob, [0, 1, 1.5, 3, 4])
    assert np.isnan(measures.evenness(knob, [1, 1, 1, 1, 1]))


def test_smoothness_and_linearity_are_those_of_a_parabola() -> None:
    knob = np.linspace(0, 1, 11)
    assert measures.nonsmoothness(list(knob**2)) == pytest.approx(2)  # its second derivative
    assert measures.nonlinearity(list(knob**2)) == pytest.approx(
        np.sqrt(np.mean((knob - knob**2) ** 2))
    )
    assert measures.nonsmoothness(list(knob)) == pytest.approx(0, abs=1e-9)
    assert measures.nonlinearity(list(3 - knob)) == pytest.approx(0, abs=1e-9)


def test_balance_is_where_the_lesser_likeness_is_greatest() -> None:
    series = Likenesses((0.0, 0.3, 0.6, 1.0), (0.0, 0.4, 0.6, 1.0), (1.0, 0.5, 0.1, 0.2))
    assert (series.balance, series.balanced_at) == (0.4, 0.3)
    assert series.order == pytest.approx(1)
    assert Likenesses((0, 0.5, 1), (0, 1, 0.5), (1, 0, 0)).order == pytest.approx(0.5)


def test_the_share_of_the_distance_is_one_at_the_reference_and_at_any_level(
    sounds: dict[str, Waveform],
) -> None:
    reference, original = (decibel_mel(sounds[name]) for name in ("drone", "wind"))
    assert proportion(reference, reference, original) == 1
    assert proportion(original, reference, original) == 0
    middle = mix(sounds["wind"], sounds["drone"], 0.5)
    quieter = Waveform(middle.samples * np.float32(db_to_gain(-20)), middle.rate_hz)
    shares = [proportion(decibel_mel(each), reference, original) for each in (middle, quieter)]
    assert 0 < shares[0] < 1
    assert shares[1] == pytest.approx(shares[0], abs=1e-3)
    assert np.isnan(proportion(reference, reference, reference))


def test_a_flat_spectrum_has_only_the_first_cepstral_coefficient() -> None:
    coefficients = measures.cepstrum(torch.full((measures.MEL_BANDS, 3), -6.0))
    assert coefficients[0].numpy() == pytest.approx(-6 * np.sqrt(measures.MEL_BANDS), rel=1e-5)
    assert float(coefficients[1:].abs().max()) < 1e-4


def test_zimtohrli_hears_louder_noise_as_worse(sounds: dict[str, Waveform]) -> None:
    clean = sounds["drone"]
    noisy = [
        Waveform(clean.samples + np.float32(gain) * noise().samples, clean.rate_hz)
        for gain in (0, 0.03, 1)
    ]
    distances = [measures.zimtohrli(clean, each) for each in noisy]
    scores = [measures.zimtohrli_mos(distance) for distance in distances]
    assert distances[0] == 0 and scores[0] == pytest.approx(5, abs=0.01)
    assert distances[0] < distances[1] < distances[2]
    assert scores[0] > scores[1] > scores[2] >= 1
    short = noise(0.05)
    assert measures.zimtohrli(short, short) == 0


# Judging


def test_a_mix_holds_both_sounds_and_turns_from_one_to_the_other(
    ear: Ear, sounds: dict[str, Waveform]
) -> None:
    original, reference = sounds["wind"], sounds["drone"]
    judge = Judge(ear, original, reference)
    mixed = judge.figures({blend: mix(original, reference, blend) for blend in BLENDS})
    assert list(mixed) == list(COLUMNS)
    assert mixed["own sample"] == mixed["round trip"] == 1
    assert mixed["order"] > 0.95
    assert mixed["LU"] <= 0.1
    unmoved = judge.figures(dict.fromkeys(BLENDS, original))
    assert mixed["balance"] > unmoved["balance"] + 0.1
    assert mixed["even"] > 0.3 and np.isnan(unmoved["even"])
    assert unmoved["late"] == unmoved["round trip"] == 1


def test_likeness_is_not_a_matter_of_level(ear: Ear, sounds: dict[str, Waveform]) -> None:
    original, reference = sounds["wind"], sounds["drone"]
    quiet = Waveform(reference.samples * np.float32(db_to_gain(-24)), reference.rate_hz)
    series = {blend: mix(original, reference, blend) for blend in BLENDS}
    loud, soft = (Judge(ear, original, each).figures(series) for each in (reference, quiet))
    for name in ("own sample", "late", "balance", "even p", "MFCC error"):
        assert soft[name] == pytest.approx(loud[name], abs=0.03)
    assert soft["raw LU"] > loud["raw LU"] + 10
    assert soft["LU"] <= 0.1


# Pairs


def paths(count: int) -> list[Path]:
    return [Path(f"{number:02}.wav") for number in range(count)]


@pytest.mark.parametrize(("recordings", "count"), [(2, 2), (3, 6), (4, 12), (9, 12), (40, 12)])
def test_pairs_are_made_of_all_recordings_evenly(recordings: int, count: int) -> None:
    pairs = made_of(paths(recordings))
    assert len(pairs) == len(set(pairs)) == count
    assert all(pair.original != pair.reference for pair in pairs)
    used = [path for pair in pairs for path in (pair.original, pair.reference)]
    assert len(set(used)) >= min(12, recordings)
    uses = [used.count(path) for path in set(used)]
    assert max(uses) - min(uses) <= 1


def test_made_pairs_are_of_recordings_far_apart() -> None:
    for pair in made_of(paths(20)):
        distance = abs(int(pair.original.stem) - int(pair.reference.stem))
        assert 8 <= distance <= 12


def test_pairs_of_a_folder_are_held_out_unless_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    names = ["perc_bell", "deeper/loop_weirdo", "bass_a", "bass_b"]
    for name in names:
        soundfile.write(tmp_path / f"{name}.flac", np.zeros((3 * 8000, 1)), 8000)
    soundfile.write(tmp_path / "ambi_glass_rub.flac", np.zeros((8000, 1)), 8000)  # too short
    assert [is_held_out(Path(name).stem) for name in names] == [True, True, False, False]
    held_out = files_of(find_pairs(None, tmp_path))
    assert {path.stem for path in held_out} == {"perc_bell", "loop_weirdo"}
    assert {path.stem for path in files_of(find_pairs(tmp_path, tmp_path))} == {
        Path(name).stem for name in names
    }


def test_pairs_are_read_from_lists_beside_their_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros((800, 1)), 8000)
    (tmp_path / "pairs.csv").write_text("original,reference\na.wav,b.wav\nb.wav,a.wav\n")
    (tmp_path / "pairs.toml").write_text('[[pair]]\noriginal = "a.wav"\nreference = "b.wav"\n')
    a, b = tmp_path / "a.wav", tmp_path / "b.wav"
    assert find_pairs(tmp_path / "pairs.csv", tmp_path) == [Pair(a, b), Pair(b, a)]
    assert [pair.name for pair in find_pairs(tmp_path / "pairs.toml", tmp_path)] == ["a → b"]


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("gone.csv", None, "no such list"),
        ("empty.csv", "original,reference\n", "lists no pair"),
        ("columns.csv", "one,two\na,b\n", "can't be read"),
        ("missing.csv", "original,reference\na.wav,b.wav\n", "no such file"),
        ("key.toml", "[[pair]]\noriginal = 1\n", "key.toml:2: original"),
    ],
)
def test_lists_that_are_no_use_are_refused_in_one_line(
    tmp_path: Path, name: str, text: str | None, what: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(BadInput, match=what) as refusal:
        find_pairs(tmp_path / name, tmp_path)
    assert len(str(refusal.value).splitlines()) == 1


# Variants and tables


def test_variants_are_read_as_settings() -> None:
    variant = Variant.read("order=1, eta=0.5,solver=heun,budget=0,residual-amount=0.3")
    assert (variant.settings.order, variant.settings.eta) == (1, 0.5)
    assert (variant.settings.solver, variant.settings.residual_amount) == ("heun", 0.3)
    assert variant.budget_seconds == 0
    assert Variant.read("").figures == Variant().figures


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("speed=1", "unknown 'speed'"),
        ("order", "form name=value"),
        ("order=two", "variant"),
        ("order=4", "order must be 1 to 3"),
        ("budget=-1", "budget must be"),
    ],
)
def test_variants_out_of_range_are_refused(text: str, what: str) -> None:
    with pytest.raises(BadSetting, match=what):
        Variant.read(text)


def test_wins_count_pairs_with_both_figures_and_know_what_is_better() -> None:
    usual = dict.fromkeys(COLUMNS, 0.0)
    own, other = (
        [usual | {"balance": balance, "LU": balance} for balance in each]
        for each in ((0.5, 0.4, float("nan")), (0.4, 0.5, 0.1))
    )
    assert wins(own, other, "balance") == "1 of 2"
    assert wins(own, other, "LU") == "1 of 2"
    assert wins(own, own, "balance") == "2 of 2"
    *each, medians, won = compared(["x", "y", "z"], {"fusion": own, "mix": other}, ["fusion"])
    assert [table.column("balance")[0] for table in each] == [0.5, 0.4]
    assert medians.column("balance") == (pytest.approx(0.45), 0.4)
    assert won.column("as") == ("mix",)
    assert won.column("balance") == ("1 of 2",)
    assert "without the mix's" in medians.notes[-1]
