"""What a model is checked for when it is loaded: that it computes on this device what it should.

Each check has a name and, where failures of its kind are known, what is known of them.
"""

from __future__ import annotations

import logging
import math

import numpy as np
import torch

from eutectic.audio import Samples, Waveform
from eutectic.engine.codec import Codec
from eutectic.engine.model import Model
from eutectic.errors import BadModel

log = logging.getLogger("eutectic.engine")

FRAMES = 16
"""Latent frames of the test signal."""

PROMPT = "a bell"

SMALLEST, LARGEST = 1e-4, 1e4
"""Of root mean squares; latents and estimates are of about 1."""

MAX_ERROR = 0.1
"""Relative difference of a device's round trip from the CPU's."""

LEAST_LIKENESS = 0.2
"""Correlation of a sound with its round trip under which that is reported."""

KNOWN = {
    "mps": "codecs are known to give noise on MPS below float32; --compute cpu works",
    "cuda": "a driver older than this torch is known to do so; --compute cpu works",
}


def test_signal(codec: Codec) -> Waveform:
    """A chord that dies away, with some noise in it, of FRAMES latent frames."""
    count = FRAMES * codec.ratio
    time = np.arange(count) / codec.rate_hz
    chord = sum(np.sin(2 * math.pi * hz * time) for hz in (110.0, 277.2, 659.3))
    noise = np.random.default_rng(0).normal(0, 0.1, (codec.channels, count))
    sound = (0.2 * chord + 0.2 * noise) * np.exp(-2 * time)
    return Waveform(sound.astype(np.float32), codec.rate_hz)


def round_trip(codec: Codec) -> Samples:
    """The test signal, encoded and decoded."""
    return codec.decode(codec.encode(test_signal(codec)))


def check(model: Model, on_cpu: Samples | None = None) -> None:
    """Check a model's codec and network; `on_cpu` is its round trip as the CPU computes it.

    Raises:
        BadModel: it fails; the text names the check.
    """
    _check_codec(model, on_cpu)
    check_network(model)


def _check_codec(model: Model, on_cpu: Samples | None) -> None:
    codec, signal = model.codec, test_signal(model.codec)
    latent = codec.encode(signal)
    if latent.shape[1:] != (codec.latent_channels, FRAMES):
        per_second = codec.rate_hz / codec.ratio
        _fail(
            model, "latents per second",
            f"{signal.seconds:.2f} s became {tuple(latent.shape[1:])}, but the configuration has "
            f"{codec.latent_channels} channels and {per_second:.2f} frames a second",
        )  # fmt: skip
    _check_size(model, "encoding", latent)
    decoded = codec.decode(latent)
    if decoded.shape != signal.samples.shape:
        _fail(model, "round trip", f"{signal.samples.shape} became {decoded.shape}")
    _check_size(model, "round trip", torch.from_numpy(decoded))
    if on_cpu is not None:
        error = np.linalg.norm(decoded - on_cpu) / max(float(np.linalg.norm(on_cpu)), 1e-12)
        if not error <= MAX_ERROR:
            _fail(model, "round trip", f"it differs from the CPU's by {error:.0%}")
    likeness = np.corrcoef(decoded.ravel(), signal.samples.ravel())[0, 1]
    if not likeness >= LEAST_LIKENESS:
        log.warning(
            "%s: its codec doesn't give a sound back (correlation %.2f); untrained weights?",
            model.name, likeness,
        )  # fmt: skip


@torch.no_grad()
def check_network(model: Model) -> None:
    """Check one evaluation of a model's network, in the precision in use.

    Raises:
        BadModel: what it gives isn't finite, or far too small or large.
    """
    codec, before = model.codec, model.evaluations
    condition = model.condition(PROMPT, FRAMES * codec.ratio / codec.rate_hz)
    if condition.tokens is not None:
        _check_size(model, "text encoder", condition.tokens)
    generator = torch.Generator().manual_seed(0)
    state = torch.randn(1, codec.network_channels, FRAMES, generator=generator).to(model.device)
    with model.plainly():
        sigma = torch.ones(1, dtype=torch.float64)
        denoised = model.denoiser(condition)(state * math.sqrt(2), sigma)
    model.evaluations = before
    _check_size(model, "evaluation", denoised)


def _check_size(model: Model, check: str, values: torch.Tensor) -> None:
    """Finite, and neither far too small nor far too large."""
    size = float(values.double().square().mean().sqrt())
    if not math.isfinite(size):
        _fail(model, check, "the result isn't finite")
    if not SMALLEST <= size <= LARGEST:
        _fail(model, check, f"the result is of size {size:.1g}, where about 1 is expected")


def _fail(model: Model, check: str, text: str) -> None:
    known = KNOWN.get(model.device.type)
    hint = f" ({known})" if known else "; are the files complete, and of one model?"
    raise BadModel(f"{model.name}: failed the check of its {check}: {text}{hint}")
