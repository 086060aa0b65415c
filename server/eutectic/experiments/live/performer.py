"""A performer who does everything at once, at random, for a soak.

What sounds begins softly or under something else, and is slow: so that whatever jumps in the
recording is the daemon's doing. Voice 1 plays a loop all the time that is never silent, and no
filter takes all of it away: so that a silence is a hole.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from eutectic.client.replies import NoAnswer
from eutectic.client.sync import Client
from eutectic.experiments.live.instrument import Instrument
from eutectic.experiments.live.jack_server import RATE_HZ, Losses
from eutectic.osc.answers import Answer, Done, Fail, Late
from eutectic.osc.packets import Value

CLIPS, CLIP_SECONDS = 6, 3.0
BED, VOICES = 1, 4
"""The voice that always plays, and how many there are."""

BED_CUTOFF_HZ = 500.0
"""Of the bed's filter at least, a low-pass: all clips' tones are below it."""

PHRASE_SECONDS, PAUSE_SECONDS, SWELL_SECONDS = 1.6, 0.4, 0.2
"""What the instrument plays over and over, so long, with a silence after it."""

SOFTEST = 0.1
"""Of a clip's level, where it begins and ends."""

BPM = 96.0


@dataclass
class Counts:
    """What was sent and how it ended; `answers` is how often each request was answered."""

    sent: Counter[str] = field(default_factory=Counter[str])
    ended: Counter[str] = field(default_factory=Counter[str])
    answers: dict[int, int] = field(default_factory=dict[int, int])
    late_ms: list[float] = field(default_factory=list[float])
    at: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    """When (monotonic) what was sent."""

    @property
    def unanswered(self) -> int:
        return sum(count == 0 for count in self.answers.values())

    @property
    def answered_twice(self) -> int:
        return sum(count > 1 for count in self.answers.values())

    def before(self, at: float, count: int = 3) -> str:
        """The last few that were sent before a time."""
        return ", ".join([what for when, what in self.at if when <= at][-count:])


class Performer:
    """Sends one thing of ACTS at a time, and counts what comes back."""

    def __init__(
        self, client: Client, instrument: Instrument, losses: Losses, counts: Counts
    ) -> None:
        self.client, self.instrument, self.losses = client, instrument, losses
        self.counts = counts
        self.random = random.Random(0)
        self.waiting: dict[int, str] = {}
        self.busy = 0
        self.began = 0.0
        """When the instrument's first phrase did."""

    def prepare(self) -> None:
        """Load and learn what will be played, and begin."""
        for number in range(CLIPS):
            self.client.request("/clip/load", str(number), f"{number}.wav")
        for number in range(2):
            words = (str(number), str(number), f"sound {number}", "@steps", 3)
            self.client.request("/reference/learn", *words, timeout=600)
        for voice in range(1, VOICES + 1):
            self.send("/envelope", voice, 10.0, 100.0, 0.7, 100.0)
            self.send("/voice/set", voice, "gain", -6.0)
        self.began = self.instrument.play(phrase(), loop=True)
        self.send("/tempo", BPM, 0.0)
        self.send("/tempo/run", 1)
        self.client.request("/fuse", BED, "0", "1", "@blend", 0.9, "@loop", 1)
        self.client.events(0.0)

    def act(self) -> None:
        """Do one thing at random."""
        acts, weights = zip(*ACTS, strict=True)
        self.random.choices(acts, weights)[0](self)

    def send(self, address: str, *values: Value) -> None:
        """Send what has no answer."""
        self.client.send(address, *values)
        self._count_sent(address, values)

    def begin(self, address: str, *values: Value) -> int:
        """Send what is to be answered once."""
        number = self.client.begin(address, *values)
        self.waiting[number] = address
        self.counts.answers[number] = 0
        self._count_sent(address, values)
        return number

    def listen(self, seconds: float) -> None:
        """Count answers for a time."""
        until = time.monotonic() + seconds
        while True:
            try:
                answer = self.client.receive(until - time.monotonic())
            except NoAnswer:
                return
            self.count(answer)
            if time.monotonic() >= until:
                return

    def count(self, answer: Answer) -> None:
        """Count an answer."""
        if isinstance(answer, Done | Fail) and answer.id in self.counts.answers:
            self.counts.answers[answer.id] += 1
            self.waiting.pop(answer.id, None)
            self.counts.ended["done" if isinstance(answer, Done) else answer.code] += 1
        elif isinstance(answer, Fail):
            self.counts.ended[answer.code] += 1
        elif isinstance(answer, Late):
            self.counts.late_ms.append(answer.ms)

    def keep_busy(self) -> None:
        """Keep a learning request running that only its budget ends."""
        if self.busy not in self.waiting:
            prompt = f"for ever {len(self.counts.answers)}"
            self.busy = self.begin(
                "/reference/learn", "busy", "0", prompt, "@steps", 100_000, "@budget_s", 20
            )

    def end(self, seconds: float) -> None:
        """Wait for the last answers."""
        self.begin("/cancel", self.busy)
        until = time.monotonic() + seconds
        while self.waiting and time.monotonic() < until:
            self.listen(0.2)
        self.listen(0.5)  # a second answer would arrive now

    @property
    def voice(self) -> int:
        return self.random.randint(1, VOICES)

    @property
    def other_voice(self) -> int:
        """One that may fall silent."""
        return self.random.randint(BED + 1, VOICES)

    @property
    def clip(self) -> str:
        return str(self.random.randrange(CLIPS))

    @property
    def reference(self) -> str:
        return str(self.random.randrange(2))

    @property
    def share(self) -> float:
        """Of a knob's way, 0 to 1."""
        return round(self.random.random(), 2)

    def _count_sent(self, address: str, values: tuple[Value, ...]) -> None:
        self.counts.sent[address] += 1
        self.counts.at.append((time.monotonic(), " ".join(map(str, (address, *values)))))


# What a performer does


def _fuse(hand: Performer) -> None:
    voice = hand.voice
    loop = 1 if voice == BED else hand.random.randint(0, 1)
    when = hand.random.choice(
        [(), ("@quantise", 0.5), ("@at_ms", 150.0, "@within_ms", 400.0), ("@beats", 4.0)]
    )
    blend = ("@blend", hand.share, "@loop", loop)
    hand.begin("/fuse", voice, hand.clip, hand.reference, *blend, *when)


def _scrub(hand: Performer) -> None:
    where = (hand.share,) if hand.random.random() < 0.5 else (hand.share, hand.share)
    hand.send("/scrub", hand.voice, *where)


def _load(hand: Performer) -> None:
    hand.begin("/clip/load", hand.clip, f"{hand.clip}.wav")


def _learn(hand: Performer) -> None:
    words = (hand.reference, hand.clip, f"sound {hand.share}")
    hand.begin("/reference/learn", *words, "@steps", hand.random.randint(1, 4))


def _fan(hand: Performer) -> None:
    across = hand.random.choice([(), ("@across", "recall", "@m", 2)])
    hand.begin("/fan", hand.clip, hand.reference, hand.random.randint(2, 4), *across)


def _cancel(hand: Performer) -> None:
    if hand.waiting:
        hand.begin("/cancel", hand.random.choice(list(hand.waiting)))


def _stop(hand: Performer) -> None:
    hand.send("/stop", hand.other_voice, 50.0)


def _ping(hand: Performer) -> None:
    hand.begin("/ping")


def _grab(hand: Performer) -> None:
    """Grab whole phrases of the instrument, from silence to silence, and fuse them.

    Not if JACK lost some of that: it would be a click of the original's.
    """
    period = PHRASE_SECONDS + PAUSE_SECONDS
    ago = (time.monotonic() - hand.began + PAUSE_SECONDS / 2) % period
    name = f"g{hand.random.randrange(3)}"
    hand.begin("/clip/grab", name, period, "@ago", max(0.0, ago - PAUSE_SECONDS / 4))
    if time.monotonic() - hand.losses.last > period + PAUSE_SECONDS:
        hand.begin("/fuse", hand.other_voice, name, hand.reference, "@blend", hand.share)


def _go_live(hand: Performer) -> None:
    length = ("@length", 1.0, "@every", 0.5)
    hand.send("/live", VOICES, hand.reference, *length, "@blend", hand.share)


def _stop_live(hand: Performer) -> None:
    hand.send("/live/stop", VOICES)


def _tempo(hand: Performer) -> None:
    hand.send("/tempo", round(hand.random.uniform(80, 140), 1))


def _note(hand: Performer) -> None:
    gate = ("@gate", round(hand.random.uniform(0.1, 1.5), 2))
    note = hand.random.randint(48, 72)
    hand.send("/note", hand.voice, note, hand.random.randint(20, 127), *gate)


def _filter(hand: Performer) -> None:
    voice = hand.voice
    kind = hand.random.choice(["off", "low", "low", *(() if voice == BED else ("high", "band"))])
    hand.send("/voice/filter", voice, kind, _cutoff_hz(hand, voice), 0.8 * hand.share)


def _cutoff_hz(hand: Performer, voice: int) -> float:
    cutoff_hz = 80 * 100**hand.share
    return max(cutoff_hz, BED_CUTOFF_HZ) if voice == BED else cutoff_hz


def _knob(hand: Performer) -> None:
    voice = hand.voice
    what, value = hand.random.choice([
        ("cutoff", _cutoff_hz(hand, voice)), ("resonance", 0.8 * hand.share),
        ("gain", -6 - 18 * hand.share), ("pan", 2 * hand.share - 1), ("recall", hand.share),
        ("send1", -60 * hand.share), ("rate", 2 ** (2 * hand.share - 1)),
    ])  # fmt: skip
    hand.send("/voice/set", voice, what, value)


def _send(hand: Performer) -> None:
    hand.send(
        "/voice/send", hand.voice, hand.random.randint(1, 2), hand.random.randint(0, 1), -12.0
    )


def _undo(hand: Performer) -> None:
    hand.send(hand.random.choice(["/undo", "/undo", "/redo"]), hand.other_voice)


def _favourite(hand: Performer) -> None:
    name = f"f{hand.random.randrange(3)}"
    if hand.random.random() < 0.5:
        hand.begin("/favourite/keep", name, BED)
    else:
        hand.begin("/favourite/play", name, hand.other_voice)


ACTS: list[tuple[Callable[[Performer], None], float]] = [
    (_fuse, 30), (_scrub, 25), (_load, 5), (_learn, 4), (_fan, 4), (_cancel, 8), (_stop, 5),
    (_ping, 5), (_grab, 5), (_go_live, 2), (_stop_live, 1), (_tempo, 2), (_note, 15), (_filter, 8),
    (_knob, 15), (_send, 4), (_undo, 4), (_favourite, 3),
]  # fmt: skip
"""What a performer may do, and how often of 145 times."""


# What sounds


def make_clip(path: Path, number: int) -> None:
    """A slow tone with some slow noise, which begins and ends softly."""
    time_ = np.arange(round((CLIP_SECONDS + 1) * RATE_HZ)) / RATE_HZ
    tone = np.sin(2 * np.pi * 55 * (number + 1) * time_) + 0.3 * np.sin(
        2 * np.pi * 110 * (number + 1) * time_
    )
    sound = 0.15 * tone + 0.03 * number * slow_noise(len(time_), number)
    soundfile.write(path, swelling(sound, SOFTEST), RATE_HZ)


def phrase() -> NDArray[np.float32]:
    """A phrase of the instrument and a silence, (frame, 2)."""
    time_ = np.arange(round(PHRASE_SECONDS * RATE_HZ)) / RATE_HZ
    tone = 0.2 * np.sin(2 * np.pi * (165 * time_ + 20 * time_**2))
    whole = np.pad(swelling(tone), (0, round(PAUSE_SECONDS * RATE_HZ)))
    return np.stack([whole, whole], axis=1).astype(np.float32)


def slow_noise(frames: int, seed: int) -> NDArray[np.float64]:
    """Noise under 500 Hz, of RMS level 1."""
    import scipy.signal

    sections = scipy.signal.butter(6, 500, fs=RATE_HZ, output="sos")
    white = np.random.default_rng(seed).standard_normal(frames)
    slow = np.asarray(scipy.signal.sosfiltfilt(sections, white))
    return slow / slow.std()


def swelling(sound: NDArray[np.float64], softest: float = 0.0) -> NDArray[np.float64]:
    """A sound (frame) that begins and ends softly, at `softest` of its level."""
    frames = round(SWELL_SECONDS * RATE_HZ)
    rising = softest + (1 - softest) * np.sin(0.5 * np.pi * np.linspace(0, 1, frames)) ** 2
    sound = sound.copy()
    sound[:frames] *= rising
    sound[-frames:] *= rising[::-1]
    return sound
