"""What someone may have meant who mistyped a name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST = 3


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean ...?` with the names that are most like it; empty if none is."""
    by_lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), by_lower, MOST, cutoff=0.7)
    names = [by_lower[each] for each in near]
    return f"; did you mean {' or '.join(names)}?" if names else ""
