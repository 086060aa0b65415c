"""Recordings that the embedded model never trained on, long enough to measure on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eutectic.audio import Waveform, fade_end, load_clip
from eutectic.engine.codec import Codec
from eutectic.errors import BadInput
from eutectic.training.recordings import check_recordings, is_held_out

SHORTEST_SECONDS = 3.0


@dataclass(frozen=True, eq=False)
class Recording:
    """A held-out recording at the codec's rate and channels; compared by identity."""

    name: str
    whole: Waveform

    @property
    def prompt(self) -> str:
        """Its name in words, the commands' default prompt."""
        return self.name.replace("_", " ")

    def section(self, seconds: float) -> Waveform:
        """Its first seconds, looped if it is shorter; the end is faded, as for every clip."""
        frames = round(seconds * self.whole.rate_hz)
        repeats = -(-frames // self.whole.frames)
        looped = np.tile(self.whole.samples, repeats)[:, :frames]
        return fade_end(Waveform(looped, self.whole.rate_hz))

    def is_looped(self, seconds: float) -> bool:
        """Whether a section of this length repeats."""
        return self.whole.seconds < seconds


def held_out(folder: Path, codec: Codec) -> list[Recording]:
    """The folder's held-out recordings of at least SHORTEST_SECONDS, sorted by name.

    Raises:
        BadInput: there is no such folder, or it holds none.
    """
    check_recordings(folder)
    recordings = [
        Recording(path.stem, load_clip(path, codec.rate_hz, codec.channels))
        for path in sorted(folder.glob("*.flac"))
        if is_held_out(path.stem)
    ]
    recordings = [each for each in recordings if each.whole.seconds >= SHORTEST_SECONDS]
    if not recordings:
        raise BadInput(f"{folder}: has no held-out recording of {SHORTEST_SECONDS:g} s or more")
    return recordings


def looped_note(recordings: list[Recording], seconds: float) -> str:
    """A note that lists the recordings looped to this length."""
    looped = [each.name for each in recordings if each.is_looped(seconds)]
    return f"looped to {seconds:g} s: {', '.join(looped) or 'none'}"
