"""When a stream's first frame was: by what each block says, smoothly."""

JUMP_SECONDS = 0.05
"""A clock this far from where it was expected is followed at once."""

SHARE = 0.02
"""Of the clock's deviation, which each block corrects."""


def followed(expected: float, found: float) -> float:
    """A monotonic time as it was expected, nearer to what was found; NaN if none was expected."""
    if abs(found - expected) <= JUMP_SECONDS:
        return expected + SHARE * (found - expected)
    return found
