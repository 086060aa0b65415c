"""Encoded sounds and references on their way through a cluster: tensors and what is known of them.

Tensors are safetensors' bytes and the rest is MessagePack, so that none is ever unpickled.
"""

from __future__ import annotations

from typing import Any

import msgspec
import torch
from safetensors.torch import load, save

from eutectic.audio import Waveform
from eutectic.engine.adapter import Adapter
from eutectic.engine.clips import Clip


class Sound(msgspec.Struct, frozen=True):
    """A clip."""

    tensors: bytes
    rate_hz: int
    loudness_lufs: float


class Weights(msgspec.Struct, frozen=True):
    """An adapter."""

    tensors: bytes
    about: dict[str, Any]
    digest: str


class Parcel(msgspec.Struct, frozen=True):
    """A clip, and what was learned of it, if anything was."""

    sound: Sound | None
    weights: Weights | None = None


_parcel = msgspec.msgpack.Decoder(Parcel)


def pack(clip: Clip | None, adapter: Adapter | None = None) -> bytes:
    """A parcel's bytes."""
    return msgspec.msgpack.encode(
        Parcel(None if clip is None else _sound(clip), adapter and _weights(adapter))
    )


def unpack(packed: bytes, device: torch.device) -> tuple[Clip | None, Adapter | None]:
    """What was packed, on a device.

    Raises:
        msgspec.DecodeError: it is no parcel.
    """
    parcel = _parcel.decode(packed)
    clip = adapter = None
    if parcel.sound is not None:
        tensors = load(parcel.sound.tensors)
        waveform = Waveform(tensors["samples"].numpy(), parcel.sound.rate_hz)
        clip = Clip(waveform, tensors["latent"].to(device), parcel.sound.loudness_lufs)
    if parcel.weights is not None:
        adapter = Adapter(load(parcel.weights.tensors), parcel.weights.about)
        vars(adapter)["digest"] = parcel.weights.digest  # slow to compute
        adapter = adapter.on(device)
    return clip, adapter


def _sound(clip: Clip) -> Sound:
    samples = torch.from_numpy(clip.waveform.samples)
    tensors = {"samples": samples.contiguous(), "latent": clip.latent.cpu().contiguous()}
    return Sound(save(tensors), clip.waveform.rate_hz, clip.loudness_lufs)


def _weights(adapter: Adapter) -> Weights:
    tensors = {name: each.cpu().contiguous() for name, each in adapter.tensors.items()}
    return Weights(save(tensors), adapter.about, adapter.digest)
