"""CONTRIBUTING.md shows the layers that import-linter checks, and names files that exist."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_picture_of_the_layers_is_the_contract() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (layers,) = (each["layers"] for each in contracts if each["name"] == "Imports run down only")
    (picture,) = re.findall(r"```\n(__main__.*?)```", TEXT, re.S)
    shown = [re.split(r"\s{2,}", line)[0] for line in picture.splitlines()]
    assert shown == [layer.replace("eutectic.", "") for layer in layers]


def test_every_module_and_folder_that_it_names_exists() -> None:
    words = set(re.findall(r"`([\w./]+?/[\w./]+)`", TEXT))
    paths = {word for word in words if not word.startswith("/")}
    for path in paths - {"presets/controllers/fader_box.toml"}:
        module = re.sub(r"\.[a-z_]+$", "", path) if not path.endswith((".py", ".json")) else path
        places = [
            ROOT / path,
            ROOT / f"server/eutectic/{path}",
            ROOT / f"server/eutectic/{module}.py",
        ]
        assert any(place.exists() for place in places), path


def test_every_make_target_that_it_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for line in re.findall(r"make ((?:[a-z]+ ?)+)", TEXT):
        for target in line.split():
            assert re.search(rf"^{target}:", makefile, re.M), target
