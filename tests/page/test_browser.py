"""The stage page in a real browser, from loading a sound to hearing it change."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser

from browsers import LAPTOP, PHONE, Screen, opened, rested, until_voice, voice
from daemons import daemon, prepare, silenced, until
from eutectic.client.daemon_process import Daemon
from eutectic.client.sync import Client
from pages import page_port
from pd import Pd, patch_of

pytestmark = pytest.mark.process

TONE_HZ = 220.0
RECORDED_MS = 1500
"""Of each end of the fan."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    """A daemon with clips a and b, b as reference r, and eight voices."""
    with daemon(tmp_path_factory.mktemp("page"), "--page", "0", "--voices", "8") as process:
        with process.client() as client:
            prepare(client)
        yield process


@pytest.fixture
def client(running: Daemon) -> Generator[Client]:
    """A client, before and after which the voices are silent and set as at first."""
    with silenced(running) as found:
        found.send("/focus", 1)
        for number in range(1, 9):
            found.send("/scrub", number, 0.5)
            for what, value in (("gain", 0), ("loop", 0), ("mute", 0), ("pan", 0)):
                found.send("/voice/set", number, what, value)
        found.request("/sync")
        yield found


@pytest.fixture
def laptop(browser: Browser, running: Daemon, client: Client) -> Generator[Screen]:
    with opened(browser, page_port(running)) as screen:
        screen("tbody .pad").wait_for()
        yield screen


@pytest.fixture
def phone(browser: Browser, running: Daemon, client: Client) -> Generator[Screen]:
    with opened(browser, page_port(running), **PHONE) as screen:
        screen(".views >> text=pads").tap()
        screen(".eight .pad").wait_for()
        yield screen


def looped(client: Client, number: int = 1, blend: float = 0.5) -> None:
    """A voice that plays a by r."""
    client.send("/scrub", number, blend)
    client.request("/fuse", number, "a", "r", "@loop", 1)
    until_voice(client, lambda v: v.state == "playing", number)


def test_a_newcomer_loads_two_sounds_remembers_one_fuses_them_and_scrubs_by_touch(
    browser: Browser, tmp_path: Path
) -> None:
    heard = tmp_path / "heard.wav"
    with daemon(tmp_path, "--page", "0", device=f"file:{heard}") as process:
        clips = tmp_path / "clips"
        with (
            opened(browser, page_port(process), **(LAPTOP | {"has_touch": True})) as screen,
            process.client() as client,
        ):
            screen.is_(".hello", "a third sound")
            files = [clips / "a.wav", clips / "b.wav"]
            screen.load(*files)
            screen("th >> text=a").wait_for()
            screen("th >> text=b").click()
            screen(".drawer input >> nth=1").fill("white noise")
            screen(".drawer >> text=remember").click()
            screen("tbody th >> text=b").wait_for()
            kept = {each.name for each in (process.data / "uploads").iterdir()}
            assert len(kept) == 2
            until(lambda: {each.path for each in client.clips()} == kept)
            (reference,) = client.references()
            assert (reference.clip, reference.prompt) == ("b", "white noise")

            screen(".keys >> text=loop").tap()
            screen("tbody .pad").tap()  # a, by b
            screen.is_("tbody .pad.playing", "voice 1")
            screen.is_("tbody .pad .word", "voice 1")
            until_voice(client, lambda v: (v.original, v.reference, v.loop) == ("a", "b", 1))
            screen.wait("() => document.querySelector('.field').ariaValueText.endsWith('5 ready')")

            width = screen.box(".field")["width"]
            screen.drag(".field", -width / 2, finger=True)
            until_voice(client, lambda v: v.blend == 0)
            screen.page.wait_for_timeout(RECORDED_MS)
            screen.drag(".field", width, finger=True)
            until_voice(client, lambda v: v.blend == 1)
            screen.page.wait_for_timeout(RECORDED_MS)
            assert screen.text(".read b") == "1.00"
    sound, rate_hz = soundfile.read(heard)
    second = [_share_of_tone(sound[at : at + rate_hz // 4], rate_hz)
              for at in range(0, len(sound) - rate_hz // 4, rate_hz // 8)]  # fmt: skip
    assert max(second) > 0.8  # the original's tone, at the end
    assert min(each for each in second if each > 0) < 0.2  # the reference's noise, before


def _share_of_tone(sound: np.ndarray, rate_hz: int) -> float:
    """How much of the energy is near the original's frequency; 0 for silence."""
    power = np.abs(np.fft.rfft(sound[:, 0] * np.hanning(len(sound)))) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / rate_hz)
    return float(power[abs(hz - TONE_HZ) < 15].sum() / power.sum()) if power.sum() > 1 else 0.0


def test_two_browsers_and_a_client_follow_one_another(
    browser: Browser, running: Daemon, laptop: Screen, client: Client
) -> None:
    with opened(browser, page_port(running), **PHONE) as other:
        laptop(".keys >> text=loop").click()
        other.wait("() => document.querySelector('.keys [aria-pressed=true]')")
        laptop.drag(".f-gain", -60)
        gain = laptop.text(".f-gain .num")
        assert gain.startswith("−")
        other.is_(".f-gain .num", gain)
        client.send("/voice/set", 1, "pan", -0.5)
        laptop.is_(".f-pan .num", "0.50 L")
        other.is_(".f-pan .num", "0.50 L")
        other.drag(".field", 80, finger=True)
        blend = other.text(".read b")
        laptop.is_(".read b", blend)
        assert f"{voice(client).blend:.2f}" == blend
        names = laptop.text(".c-here .v")
        assert sorted(names.split(" · "))[:2] == ["laptop", "laptop"]


def test_pd_and_the_page_follow_one_another(
    running: Daemon, laptop: Screen, client: Client, tmp_path: Path
) -> None:
    def knob(name: str) -> float | None:
        found = [each for each in pd.panels if each.knob(name) is not None]
        return found[0].knob(name) if found else None

    names = "eutectic", "eutectic.voice 1"
    with Pd(tmp_path, patch_of(tmp_path, *names), port=running.port) as pd:
        until(lambda: any(each.word == "ready" for each in pd.panels))
        laptop.drag(".field", -120)
        blend = float(laptop.text(".read b"))
        until(lambda: abs((knob("blend") or 0) - blend) < 0.006)
        pd.send("do.voice-1", "gain", -12)
        laptop.is_(".f-gain .num", "−12")
        laptop.is_(".c-here .v", "Pd")
        pd.send("do.voice-1", "blend", 0.25)
        laptop.is_(".read b", "0.25")


def test_a_hand_is_not_moved_by_its_own_echo_but_by_another_hand(
    laptop: Screen, client: Client
) -> None:
    box = laptop.box(".field")
    laptop.page.mouse.move(box["x"] + 400, box["y"] + 150)
    laptop.page.mouse.down()
    laptop.page.mouse.move(box["x"] + 500, box["y"] + 150)
    laptop.wait("() => document.querySelector('.read b').textContent > '0.50'")
    mine = laptop.text(".read b")
    until_voice(client, lambda v: abs(v.blend - float(mine)) < 0.006)
    for step in range(10):  # the echo of each comes back while the next is under way
        laptop.page.mouse.move(box["x"] + 500 + 10 * step, box["y"] + 150)
        shown = laptop.text(".read b")
        assert float(shown) >= float(mine)
        mine = shown
    client.send("/scrub", 1, 0.125)
    laptop.is_(".read b", "0.13")
    laptop.page.mouse.up()


def test_of_many_moves_one_is_sent_a_frame_and_the_last_always(
    laptop: Screen, client: Client
) -> None:
    laptop.page.evaluate("""() => {
        window.frames = 0;
        const count = () => { window.frames++; requestAnimationFrame(count); };
        requestAnimationFrame(count);
    }""")
    laptop.drag(".field", 300, steps=300)
    frames = laptop.page.evaluate("window.frames")
    last = float(laptop.text(".read b"))
    until_voice(client, lambda v: f"{v.blend:.2f}" == f"{last:.2f}")
    scrubs = laptop.messages("/scrub")
    assert 0 < len(scrubs) <= frames + 2
    assert scrubs[-1][0] == 1 and abs(scrubs[-1][1] - last) < 0.006


def test_the_ruler_jumps_and_shift_is_ten_times_finer(laptop: Screen, client: Client) -> None:
    box = laptop.box(".field")
    laptop.page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + 20)
    until_voice(client, lambda v: v.blend == 1)
    laptop.page.keyboard.down("Shift")
    laptop.drag(".field", -200)
    laptop.page.keyboard.up("Shift")
    fine = 1 - rested(client).blend
    laptop.drag(".field", -200)
    until_voice(client, lambda v: abs((1 - fine - v.blend) / fine - 10) < 0.5)


def test_a_pad_acts_when_it_is_touched_and_shows_what_it_costs(
    phone: Screen, client: Client
) -> None:
    for number in (1, 2):
        client.send("/voice/set", number, "loop", 1)
    phone.is_(".eight .pad .word", re.compile(r"now|soon|\d s"))
    box = phone.box(".eight .pad")
    phone.touch("touchStart", (box["x"] + 40, box["y"] + 40))
    phone.until(lambda: phone.messages("/fuse") != [])
    phone.is_(".eight .pad.playing .word", "voice 1")
    phone.touch("touchEnd")
    phone(".tab >> text=2").tap()
    phone(".eight .pad >> nth=1").tap()  # b by r
    phone.is_(".eight .pad.playing >> nth=1", "voice 2")
    assert len(phone.messages("/fuse")) == 2
    assert voice(client, 2).original == "b"


def test_panic_is_a_tap_and_no_swipe(laptop: Screen, client: Client) -> None:
    looped(client)
    laptop.drag(".panic", 100)
    laptop.drag(".panic", 20)
    assert laptop.messages("/panic") == []
    laptop(".panic").click()
    until_voice(client, lambda v: v.state == "silent")
    assert len(laptop.messages("/panic")) == 1


def test_the_keyboard_alone_is_enough(laptop: Screen, client: Client) -> None:
    press = laptop.page.keyboard.press
    press("q")
    until_voice(client, lambda v: (v.state, v.original, v.reference) == ("playing", "a", "r"))
    press("l")
    until_voice(client, lambda v: v.loop == 1)
    press("ArrowRight")
    until_voice(client, lambda v: v.blend == 0.75)
    press("Shift+ArrowLeft")
    until_voice(client, lambda v: abs(v.blend - 0.74) < 1e-6)
    press("m")
    until_voice(client, lambda v: v.mute == 1)
    press("m")
    press("n")
    until_voice(client, lambda v: v.seed > 0)
    press("2")
    laptop.is_(".focus .vnum", "2")
    press("w")
    until_voice(client, lambda v: (v.state, v.original) == ("playing", "b"), 2)
    press("Space")
    until_voice(client, lambda v: v.state == "silent", 2)
    press("Escape")
    laptop.page.wait_for_timeout(1500)
    press("Escape")
    assert voice(client).state == "playing"  # too far apart to be meant
    press("Escape")
    until_voice(client, lambda v: v.state == "silent")


def test_keys_pressed_before_the_daemon_has_told_of_those_before(
    laptop: Screen, client: Client
) -> None:
    looped(client)
    laptop(".keys [aria-pressed=true] >> text=loop").wait_for()
    laptop.page.evaluate(
        """for (const key of 'mmln') document.body.dispatchEvent(new KeyboardEvent(
            'keydown', { key, code: 'Key' + key.toUpperCase(), bubbles: true }))"""
    )
    until_voice(client, lambda v: v.seed > 0)
    assert laptop.messages("/voice/set") == [[1, "mute", 1], [1, "mute", 0], [1, "loop", 0]]
    ((*_, option, loop, _, _),) = laptop.messages("/fuse")
    assert (option, loop) == ("@loop", 0)


def test_keys_are_words_while_somebody_types(laptop: Screen, client: Client) -> None:
    laptop(".add >> text=presets").click()
    laptop(".drawer input").fill("")
    laptop.page.keyboard.type("qwm 2")
    assert laptop.page.locator(".drawer input").input_value() == "qwm 2"
    laptop.page.keyboard.press("Escape")
    assert laptop.page.locator(".drawer").count() == 0
    assert laptop.messages("/fuse") == laptop.messages("/voice/set") == []
    assert laptop.messages("/panic") == []


def test_tab_reaches_everything_and_enter_plays_a_pad(laptop: Screen, client: Client) -> None:
    seen: set[str] = set()
    for _ in range(80):
        laptop.page.keyboard.press("Tab")
        seen.add(laptop.page.evaluate(
            "document.activeElement.ariaLabel || document.activeElement.innerText"
        ))  # fmt: skip
        if laptop.page.evaluate("document.activeElement.matches('tbody .pad')"):
            break
    assert {"blend of voice 1", "gain", "recall", "pan", "stop voice 3"} & seen >= {
        "blend of voice 1", "gain", "recall", "pan"
    }  # fmt: skip
    laptop.page.keyboard.press("Enter")
    until_voice(client, lambda v: v.state == "playing")


def test_faults_are_said_at_the_finger_in_the_foot_and_in_the_log(
    laptop: Screen, client: Client, tmp_path: Path
) -> None:
    bad = tmp_path / "no sound.wav"
    bad.write_bytes(b"RIFFnothing of the kind" * 40)
    before = {each.clip for each in client.clips()}
    laptop.load(bad)
    laptop(".tag.fault").wait_for()
    key, tag = laptop.box(".add button:has-text('load')"), laptop.box(".tag.fault")
    assert 0 <= tag["y"] - key["y"] - key["height"] < 10
    words = laptop.text(".tag.fault")
    assert words and "\n" not in words
    laptop.is_(".line.bad", words)
    laptop(".tools >> text=log").click()
    laptop.is_(".log li.bad", "/clip/load")
    laptop(".drawer >> text=only failures").click()
    laptop.page.locator(".log li:not(.bad)").wait_for(state="detached")
    assert {each.clip for each in client.clips()} == before
    laptop.page.locator(".tag.fault").wait_for(state="detached")
    laptop.page.locator(".line:not(.bad)").wait_for()


def test_a_drag_moves_the_voice_that_it_began_on(laptop: Screen, client: Client) -> None:
    for selector, address in ((".field", "/scrub"), (".f-gain", "/voice/set")):
        laptop.page.keyboard.press("1")
        laptop.is_(".focus .vnum", "1")
        box = laptop.box(selector)
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        laptop.page.mouse.move(x, y)
        laptop.page.mouse.down()
        laptop.page.mouse.move(x - 20, y)
        laptop.until(lambda address=address: len(laptop.messages(address)) == 1)
        laptop.page.keyboard.press("2")
        laptop.is_(".focus .vnum", "2")
        laptop.page.mouse.move(x - 60, y)
        laptop.page.mouse.up()
        laptop.until(lambda address=address: len(laptop.messages(address)) >= 2)
        assert {each[0] for each in laptop.messages(address)} == {1}
    moved = rested(client)
    assert abs(moved.blend - laptop.messages("/scrub")[-1][1]) < 1e-3
    assert (voice(client, 2).blend, voice(client, 2).gain) == (0.5, 0)
    laptop.page.keyboard.press("1")
    laptop.until(lambda: abs(float(laptop.text(".read b")) - moved.blend) < 0.006)
    client.send("/scrub", 1, 1.0)
    laptop.is_(".read b", "1.00")  # no hand holds it any more


def test_space_plays_and_stops_whatever_was_touched_last(laptop: Screen, client: Client) -> None:
    looped(client)
    for selector in (".f-pan", ".row .mini"):
        laptop.drag(selector, 10)
        laptop.page.keyboard.press("Space")
        until_voice(client, lambda v: v.state == "silent")
        laptop.is_(".keys .key", "play")
        laptop.page.keyboard.press("Space")
        until_voice(client, lambda v: v.state == "playing")
        laptop.is_(".keys .key", "stop")


def test_a_voice_that_loops_does_so_with_another_seed(laptop: Screen, client: Client) -> None:
    looped(client)
    laptop(".keys [aria-pressed=true] >> text=loop").wait_for()
    laptop.page.keyboard.press("n")
    laptop.is_(".read span", re.compile(r"seed [1-9]"))
    client.request("/sync")
    until_voice(client, lambda v: v.seed > 0 and v.state == "playing" and v.fraction == 0)
    assert voice(client).loop == 1
    ((_, _, _, _, *options),) = laptop.messages("/fuse")
    assert options[:2] == ["@loop", 1]


def test_a_fan_is_of_what_the_voice_plays(laptop: Screen, client: Client) -> None:
    complete = "() => document.querySelector('.field').ariaValueText.endsWith('5 ready')"
    looped(client)
    laptop.wait(complete)
    laptop.page.keyboard.press("n")
    laptop.is_(".read span", re.compile(r"seed [1-9]"))
    laptop.wait(complete)
    # Of these steps /voice says nothing.
    client.request("/fuse", 1, "a", "r", "@loop", 1, "@seed", 12_345, "@steps", 3)
    laptop.is_(".read span", "seed 12345")
    laptop.wait(complete)


def test_pads_are_those_of_the_voice_in_focus(laptop: Screen, client: Client) -> None:
    looped(client)
    client.send("/stop", 1)
    client.send("/voice/set", 7, "recall", 0.37)
    laptop.is_("tbody .pad.now", "now")
    laptop.page.keyboard.press("7")
    laptop.is_("tbody td:nth-of-type(1) .pad.cost .word", re.compile(r"soon|\d s"))
    laptop.page.keyboard.press("1")
    laptop.is_("tbody td:nth-of-type(1) .pad.now", "now")
    client.send("/voice/set", 7, "recall", 0.73)  # reported for voice 7, which isn't in focus
    client.request("/sync")
    client.send("/voice/set", 1, "pan", 0.25)
    laptop.is_(".f-pan .num", "0.25 R")
    laptop.is_("tbody td:nth-of-type(1) .pad.now", "now")


def test_a_finger_that_slides_off_a_pad_holds_it_no_longer(laptop: Screen, client: Client) -> None:
    box, mouse = laptop.box("tbody .pad"), laptop.page.mouse
    x, bottom = box["x"] + 20, box["y"] + box["height"]
    for y, off in ((bottom - 20, 60), (bottom - 2, 4)):
        mouse.move(x, y)
        mouse.down()
        mouse.move(x, y + off)
        mouse.up()
    laptop.page.wait_for_timeout(700)
    laptop.page.keyboard.press("m")
    until_voice(client, lambda v: v.mute == 1)
    assert laptop.messages("/midi/learn") == []


def test_holding_a_control_learns_midi_or_says_why_not(laptop: Screen, client: Client) -> None:
    box = laptop.box(".f-gain")
    laptop.page.mouse.move(box["x"] + 20, box["y"] + 20)
    laptop.page.mouse.down()
    laptop.is_(".tag.fault", "no controller is open")
    laptop.page.mouse.up()
    ((_, target),) = laptop.messages("/midi/learn")
    assert target == "/voice/set 1 gain $"
    assert laptop.messages("/voice/set") == []
    # A finger that only rests isn't told twice; who asks by the keyboard is.
    laptop.page.mouse.down()
    laptop.page.wait_for_timeout(700)
    laptop.page.mouse.up()
    assert len(laptop.messages("/midi/learn")) == 1
    laptop(".f-gain").focus()
    laptop.page.keyboard.press("Shift+M")
    laptop.until(lambda: len(laptop.messages("/midi/learn")) == 2)


def test_a_drag_that_begins_with_a_rest_learns_nothing(laptop: Screen, client: Client) -> None:
    laptop.drag(".field", 100)
    assert laptop.messages("/midi/learn") == []


def test_a_place_that_is_ready_has_its_picture_and_the_pair_its_balance(
    laptop: Screen, client: Client
) -> None:
    looped(client)
    laptop(".keys >> text=17 places").click()
    laptop.wait("() => document.querySelector('.field').ariaValueText.endsWith('17 ready')")
    laptop(".bal").wait_for()
    drawn = """() => {
        const c = document.querySelector('.field .melt'), x = c.getContext('2d');
        const all = x.getImageData(0, 0, c.width, c.height).data, hues = [0, 0, 0];
        for (let i = 0; i < all.length; i += 4)
            for (let k = 0; k < 3; k++) hues[k] += all[i + k];
        return Math.min(...hues) > 1e6;
    }"""
    laptop.wait(drawn)
    laptop.until(
        lambda: sum(each[1] == "fusion" for each in laptop.messages("/page/picture")) >= 17
    )
    x = laptop.box(".field")
    for _ in range(2):
        laptop.page.mouse.click(x["x"] + 300, x["y"] + 150)
    balance = float(laptop.text(".bal span").removeprefix("balance "))
    until_voice(client, lambda v: abs(v.blend - balance) < 0.006)


def test_eight_meters_and_a_drag_leave_the_browser_time_for_frames(
    laptop: Screen, client: Client
) -> None:
    for number in range(1, 9):
        looped(client, number)
    metrics = laptop.page.context.new_cdp_session(laptop.page)
    metrics.send("Performance.enable")
    laptop.page.evaluate("""() => {
        window.long = [];
        new PerformanceObserver(list => window.long.push(...list.getEntries().map(e => e.duration)))
            .observe({ type: 'longtask' });
    }""")

    def figures() -> dict[str, float]:
        found = metrics.send("Performance.getMetrics")["metrics"]
        return {each["name"]: each["value"] for each in found}

    before = figures()
    for _ in range(3):
        laptop.drag(".field", 250, steps=40)
        laptop.page.wait_for_timeout(500)
    after = figures()
    spent = {name: after[name] - before[name] for name in after}
    scripted, wall = spent["ScriptDuration"], spent["Timestamp"]
    assert scripted < 0.4 * wall, spent
    # Meters and needles move without a new layout: what is laid out anew are a few figures.
    assert spent["LayoutDuration"] < 0.1 * wall, spent
    assert sum(laptop.page.evaluate("window.long")) < 400


def test_what_is_recorded_is_said_while_it_is(laptop: Screen, client: Client) -> None:
    laptop(".c-rec").click()
    name = laptop.page.locator(".drawer input").first.input_value()
    laptop(".drawer >> text=record the output").click()
    laptop.is_(".c-rec .v", re.compile(r"0:0\d"))
    laptop(".drawer >> text=stop recording").click()
    laptop.is_(".c-rec .v", "not recording")
    assert name.startswith("take-") and name.endswith(".wav")


def test_a_preset_and_a_session_are_a_tap_away(laptop: Screen, client: Client) -> None:
    laptop.drag(".f-gain", -60)
    gain = rested(client).gain
    laptop(".add >> text=presets").click()
    laptop(".drawer input").fill("quiet")
    laptop(".drawer form .key").click()
    laptop(".pick >> text=quiet").wait_for()
    client.send("/voice/set", 1, "gain", 3)
    laptop.is_(".f-gain .num", "+3.0")
    laptop(".pick >> text=quiet").click()
    until_voice(client, lambda v: v.gain == gain)


def test_names_are_shown_as_they_are(laptop: Screen, client: Client) -> None:
    prompt = "<b>重い扉</b> باب ثقيل " + "w" * 40
    client.request("/reference/remember", "thirty-two-letters-that-are-long", "a", prompt)
    row = laptop("tbody th >> text=thirty-two")
    row.wait_for()
    assert not laptop.spills()
    row.click()
    assert laptop.page.locator(".drawer input").nth(1).input_value() == prompt.strip()
    laptop.page.keyboard.press("Escape")
    laptop("tr:has-text('thirty-two') .pad").click()
    laptop.is_(".focus .sub", prompt[:8])
    assert laptop.page.locator(".focus .sub b").count() == 0
    client.request("/reference/free", "thirty-two-letters-that-are-long")
    laptop.page.locator("tbody th >> text=thirty-two").wait_for(state="detached")


def test_more_pads_than_fit_are_filtered_by_typing_and_paged_on_a_phone(
    browser: Browser, running: Daemon, laptop: Screen, client: Client
) -> None:
    for number in range(12):
        client.request("/clip/load", f"extra-{number}", "c.wav")
    try:
        laptop("thead th >> text=extra-11").wait_for(state="attached")
        laptop(".filter").fill("extra-7")
        laptop.wait("() => document.querySelectorAll('thead th').length === 1")
        with opened(browser, page_port(running), **PHONE) as phone:
            phone(".views >> text=pads").tap()
            phone.is_(".pager", "1–8 of 14")
            phone(".pager .key >> nth=1").tap()
            phone.is_(".pager", "9–14 of 14")
            assert phone.page.locator(".eight .pad").count() == 6
            assert not phone.spills()
    finally:
        for number in range(12):
            client.request("/clip/free", f"extra-{number}")
