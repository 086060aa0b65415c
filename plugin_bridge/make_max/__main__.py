"""Write the Max package: `python plugin_bridge/make_max [FOLDER]`, or `make max`."""

from __future__ import annotations

import json
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import abstractions
import connection
import examples
import helps
import live

HERE = Path(__file__).resolve().parents[1] / "max"

INFO = {
    "name": "Eutectic",
    "displayname": "Eutectic",
    "version": version("eutectic"),
    "author": "the Eutectic authors",
    "description": "Fuses two sounds into a third, live. Needs Eutectic's daemon, on this machine "
    "or another; uses stock objects only.",
    "tags": ["audio", "OSC", "machine learning", "sampling"],
    "extensible": 0,
    "max_version_min": "8.5.0",
    "max_version_max": "none",
    "os": {"macintosh": {"platform": ["x64", "aarch64"]}, "windows": {"platform": ["x64"]}},
    "package_extra": {"reverse_domain": ""},
}


def main(folder: Path) -> None:
    """Write the whole package, except its README."""
    files = {
        "patchers/eutectic.maxpat": connection.connection,
        "help/eutectic.maxhelp": helps.connection,
        "extras/Eutectic.maxpat": examples.overview,
        "examples/Eutectic for Live.maxpat": live.device,
    }
    for name in ("voice", "clip", "reference", "buffer", "keys", "tempo"):
        files[f"patchers/eutectic.{name}.maxpat"] = getattr(abstractions, name)
        files[f"help/eutectic.{name}.maxhelp"] = getattr(helps, name)
    for name, (_, make) in examples.EXAMPLES.items():
        files[f"examples/{name}.maxpat"] = make
    for name, make in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make().text(), encoding="utf-8")
    text = json.dumps(INFO, indent=4, ensure_ascii=False) + "\n"
    (folder / "package-info.json").write_text(text, encoding="utf-8")
    shutil.copyfile(HERE.parents[1] / "LICENSE", folder / "license.txt")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
