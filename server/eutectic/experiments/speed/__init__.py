"""The engine's speed (`eutectic bench`), against what it replaces and against the least possible.

The sides of a comparison are timed alternately, round after round, so that a machine whose speed
drifts favours neither; ratios are taken within a round, and their median is reported.
"""

from enum import StrEnum


class Published(StrEnum):
    """Published models whose configurations are built in."""

    OPEN_1_0 = "stable-audio-open-1.0"
    SMALL = "small"
    SA3_SMALL_SFX = "sa3-small-sfx"
