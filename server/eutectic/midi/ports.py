"""MIDI ports by name, through ALSA, JACK, CoreMIDI or Windows; what goes away is taken again."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rtmidi as _rtmidi

rtmidi: Any = _rtmidi  # it has no types

log = logging.getLogger("eutectic.midi")

LOOK_SECONDS = 2.0
"""Between looks at which ports there are."""

POLL_SECONDS = 0.002
"""Between looks for messages: rtmidi's callbacks may come, and crash, after they were cancelled."""

CLIENT = "Eutectic"


class Ports:
    """A controller's input and output; a thread of its own opens and closes them.

    Both calls come in that thread: `receive` with each message, `came` when a port is opened.
    """

    def __init__(
        self, name: str, receive: Callable[[list[int]], None], came: Callable[[], None]
    ) -> None:
        self._name, self._receive, self._came = name, receive, came
        self._out: Any = None
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="midi", daemon=True)
        self._thread.start()

    def send(self, data: list[int]) -> None:
        """Send a message, if the controller is there."""
        out = self._out
        if out is not None:
            with contextlib.suppress(rtmidi.SystemError, ValueError):
                out.send_message(data)

    def close(self) -> None:
        """Close the ports."""
        self._leave.set()
        self._thread.join()

    def _watch(self) -> None:
        told = False
        while not self._leave.is_set():
            for api in _systems():
                if self._serve(api):
                    told = False
            if not told:
                there = ", ".join(input_names()) or "none"
                log.warning("no MIDI input is called %r; there is: %s", self._name, there)
                told = True
            self._leave.wait(LOOK_SECONDS)

    def _serve(self, api: int) -> bool:
        """Be on the ports of this name as long as they are there; whether they were."""
        try:
            midi_in, midi_out = rtmidi.MidiIn(api, CLIENT), rtmidi.MidiOut(api, CLIENT)
        except rtmidi.SystemError:  # no such server
            return False
        try:
            index = _find(midi_in, self._name)
            if index is None:
                return False
            port = midi_in.get_port_name(index)
            midi_in.ignore_types(sysex=True, timing=True, active_sense=True)
            midi_in.open_port(index, "in")
            log.info("MIDI: %s", port)
            self._came()
            while _find(midi_in, self._name) is not None:
                self._light(midi_out)
                if self._hear(midi_in):
                    return True
            log.info("MIDI: %s is gone", port)
            return True
        except rtmidi.SystemError as error:
            log.warning("MIDI: %s", error)
            return False
        finally:
            self._out = None
            midi_in.delete()
            midi_out.delete()

    def _light(self, midi_out: Any) -> None:
        """Open the output, which may come after the input or not at all."""
        if self._out is None and (index := _find(midi_out, self._name)) is not None:
            midi_out.open_port(index, "out")
            self._out = midi_out
            self._came()

    def _hear(self, midi_in: Any) -> bool:
        """Pass on what comes until the next look at the ports; whether it is time to leave."""
        end = time.monotonic() + LOOK_SECONDS
        while time.monotonic() < end:
            while event := midi_in.get_message():
                self._receive(event[0])
            if self._leave.wait(POLL_SECONDS):
                return True
        return False


@ctypes.CFUNCTYPE(None, ctypes.c_char_p)
def _say_nothing(text: bytes) -> None:
    pass


@functools.cache
def _quieten_jack() -> None:
    """Keep JACK's library, rtmidi's own copy, from complaining at each look that nobody serves."""
    with contextlib.suppress(OSError, AttributeError):
        mapped = Path("/proc/self/maps").read_text().split()
        for path in {each for each in mapped if Path(each).name.startswith("libjack")}:
            ctypes.CDLL(path).jack_set_error_function(_say_nothing)


def _systems() -> list[int]:
    """The MIDI systems that there may be; ALSA complains on the terminal where it isn't."""
    _quieten_jack()
    there = rtmidi.get_compiled_api()
    alsa = Path("/dev/snd/seq").exists()
    return [api for api in there if alsa or api != rtmidi.API_LINUX_ALSA]


def input_names() -> list[str]:
    """The MIDI inputs that there are."""
    names: list[str] = []
    for api in _systems():
        with contextlib.suppress(rtmidi.SystemError):
            there = rtmidi.MidiIn(api, CLIENT)
            names += there.get_ports()
            there.delete()
    return names


def _find(ports: Any, name: str) -> int | None:
    """The first port whose name has this in it; ours are none."""
    for index, each in enumerate(ports.get_ports()):
        if name.lower() in each.lower() and not each.startswith(CLIENT):
            return index
    return None
