"""The examples for Pure Data as sound: played by a real daemon, recorded through JACK."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import pd
from daemons import daemon, silenced, until
from eutectic.client.daemon_process import Daemon, status
from eutectic.client.sync import Client
from eutectic.experiments.live.clicks import LIMIT_DB, click_db
from eutectic.experiments.live.jack_server import RATE_HZ, Jack
from eutectic.session import kept
from pd import Pd, no_complaint
from planted import plant
from takes import PERIOD, take

pytestmark = pytest.mark.realtime

EXAMPLES = pd.FOLDER / "examples"
BLENDS = [k / 8 for k in range(9)]
TONE_HZ = 220
BEATS = """#N canvas 0 0 300 260 12;
#X declare -path {folder};
#X obj 20 20 eutectic;
#X obj 20 50 r do.tempo;
#X obj 20 80 eutectic.tempo;
#X obj 20 110 bang;
#X obj 20 140 del 100;
#X msg 20 170 fuse tick drone @blend 0.5 @loop 0 @quantise 1;
#X obj 20 200 eutectic.voice 1;
#X connect 1 0 2 0;
#X connect 2 0 3 0;
#X connect 3 0 4 0;
#X connect 4 0 5 0;
#X connect 5 0 6 0;
"""
"""Asks for a short sound on the next beat, a tenth of a second after each."""

FUSED = [("glass", "drone"), ("bell", "hum"), *((str(pad), "1") for pad in range(1, 9))]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    """What the examples fuse is ready, as tones that are louder nearer the reference.

    So no model's noise hides a click. At another recall, the model renders what is played.
    """
    folder = tmp_path_factory.mktemp("stage")
    with Jack(PERIOD), daemon(folder, "--rate", str(RATE_HZ), device="system") as process:
        with process.client() as client:
            client.request("/clip/load", "glass", "ambi_glass_rub.flac")
            client.request("/clip/load", "tick", "perc_bell.flac", "@duration", 1)
            client.request("/clip/load", "drone", "loop_drone_g_97.flac", "@duration", 4)
            client.request("/clip/load", "bell", "perc_bell.flac", "@duration", 2)
            client.request("/clip/load", "hum", "ambi_haunted_hum.flac", "@duration", 4)
            client.request("/reference/remember", "drone", "drone", "warm low drone")
            client.request("/reference/remember", "hum", "hum", "haunted hum")
            client.request("/preset/load", "pads")
            client.request("/session/save", "keys")
        session = kept.read(process.data / "sessions" / "keys.toml")
        clips = {each.name: each for each in session.clips}
        references = {each.name: each for each in session.references}
        for clip, reference in [("tick", "drone"), *FUSED]:
            rates_hz = (RATE_HZ, clips[clip].rate_hz)  # the device's, and of files the model's
            known = references[reference]
            recall = None if known.spec.settings else 1.0
            asyncio.run(plant(process.data, clips[clip], known, TONE_HZ, BLENDS, rates_hz,
                              recall=recall,
                              fades_seconds=0.03 if clip == "tick" else np.inf))  # fmt: skip
        yield process
        assert "Traceback" not in process.log


@pytest.fixture
def player(stage: Daemon) -> Generator[Client]:
    with silenced(stage) as client:
        yield client


def sounding(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without what is before its ports were joined, and 10 ms after."""
    return samples[np.flatnonzero(samples[:, 0])[0] + RATE_HZ // 100 :]


def level(samples: NDArray[np.float32]) -> float:
    """Peak; of a planted tone 0.4 at the reference to 0.2 at the original."""
    return float(np.abs(samples).max())


def spectrum(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Share of each tenth of an octave's power, from 40 Hz up."""
    power = np.abs(np.fft.rfft(samples.mean(axis=1))) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    bands = np.floor(10 * np.log2(np.maximum(hz, 40) / 40)).astype(int)
    whole = np.bincount(bands, power)
    return whole / whole.sum()


def example(folder: Path, stage: Daemon, name: str, audio: bool = False) -> Pd:
    jack = ("-jack", "-nojackconnect", "-r", str(RATE_HZ), "-outchannels", "2")
    return Pd(folder, EXAMPLES / f"{name}.pd", port=stage.port, audio=jack if audio else ())


def test_two_knobs_move_a_voice_without_a_click(
    stage: Daemon, player: Client, tmp_path: Path
) -> None:
    with example(tmp_path, stage, "two-knob-fusion") as patch:
        patch.send("eutectic.knob.1", 0)
        patch.send("eutectic.prepare", "bang")
        until(lambda: not status(player)["voices"].startswith("none"))
        player.request("/fan", "glass", "drone", 9)

        def turn() -> None:
            for step in range(33):
                patch.send("eutectic.knob.1", step / 32)
                time.sleep(0.03)
            time.sleep(0.3)

        samples = take(tmp_path, turn)
        quarter = RATE_HZ // 4
        assert level(samples[-quarter:]) == pytest.approx(0.2, rel=0.1)
        assert level(samples) > 0.3
        assert click_db(samples, RATE_HZ) < LIMIT_DB
        no_complaint(patch.said)


def test_both_knobs_change_what_the_model_makes(
    stage: Daemon, player: Client, tmp_path: Path
) -> None:
    with example(tmp_path, stage, "two-knob-fusion") as patch:
        patch.send("eutectic.prepare", "bang")
        until(lambda: not status(player)["voices"].startswith("none"))
        patch.send("eutectic.knob.2", 0.25)
        player.request("/fan", "glass", "drone", 5, "@recall", 0.25)
        heard: list[NDArray[np.float64]] = []
        for blend in (0.0, 1.0):
            patch.send("eutectic.knob.1", blend)
            time.sleep(0.4)
            samples = take(tmp_path, lambda: time.sleep(2.2))
            assert level(samples) > 0.02
            heard.append(spectrum(samples))
        # 1.94 here, of 2 at most; two recordings of one sound differ by 0.11
        assert np.abs(heard[0] - heard[1]).sum() > 1
        no_complaint(patch.said)


def test_eight_pads_play_four_voices(stage: Daemon, player: Client, tmp_path: Path) -> None:
    with example(tmp_path, stage, "eight-pads") as patch:
        patch.send("eutectic.prepare", "bang")
        patch.send("eutectic.reference", 0)
        until(lambda: len(re.findall(r"/preset/load \d{4,} .*: done", stage.log)) > 0)

        def press() -> None:
            for pad in range(1, 9):
                patch.send(f"eutectic.pad.{pad}", "bang")
                time.sleep(0.25)
            until(lambda: status(player)["voices"].startswith("4 of 4"))
            player.send("/stop", 1)
            time.sleep(0.2)

        samples = take(tmp_path, press)
        assert level(samples) > 0.3
        assert click_db(samples, RATE_HZ) < LIMIT_DB
        no_complaint(patch.said)


def test_steps_come_in_time_and_at_their_blends(
    stage: Daemon, player: Client, tmp_path: Path
) -> None:
    """Eight steps of 300 ms; those below zero leave what rings alone."""
    with example(tmp_path, stage, "step-sequencer") as patch:
        patch.send("eutectic.prepare", "bang")
        until(lambda: re.search(r"/fan \d{4,} .*: done", stage.log) is not None)

        def run() -> None:
            patch.send("eutectic.step-ms", 300)
            patch.send("eutectic.run", 1)
            time.sleep(2.9)
            patch.send("eutectic.run", 0)
            player.send("/stop", 1, 30)
            time.sleep(0.3)

        samples = take(tmp_path, run)
        assert click_db(samples, RATE_HZ) < LIMIT_DB
        began = int(np.argmax(np.abs(samples).max(axis=1) > 0.05))
        step = round(0.3 * RATE_HZ)
        middles = [began + round((k + 0.5) * step) for k in range(8)]
        near = RATE_HZ // 50
        levels = [level(samples[at - near : at + near]) for at in middles]
        blends = [1, 1, 0.5, 0.25, 0.25, 0.75, 0, 0.5]
        assert levels == pytest.approx([0.4 - 0.2 * blend for blend in blends], rel=0.1)
        no_complaint(patch.said)


def test_grains_of_a_rendered_fusion_are_played_by_pd(stage: Daemon, tmp_path: Path) -> None:
    with example(tmp_path, stage, "granular", audio=True) as patch:
        patch.send("eutectic.prepare", "bang")
        until(lambda: len(re.findall(r"/render \d{4,} .*: done", stage.log)) > 0)
        patch.send("eutectic.grain.on", 1)
        heard: list[float] = []
        for blend in (0.0, 1.0):
            done = len(re.findall(r"/render \d{4,} .*: done", stage.log))
            patch.send("eutectic.blend", blend)
            patch.send("eutectic.render", "bang")
            until(lambda done=done: len(re.findall(r"/render \d{4,} .*: done", stage.log)) > done)
            time.sleep(0.5)

            def move() -> None:
                for step in range(20):
                    patch.send("eutectic.grain.position", 0.1 + step / 40)
                    patch.send("eutectic.grain.size", 60 + 10 * step)
                    time.sleep(0.05)

            samples = sounding(take(tmp_path, move, "pure_data"))
            heard.append(float(np.sqrt(np.mean(samples**2))))
            assert click_db(samples, RATE_HZ) < LIMIT_DB
        assert heard[0] == pytest.approx(2 * heard[1], rel=0.3) and heard[1] > 0.01


def test_what_waits_for_a_beat_is_heard_on_it(
    stage: Daemon, player: Client, tmp_path: Path
) -> None:
    path = tmp_path / "beats.pd"
    path.write_text(BEATS.format(folder=pd.FOLDER))
    bpm = 120
    with Pd(tmp_path, path, port=stage.port) as patch:
        patch.send("do.tempo", bpm)
        until(lambda: not status(player)["voices"].startswith("none"))
        samples = np.abs(take(tmp_path, lambda: time.sleep(6))).max(axis=1)
        no_complaint(patch.said)
    loud = np.flatnonzero(samples > 0.1)
    onsets = loud[1:][np.diff(loud) > RATE_HZ // 10]  # the first may have begun before the take
    beat = 60 * RATE_HZ / bpm
    assert len(onsets) >= 10
    off = onsets - onsets[0] - beat * np.arange(len(onsets))
    assert np.abs(off).max() < RATE_HZ / 1000  # 0 here; up to 25 ms without @quantise
