"""What the engine costs (`eutectic bench`): beside what it replaces, and beside what it must cost.

Rows of one comparison are timed in turn, round after round, so that a machine whose speed drifts
does not favour one; ratios are taken within a round, and the median is told.
"""

from enum import StrEnum


class Published(StrEnum):
    """Models whose configuration is known."""

    OPEN_1_0 = "stable-audio-open-1.0"
    SMALL = "small"
