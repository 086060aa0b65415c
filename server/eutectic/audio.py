"""Waveforms: loading, writing, resampling, channels, fades, loudness. NumPy only, no torch.

A waveform is float32, shape (channel, frame), full scale at ±1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eutectic.errors import BadAudio
from eutectic.files.atomic import atomic_path
from eutectic.files.tags import Tags, append_tags
from eutectic.files.wav import encoded, header
from eutectic.reading.layouts import FIVE_ONE, Speakers, stereo_gains
from eutectic.reading.sections import Piece, read_section

Samples = NDArray[np.float32]

MIN_SECONDS = 0.05
SILENCE_DB = -80.0
PEAK_CEILING_DB = -0.3
"""Ceiling of the limiters."""

LOOK_AHEAD_SECONDS = 0.005
"""Time the limiter takes before a peak, and after it."""

LIMITING_ROUNDS = 4
"""Passes in which `match_loudness` makes up for the loudness that limiting took."""

MAX_LEVEL_GAIN_DB = 40.0

FADE_END_SECONDS = 0.005


@dataclass(frozen=True)
class Waveform:
    """Sound in memory: samples (channel, frame), float32, at rate_hz."""

    samples: Samples
    rate_hz: int

    @property
    def frames(self) -> int:
        return self.samples.shape[-1]

    @property
    def seconds(self) -> float:
        return self.frames / self.rate_hz

    @cached_property
    def digest(self) -> str:
        """Hash of rate, shape and samples, for cache keys."""
        header = f"{self.rate_hz} {self.samples.shape}".encode()
        return hashlib.sha256(header + np.ascontiguousarray(self.samples).tobytes()).hexdigest()


def db_to_gain(db: float) -> float:
    """Amplitude factor of a level in dB."""
    return 10.0 ** (db / 20.0)


def gain_to_db(gain: float) -> float:
    """Level in dB of an amplitude factor; -inf for 0."""
    return 20.0 * float(np.log10(gain)) if gain > 0 else -np.inf


def load_clip(
    path: Path,
    rate_hz: int,
    channels: int = 2,
    start_seconds: float = 0.0,
    duration_seconds: float | None = None,
    max_seconds: float | None = None,
    alive: Callable[[], None] = lambda: None,
) -> Waveform:
    """Read a clip, at any rate and channel count, as (channels, frame) at rate_hz.

    Only the requested section is read, so a short section of an hour costs little. `alive` is
    called whenever the disk has answered.

    Raises:
        BadAudio: missing, not a file, unreadable, not audio, silent, not finite, shorter than
            MIN_SECONDS or longer than max_seconds.
    """
    pieces = _pieces(path, start_seconds, duration_seconds, max_seconds, alive)
    return _joined(path, pieces, rate_hz, channels)


def check_section(
    path: Path,
    start_seconds: float = 0.0,
    duration_seconds: float | None = None,
    max_seconds: float | None = None,
) -> str:
    """Check that `load_clip` can read a section; returns the digest of what it holds, in stereo.

    Raises:
        BadAudio: as `load_clip`.
    """
    return open_section(path, start_seconds, duration_seconds, max_seconds).digest


def open_section(
    path: Path,
    start_seconds: float = 0.0,
    duration_seconds: float | None = None,
    max_seconds: float | None = None,
) -> Waveform:
    """Read a section at its own rate, in stereo.

    Raises:
        BadAudio: as `load_clip`.
    """
    pieces = _pieces(path, start_seconds, duration_seconds, max_seconds)
    return _joined(path, pieces, pieces[0].rate_hz, 2)


def _pieces(
    path: Path, start_seconds: float, duration_seconds: float | None, max_seconds: float | None,
    alive: Callable[[], None] = lambda: None,
) -> list[Piece]:  # fmt: skip
    pieces = read_section(path, start_seconds, duration_seconds, max_seconds, alive)
    seconds = sum(piece.seconds for piece in pieces)
    if seconds < MIN_SECONDS:
        raise BadAudio(
            f"{path}: {seconds * 1000:.3g} ms long; the shortest clip is {MIN_SECONDS * 1000:g} ms"
        )
    if not all(np.isfinite(piece.samples).all() for piece in pieces):
        raise BadAudio(f"{path}: has samples that are not finite (NaN or infinity)")
    return pieces


def _joined(path: Path, pieces: list[Piece], rate_hz: int, channels: int) -> Waveform:
    """Pieces as one waveform that can be heard."""
    samples = np.concatenate([_converted(piece, rate_hz, channels) for piece in pieces], axis=1)
    if gain_to_db(float(np.abs(samples).max())) < SILENCE_DB:
        raise BadAudio(f"{path}: is silent (peak under {SILENCE_DB:g} dB)")
    return Waveform(samples, rate_hz)


def _converted(piece: Piece, rate_hz: int, channels: int) -> Samples:
    samples = to_channels(piece.samples, channels, piece.speakers)
    return resample(samples, piece.rate_hz, rate_hz)


def to_channels(samples: Samples, channels: int, speakers: Speakers | None = None) -> Samples:
    """Fold or spread (any, frame) to (channels, frame); mono goes to every channel.

    `speakers` says where more than two channels belong. Where that isn't known, six are taken as
    5.1 in WAV order; others, and those that belong nowhere, go to the sides in turn.
    """
    count = samples.shape[0]
    if count == channels:
        return samples
    if count == 1:
        return np.repeat(samples, channels, axis=0)
    if speakers is None and count == 6 and channels == 2:
        speakers = FIVE_ONE
    if speakers and channels <= 2:
        pair = stereo_gains(speakers) @ samples
        return pair if channels == 2 else pair.mean(axis=0, keepdims=True)
    folded = [samples[side::channels].mean(axis=0) for side in range(min(channels, count))]
    folded += [folded[-1]] * (channels - len(folded))
    return np.stack(folded).astype(np.float32)


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Resample (channel, frame) with soxr at its highest quality."""
    if from_hz == to_hz:
        return samples
    import soxr

    return np.ascontiguousarray(soxr.resample(samples.T, from_hz, to_hz, quality="VHQ").T)


def smoothstep(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 to 1 over shares 0 to 1, with continuous slope and curvature: 6t⁵ − 15t⁴ + 10t³."""
    return share**3 * (share * (6 * share - 15) + 10)


def equal_power(share: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rising and falling gain of a crossfade over shares 0 to 1; their squares add up to 1."""
    angle = 0.5 * np.pi * smoothstep(share)
    return np.sin(angle), np.cos(angle)


def fade_end(waveform: Waveform) -> Waveform:
    """The waveform with its last FADE_END_SECONDS faded out, so that it ends without a click."""
    samples = waveform.samples.copy()
    frames = min(round(FADE_END_SECONDS * waveform.rate_hz), samples.shape[1])
    falling = smoothstep(np.linspace(1, 0, frames + 1)[1:])
    samples[:, samples.shape[1] - frames :] *= falling.astype(np.float32)
    return Waveform(samples, waveform.rate_hz)


def loudness_lufs(waveform: Waveform) -> float:
    """Integrated loudness (ITU-R BS.1770, pyloudnorm), by RMS below 0.4 s; -inf for silence."""
    samples = waveform.samples.astype(np.float64)
    if waveform.seconds > 0.4:
        import warnings

        import pyloudnorm

        with warnings.catch_warnings(), np.errstate(divide="ignore"):
            warnings.simplefilter("ignore")
            lufs = float(pyloudnorm.Meter(waveform.rate_hz).integrated_loudness(samples.T))
        if np.isfinite(lufs):
            return lufs
    return gain_to_db(float(np.sqrt((samples**2).mean() * samples.shape[0]))) - 0.691


def match_loudness(waveform: Waveform, target_lufs: float) -> tuple[Waveform, float]:
    """Bring a waveform to a loudness with one gain, limiting peaks over the ceiling.

    The gain makes up for the loudness that limiting takes, within LIMITING_ROUNDS.
    Returns the waveform and the gain (amplitude factor); silence is returned unchanged.
    """
    current = loudness_lufs(waveform)
    if not np.isfinite(current) or not np.isfinite(target_lufs):
        return waveform, 1.0
    gain_db, matched = 0.0, waveform
    for _ in range(LIMITING_ROUNDS):
        gain_db = min(gain_db + target_lufs - current, MAX_LEVEL_GAIN_DB)
        louder = waveform.samples * np.float32(db_to_gain(gain_db))
        matched = Waveform(limit(louder, waveform.rate_hz), waveform.rate_hz)
        if np.abs(louder).max() <= db_to_gain(PEAK_CEILING_DB):
            break
        current = loudness_lufs(matched)
    return matched, db_to_gain(gain_db)


def limit(samples: Samples, rate_hz: int) -> Samples:
    """Keep peaks under the ceiling with a look-ahead gain, the same for all channels.

    The gain falls smoothly over LOOK_AHEAD_SECONDS before a peak and rises as slowly after it, so
    that it neither clips nor clicks; it is 1 where nothing is too loud.
    """
    import scipy.ndimage
    import scipy.signal

    ceiling = db_to_gain(PEAK_CEILING_DB)
    peaks = np.abs(samples).max(axis=0)
    if peaks.max(initial=0) <= ceiling:
        return samples
    needed = np.minimum(1.0, ceiling / np.maximum(peaks, ceiling))
    reach = round(LOOK_AHEAD_SECONDS * rate_hz)
    held = scipy.ndimage.minimum_filter1d(needed, 2 * reach + 1, mode="nearest")
    window = np.hanning(2 * reach + 3)[1:-1]
    gains = scipy.signal.fftconvolve(
        np.pad(held, reach, mode="edge"), window / window.sum(), mode="valid"
    )
    return (samples * np.minimum(gains, needed)).astype(np.float32)


def save_wav(path: Path, waveform: Waveform, tags: Tags | None = None) -> None:
    """Write a 32-bit float WAV file atomically; no level is lost.

    The same sound gives the same file; libsndfile would stamp it with the time.

    Raises:
        BadOutput: as `atomic_path`.
    """
    channels, frames = waveform.samples.shape
    form = header(frames, waveform.rate_hz, channels, "float32")
    with atomic_path(path) as temporary:
        temporary.write_bytes(form + encoded(waveform.samples.T, "float32"))
        if tags is not None:
            append_tags(temporary, tags)
