"""The questionnaire's page in a real, phone-sized browser."""

import shutil
import signal
import socket
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from questionnaire import Server

pytestmark = pytest.mark.process


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def phone() -> Generator[Page]:
    """A page in a real browser with a phone's size and touch."""
    chromium = shutil.which("chromium")
    assert chromium is not None, "this test needs a browser (apt: chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        yield page
        browser.close()
    assert wrong == []


def heading(page: Page, text: str) -> None:
    page.locator(f"h1:text-is('{text}')").wait_for()


def listen_to(page: Page, number: int) -> None:
    """Play one of the three sounds, and check that it plays and is counted."""
    button = page.locator(".player").nth(number)
    button.tap()
    page.wait_for_function(
        "n => document.querySelectorAll('.player audio')[n].currentTime > 0.2", arg=number
    )
    playing = "[...document.querySelectorAll('.player audio')].map(each => !each.paused)"
    assert page.evaluate(playing) == [each == number for each in range(3)]
    button.locator("text=heard").wait_for()


def rate(page: Page, *values: int) -> None:
    for fieldset, value in enumerate(values):
        page.locator("fieldset").nth(fieldset).locator("label").nth(value - 1).tap()


def test_a_phone_completes_the_questionnaire(sets: Path, tmp_path: Path, phone: Page) -> None:
    answers, port = tmp_path / "answers.sqlite", free_port()
    with Server(sets, answers, port) as server:
        phone.goto(server.url)
        phone.locator("text=Begin").tap()
        heading(phone, "About you")
        phone.locator("text=Continue").tap(force=True)  # looks disabled, but says what is missing
        phone.locator("text=answer every question").wait_for()
        heading(phone, "About you")  # not before both are answered
        phone.locator("text=I make music now and then").tap()
        phone.locator("text=Earphones").tap()
        phone.locator("text=Continue").tap()

        heading(phone, "Set 1")
        assert phone.locator("fieldset:disabled").count() == 4
        phone.locator(".player").nth(0).tap()
        listen_to(phone, 1)  # which stops the first, too early to count
        assert "heard" not in phone.locator(".player").nth(0).inner_text()
        listen_to(phone, 2)
        assert phone.locator("fieldset:disabled").count() == 4
        listen_to(phone, 0)
        assert phone.locator("fieldset:disabled").count() == 0
        rate(phone, 4, 2)
        phone.locator("textarea").fill("a <b>bold</b> one")
        sizes = "[...document.querySelectorAll('button, label')].map(each => each.offsetHeight)"
        assert min(phone.evaluate(sizes)) >= 44
        assert phone.evaluate("document.documentElement.scrollWidth") <= 360

        phone.reload()
        heading(phone, "Set 1")
        assert phone.locator("fieldset:disabled").count() == 0
        checked = phone.locator("input:checked")
        assert [checked.nth(each).input_value() for each in range(2)] == ["4", "2"]
        assert phone.locator("textarea").input_value() == "a <b>bold</b> one"

        assert server.end(signal.SIGTERM) == 0
        rate(phone, 3)  # while the server is down
        phone.locator("text=have not arrived yet").wait_for()
    with Server(sets, answers, port) as server:
        rate(phone, 3, 2, 5)
        phone.locator("text=have not arrived yet").wait_for(state="hidden")
        phone.locator("text=Continue").tap()
        for number in (2, 3):
            heading(phone, f"Set {number}")
            for each in range(3):
                listen_to(phone, each)
            rate(phone, number, number, number)
            phone.locator("text=Continue").tap()
        phone.locator("text=Thank you").wait_for()
        token = phone.evaluate("localStorage['eutectic.token']")
        state = server.state(token)
        assert state["answers"] == {"engagement": "occasional", "device": "earphones"}
        comment = {"comment": "a <b>bold</b> one"}
        assert [each["answers"] for each in state["sets"]] == [
            {"like_a": 3, "like_b": 2, "overall": 5} | comment,
            {"like_a": 2, "like_b": 2, "overall": 2},
            {"like_a": 3, "like_b": 3, "overall": 3},
        ]
        assert [each["plays"] for each in state["sets"]] == [{"a": 1, "b": 1, "sound": 1}] * 3
        assert [row[-1] for row in server.rows()[1] if row[-2].startswith("like")][:3].count(4) == 1

        phone.locator("text=Start again as another person").tap()
        phone.locator("text=Begin").tap()
        phone.locator("text=Earphones").wait_for()
        assert phone.evaluate("localStorage['eutectic.token']") != token


def test_the_keyboard_alone_is_enough(sets: Path, tmp_path: Path, phone: Page) -> None:
    def press_until(done: Callable[[], bool], key: str = "Tab") -> None:
        for _ in range(12):
            phone.keyboard.press(key)
            if done():
                return
        raise AssertionError(f"{key} never led there")

    def focused(text: str) -> bool:
        return text in phone.evaluate(
            "(document.activeElement.closest('label, button') ?? {}).innerText ?? ''"
        )

    with Server(sets, tmp_path / "answers.sqlite") as server:
        phone.goto(server.url)
        phone.locator("text=Begin").wait_for()
        press_until(lambda: focused("Begin"))
        phone.keyboard.press("Enter")
        phone.locator("text=About you").wait_for()
        press_until(lambda: focused("trained for it professionally"))
        phone.keyboard.press("Space")
        phone.keyboard.press("ArrowDown")
        press_until(lambda: focused("Headphones"))
        phone.keyboard.press("Space")
        press_until(lambda: focused("Continue"))
        phone.keyboard.press("Enter")
        phone.locator(".player").first.wait_for()
        press_until(lambda: focused("A"))
        assert phone.get_by_role("button", name="Play A").get_attribute("aria-pressed") == "false"
        phone.keyboard.press("Space")
        phone.get_by_role("button", name="Play A, heard").wait_for()
        token = phone.evaluate("localStorage['eutectic.token']")
        assert server.state(token)["answers"] == {"engagement": "frequent", "device": "headphones"}
