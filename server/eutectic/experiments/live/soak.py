"""A soak test: a night on stage in minutes, with random requests and a busy engine."""

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
"""Budgets that fill within a minute or two; a reference of the embedded model takes 0.04."""

CLIPS, CLIP_SECONDS = 6, 3.0
MEASURE_SECONDS = 2.0
END_SECONDS = 60.0
"""Time in which open requests must be answered at the end."""


@dataclass(frozen=True)
class Memory:
    """Memory at one time: bytes of the processes, and the status of the caches."""

    at_seconds: float
    daemon: int
    engine: int
    engine_cache: str
    ready: str


@dataclass
class Soaked:
    """What a soak counted; `answers` is how often each request was answered."""

    seconds: float = 0.0
    sent: Counter[str] = field(default_factory=Counter[str])
    ended: Counter[str] = field(default_factory=Counter[str])
    answers: dict[int, int] = field(default_factory=dict[int, int])
    memory: list[Memory] = field(default_factory=list[Memory])
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
        """Relative growth of the daemon's and the engine's memory from `after` seconds to the end.

        Compares an extreme of the last quarter with that of the first: the lowest shows what stays
        allocated, the highest the peak. Current jobs lie between them (learning alone takes 160 MB
        of the embedded model's 1.2 GB), and quarters differ in those.
        """
        sizes = np.array([
            (each.daemon, each.engine) for each in self.memory if each.at_seconds >= after
        ])  # fmt: skip
        quarter = max(1, len(sizes) // 4)
        daemon, engine = extreme(sizes[-quarter:], axis=0) / extreme(sizes[:quarter], axis=0) - 1
        return float(daemon), float(engine)


def soak(
    model: str,
    minutes: float,
    progress: Callable[[int, int], None],
    control_seconds: float = 30.0,
) -> Soaked:
    """Run the daemon under random requests, never idle; before it, a control that plays a sine."""
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
            _Performer(soaked, client, daemon, folder).run(progress)
    return soaked


class _Performer:
    """A performer who does everything at once."""

    def __init__(self, soaked: Soaked, client: Client, daemon: Daemon, folder: Path) -> None:
        self.soaked, self.client, self.daemon, self.folder = soaked, client, daemon, folder
        self.random = random.Random(0)
        self.waiting: dict[int, str] = {}
        self.busy = 0

    def run(self, progress: Callable[[int, int], None]) -> None:
        """Play until the time is up, and wait for the last answers."""
        for number in range(CLIPS):
            self.client.request("/clip/load", str(number), f"{number}.wav")
        for number in range(2):
            self.client.request(
                "/reference/learn", str(number), str(number), f"sound {number}", "@steps", 3
            )
        recording = Recording("PortAudio", self.folder)
        recording.start()
        began = measured = time.monotonic()
        until, step = began + self.soaked.seconds, 0
        while (now := time.monotonic()) < until:
            self._keep_busy()
            self._act()
            step += 1
            self._listen(max(0.0, began + step / PER_SECOND - time.monotonic()))
            if now - measured > MEASURE_SECONDS:
                measured = now
                self._measure(now - began)
                progress(int(now - began), int(self.soaked.seconds))
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
        """Keep a learning request running that only its budget ends."""
        if self.busy not in self.waiting:
            prompt = f"for ever {len(self.soaked.answers)}"
            self.busy = self._begin(
                "/reference/learn", "busy", "0", prompt, "@steps", 100_000, "@budget_s", 20
            )

    def _act(self) -> None:
        """Send one random request."""
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
        """Count answers for a time."""
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

    def _measure(self, at: float) -> None:
        """Record the memory in use."""
        number = self.client.begin("/status")
        lines: dict[str, str] = {}
        while True:
            answer = self.client.receive(10.0)
            self._count(answer)
            if isinstance(answer, StatusReply) and answer.id == number:
                lines[answer.what] = answer.text
            elif isinstance(answer, Done) and answer.id == number:
                break
        daemon = psutil.Process(self.daemon.pid).memory_info().rss
        engine = self.daemon.engine().memory_info().rss
        cache, ready = lines.get("engine cache", ""), lines["ready"]
        self.soaked.memory.append(Memory(at, daemon, engine, cache, ready))

    def _end(self) -> None:
        self._begin("/cancel", self.busy)
        until = time.monotonic() + END_SECONDS
        while self.waiting and time.monotonic() < until:
            self._listen(0.2)
        self._listen(0.5)  # a second answer would arrive now
        lines = status(self.client)
        self.soaked.lost, self.soaked.deaths = lines["lost"], lines["engine"]


def _make_clip(path: Path, number: int) -> None:
    generator = np.random.default_rng(number)
    time_ = np.arange(round((CLIP_SECONDS + 1) * 44_100)) / 44_100
    tone = np.sin(2 * np.pi * 110 * (number + 1) * time_)
    noise = generator.standard_normal(len(time_))
    soundfile.write(path, 0.2 * tone + 0.02 * number * noise, 44_100)


def _control(soaked: Soaked, folder: Path, seconds: float) -> None:
    """Play only a sine through the same path: the losses due to this machine and JACK."""
    at = 0

    def fill(out: np.ndarray) -> None:
        nonlocal at
        out[:] = 0.1 * np.sin(0.05 * (at + np.arange(len(out))))[:, None]
        at += len(out)

    output = Output(DeviceSettings("system", RATE_HZ, block_frames=PERIOD))
    output.start(fill, lambda _state: None)
    recording = Recording("PortAudio", folder)
    recording.start()
    time.sleep(seconds)
    recording.stop()
    soaked.control_xruns, soaked.control_underruns = recording.xruns, output.underruns
    output.close()


def table(soaked: Soaked) -> Table:
    """The soak's results as a table."""
    after = min(120.0, soaked.seconds / 2)
    later = [each for each in soaked.memory if each.at_seconds >= after]
    caches = f"engine {later[0].engine_cache}; ready {later[0].ready}" if later else "–"
    rows = (
        ("requests", f"{sum(soaked.sent.values())}: {dict(soaked.sent)}"),
        ("ended", str(dict(soaked.ended))),
        ("unanswered, answered twice", f"{soaked.unanswered}, {soaked.answered_twice}"),
        ("lost", soaked.lost),
        ("JACK's xruns", f"{soaked.xruns}; of the control {soaked.control_xruns}, "
                         f"and {soaked.control_underruns} underruns"),
        ("engine", soaked.deaths),
        ("caches then", caches),
        ("growth of what stays", _percent(soaked.growth(after, np.min))),
        ("growth of the most", _percent(soaked.growth(after, np.max))),
    )  # fmt: skip
    return Table(f"live: soak of {soaked.seconds:.0f} s", ("counted", "found"), rows, ())


def _percent(growth: tuple[float, float]) -> str:
    return f"daemon {100 * growth[0]:+.1f} %, engine {100 * growth[1]:+.1f} %"
