"""Hours of a performer's night in minutes: random requests, a busy engine, and what is counted."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import soundfile

from eutectic.client.daemon_process import Daemon, status, until_ready
from eutectic.client.replies import NoAnswer
from eutectic.client.sync import Client
from eutectic.experiments.live.jack_server import PERIOD, RATE_HZ, Jack, Recording
from eutectic.experiments.report import Table
from eutectic.osc.answers import Answer, Done, Fail, StatusReply
from eutectic.playback.output import Output
from eutectic.playback.streams import DeviceSettings

PER_SECOND = 5.0
MEMORY_GIB, READY_GIB = 0.2, 0.05
"""Budgets that are full within a minute or two; a reference of the embedded model takes 0.04."""

CLIPS, CLIP_SECONDS = 6, 3.0
LOOK_SECONDS = 2.0
END_SECONDS = 60.0
"""In which what was begun has to be answered."""


@dataclass
class Soaked:
    """What a soak counted.

    `answers`: by request, how often it was answered; `memory`: seconds, bytes of the daemon, of
    the engine, kept by the engine, and ready, at each look.
    """

    seconds: float = 0.0
    sent: Counter[str] = field(default_factory=Counter[str])
    ended: Counter[str] = field(default_factory=Counter[str])
    answers: dict[int, int] = field(default_factory=dict[int, int])
    memory: list[tuple[float, int, int, str, str]] = field(
        default_factory=list[tuple[float, int, int, str, str]]
    )
    lost: str = ""
    xruns: int = 0
    control_xruns: int = 0
    control_underruns: int = 0
    deaths: str = ""

    @property
    def unanswered(self) -> int:
        return sum(count == 0 for count in self.answers.values())

    @property
    def answered_twice(self) -> int:
        return sum(count > 1 for count in self.answers.values())

    @property
    def underruns(self) -> int:
        return int(self.lost.split()[0])

    def growth(self, after: float, extreme: Callable[..., Any]) -> tuple[float, float]:
        """Of the daemon's and the engine's memory, from `after` seconds to the end: a share of it.

        An extreme, lowest or highest, of the first and of the last quarter: what stays, and what is
        needed at most. Between them lies what happens to be under way (learning alone takes 160 MB
        of the embedded model's 1.2 GB), of which a quarter sees more than another.
        """
        looks = np.array([[at, own, engine] for at, own, engine, _, _ in self.memory])
        looks = looks[looks[:, 0] >= after]
        quarter = max(1, len(looks) // 4)
        first, last = extreme(looks[:quarter], axis=0), extreme(looks[-quarter:], axis=0)
        return float(last[1] / first[1] - 1), float(last[2] / first[2] - 1)


def soak(
    model: str, minutes: float, told: Callable[[int, int], None], control_seconds: float = 30.0
) -> Soaked:
    """Run the daemon under random requests, never idle; beside it a control that plays a sine."""
    soaked = Soaked(60 * minutes)
    with tempfile.TemporaryDirectory() as temporary, Jack():
        folder = Path(temporary)
        for number in range(CLIPS):
            _make_clip(folder / f"{number}.wav", number)
        _control(soaked, folder, control_seconds)
        options = ("--model", model, "--device", "system", "--clips", str(folder), "--rate",
                   str(RATE_HZ), "--block", str(PERIOD), "--memory", str(MEMORY_GIB),
                   "--ready", str(READY_GIB), "--log-level", "warning")  # fmt: skip
        with Daemon(folder, *options) as daemon, daemon.client() as client:
            until_ready(client)
            _Player(soaked, client, daemon, folder).run(told)
    return soaked


class _Player:
    """A performer who does all at once."""

    def __init__(self, soaked: Soaked, client: Client, daemon: Daemon, folder: Path) -> None:
        self.soaked, self.client, self.daemon, self.folder = soaked, client, daemon, folder
        self.random = random.Random(0)
        self.waiting: dict[int, str] = {}
        self.busy = 0

    def run(self, told: Callable[[int, int], None]) -> None:
        for number in range(CLIPS):
            self.client.request("/clip/load", str(number), f"{number}.wav")
        for number in range(2):
            self.client.request(
                "/reference/learn", str(number), str(number), f"sound {number}", "@steps", 3
            )
        recording = Recording("PortAudio", self.folder)
        recording.start()
        began = looked = time.monotonic()
        until, step = began + self.soaked.seconds, 0
        while (now := time.monotonic()) < until:
            self._keep_busy()
            self._act()
            step += 1
            self._listen(max(0.0, began + step / PER_SECOND - time.monotonic()))
            if now - looked > LOOK_SECONDS:
                looked = now
                self._look(now - began)
                told(int(now - began), int(self.soaked.seconds))
        self._end()
        recording.stop()
        self.soaked.xruns = recording.xruns

    def _begin(self, address: str, *values: Any) -> int:
        number = self.client.begin(address, *values)
        self.waiting[number] = address
        self.soaked.answers[number] = 0
        self.soaked.sent[address] += 1
        return number

    def _keep_busy(self) -> None:
        """A learning that never ends by itself, whenever there is none."""
        if self.busy not in self.waiting:
            prompt = f"for ever {len(self.soaked.answers)}"
            self.busy = self._begin(
                "/reference/learn", "busy", "0", prompt, "@steps", 100_000, "@budget_s", 20
            )

    def _act(self) -> None:
        chance, voice = self.random.random(), self.random.randint(1, 4)
        clip, reference = str(self.random.randrange(CLIPS)), str(self.random.randrange(2))
        blend = round(self.random.random(), 2)
        if chance < 0.4:
            loop = self.random.randint(0, 1)
            self._begin("/fuse", voice, clip, reference, "@blend", blend, "@loop", loop)
        elif chance < 0.65:
            self.client.send("/scrub", voice, blend)
            self.soaked.sent["/scrub"] += 1
        elif chance < 0.72:
            self._begin("/clip/load", clip, f"{clip}.wav", "@start", self.random.random())
        elif chance < 0.76:
            steps = self.random.randint(1, 4)
            self._begin("/reference/learn", reference, clip, f"sound {blend}", "@steps", steps)
        elif chance < 0.8:
            self._begin("/fan", clip, reference, self.random.randint(2, 4))
        elif chance < 0.9 and self.waiting:
            self._begin("/cancel", self.random.choice(list(self.waiting)))
        elif chance < 0.95:
            self.client.send("/stop", voice, 50.0)
        else:
            self._begin("/ping")

    def _listen(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            try:
                answer = self.client.receive(until - time.monotonic())
            except NoAnswer:
                return
            self._count(answer)
            if time.monotonic() >= until:
                return

    def _count(self, answer: Answer) -> None:
        if isinstance(answer, Done | Fail) and answer.id in self.soaked.answers:
            self.soaked.answers[answer.id] += 1
            self.waiting.pop(answer.id, None)
            self.soaked.ended["done" if isinstance(answer, Done) else answer.code] += 1

    def _look(self, at: float) -> None:
        number = self.client.begin("/status")
        there: dict[str, str] = {}
        while True:
            answer = self.client.receive(10.0)
            self._count(answer)
            if isinstance(answer, StatusReply) and answer.id == number:
                there[answer.what] = answer.text
            elif isinstance(answer, Done) and answer.id == number:
                break
        own = psutil.Process(self.daemon.pid).memory_info().rss
        engine = self.daemon.engine().memory_info().rss
        caches = there.get("engine cache", ""), there["ready"]
        self.soaked.memory.append((at, own, engine, *caches))

    def _end(self) -> None:
        self._begin("/cancel", self.busy)
        until = time.monotonic() + END_SECONDS
        while self.waiting and time.monotonic() < until:
            self._listen(0.2)
        self._listen(0.5)  # a second answer would come now
        there = status(self.client)
        self.soaked.lost, self.soaked.deaths = there["lost"], there["engine"]


def _make_clip(path: Path, number: int) -> None:
    generator = np.random.default_rng(number)
    time_ = np.arange(round((CLIP_SECONDS + 1) * 44_100)) / 44_100
    tone = np.sin(2 * np.pi * 110 * (number + 1) * time_)
    noise = generator.standard_normal(len(time_))
    soundfile.write(path, 0.2 * tone + 0.02 * number * noise, 44_100)


def _control(soaked: Soaked, folder: Path, seconds: float) -> None:
    """A sine and nothing else, by the same path: what this machine and JACK lose by themselves."""
    at = 0

    def fill(out: np.ndarray) -> None:
        nonlocal at
        out[:] = 0.1 * np.sin(0.05 * (at + np.arange(len(out))))[:, None]
        at += len(out)

    output = Output(DeviceSettings("system", RATE_HZ, block_frames=PERIOD))
    output.start(fill, lambda state: None)
    recording = Recording("PortAudio", folder)
    recording.start()
    time.sleep(seconds)
    recording.stop()
    soaked.control_xruns, soaked.control_underruns = recording.xruns, output.underruns
    output.close()


def table(soaked: Soaked) -> Table:
    """What a soak counted, in words."""
    after = min(120.0, soaked.seconds / 2)
    half = [look for look in soaked.memory if look[0] >= after]
    rows = (
        ("requests", f"{sum(soaked.sent.values())}: {dict(soaked.sent)}"),
        ("ended", str(dict(soaked.ended))),
        ("unanswered, answered twice", f"{soaked.unanswered}, {soaked.answered_twice}"),
        ("lost", soaked.lost),
        ("JACK's xruns", f"{soaked.xruns}; of the control {soaked.control_xruns}, "
                         f"and {soaked.control_underruns} underruns"),
        ("engine", soaked.deaths),
        ("caches then", f"engine {half[0][3]}; ready {half[0][4]}" if half else "–"),
        ("growth of what stays", _percent(soaked.growth(after, np.min))),
        ("growth of the most", _percent(soaked.growth(after, np.max))),
    )  # fmt: skip
    return Table(f"live: soak of {soaked.seconds:.0f} s", ("counted", "found"), rows, ())


def _percent(growth: tuple[float, float]) -> str:
    return f"daemon {100 * growth[0]:+.1f} %, engine {100 * growth[1]:+.1f} %"
