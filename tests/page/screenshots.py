"""Pictures of the stage page in every state, with a real daemon and the model that ships.

`python tests/page/screenshots.py FOLDER` writes them as PNG: desk-*.png at 1440 × 900, phone-*.png
at 390 × 844. They are for the eye: no test needs them. It takes a few minutes.
"""

from __future__ import annotations

import contextlib
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

import psutil
from playwright.sync_api import Browser

from browsers import LAPTOP, PHONE, Screen, chromium, opened, until_voice
from eutectic.client.daemon_process import Daemon, until_ready
from eutectic.client.replies import RequestFailed
from eutectic.client.sync import Client
from pages import own_address, page_port

SETTLE_MS = 1500
"""After which what was asked for is drawn."""

CLIPS = {
    "glass": "ambi_glass_rub.flac", "weirdo": "loop_weirdo.flac", "bell": "perc_bell.flac",
    "printer": "loop_3d_printer.flac", "hum": "ambi_haunted_hum.flac",
    "lunar": "ambi_lunar_land.flac", "woosh": "ambi_dark_woosh.flac",
    "drone": "loop_drone_g_97.flac",
}  # fmt: skip
REFERENCES = {
    "drone": ("drone", "warm low drone"), "hum": ("hum", "haunted hum"),
    "printer": ("printer", "stepper motor"), "woosh": ("woosh", "dark air"),
}  # fmt: skip
PLAYED = [("glass", "drone", 0.5, -3), ("weirdo", "drone", 0.69, -6), ("lunar", "hum", 0.25, 0)]
READY = [
    ("weirdo", "drone", 9), ("bell", "drone", 5), ("printer", "drone", 5), ("woosh", "drone", 5),
    ("glass", "hum", 9), ("glass", "printer", 5), ("bell", "printer", 5), ("bell", "woosh", 5),
]  # fmt: skip

Act = Callable[[Screen], None]


def prepare(client: Client) -> None:
    """Eight clips, four references, three voices of which one has a fine fan."""
    until_ready(client)
    for name, path in CLIPS.items():
        client.request("/clip/load", name, path)
    for name, (clip, prompt) in REFERENCES.items():
        client.request("/reference/remember", name, clip, prompt)
    client.request("/fan", "glass", "drone", 17, timeout=300)
    for number, (original, reference, blend, gain_db) in enumerate(PLAYED, 1):
        client.send("/scrub", number, blend)
        client.send("/voice/set", number, "gain", gain_db)
        client.request("/fuse", number, original, reference, "@loop", 1)
    for original, reference, places in READY:
        client.request("/fan", original, reference, places, timeout=300)


def click(selector: str) -> Act:
    return lambda screen: screen(selector).click()


def nothing(_screen: Screen) -> None:
    pass


def fail(screen: Screen) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bad = Path(folder) / "no sound.wav"
        bad.write_bytes(b"nothing of the kind" * 40)
        screen.load(bad)
        screen(".tag.fault").wait_for()


def learn_midi(screen: Screen) -> None:
    box = screen.box(".field")
    screen.page.mouse.move(box["x"] + 200, box["y"] + 100)
    screen.page.mouse.down()
    screen(".tag.learning").wait_for()


def fail_and_log(screen: Screen) -> None:
    fail(screen)
    screen(".tools >> text=log").click()


def two_axes(screen: Screen) -> None:
    screen(".keys >> text=sound").click()
    screen(".drawer >> text=two axes").click()


def view(name: str) -> Act:
    return lambda screen: screen(f".views >> text={name}").tap()


DESK: dict[str, Act] = {
    "playing": nothing,
    "log": fail_and_log,
    "error": fail,
    "midi": learn_midi,
    "pin": click(".tools >> text=phone"),
    "record": click(".c-rec"),
    "reference": click(".add >> text=reference"),
    "clip": click("thead th button"),
    "presets": click(".add >> text=presets"),
    "sessions": click(".add >> text=sessions"),
    "notes": click(".keys >> text=notes"),
    "sound": click(".keys >> text=sound"),
    "two-axes": two_axes,
    "input": click(".c-in"),
    "tempo": click(".beat"),
    "favourites": click(".add >> text=favourites"),
}
HELD: dict[str, Act] = {
    "playing": nothing, "pads": view("pads"), "sounds": view("sounds"), "keys": view("keys"),
    "sound": click(".keys >> text=sound"),
}  # fmt: skip


CORNERS = "glass:drone:0.5", "weirdo:drone:0.7", "lunar:hum:0.25", "bell:printer:0.5"


def played(client: Client) -> None:
    """A step to go back, a favourite, beats, and a second axis for what the first voice plays."""
    client.request("/fuse", 1, "bell", "printer", "@loop", 1)
    client.request("/fuse", 1, "glass", "drone", "@loop", 1)
    client.request("/favourite/keep", "opening", 1)
    client.send("/tempo", 97)
    client.send("/voice/filter", 1, "low", 2400, 0.3)
    client.request("/fan", "glass", "drone", 9, "@across", "recall", "@m", 3, timeout=600)
    client.send("/scrub", 1, 0.44, 0.8)


class Camera:
    """Takes pictures of a daemon's page into a folder."""

    def __init__(self, browser: Browser, port: int, folder: Path) -> None:
        self._browser, self._port, self._folder = browser, port, folder

    def take(self, name: str, act: Act = nothing, first: Act = nothing) -> None:
        """Of the state that `act` makes; `first` before that, once the page has settled."""
        size = PHONE if name.startswith("phone") else LAPTOP
        with opened(self._browser, self._port, **size) as screen:
            screen.page.wait_for_timeout(SETTLE_MS)
            first(screen)
            act(screen)
            screen.page.wait_for_timeout(SETTLE_MS / 3)
            path = self._folder / f"{name}.png"
            screen.page.screenshot(path=path)
            print(path)


def of_an_empty_stage(browser: Browser, data: Path, folder: Path) -> None:
    with Daemon(data, "--page", "0", "--device", "null", "--no-spare") as daemon:
        with daemon.client() as client:
            until_ready(client)
        camera = Camera(browser, page_port(daemon), folder)
        camera.take("desk-empty")
        camera.take("phone-empty")


def of_a_night(browser: Browser, data: Path, folder: Path) -> None:
    options = ("--page", "0", "--device", "null", "--no-spare", "--host", "0.0.0.0",
               "--session", "tuesday", "--midi", "none-is-plugged-in")  # fmt: skip
    with Daemon(data, *options) as daemon, daemon.client() as client:
        prepare(client)
        until_voice(client, lambda v: v.state == "playing", 3)
        client.request("/record/start", "night.wav")
        camera = Camera(browser, page_port(daemon), folder)
        with opened(browser, page_port(daemon)) as screen:
            screen.page.wait_for_timeout(5 * SETTLE_MS)  # pictures are made when they are wanted
        for name, act in DESK.items():
            camera.take(f"desk-{name}", act)
        for name, act in HELD.items():
            camera.take(f"phone-{name}", act)
        camera.take("phone-error", fail, view("sounds"))

        played(client)
        for name in ("desk-axes", "phone-axes"):
            camera.take(name)
        client.send("/pad/xy", 2, *CORNERS, "@loop", 1)
        until_voice(client, lambda v: v.state == "playing", 2)
        client.send("/focus", 2)
        client.send("/scrub", 2, 0.3, 0.7)
        for name in ("desk-corners", "phone-corners"):
            camera.take(name)
        client.send("/focus", 1)

        number = client.begin("/reference/learn", "printer", "printer", "stepper motor")
        camera.take("desk-learning", lambda screen: screen.is_(".c-engine", re.compile("[1-9] %")))
        camera.take("phone-learning", view("sounds"))
        client.request("/cancel", number)
        with contextlib.suppress(RequestFailed):
            client.end("/reference/learn", number)

        for name in ("desk-engine-dead", "phone-engine-dead"):
            until_ready(client)
            first = view("pads") if name.startswith("phone") else nothing
            camera.take(name, lambda _: daemon.engine().kill(), first)

        for name, size in (("desk-disconnected", LAPTOP), ("phone-disconnected", PHONE)):
            with opened(browser, page_port(daemon), **size) as screen:
                screen.page.wait_for_timeout(SETTLE_MS)
                _suspended(daemon, screen, folder / f"{name}.png")


def _suspended(daemon: Daemon, screen: Screen, path: Path) -> None:
    process = psutil.Process(daemon.pid)
    process.suspend()
    try:
        screen.page.locator("body.lost .lost-box").wait_for()
        screen.page.wait_for_timeout(SETTLE_MS)
        screen.page.screenshot(path=path)
        print(path)
    finally:
        process.resume()


def of_a_stranger(browser: Browser, data: Path, folder: Path) -> None:
    """The PIN, as a phone is asked for it."""
    with Daemon(data, "--page", "0", "--device", "null", "--no-spare", "--host", "0.0.0.0") as one:
        port, address = page_port(one), own_address()
        with opened(browser, port, host=address, live=False, **PHONE) as screen:
            for digit in "48":
                screen(f".digits [aria-label='{digit}']").tap()
            screen.page.screenshot(path=folder / "phone-pin.png")
            print(folder / "phone-pin.png")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, chromium() as browser:
        for take in (of_an_empty_stage, of_a_stranger, of_a_night):
            data = Path(temporary) / take.__name__
            data.mkdir()
            take(browser, data, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
