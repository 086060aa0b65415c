"""A soak test: a night on stage in minutes, with random requests and a busy engine.

All that was heard is searched for clicks and holes.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import soundfile

from eutectic.client.daemon_process import Daemon, until_ready
from eutectic.client.sync import Client
from eutectic.experiments.live.clicks import FLOOR_DB, Click, Hole, clicks, holes
from eutectic.experiments.live.instrument import NAME, Instrument
from eutectic.experiments.live.jack_server import PERIOD, RATE_HZ, Jack, Losses, Recording
from eutectic.experiments.live.performer import (
    CLIPS,
    Counts,
    Performer,
    make_clip,
    phrase,
)
from eutectic.experiments.report import Table
from eutectic.files import tensors
from eutectic.files.atomic import whole_files
from eutectic.osc.answers import Done, StatusReply
from eutectic.playback.output import Output
from eutectic.playback.streams import DeviceSettings

PER_SECOND = 8.0
MEMORY_GIB, READY_GIB = 0.2, 0.05
"""Budgets that fill within a minute or two; a reference of the embedded model takes 0.04."""

MEASURE_SECONDS = 2.0
END_SECONDS = 60.0
"""Time in which open requests must be answered at the end."""

XRUN_PERIODS = 3
"""So near to one of JACK's xruns, what is lost was lost by that."""

SHOWN = 8
"""Clicks and holes that are listed."""

CONTROL_SHARE = 0.2
"""Of a soak's time its control takes as much again: JACK's xruns are few and come in bursts."""


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
    """What a soak counted and found."""

    seconds: float = 0.0
    counts: Counts = field(default_factory=Counts)
    memory: list[Memory] = field(default_factory=list[Memory])
    lost: str = ""
    xruns: int = 0
    control_seconds: float = 0.0
    control_xruns: int = 0
    control_underruns: int = 0
    deaths: str = ""
    own_db: float = 0.0
    """The loudest click in the material itself."""
    rates: tuple[float, float] = (0.0, 0.0)
    """Clicks of any level a minute of sound, in the recording and in the material."""
    clicks: list[Click] = field(default_factory=list[Click])
    holes: list[Hole] = field(default_factory=list[Hole])
    at_xruns: tuple[int, int] = (0, 0)
    """Clicks and holes where JACK lost a period: the machine's own."""
    remarks: list[str] = field(default_factory=list[str])

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
    control_seconds: float | None = None,
    out: Path | None = None,
) -> Soaked:
    """Run the daemon under random requests, never idle.

    Before it a control plays a sine, while all processors are as busy: JACK's xruns of that are the
    machine's own. What was recorded is kept in the folder `out`, as `soak.wav`.
    """
    control_seconds = 60 * CONTROL_SHARE * minutes if control_seconds is None else control_seconds
    soaked = Soaked(60 * minutes)
    with tempfile.TemporaryDirectory() as temporary, Jack():
        folder = Path(temporary)
        for number in range(CLIPS):
            make_clip(folder / f"{number}.wav", number)
        with Instrument(folder) as instrument, _busy_processors():
            instrument.play(phrase(), loop=True)
            _control(soaked, folder, control_seconds)
        options = ("--model", model, "--device", "system", "--input", NAME, "--clips", str(folder),
                   "--rate", str(RATE_HZ), "--block", str(PERIOD), "--memory", str(MEMORY_GIB),
                   "--ready", str(READY_GIB), "--log-level", "warning")  # fmt: skip
        with (
            Instrument(folder) as instrument,
            Losses() as losses,
            Daemon(folder, *options) as daemon,
            daemon.client() as client,
        ):
            until_ready(client)
            performer = Performer(client, instrument, losses, soaked.counts)
            performer.prepare()
            _perform(soaked, performer, daemon, Recording("PortAudio", folder), progress, out)
    return soaked


def _perform(
    soaked: Soaked, performer: Performer, daemon: Daemon, recording: Recording,
    progress: Callable[[int, int], None], out: Path | None,
) -> None:  # fmt: skip
    """Play until the time is up, wait for the last answers, and judge what was heard."""
    own = daemon.data / "own"
    own.mkdir()
    recording.start()
    began = measured = time.monotonic()
    until, step = began + soaked.seconds, 0
    while (now := time.monotonic()) < until:
        performer.keep_busy()
        performer.act()
        step += 1
        performer.listen(max(0.0, began + step / PER_SECOND - time.monotonic()))
        if now - measured > MEASURE_SECONDS:
            measured = now
            soaked.memory.append(_measure(performer, daemon, now - began))
            _keep_newest(daemon.data / "fusions", own)
            progress(int(now - began), int(soaked.seconds))
    lines = _status(performer)
    samples = recording.stop()
    performer.end(END_SECONDS)
    if out is not None:
        soundfile.write(out / "soak.wav", samples, RATE_HZ, subtype="FLOAT")
    soaked.lost, soaked.deaths, soaked.xruns = lines["lost"], lines["engine"], recording.xruns
    soaked.own_db, own_rate = _own_clicks(own)
    found = clicks(samples, RATE_HZ)
    soaked.rates = 60 * RATE_HZ * len(found) / max(len(samples), 1), own_rate
    loud = [each for each in found if each.level_db > soaked.own_db]
    soaked.clicks = [each for each in loud if not _is_lost(recording, each.at_seconds)]
    silent = holes(samples, RATE_HZ)
    soaked.holes = [each for each in silent if not _is_lost(recording, each.at_seconds)]
    soaked.at_xruns = len(loud) - len(soaked.clicks), len(silent) - len(soaked.holes)
    for each in (*sorted(soaked.clicks, key=_level_db)[-SHOWN:], *soaked.holes[:SHOWN]):
        what = (f"click of {each.level_db:.0f} dB" if isinstance(each, Click)
                else f"hole of {1000 * each.seconds:.0f} ms")  # fmt: skip
        sent = soaked.counts.before(recording.time(round(each.at_seconds * RATE_HZ)))
        soaked.remarks.append(f"{what} at {each.at_seconds:.3f} s; sent before: {sent}")


def _is_lost(recording: Recording, at_seconds: float) -> bool:
    """Whether JACK lost a period there."""
    at = at_seconds * RATE_HZ
    return any(abs(at - frame) <= XRUN_PERIODS * PERIOD for frame in recording.lost)


def _level_db(click: Click) -> float:
    return click.level_db


def _keep_newest(folder: Path, own: Path) -> None:
    """Keep the newest fusion, which otherwise goes when others need its place."""
    with contextlib.suppress(ValueError, OSError):  # none is there, or it is kept, or gone already
        newest = max(whole_files(folder, ".safetensors"), key=lambda path: path.stat().st_mtime)
        (own / newest.name).hardlink_to(newest)


def _own_clicks(folder: Path) -> tuple[float, float]:
    """Clicks of the fusions themselves, in which the model's frames meet: the loudest, dB, and how
    many a minute."""
    levels, seconds = [FLOOR_DB], 0.0
    for path in sorted(folder.iterdir()):
        found, _ = tensors.read(path, "np")
        levels += [each.level_db for each in clicks(found["samples"].T, RATE_HZ)]
        seconds += found["samples"].shape[1] / RATE_HZ
    return max(levels), 60 * (len(levels) - 1) / max(seconds, 1.0)


def _measure(performer: Performer, daemon: Daemon, at: float) -> Memory:
    """The memory in use."""
    lines = _status(performer)
    own = psutil.Process(daemon.pid).memory_info().rss
    engine = daemon.engine().memory_info().rss
    return Memory(at, own, engine, lines.get("engine cache", ""), lines["ready"])


def _status(performer: Performer) -> dict[str, str]:
    """What `/status` says, while other answers come in."""
    client: Client = performer.client
    number = client.begin("/status")
    lines: dict[str, str] = {}
    while True:
        answer = client.receive(10.0)
        performer.count(answer)
        if isinstance(answer, StatusReply) and answer.id == number:
            lines[answer.what] = answer.text
        elif isinstance(answer, Done) and answer.id == number:
            return lines


@contextlib.contextmanager
def _busy_processors() -> Generator[None]:
    """All processors at work, as little urgent as an engine."""
    command = [sys.executable, "-c", "import os; os.nice(15)\nwhile True: pass"]
    busy = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for each in busy:
            each.kill()
            each.wait()


def _control(soaked: Soaked, folder: Path, seconds: float) -> None:
    """Play only a sine through the same path: the losses due to this machine and JACK."""
    at, soaked.control_seconds = 0, seconds

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
    after, counts = min(120.0, soaked.seconds / 2), soaked.counts
    later = [each for each in soaked.memory if each.at_seconds >= after]
    caches = f"engine {later[0].engine_cache}; ready {later[0].ready}" if later else "–"
    late = f"{len(counts.late_ms)} (at most {max(counts.late_ms, default=0.0):.0f} ms)"
    rows = (
        ("requests", f"{sum(counts.sent.values())}: {_each(counts.sent)}"),
        ("ended", _each(counts.ended)),
        ("unanswered, answered twice", f"{counts.unanswered}, {counts.answered_twice}"),
        ("late, too late", f"{late}, {counts.ended['too_late']}"),
        ("clicks", f"{len(soaked.clicks)} over the loudest in the fusions themselves, "
                   f"{soaked.own_db:.0f} dB; of any level {soaked.rates[0]:.1f} a minute, "
                   f"in the fusions {soaked.rates[1]:.1f}"),
        ("holes", f"{len(soaked.holes)}"),
        ("clicks, holes at JACK's xruns", f"{soaked.at_xruns[0]}, {soaked.at_xruns[1]}"),
        ("lost", soaked.lost),
        ("JACK's xruns", f"{soaked.xruns}, {_a_minute(soaked.xruns, soaked.seconds)}"),
        ("of the control", f"{_a_minute(soaked.control_xruns, soaked.control_seconds)}, "
                           f"and {soaked.control_underruns} underruns"),
        ("engine", soaked.deaths),
        ("caches then", caches),
        ("growth of what stays", _percent(soaked.growth(after, np.min))),
        ("growth of the most", _percent(soaked.growth(after, np.max))),
    )  # fmt: skip
    title = f"live: soak of {soaked.seconds:.0f} s"
    return Table(title, ("counted", "found"), rows, tuple(soaked.remarks))


def _each(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{what} {count}" for what, count in counts.items())


def _a_minute(count: int, seconds: float) -> str:
    return f"{60 * count / max(seconds, 1.0):.1f} a minute"


def _percent(growth: tuple[float, float]) -> str:
    return f"daemon {100 * growth[0]:+.1f} %, engine {100 * growth[1]:+.1f} %"
