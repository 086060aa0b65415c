"""The pictures of Pd's patches on these pages, small.

    python tests/plugin_bridge/screenshots.py FOLDER
    python docs/make/pictures.py FOLDER

The first command plays the patches against a daemon and takes their pictures; this one keeps those
that the pages show, in few colours.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

PICTURES = Path(__file__).parents[1] / "pictures"
SHOWN = ("two-knob-fusion", "eight-pads", "step-sequencer")
COLOURS = 64


def main(folder: Path) -> None:
    """Write every picture."""
    PICTURES.mkdir(exist_ok=True)
    for name in SHOWN:
        with Image.open(folder / f"{name}.png") as taken:
            small = taken.convert("RGB").quantize(COLOURS)
            small.save(PICTURES / f"pd-{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
