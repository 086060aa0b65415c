"""MIDI ports by name, over ALSA, JACK, CoreMIDI or Windows, reopened when they come back."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rtmidi as _rtmidi

from eutectic.midi.jack import Connections, library
from eutectic.midi.names import assign, output_for, rank, socket_of, stable

rtmidi: Any = _rtmidi  # untyped

log = logging.getLogger("eutectic.midi")

SCAN_SECONDS = 0.25
"""Between scans of the ports: less than it takes to pull a plug and put it back."""

RETRY_SECONDS = 2.0
"""Between attempts to reach a MIDI system that isn't running."""

POLL_SECONDS = 0.002
"""Between polls for messages; rtmidi's callbacks can arrive, and crash, after cancellation."""

CLIENT = "Eutectic"


@dataclass(frozen=True)
class Plug:
    """A controller to open: part of its ports' names; the ports' thread calls the others.

    Attributes:
        receive: with each message.
        opened: when its input has been opened.
        closed: when it was unplugged.
        answerable: when its output has been opened, too, which may be later.
        is_clock: whether it is there for its clock, which others are spared: it has no output.
    """

    name: str
    receive: Callable[[list[int]], None]
    opened: Callable[[], None]
    closed: Callable[[], None] = lambda: None
    answerable: Callable[[], None] = lambda: None
    is_clock: bool = False


class _Open:
    """A controller that is there: its input, and its output as soon as that is."""

    def __init__(self, api: int, plug: Plug, name: str, index: int) -> None:
        self.api, self.name, self._plug = api, name, plug
        self.out: Any = None
        self._in, self._out = rtmidi.MidiIn(api, CLIENT), rtmidi.MidiOut(api, CLIENT)
        try:
            self._in.ignore_types(sysex=True, timing=not plug.is_clock, active_sense=True)
            self._in.open_port(index, "in")
        except rtmidi.SystemError:
            self.close()
            raise

    def open_output(self) -> None:
        """Open the output, which may appear later than the input, or never."""
        if self.out is not None or self._plug.is_clock:
            return
        names = _foreign(self._out)
        output = output_for(self.name, self._plug.name, list(names))
        if output is not None:
            self._out.open_port(names[output], "out")
            self.out = self._out
            self._plug.answerable()

    def poll(self) -> None:
        """Pass on what has been received."""
        while event := self._in.get_message():
            self._plug.receive(event[0])

    def close(self) -> None:
        self.out = None
        self._in.delete()
        self._out.delete()


class Ports:
    """Controllers' inputs and outputs, opened and closed by a thread of their own.

    Each controller gets a port of its own, so that several of one kind can be used.
    """

    def __init__(self, plugs: Sequence[Plug], poll_seconds: float = POLL_SECONDS) -> None:
        self._plugs, self._poll_seconds = plugs, poll_seconds
        self._open: list[_Open | None] = [None] * len(plugs)
        self._had: list[str | None] = [None] * len(plugs)
        self._missed: set[int] = set()
        """Those whose absence has been logged."""
        self._scanners: dict[int, Any] = {}
        self._jack: Connections | None = None
        self._tried = float("-inf")
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="midi", daemon=True)
        self._thread.start()

    def send(self, number: int, data: list[int]) -> None:
        """Send a message to a controller, if it is connected."""
        there = self._open[number]
        if there is not None and (out := there.out) is not None:
            with contextlib.suppress(rtmidi.SystemError, ValueError):
                out.send_message(data)

    def is_open(self, number: int) -> bool:
        """Whether a controller is connected."""
        return self._open[number] is not None

    def close(self) -> None:
        """Close the ports."""
        self._leave.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._leave.is_set():
            self._reach_systems()
            for api in list(self._scanners):
                self._scan(api)
            self._report_missing()
            self._poll(time.monotonic() + SCAN_SECONDS)
        for there in filter(None, self._open):
            there.close()
        for api in list(self._scanners):
            self._drop(api)

    def _reach_systems(self) -> None:
        if time.monotonic() - self._tried < RETRY_SECONDS:
            return
        self._tried = time.monotonic()
        for api in _systems():
            if api not in self._scanners:
                with contextlib.suppress(rtmidi.SystemError):  # it isn't running
                    self._scanners[api] = rtmidi.MidiIn(api, CLIENT)
                    if api == rtmidi.API_UNIX_JACK:
                        self._jack = Connections(CLIENT)

    def _drop(self, api: int) -> None:
        self._scanners.pop(api).delete()
        if api == rtmidi.API_UNIX_JACK and self._jack is not None:
            self._jack.close()
            self._jack = None

    def _scan(self, api: int) -> None:
        """Close what is gone and open what has come, of one system."""
        names = _foreign(self._scanners[api])
        if not names:  # perhaps its server has gone: reach it anew
            self._drop(api)
        for number, there in enumerate(self._open):
            if there is None or there.api != api:
                continue
            if there.name not in names or self._is_cut(there):
                log.info("MIDI: %s disconnected", there.name)
                self._open[number] = None
                self._plugs[number].closed()
                there.close()
        taken = {there.name for there in self._open if there is not None and there.api == api}
        wanted = [None if there else plug.name
                  for plug, there in zip(self._plugs, self._open, strict=True)]  # fmt: skip
        for number, name in enumerate(assign(wanted, self._had, names.keys() - taken)):
            if name is not None:
                self._connect(number, api, name, names[name])
        for there in self._open:
            if there is not None and there.api == api:
                with contextlib.suppress(rtmidi.SystemError):
                    there.open_output()

    def _is_cut(self, there: _Open) -> bool:
        """Whether it is back already, and its port another one of the same name."""
        if self._jack is None or there.api != rtmidi.API_UNIX_JACK:
            return False
        return self._jack.of(there.name) == set()

    def _connect(self, number: int, api: int, name: str, index: int) -> None:
        plug = self._plugs[number]
        try:
            self._open[number] = _Open(api, plug, name, index)
        except rtmidi.SystemError as error:
            log.warning("MIDI: %s: %s", name, error)
            return
        self._had[number] = socket_of(name)
        self._missed.discard(number)
        log.info("MIDI: %s connected", name)
        plug.opened()

    def _report_missing(self) -> None:
        for number, plug in enumerate(self._plugs):
            if self._open[number] is not None or number in self._missed:
                continue
            self._missed.add(number)
            there = [stable(name) for each in self._scanners.values() for name in _foreign(each)]
            used = any(rank(plug.name, name) is not None for name in there)
            log.warning(
                "no %sMIDI input matches %r; available: %s",
                "other " if used else "", plug.name, ", ".join(there) or "none",
            )  # fmt: skip

    def _poll(self, end: float) -> None:
        """Pass messages on until then."""
        while time.monotonic() < end:
            for there in self._open:
                if there is not None:
                    there.poll()
            if self._leave.wait(self._poll_seconds):
                return


class OutPort:
    """An output by part of its name, opened as soon as it is there, by a thread of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._out: Any = None
        self._using = threading.Lock()
        """For whoever sends or deletes: a message to one that is deleted ends the process."""
        self._opened = ""
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="midi out", daemon=True)
        self._thread.start()

    @property
    def is_open(self) -> bool:
        return self._out is not None

    def send(self, data: list[int]) -> None:
        """Send a message, if it is connected."""
        with self._using, contextlib.suppress(rtmidi.SystemError, ValueError):
            if self._out is not None:
                self._out.send_message(data)

    def close(self) -> None:
        """Close the port."""
        self._leave.set()
        self._thread.join()
        self._delete()

    def _watch(self) -> None:
        is_missed = False
        while not self._leave.is_set():
            if self._out is None:
                self._look()
                if self._out is None and not is_missed:
                    log.warning("no MIDI output matches %r", self.name)
                is_missed = self._out is None
            elif self._opened not in _foreign(self._out):
                log.info("MIDI: %s disconnected", self._opened)
                self._delete()
            self._leave.wait(RETRY_SECONDS)

    def _delete(self) -> None:
        with self._using:
            if self._out is not None:
                self._out.delete()
                self._out = None

    def _look(self) -> None:
        for api in _systems():
            with contextlib.suppress(rtmidi.SystemError):
                out = rtmidi.MidiOut(api, CLIENT)
                names = _foreign(out)
                fitting = [each for each in names if rank(self.name, each) is not None]
                if fitting:
                    self._opened = min(fitting, key=lambda each: rank(self.name, each) or 0)
                    out.open_port(names[self._opened], "clock")
                    log.info("MIDI: the clock goes to %s", self._opened)
                    self._out = out
                    return
                out.delete()


def _systems() -> list[int]:
    """The MIDI systems to try; ALSA only where it exists, else it prints errors."""
    library()  # which keeps it quiet
    compiled = rtmidi.get_compiled_api()
    alsa = Path("/dev/snd/seq").exists()
    return [api for api in compiled if alsa or api != rtmidi.API_LINUX_ALSA]


def _foreign(ports: Any) -> dict[str, int]:
    """All ports by name but our own, with their indices.

    Windows' names end in the port's index, which changes.
    """
    indexed = ports.get_current_api() == rtmidi.API_WINDOWS_MM
    found: dict[str, int] = {}
    with contextlib.suppress(rtmidi.SystemError):
        for index, name in enumerate(ports.get_ports()):
            if not name.startswith(CLIENT):
                found.setdefault(re.sub(r" \d+$", "", name) if indexed else name, index)
    return found


def input_names() -> list[str]:
    """Names of all MIDI inputs, without the numbers that change with every plug-in."""
    names: list[str] = []
    for api in _systems():
        with contextlib.suppress(rtmidi.SystemError):
            midi_in = rtmidi.MidiIn(api, CLIENT)
            names += map(stable, _foreign(midi_in))
            midi_in.delete()
    return names
