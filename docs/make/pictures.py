"""The pictures on these pages: of the stage page, a gallery and Pd's patches, in few colours.

    python tests/page/screenshots.py FOLDER
    python tests/rendering/screenshots.py RENDERS FOLDER
    python tests/plugin_bridge/screenshots.py FOLDER
    python docs/make/pictures.py FOLDER

The first three commands play the page, what `eutectic render` wrote, and the patches, and take
their pictures; this one keeps those that the pages show.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

PICTURES = Path(__file__).parents[1] / "pictures"
SHOWN = {
    "desk-playing": "page", "phone-pads": "page-phone", "two-knob-fusion": "pd-two-knob-fusion",
    "eight-pads": "pd-eight-pads", "step-sequencer": "pd-step-sequencer",
    "played": "pd-played",
    "gallery-laptop-grid-dark": "gallery",
}  # fmt: skip
"""Files here, by what those commands call them."""

COLOURS = {"gallery": 128, "page": 128, "page-phone": 128}
FEW = 64


def main(folder: Path) -> None:
    """Write every picture that was taken."""
    PICTURES.mkdir(exist_ok=True)
    for taken, shown in SHOWN.items():
        path = folder / f"{taken}.png"
        if path.exists():
            with Image.open(path) as picture:
                small = picture.convert("RGB").quantize(COLOURS.get(shown, FEW))
                small.save(PICTURES / f"{shown}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
