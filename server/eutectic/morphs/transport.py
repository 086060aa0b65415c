"""Audio transport: partials glide from one sound's frequencies to the other's.

Henderson and Solomon, *Audio Transport: A Generalized Portamento via Optimal Transport* (DAFx
2019, arXiv 1906.06763). Each frame's spectrum is cut into segments by reassigned frequency, whose
magnitudes are matched by optimal transport in one dimension; each matched pair is placed between
its two centres, in the proportions of the blend, at a phase that runs on from the last frame's.

Deviations: a phase advances by what both sounds' own phases did, in the proportions of the blend,
instead of by the reassigned frequencies alone, so that at either end of the knob the sound itself
comes back. The channels of a stereo sound share segments, plan and phases, so that its image stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float, Int

from eutectic.audio import Waveform
from eutectic.morphs import masses
from eutectic.morphs.masses import Masses
from eutectic.morphs.pairing import paired
from eutectic.morphs.stft import Stft

STFT = Stft(window=4096, hop=1024, fft=16384)
"""Long windows separate partials; zero-padding lets them glide in steps of 2.7 Hz (at 44.1 kHz)."""

TINY = 1e-12
"""Magnitude of a frame that is silent."""


@dataclass(frozen=True)
class Frame:
    """A frame's spectrum, and each bin's offset from its reassigned frequency, in bins."""

    spectrum: Complex[np.ndarray, "channel bin"]
    offsets: Float[np.ndarray, " bin"]

    def masses(self) -> Masses | None:
        """The spectrum in segments; None if it is silent."""
        magnitudes = np.sqrt(np.square(np.abs(self.spectrum)).sum(axis=0))
        return masses.segment(magnitudes, self.offsets) if magnitudes.sum() > TINY else None

    def expected(self, bins: Int[np.ndarray, " move"]) -> Float[np.ndarray, " move"]:
        """How far the phases of these bins run in a hop, by their reassigned frequencies."""
        return 2 * np.pi * STFT.hop / STFT.fft * (bins + self.offsets[bins])


def morph(original: Waveform, reference: Waveform, blend: float) -> Waveform:
    """The original's partials on their way to the reference's (blend 1: the original)."""
    kept, guiding = (_frames(samples) for samples in paired(original, reference))
    samples = STFT.sound(_moved(kept, guiding, blend), original.frames)
    return Waveform(samples.astype(np.float32), original.rate_hz)


def _frames(samples: Float[np.ndarray, "channel sample"]) -> Iterator[Frame]:
    """The frames of a sound; reassigned as by Auger and Flandrin (1995), over all channels."""
    for frames in STFT.blocks(samples):
        spectra = STFT.spectra(frames)
        slopes = STFT.spectra(frames, STFT.slope)
        power = np.square(np.abs(spectra)).sum(axis=0)
        cross = np.imag(slopes * spectra.conj()).sum(axis=0)
        offsets = -cross / np.maximum(power, TINY**2) * STFT.fft / (2 * np.pi)
        for index in range(spectra.shape[1]):
            yield Frame(spectra[:, index], offsets[index])


def _moved(
    kept: Iterator[Frame], guiding: Iterator[Frame], blend: float
) -> Iterator[Complex[np.ndarray, "channel 1 bin"]]:
    """The moved spectrum of each pair of frames."""
    last: _Last | None = None
    for pair in zip(kept, guiding, strict=True):
        last = _Last(*pair, _between(*pair, last or _Last.silent(pair[0]), blend))
        yield last.moved[:, None]


@dataclass(frozen=True)
class _Last:
    """The frame before: of both sounds, and what was made of them."""

    kept: Frame
    guiding: Frame
    moved: Complex[np.ndarray, "channel bin"]

    @classmethod
    def silent(cls, like: Frame) -> _Last:
        silence = Frame(np.zeros_like(like.spectrum), np.zeros_like(like.offsets))
        return cls(silence, silence, silence.spectrum)


def _phases(
    spectrum: Complex[np.ndarray, "channel bin"], bins: Int[np.ndarray, " move"]
) -> Float[np.ndarray, " move"]:
    """One phase for all channels of each of these bins.

    The channels are turned against each other by less than half a circle, so that they don't
    cancel if they are equal or opposite.
    """
    channels = len(spectrum)
    return np.angle(np.exp(1j * np.pi / channels * np.arange(channels)) @ spectrum[:, bins])


def _between(
    kept: Frame, guiding: Frame, last: _Last, blend: float
) -> Complex[np.ndarray, "channel bin"]:
    """One frame: each mass on its way to those that the plan moves it to."""
    own, others = kept.masses(), guiding.masses()
    if own is None or others is None:  # there is nothing to move
        return blend * kept.spectrum + (1 - blend) * guiding.spectrum
    plan = masses.transport(own, others)
    starts, ends = own.centres[plan.kept], others.centres[plan.guiding]
    places = np.rint(blend * starts + (1 - blend) * ends).astype(int)
    from_kept, from_guiding = _phases(kept.spectrum, starts), _phases(guiding.spectrum, ends)
    phases = (
        _phases(last.moved, places)
        + blend * _advance(from_kept, last.kept, kept, starts)
        + (1 - blend) * _advance(from_guiding, last.guiding, guiding, ends)
    )
    weights = blend * plan.shares / own.shares[plan.kept]
    turns = weights * np.exp(1j * (phases - from_kept))
    moved = _placed(kept, own, plan.kept, places - starts, turns)
    weights = (1 - blend) * plan.shares / others.shares[plan.guiding]
    turns = weights * np.exp(1j * (phases - from_guiding))
    return moved + _placed(guiding, others, plan.guiding, places - ends, turns)


def _advance(
    phases: Float[np.ndarray, " move"], last: Frame, frame: Frame, bins: Int[np.ndarray, " move"]
) -> Float[np.ndarray, " move"]:
    """How far the phases of these bins ran since the last frame, in radians.

    Whole turns are those of the reassigned frequencies, the rest is what was measured.
    """
    measured = phases - _phases(last.spectrum, bins)
    return measured + 2 * np.pi * np.rint((frame.expected(bins) - measured) / (2 * np.pi))


def _placed(
    frame: Frame,
    segments: Masses,
    chosen: Int[np.ndarray, " move"],
    shifts: Int[np.ndarray, " move"],
    factors: Complex[np.ndarray, " move"],
) -> Complex[np.ndarray, "channel bin"]:
    """The chosen segments, each moved by a shift in bins and turned by a factor, added up."""
    starts = segments.starts[chosen]
    lengths = segments.ends[chosen] - starts
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    sources = within + np.repeat(starts, lengths)
    targets = sources + np.repeat(shifts, lengths)
    bins = frame.spectrum.shape[1]
    inside = (targets >= 0) & (targets < bins)
    sources, targets = sources[inside], targets[inside]
    values = frame.spectrum[:, sources] * np.repeat(factors, lengths)[inside]
    return np.stack(
        [
            np.bincount(targets, row.real, bins) + 1j * np.bincount(targets, row.imag, bins)
            for row in values
        ]
    )
