"""Blinding: respondents see only sets in an order of their own, and sources as A and B.

All of it is derived from the respondent's token by hashing: it survives a reload or a restart, a
set's part doesn't depend on the other sets, and it differs between respondents.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal, get_args

from eutectic.listening_test.sets import Role

Place = Literal["a", "b", "sound"]
PLACES: tuple[Place, ...] = get_args(Place)


def set_id(respondent: str, digest: str) -> str:
    """The name of a set on the respondent's page, which reveals nothing about it."""
    return _hash("set", respondent, digest)[:12]


def shuffled(respondent: str, digests: Iterable[str]) -> list[str]:
    """The sets' digests in the respondent's order."""
    return sorted(digests, key=lambda digest: _hash("order", respondent, digest))


def roles(respondent: str, digest: str) -> dict[Place, Role]:
    """The sound in each place: the fusion is "the sound", the sources are A and B at random."""
    swapped = int(_hash("side", respondent, digest), 16) % 2
    if swapped:
        return {"a": "reference", "b": "original", "sound": "fusion"}
    return {"a": "original", "b": "reference", "sound": "fusion"}


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
