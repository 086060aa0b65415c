"""SAME, Stable Audio 3's codec: repeatable, joined to the last bits, and the library's own sound.

Both sizes' structure (chunks with a shift, and a sliding window), random weights.
"""

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from stable_audio_tools.models import transformer
from torch import Tensor

from checkpoints import RATE_HZ
from codec_sounds import joined, noise, worst
from eutectic.engine import same as module
from eutectic.engine.codec import Codec
from stable_audio_3 import LATENT_CHANNELS, RATIO, SAME_L, SAME_S, same

CPU = torch.device("cpu")
SIZES = {"S": SAME_S, "L": SAME_L}


@cache
def codec(size: str) -> Codec:
    return Codec(same(SIZES[size]), RATE_HZ, CPU)


def latent(frames: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(1, LATENT_CHANNELS, frames, generator=generator)


@pytest.mark.parametrize("size", SIZES)
def test_decoding_twice_is_the_same_where_the_librarys_own_is_not(size: str) -> None:
    library, x0 = same(SIZES[size]), latent(24)
    with torch.no_grad():
        assert not torch.equal(library.decode(x0), library.decode(x0))
    once, again = codec(size).decode(x0, seed=3), codec(size).decode(x0, seed=3)
    np.testing.assert_array_equal(once, again)
    assert worst(codec(size).decode(x0, seed=4), once) > 1e-3


@pytest.mark.parametrize("size", SIZES)
def test_the_noise_is_the_librarys_in_kind_and_amount(
    size: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its decoder, given our draws in place of its own, gives our sound."""
    library, x0, drawn = same(SIZES[size]), latent(24), list[Tensor]()
    draw = module._noise

    def recorded(*arguments: Any) -> Tensor:
        drawn.append(draw(*arguments))
        return drawn[-1]

    monkeypatch.setattr(module, "_noise", recorded)
    ours = codec(size).decode(x0, seed=3)
    on_latent, on_tokens = drawn
    draws = iter([on_latent.T[None], on_tokens])
    monkeypatch.setattr(torch, "randn_like", lambda like: next(draws).reshape(like.shape))
    with torch.no_grad():
        expected = library.decode(x0)[0].numpy()
    assert next(draws, None) is None
    assert worst(ours, expected) < 1e-5


@pytest.mark.parametrize("size", SIZES)
def test_encoding_is_the_librarys_without_noise(size: str) -> None:
    library = same(SIZES[size])
    for side in (library.model.encoder, library.model.decoder):
        for block in side.layers:
            block.mask_noise = 0.0
    sound = noise(8 * RATIO)
    with torch.no_grad():
        expected = library.encode(torch.from_numpy(sound.samples)[None])
    assert torch.equal(codec(size).encode(sound), expected)
    assert torch.equal(codec(size).encode(sound), codec(size).encode(sound))


@pytest.mark.parametrize("frames", [1, 4096, 5 * 4096, 5 * 4096 + 1, 30_001])
@pytest.mark.parametrize(("size", "multiple"), [("S", 2), ("L", 1)])
def test_latents_come_in_the_frames_that_the_codec_decodes_together(
    size: str, multiple: int, frames: int
) -> None:
    subject = codec(size)
    encoded = subject.encode(noise(frames))
    needed = -(-frames // RATIO)
    assert subject.frame_multiple == multiple
    assert encoded.shape == (1, LATENT_CHANNELS, -(-needed // multiple) * multiple)
    assert subject.decode(encoded, frames).shape == (2, frames)
    assert joined(subject, encoded, frames=frames).shape == (2, frames)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("latent_frames", "cut", "first", "longest"),
    [(1, 0, 8, 128), (7, 5, 2, 3), (38, 777, 3, 16), (70, 1, 1, 128), (45, 4099, 5, 5)],
)
def test_a_stream_joins_to_the_whole_from_even_and_odd_frames(
    size: str, latent_frames: int, cut: int, first: int, longest: int
) -> None:
    subject, x0 = codec(size), latent(latent_frames)
    frames = latent_frames * RATIO - cut
    whole = subject.decode(x0, frames, seed=7)
    stream = joined(subject, x0, frames=frames, first=first, longest=longest, seed=7)
    assert stream.shape == whole.shape
    assert worst(stream, whole) < 1e-5


@pytest.mark.parametrize(("size", "context", "too_short"), [("S", 2, 0), ("L", 3, 2)])
def test_the_context_is_needed_and_no_wider_than_needed(
    size: str, context: int, too_short: int
) -> None:
    subject, x0 = codec(size), latent(40)
    assert subject.context_frames == context
    other = Codec(same(SIZES[size]), RATE_HZ, CPU)
    other._context_frames = too_short
    whole = subject.decode(x0)
    assert worst(joined(other, x0, first=4, longest=16), whole) > 1e-4  # measured 0.2 and 5e-3


def test_a_window_takes_no_compilation() -> None:
    codec("L").decode(latent(70))
    assert not transformer._SLIDING_WINDOW_BLOCK_MASK_CACHE
