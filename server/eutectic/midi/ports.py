"""MIDI ports by name, over ALSA, JACK, CoreMIDI or Windows, reopened when they come back."""

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

rtmidi: Any = _rtmidi  # untyped

log = logging.getLogger("eutectic.midi")

SCAN_SECONDS = 2.0
"""Between scans of the ports."""

POLL_SECONDS = 0.002
"""Between polls for messages; rtmidi's callbacks can arrive, and crash, after cancellation."""

CLIENT = "Eutectic"


class Ports:
    """A controller's input and output, opened and closed by a thread of their own.

    That thread calls `receive` with each message, and `opened` when it has opened a port.
    """

    def __init__(
        self, name: str, receive: Callable[[list[int]], None], opened: Callable[[], None]
    ) -> None:
        self._name, self._receive, self._opened = name, receive, opened
        self._out: Any = None
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="midi", daemon=True)
        self._thread.start()

    def send(self, data: list[int]) -> None:
        """Send a message, if the controller is connected."""
        out = self._out
        if out is not None:
            with contextlib.suppress(rtmidi.SystemError, ValueError):
                out.send_message(data)

    def close(self) -> None:
        """Close the ports."""
        self._leave.set()
        self._thread.join()

    def _watch(self) -> None:
        warned = False
        while not self._leave.is_set():
            for api in _systems():
                if self._serve(api):
                    warned = False
            if not warned:
                names = ", ".join(input_names()) or "none"
                log.warning("no MIDI input matches %r; available: %s", self._name, names)
                warned = True
            self._leave.wait(SCAN_SECONDS)

    def _serve(self, api: int) -> bool:
        """Use the ports of this name for as long as they exist; false if they don't."""
        try:
            midi_in, midi_out = rtmidi.MidiIn(api, CLIENT), rtmidi.MidiOut(api, CLIENT)
        except rtmidi.SystemError:  # this system isn't running
            return False
        try:
            index = _find(midi_in, self._name)
            if index is None:
                return False
            port = midi_in.get_port_name(index)
            midi_in.ignore_types(sysex=True, timing=True, active_sense=True)
            midi_in.open_port(index, "in")
            log.info("MIDI: %s connected", port)
            self._opened()
            while _find(midi_in, self._name) is not None:
                self._open_output(midi_out)
                if self._poll(midi_in):
                    return True
            log.info("MIDI: %s disconnected", port)
            return True
        except rtmidi.SystemError as error:
            log.warning("MIDI: %s", error)
            return False
        finally:
            self._out = None
            midi_in.delete()
            midi_out.delete()

    def _open_output(self, midi_out: Any) -> None:
        """Open the output, which may appear later than the input, or never."""
        if self._out is None and (index := _find(midi_out, self._name)) is not None:
            midi_out.open_port(index, "out")
            self._out = midi_out
            self._opened()

    def _poll(self, midi_in: Any) -> bool:
        """Pass messages on until the next scan; true if it is time to close."""
        end = time.monotonic() + SCAN_SECONDS
        while time.monotonic() < end:
            while event := midi_in.get_message():
                self._receive(event[0])
            if self._leave.wait(POLL_SECONDS):
                return True
        return False


@ctypes.CFUNCTYPE(None, ctypes.c_char_p)
def _ignore(_text: bytes) -> None:
    pass


@functools.cache
def _quieten_jack() -> None:
    """Keep rtmidi's copy of JACK's library from printing an error at every scan."""
    with contextlib.suppress(OSError, AttributeError):
        mapped = Path("/proc/self/maps").read_text().split()
        for path in {each for each in mapped if Path(each).name.startswith("libjack")}:
            ctypes.CDLL(path).jack_set_error_function(_ignore)


def _systems() -> list[int]:
    """The MIDI systems to try; ALSA only where it exists, else it prints errors."""
    _quieten_jack()
    compiled = rtmidi.get_compiled_api()
    alsa = Path("/dev/snd/seq").exists()
    return [api for api in compiled if alsa or api != rtmidi.API_LINUX_ALSA]


def input_names() -> list[str]:
    """Names of all MIDI inputs."""
    names: list[str] = []
    for api in _systems():
        with contextlib.suppress(rtmidi.SystemError):
            midi_in = rtmidi.MidiIn(api, CLIENT)
            names += midi_in.get_ports()
            midi_in.delete()
    return names


def _find(ports: Any, name: str) -> int | None:
    """Index of the first port with `name` in its name, except our own."""
    for index, each in enumerate(ports.get_ports()):
        if name.lower() in each.lower() and not each.startswith(CLIENT):
            return index
    return None
