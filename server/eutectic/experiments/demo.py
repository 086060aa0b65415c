"""`eutectic demo`: two shipped recordings, five fusions, one picture, one table."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from eutectic.config import LearnSettings, SamplingSettings
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.experiments import pictures, window
from eutectic.experiments.window import Window
from eutectic.files.shipped import presets_folder
from eutectic.link.protocol import Source

ORIGINAL, REFERENCE = "ambi_dark_woosh", "loop_3d_printer"
PROMPT = "mechanical printer, humming motors"
REFERENCE_SECONDS = 5.0
BLENDS = (0.05, 0.15, 0.3, 0.5, 0.75)


@dataclass(frozen=True)
class Demo:
    """What the demo made, and the time each part took."""

    window: Window
    sounds: list[Path]
    picture: Path
    seconds_learning: float
    seconds_fusing: float


def make(
    engine: Engine, folder: Path, learning: Watch = UNWATCHED, fusing: Watch = UNWATCHED
) -> Demo:
    """Learn the reference (always from scratch, for an honest time), fuse, draw and write."""
    clips = presets_folder("clips")
    original = engine.open(Source(str(clips / f"{ORIGINAL}.flac")))
    source = engine.open(
        Source(str(clips / f"{REFERENCE}.flac"), duration_seconds=REFERENCE_SECONDS)
    )
    began = time.monotonic()
    learned = engine.learn(source, PROMPT, LearnSettings(), watch=learning)
    between = time.monotonic()
    reference = Reference(PROMPT, source, learned.adapter)
    made = window.measure(
        engine, original, reference, window.at_blends(BLENDS), SamplingSettings(), watch=fusing
    )
    ended = time.monotonic()
    sounds = window.save_sounds(made, folder)
    picture = folder / "fusion.png"
    pictures.draw_window(made, picture, (ORIGINAL, REFERENCE))
    return Demo(made, sounds, picture, between - began, ended - between)
