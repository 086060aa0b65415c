"""Where the channels of a file belong, and what a pair of loudspeakers plays of them.

A file's own statement counts: the channel mask of WAVE_FORMAT_EXTENSIBLE, W64 and FLAC, the layout
of CAF and AIFF, the fixed orders of FLAC, Vorbis and Opus. The gains are those of ITU-R BS.775:
fronts in full, centre and surrounds at -3 dB, a single rear channel at -6 dB on both sides, no LFE;
what is above counts as what is below it.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

Speakers = tuple[str, ...]
"""A name for each channel; none at all for channels that a file says belong nowhere."""

_HALF, _QUARTER = 0.7071, 0.5

GAINS = {
    "FL": (1.0, 0.0), "FR": (0.0, 1.0), "FC": (_HALF, _HALF), "LFE": (0.0, 0.0),
    "BL": (_HALF, 0.0), "BR": (0.0, _HALF), "FLC": (1.0, 0.0), "FRC": (0.0, 1.0),
    "BC": (_QUARTER, _QUARTER), "SL": (_HALF, 0.0), "SR": (0.0, _HALF), "TC": (_QUARTER, _QUARTER),
    "TFL": (_HALF, 0.0), "TFC": (_QUARTER, _QUARTER), "TFR": (0.0, _HALF),
    "TBL": (_QUARTER, 0.0), "TBC": (_QUARTER, _QUARTER), "TBR": (0.0, _QUARTER),
    "W": (_HALF, _HALF), "X": (0.0, 0.0), "Y": (_QUARTER, -_QUARTER), "Z": (0.0, 0.0),
}  # fmt: skip
"""Left and right; W X Y Z are Ambisonics in B-format, heard by two cardioids to the sides."""

MASK_BITS = tuple(GAINS)[:18]
"""Of a channel mask, from the lowest bit."""

FIVE_ONE = ("FL", "FR", "FC", "LFE", "BL", "BR")

FLAC = {
    3: ("FL", "FR", "FC"), 4: ("FL", "FR", "BL", "BR"), 5: ("FL", "FR", "FC", "BL", "BR"),
    6: FIVE_ONE, 7: ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}  # fmt: skip
"""By the number of channels (RFC 9639)."""

VORBIS = {
    3: ("FL", "FC", "FR"), 4: ("FL", "FR", "BL", "BR"), 5: ("FL", "FC", "FR", "BL", "BR"),
    6: ("FL", "FC", "FR", "BL", "BR", "LFE"), 7: ("FL", "FC", "FR", "SL", "SR", "BC", "LFE"),
    8: ("FL", "FC", "FR", "SL", "SR", "BL", "BR", "LFE"),
}  # fmt: skip
"""By the number of channels, of Vorbis (its specification, 4.3.9) and Opus (RFC 7845, 5.1.1.2)."""

_APPLE = {
    108: "FL FR BL BR", 111: "FL FR FC", 113: "FL FR FC", 114: "FC FL FR", 115: "FL FR FC BC",
    116: "FC FL FR BC", 117: "FL FR FC BL BR", 118: "FL FR BL BR FC", 119: "FL FC FR BL BR",
    120: "FC FL FR BL BR", 121: "FL FR FC LFE BL BR", 122: "FL FR BL BR FC LFE",
    123: "FL FC FR BL BR LFE", 124: "FC FL FR BL BR LFE", 125: "FL FR FC LFE BL BR BC",
    126: "FL FR FC LFE BL BR FLC FRC", 127: "FC FLC FRC FL FR BL BR LFE",
    128: "FL FR FC LFE SL SR BL BR", 131: "FL FR BC", 132: "FL FR BL BR", 133: "FL FR LFE",
    134: "FL FR LFE BC", 135: "FL FR LFE BL BR", 136: "FL FR FC LFE", 137: "FL FR FC LFE BC",
    138: "FL FR BL BR LFE", 139: "FL FR FC BL BR BC", 140: "FL FR FC BL BR SL SR",
    141: "FC FL FR BL BR BC", 142: "FC FL FR BL BR BC LFE", 143: "FC FL FR BL BR SL SR",
    107: "W X Y Z",
}  # fmt: skip
"""Layout tags of Core Audio by their upper half (CoreAudioBaseTypes.h)."""

_APPLE_USES_LABELS, _APPLE_USES_MASK = 0, 1 << 16


def of_mask(mask: int, channels: int) -> Speakers | None:
    """By a channel mask: () if it is empty; None if it names fewer than there are."""
    if mask == 0:
        return ()
    named = tuple(name for bit, name in enumerate(MASK_BITS) if mask >> bit & 1)
    return named[:channels] if len(named) >= channels else None


def of_core_audio(layout: bytes, channels: int) -> Speakers | None:
    """By a layout of CAF and AIFF; None if it isn't known, or isn't for so many channels."""
    if len(layout) < 12:
        return None
    tag, mask, count = struct.unpack_from(">III", layout)
    if tag == _APPLE_USES_MASK:
        return of_mask(mask, channels)
    if tag == _APPLE_USES_LABELS:
        count = min(count, (len(layout) - 12) // 20)
        labels = [struct.unpack_from(">I", layout, 12 + 20 * each)[0] for each in range(count)]
        known = all(1 <= label <= len(MASK_BITS) for label in labels)
        named = tuple(MASK_BITS[label - 1] for label in labels) if known else ()
    else:
        named = tuple(_APPLE.get(tag >> 16, "").split())
    return named if named and len(named) == channels else None


def stereo_gains(speakers: Speakers) -> NDArray[np.float32]:
    """The matrix (2, channel) that makes left and right of these."""
    return np.array([GAINS[name] for name in speakers], np.float32).T
