"""The stage page in a real Chromium, served by a real daemon."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, CDPSession, Locator, Page, sync_playwright

from daemons import until
from eutectic.client.sync import Client
from eutectic.osc.answers import VoiceState

LAPTOP = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
ON_ITS_SIDE = {"viewport": {"width": 844, "height": 390}, "is_mobile": True, "has_touch": True}
SMALL = {"viewport": {"width": 320, "height": 568}, "is_mobile": True, "has_touch": True}

TARGET_PX = 44
"""Nothing that is touched is smaller."""


@contextmanager
def chromium() -> Generator[Browser]:
    """Debian's browser."""
    path = shutil.which("chromium")
    assert path is not None, "this test needs a browser (apt: chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Screen:
    """A browser's page, and what it has sent.

    Attributes:
        sent: OSC messages, without the prefix.
        wrong: errors of its scripts, and requests to other hosts.
    """

    page: Page
    sent: list[list[Any]] = field(default_factory=list[list[Any]])
    wrong: list[str] = field(default_factory=list[str])
    _fingers: CDPSession | None = None

    def __call__(self, selector: str) -> Locator:
        """What is seen under a selector, the first of it."""
        return self.page.locator(selector).locator("visible=true").first

    def text(self, selector: str) -> str:
        return self.page.locator(selector).first.inner_text()

    def is_(self, selector: str, text: str | re.Pattern[str]) -> None:
        """Wait until an element says this."""
        self.page.locator(selector, has_text=text).first.wait_for()

    def wait(self, script: str, arg: Any = None) -> None:
        """Wait until a script's expression holds."""
        self.page.wait_for_function(script, arg=arg)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something has come about that the browser tells, such as what it has sent."""

        def holds() -> bool:
            self.page.wait_for_timeout(10)
            return condition()

        until(holds)

    def box(self, selector: str) -> dict[str, float]:
        found = self(selector).bounding_box()
        assert found is not None
        return dict(found)

    def messages(self, address: str) -> list[list[Any]]:
        """What it has sent to an address."""
        return [message[1:] for message in self.sent if message[0] == address]

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        """A finger that really goes down, moves or leaves: touchStart, touchMove or touchEnd."""
        self._fingers = self._fingers or self.page.context.new_cdp_session(self.page)
        found = [{"x": x, "y": y} for x, y in points]
        self._fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": found})

    def drag(self, selector: str, by: float, steps: int = 10, finger: bool = False) -> None:
        """Drag from an element's middle, sideways."""
        box = self.box(selector)
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        along = [x + by * k / steps for k in range(1, steps + 1)]
        if finger:
            self.touch("touchStart", (x, y))
            for each in along:
                self.touch("touchMove", (each, y))
            self.touch("touchEnd")
            return
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        for each in along:
            self.page.mouse.move(each, y)
        self.page.mouse.up()

    def load(self, *files: Path) -> None:
        """Choose files to load, as the key for that has it."""
        with self.page.expect_file_chooser() as chooser:
            self("button:has-text('load')").click()
        chooser.value.set_files(files)

    def violations(self) -> list[str]:
        """What axe finds wrong."""
        found = Axe().run(self.page).response["violations"]
        return [f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in found]

    def too_small(self) -> list[Any]:
        """What can be touched, is seen, and is smaller than a finger."""
        return self.page.evaluate(
            """least => [...document.querySelectorAll('button, input, select, [role=slider]')]
                .filter(e => e.checkVisibility({ visibilityProperty: true }))
                .filter(e => !e.closest('[inert]'))
                .map(e => [e.className || e.tagName, e.offsetWidth, e.offsetHeight])
                .filter(([, width, height]) => width < least || height < least)""",
            TARGET_PX,
        )

    def spills(self) -> bool:
        """Whether the page is wider than the screen."""
        return self.page.evaluate("document.documentElement.scrollWidth > innerWidth")


@contextmanager
def opened(
    browser: Browser, port: int, host: str = "127.0.0.1", live: bool = True, **options: Any
) -> Generator[Screen]:
    """Open the page, and leave it; nothing may have gone wrong in it meanwhile.

    `live` waits until it is in contact; `options` are a browser context's, by default a laptop's.
    """
    context = browser.new_context(**({"service_workers": "block"} | LAPTOP | options))
    context.set_default_timeout(20_000)
    screen = Screen(context.new_page())
    page, own = screen.page, f"{host}:{port}"
    page.on("pageerror", lambda error: screen.wrong.append(str(error)))

    def requested(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != own:
            screen.wrong.append(url)

    page.on("request", lambda request: requested(request.url))
    page.on("websocket", lambda socket: requested(socket.url))
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: _keep(screen, frame)))
    try:
        page.goto(f"http://{own}/")
        if live:
            page.locator("body:not(.lost)").wait_for()
        yield screen
        assert screen.wrong == []
    finally:
        context.close()


def _keep(screen: Screen, frame: str | bytes) -> None:
    address, *values = json.loads(frame)
    screen.sent.append([str(address).removeprefix("/eutectic"), *values])


def voice(client: Client, number: int = 1) -> VoiceState:
    """What the daemon says of a voice."""
    (found,) = [
        each for each in client.request("/voice/list").of(VoiceState) if each.voice == number
    ]
    return found


def rested(client: Client, number: int = 1) -> VoiceState:
    """What the daemon says of a voice, once what a hand sent last has arrived."""
    found: list[VoiceState] = []

    def rests() -> bool:
        time.sleep(0.1)
        found.append(msgspec.structs.replace(voice(client, number), position=0.0))
        return len(found) > 2 and found[-1] == found[-2] == found[-3]

    until(rests)
    return found[-1]


def until_voice(client: Client, holds: Callable[[VoiceState], bool], number: int = 1) -> None:
    until(lambda: holds(voice(client, number)))
