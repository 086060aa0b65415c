"""The stage page in a real browser: time, notes, two axes, what is taken, what is kept."""

from __future__ import annotations

import re
from collections.abc import Generator

import pytest
from playwright.sync_api import Browser

from browsers import PHONE, Screen, opened, until_voice, voice
from daemons import daemon, prepare, silenced, until
from eutectic.client.daemon_process import Daemon
from eutectic.client.sync import Client
from pages import page_port

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    """A daemon with clips a and b, and b as reference r."""
    folder = tmp_path_factory.mktemp("played")
    with daemon(folder, "--page", "0", "--voices", "2") as process:
        with process.client() as client:
            prepare(client)
        yield process


@pytest.fixture
def client(running: Daemon) -> Generator[Client]:
    """A client, before which voice 1 is in focus, and plays a by r as a loop."""
    with silenced(running) as found:
        found.send("/focus", 1)
        found.send("/scrub", 1, 0.5)
        found.request("/fuse", 1, "a", "r", "@loop", 1)
        until_voice(found, lambda v: v.state == "playing")
        yield found


@pytest.fixture
def laptop(browser: Browser, running: Daemon, client: Client) -> Generator[Screen]:
    with opened(browser, page_port(running)) as screen:
        screen("tbody .pad.playing").wait_for()
        yield screen


def test_a_step_back_forth_and_one_that_is_kept_by_keys(laptop: Screen, client: Client) -> None:
    press = laptop.page.keyboard.press
    press("w")
    until_voice(client, lambda v: v.original == "b")
    laptop(".key:not(:disabled)[aria-label^=undo]").wait_for()
    for keys, clip in (("z", "a"), ("Shift+Z", "b")):
        press(keys)
        until_voice(client, lambda v, clip=clip: v.original == clip)
        laptop.is_("b.name.orig", re.compile(f"^{clip}$"))  # the page knows it, too
    press("k")
    laptop.is_(".tag.learned", "kept as b-r")
    laptop(".add >> text=favourites").click()
    laptop.is_(".drawer .favourites li", "b by r")
    press("z")
    until_voice(client, lambda v: v.original == "a")
    laptop(".drawer .favourites .pick").click()
    until_voice(client, lambda v: (v.state, v.original) == ("playing", "b"))
    laptop(".drawer .favourites [aria-label='remove b-r']").click()
    laptop.page.locator(".drawer .favourites li").wait_for(state="detached")


def test_without_an_input_the_past_can_t_be_taken_but_the_output_s_can(
    laptop: Screen, client: Client
) -> None:
    for key in (".add .grab", ".add >> text=record", ".add >> text=live"):
        assert laptop(key).locator("xpath=ancestor-or-self::button").is_disabled()
    assert "no input" in laptop.text(".add .grab")
    laptop.is_(".c-in", "no input")
    laptop(".c-in").click()
    laptop(".drawer >> text=the output").click()
    laptop(".drawer >> text=2 s").click()
    laptop.is_(".add .grab", "last 2 s")
    laptop(".add .grab").evaluate("e => e.click()")  # it is under the drawer
    until(lambda: any(each.clip == "grab" for each in client.clips()))
    laptop("thead th >> text=grab").wait_for(state="attached")
    client.request("/clip/free", "grab")


def test_notes_end_with_the_finger_the_key_and_the_window(laptop: Screen, client: Client) -> None:
    def sent(*notes: float) -> bool:
        return [each[1:] for each in laptop.messages("/note")][-len(notes) :] == [*notes]

    laptop.page.keyboard.press("i")
    box = laptop.box(".note[aria-label='D3']")
    laptop.page.mouse.move(box["x"] + 20, box["y"] + box["height"] - 4)
    laptop.page.mouse.down()
    laptop.until(lambda: len(laptop.messages("/note")) == 1)
    ((number, note, loud),) = laptop.messages("/note")
    assert (number, note) == (1, 50) and 100 < loud < 128
    laptop.page.mouse.move(box["x"] + 20 + box["width"], box["y"] + 4)
    laptop.until(lambda: [each[1] for each in laptop.messages("/note")] == [50, 50, 51])
    laptop.page.mouse.up()
    laptop.until(lambda: sent([51, 0]))

    laptop.page.keyboard.down("a")
    laptop.until(lambda: sent([48, 100]))
    laptop.page.keyboard.press("2")  # what began on one voice ends there
    laptop.page.keyboard.up("a")
    laptop.until(lambda: laptop.messages("/note")[-1] == [1, 48, 0])

    laptop.page.keyboard.down("d")
    laptop.until(lambda: laptop.messages("/note")[-1][:2] == [2, 52])
    laptop.page.keyboard.press("Meta")  # on a Mac the others' leaving isn't told meanwhile
    laptop.until(lambda: sent([52, 0]))
    laptop.page.keyboard.up("d")
    laptop.page.keyboard.press("q")  # no pad is on the keys now
    laptop.page.keyboard.down("s")
    laptop.until(lambda: laptop.messages("/note")[-1][:2] == [2, 50])
    laptop.page.evaluate("dispatchEvent(new Event('blur'))")
    laptop.until(lambda: sent([50, 0]))
    laptop.page.keyboard.up("s")
    laptop.page.keyboard.press("i")
    laptop.page.keyboard.press("1")
    laptop.is_(".focus .vnum", "1")
    laptop.page.keyboard.press("w")  # is a pad again
    until_voice(client, lambda v: v.original == "b")


def test_a_tap_gives_the_tempo_and_beats_run_and_are_held(laptop: Screen, client: Client) -> None:
    client.send("/tempo", 90.5)
    laptop.is_(".beat", "90.5")
    for _ in range(4):
        laptop(".c-tempo >> text=tap").click()
        laptop.page.wait_for_timeout(400)
    laptop.page.locator(".beat", has_not_text="90.5").wait_for()
    assert len(laptop.messages("/tempo/tap")) == 4
    assert 60 < float(laptop.text(".beat b")) < 160
    for on in (1, 0):
        client.send("/tempo/run", on)
        run = f".c-tempo .key[aria-pressed={'true' if on else 'false'}]"
        laptop(run).click()
        laptop.page.locator(run).wait_for(state="detached")
    laptop(".add >> text=at once").click()
    laptop(".add >> text=next ¼").click()
    laptop.page.keyboard.press("w")
    laptop.until(lambda: laptop.messages("/fuse") != [])
    assert laptop.messages("/fuse")[-1][-2:] == ["@quantise", 1]
    until_voice(client, lambda v: (v.state, v.original) == ("playing", "b"))


def test_a_drag_goes_along_both_axes_where_there_are_two(laptop: Screen, client: Client) -> None:
    laptop.drag(".field", 40)
    laptop.until(lambda: laptop.messages("/scrub") != [])
    assert {len(each) for each in laptop.messages("/scrub")} == {2}
    client.request("/fan", "a", "r", 3, "@across", "recall", "@m", 2)
    laptop.is_(".field .across", "recall")
    box = laptop.box(".field")
    laptop.page.mouse.move(box["x"] + 300, box["y"] + 120)
    laptop.page.mouse.down()
    laptop.page.mouse.move(box["x"] + 340, box["y"] + 80, steps=4)
    laptop.page.mouse.up()
    laptop.until(lambda: len(laptop.messages("/scrub")[-1]) == 3)
    number, blend, y = laptop.messages("/scrub")[-1]
    assert number == 1 and 0.5 < blend < 1 and 0 < y < 1
    until_voice(client, lambda v: abs(v.blend - blend) < 1e-3)
    laptop.page.keyboard.press("ArrowUp")  # the surface has the keyboard's focus
    laptop.until(lambda: laptop.messages("/scrub")[-1][2] > y)
    client.send("/pad/xy", 1, "a:r", "b:r", "b:r:1", "a:r:1", "@loop", 1)
    for corner, says in (("s00", "a by r"), ("s10", "b by r"), ("s01", "b by r")):
        laptop.is_(f".field .{corner}", says)


def test_the_voice_in_focus_is_everybody_s(
    browser: Browser, running: Daemon, laptop: Screen, client: Client
) -> None:
    with opened(browser, page_port(running), **PHONE) as phone:
        phone(".tab >> text=2").tap()
        laptop.is_(".focus .vnum", "2")
        client.send("/focus", 1)
        phone.page.locator(".tab[aria-pressed=true]", has_text="1").wait_for()
        laptop.is_(".focus .vnum", "1")


def test_knobs_of_the_sound_are_the_daemon_s(laptop: Screen, client: Client) -> None:
    laptop(".keys >> text=sound").click()
    laptop(".drawer >> text=low").click()
    laptop.page.locator(".drawer .key[aria-pressed=true]", has_text="low").wait_for()
    laptop.drag(".f-cutoff", -60)
    says = laptop.text(".f-cutoff .num")
    assert re.fullmatch(r"[\d.]+ k?Hz", says) and says != "20.0 kHz"
    client.send("/voice/set", 1, "attack", 250)
    laptop.is_(".f-attack .num", "250 ms")
    client.send("/voice/filter", 1, "off")
    laptop.page.locator(".drawer .key[aria-pressed=true]", has_text="off").wait_for()
    assert voice(client).original == "a"


def test_a_fader_that_is_put_away_under_the_finger_is_let_go(
    laptop: Screen, client: Client
) -> None:
    laptop(".keys >> text=sound").click()
    box = laptop.box(".f-attack .slot")
    laptop.page.mouse.move(box["x"] + 30, box["y"] + 2)
    laptop.page.mouse.down()
    laptop.page.mouse.move(box["x"] + 90, box["y"] + 2, steps=3)
    laptop.page.keyboard.press("Escape")
    laptop.page.locator(".drawer").wait_for(state="detached")
    laptop.page.mouse.up()
    laptop(".keys >> text=sound").click()
    for milliseconds in (770, 330):
        laptop.page.wait_for_timeout(500)
        client.send("/voice/set", 1, "attack", milliseconds)
        laptop.is_(".f-attack .num", f"{milliseconds} ms")


def test_a_clip_is_recorded_until_the_key_is_pressed_again(laptop: Screen, client: Client) -> None:
    laptop(".c-in").click()
    laptop(".drawer >> text=the output").click()
    laptop(".drawer-head >> text=record").click()
    laptop(".drawer-head [aria-pressed=true] >> text=stop").click()
    until(lambda: any(each.clip == "take" for each in client.clips()))
    laptop(".drawer-head >> text=record").wait_for()
    assert laptop.page.locator(".tag.fault").count() == 0
    client.request("/clip/free", "take")


def test_a_key_that_is_pressed_twice_at_once_records_once(laptop: Screen, client: Client) -> None:
    laptop(".c-in").click()
    laptop(".drawer >> text=the output").click()
    for icon, asked in (("record", "/clip/record"), ("stop", "/clip/record/stop")):
        laptop(f".drawer-head .key >> text={icon}").dblclick()
        laptop.until(lambda asked=asked: len(laptop.messages(asked)) > 0)
        assert len(laptop.messages(asked)) == 1
    until(lambda: any(each.clip == "take" for each in client.clips()))
    assert laptop.page.locator(".tag.fault").count() == 0
    client.request("/clip/free", "take")


def test_what_is_called_off_has_not_failed(laptop: Screen, client: Client) -> None:
    client.send("/tempo/run", 0)
    laptop(".add >> text=at once").click()
    laptop(".add >> text=time is held").wait_for()
    laptop.page.keyboard.press("w")
    laptop.page.keyboard.press("q")
    laptop.until(lambda: len(laptop.messages("/fuse")) == 2)
    due = laptop.page.locator("tbody .pad.due")
    laptop.until(lambda: due.count() == 2)
    assert "waits for its beat" in (due.first.get_attribute("aria-label") or "")

    def cleared() -> bool:  # a pad may have been on its way still
        client.send("/schedule/clear")
        return due.count() == 0

    laptop.until(cleared)
    assert laptop.page.locator(".tag.fault").count() == 0
    laptop.page.keyboard.press("w")
    due.wait_for()
    client.send("/tempo/run", 1)
    due.wait_for(state="detached")
    laptop.page.locator(".add small", has_text="time is held").wait_for(state="hidden")


def test_what_a_snapshot_does_not_name_is_over(laptop: Screen) -> None:
    evaluate, live = laptop.page.evaluate, ".add .key[aria-pressed=true] >> text=live"
    evaluate("import('/state.js').then(m => m.take('/live', [1, 'r', 'playing', 90, 0, '']))")
    laptop(live).wait_for()
    evaluate("import('/link.js').then(m => m.send('/notify', 1, '@meter', 1, '@log', 1))")
    laptop.page.locator(live).wait_for(state="detached")
