"""Pictures of the Pd patches: with a daemon, without one, and with a file that is missing.

`python tests/plugin_bridge/screenshots.py FOLDER` writes them as PNG. They are for the eye: no test
needs them. It needs Debian's puredata-gui, xvfb, xdotool and imagemagick.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

import pd
from daemons import daemon, until
from eutectic.client.daemon_process import Daemon
from eutectic.client.sync import Client
from pd import Pd

DISPLAY = ":72"
SETTLE_SECONDS = 2.5
"""After which what was asked for is drawn, and a missing daemon is noticed."""

Act = Callable[[Pd], None]


@contextmanager
def screen() -> Generator[None]:
    """A display that nobody sees."""
    command = ["Xvfb", DISPLAY, "-screen", "0", "1600x1200x24"]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    os.environ["DISPLAY"] = DISPLAY
    try:
        time.sleep(1)
        yield
    finally:
        server.terminate()
        server.wait()


def picture(patch: Path, port: int, act: Act, path: Path) -> None:
    """Open a patch, act, and save what its window shows."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Pd(Path(folder), patch, port=port, window=True) as running,
    ):
        until(lambda: bool(_windows(patch.name)))
        time.sleep(1)
        act(running)
        time.sleep(SETTLE_SECONDS)
        (window, *_) = _windows(patch.name)
        subprocess.run(["import", "-window", window, str(path)], check=True)
        print(path, *running.said, sep="\n  ")


def _windows(title: str) -> list[str]:
    found = subprocess.run(
        ["xdotool", "search", "--name", f"^{title}"], capture_output=True, text=True, check=False
    )
    return found.stdout.split()


def pressing(*names: str) -> Act:
    """Press buttons, one after another."""

    def act(running: Pd) -> None:
        for name in names:
            running.send(name, "bang")
            time.sleep(1.5)

    return act


def knobs_moved_elsewhere(client: Client) -> Act:
    """Play, then let another client move the voice's knobs."""

    def act(running: Pd) -> None:
        pressing("eutectic.prepare", "eutectic.play")(running)
        client.send("/scrub", 1, 0.9)
        client.send("/voice/set", 1, "gain", -30)
        client.send("/voice/set", 1, "recall", 0.3)

    return act


PRESSED = {
    "two-knob-fusion": ("eutectic.prepare", "eutectic.play"),
    "eight-pads": ("eutectic.prepare", "eutectic.pad.1", "eutectic.pad.2"),
    "step-sequencer": ("eutectic.prepare",),
    "granular": ("eutectic.prepare",),
    "played": ("eutectic.prepare", "eutectic.fuse"),
}
"""Buttons of each example."""


def without_files(folder: Path) -> dict[str, Path]:
    """The examples, copied, and loading files that aren't there."""
    shutil.copytree(pd.FOLDER, folder)
    copies = {name: folder / "examples" / f"{name}.pd" for name in PRESSED}
    for path in copies.values():
        text = path.read_text()
        path.write_text(text.replace("glass_rub", "glass_rab").replace("perc_bell", "perc_bull"))
    return copies


def all_pictures(folder: Path) -> None:
    """Write every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    examples = {name: pd.FOLDER / "examples" / f"{name}.pd" for name in PRESSED}
    with tempfile.TemporaryDirectory() as data, screen():
        process = daemon(Path(data))
        with process, process.client() as client:
            _with_a_daemon(process, client, examples, folder, Path(data))
        for name, patch in examples.items():
            act = pressing(*PRESSED[name][:1])
            picture(patch, process.port, act, folder / f"{name}-without-a-daemon.png")


def _with_a_daemon(
    process: Daemon, client: Client, examples: dict[str, Path], folder: Path, data: Path
) -> None:
    missing = without_files(data / "pd")
    pads = pressing("eutectic.pad.1", "eutectic.pad.2")
    picture(examples["eight-pads"], process.port, pads, folder / "eight-pads-unprepared.png")
    for name, patch in examples.items():
        act = pressing(*PRESSED[name])
        if name not in ("eight-pads", "played"):  # their files are the preset's
            picture(missing[name], process.port, act, folder / f"{name}-file-missing.png")
        picture(patch, process.port, act, folder / f"{name}.png")
        client.send("/panic")
    act = knobs_moved_elsewhere(client)
    moved = folder / "two-knob-fusion-moved-elsewhere.png"
    picture(examples["two-knob-fusion"], process.port, act, moved)


if __name__ == "__main__":
    all_pictures(Path(sys.argv[1]))
