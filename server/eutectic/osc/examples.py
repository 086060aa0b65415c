"""What PROTOCOL.md shows beside the table: an example of every message, defaults, and a story.

A line is a message without the prefix, its arguments separated by spaces and in quotes where they
have some, as `eutectic send` would take them.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from eutectic.osc.answer import Answer
from eutectic.osc.packets import Value
from eutectic.osc.parse import number_or_word
from eutectic.osc.spec import Spec

ASKED = (
    "/ping 1", "/version 2", "/status 3", "/sync 4",
    "/notify 1 @meter 1 @name tablet",
    "/model/list 5", "/model/set 6 sa3-small-sfx", "/engine/where 47 10.0.0.7:9730",
    "/clip/load 7 glass ambi_glass_rub.flac @start 0.5 @duration 2",
    "/clip/record 8 voice 6", "/clip/record/stop 37 voice", "/clip/grab 38 just 4 @ago 0.5",
    "/clip/free 9 glass", "/clip/list 10",
    "/reference/remember 11 wet rain heavy rain",
    "/reference/learn 12 wet rain heavy rain @steps 120",
    "/reference/load 13 tape tape.safetensors @strength 0.8",
    "/reference/free 14 wet", "/reference/delete 15 wet", "/reference/list 16",
    "/fuse 17 1 glass wet @blend 0.5 @seed 3 @loop 1",
    "/fan 18 glass wet 9 @across recall @m 5", "/fan/list 19 glass wet",
    "/pair 20 glass wet @voice 1",
    "/scrub 1 0.62 0.3", "/pad/xy 1 glass:wet drum:wet glass:tape drum:tape",
    "/live 1 wet @length 2 @every 1", "/live/stop 1",
    "/render 21 glass wet takes/first.wav @blend 0.4",
    "/cancel 22 12", "/undo 1", "/redo 1", "/stop 1 200", "/panic", "/schedule/clear",
    "/voice/set 1 gain -6", "/note 1 67 100 @gate 0.5", "/envelope 1 5 200 0.7 300",
    "/voice/filter 1 low 800 0.4", "/voice/send 1 1 3 -12", "/focus 2",
    "/voice/list 23", "/master/gain -3",
    "/tempo 120", "/tempo/tap", "/tempo/run 1", "/tempo/clock 39 midi",
    "/preset/save 24 mine", "/preset/load 25 first_night", "/preset/list 26",
    "/session/save 27 NIGHT", "/session/load 28 NIGHT @keep 1", "/session/new 29 TOMORROW",
    "/session/list 30", "/session/pack 31 night.zip",
    "/favourite/keep 40 rain 1", "/favourite/play 41 rain 2", "/favourite/list 42",
    "/favourite/free 43 rain",
    "/device/list 32", "/device/set 33 USB Audio", "/input/list 44", "/input/set 45 USB Audio",
    "/record/start 34 set.wav", "/record/stop 35", "/replay 46 set.jsonl",
    "/midi/learn 36 /scrub 1 $",
)  # fmt: skip
"""One line for every request of the table, in its order."""

SENT = (
    "/done /eutectic/render 21 /home/me/renders/takes/first.wav 88200 44100",
    "/fail /eutectic/fuse 17 unknown_clip 'there is no clip glas; did you mean glass?'",
    "/queued 17", "/progress 12 learn 0.42", "/started 17 1 41.5", "/ended 1 17",
    "/idle -1 1 'its next fusion starts there'", "/fan/ready 18 3 45", "/synced 4",
    "/version.reply 2 '0.1.0'", "/status.reply 3 engine 'ready, embedded on cpu'",
    "/voice.reply 3 1 playing glass wet 0.5 1.25 2.0", "/model 5 embedded 1",
    "/clip 10 glass ambi_glass_rub.flac 2.0 loaded 1.0",
    "/reference -1 wet rain 'heavy rain' 'learning 42 %' 0.42",
    "/preset 26 rust 'Corrodes the original.' 1", "/preset/changed mine reloaded",
    "/session 30 NIGHT '8 clips, 2 references' 1",
    "/device 'USB Audio' playing", "/engine ready 1.0 embedded cuda 10.0.0.7:9730", "/queue 2",
    "/xrun 3", "/late 17 12.5",
    "/voice 1 glass wet 0.62 playing -6.0 1.0 1.25 2.0 0.0 1 0 3 -1.0 -1.0 0.0 2",
    "/voice/notes 1 1.0 0.0 1.0 0 60.0 0 5.0 200.0 0.7 300.0 2",
    "/voice/strip 1 low 800.0 0.4 3 -12.0 0 0.0 2",
    "/voice/axis 1 recall 0.5 0.0 1.0 9 15 2 ''", "/focus 2 1", "/history 1 4 0",
    "/live 1 wet playing 1180.0 0 ''", "/tempo 120.0 16.5 1 internal '' 2",
    "/input 'USB Audio' listening 2 '' ''", "/input/level -18.2",
    "/favourite 42 rain glass wet 0.62 2.0 kept",
    "/master -3.0 2", "/meter 1 -18.2 1.25 0.0",
    "/pair.reply 20 glass wet 9 9 0.0 now '' 1", "/fan.reply 19 3 45 0.375 1 3f9a 0.0",
    "/recording set.wav 12.5 48000.0 '' 4", "/client 2 tablet 1",
    "/log warning tablet 'voice 1 waits for the decoder'", "/snapshot 2", "/seq 41",
)  # fmt: skip
"""One line for every answer and event of the table, in its order."""

_REQUESTS = {line.split()[0]: line for line in ASKED}
_ANSWERS = {line.split()[0]: line for line in SENT}

OF_MODEL = {"cfg": "cfg", "apg": "apg", "steps": "steps", "order": "order", "solver": "solver",
            "eta": "eta", "slack": "slack"}  # fmt: skip
"""Options whose default is the model's own."""

DEFAULTS = {
    "blend": "0.5", "remaining": "none", "seed": "0", "cfg": "the model's (embedded: 1)",
    "apg": "the model's (embedded: 0)", "negative": "none",
    "steps": "the model's (embedded: 25)", "order": "the model's (embedded: 1)",
    "solver": "the model's (embedded: midpoint)", "eta": "the model's (embedded: 0)",
    "residual": "clean", "residual_amount": "1",
    "recall": "1 if it is only remembered, else the model's (embedded: 1)",
    "slack": "the model's (embedded: 0.05)", "start": "0", "strength": "the reference's: 1",
    "level": "match", "preset": "none", "even": "0", "keep": "0",
    "loop": "the voice's", "at_ms": "at once", "velocity": "127", "within_ms": "no limit",
    "meter": "0", "log": "0", "name": "its address", "reply_port": "none", "press": "acts",
    "budget_s": "no limit", "rank": "16", "method": "the model's (embedded: full)",
    "prompt": "the file's name", "clip": "none", "duration": "to its end", "voice": "none",
    "fade_ms": "30",
    "seconds": "until it is stopped", "threshold": "at once", "trim": "0", "from": "input",
    "ago": "0", "y": "where it was", "beat": "as it goes on", "gate": "none",
    "length": "2 s, or 4 beats", "every": "half of its length", "unit": "s",
    "at_beat": "at once", "quantise": "0: at once", "beats": "the sound's own length",
    "across": "none", "m": "3; across reference2 2", "low": "0; across cfg 1",
    "high": "1; across cfg 7", "reference2": "none",
    "stems": "0", "cutoff": "as it was", "resonance": "as it was", "gain": "as it was",
    "/clip/record/stop clip": "all", "/live/stop voice": "all", "/live gate": "-60",
    "/live blend": "the voice's", "/favourite/keep voice": "the one in focus",
    "/favourite/play voice": "the one in focus", "/voice/filter cutoff": "as it was",
    "/fuse blend": "the voice's: 0.5 at first",
    "/reference/learn steps": "the model's (embedded: 60)",
    "/stop voice": "all", "/reference/load strength": "1",
    "/session/save name": "the session's own", "/engine/where place": "only told",
}  # fmt: skip
"""What counts where an option or an argument is left out; by address where that differs."""


@dataclass(frozen=True)
class Step:
    """A message of the story, why it is sent, and what its sender is sent in return."""

    why: str
    sent: str
    received: tuple[str, ...] = ()


STORY = (
    Step("Ask for events: from now on this client hears of every change, whoever makes it. First "
         "come events for all there is (left out here), then their count.",
         "/notify 1", ("/done /eutectic/notify 0 1", "/snapshot 1", "/seq 25")),
    Step("Load two sounds as clips.", "/clip/load 1 glass ambi_glass_rub.flac",
         ("/queued 1", "/done /eutectic/clip/load 1")),
    Step("", "/clip/load 2 drone loop_drone_g_97.flac",
         ("/queued 2", "/done /eutectic/clip/load 2")),
    Step("Remember the second one as a reference. Nothing is learned, so this takes no time.",
         "/reference/remember 3 warm drone warm low drone",
         ("/done /eutectic/reference/remember 3",)),
    Step("Can the two be fused, and how soon would it be heard?", "/pair 4 glass warm",
         ("/pair.reply 4 glass warm 0 5 62.0 later '' 0", "/done /eutectic/pair 4")),
    Step("Fuse them: the glass's course in time, with half of the drone's character, on voice 1 as "
         "a loop. The other blends are made as soon as nothing else is to be done.",
         "/fuse 5 1 glass warm @blend 0.5 @loop 1",
         ("/queued 5", "/started 5 1 83.0", "/done /eutectic/fuse 5")),
    Step("Scrub towards the glass. Continuous values have no id and no answer of their own; the "
         "event tells everyone.", "/scrub 1 0.8",
         ("/voice 1 glass warm 0.8 playing 0.0 1.0 0.59 3.15 0.0 1 0 0 -1.0 -1.0 0.0 1",)),
    Step("A mistake gets one line, and what plays plays on.", "/fuse 6 1 glas warm",
         ("/fail /eutectic/fuse 6 unknown_clip 'there is no clip glas; did you mean glass?'",)),
    Step("Fade it out.", "/stop 1", ("/ended 1 5",)),
)  # fmt: skip
"""From nothing to a scrub; answers that report progress are left out."""


def values_of(line: str) -> tuple[str, tuple[Value, ...]]:
    """A line's address and arguments."""
    address, *words = shlex.split(line)
    return address, tuple(number_or_word(word) for word in words)


def line_of(spec: Spec) -> str:
    """A message's line."""
    lines = _ANSWERS if issubclass(spec.message, Answer) else _REQUESTS
    return lines[spec.address]


def default_of(spec: Spec, name: str) -> str:
    """What counts where a message's argument or option is left out."""
    return DEFAULTS.get(f"{spec.address} {name}", DEFAULTS.get(name, ""))
