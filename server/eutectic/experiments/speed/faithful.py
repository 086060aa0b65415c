"""What each optimisation changes in the result, against the same computed without it.

The latent's error is relative, in L2; the distance is log-mel, between the decoded sounds.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eutectic.audio import Samples, Waveform, gain_to_db
from eutectic.engine.distances import log_mel_distance
from eutectic.engine.precision import has_native_bfloat16
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.experiments.report import Row, Table
from eutectic.experiments.speed.parts import FAN_BLENDS, Parts

COLUMNS = ("faster", "beside", "to the bit", "error", "error dB", "log-mel distance")

Latents = Sequence[Tensor]


def measure(parts: Parts, watch: Watch = UNWATCHED) -> Table:
    """Compare every optimisation in each of the device's precisions; the model's stays unchanged.

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
            fused[half] = parts.fuse_whole()
            rows += _optimisations(parts, "bfloat16" if half else "float32", fused[half], watch)
            watch.progress(number + 1, len(precisions) + 1)
        if True in fused:
            rows.append(_row(parts, "bfloat16", "float32", fused[True], fused[False]))
    finally:
        model.bfloat16 = used
    return Table("speed: what it changes", COLUMNS, (*rows, *_decoders(parts)), (parts.described,))


def _optimisations(parts: Parts, precision: str, whole: Latents, watch: Watch) -> list[Row]:
    """Compare what shares work, and what replays recorded evaluations."""
    rows: list[Row] = []

    def compare(faster: str, ours: Latents, baseline: str, theirs: Latents) -> None:
        watch.checkpoint()
        rows.append(_row(parts, f"{faster}, {precision}", baseline, ours, theirs))

    steps, points = parts.sampler.steps, parts.points(FAN_BLENDS)
    prefix = parts.new_prefix(steps // 3).extend(parts.denoiser, steps)
    resumed = parts.fuse_from(prefix, [parts.middle])
    compare("fusion from a kept prefix", resumed, "Algorithm 1 run whole", whole)
    singly = [each for point in points for each in parts.fuse_from(prefix, [point])]
    fan = parts.fuse_from(prefix, points)
    compare(f"fan of {len(points)}", fan, "its single fusions", singly)
    if parts.model.graphs is not None:
        with parts.model.plainly():
            compare("recorded evaluations", whole, "plain ones", parts.fuse_whole())
    return rows


def _row(parts: Parts, faster: str, baseline: str, ours: Latents, theirs: Latents) -> Row:
    heard = [[_heard(parts, latent) for latent in latents] for latents in (ours, theirs)]
    distance = statistics.mean(log_mel_distance(a, b) for a, b in zip(*heard, strict=True))
    a, b = (torch.cat(list(latents)).cpu().numpy() for latents in (ours, theirs))
    return _compared(faster, baseline, a, b, distance)


def _decoders(parts: Parts) -> list[Row]:
    """Compare decoding by chunks, and in a precision that isn't used."""
    codec = parts.model.codec
    whole = codec.decode(parts.x0)
    chunks = np.concatenate(list(codec.stream(parts.x0)), axis=1)
    rows = [_sound_row(parts, "decoding by chunks", "whole", chunks, whole)]
    if has_native_bfloat16(parts.model.device):
        with torch.autocast(parts.model.device.type, torch.bfloat16):
            half = codec.decode(parts.x0)
        rows.append(_sound_row(parts, "decoding in bfloat16 (not used)", "float32", half, whole))
    return rows


def _sound_row(parts: Parts, faster: str, baseline: str, ours: Samples, theirs: Samples) -> Row:
    rate_hz = parts.model.codec.rate_hz
    distance = log_mel_distance(Waveform(ours, rate_hz), Waveform(theirs, rate_hz))
    return _compared(faster, baseline, ours, theirs, distance)


def _heard(parts: Parts, latent: Tensor) -> Waveform:
    return Waveform(parts.model.codec.decode(latent), parts.model.codec.rate_hz)


def _compared(
    faster: str,
    baseline: str,
    ours: NDArray[np.float32],
    theirs: NDArray[np.float32],
    distance: float,
) -> Row:
    error = float(np.linalg.norm(ours - theirs) / max(float(np.linalg.norm(theirs)), 1e-12))
    same = "yes" if np.array_equal(ours, theirs) else "no"
    return faster, baseline, same, error, gain_to_db(error), distance
