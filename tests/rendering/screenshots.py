"""Pictures of a gallery: python tests/rendering/screenshots.py RENDERS FOLDER.

RENDERS is what `eutectic render -o RENDERS …` has written. Of a grid and a list, on a laptop and a
phone, dark and light.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from browsers import LAPTOP, chromium

SCREENS: dict[str, dict[str, Any]] = {
    "laptop": LAPTOP,
    "phone": {"viewport": {"width": 400, "height": 860}, "is_mobile": True, "has_touch": True},
}


def main(renders: Path, folder: Path) -> None:
    """Play a sound in each view, and take a picture."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name, options in SCREENS.items():
            for scheme in ("dark", "light"):
                page = browser.new_context(**(options | {"color_scheme": scheme})).new_page()
                page.goto((renders / "gallery.html").absolute().as_uri())
                for view in ("Grid", "List", "Map"):
                    button = page.locator(f".views button:has-text('{view}')")
                    if button.is_visible():
                        button.click()
                        page.evaluate(
                            "const made = view.order.filter((row) => !failed(row));"
                            "choose(made[Math.floor(made.length * .37)]); play(view.chosen)"
                        )
                        page.wait_for_function("audio.currentTime > .7")
                        page.screenshot(path=folder / f"gallery-{name}-{view.lower()}-{scheme}.png")
                page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
