"""What `/render` writes: its formats, and its tags, which the command line understands."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from daemons import fails
from eutectic.cli import run
from eutectic.client.daemon_process import Daemon
from eutectic.client.sync import Client
from eutectic.recipe import read_recipe

pytestmark = pytest.mark.process


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_render_says_how_it_was_made_and_can_be_made_again(
    client: Client, running: Daemon, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("@blend", 0.5, "@seed", 3, "@recall", 0.25, "@steps", 12)
    name = f"tagged/{tmp_path.name}.{suffix}"
    path = Path(client.request("/render", "a", "r", name, *options).found.path)
    assert soundfile.info(path).format == suffix.upper()
    recipe = read_recipe(path)
    assert recipe.original.file == running.data.parent / "clips" / "a.wav"
    assert (recipe.prompt, recipe.place.blend) == ("white noise", 0.5)
    assert recipe.sampling is not None and recipe.learned is not None
    assert (recipe.sampling.seed, recipe.sampling.steps, recipe.sampling.recall) == (3, 12, 0.25)
    assert recipe.learned.settings.steps == 2
    assert recipe.model is not None and recipe.model.name == "toy"
    monkeypatch.setenv("EUTECTIC_DATA", str(tmp_path))
    again = tmp_path / f"again.{suffix}"
    assert run(["fuse", "--like", str(path), "-o", str(again)]) == 0
    rendered, repeated = (soundfile.read(each)[0] for each in (path, again))
    assert rendered == pytest.approx(repeated, abs=1e-6)  # the same, where this was measured


def test_other_formats_are_refused(client: Client) -> None:
    assert fails(client, "/render", "a", "r", "made.mp3") == "bad_path"
    assert fails(client, "/record/start", "made.flac") == "bad_path"
