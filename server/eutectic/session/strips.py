"""Voices' filters and sends: how they are set, kept and shown."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from eutectic.osc import answers, table
from eutectic.osc.requests.voices import FilterKind
from eutectic.playback.filters import Knobs
from eutectic.playback.player import Player
from eutectic.playback.strip import Send

SETTINGS = {
    "cutoff": "cutoff_hz", "resonance": "resonance", "send1": "send1_db", "send2": "send2_db",
}  # fmt: skip
"""What `/voice/set` sets of a strip, and what is kept of that."""

Output = Annotated[int, Meta(ge=0, le=64)]
Gain = Annotated[float, Meta(ge=-200, le=24)]


class KeptStrip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A voice's filter, and the first outputs and gains of its sends; output 0: none."""

    filter: FilterKind = "off"
    cutoff_hz: Annotated[float, Meta(ge=20, le=20_000)] = 1000.0
    resonance: Annotated[float, Meta(ge=0, le=1)] = 0.0
    out1: Output = 0
    send1_db: Gain = 0.0
    out2: Output = 0
    send2_db: Gain = 0.0

    def filtered(self, request: table.SetFilter) -> KeptStrip:
        """With the filter that a request asks for."""
        cutoff = self.cutoff_hz if request.cutoff is None else request.cutoff
        resonance = self.resonance if request.resonance is None else request.resonance
        return msgspec.structs.replace(
            self, filter=request.kind, cutoff_hz=cutoff, resonance=resonance
        )

    def sent(self, request: table.SetSend) -> KeptStrip:
        """With the send that a request asks for."""
        changed: dict[str, float] = {f"out{request.send}": request.out}
        if request.gain is not None:
            changed[f"send{request.send}_db"] = request.gain
        return msgspec.structs.replace(self, **changed)

    def turned(self, what: str, value: float) -> KeptStrip:
        """With one of SETTINGS at another value."""
        return msgspec.structs.replace(self, **{SETTINGS[what]: value})

    def value(self, what: str) -> float:
        """One of SETTINGS."""
        return getattr(self, SETTINGS[what])

    def apply(self, player: Player, voice: int) -> None:
        """Let a voice sound so; a send to outputs that the device hasn't got goes nowhere."""
        player.set_filter(voice, Knobs(self.filter, self.cutoff_hz, self.resonance))
        sends = (Send(self.out1, self.send1_db), Send(self.out2, self.send2_db))
        for number, send in enumerate(sends, 1):
            player.set_send(voice, number, send if send.output <= player.channels else Send())

    def state(self, voice: int, by: int) -> answers.VoiceStrip:
        """As clients see it."""
        return answers.VoiceStrip(
            voice, self.filter, self.cutoff_hz, self.resonance,
            self.out1, self.send1_db, self.out2, self.send2_db, by,
        )  # fmt: skip
