"""When a dated request is carried out: at its time, or at once if that is past or too far off."""

from __future__ import annotations

LATE_SECONDS, FAR_SECONDS = 0.001, 10.0
"""What was due longer ago than the first, or is later than the second, is done at once."""


def timing(due: float | None, now: float) -> tuple[float | None, float | None]:
    """When to act (monotonic; None: at once), and by how many ms it is late or too far ahead."""
    if due is None:
        return None, None
    ahead = due - now
    if ahead < -LATE_SECONDS:
        return None, -1000 * ahead
    if ahead > FAR_SECONDS:
        return None, 1000 * ahead
    return due, None
