"""What the stage page shows of what goes wrong, and how it comes back by itself."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Generator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, WebSocketRoute

from browsers import PHONE, Screen, opened, rested, until_voice, voice
from daemons import daemon, prepare
from eutectic.client.daemon_process import Daemon
from eutectic.experiments.live.engine_machine import EngineMachine
from pages import page_port

pytestmark = pytest.mark.process


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def running(tmp_path: Path) -> Generator[Daemon]:
    """A daemon with clips a and b, and b as reference r."""
    with daemon(tmp_path, "--page", str(free_port()), "--session", "night") as process:
        with process.client() as client:
            prepare(client)
        yield process


def lost(screen: Screen) -> None:
    """Wait until the page says that nothing can be trusted."""
    screen.page.locator("body.lost .lost-box").wait_for()
    assert screen.page.locator(".panic").is_disabled()
    assert screen.text(".panic").lower() == "panic: no contact"
    screen.is_(".c-engine", re.compile(r"no contact for \d+ s"))
    screen.is_(".lost-box .from", re.compile(r"What you see is from \d\d:\d\d:\d\d\."))
    assert screen.page.locator(".stage > section:not([inert])").count() == 0


def back(screen: Screen) -> None:
    screen.page.locator("body:not(.lost)").wait_for(timeout=60_000)
    assert screen.page.locator(".lost-box").is_hidden()
    assert screen.page.locator(".panic").is_enabled()


def hang(running: Daemon, screen: Screen) -> None:
    """Stop a daemon until that is noticed, and let it go on until the page is right again."""
    process = psutil.Process(running.pid)
    process.suspend()
    try:
        lost(screen)
    finally:
        process.resume()
    back(screen)


def test_a_daemon_that_was_killed_is_missed_and_the_page_comes_back_with_its_successor(
    browser: Browser, running: Daemon
) -> None:
    port = page_port(running)
    with opened(browser, port) as screen:
        screen.drag(".f-gain", -60)
        with running.client() as client:
            gain = rested(client).gain
            client.request("/session/save")
        screen(".add >> text=presets").click()
        screen(".drawer input").fill("half a na")
        running.kill()
        lost(screen)
        screen.page.keyboard.press("Escape")  # nothing can be sent, and nothing breaks
        running.start()
        back(screen)
        screen.is_(".row .orig", "")
        with running.client() as client:
            assert voice(client).gain == gain
        screen.is_(".f-gain .num", f"−{abs(gain):.1f}")


def test_what_was_typed_is_kept_while_there_is_no_contact(
    browser: Browser, running: Daemon
) -> None:
    with opened(browser, page_port(running)) as screen:
        screen(".add >> text=sessions").click()
        screen(".drawer input").fill("half a na")
        running.kill()
        lost(screen)
        assert screen.page.locator(".drawer input").input_value() == "half a na"
        running.start()
        back(screen)
        assert screen.page.locator(".drawer input").input_value() == "half a na"


def test_a_daemon_that_hangs_is_missed_after_a_second(browser: Browser, running: Daemon) -> None:
    with opened(browser, page_port(running), **PHONE) as screen, running.client() as client:
        client.request("/fuse", 1, "a", "r", "@loop", 1)
        screen.is_(".read span", "seed")
        hang(running, screen)
        client.send("/scrub", 1, 0.25)
        screen.is_(".read b", "0.25")


def test_a_daemon_that_was_started_anew_may_hang_like_the_one_before(
    browser: Browser, running: Daemon
) -> None:
    with opened(browser, page_port(running)) as screen:
        box = screen.box(".field")
        screen.page.mouse.move(box["x"] + 400, box["y"] + 150)
        screen.page.mouse.down()
        running.kill()
        lost(screen)
        for step in range(20):  # a hand that goes on is told nothing for each of its moves
            screen.page.mouse.move(box["x"] + 400 + step, box["y"] + 150)
        screen.page.mouse.up()
        assert screen.page.locator(".tag.fault").count() <= 1
        running.start()
        back(screen)
        hang(running, screen)


def test_what_was_asked_of_a_daemon_that_has_gone_is_not_waited_for(
    browser: Browser, running: Daemon
) -> None:
    """The page's process stays, and only the daemon is gone for a moment."""

    def between(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def to_page(message: str | bytes) -> None:
            if isinstance(message, str) and message.startswith('["/eutectic/fan",'):
                route.send('[["/page/daemon", 0]]')
                route.send('[["/page/daemon", 1]]')
            else:
                server.send(message)

        server.on_message(route.send)
        route.on_message(to_page)

    port = page_port(running)
    with opened(browser, port, live=False) as screen, running.client() as client:
        screen.page.route_web_socket(f"ws://127.0.0.1:{port}/osc", between)
        screen.page.reload()
        screen.page.locator("body:not(.lost)").wait_for()
        client.request("/fuse", 1, "a", "r", "@loop", 1)
        screen.is_("tbody .pad.playing", "voice 1")
        screen(".keys >> text=17 places").click()
        screen.is_(".tag.fault", "no contact")
        screen.is_(".keys .key:enabled", "17 places")
        back(screen)


def test_the_page_s_process_may_die_and_the_music_goes_on(
    browser: Browser, running: Daemon
) -> None:
    with opened(browser, page_port(running)) as screen, running.client() as client:
        client.request("/fuse", 1, "a", "r", "@loop", 1)
        screen.is_("tbody .pad.playing", "voice 1")
        (process,) = running.children("eutectic.page")
        process.send_signal(signal.SIGKILL)
        screen.page.locator("body.lost").wait_for()
        back(screen)
        assert voice(client).state == "playing"
        screen(".keys >> text=stop").click()
        until_voice(client, lambda v: v.state == "silent")


def test_what_was_missed_is_asked_for_again(browser: Browser, running: Daemon) -> None:
    """One event is lost on the way: the count that follows shows it."""
    dropped: list[str] = []

    def between(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def to_browser(message: str | bytes) -> None:
            if not dropped and isinstance(message, str) and "0.125" in message:
                dropped.append(message)
                kept = re.sub(r'\["/eutectic/voice",1,[^\]]*\],?', "", message)
                message = kept.replace(",]", "]")
            route.send(message)

        server.on_message(to_browser)
        route.on_message(server.send)

    port = page_port(running)
    with opened(browser, port, live=False) as screen, running.client() as client:
        screen.page.route_web_socket(f"ws://127.0.0.1:{port}/osc", between)
        screen.page.reload()
        screen.page.locator("body:not(.lost)").wait_for()
        screen.page.wait_for_timeout(1200)
        client.send("/scrub", 1, 0.125)
        screen.is_(".read b", "0.13")
        assert dropped


def test_an_engine_that_died_leaves_what_is_ready_playable(
    browser: Browser, running: Daemon
) -> None:
    with opened(browser, page_port(running)) as screen, running.client() as client:
        client.request("/fuse", 1, "a", "r")
        screen.is_("tbody .pad:has-text('now')", "now")
        running.engine().kill()
        screen.is_(".c-engine:not(.ready) .what", "engine")
        screen.is_("tbody td:nth-of-type(2) .pad", "waits")
        screen("tbody td:nth-of-type(1) .pad").click()
        until_voice(client, lambda v: v.state == "playing")
        screen.is_(".c-engine.ready .what", "ready")
        screen.page.locator("tbody td:nth-of-type(2) .pad", has_text="waits").wait_for(
            state="detached"
        )


def test_a_clip_whose_file_has_gone_says_so(browser: Browser, running: Daemon) -> None:
    running.stop()
    (running.data.parent / "clips" / "a.wav").unlink()
    for kept in (running.data / "encoded").iterdir():
        kept.unlink()
    running.start()
    with opened(browser, page_port(running, 2)) as screen:
        screen.is_("thead .state.bad", "missing")
        screen.is_("tbody .pad.off", "missing")
        screen("tbody .pad.off").click()
        screen.is_(".tag.fault", "the clip's file is gone")


def test_without_its_server_the_page_opens_from_its_shell_and_says_no_contact(
    browser: Browser, running: Daemon
) -> None:
    with opened(browser, page_port(running), service_workers="allow") as screen:
        screen.page.wait_for_function("() => navigator.serviceWorker.controller !== null")
        screen.page.wait_for_function(
            "async () => (await (await caches.open('eutectic-1')).keys()).length > 10"
        )
        running.stop()
        screen.page.reload()
        screen.is_(".lost-box", "No contact")
        assert screen.page.locator(".panic").is_disabled()
        running.start()
        back(screen)


def test_what_the_daemon_refuses_is_said_at_the_finger(browser: Browser, running: Daemon) -> None:
    with opened(browser, page_port(running)) as screen:
        screen(".add >> text=sessions").click()
        screen(".drawer input").fill(".hidden")
        screen(".drawer >> text=new, empty").click()
        screen.is_(".tag.fault", "is no name")
        assert screen.page.locator(".drawer").count() == 1  # to be corrected


def test_the_strip_says_where_the_engine_is_and_that_its_machine_is_lost(
    browser: Browser, running: Daemon, tmp_path: Path
) -> None:
    with (
        EngineMachine(tmp_path / "there", "toy") as machine,
        opened(browser, page_port(running)) as screen,
        running.client() as client,
    ):
        client.engine_where(machine.where)
        screen.is_(".c-engine.ready .model", f"at {machine.where}")
        client.request("/fuse", 1, "a", "r", "@loop", 1)
        machine.kill()
        screen.is_(".c-engine.bad .what", machine.where)
        screen.is_("tbody td:nth-of-type(2) .pad", "waits")
        assert voice(client).state == "playing"
        client.engine_where("local")
        screen.is_(".c-engine.ready .what", "ready")
