"""The transform codec: exact round trips, local decoding, averages of latents as sound."""

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

from eutectic.engine.embedded import FOLDER, bands, create_model
from eutectic.engine.embedded.mdct import Mdct
from eutectic.engine.embedded.transform import TransformCodec

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


def hit(onset: int) -> Tensor:
    x = torch.zeros(1, 2, 44100)
    x[..., onset : onset + 4000] = noise(4000) * torch.exp(-torch.arange(4000) / 800)
    return x


def panned(x: Tensor) -> Tensor:
    return x * torch.tensor([1.0, 0.0])[:, None]


def level_db(x: Tensor) -> float:
    return float(10 * torch.log10(x.square().mean() + 1e-20))


def round_trip(x: Tensor) -> Tensor:
    codec = shipped_codec()
    return codec.decode(codec.encode(x))[..., : x.shape[-1]]


@pytest.mark.parametrize("samples", [1, HOP, 3 * HOP + 1, 44100])
def test_the_transform_is_exact(samples: int) -> None:
    mdct, x = Mdct(HOP), noise(samples)
    spectrum = mdct.analyse(x)
    y = mdct.synthesise(spectrum.cosine)
    assert y.shape[-1] == -(-samples // HOP) * HOP
    assert (y[..., :samples] - x).abs().max() < 1e-5  # measured 2.1e-7
    assert torch.equal(mdct.analyse_sine(x), spectrum.sine)


def test_bands_cover_all_bins_once() -> None:
    edges = bands.edges(HOP, 46, 2)
    assert edges[0] == 0 and edges[-1] == HOP and min(np.diff(edges)) >= 2
    means, spread = bands.means(edges), bands.interpolation(edges)
    torch.testing.assert_close(means.sum(0), torch.ones(len(edges) - 1))
    torch.testing.assert_close(spread.sum(0), torch.ones(HOP))


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
    z = z + 0.3 * torch.randn(z.shape, generator=torch.Generator().manual_seed(0))
    whole, part = codec.decode(z), codec.decode_slice(z, start, stop)
    assert (part - whole[..., start * HOP : stop * HOP]).abs().max() <= 1e-5


def test_decoding_does_not_use_or_change_global_random_state() -> None:
    codec = shipped_codec()
    z = codec.encode(noise(20 * HOP))
    torch.manual_seed(1)
    first, state = codec.decode(z), torch.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(first, codec.decode(z))
    torch.manual_seed(1)
    assert torch.equal(state, torch.get_rng_state())


def test_batch_rows_are_independent() -> None:
    codec = shipped_codec()
    x = torch.cat([noise(30_000, 1), noise(30_000, 2)])
    z = codec.encode(x)
    torch.testing.assert_close(z[1:], codec.encode(x[1:]), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(codec.decode(z)[1:], codec.decode(z[1:]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "sound",
    [
        noise(30_000),
        tones((220.0, 4321.0, 9000.5), 30_000),
        panned(noise(30_000)),
        panned(tones((220.0,), 30_000)),
        noise(30_000) * torch.tensor([1.0, -1.0])[:, None],
        hit(20_300),
        1e-4 * noise(30_000),
        10 * noise(30_000).clamp(-0.1, 0.1),
        torch.zeros(1, 2, 30_000),
    ],
    ids=["noise", "tones", "panned noise", "panned tone", "opposite sides", "an attack",
         "very quiet", "full scale", "silence"],
)  # fmt: skip
def test_a_round_trip_is_exact(sound: Tensor) -> None:
    error = (round_trip(sound) - sound).abs().max()
    assert error <= 1e-5 * max(1e-3, float(sound.abs().max()))


@pytest.mark.parametrize("name", [path.stem for path in sorted(CLIPS.glob("*.flac"))])
def test_a_round_trip_of_a_shipped_clip_is_exact(name: str) -> None:
    x = clip(name)
    assert level_db(round_trip(x) - x) < level_db(x) - 100  # measured −124


def test_the_envelope_alone_says_how_loud_a_sound_is() -> None:
    """Shapes at another level give the same sound; shapes of noise, one of the same level."""
    codec = shipped_codec()
    x = tones((300.0, 2500.0), 44100) + 0.1 * noise(44100)
    z, own = codec.encode(x), codec.network_channels
    louder = torch.cat([z[:, :own], 3 * z[:, own:]], dim=1)
    assert level_db(codec.decode(louder)[..., : x.shape[-1]] - x) < level_db(x) - 30
    shapes = torch.randn(z[:, own:].shape, generator=torch.Generator().manual_seed(0))
    other = codec.decode(torch.cat([z[:, :own], shapes], dim=1))
    assert abs(level_db(other) - level_db(x)) < 4  # measured −2.6


def test_an_average_with_silence_is_neither_silent_nor_as_loud() -> None:
    codec = shipped_codec()
    x = noise(44100)
    z = (codec.encode(x) + codec.encode(torch.zeros_like(x))) / 2
    assert -13 < level_db(codec.decode(z)) - level_db(x) < -11  # (½)⁴ is −12 dB


def test_where_one_sound_is_silent_the_others_shape_prevails() -> None:
    """Halfway between a low and a high tone both are still tones."""
    codec = shipped_codec()
    low, high = tones((200.0,), 2 * 44100, 0.3), tones((5000.0,), 2 * 44100, 0.3)
    y = codec.decode((codec.encode(low) + codec.encode(high)) / 2)[0].mean(0)[8192:81920]
    spectrum = torch.fft.rfft(y * torch.hann_window(len(y))).abs().square()
    hz = torch.fft.rfftfreq(len(y), 1 / 44100)
    near = ((hz - 200).abs() < 10) | ((hz - 5000).abs() < 10)
    assert spectrum[near].sum() > 0.95 * spectrum.sum()


@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4])
def test_latents_out_of_range_decode_to_sound_in_range(scale: float) -> None:
    codec = shipped_codec()
    shape = (1, codec.encoded_channels, 40)
    z = scale * torch.randn(shape, generator=torch.Generator().manual_seed(0))
    assert torch.isfinite(codec.decode(z)).all()
    assert codec.decode(z).abs().max() < 100


def test_fitting_brings_envelopes_to_mean_0_and_deviation_1() -> None:
    codec = TransformCodec()
    clips = torch.cat([clip(p.stem)[..., :131072] for p in sorted(CLIPS.glob("*.flac"))])
    raw = codec.envelopes(clips)
    codec.fit(raw.numpy())
    z = codec.encode(clips)[:, : codec.network_channels]
    assert abs(float(z.mean())) < 0.02
    assert abs(float(z.square().mean().sqrt()) - 1) < 0.02
    torch.testing.assert_close(codec.normalise(raw).transpose(1, 2), z, atol=1e-3, rtol=1e-3)


def test_shipped_clips_have_latents_of_about_unit_deviation() -> None:
    codec = shipped_codec()
    z = torch.cat([codec.encode(clip(p.stem)) for p in CLIPS.glob("*.flac")], dim=-1)
    envelope, shapes = z[:, : codec.network_channels], z[:, codec.network_channels :]
    assert 0.7 < float(envelope.square().mean().sqrt()) < 1.5
    assert 0.5 < float(shapes.square().mean().sqrt()) < 2  # measured 1.6: they are loud


def test_shipped_weights_fit_the_shipped_configuration_exactly() -> None:
    config = json.loads((FOLDER / "model_config.json").read_text())
    model = create_model(config)
    model.load_state_dict(load_file(FOLDER / "model.safetensors"), strict=True)
    assert isinstance(model.pretransform, TransformCodec)
    assert model.min_input_length == HOP * config["model"]["diffusion"]["config"]["patch_size"]
    assert model.pretransform.network_channels == model.io_channels
    assert list(model.conditioner.conditioners) == ["prompt", "seconds_total"]
    assert config["sample_size"] % HOP == 0
    assert (FOLDER / "model.safetensors").stat().st_size < 40e6
