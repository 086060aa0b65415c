"""The codec's round trip beside Opus: by the ear, and by Zimtohrli."""

from __future__ import annotations

from eutectic.audio import Waveform
from eutectic.engine.codec import Codec
from eutectic.experiments.ear.embedding import Ear
from eutectic.experiments.ear.judging import as_heard
from eutectic.experiments.ear.measures import zimtohrli, zimtohrli_mos
from eutectic.experiments.quality import opus
from eutectic.experiments.quality.codec import round_trip

OPUS_KILOBITS = (48, 96)
CODERS = ("codec", *(f"opus {kilobits}" for kilobits in OPUS_KILOBITS))

MEASURES = {
    "likeness": "cosine of the embeddings of a recording and its round trip",
    "Zimtohrli": "Zimtohrli's distance of a recording and its round trip",
    "MOS": "the mean opinion score that Zimtohrli predicts from it, 1 to 5",
}

Figures = dict[str, dict[str, float]]
"""By the names in MEASURES, then in CODERS."""


def figures(codec: Codec, ear: Ear, original: Waveform) -> Figures:
    """What the ear and Zimtohrli say of a recording's round trips.

    Raises:
        BadInput: ffmpeg or zimtohrli is missing.
    """
    coded = (opus.round_trip(original, kilobits) for kilobits in OPUS_KILOBITS)
    trips = dict(zip(CODERS, (round_trip(codec, original), *coded), strict=True))
    heard = ear.hear(as_heard(original))
    distances = {coder: zimtohrli(original, trip) for coder, trip in trips.items()}
    return {
        "likeness": {
            coder: float(heard @ ear.hear(as_heard(trip))) for coder, trip in trips.items()
        },
        "Zimtohrli": distances,
        "MOS": {coder: zimtohrli_mos(distance) for coder, distance in distances.items()},
    }
