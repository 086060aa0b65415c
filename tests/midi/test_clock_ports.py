"""A real daemon whose beats follow a MIDI clock through JACK, and are sent on as one."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rtmidi as _rtmidi

from daemons import daemon, fails, until, wait_for
from eutectic.experiments.live.jack_server import Jack
from eutectic.midi.clock import CONTINUE, START, STOP, TICK, TICKS
from eutectic.osc.answers import Fail, Tempo

rtmidi: Any = _rtmidi  # untyped

pytestmark = pytest.mark.realtime


class Sequencer:
    """Sends a clock of its own, and takes what is sent to it; `began` is the time of beat 0."""

    def __init__(self, bpm: float) -> None:
        self.bpm, self.began = bpm, 0.0
        self.received: list[tuple[float, int]] = []
        self._out = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="sequencer")
        self._out.open_virtual_port("clock")
        self._in = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name="follower")
        self._in.ignore_types(timing=False)
        self._in.open_virtual_port("in")
        self._leave = threading.Event()
        self._threads = [threading.Thread(target=each) for each in (self._send, self._receive)]
        for each in self._threads:
            each.start()

    def send(self, kind: int) -> None:
        self._out.send_message([kind])

    def beat(self) -> float:
        return (time.monotonic() - self.began) * self.bpm / 60

    def close(self) -> None:
        self._leave.set()
        for each in self._threads:
            each.join()
        self._out.delete()
        self._in.delete()

    def _send(self) -> None:
        begin, number = time.monotonic(), 0
        while not self._leave.wait(
            max(0.0, begin + number * 60 / self.bpm / TICKS - time.monotonic())
        ):
            if number == 2 * TICKS:
                self.send(START)
                self._leave.wait(0.002)
                self.began = time.monotonic()
            self.send(TICK)
            number += 1

    def _receive(self) -> None:
        while not self._leave.wait(0.0005):
            while event := self._in.get_message():
                self.received.append((time.monotonic(), event[0][0]))


@pytest.fixture
def sequencer() -> Generator[Sequencer]:
    with Jack():
        each = Sequencer(126.0)
        yield each
        each.close()


def test_beats_follow_a_clock_and_are_sent_as_one(tmp_path: Path, sequencer: Sequencer) -> None:
    options = ("--clock", "midi:sequencer", "--clock-out", "follower")
    with daemon(tmp_path, *options) as process, process.client() as client:
        client.send("/notify", 1)
        found = wait_for(client, Tempo, lambda row: row.running == 1 and not row.state)
        assert found.clock == "midi sequencer"
        until(lambda: TICK in [kind for _, kind in sequencer.received])
        time.sleep(3.0)
        sequencer.received.clear()
        time.sleep(2.0)
        ticks = np.array([at for at, kind in sequencer.received if kind == TICK])
        assert np.mean(np.diff(ticks)) == pytest.approx(60 / 126 / TICKS, rel=0.03)
        # what is sent is on the sequencer's own ticks, within JACK's period and two polls
        beats = (ticks - sequencer.began) * 126 / 60 * TICKS
        off_ms = 1000 * (beats - np.round(beats)) * 60 / 126 / TICKS
        assert abs(np.median(off_ms)) < 8.0  # measured: 4 to 5, of two periods of 5.3 ms
        assert "follow midi sequencer" in _text(client, "/tempo", 90.0)
        sequencer.send(STOP)
        wait_for(client, Tempo, lambda row: row.running == 0)
        until(lambda: STOP in [kind for _, kind in sequencer.received])
        sequencer.send(CONTINUE)
        wait_for(client, Tempo, lambda row: row.running == 1)
        client.request("/tempo/clock", "internal")
        client.send("/tempo", 90.0)
        wait_for(client, Tempo, lambda row: row.bpm == 90.0 and row.clock == "internal")
        assert fails(client, "/tempo/clock", "midi", "nothing") == "no_clock"


def _text(client: Any, *message: Any) -> str:
    client.send(*message)
    return wait_for(client, Fail).text
