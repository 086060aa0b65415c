"""The gallery in a real browser, opened as a file."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from browsers import LAPTOP, PHONE, Screen, chromium
from eutectic.audio import Waveform, save_wav
from eutectic.rendering.gallery import NAME, save_gallery
from eutectic.rendering.local import LocalFolder
from eutectic.rendering.work import Row
from renders import TAGS, key, row, sound

pytestmark = pytest.mark.process

ORIGINALS, REFERENCES, BLENDS = (
    ["Café", "drum #1 50%", "voice"],
    ["glass", "rain"],
    [0.0, 0.5, 1.0],
)


def renders(sounds: Path) -> Generator[Row]:
    """Three originals with two references at three blends, of which one couldn't be made."""
    number = 0
    for original in ORIGINALS:
        for reference in REFERENCES:
            for blend in BLENDS:
                number += 1
                yield row(
                    f"{original}/{reference} {blend:g}.wav",
                    original=str(sounds / f"{original}.wav"),
                    reference=str(sounds / f"{reference}.wav"), blend=blend,
                    cfg=None if number == 7 else 1.5,
                    prompt="</script><script>broken(",
                    reason=f"{sounds / original}.wav: it is silent" if number == 7 else "",
                    seed=number % 2,
                    from_original=1.5 - blend, from_reference=0.25 + blend, loudness=-10.0 - number,
                )  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery, its sounds, and of what they are made all but a reference."""
    sounds, folder = (
        tmp_path_factory.mktemp("sounds"),
        LocalFolder(tmp_path_factory.mktemp("renders")),
    )
    for name in [*ORIGINALS, "glass"]:
        save_wav(sounds / f"{name}.wav", sound(name, 44_100))
    rows, sink = list(renders(sounds)), folder.sink("w")
    for each in rows:
        waveform: Waveform | None = None if each.reason else sound(each.name, 44_100)
        sink.put(each, waveform, TAGS)
    sink.close()
    assert save_gallery(folder, [each.key for each in rows], "A night of <b>renders</b>") == NAME
    assert folder.folder is not None
    return folder.folder / NAME


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with chromium() as found:
        yield found


@contextmanager
def opened(browser: Browser, page: Path, **options: Any) -> Generator[Screen]:
    """Open the page as a file; it may ask for nothing but sounds, and have no errors."""
    context = browser.new_context(**(LAPTOP | options))
    context.set_default_timeout(20_000)
    screen = Screen(context.new_page())
    context.on("request", lambda request: asked(screen, request.url))
    screen.page.on("pageerror", lambda error: screen.wrong.append(str(error)))
    screen.page.goto(page.as_uri())
    yield screen
    context.close()
    assert screen.wrong == []


def asked(screen: Screen, url: str) -> None:
    if not re.match(r"file:.*\.(html|wav|flac)(#|$)|data:", url):
        screen.wrong.append(url)


def texts(screen: Screen, column: str) -> list[str]:
    """Of the rows that are seen, from the top."""
    return screen.page.evaluate(
        """column => [...document.querySelectorAll('.body .row')]
            .filter(row => row.checkVisibility())
            .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
            .map(row => row.querySelector('.c-' + column).innerText.trim())""",
        column,
    )


def plays(screen: Screen, name: str) -> None:
    """Wait until this, and nothing else, is heard."""
    screen.wait(
        "name => !audio.paused && audio.currentTime > 0 && decodeURI(audio.src).includes(name)",
        name,
    )


def listed(screen: Screen) -> None:
    screen("button:has-text('List')").click()
    screen.wait("document.querySelector('.body .row')")


def test_it_sorts_by_any_column_and_filters_by_words_and_sources(
    browser: Browser, page: Path
) -> None:
    with opened(browser, page) as screen:
        assert screen.text("#title") == "A night of <b>renders</b>"
        assert screen.text("#count") == "18 sounds, 1 failed"
        listed(screen)
        assert texts(screen, "original")[::6] == ["Café", "drum #1 50%", "voice"]
        screen(".heads button:has-text('LUFS')").click()
        loudness = [float(text) for text in texts(screen, "loudness")]
        assert loudness == sorted(loudness) and len(loudness) == 18
        screen(".heads button:has-text('LUFS')").click()
        assert [float(text) for text in texts(screen, "loudness")] == loudness[::-1]
        screen("#facets select.ref").select_option(label="rain")
        assert set(texts(screen, "reference")) == {"rain"}
        screen("#facets [aria-label=blend]").select_option(label="0.5")
        assert set(texts(screen, "blend")) == {"0.5"}
        screen("#find").fill("CAFÉ rain")
        assert texts(screen, "original") == ["Café"]
        screen("#find").fill("nothing like this")
        screen.is_("#nothing", "Nothing is like this")
        screen("#nothing button").click()
        assert len(texts(screen, "name")) == 18


def test_one_key_plays_and_only_one_sound_is_heard(browser: Browser, page: Path) -> None:
    with opened(browser, page) as screen:
        keys = screen.page.keyboard
        listed(screen)
        screen(".body .row >> nth=1").click()
        plays(screen, "Café/glass 0.5.wav")
        keys.press("ArrowDown")
        plays(screen, "Café/glass 1.wav")
        keys.press("o")
        plays(screen, f"{ORIGINALS[0]}.wav")
        keys.press("r")
        plays(screen, "glass.wav")
        keys.press("f")
        plays(screen, "Café/glass 1.wav")
        assert screen.page.locator(".body .playing").count() == 1
        keys.press("Escape")
        screen.wait("audio.paused && !document.querySelector('.body .playing')")
        screen("#find").fill("voice")
        keys.press("Enter")
        keys.press("Home")
        keys.press("l")
        keys.press("Space")
        plays(screen, "voice/glass 0.wav")
        screen.wait("!audio.seeking && audio.currentTime > .8")
        screen.wait("!audio.paused && audio.currentTime < .5")


def test_what_cannot_be_reached_says_so_and_a_failure_says_why(
    browser: Browser, page: Path
) -> None:
    with opened(browser, page) as screen:
        listed(screen)
        screen("#find").fill("voice rain")
        screen(".body .row >> nth=0").click()
        plays(screen, "voice/rain 0.wav")
        screen.page.keyboard.press("r")
        screen.is_("#where", "The reference can't be played from here.")
        assert screen("[data-part=reference]").is_disabled()
        screen("#find").fill("silent")
        assert texts(screen, "name") == ["it is silent"]
        screen(".body .row").click()
        screen.is_("#where", "it is silent")
        assert screen("[data-part=fusion]").is_disabled()
        assert screen("[data-part=original]").is_enabled()


def test_the_grid_has_a_tile_for_each_sound_and_keys_lead_through_it(
    browser: Browser, page: Path
) -> None:
    with opened(browser, page) as screen:
        keys = screen.page.keyboard
        assert screen.page.locator("#grid .tile").count() == 18
        screen("#grid .tile >> nth=0").click()
        plays(screen, "Café/glass 0.wav")
        keys.press("ArrowRight")
        plays(screen, "Café/glass 1.wav")  # of the same seed, in the same line
        keys.press("ArrowDown")
        plays(screen, "Café/glass 0.5.wav")
        assert screen.page.locator(".tile.playing").count() == 1


def test_a_spot_of_the_map_plays(browser: Browser, page: Path) -> None:
    with opened(browser, page) as screen:
        x, y = screen.page.evaluate("spots.get(4)")
        screen.page.locator("#map canvas").click(position={"x": x, "y": y})
        screen.wait("!audio.paused && audio.currentTime > 0")
        assert screen.page.evaluate("spots.get(player.row)") == [x, y]


@pytest.mark.parametrize(
    "options", [LAPTOP, PHONE | {"color_scheme": "light"}], ids=["laptop", "phone"]
)
def test_anyone_can_use_it(browser: Browser, page: Path, options: dict[str, Any]) -> None:
    with opened(browser, page, **options) as screen:
        for view in ("List", "Grid", "Map"):
            button = screen.page.locator(f".views button:has-text('{view}')")
            if not button.is_visible():
                continue
            button.click()
            assert screen.violations() == []
            assert not screen.spills()
            if options is not LAPTOP:
                assert screen.too_small() == []
        screen("#theme").click()
        assert screen.violations() == []


def test_many_thousands_of_rows_stay_few_elements(browser: Browser, tmp_path: Path) -> None:
    folder, count = LocalFolder(tmp_path), 20_000
    text = "".join(
        json.dumps({"key": key(str(n)), "name": f"{n:05}.wav", "reason": "planned alone",
                    "original": f"/o/{n % 40}.wav", "original_digest": "", "prompt": "",
                    "reference": f"/r/{n % 7}.wav", "reference_digest": "", "blend": n % 11 / 10,
                    "from_original": n % 97 / 50, "from_reference": n % 89 / 50}) + "\n"
        for n in range(count)
    )  # fmt: skip
    sink = folder.sink("w")
    sink._journal.write(text.encode())
    sink.close()
    save_gallery(folder, (key(str(n)) for n in range(count)), "many")
    with opened(browser, tmp_path / NAME) as screen:
        screen.wait("document.querySelector('.body .row')")
        for share in (0.2, 0.5, 1.0):
            screen.page.evaluate("share => table.scrollTop = table.scrollHeight * share", share)
            screen.wait(
                "share => Math.abs(Number([...document.querySelectorAll('.body .row')]"
                ".find(row => row.checkVisibility()).dataset.row) / 20000 - share) < .01",
                share,
            )
        screen("#row-19999").click()
        screen.is_("#where", "planned alone")
        assert screen.page.locator(".body .row").count() < 100
