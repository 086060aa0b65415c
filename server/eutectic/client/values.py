"""What the clients' methods return, where that is more than one answer."""

from __future__ import annotations

from dataclasses import dataclass

from eutectic.client.replies import Reply
from eutectic.osc.answers import LoadedPreset, StatusReply, VoiceReply


@dataclass(frozen=True)
class Status:
    """The daemon's state: a line for each item, by name, and its voices."""

    lines: dict[str, str]
    voices: list[VoiceReply]

    def __getitem__(self, what: str) -> str:
        """The line of an item, such as `engine` or `device`."""
        return self.lines[what]

    @classmethod
    def of(cls, reply: Reply) -> Status:
        """The status that a daemon has reported."""
        lines = {line.what: line.text for line in reply.of(StatusReply)}
        return cls(lines, reply.of(VoiceReply))


@dataclass(frozen=True)
class Loaded:
    """The names of what a preset has loaded, and the numbers of the voices that it has set."""

    clips: list[str]
    references: list[str]
    voices: list[int]

    @classmethod
    def of(cls, reply: Reply) -> Loaded:
        """What `/preset/load` reports; nothing from a daemon that doesn't."""
        found = reply.found
        if not isinstance(found, LoadedPreset):
            return cls([], [], [])
        voices = [int(number) for number in found.voices.split()]
        return cls(found.clips.split(), found.references.split(), voices)
