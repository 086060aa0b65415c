"""The second axes of voices, as clients see them."""

from __future__ import annotations

from collections.abc import Iterator

from eutectic.config import Place
from eutectic.osc import answers
from eutectic.osc.answers import Answer
from eutectic.session.grids import MAX_PAIRS, Axis, Grids
from eutectic.session.jobs import Jobs
from eutectic.session.pair import Pair
from eutectic.session.voice import Voice
from eutectic.session.voices import Voices

Places = tuple[int, list[float], Axis | None]
"""How often a fusion became ready, and a fan's blends and second axis."""


class Axes:
    """What y is on each voice; owned by the event loop."""

    def __init__(self, jobs: Jobs, voices: Voices, grids: Grids) -> None:
        self._jobs, self._voices, self._grids = jobs, voices, grids
        self._counted: dict[str, tuple[int, int, Places]] = {}
        """By fans' names: places that are ready, of how many, and when that was so."""

    def states(self) -> Iterator[Answer]:
        for voice in self._voices.all:
            yield self._state(voice)

    def _state(self, voice: Voice) -> answers.VoiceAxis:
        number, y, pair = voice.number, voice.y, voice.pair
        if voice.pad is not None:
            return answers.VoiceAxis(
                number, "pad", y, 0.0, 1.0, self._corners(voice), len(voice.pad), voice.by,
                " ".join(voice.pad),
            )  # fmt: skip
        axis = self._grids.axis(pair)
        if axis is None or pair is None:
            return answers.VoiceAxis(number, "", y, 0.0, 0.0, 0, 0, voice.by)
        return answers.VoiceAxis(
            number, axis.across, y, axis.low, axis.high, *self._ready(pair), voice.by
        )

    def _ready(self, pair: Pair) -> tuple[int, int]:
        """How many places of a fan are ready, and of how many; counted when that changes."""
        name = self._grids.name(pair)
        now = self._jobs.shelf.changes, self._grids.of(pair), self._grids.axis(pair)
        known = self._counted.get(name)
        if known is None or known[2] != now:
            if len(self._counted) >= MAX_PAIRS:
                self._counted.clear()
            places = self._grids.places(pair)
            ready = sum(self._jobs.is_kept(row, Place(blend)) for _, row, blend in places)
            known = self._counted[name] = ready, len(places), now
        return known[:2]

    def _corners(self, voice: Voice) -> int:
        """How many corners of a pad can be heard, if it plays."""
        playing = self._voices.playing(voice)
        if playing is None or playing[1].pad is None:
            return 0
        return sum(sound is not None for sound in playing[1].fan.sounds)
