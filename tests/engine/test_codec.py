"""Codecs: the mean of a variational one, exact lengths, and streams that join to the whole.

The three there are: oobleck (Stable Audio Open's autoencoder, random weights), embedded (the
transform codec that ships), and toy.
"""

from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from checkpoints import RATE_HZ, oobleck
from codec_sounds import joined, noise, worst
from eutectic.audio import Waveform
from eutectic.engine.codec import Codec
from eutectic.engine.loading import load

CPU = torch.device("cpu")
CODECS = ["oobleck", "embedded", "toy"]


@cache
def codec(name: str) -> Codec:
    if name == "oobleck":
        return Codec(oobleck(), RATE_HZ, CPU)
    return load(name, CPU).codec


def latent(codec: Codec, frames: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, codec.latent_channels, frames, generator=generator)


def with_context(name: str, frames: int) -> Codec:
    """The same codec, made to stream with another context."""
    whole = codec(name)
    other = Codec(whole._pretransform, RATE_HZ, CPU)
    other._context_frames = frames
    return other


def test_encoding_takes_the_mean_where_the_library_samples() -> None:
    pretransform = oobleck(scale=1.7)
    audio = torch.from_numpy(noise(20 * 2048).samples)[None]
    once, again = pretransform.encode(audio), pretransform.encode(audio)
    assert not torch.equal(once, again)
    with torch.no_grad():
        moments = pretransform.model.encoder(audio)
    mean = moments[:, : pretransform.encoded_channels] / 1.7
    encoded = Codec(pretransform, RATE_HZ, CPU).encode(noise(20 * 2048))
    assert torch.equal(encoded, mean)


def test_the_mean_is_that_of_the_librarys_samples() -> None:
    pretransform = oobleck(scale=1.7)
    audio = torch.from_numpy(noise(4 * 2048).samples)[None]
    samples = torch.cat([pretransform.encode(audio) for _ in range(64)])
    mean = Codec(pretransform, RATE_HZ, CPU).encode(noise(4 * 2048))
    error = (samples.mean(0) - mean) / (samples.std(0) / 64**0.5)
    assert error.abs().max() < 5  # in standard errors; measured 2.3


@pytest.mark.parametrize("name", CODECS)
def test_encoding_twice_is_the_same(name: str) -> None:
    assert torch.equal(codec(name).encode(noise(9001)), codec(name).encode(noise(9001)))


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("frames", [1, 700, 2048, 2049, 30_001])
def test_a_clip_of_any_length_decodes_to_its_length(name: str, frames: int) -> None:
    subject = codec(name)
    encoded = subject.encode(noise(frames))
    assert encoded.shape == (1, subject.latent_channels, -(-frames // subject.ratio))
    assert encoded.dtype == torch.float32
    whole = subject.decode(encoded)
    assert whole.shape == (2, encoded.shape[-1] * subject.ratio)
    assert np.isfinite(whole).all()
    np.testing.assert_array_equal(subject.decode(encoded, frames), whole[:, :frames])
    assert joined(subject, encoded, frames=frames).shape == (2, frames)


@pytest.mark.parametrize("name", CODECS)
def test_a_clip_is_padded_with_silence(name: str) -> None:
    subject, short = codec(name), noise(5 * codec(name).ratio - 9)
    samples = np.zeros((2, 16 * subject.ratio), np.float32)
    samples[:, : short.frames] = short.samples
    padded = subject.encode(Waveform(samples, RATE_HZ))
    assert torch.equal(subject.encode(short, latent_frames=16), padded)


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize(
    ("latent_frames", "cut", "first", "longest"),
    [(1, 0, 8, 128), (7, 5, 2, 3), (37, 777, 3, 16), (70, 1, 1, 128), (45, 4099, 5, 5)],
)
def test_a_stream_joins_to_the_whole(
    name: str, latent_frames: int, cut: int, first: int, longest: int
) -> None:
    subject, x0 = codec(name), latent(codec(name), latent_frames)
    frames = latent_frames * subject.ratio - cut
    whole = subject.decode(x0, frames)
    stream = joined(subject, x0, frames=frames, first=first, longest=longest)
    assert stream.shape == whole.shape
    # Measured at most 1.2e-6 (oobleck), 7.1e-7 (toy), and 3.0e-5 (embedded, which looks for
    # partials in what it decodes, so that rounding may tip the strength of one).
    assert worst(stream, whole) < (1e-4 if name == "embedded" else 5e-6)


@pytest.mark.parametrize("name", CODECS)
def test_the_first_chunk_is_short_and_the_others_grow_to_the_longest(name: str) -> None:
    subject = codec(name)
    chunks = list(subject.stream(latent(subject, 40), first=2, growth=2.0, longest=12))
    assert [chunk.shape[-1] // subject.ratio for chunk in chunks] == [2, 4, 8, 12, 12, 2]


@pytest.mark.parametrize("name", CODECS)
def test_a_stream_never_reads_past_the_latents_end(name: str) -> None:
    subject, x0 = codec(name), latent(codec(name), 5)
    assert joined(subject, x0, frames=10**6).shape == (2, 5 * subject.ratio)


@pytest.mark.parametrize(
    ("name", "context", "too_short", "joint"),
    # Measured 1.2 and 7e-4 for oobleck, 2.7 and 0.12 for embedded (each training moves its own).
    # Oobleck's outermost frame of context weighs less than float32 resolves.
    [
        ("oobleck", 10, 0, 0.5),
        ("oobleck", 10, 8, 1e-4),
    ],
)
def test_the_context_is_needed_and_no_wider_than_needed(
    name: str, context: int, too_short: int, joint: float
) -> None:
    subject, x0 = codec(name), latent(codec(name), 40)
    assert subject.context_frames == context
    whole = subject.decode(x0)
    assert worst(joined(with_context(name, too_short), x0, first=3, longest=16), whole) > joint
    wider = joined(with_context(name, context + 3), x0, first=3, longest=16)
    assert worst(wider, whole) < 5e-6


@pytest.mark.parametrize("name", CODECS)
def test_where_a_decoder_overflows_the_sound_is_silent_rather_than_nan(name: str) -> None:
    """The embedded codec's energies are logarithms: e^latent, at 1000 times a latent's size."""
    far = 1000 * latent(codec(name), 40)
    assert np.isfinite(codec(name).decode(far)).all()
    assert np.isfinite(joined(codec(name), far)).all()


def test_the_toy_codec_needs_no_context() -> None:
    assert codec("toy").context_frames == 0
