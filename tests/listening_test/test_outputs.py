"""What is made of the answers and the sets, and what mistakes are refused."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml
from matplotlib import image

from eutectic.audio import Waveform, loudness_lufs
from eutectic.cli import run
from eutectic.listening_test.sets import LEVEL_LUFS
from questionnaire import FULL, NAMES, RATE, Server, make_sets, refused, tone

pytestmark = pytest.mark.process


def test_figures_are_drawn_from_the_answers(
    sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = tmp_path / "answers.sqlite"
    places = ["--answers", str(answers), "--draw"]
    with Server(sets, answers) as server:
        assert "nothing to draw" in refused(capsys, str(sets), *places, str(tmp_path / "none"))
        assert not (tmp_path / "none").exists()
        for number, engagement in enumerate(["professional", "professional", "rare"]):
            token = server.enrol()
            server.send(token, "answers", question="engagement", value=engagement)
            for each in server.state(token)["sets"]:
                server.hear(token, each["id"])
                for question in FULL:
                    value = 1 + number
                    server.send(token, "answers", set=each["id"], question=question, value=value)
        assert run(["listen", str(sets), *places, str(tmp_path / "one")]) == 0
        server.send(token, "answers", set=each["id"], question="overall", value=5)
        server.send(token, "answers", question="engagement", value="listener")
        assert run(["listen", str(sets), *places, str(tmp_path / "two")]) == 0
    for name in ("fig5.png", "fig6.png"):
        one, two = (image.imread(tmp_path / folder / name) for folder in ("one", "two"))
        assert one.shape[1] >= 1000
        assert one.shape == two.shape
        assert 0 < np.any(one != two, axis=2).mean() < 0.2  # the bars that moved, no more


def test_webmushra_gets_the_same_sets_level_matched(sets: Path, tmp_path: Path) -> None:
    folder = make_sets(tmp_path / "sets")
    tone(folder / "bells" / "reference.wav", 330, 0.02, seconds=0.5)
    out = tmp_path / "out"
    title = 'It\'s "ours": # one'
    assert run(["listen", str(folder), "--webmushra", str(out), "--title", title]) == 0
    pages: dict[str, list[Any]] = {}
    for kind, page_type in (("likeness", "mushra"), ("rating", "likert_single_stimulus")):
        text = (out / f"{kind}.yaml").read_text()
        assert not re.search(r"^ *- +- ", text, re.MULTILINE)  # webMUSHRA's yaml.js misreads that
        test = yaml.safe_load(text)
        assert (test["testname"], test["testId"]) == (title, f"eutectic-{kind}")
        assert {"bufferSize", "stopOnErrors", "remoteService"} < test.keys()
        *_, (order, *pages[kind]), finish = test["pages"]
        assert order == "random"
        assert [(each["type"], each["id"]) for each in pages[kind]] == [
            (page_type, name) for name in NAMES
        ]
        assert finish["type"] == "finish" and finish["writeResults"]
        asked = [each["name"] for each in finish["questionnaire"]]
        assert asked == ["engagement", "device", "feedback"]
    for mushra, likert in zip(pages["likeness"], pages["rating"], strict=True):
        assert [each["value"] for each in likert["response"]] == ["1", "2", "3", "4", "5"]
        assert likert["stimuli"] == {"fusion": mushra["reference"]}
        files = [mushra["reference"], *mushra["stimuli"].values()]
        assert [Path(file).parent.as_posix() for file in files] == ["configs/eutectic"] * 3
        sounds = [soundfile.read(out / Path(file).name, always_2d=True) for file in files]
        assert len({(samples.shape, rate) for samples, rate in sounds}) == 1
        for samples, rate in sounds:
            assert np.abs(samples).max() < 1
            sounding = Waveform(samples[: round(0.5 * rate)].T.astype(np.float32), rate)
            assert loudness_lufs(sounding) == pytest.approx(LEVEL_LUFS, abs=0.3)


WRONG = (
    "no folder", "a missing folder", "an empty folder", "two sets of a name", "silence", "blend",
    "port", "host", "no answers to export", "a text as answers", "other answers",
    "answers nowhere", "a full folder", "silence for webMUSHRA", "answers over themselves",
)  # fmt: skip


def broken(folder: Path) -> dict[str, tuple[list[str], str]]:
    """Mistakes with `eutectic listen`, and part of each error message."""
    sets = str(make_sets(folder / "sets"))
    (folder / "empty").mkdir()
    make_sets(folder / "again")
    (folder / "text.sqlite").write_text("no database at all " * 100)
    with sqlite3.connect(folder / "other.sqlite") as other:
        other.execute("CREATE TABLE t (x)")
    over = str(folder / "other.sqlite")
    silent = make_sets(folder / "silent")
    soundfile.write(silent / "bells" / "fusion.wav", np.zeros(RATE), RATE)
    return {
        "no folder": ([], "name a folder"),
        "a missing folder": ([str(folder / "none")], "is not a folder"),
        "an empty folder": ([str(folder / "empty")], "holds no set"),
        "two sets of a name": ([sets, str(folder / "again")], "a set named bells"),
        "silence": ([str(silent)], "silent"),
        "blend": ([sets, "--blend", "1.5"], "blend must be"),
        "port": ([sets, "--port", "70000"], "port must be"),
        "host": ([sets, "--port", "0", "--host", "192.0.2.1"], "can't listen"),
        "no answers to export": ([sets, "--export", str(folder / "x.csv")], "no such file"),
        "a text as answers": ([sets, "--answers", str(folder / "text.sqlite")], "not a database"),
        "other answers": ([sets, "--answers", str(folder / "other.sqlite")], "another program"),
        "answers nowhere": ([sets, "--answers", str(folder / "no" / "a.sqlite")], "does not exist"),
        "silence for webMUSHRA": ([str(silent), "--webmushra", str(folder / "empty")], "silent"),
        "answers over themselves": (
            [sets, "--answers", over, "--export", over, "--force"], "where the answers are stored"
        ),
        "a full folder": ([sets, "--webmushra", str(folder / "sets")], "not empty"),
    }  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_mistakes_are_reported_in_one_line_and_change_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    arguments, message = broken(tmp_path)[what]
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert message in refused(capsys, *arguments)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files
