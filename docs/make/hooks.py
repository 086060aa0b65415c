"""What mkdocs has to be told: pages that live beside the code, and that nothing comes from afar.

Those pages keep their paths, as if all of `docs` lay in the root folder. Links are written as they
are right in the checkout, and so on a code host.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]

BESIDE_THE_CODE = (
    "plugin_bridge/PROTOCOL.md", "plugin_bridge/README.md", "plugin_bridge/pd/README.md",
    "plugin_bridge/max/README.md", "plugin_bridge/tablet/README.md",
    "plugin_bridge/tablet/TOUCHOSC.md", "presets/clips/README.md", "presets/fusion.png",
    "server/eutectic/engine/embedded/MODEL_CARD.md", "server/eutectic/experiments/paper/README.md",
    "CONTRIBUTING.md", "CHANGELOG.md",
)  # fmt: skip

LINK = re.compile(r"(\[[^\]]*\])\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)")
"""A link's words, path and anchor, unless it leads to another host or stays on its page."""

FAR = re.compile(r"https://unpkg\.com/")
"""Where the theme's scripts would look for what pages here don't use."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that live beside the code, and the pictures of the paper's experiments."""
    pictures = ROOT.glob("server/eutectic/experiments/paper/figures/*.png")
    for path in (*map(ROOT.joinpath, BESIDE_THE_CODE), *pictures):
        name = path.relative_to(ROOT).as_posix()
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, files: Files, **_: Any) -> str:
    """Lead links that are right in the checkout to the site's pages.

    A link to a file that is no page, such as a TOML file, becomes plain words.
    """
    source = page.file.src_uri
    beside = source in BESIDE_THE_CODE
    folder = posixpath.dirname(source if beside else f"docs/{source}")

    def leads(match: re.Match[str]) -> str:
        words, path, anchor = match[1], match[2], match[3] or ""
        there = posixpath.normpath(posixpath.join(folder, path))
        name = there.removeprefix("docs/")
        if files.get_file_from_path(name) is not None:
            return f"{words}({posixpath.relpath(name, posixpath.dirname(source))}{anchor})"
        if (ROOT / there).exists():
            return words[1:-1]
        return match[0]  # a mistake, which the strict build reports

    return LINK.sub(leads, markdown)


def on_post_build(config: MkDocsConfig) -> None:
    """Keep the theme's scripts from asking another host, even where a page is opened as a file."""
    for path in Path(config.site_dir).rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        if FAR.search(text):
            path.write_text(FAR.sub("/", text), encoding="utf-8")
