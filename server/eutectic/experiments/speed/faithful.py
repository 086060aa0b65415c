"""What each way to be faster changes in the result: the same computed without it.

The latent's error is relative, in L2; the distance is log-mel, of what is decoded.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from eutectic.audio import Samples, Waveform
from eutectic.engine.precision import has_native_bfloat16
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.experiments.distances import log_mel_distance
from eutectic.experiments.quality.report import Row, Table
from eutectic.experiments.speed.parts import FAN_BLENDS, Parts

COLUMNS = ("faster", "beside", "to the bit", "error", "error dB", "log-mel distance")

Latents = Sequence[Tensor]


def measure(parts: Parts, watch: Watch = UNWATCHED) -> Table:
    """Every way, in each precision that the device has; the model's own stays as it was.

    Raises:
        Cancelled: the watch was asked to stop.
    """
    model, used = parts.model, parts.model.bfloat16
    precisions = [False, True] if has_native_bfloat16(model.device) else [False]
    rows: list[Row] = []
    fused: dict[bool, Latents] = {}
    try:
        for number, half in enumerate(precisions):
            model.bfloat16 = half
            rows += _ways(parts, "bfloat16" if half else "float32", watch)
            fused[half] = parts.fuse_whole()
            watch.progress(number + 1, len(precisions) + 1)
        if True in fused:
            rows.append(_row(parts, "bfloat16", "float32", fused[True], fused[False]))
    finally:
        model.bfloat16 = used
    return Table("speed: what it changes", COLUMNS, (*rows, *_decoders(parts)), (parts.described,))


def _ways(parts: Parts, precision: str, watch: Watch) -> list[Row]:
    """What shares work, and what repeats it from a recording."""
    rows: list[Row] = []

    def compare(faster: str, ours: Latents, beside: str, theirs: Latents) -> None:
        watch.check()
        rows.append(_row(parts, f"{faster}, {precision}", beside, ours, theirs))

    steps, points = parts.sampler.steps, parts.points(FAN_BLENDS)
    prefix = parts.new_prefix(steps // 3).extend(parts.denoiser, steps)
    whole = parts.fuse_whole()
    resumed = parts.fuse_from(prefix, [parts.middle])
    compare("fusion from a kept prefix", resumed, "Algorithm 1 run whole", whole)
    singly = [each for point in points for each in parts.fuse_from(prefix, [point])]
    fan = parts.fuse_from(prefix, points)
    compare(f"fan of {len(points)}", fan, "its single fusions", singly)
    if parts.model.graphs is not None:
        with parts.model.plainly():
            compare("recorded evaluations", whole, "plain ones", parts.fuse_whole())
    return rows


def _row(parts: Parts, faster: str, beside: str, ours: Latents, theirs: Latents) -> Row:
    same = all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    error = _error(torch.cat(list(ours)).cpu().numpy(), torch.cat(list(theirs)).cpu().numpy())
    decoded = [[_heard(parts, latent) for latent in latents] for latents in (ours, theirs)]
    distance = statistics.mean(map(log_mel_distance, *decoded))
    return faster, beside, "yes" if same else "no", error, _decibels(error), distance


def _decoders(parts: Parts) -> list[Row]:
    """The decoder by chunks, and in precisions that it isn't used in."""
    codec = parts.model.codec
    whole = codec.decode(parts.x0)
    chunks = np.concatenate(list(codec.stream(parts.x0)), axis=1)
    rows = [_sound_row(parts, "decoding by chunks", "whole", chunks, whole)]
    if has_native_bfloat16(parts.model.device):
        with torch.autocast(parts.model.device.type, torch.bfloat16):
            half = codec.decode(parts.x0)
        rows.append(_sound_row(parts, "decoding in bfloat16 (not used)", "float32", half, whole))
    return rows


def _sound_row(parts: Parts, faster: str, beside: str, ours: Samples, theirs: Samples) -> Row:
    error, rate_hz = _error(ours, theirs), parts.model.codec.rate_hz
    distance = log_mel_distance(Waveform(ours, rate_hz), Waveform(theirs, rate_hz))
    same = "yes" if np.array_equal(ours, theirs) else "no"
    return faster, beside, same, error, _decibels(error), distance


def _heard(parts: Parts, latent: Tensor) -> Waveform:
    return Waveform(parts.model.codec.decode(latent), parts.model.codec.rate_hz)


def _error(ours: Samples, theirs: Samples) -> float:
    return float(np.linalg.norm(ours - theirs) / max(float(np.linalg.norm(theirs)), 1e-12))


def _decibels(error: float) -> float:
    return 20 * math.log10(error) if error else -math.inf
