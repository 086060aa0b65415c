"""The site builds in strict mode, all that it links to is there, and it asks no other host."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Generator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import sync_playwright

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as `make docs` builds it, but elsewhere."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f",
               str(ROOT / "docs" / "make" / "mkdocs.yml"), "-d", str(folder)]  # fmt: skip
    built = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


class Linked(HTMLParser):
    """Collects what a page loads, and what it leads to, with the anchors that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.anchors |= {given.get("id") or "", given.get("name") or ""}
        link = given.get("href")
        if given.get("src"):
            self.loads.append(given["src"] or "")
        if link and tag == "link" and given.get("rel") != "canonical":
            self.loads.append(link)
        if link and tag == "a":
            self.leads.append(link)


def linked(page: Path) -> Linked:
    found = Linked()
    found.feed(page.read_text(encoding="utf-8"))
    return found


def test_every_page_of_the_menu_is_there_and_the_scripts_of_the_build_are_not(site: Path) -> None:
    assert {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"} == {
        f"{path.stem}.md" for path in site.glob("*.html")
    } - {"404.md", "index.md", "CONTRIBUTING.md", "CHANGELOG.md"}
    assert (site / "plugin_bridge" / "PROTOCOL.html").exists()
    assert not (site / "make").exists()


def test_all_that_pages_load_and_lead_to_is_there(site: Path) -> None:
    pages = {path: linked(path) for path in site.rglob("*.html") if path.name != "404.html"}
    assert len(pages) > 20
    for path, found in pages.items():
        for link in (*found.loads, *found.leads):
            parts = urlsplit(link)
            if parts.scheme in ("http", "https", "data"):
                assert link in found.leads, f"{path.name} loads {link}"
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = there / "index.html" if there.is_dir() else there
            assert there.exists(), f"{path.name}: {link}"
            if parts.fragment and there in pages:
                assert unquote(parts.fragment) in pages[there].anchors, f"{path.name}: {link}"


def test_no_script_or_style_names_a_host_to_load_from(site: Path) -> None:
    for path in (*site.rglob("*.js"), *site.rglob("*.css")):
        text = path.read_text(encoding="utf-8")
        for host in ("unpkg.com", "cdn.", "googleapis.com", "gstatic.com", "jsdelivr"):
            assert host not in text, f"{path.name}: {host}"


@pytest.fixture
def address(site: Path) -> Generator[str]:
    """The site, served."""
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def test_a_browser_asks_no_other_host_finds_by_words_and_plays_the_sounds(
    site: Path, address: str
) -> None:
    chromium = shutil.which("chromium")
    assert chromium is not None, "this test needs a browser (apt: chromium)"
    asked: list[str] = []
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(20_000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("response", lambda got: got.ok or got.status == 304 or wrong.append(got.url))
        for path in sorted(site.rglob("*.html")):
            if path.name != "404.html":
                page.goto(f"{address}/{path.relative_to(site).as_posix()}")
        page.goto(f"{address}/listen.html")
        lengths = page.evaluate(
            """() => Promise.all([...document.querySelectorAll('audio')].map(audio =>
            new Promise((resolve, reject) => {
              audio.onloadedmetadata = () => resolve(audio.duration)
              audio.onerror = () => reject(audio.src)
              audio.preload = 'metadata'
              audio.load()
            })))"""
        )
        page.locator("input[name=query]").click()
        page.locator("input[name=query]").press_sequentially("stale_reference")
        page.locator(".md-search-result__link").first.wait_for()
        browser.close()
    assert len(lengths) == 21 and all(seconds > 2 for seconds in lengths)
    assert wrong == []
    assert {url for url in asked if not url.startswith((address, "data:", "blob:"))} == set()
