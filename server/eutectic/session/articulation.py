"""How voices play notes, and what of their sounds and how fast: set, kept and shown."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from eutectic.osc import answers, table
from eutectic.playback.cursor import Section
from eutectic.playback.notes import Envelope
from eutectic.playback.player import Player

SETTINGS = {
    "rate": "rate", "start": "start", "end": "end", "reverse": "reverse", "root": "root",
    "choke": "choke", "attack": "attack_ms", "decay": "decay_ms", "sustain": "sustain",
    "release": "release_ms",
}  # fmt: skip
"""What `/voice/set` sets of it, and what is kept of that."""

_KINDS: dict[str, type] = {"reverse": bool, "choke": int}

Share = Annotated[float, Meta(ge=0, le=1)]
Milliseconds = Annotated[float, Meta(ge=0, le=60_000)]


class KeptNotes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A voice's speed, what it plays of its sounds, and its notes: their root, group and envelope.

    Start and end may be turned past each other: what lies between them is played.
    """

    rate: Annotated[float, Meta(ge=0.125, le=8)] = 1.0
    start: Share = 0.0
    end: Share = 1.0
    reverse: bool = False
    root: Annotated[float, Meta(ge=0, le=127)] = 60.0
    choke: Annotated[int, Meta(ge=0, le=16)] = 0
    attack_ms: Milliseconds = 2.0
    decay_ms: Milliseconds = 0.0
    sustain: Share = 1.0
    release_ms: Milliseconds = 120.0

    @property
    def section(self) -> Section:
        return Section(min(self.start, self.end), max(self.start, self.end), self.reverse)

    @property
    def envelope(self) -> Envelope:
        attack, decay, release = self.attack_ms, self.decay_ms, self.release_ms
        return Envelope(attack / 1000, decay / 1000, self.sustain, release / 1000)

    def turned(self, what: str, value: float) -> KeptNotes:
        """With one of SETTINGS at another value."""
        turned: Any = _KINDS.get(what, float)(value)
        return msgspec.structs.replace(self, **{SETTINGS[what]: turned})

    def shaped(self, request: table.SetEnvelope) -> KeptNotes:
        """With the envelope that a request asks for."""
        return msgspec.structs.replace(
            self, attack_ms=request.attack, decay_ms=request.decay, sustain=request.sustain,
            release_ms=request.release,
        )  # fmt: skip

    def value(self, what: str) -> float:
        """One of SETTINGS."""
        return float(getattr(self, SETTINGS[what]))

    def apply(self, player: Player, voice: int) -> None:
        """Let a voice play so; its envelope and root are those of notes to come."""
        player.set_speed(voice, self.rate)
        player.cut(voice, self.section)
        player.set_choke(voice, self.choke)

    def state(self, voice: int, by: int) -> answers.VoiceNotes:
        """As clients see it."""
        return answers.VoiceNotes(
            voice, self.rate, self.start, self.end, int(self.reverse), self.root, self.choke,
            self.attack_ms, self.decay_ms, self.sustain, self.release_ms, by,
        )  # fmt: skip
