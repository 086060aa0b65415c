"""What is measured of one contender on one pair: the columns of every table, and their meaning."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from eutectic.audio import Waveform, db_to_gain, loudness_lufs
from eutectic.engine.even import decibel_mel, proportion
from eutectic.engine.levels import bring_to_level
from eutectic.experiments.ear import measures
from eutectic.experiments.ear.embedding import Ear, Embedding
from eutectic.experiments.ear.measures import Likenesses

HEARD_LUFS = -20.0
"""Loudness of all sounds when they are compared: the ear isn't to judge by level."""

EVEN_BLENDS = tuple(float(blend) for blend in np.linspace(0, 1, 11))
LATE_BLEND, MIDDLE_BLEND = 0.95, 0.5
BLENDS = tuple(sorted({*EVEN_BLENDS, LATE_BLEND}))

HIGHER_IS_BETTER = {
    "own sample": "likeness to the reference at blend 0",
    "late": f"likeness to the original at blend {LATE_BLEND:g}",
    "round trip": "likeness to the original at blend 1",
    "balance": "the greatest, over the blends, of the smaller of both likenesses",
    "order": "rank correlation of blend with likeness to the original minus to the reference",
    "even": "evenness of that difference along the knob: 1 straight, 0 a single jump",
    "even p": "evenness of SoundMorpher's p, the share of the distances that is the original's",
}
LOWER_IS_BETTER = {
    "MFCC error": "SoundMorpher's: how far from halfway the middle is in MFCCs, 0 to 0.5",
    "nonsmooth": "soundmm's nonsmoothness of p",
    "nonlinear": "soundmm's nonlinearity of p",
    "raw LU": "largest deviation of loudness from the blend of the sources' as it comes",
    "LU": "the same once levelled",
}
BALANCED_AT = "at"
DIGITS = 3
"""Decimals of figures: contenders that differ by less do equally well."""

COLUMNS = {
    **HIGHER_IS_BETTER,
    **LOWER_IS_BETTER,
    BALANCED_AT: "the blend of the greatest balance",
}

Figures = dict[str, float]
"""By the names in COLUMNS."""


@dataclass(frozen=True, eq=False)
class Judge:
    """Measures what contenders make of one pair.

    Attributes:
        ear: used to sounds that are heard at HEARD_LUFS.
        original: the pair's sounds, as loud as they are.
    """

    ear: Ear
    original: Waveform
    reference: Waveform

    def figures(self, sounds: Mapping[float, Waveform]) -> Figures:
        """What is measured of a contender's sounds, given as they come, by blend (BLENDS)."""
        blends = tuple(sorted(sounds))
        targets = [self._target_lufs(blend) for blend in blends]
        raw = [sounds[blend] for blend in blends]
        levelled = [levelled_to(sound, lufs) for sound, lufs in zip(raw, targets, strict=True)]
        figures = {
            **self._likeness(blends, levelled),
            **self._distances(dict(zip(blends, levelled, strict=True))),
            "raw LU": deviation_lu(raw, targets),
            "LU": deviation_lu(levelled, targets),
        }
        return {name: round(figures[name], DIGITS) for name in COLUMNS}

    def _target_lufs(self, blend: float) -> float:
        original, reference = self._lufs
        return blend * original + (1 - blend) * reference

    @cached_property
    def _lufs(self) -> tuple[float, float]:
        return loudness_lufs(self.original), loudness_lufs(self.reference)

    @cached_property
    def _heard(self) -> tuple[Embedding, Embedding]:
        original, reference = (
            self.ear.hear(as_heard(each)) for each in (self.original, self.reference)
        )
        return original, reference

    def _likeness(self, blends: tuple[float, ...], sounds: Sequence[Waveform]) -> Figures:
        heard = [self.ear.hear(as_heard(sound)) for sound in sounds]
        original, reference = (
            tuple(float(each @ source) for each in heard) for source in self._heard
        )
        likenesses = Likenesses(blends, original, reference)
        lean = dict(zip(blends, likenesses.lean, strict=True))
        return {
            "own sample": reference[0],
            "late": original[blends.index(LATE_BLEND)],
            "round trip": original[-1],
            "balance": likenesses.balance,
            BALANCED_AT: likenesses.balanced_at,
            "order": likenesses.order,
            "even": measures.evenness(EVEN_BLENDS, [lean[blend] for blend in EVEN_BLENDS]),
        }

    def _distances(self, sounds: Mapping[float, Waveform]) -> Figures:
        """SoundMorpher's and soundmm's figures, over EVEN_BLENDS."""
        reference, original = map(decibel_mel, (self.reference, self.original))
        mels = [decibel_mel(sounds[blend]) for blend in EVEN_BLENDS]
        p = [proportion(mel, reference, original) for mel in mels]
        middle = mels[EVEN_BLENDS.index(MIDDLE_BLEND)]
        halfway = proportion(*map(measures.cepstrum, (middle, reference, original)))
        return {
            "even p": measures.evenness(EVEN_BLENDS, [1 - share for share in p]),
            "MFCC error": abs(halfway - 0.5),
            "nonsmooth": measures.nonsmoothness(p),
            "nonlinear": measures.nonlinearity(p),
        }


def as_heard(waveform: Waveform) -> Waveform:
    """A sound with one gain that brings it to HEARD_LUFS; silence as it is."""
    gain_db = HEARD_LUFS - loudness_lufs(waveform)
    if not math.isfinite(gain_db):
        return waveform
    return Waveform(waveform.samples * np.float32(db_to_gain(gain_db)), waveform.rate_hz)


def levelled_to(waveform: Waveform, lufs: float) -> Waveform:
    """A sound at a loudness, as the engine brings its fusions to it."""
    samples, _ = bring_to_level(waveform.samples, waveform.frames, waveform.rate_hz, "match", lufs)
    return Waveform(samples, waveform.rate_hz)


def deviation_lu(sounds: Sequence[Waveform], targets_lufs: Sequence[float]) -> float:
    """The largest deviation of loudness from its target; infinite if a sound is silent."""
    return max(
        abs(loudness_lufs(sound) - lufs) for sound, lufs in zip(sounds, targets_lufs, strict=True)
    )
