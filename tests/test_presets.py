"""Everything under presets is usable, and every clip is listed with its source."""

import re
from pathlib import Path

import pytest

from eutectic.audio import load_clip
from eutectic.experiments.demo import ORIGINAL, REFERENCE, clips_folder

FOLDER = Path(__file__).parents[1] / "presets" / "clips"
CLIPS = sorted(FOLDER.glob("*.flac"))


@pytest.mark.parametrize("path", CLIPS, ids=lambda path: path.stem)
def test_every_clip_loads_and_is_short(path: Path) -> None:
    assert 2 < load_clip(path, 44100, max_seconds=24).seconds < 12


def test_every_clip_is_listed_with_its_source_and_nothing_else_is() -> None:
    text = (FOLDER / "README.md").read_text()
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    assert [row[1].strip().strip("`") for row in rows] == [path.name for path in CLIPS]
    assert all("freesound.org/people/" in row[4] for row in rows)
    assert "CC0 1.0" in text


def test_the_demo_finds_its_clips() -> None:
    assert clips_folder() == FOLDER
    assert {ORIGINAL, REFERENCE} <= {path.stem for path in CLIPS}


def test_the_pictures_of_the_readme_are_there() -> None:
    root = FOLDER.parents[1]
    named = re.findall(r"!\[[^]]*\]\(([^)]+)\)", (root / "README.md").read_text())
    assert named
    assert all((root / name).read_bytes().startswith(b"\x89PNG") for name in named)
