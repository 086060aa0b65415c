"""`eutectic demo`: fusions of recordings that ship, a pair that fuses well and one that doesn't."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from eutectic.config import LearnSettings, SamplingSettings
from eutectic.engine import window
from eutectic.engine.clips import Clip
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.experiments import pictures
from eutectic.files.shipped import presets_folder
from eutectic.link.protocol import Source
from eutectic.window import Window, at_blends, save_sounds

ORIGINAL, REFERENCE = "loop_weirdo", "loop_drone_g_97"
WORST = "loop_3d_printer", "perc_bell"
"""Original and reference of the pair of shipped clips that has the least balance to the ear."""

BLENDS = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True)
class Shown:
    """One pair's fusions: their figures, sounds and picture."""

    window: Window
    sounds: list[Path]
    picture: Path


@dataclass(frozen=True)
class Demo:
    """What the demo made, and the time each part took."""

    best: Shown
    worst: Shown
    seconds_learning: float
    seconds_fusing: float


def make(
    engine: Engine, folder: Path, learning: Watch = UNWATCHED, fusing: Watch = UNWATCHED
) -> Demo:
    """Fuse both pairs, draw and write them, the worst one in a subfolder.

    References are learned, from scratch, if the model's fusions use what is learned.
    """
    pairs = (ORIGINAL, REFERENCE), WORST
    clips = {name: _open(engine, name) for pair in pairs for name in pair}
    began = time.monotonic()
    references = {name: _refer(engine, name, clips[name], learning) for _, name in pairs}
    between = time.monotonic()
    windows = [
        window.measure(
            engine, clips[original], references[reference], at_blends(BLENDS),
            SamplingSettings(), watch=fusing,
        )
        for original, reference in pairs
    ]  # fmt: skip
    ended = time.monotonic()
    best, worst = (
        _show(made, place, pair)
        for made, place, pair in zip(windows, (folder, folder / "worst"), pairs, strict=True)
    )
    return Demo(best, worst, between - began, ended - between)


def _open(engine: Engine, name: str) -> Clip:
    return engine.open(Source(str(presets_folder("clips") / f"{name}.flac")))


def _refer(engine: Engine, name: str, clip: Clip, watch: Watch) -> Reference:
    prompt = name.replace("_", " ")
    if engine.model.defaults.recall == 1:
        return Reference(prompt, clip, None)
    learned = engine.learn(clip, prompt, LearnSettings(), watch=watch)
    return Reference(prompt, clip, learned.adapter)


def _show(made: Window, folder: Path, names: tuple[str, str]) -> Shown:
    folder.mkdir(exist_ok=True)
    picture = folder / "fusion.png"
    pictures.draw_window(made, picture, names)
    return Shown(made, save_sounds(made, folder), picture)
