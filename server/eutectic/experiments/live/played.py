"""Rows of what is played, not only triggered: grabs, beats, notes, a second axis."""

from __future__ import annotations

import time

import numpy as np

from eutectic.client.sync import Client
from eutectic.experiments.live.jack_server import RATE_HZ
from eutectic.experiments.live.stand import Part, Stand, noise, wait_until
from eutectic.osc.answers import VoiceAxis

GRABS, NOTES, BEATS, SCRUBS = 12, 40, 24, 20
GRAB_SECONDS = 1.5
BPM = 120.0
REMEMBERED = ("@recall", 1.0)
READY_SECONDS = 60.0


def _grabbed(stand: Stand) -> tuple[str, list[float]]:
    """Play a sound, grab it and fuse it: from its end to the fusion's first sample."""
    client, ends = stand.client, list[float]()
    with stand.recorded() as recorded:
        for number in range(GRABS):
            end = stand.instrument.play(noise(GRAB_SECONDS)) + GRAB_SECONDS
            wait_until(end)
            client.begin("/clip/grab", f"g{number}", GRAB_SECONDS)
            client.request("/fuse", 1, f"g{number}", "r", *REMEMBERED)
            time.sleep(0.1)
            client.send("/stop", 1, 20.0)
            time.sleep(0.3)
            ends.append(end)
    return "the end of playing to its fusion, grabbed", recorded.onsets(ends)


def _on_the_grid(stand: Stand) -> tuple[str, list[float]]:
    """Trigger a ready fusion at any time, for the next beat: how far it is off the others' grid."""
    client, sent = stand.client, list[float]()
    client.request("/fuse", 1, "o", "r", "@blend", 0.8)
    client.send("/stop", 1)
    client.send("/tempo", BPM, 0.0)
    client.send("/tempo/run", 1)
    time.sleep(1.0)
    generator = np.random.default_rng(0)
    with stand.recorded() as recorded:
        for _ in range(BEATS):
            time.sleep(float(generator.uniform(0, 60 / BPM)))
            sent.append(time.monotonic())
            client.request("/fuse", 1, "o", "r", "@blend", 0.8, "@quantise", 1.0)
            time.sleep(60 / BPM)
            client.send("/stop", 1, 10.0)
            time.sleep(0.3)
    beat = 60 / BPM * RATE_HZ
    starts = [recorded.recording.frame(at) + ms * RATE_HZ / 1000
              for at, ms in zip(sent, recorded.onsets(sent), strict=True)]  # fmt: skip
    phases = np.exp(2j * np.pi * np.array(starts) / beat)
    places = np.angle(phases / phases.mean()) / (2 * np.pi) * beat
    off = np.abs(places - np.median(places))  # a lost period moves all that follow it
    return "a beat to what was quantised to it, apart", list(1000 * off / RATE_HZ)


def _note(stand: Stand) -> tuple[str, list[float]]:
    """A note of what a voice has played: from the datagram to its first sample."""
    client, sent = stand.client, list[float]()
    client.request("/fuse", 1, "o", "r", "@blend", 0.8)
    client.send("/stop", 1)
    time.sleep(1.0)
    with stand.recorded() as recorded:
        for number in range(NOTES):
            note = 48 + number % 24
            sent.append(time.monotonic())
            client.send("/note", 1, note, 100)
            time.sleep(0.1)
            client.send("/note", 1, note, 0)
            time.sleep(0.35)
    return "a note's first sample", recorded.onsets(sent)


def _scrubbed_y(stand: Stand) -> tuple[str, list[float]]:
    """A pad with the tone below and the noise above: half of the way of a scrub along y."""
    client, sent = stand.client, list[float]()
    client.notify()
    client.send("/pad/xy", 1, "o:r:0", "o:r:0", "o:r:1", "o:r:1", "@loop", 1)
    client.send("/scrub", 1, 0.5, 0.0)
    _wait_for_corners(client)
    with stand.recorded() as recorded:
        time.sleep(0.5)
        for number in range(SCRUBS):
            sent.append(time.monotonic())
            client.send("/scrub", 1, 0.5, float(1 - number % 2))
            time.sleep(0.5)
    return "half of a scrub's way along y", recorded.half_ways(sent)


def _wait_for_corners(client: Client) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        answer = client.receive(until - time.monotonic())
        if isinstance(answer, VoiceAxis) and answer.of and answer.ready == answer.of:
            return
    raise TimeoutError("the corners of a pad aren't ready")


def _undone(stand: Stand) -> tuple[str, list[float]]:
    """Fuse to the tone, then to the noise; half of the way back, and forth again."""
    client, sent = stand.client, list[float]()
    for blend in (0.0, 1.0):
        client.request("/fuse", 1, "o", "r", "@blend", blend, "@loop", 1)
        time.sleep(1.0)
    with stand.recorded() as recorded:
        time.sleep(0.5)
        for number in range(SCRUBS):
            sent.append(time.monotonic())
            client.send("/redo" if number % 2 else "/undo", 1)
            time.sleep(0.5)
    return "half of an undo's way", recorded.half_ways(sent)


def _favourite(stand: Stand) -> tuple[str, list[float]]:
    """A favourite: from the datagram to its first sample."""
    client, sent = stand.client, list[float]()
    client.request("/fuse", 1, "o", "r", "@blend", 0.8)
    client.keep_favourite("kept", 1)
    client.send("/stop", 1)
    time.sleep(1.0)
    with stand.recorded() as recorded:
        for _ in range(NOTES):
            sent.append(time.monotonic())
            client.play_favourite("kept", 1)
            time.sleep(0.1)
            client.send("/stop", 1, 20.0)
            time.sleep(0.35)
    return "a favourite's first sample", recorded.onsets(sent)


PARTS: list[Part] = [_grabbed, _on_the_grid, _note, _scrubbed_y, _undone, _favourite]
