"""Which clocks there are, and how Ableton Link's is read and set."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from eutectic.session import clocks
from eutectic.session.tickets import Refused


class Peer:
    """What of `aalink.Link` is used."""

    def __init__(self, bpm: float) -> None:
        self.tempo, self.beat, self.playing = bpm, 0.0, False
        self.enabled = self.start_stop_sync_enabled = False
        self.requested: list[float] = []

    def request_beat(self, beat: float) -> None:
        self.requested.append(beat)


@pytest.fixture
def link(monkeypatch: pytest.MonkeyPatch) -> tuple[clocks.LinkClock, Peer]:
    monkeypatch.setitem(sys.modules, "aalink", SimpleNamespace(Link=Peer))
    clock = clocks.LinkClock(123.0)
    return clock, clock._link  # type: ignore


def test_a_peer_of_link_has_its_tempo_and_its_beat(link: tuple[clocks.LinkClock, Peer]) -> None:
    clock, peer = link
    assert peer.enabled and clock.reading().bpm == 123.0
    peer.tempo, peer.beat = 99.0, 17.25
    assert (clock.reading().bpm, clock.reading().beat) == (99.0, 17.25)
    clock.set(140.0, 4.0, None)
    assert peer.tempo == 140.0 and peer.requested == [4.0]
    clock.close()
    assert not peer.enabled


def test_beats_run_until_a_peer_stops_them(link: tuple[clocks.LinkClock, Peer]) -> None:
    """A session of Link in which nobody has pressed play yet has beats all the same."""
    clock, peer = link
    assert clock.reading().running
    for playing in (True, False, True):
        peer.playing = playing
        assert clock.reading().running == playing
    clock.set(None, None, False)
    assert not peer.playing and not clock.reading().running


@pytest.mark.parametrize("source", ["sundial", "link up", "internal clock", ""])
def test_another_clock_is_refused(source: str) -> None:
    with pytest.raises(Refused) as refused:
        clocks.opened(source, 120.0)
    assert refused.value.code == "no_clock"


def test_without_its_library_link_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(Refused, match="pip install"):
        clocks.opened("link", 120.0)


def test_an_input_that_isn_t_there_is_refused_and_those_that_are_named() -> None:
    with pytest.raises(Refused, match="no MIDI input matches 'nowhere'; available: "):
        clocks.check("midi nowhere")
    clocks.check("internal")
