"""The sounds of *Listen first*, their figures, and the tables that show both.

    python docs/make/sounds.py

writes `docs/sounds`, and the tables of `docs/listen.md` between their marks. The embedded model's
default is memory alone (`recall` 1), without noise or learning, so the sounds come out the same
every time.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

from eutectic.audio import Waveform
from eutectic.cli.loading import load_engine
from eutectic.config import SamplingSettings
from eutectic.engine import window
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.files.shipped import presets_folder
from eutectic.link.protocol import Source
from eutectic.window import Window, at_blends, values

DOCS = Path(__file__).parents[1]
SOUNDS, PAGE = DOCS / "sounds", DOCS / "listen.md"
FIGURES = SOUNDS / "figures.json"

BLENDS = (0.1, 0.3, 0.5, 0.7, 0.9)
MAX_SECONDS = 5.0
"""Of each source: enough to hear, little to carry."""
COMPRESSION = 0.62
"""Of MP3, 0 to 1: some 90 kbit/s, which every browser plays."""


@dataclass(frozen=True)
class Pair:
    """Two clips that ship, by name."""

    name: str
    original: str
    reference: str


PAIRS = (
    Pair("weirdo", "loop_weirdo", "loop_drone_g_97"),
    Pair("woosh", "ambi_dark_woosh", "ambi_haunted_hum"),
    Pair("printer", "loop_3d_printer", "perc_bell"),
)


def measure(engine: Engine, pair: Pair) -> Window:
    """A pair's fusions, with their likenesses as `eutectic window` reports them."""
    original, reference = (
        engine.open(Source(str(presets_folder("clips") / f"{name}.flac"), 0.0, MAX_SECONDS))
        for name in (pair.original, pair.reference)
    )
    remembered = Reference(pair.reference.replace("_", " "), reference, None)
    return window.measure(engine, original, remembered, at_blends(BLENDS), SamplingSettings())


def figures(made: Window) -> dict[str, Any]:
    """What the page says of a pair."""
    all_values = values(made)
    points = [
        {name: round(point[name], 2) for name in ("blend", "like_original", "like_reference")}
        for point in all_values["points"]
    ]
    crossing = all_values["crossing"]
    return {"points": points, "crossing": None if crossing is None else round(crossing, 2)}


def save(made: Window, pair: Pair) -> None:
    """Write original, reference and fusions as MP3."""
    sounds = {"original": made.original, "reference": made.reference} | {
        f"{round(100 * point.fusion.blend):03d}": point.fusion.waveform for point in made.points
    }
    for name, sound in sounds.items():
        _write(SOUNDS / f"{pair.name}-{name}.mp3", sound)


def _write(path: Path, sound: Waveform) -> None:
    soundfile.write(
        path, sound.samples.T, sound.rate_hz, format="MP3", subtype="MPEG_LAYER_III",
        bitrate_mode="VARIABLE", compression_level=COMPRESSION,
    )  # fmt: skip


def table(pair: Pair, found: dict[str, Any]) -> str:
    """A pair's sounds and figures as a table: players on the site, links on a code host."""
    lines = ["| | listen | like the original | like the reference |", "|---|---|---|---|"]
    lines.append(_row(f"the reference, `{pair.reference}`", pair, "reference", "", ""))
    for point in found["points"]:
        blend = point["blend"]
        likenesses = (f"{point[name]:.2f}" for name in ("like_original", "like_reference"))
        lines.append(_row(f"blend {blend}", pair, f"{round(100 * blend):03d}", *likenesses))
    lines.append(_row(f"the original, `{pair.original}`", pair, "original", "", ""))
    return "\n".join(lines)


def _row(what: str, pair: Pair, sound: str, *likenesses: str) -> str:
    path = f"sounds/{pair.name}-{sound}.mp3"
    player = f'<audio controls preload="none" src="{path}"><a href="{path}">{sound}</a></audio>'
    return f"| {what} | {player} | {' | '.join(likenesses)} |"


def with_tables(text: str, found: dict[str, Any]) -> str:
    """The page with each pair's table between its marks."""
    for pair in PAIRS:
        begin, end = f"<!-- {pair.name}: made by make/sounds.py -->", f"<!-- {pair.name}: end -->"
        pattern = re.escape(begin) + ".*?" + re.escape(end)
        made = f"{begin}\n{table(pair, found[pair.name])}\n{end}"
        text, count = re.subn(pattern, lambda _, made=made: made, text, flags=re.DOTALL)
        if count != 1:
            raise SystemExit(f"{PAGE}: there must be one {begin} with one {end} after it")
    return text


def main() -> None:
    """Make everything."""
    engine = load_engine("embedded", "cpu")
    SOUNDS.mkdir(exist_ok=True)
    found: dict[str, Any] = {}
    for pair in PAIRS:
        made = measure(engine, pair)
        save(made, pair)
        found[pair.name] = figures(made)
    FIGURES.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main()
