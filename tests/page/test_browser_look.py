"""What the stage page looks like to fingers, screen readers, small screens and strangers."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from browsers import LAPTOP, ON_ITS_SIDE, PHONE, SMALL, Screen, opened, until_voice
from daemons import daemon, prepare
from eutectic.client.daemon_process import Daemon
from eutectic.osc.request import Answered
from eutectic.osc.table import spec_of
from eutectic.page.app import STATIC
from pages import own_address, page_port

pytestmark = pytest.mark.process

MAX_BYTES = 60_000
"""Of all that a browser fetches of the page, as it is sent."""

SCREENS = {"laptop": LAPTOP, "phone": PHONE, "on its side": ON_ITS_SIDE, "small": SMALL}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    """A daemon with clips a and b, b as reference r, and a voice that plays them."""
    with daemon(tmp_path_factory.mktemp("look"), "--page", "0", "--voices", "8") as process:
        with process.client() as client:
            prepare(client)
            client.request("/fuse", 1, "a", "r", "@loop", 1)
            until_voice(client, lambda v: v.state == "playing")
        yield process


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    """A daemon without a sound; its controller isn't plugged in."""
    folder = tmp_path_factory.mktemp("empty")
    with daemon(folder, "--page", "0", "--midi", "none-is-plugged-in") as process:
        yield process


def whole(screen: Screen) -> None:
    """Check what holds in every state."""
    assert screen.violations() == []
    assert screen.too_small() == []
    assert not screen.spills()


def press(selector: str) -> Callable[[Screen], None]:
    return lambda screen: screen(selector).click()


def fail(screen: Screen) -> None:
    """Learn MIDI where there is no controller."""
    screen.page.keyboard.press("Tab")
    screen(".f-pan").focus()
    screen.page.keyboard.press("Shift+M")
    screen(".tag.fault").wait_for()


def two_axes(screen: Screen) -> None:
    screen(".keys >> text=sound").click()
    screen(".drawer >> text=two axes").click()


STATES: dict[str, Callable[[Screen], None]] = {
    "playing": lambda screen: screen.is_(".read span", "seed"),
    "log": press(".tools >> text=log"),
    "phone": press(".tools >> text=phone"),
    "record": press(".c-rec"),
    "reference": press(".add >> text=reference"),
    "presets": press(".add >> text=presets"),
    "sessions": press(".add >> text=sessions"),
    "a clip": press("thead th button"),
    "a reference": press("tbody th button"),
    "a failure": fail,
    "sound": press(".keys >> text=sound"),
    "input": press(".c-in"),
    "notes": press(".keys >> text=notes"),
    "two axes": two_axes,
}


@pytest.mark.parametrize("state", STATES)
def test_a_laptop_shows_it_to_everybody(browser: Browser, running: Daemon, state: str) -> None:
    with opened(browser, page_port(running), reduced_motion="reduce") as screen:
        screen("tbody .pad.playing").wait_for()
        STATES[state](screen)
        whole(screen)


@pytest.mark.parametrize("view", ["scrub", "pads", "sounds", "keys"])
@pytest.mark.parametrize("size", ["phone", "on its side", "small"])
def test_a_phone_shows_it_to_everybody(
    browser: Browser, running: Daemon, size: str, view: str
) -> None:
    with opened(browser, page_port(running), reduced_motion="reduce", **SCREENS[size]) as screen:
        screen(f".views >> text={view}").tap()
        screen.wait(f"() => document.body.dataset.view === '{view}'")
        screen.page.wait_for_timeout(300)
        whole(screen)
        if view == "scrub":
            assert screen.box(".field")["height"] >= 80  # the fan is what it is for


@pytest.mark.parametrize("size", SCREENS)
def test_the_beginning_says_what_to_do(browser: Browser, empty: Daemon, size: str) -> None:
    with opened(browser, page_port(empty), **SCREENS[size]) as screen:
        screen.is_(".hello", "a third sound")
        screen(".hello .key").wait_for()
        assert screen.page.locator("text=load").locator("visible=true").count() > 0
        whole(screen)


def test_an_empty_stage_plays_its_first_night_at_a_tap(browser: Browser, tmp_path: Path) -> None:
    with (
        daemon(tmp_path, "--page", "0") as process,
        opened(browser, page_port(process)) as screen,
        process.client() as client,
    ):
        screen(".hello .key").click()
        until_voice(client, lambda v: (v.state, v.original) == ("playing", "glass"))
        screen.is_("tbody .pad.playing", "voice 1")


@pytest.mark.parametrize("size", ["laptop", "phone"])
def test_no_contact_is_said_to_everybody(browser: Browser, tmp_path: Path, size: str) -> None:
    with (
        daemon(tmp_path, "--page", "0") as process,
        opened(browser, page_port(process), **SCREENS[size]) as screen,
    ):
        process.kill()
        screen.page.locator("body.lost .lost-box").wait_for()
        whole(screen)


def test_twice_as_large_nothing_is_lost(browser: Browser, running: Daemon) -> None:
    zoomed = {"viewport": {"width": 720, "height": 450}, "device_scale_factor": 2}
    with opened(browser, page_port(running), **zoomed) as screen:
        screen.is_(".read span", "seed")
        whole(screen)


def test_a_tablet_and_a_small_laptop_have_room_for_all(browser: Browser, running: Daemon) -> None:
    for width, height in ((1024, 768), (1280, 720), (768, 1024)):
        size = {"viewport": {"width": width, "height": height}}
        with opened(browser, page_port(running), **size) as screen:
            screen.is_(".read span", "seed")
            assert screen.too_small() == []
            assert not screen.spills()
            assert screen.box(".field")["height"] >= 100


def test_with_forced_colours_what_plays_differs_from_what_does_not(
    browser: Browser, running: Daemon
) -> None:
    with opened(browser, page_port(running), forced_colors="active") as screen:
        screen("tbody .pad.playing").wait_for()
        colour = "e => getComputedStyle(e).backgroundColor"
        assert screen("tbody .pad.playing").evaluate(colour) != screen(
            "tbody .pad:not(.playing)"
        ).evaluate(colour)


def test_whoever_wants_no_motion_gets_meters_in_steps(browser: Browser, running: Daemon) -> None:
    count = """() => new Promise(done => {
        const bar = document.querySelector('.row .vmeter'), draw = bar.repaint;
        let painted = 0;
        bar.repaint = () => { painted++; draw(); };
        setTimeout(() => done(painted), 2000);
    })"""
    with opened(browser, page_port(running), reduced_motion="reduce") as screen:
        screen("tbody .pad.playing").wait_for()
        assert screen.page.evaluate(count) <= 9


def test_learning_midi_pulses_until_it_is_left(browser: Browser, empty: Daemon) -> None:
    with opened(browser, page_port(empty)) as screen, empty.client() as client:
        client.request("/clip/load", "a", "a.wav")
        screen(".f-gain").focus()
        screen.page.keyboard.press("Shift+M")
        screen.is_(".tag.learning", "turn a knob for gain of voice 1")
        assert screen.page.locator(".f-gain.learning").count() == 1
        screen.page.keyboard.press("Escape")
        assert screen.page.locator(".learning").count() == 0
        ((number, target),) = screen.messages("/midi/learn")
        assert target == "/voice/set 1 gain $"
        screen.until(lambda: [each[1] for each in screen.messages("/cancel")] == [number])
        client.request("/clip/free", "a")


def test_a_browser_elsewhere_gives_the_pin(browser: Browser, tmp_path: Path) -> None:
    address = own_address()
    with daemon(tmp_path, "--host", "0.0.0.0", "--page", "0") as process:
        port = page_port(process)
        with opened(browser, port) as laptop:
            laptop(".tools >> text=phone").click()
            pin = laptop.text(".pin")
            assert re.fullmatch(r"\d{6}", pin)
            assert address in laptop.text(".share")
            assert laptop(".qr").evaluate("e => e.decode().then(() => e.naturalWidth > 0)")
            whole(laptop)
            with opened(browser, port, host=address, live=False, **PHONE) as phone:
                tries: list[str] = []
                phone.page.on("request", lambda one: tries.append(one.method))
                phone("input").press_sequentially(("0" if pin[0] != "0" else "1") * 8)
                phone.is_(".wrong", "PIN")
                assert tries.count("POST") == 1
                whole(phone)
                phone("input").fill("")
                for digit in pin:
                    phone(f".digits [aria-label='{digit}']").tap()
                phone.page.locator("body:not(.lost)").wait_for()
                assert phone.page.locator(".pin-box").is_hidden()
                laptop.is_(".share", "phone")
                phone.page.reload()
                phone.page.locator("body:not(.lost)").wait_for()


def test_the_pin_is_asked_for_no_longer_once_another_tab_has_given_it(
    browser: Browser, tmp_path: Path
) -> None:
    with daemon(tmp_path, "--host", "0.0.0.0", "--page", "0") as process:
        port = page_port(process)
        with opened(browser, port) as laptop:
            laptop(".tools >> text=phone").click()
            pin = laptop.text(".pin")
        with opened(browser, port, host=own_address(), live=False, **PHONE) as phone:
            phone(".pin-box").wait_for()
            other = phone.page.context.new_page()
            other.goto(phone.page.url)
            other.locator(".pin-box input").fill(pin)
            other.locator("body:not(.lost)").wait_for()
            phone.page.locator("body:not(.lost)").wait_for()
            phone.page.locator(".pin-box").wait_for(state="hidden")
            phone(".panic").click()
            phone.until(lambda: phone.messages("/panic") != [])


def test_what_a_browser_fetches_is_small(browser: Browser, running: Daemon) -> None:
    with opened(browser, page_port(running)) as screen:
        screen("tbody .pad.playing").wait_for()
        sizes: dict[str, int] = screen.page.evaluate("""() => Object.fromEntries(
            ['navigation', 'resource'].flatMap(kind => performance.getEntriesByType(kind))
                .map(each => [each.name, each.encodedBodySize]))""")
    names = {url.rpartition("/")[2] for url in sizes}
    assert {each.name for each in STATIC.glob("*.[jc]s*")} - names == {"worker.js"}
    assert 0 < sum(sizes.values()) < MAX_BYTES, sizes


def test_the_shell_keeps_every_file(browser: Browser, running: Daemon) -> None:
    kept = (STATIC / "worker.js").read_text()
    names = {each.name for each in STATIC.iterdir()} - {"index.html", "worker.js"}
    assert {name for name in names if f"'{name}'" not in kept} == set()


def test_what_is_answered_is_asked_for_and_what_isn_t_is_told() -> None:
    found = [
        (name, address)
        for each in STATIC.glob("*.js")
        for name, address in re.findall(
            r"\b(act|ask|tell|send|soon)\((?:[^'`()]*,\s*)?'(/[a-z/]+)'", each.read_text()
        )
    ]
    assert len(found) > 40
    wrong = [
        (name, address)
        for name, address in found
        if issubclass(spec_of(address).message, Answered) != (name in ("act", "ask"))
    ]
    assert wrong == []
