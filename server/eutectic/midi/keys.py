"""A controller's keyboard: keys that no map binds play a voice, with pedal and pitch wheel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eutectic.midi.maps import Keyboard
from eutectic.midi.messages import Event

SUSTAIN = 64
"""The pedal's control change; from DOWN on it holds notes."""

DOWN = 64

ALL_OFF = (120, 123)
"""All sound off, and all notes off."""

Key = tuple[int, int]
"""A channel and a note."""


class Keys:
    """What is played on a keyboard; owned by the event loop.

    `send` is called with requests: an address and its values.
    """

    def __init__(self, send: Callable[[str, tuple[Any, ...]], None]) -> None:
        self._send = send
        self._down: dict[Key, int] = {}
        """Keys that sound and are down, and the voices they play, as they were asked for."""
        self._held: dict[Key, int] = {}
        """Those that sound on, held by the pedal."""
        self._pedals: set[int] = set()
        """Channels whose pedal is down."""
        self._bent: int | None = None
        """The voice that a wheel has bent, as it was asked for."""

    def take(self, event: Event, keyboard: Keyboard) -> None:
        """Play what a keyboard sends; what is no key, pedal or wheel of it is passed over."""
        if keyboard.channel not in (0, event.channel):
            return
        match event.kind:
            case "note" if event.raw:
                self._strike((event.channel, event.number), event.raw, keyboard.voice)
            case "note":
                self._let_go((event.channel, event.number))
            case "cc" if event.number == SUSTAIN:
                self._tread(event.channel, event.raw >= DOWN)
            case "cc" if event.number in ALL_OFF:
                self.release(event.channel)
            case "pitch":
                semitones = keyboard.bend * (16383 * event.position - 8192) / 8192
                self._bent = keyboard.voice
                self._send("/voice/set", (keyboard.voice, "bend", semitones))
            case _:
                pass

    def leave(self) -> None:
        """Let all keys, pedals and wheels go."""
        self.release()
        if self._bent is not None:
            self._send("/voice/set", (self._bent, "bend", 0.0))
            self._bent = None

    def release(self, channel: int | None = None) -> None:
        """Let all keys of a channel go, or all of them: no pedal is down any more."""
        self._pedals = {each for each in self._pedals if channel not in (None, each)}
        for keys in (self._down, self._held):
            for key in [key for key in keys if channel in (None, key[0])]:
                self._end(key, keys.pop(key))

    def _strike(self, key: Key, velocity: int, voice: int) -> None:
        self._held.pop(key, None)
        self._down[key] = voice
        self._send("/note", (voice, key[1], velocity))

    def _let_go(self, key: Key) -> None:
        voice = self._down.pop(key, None)
        if voice is None:
            return
        if key[0] in self._pedals:
            self._held[key] = voice
        else:
            self._end(key, voice)

    def _tread(self, channel: int, down: bool) -> None:
        if down:
            self._pedals.add(channel)
            return
        self._pedals.discard(channel)
        for key in [key for key in self._held if key[0] == channel]:
            self._end(key, self._held.pop(key))

    def _end(self, key: Key, voice: int) -> None:
        self._send("/note", (voice, key[1], 0))
