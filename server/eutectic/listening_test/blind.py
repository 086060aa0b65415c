"""What a respondent may know of the sets: nothing but an order of their own, A and B.

All of it follows from the respondent's token, by hashing: the same after a reload or a restart,
the same for a set whichever others there are, and unlike from one respondent to the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal, get_args

from eutectic.listening_test.sets import Role

Place = Literal["a", "b", "sound"]
PLACES: tuple[Place, ...] = get_args(Place)


def set_id(respondent: str, digest: str) -> str:
    """By which the respondent's page names a set; it tells nothing of it."""
    return _hash("set", respondent, digest)[:12]


def shuffled(respondent: str, digests: Iterable[str]) -> list[str]:
    """The sets' digests in the respondent's order."""
    return sorted(digests, key=lambda digest: _hash("order", respondent, digest))


def roles(respondent: str, digest: str) -> dict[Place, Role]:
    """Which sound is where: the fusion is "the sound", A and B are the sources by chance."""
    swapped = int(_hash("side", respondent, digest), 16) % 2
    if swapped:
        return {"a": "reference", "b": "original", "sound": "fusion"}
    return {"a": "original", "b": "reference", "sound": "fusion"}


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
