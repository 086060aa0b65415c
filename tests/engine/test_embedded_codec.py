"""The transform codec: exact transform, local and deterministic decoding, round trips."""

import json
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
from eutectic.engine.embedded.transform import TransformCodec
from eutectic.experiments.distances import log_mel_distance

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


def waveform(audio: Tensor) -> Waveform:
    return Waveform(audio[0].numpy(), 44100)


@pytest.mark.parametrize("samples", [1, HOP, 3 * HOP + 1, 44100])
def test_transform_without_quantisation_is_exact(samples: int) -> None:
    codec, x = TransformCodec(), noise(samples)
    coefficients, _ = codec.analyse(x)
    y = codec.synthesise(coefficients)
    assert y.shape[-1] == -(-samples // HOP) * HOP
    assert (y[..., :samples] - x).abs().max() < 1e-5  # measured 2.1e-7


@pytest.mark.parametrize("samples", [1, 1000, HOP, HOP + 1, 50_000])
def test_any_length_becomes_whole_frames(samples: int) -> None:
    codec = shipped_codec()
    frames = -(-samples // HOP)
    z = codec.encode(noise(samples))
    assert z.shape == (1, codec.encoded_channels, frames)
    assert codec.decode(z).shape == (1, 2, frames * HOP)


@pytest.mark.parametrize(("start", "end"), [(0, 7), (20, 21), (11, 40), (50, 65)])
def test_a_slice_with_context_decodes_as_in_the_whole(start: int, end: int) -> None:
    codec = shipped_codec()
    z = codec.encode(noise(65 * HOP))
    whole = codec.decode(z, first_frame=700)
    first, last = max(0, start - codec.context_frames), min(65, end + codec.context_frames)
    part = codec.decode(z[..., first:last], first_frame=700 + first)
    part = part[..., (start - first) * HOP : (end - first) * HOP]
    assert (part - whole[..., start * HOP : end * HOP]).abs().max() <= 1e-5  # measured 0


def test_decoding_does_not_use_or_change_global_random_state() -> None:
    codec = shipped_codec()
    z = codec.encode(noise(20 * HOP))
    torch.manual_seed(1)
    first, state = codec.decode(z), torch.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(first, codec.decode(z))
    torch.manual_seed(1)
    assert torch.equal(state, torch.get_rng_state())


def test_noise_belongs_to_the_absolute_frame() -> None:
    codec = shipped_codec()
    z = codec.encode(noise(20 * HOP))
    assert not torch.equal(codec.decode(z), codec.decode(z, first_frame=1))


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
    assert 10 * torch.log10(error) < -40  # measured −57 dB


def test_shipped_clips_have_latents_of_about_zero_mean_and_unit_deviation() -> None:
    z = torch.cat([shipped_codec().encode(clip(p.stem)) for p in CLIPS.glob("*.flac")], dim=-1)
    assert abs(float(z.mean())) < 0.1  # measured −0.03
    assert 1.1 < float(z.std()) < 1.5  # measured 1.31: large components keep up to 4


@pytest.mark.parametrize(
    ("name", "measured"),
    [
        ("ambi_dark_woosh", 0.147),
        ("ambi_glass_rub", 0.471),
        ("ambi_haunted_hum", 0.533),
        ("ambi_lunar_land", 0.135),
        ("loop_3d_printer", 0.137),
        ("loop_drone_g_97", 0.120),
        ("loop_weirdo", 0.205),
        ("perc_bell", 1.062),  # tonal partials above 3 kHz become noise bands
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
    assert model.min_input_length == HOP
    assert model.pretransform.encoded_channels == model.io_channels
    assert list(model.conditioner.conditioners) == ["prompt", "seconds_total"]
    assert config["sample_size"] % HOP == 0
    assert (FOLDER / "model.safetensors").stat().st_size < 40e6
