"""Which MIDI port is meant by a name.

Systems add to a controller's name what changes with every plug-in: ALSA a client's and a port's
number (`nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0`), bridges to JACK that number and a direction
(`a2j:nanoKONTROL2 [20] (capture): nanoKONTROL2 MIDI 1`). Names are compared without those.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

_ALSA = re.compile(r" (\d+):(\d+)$")
_BRIDGED = re.compile(r" \[(\d+)\](?= |$)")
_DIRECTION = re.compile(r" ?\((?:capture|playback)(?:_\d+)?\)")

THROUGH = "midi through"
"""ALSA's own port, which is no controller: it must be named."""

CARDS = Path("/sys/class/sound")


def stable(name: str) -> str:
    """A port's name without numbers and directions, which change."""
    for changing in (_ALSA, _BRIDGED, _DIRECTION):
        name = changing.sub("", name)
    return name.strip()


def rank(wanted: str, name: str) -> int | None:
    """How well a name fits what is wanted: 0 whole, 1 in part, None not at all.

    A number is only found whole: `Port 1` isn't in `Port 10`.
    """
    wanted, name = stable(wanted).lower(), stable(name).lower()
    if not wanted:
        return None if name.startswith(THROUGH) else 1
    if wanted in (name, *name.split(":", 1)):
        return 0
    before = r"(?<!\d)" if wanted[0].isdigit() else ""
    after = r"(?!\d)" if wanted[-1].isdigit() else ""
    return 1 if re.search(before + re.escape(wanted) + after, name) else None


def socket_of(name: str, cards: Path = CARDS) -> str:
    """What tells a port from others of its name: the USB socket that it is in, or all its name."""
    if found := _ALSA.search(name) or _BRIDGED.search(name):
        card = cards / f"card{(int(found[1]) - 16) // 4}" / "device"  # as the kernel numbers them
        if int(found[1]) >= 16 and card.exists():
            return f"{stable(name)} {os.path.realpath(card)}"
    return name


def assign(
    wanted: Sequence[str | None], had: Sequence[str | None], names: Collection[str],
    cards: Path = CARDS,
) -> list[str | None]:  # fmt: skip
    """A port of its own for each controller that is wanted; None where there is none left.

    `had` are the sockets where each was last: a controller that comes back is the one that it was,
    whatever its number is by then. New ones are taken in the order of their sockets.
    """
    free = sorted(names, key=lambda name: (socket_of(name, cards), name))
    found: list[str | None] = [None] * len(wanted)
    for again in (True, False):
        for at, each in enumerate(wanted):
            if each is None or found[at] is not None:
                continue
            fitting = [name for name in free if rank(each, name) is not None
                       and (not again or socket_of(name, cards) == had[at])]  # fmt: skip
            if fitting:
                found[at] = best = min(fitting, key=lambda name, each=each: rank(each, name) or 0)
                free.remove(best)
    return found


def output_for(name: str, wanted: str, outputs: Sequence[str]) -> str | None:
    """The output of the controller whose input has this name."""
    client = _ALSA.search(name) or _BRIDGED.search(name)

    def distance(output: str) -> tuple[bool, bool, int]:
        same_client = output.split(":", 1)[0] == name.split(":", 1)[0]
        return output != name, not same_client, rank(wanted, output) or 0

    fitting = [each for each in outputs if rank(wanted, each) is not None]
    if client is not None:
        numbers = ((each, _ALSA.search(each) or _BRIDGED.search(each)) for each in fitting)
        fitting = [each for each, its in numbers if its is not None and its[1] == client[1]]
    return min(fitting, key=distance, default=None)
