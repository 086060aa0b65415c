"""What mkdocs has to be told: pages that live beside the code, and that nothing comes from afar.

Those pages keep their paths, as if `docs` lay in the root folder, so links between all of them are
the same on a code host and on the site but for one `../`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]

BESIDE_THE_CODE = (
    "plugin_bridge/PROTOCOL.md", "plugin_bridge/README.md", "plugin_bridge/pd/README.md",
    "plugin_bridge/max/README.md", "plugin_bridge/tablet/README.md",
    "plugin_bridge/tablet/TOUCHOSC.md", "presets/clips/README.md", "presets/fusion.png",
    "server/eutectic/engine/embedded/MODEL_CARD.md", "server/eutectic/experiments/paper/README.md",
    "CONTRIBUTING.md", "CHANGELOG.md",
)  # fmt: skip

FAR = re.compile(r"https://unpkg\.com/")
"""Where the theme's scripts would look for what pages here don't use."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that live beside the code, and the pictures of the paper's experiments."""
    pictures = ROOT.glob("server/eutectic/experiments/paper/figures/*.png")
    for path in (*map(ROOT.joinpath, BESIDE_THE_CODE), *pictures):
        name = path.relative_to(ROOT).as_posix()
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Leave the folder `docs` out of links."""
    out = re.sub(r"(\]\(|src=\")\.\./(?!\.\.)(?=[a-zA-Z])", r"\1", markdown)
    return re.sub(r"(\]\()((?:\.\./)*)docs/", r"\1\2", out)


def on_post_build(config: MkDocsConfig) -> None:
    """Keep the theme's scripts from asking another host, even where a page is opened as a file."""
    for path in Path(config.site_dir).rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        if FAR.search(text):
            path.write_text(FAR.sub("/", text), encoding="utf-8")
