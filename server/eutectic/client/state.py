"""What a client knows of the daemon: a snapshot, and the events that follow it."""

from __future__ import annotations

from dataclasses import dataclass, field

from eutectic.osc import answers
from eutectic.osc.answers import Answer, PairReply

Named = tuple[str, str, int]
"""An original, a reference, and the voice whose settings they would have; 0: no voice's."""

COUNTED = (
    answers.Engine, answers.Device, answers.Queue, answers.Xrun, answers.Master, answers.Recording,
    answers.Session, answers.VoiceState, answers.Clip, answers.Reference, answers.Preset,
    answers.PresetChanged, answers.Client, answers.History, answers.Favourite, answers.Tempo,
    answers.Input, answers.Focus, answers.VoiceNotes, answers.VoiceStrip, answers.VoiceAxis,
    answers.Live, PairReply,
)  # fmt: skip
"""What `/seq` counts; an answer to a request of the client's own has its id."""

_ONE: dict[type[Answer], str] = {
    answers.Engine: "engine", answers.Device: "device", answers.Queue: "queue",
    answers.Xrun: "lost", answers.Master: "master", answers.Recording: "recording",
    answers.Session: "session", answers.Tempo: "tempo", answers.Input: "input",
    answers.Focus: "focus",
}  # fmt: skip
"""Where events are kept of which there is one."""

_MANY: dict[type[Answer], tuple[str, str]] = {
    answers.VoiceState: ("voices", "voice"), answers.Clip: ("clips", "clip"),
    answers.Reference: ("references", "reference"), answers.Preset: ("presets", "name"),
    answers.Client: ("clients", "number"), answers.History: ("histories", "voice"),
    answers.Favourite: ("favourites", "name"), answers.VoiceNotes: ("notes", "voice"),
    answers.VoiceStrip: ("strips", "voice"), answers.VoiceAxis: ("axes", "voice"),
    answers.Live: ("lives", "voice"),
}  # fmt: skip
"""Where others are kept, and by what."""


@dataclass
class State:
    """Everything that there is, by name or number; `take` keeps it as the daemon has it.

    Attributes:
        number: the client's own; events that bear it in `by` are its own doing.
        missed: whether events were lost: `/notify 1` asks for all there is.
    """

    number: int = 0
    missed: bool = False
    engine: answers.Engine | None = None
    device: answers.Device | None = None
    queue: answers.Queue | None = None
    lost: answers.Xrun | None = None
    master: answers.Master | None = None
    recording: answers.Recording | None = None
    session: answers.Session | None = None
    tempo: answers.Tempo | None = None
    input: answers.Input | None = None
    focus: answers.Focus | None = None
    voices: dict[int, answers.VoiceState] = field(default_factory=dict[int, answers.VoiceState])
    clips: dict[str, answers.Clip] = field(default_factory=dict[str, answers.Clip])
    references: dict[str, answers.Reference] = field(default_factory=dict[str, answers.Reference])
    presets: dict[str, answers.Preset] = field(default_factory=dict[str, answers.Preset])
    clients: dict[int, answers.Client] = field(default_factory=dict[int, answers.Client])
    notes: dict[int, answers.VoiceNotes] = field(default_factory=dict[int, answers.VoiceNotes])
    strips: dict[int, answers.VoiceStrip] = field(default_factory=dict[int, answers.VoiceStrip])
    axes: dict[int, answers.VoiceAxis] = field(default_factory=dict[int, answers.VoiceAxis])
    lives: dict[int, answers.Live] = field(default_factory=dict[int, answers.Live])
    histories: dict[int, answers.History] = field(default_factory=dict[int, answers.History])
    favourites: dict[str, answers.Favourite] = field(default_factory=dict[str, answers.Favourite])
    pairs: dict[Named, PairReply] = field(default_factory=dict[Named, PairReply])
    _count: int = 0

    def take(self, answer: Answer) -> None:
        """Take what the daemon sent; what isn't an event changes nothing."""
        match answer:
            case answers.Snapshot():
                self.__init__(answer.number)
            case answers.Sent():
                self.missed = self.missed or self._count < answer.count
                self._count = answer.count
            case _ if isinstance(answer, COUNTED) and getattr(answer, "id", -1) == -1:
                self._count += 1
                self._keep(answer)
            case _:
                pass

    def _keep(self, event: Answer) -> None:
        if isinstance(event, PairReply):
            self.pairs[event.original, event.reference, event.voice] = event
        elif isinstance(event, answers.Session) and not event.in_use:
            pass
        elif type(event) in _ONE:
            setattr(self, _ONE[type(event)], event)
        elif type(event) in _MANY:
            rows, key = _MANY[type(event)]
            if _is_gone(event):
                getattr(self, rows).pop(getattr(event, key), None)
            else:
                getattr(self, rows)[getattr(event, key)] = event


def _is_gone(event: Answer) -> bool:
    match event:
        case answers.Clip() | answers.Reference() | answers.Favourite():
            return event.state == "freed"
        case answers.Preset():
            return not event.there
        case answers.Client():
            return not event.on
        case _:
            return False
