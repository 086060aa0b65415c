"""The transform codec: exact transform, local and deterministic decoding, round trips."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file
from torch import Tensor

from eutectic.audio import Waveform
from eutectic.engine.embedded import FOLDER, create_model
from eutectic.engine.embedded.mdct import Mdct
from eutectic.engine.embedded.transform import TransformCodec
from eutectic.experiments.distances import log_mel_distance
from eutectic.experiments.quality.probes import worst_sideband_db

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
HOP = 1024


@cache
def shipped_codec() -> TransformCodec:
    weights = load_file(FOLDER / "model.safetensors")
    codec = TransformCodec()
    codec.load_state_dict({name: weights[f"pretransform.{name}"] for name in codec.state_dict()})
    return codec


def noise(samples: int, seed: int = 0) -> Tensor:
    return torch.randn(1, 2, samples, generator=torch.Generator().manual_seed(seed)) * 0.1


def clip(name: str) -> Tensor:
    audio, _ = soundfile.read(CLIPS / f"{name}.flac", dtype="float32", always_2d=True)
    return torch.from_numpy(np.broadcast_to(audio.T, (2, len(audio))).copy())[None]


def tones(frequencies: Sequence[float], samples: int, amplitude: float = 0.05) -> Tensor:
    time = torch.arange(samples, dtype=torch.float64) / 44100
    mono = torch.stack([torch.sin(2 * torch.pi * f * time + f) for f in frequencies]).sum(0)
    return (amplitude * mono).float().expand(1, 2, -1)


def spectrum_db(x: Tensor) -> Tensor:
    """Level of the middle of a sound in bins of 1 Hz or less, relative to the highest."""
    mono = x[0].mean(0)[8192:-8192].double()
    window = torch.blackman_window(len(mono), periodic=False, dtype=torch.float64)
    level = torch.fft.rfft(mono * window, n=max(44100, len(mono))).abs()
    return 20 * torch.log10(level / level.max() + 1e-12)


def level_db(spectrum: Tensor, low_hz: float, high_hz: float) -> Tensor:
    scale = (len(spectrum) - 1) / 22050
    return spectrum[round(low_hz * scale) : round(high_hz * scale) + 1]


def prominence_db(x: Tensor, frequency: float) -> float:
    spectrum = spectrum_db(x)
    beside = torch.cat([level_db(spectrum, frequency + a, frequency + b)
                        for a, b in ((-300, -150), (150, 300))])  # fmt: skip
    return float(level_db(spectrum, frequency - 5, frequency + 5).max() - beside.median())


def waveform(audio: Tensor) -> Waveform:
    return Waveform(audio[0].numpy(), 44100)


@pytest.mark.parametrize("samples", [1, HOP, 3 * HOP + 1, 44100])
def test_transform_without_quantisation_is_exact(samples: int) -> None:
    mdct, x = Mdct(HOP), noise(samples)
    y = mdct.synthesise(mdct.analyse(x).cosine)
    assert y.shape[-1] == -(-samples // HOP) * HOP
    assert (y[..., :samples] - x).abs().max() < 1e-5  # measured 2.1e-7


@pytest.mark.parametrize("samples", [1, 1000, HOP, HOP + 1, 50_000])
def test_any_length_becomes_whole_frames(samples: int) -> None:
    codec = shipped_codec()
    frames = -(-samples // HOP)
    z = codec.encode(noise(samples))
    assert z.shape == (1, codec.encoded_channels, frames)
    assert codec.decode(z).shape == (1, 2, frames * HOP)


@pytest.mark.parametrize(("start", "stop"), [(0, 7), (20, 21), (11, 40), (50, 65)])
def test_a_slice_decodes_as_in_the_whole(start: int, stop: int) -> None:
    codec = shipped_codec()
    z = codec.encode(noise(65 * HOP) + tones((4321.0, 7654.3), 65 * HOP))
    whole, part = codec.decode(z), codec.decode_slice(z, start, stop)
    assert (part - whole[..., start * HOP : stop * HOP]).abs().max() <= 1e-5  # measured 0


def test_a_slice_with_context_encodes_as_in_the_whole() -> None:
    codec = shipped_codec()
    x = noise(65 * HOP) + tones((4321.0, 7654.3), 65 * HOP)
    start, stop, context = 20, 30, codec.encode_context_frames
    part = codec.encode(x[..., (start - context) * HOP : (stop + context) * HOP])
    difference = part[..., context:-context] - codec.encode(x)[..., start:stop]
    assert difference.abs().max() < 1e-3  # measured 0


def test_decoding_does_not_use_or_change_global_random_state() -> None:
    codec = shipped_codec()
    z = codec.encode(noise(20 * HOP))
    torch.manual_seed(1)
    first, state = codec.decode(z), torch.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(first, codec.decode(z))
    torch.manual_seed(1)
    assert torch.equal(state, torch.get_rng_state())


def test_silence_decodes_to_silence() -> None:
    codec = shipped_codec()
    y = codec.decode(codec.encode(torch.zeros(1, 2, 30_000)))
    assert y.abs().max() < 1e-4  # −80 dBFS


def test_batch_rows_are_independent() -> None:
    codec = shipped_codec()
    x = torch.cat([noise(30_000, 1), noise(30_000, 2)])
    z = codec.encode(x)
    torch.testing.assert_close(z[1:], codec.encode(x[1:]), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(codec.decode(z)[1:], codec.decode(z[1:]), rtol=1e-4, atol=1e-5)


def test_a_low_stereo_tone_survives() -> None:
    time = torch.arange(44100) / 44100
    x = torch.stack([0.5 * torch.sin(2 * torch.pi * 220 * time), torch.zeros_like(time)])[None]
    y = shipped_codec().decode(shipped_codec().encode(x))[..., :44100]
    error = (y - x).square().sum() / x.square().sum()
    assert 10 * torch.log10(error) < -40  # measured −66 dB


@pytest.mark.parametrize(
    ("sound", "measured"), [(noise(2 * 44100)[:, :1], 41), (tones((4321.0,), 2 * 44100)[:, :1], 29)]
)
def test_a_panned_sound_stays_on_its_side(sound: Tensor, measured: float) -> None:
    x = torch.cat([sound, torch.zeros_like(sound)], dim=1)
    y = shipped_codec().decode(shipped_codec().encode(x))[0, :, 9000:-9000]
    power = y.square().mean(-1)
    assert 10 * torch.log10(power[0] / power[1]) > measured - 6


@pytest.mark.parametrize("kind", ["of opposite sign", "independent"])
def test_wide_noise_keeps_its_level_and_width(kind: str) -> None:
    x = noise(2 * 44100)
    if kind == "of opposite sign":
        x[:, 1] = -x[:, 0]
    y = shipped_codec().decode(shipped_codec().encode(x))[..., : x.shape[-1]]
    assert abs(10 * torch.log10(y.square().mean() / x.square().mean())) < 1  # measured 0.04
    correlation = torch.corrcoef(y[0])[0, 1]
    expected = -1.0 if kind == "of opposite sign" else 0.0
    assert abs(correlation - expected) < 0.1  # measured 0.007


@pytest.mark.parametrize("frequencies", [(220.0, 550.0, 900.0, 1500.0), (55.0, 140.0, 300.0)])
def test_low_partials_sound_where_shapes_are_generated(frequencies: tuple[float, ...]) -> None:
    x = tones(frequencies, 4 * 44100) + noise(4 * 44100) * 0.03
    codec = shipped_codec()
    z = codec.encode(x)
    generator = torch.Generator().manual_seed(0)
    z[:, : codec.kept] = torch.randn(1, codec.kept, z.shape[-1], generator=generator)
    y = codec.decode(z)[..., : x.shape[-1]]
    # measured −7 dB at worst, of 72
    assert all(prominence_db(y, f) > prominence_db(x, f) - 14 for f in frequencies)


def test_partials_between_3_and_10_khz_stay_partials() -> None:
    frequencies = [3000 + 700 * i + (37 * i * i) % 211 for i in range(10)]
    x = tones(frequencies, 4 * 44100) + noise(4 * 44100) * 0.03
    y = shipped_codec().decode(shipped_codec().encode(x))[..., : x.shape[-1]]
    difference = [prominence_db(y, f) - prominence_db(x, f) for f in frequencies]
    assert max(map(abs, difference)) < 6  # measured 0.7


def test_a_steady_drone_gets_no_sidebands() -> None:
    frequencies = [110.0 * k for k in range(1, 20)] + [3000.0, 4321.0, 6543.2]
    x = tones(frequencies, 6 * 44100, 0.02)
    y = shipped_codec().decode(shipped_codec().encode(x))[..., : x.shape[-1]]
    assert (
        worst_sideband_db(waveform(y), np.array(frequencies), 44100 / HOP) < -60
    )  # measured −63.2


def test_noise_has_no_partials() -> None:
    codec = shipped_codec()
    tonality = codec.tonality(codec.encode(noise(8 * 44100)))
    assert float((tonality > 0).float().mean()) < 0.02  # measured 0


@pytest.mark.parametrize("onset", [20_000, 20_300, 20_600, 20_900])
def test_an_attack_has_little_before_it(onset: int) -> None:
    x = torch.zeros(1, 2, 44100)
    hit = noise(4000) * torch.exp(-torch.arange(4000) / 800)
    x[..., onset : onset + 4000] = hit
    y = shipped_codec().decode(shipped_codec().encode(x))
    before = y[..., onset - 1100 : onset - 220].square().mean()
    after = hit[..., :2000].square().mean()
    assert 10 * torch.log10(before / after) < -20  # measured −23.9 at worst


def test_fitting_brings_latents_to_mean_0_and_deviation_1() -> None:
    codec = TransformCodec()
    clips = torch.cat([clip(p.stem)[..., :131072] for p in sorted(CLIPS.glob("*.flac"))])
    raw = codec.encode(clips).transpose(1, 2).numpy()
    codec.fit(raw)
    z = codec.encode(clips).transpose(1, 2)
    assert abs(float(z.mean())) < 0.02
    assert abs(float(z.square().mean().sqrt()) - 1) < 0.02
    np.testing.assert_allclose(codec.normalise(raw), z.numpy(), atol=1e-3)


def test_shipped_clips_have_latents_of_about_zero_mean_and_unit_deviation() -> None:
    z = torch.cat([shipped_codec().encode(clip(p.stem)) for p in CLIPS.glob("*.flac")], dim=-1)
    assert abs(float(z.mean())) < 0.1  # measured 0.03
    assert 0.8 < float(z.std()) < 1.25  # measured 1.19


@pytest.mark.parametrize(
    ("name", "measured"),
    [
        ("ambi_dark_woosh", 0.187),
        ("ambi_glass_rub", 0.262),
        ("ambi_haunted_hum", 0.473),
        ("ambi_lunar_land", 0.169),
        ("loop_3d_printer", 0.169),
        ("loop_drone_g_97", 0.148),
        ("loop_weirdo", 0.231),
        ("perc_bell", 0.199),
    ],
)
def test_round_trip_of_shipped_clips_stays_near(name: str, measured: float) -> None:
    x = clip(name)
    y = shipped_codec().decode(shipped_codec().encode(x))[..., : x.shape[-1]]
    assert log_mel_distance(waveform(x), waveform(y)) < 1.15 * measured


def test_shipped_weights_fit_the_shipped_configuration_exactly() -> None:
    config = json.loads((FOLDER / "model_config.json").read_text())
    model = create_model(config)
    model.load_state_dict(load_file(FOLDER / "model.safetensors"), strict=True)
    assert isinstance(model.pretransform, TransformCodec)
    assert model.min_input_length == HOP * config["model"]["diffusion"]["config"]["patch_size"]
    assert model.pretransform.encoded_channels == model.io_channels
    assert list(model.conditioner.conditioners) == ["prompt", "seconds_total"]
    assert config["sample_size"] % HOP == 0
    assert (FOLDER / "model.safetensors").stat().st_size < 40e6
