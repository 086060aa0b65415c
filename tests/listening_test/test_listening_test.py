"""The questionnaire: a real server, real HTTP, real SQLite, and a phone-sized browser."""

import csv
import http.client
import io
import json
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml
from matplotlib import image
from playwright.sync_api import Page, sync_playwright

from eutectic.audio import Waveform, loudness_lufs
from eutectic.cli import run
from eutectic.listening_test import answers as answers_
from eutectic.listening_test.questions import COMMENT_CHARACTERS
from eutectic.listening_test.sets import LEVEL_LUFS

pytestmark = pytest.mark.process

RATE, SECONDS = 48_000, 0.7
HERTZ = {"original": 220, "reference": 330, "fusion": 275}
LEVELS = {"original": 0.7, "reference": 0.02, "fusion": 0.2}
NAMES = ["bells", "drone", "glass"]
FULL = {"like_a": 4, "like_b": 2, "overall": 5}


def tone(path: Path, hertz: float, gain: float, seconds: float = SECONDS, rate: int = RATE) -> None:
    at = np.arange(round(seconds * rate)) / rate
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, gain * np.sin(2 * np.pi * hertz * at), rate, subtype="FLOAT")


def make_sets(folder: Path) -> Path:
    """Three sets at different levels; `glass` has the fusions of a window."""
    for number, name in enumerate(NAMES):
        for role, hertz in HERTZ.items():
            tone(folder / name / f"{role}.wav", hertz + number, LEVELS[role])
    (folder / "glass" / "fusion.wav").rename(folder / "glass" / "fusion-050.wav")
    tone(folder / "glass" / "fusion-000.wav", 700, 0.2)
    tone(folder / "glass" / "fusion-100.wav", 800, 0.2)
    return folder


class Server:
    """`eutectic listen` as a process."""

    def __init__(self, folder: Path, answers: Path, port: int = 0) -> None:
        self.answers = answers
        command = [sys.executable, "-m", "eutectic", "listen", str(folder)]
        command += ["--answers", str(answers), "--port", str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        found = re.match(
            r"listening on http://127\.0\.0\.1:(\d+)\n", self.process.stdout.readline()
        )
        assert found is not None
        self.port = int(found[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.end(signal.SIGINT)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)

    def ask(
        self, path: str, body: object = None, method: str | None = None, **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Request exactly this path, not normalised by any client."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body)
        if content is not None:
            headers = {"Content-Type": "application/json"} | headers
        connection.request(method or ("GET" if body is None else "POST"), path, content, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer, text

    def json(self, path: str, body: object = None, method: str | None = None) -> Any:
        answer, text = self.ask(path, body, method)
        assert answer.status in (200, 201), (answer.status, text)
        return json.loads(text)

    def enrol(self) -> str:
        return self.json("/api/respondents", method="POST")["token"]

    def state(self, token: str) -> Any:
        return self.json(f"/api/respondents/{token}")

    def send(self, token: str, kind: str, **body: object) -> None:
        answer, text = self.ask(f"/api/respondents/{token}/{kind}", body)
        assert answer.status == 204, text

    def hear(self, token: str, set_id: str) -> None:
        for place in ("a", "b", "sound"):
            self.send(token, "plays", set=set_id, sound=place)

    def role(self, token: str, set_id: str, place: str) -> str:
        """Which of the three sounds is there, by its pitch."""
        _, wav = self.ask(f"/sounds/{token}/{set_id}/{place}.wav")
        samples, rate = soundfile.read(io.BytesIO(wav), always_2d=True)
        spectrum = np.abs(np.fft.rfft(samples[:, 0]))
        hertz = spectrum.argmax() * rate / len(samples)
        return min(HERTZ, key=lambda role: abs(HERTZ[role] - hertz))

    def rows(self) -> list[Any]:
        """Everything that is stored."""
        with sqlite3.connect(self.answers) as database:
            tables = ("respondent", "answer", "play")
            return [database.execute(f"SELECT * FROM {table}").fetchall() for table in tables]


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sets(tmp_path_factory.mktemp("sets"))


@pytest.fixture(scope="module")
def server(sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    with Server(sets, tmp_path_factory.mktemp("answers") / "answers.sqlite") as process:
        yield process


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run `eutectic listen` that must be refused; returns its one line."""
    assert run(["listen", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_every_sound_is_16_bit_wav_at_one_loudness(server: Server) -> None:
    token = server.enrol()
    measured = []
    for each in server.state(token)["sets"]:
        for place in ("a", "b", "sound"):
            answer, wav = server.ask(f"/sounds/{token}/{each['id']}/{place}.wav")
            assert answer.getheader("content-type") == "audio/wav"
            with soundfile.SoundFile(io.BytesIO(wav)) as file:
                assert (file.format, file.subtype, file.channels) == ("WAV", "PCM_16", 2)
                samples = file.read(dtype="float32", always_2d=True).T
                measured.append(loudness_lufs(Waveform(samples, file.samplerate)))
    assert len(measured) == 9
    assert max(measured) - min(measured) < 0.1  # LU, of files 31 dB apart
    assert np.mean(measured) == pytest.approx(LEVEL_LUFS, abs=0.1)


def test_a_range_of_a_sound_is_served_on_request(server: Server) -> None:
    token = server.enrol()
    path = f"/sounds/{token}/{server.state(token)['sets'][0]['id']}/a.wav"
    _, whole = server.ask(path)
    answer, part = server.ask(path, Range="bytes=1000-1999")
    assert answer.status == 206
    assert answer.getheader("content-range") == f"bytes 1000-1999/{len(whole)}"
    assert part == whole[1000:2000]


def test_each_respondent_has_an_order_of_their_own_and_a_is_either_source(server: Server) -> None:
    orders, sides, ids = set(), set(), []
    for _ in range(48):  # tokens are random: of twelve, one run in 44 leaves a set never first
        token = server.enrol()
        seen = server.state(token)["sets"]
        assert server.state(token)["sets"] == seen
        ids += [each["id"] for each in seen]
        heard = [server.role(token, each["id"], "a") for each in seen]
        for each, a in zip(seen, heard, strict=True):
            roles = {a, server.role(token, each["id"], "b")}
            assert roles == {"original", "reference"}
            assert server.role(token, each["id"], "sound") == "fusion"
        sides |= set(heard)
        _, wav = server.ask(f"/sounds/{token}/{seen[0]['id']}/sound.wav")
        orders.add(wav)
    assert sides == {"original", "reference"}
    assert len(orders) == 3  # each of the three sets came first for somebody
    assert len(set(ids)) == len(ids)


def test_nothing_sent_to_the_page_reveals_a_name_or_a_role(server: Server) -> None:
    token = server.enrol()
    _, state = server.ask(f"/api/respondents/{token}")
    _, asked = server.ask("/api/questions")
    answer, _ = server.ask(f"/sounds/{token}/{json.loads(state)['sets'][0]['id']}/a.wav")
    sent = (state + asked).decode() + str(answer.getheaders())
    for word in (*NAMES, *HERTZ, "window", "blend", "wav"):
        assert word not in sent.replace("audio/wav", "").replace("made as a fusion of", "")


def test_every_answer_is_stored_and_the_latest_counts(
    sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = tmp_path / "answers.sqlite"
    with Server(sets, answers) as server:
        token = server.enrol()
        server.send(token, "answers", question="engagement", value="frequent")
        server.send(token, "answers", question="device", value="headphones")
        first, second, _ = server.state(token)["sets"]
        server.hear(token, first["id"])
        server.send(token, "plays", set=first["id"], sound="sound")
        for question, value in FULL.items():
            server.send(token, "answers", set=first["id"], question=question, value=value)
        server.send(token, "answers", set=first["id"], question="overall", value=3)
        server.send(token, "answers", set=first["id"], question="overall", value=3)
        server.send(
            token, "answers", set=first["id"], question="comment", value='ünlike, "odd"\n=1'
        )
        server.hear(token, second["id"])
        a = server.role(token, first["id"], "a")
        server.process.kill()
        server.process.wait()
    with Server(sets, answers) as server:
        state = server.state(token)
        assert state["answers"] == {"engagement": "frequent", "device": "headphones"}
        assert state["sets"][0]["plays"] == {"a": 1, "b": 1, "sound": 2}
        comment = {"comment": 'ünlike, "odd"\n=1'}
        assert state["sets"][0]["answers"] == FULL | {"overall": 3} | comment
        overall = [row[-1] for row in server.rows()[1] if row[-2] == "overall"]
        assert overall == [5, 3]  # a change adds a row, a repetition doesn't
        assert server.end(signal.SIGTERM) == 0
    assert (
        run(["listen", str(sets), "--answers", str(answers), "--export", str(tmp_path / "x.csv")])
        == 0
    )
    with (tmp_path / "x.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    like = (
        {"original": "4", "reference": "2"}
        if a == "original"
        else {"original": "2", "reference": "4"}
    )
    expected = {
        "respondent": "1", "engagement": "frequent", "device": "headphones", "place": "1", "a": a,
        "like_original": like["original"], "like_reference": like["reference"], "overall": "3",
        "plays_original": "1", "plays_reference": "1", "plays_fusion": "2",
    } | comment  # fmt: skip
    assert rows[0] | expected == rows[0]
    assert {rows[0]["set"], rows[1]["set"]} < set(NAMES)
    assert (rows[1]["overall"], rows[1]["plays_fusion"]) == ("", "1")
    assert token not in (tmp_path / "x.csv").read_text()


BAD_ANSWERS = {
    "not json": b"{",
    "no object": b"[]",
    "not utf-8": b'{"question": "overall", "value": "\xff"}',
    "nothing": {},
    "no such question": {"question": "age", "value": 3},
    "no such choice": {"question": "engagement", "value": "expert"},
    "a set's question about nobody's set": {"question": "overall", "value": 3},
    "no such set": {"set": "../../etc", "question": "overall", "value": 3},
    "too high": {"set": "HEARD", "question": "overall", "value": 6},
    "zero": {"set": "HEARD", "question": "like_a", "value": 0},
    "half": {"set": "HEARD", "question": "like_a", "value": 2.5},
    "a truth": {"set": "HEARD", "question": "like_a", "value": True},
    "a word": {"set": "HEARD", "question": "like_a", "value": "3"},
    "unblinded": {"set": "HEARD", "question": "like_original", "value": 3},
    "long": {"set": "HEARD", "question": "comment", "value": "x" * (COMMENT_CHARACTERS + 1)},
    "longer than read": {"set": "HEARD", "question": "comment", "value": "x" * 100_000},
    "unknown field": {"set": "HEARD", "question": "overall", "value": 3, "admin": True},
    "not heard": {"set": "UNHEARD", "question": "overall", "value": 3},
}


@pytest.mark.parametrize("bad", BAD_ANSWERS)
def test_invalid_answers_are_refused_in_one_line_and_change_nothing(
    server: Server, bad: str
) -> None:
    token = server.enrol()
    heard, unheard, _ = server.state(token)["sets"]
    server.hear(token, heard["id"])
    body = BAD_ANSWERS[bad]
    if isinstance(body, dict) and body.get("set") in ("HEARD", "UNHEARD"):
        body = body | {"set": (heard if body["set"] == "HEARD" else unheard)["id"]}
    before = server.rows()
    answer, text = server.ask(f"/api/respondents/{token}/answers", body)
    assert answer.status == 400
    assert len(text) > 5 and text.count(b"\n") == 1
    assert server.rows() == before


def test_requests_that_other_sites_can_send_without_permission_are_refused(server: Server) -> None:
    token = server.enrol()
    body = json.dumps({"question": "device", "value": "headphones"}).encode()
    path = f"/api/respondents/{token}/answers"
    answer, _ = server.ask(path, body, **{"Content-Type": "text/plain"})
    assert answer.status == 400
    assert "default-src 'self'" in (answer.getheader("content-security-policy") or "")


@pytest.mark.parametrize(
    "path",
    [
        "/../server.py", "/%2e%2e/server.py", "/..%2fserver.py", "/style.css/../../server.py",
        "//etc/passwd", "/sounds/{token}/{set}/original.wav", "/sounds/{token}/{set}/0.wav",
        "/sounds/{token}/{set}/..%2f..%2f0.wav", "/sounds/{token}/..%2f{set}/a.wav",
        "/sounds/nobody/{set}/a.wav", "/api/respondents/nobody", "/answers.sqlite",
    ],
)  # fmt: skip
def test_only_the_page_and_the_sounds_of_the_sets_are_served(server: Server, path: str) -> None:
    token = server.enrol()
    answer, text = server.ask(path.format(token=token, set=server.state(token)["sets"][0]["id"]))
    assert answer.status in (400, 404)
    assert len(text) < 100


def test_answers_are_not_lost_while_another_program_holds_the_file(
    sets: Path, tmp_path: Path
) -> None:
    with Server(sets, tmp_path / "answers.sqlite") as server:
        token = server.enrol()
        holder = sqlite3.connect(server.answers, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        body = {"question": "device", "value": "earphones"}
        answer, text = server.ask(f"/api/respondents/{token}/answers", body)
        assert (answer.status, text.count(b"\n")) == (503, 1)  # the page retries
        holder.execute("ROLLBACK")
        holder.close()
        server.send(token, "answers", **body)
        assert server.state(token)["answers"] == {"device": "earphones"}


def test_ctrl_c_stops_it_cleanly_and_a_port_is_used_once(
    sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Server(sets, tmp_path / "answers.sqlite") as server:
        taken = ["--answers", str(tmp_path / "other.sqlite"), "--port", str(server.port)]
        assert "can't listen on 127.0.0.1" in refused(capsys, str(sets), *taken)
        assert not (tmp_path / "other.sqlite").exists()
        assert server.end(signal.SIGINT) == 0


def test_other_sounds_under_the_same_name_are_another_set(tmp_path: Path) -> None:
    folder = make_sets(tmp_path / "sets")
    answers = tmp_path / "answers.sqlite"
    with Server(folder, answers) as server:
        token = server.enrol()
        for each in server.state(token)["sets"]:
            server.hear(token, each["id"])
            server.send(token, "answers", set=each["id"], question="overall", value=2)
    tone(folder / "bells" / "fusion.wav", 500, 0.1)
    with Server(folder, answers) as server:
        given = [each["answers"] for each in server.state(token)["sets"]]
        assert sorted(given, key=len) == [{}, {"overall": 2}, {"overall": 2}]
        assert sum(row[-2] == "overall" for row in server.rows()[1]) == 3


def test_one_respondent_cannot_fill_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers_, "MAX_RESPONDENTS", 2)
    monkeypatch.setattr(answers_, "MAX_ROWS", 3)
    kept = answers_.Answers(tmp_path / "answers.sqlite")
    who = kept.find(kept.enrol())
    assert who is not None
    key = answers_.SetKey("bells", "0")
    for value in (1, 2, 3):
        kept.answer(who, key, "overall", value)
        kept.play(who, key, "fusion")
    with pytest.raises(answers_.TooMany):
        kept.answer(who, key, "overall", 4)
    with pytest.raises(answers_.TooMany):
        kept.play(who, key, "fusion")
    kept.enrol()
    with pytest.raises(answers_.TooMany):
        kept.enrol()
    assert [each.answers for each in kept.all()] == [{key: {"overall": 3}}, {}]
    kept.close()


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


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def phone() -> Generator[Page]:
    """A page in a real browser with a phone's size and touch."""
    chromium = shutil.which("chromium")
    assert chromium is not None, "this test needs a browser (apt: chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        yield page
        browser.close()
    assert wrong == []


def heading(page: Page, text: str) -> None:
    page.locator(f"h1:text-is('{text}')").wait_for()


def listen_to(page: Page, number: int) -> None:
    """Play one of the three sounds, and check that it plays and is counted."""
    button = page.locator(".player").nth(number)
    button.tap()
    page.wait_for_function(
        "n => document.querySelectorAll('.player audio')[n].currentTime > 0.2", arg=number
    )
    playing = "[...document.querySelectorAll('.player audio')].map(each => !each.paused)"
    assert page.evaluate(playing) == [each == number for each in range(3)]
    button.locator("text=heard").wait_for()


def rate(page: Page, *values: int) -> None:
    for fieldset, value in enumerate(values):
        page.locator("fieldset").nth(fieldset).locator("label").nth(value - 1).tap()


def test_a_phone_completes_the_questionnaire(sets: Path, tmp_path: Path, phone: Page) -> None:
    answers, port = tmp_path / "answers.sqlite", free_port()
    with Server(sets, answers, port) as server:
        phone.goto(server.url)
        phone.locator("text=Begin").tap()
        heading(phone, "About you")
        phone.locator("text=Continue").tap(force=True)  # looks disabled, but says what is missing
        phone.locator("text=answer every question").wait_for()
        heading(phone, "About you")  # not before both are answered
        phone.locator("text=I make music now and then").tap()
        phone.locator("text=Earphones").tap()
        phone.locator("text=Continue").tap()

        heading(phone, "Set 1")
        assert phone.locator("fieldset:disabled").count() == 4
        phone.locator(".player").nth(0).tap()
        listen_to(phone, 1)  # which stops the first, too early to count
        assert "heard" not in phone.locator(".player").nth(0).inner_text()
        listen_to(phone, 2)
        assert phone.locator("fieldset:disabled").count() == 4
        listen_to(phone, 0)
        assert phone.locator("fieldset:disabled").count() == 0
        rate(phone, 4, 2)
        phone.locator("textarea").fill("a <b>bold</b> one")
        sizes = "[...document.querySelectorAll('button, label')].map(each => each.offsetHeight)"
        assert min(phone.evaluate(sizes)) >= 44
        assert phone.evaluate("document.documentElement.scrollWidth") <= 360

        phone.reload()
        heading(phone, "Set 1")
        assert phone.locator("fieldset:disabled").count() == 0
        checked = phone.locator("input:checked")
        assert [checked.nth(each).input_value() for each in range(2)] == ["4", "2"]
        assert phone.locator("textarea").input_value() == "a <b>bold</b> one"

        assert server.end(signal.SIGTERM) == 0
        rate(phone, 3)  # while the server is down
        phone.locator("text=have not arrived yet").wait_for()
    with Server(sets, answers, port) as server:
        rate(phone, 3, 2, 5)
        phone.locator("text=have not arrived yet").wait_for(state="hidden")
        phone.locator("text=Continue").tap()
        for number in (2, 3):
            heading(phone, f"Set {number}")
            for each in range(3):
                listen_to(phone, each)
            rate(phone, number, number, number)
            phone.locator("text=Continue").tap()
        phone.locator("text=Thank you").wait_for()
        token = phone.evaluate("localStorage['eutectic.token']")
        state = server.state(token)
        assert state["answers"] == {"engagement": "occasional", "device": "earphones"}
        comment = {"comment": "a <b>bold</b> one"}
        assert [each["answers"] for each in state["sets"]] == [
            {"like_a": 3, "like_b": 2, "overall": 5} | comment,
            {"like_a": 2, "like_b": 2, "overall": 2},
            {"like_a": 3, "like_b": 3, "overall": 3},
        ]
        assert [each["plays"] for each in state["sets"]] == [{"a": 1, "b": 1, "sound": 1}] * 3
        assert [row[-1] for row in server.rows()[1] if row[-2].startswith("like")][:3].count(4) == 1

        phone.locator("text=Start again as another person").tap()
        phone.locator("text=Begin").tap()
        phone.locator("text=Earphones").wait_for()
        assert phone.evaluate("localStorage['eutectic.token']") != token


def test_the_keyboard_alone_is_enough(sets: Path, tmp_path: Path, phone: Page) -> None:
    def press_until(done: Callable[[], bool], key: str = "Tab") -> None:
        for _ in range(12):
            phone.keyboard.press(key)
            if done():
                return
        raise AssertionError(f"{key} never led there")

    def focused(text: str) -> bool:
        return text in phone.evaluate(
            "(document.activeElement.closest('label, button') ?? {}).innerText ?? ''"
        )

    with Server(sets, tmp_path / "answers.sqlite") as server:
        phone.goto(server.url)
        phone.locator("text=Begin").wait_for()
        press_until(lambda: focused("Begin"))
        phone.keyboard.press("Enter")
        phone.locator("text=About you").wait_for()
        press_until(lambda: focused("trained for it professionally"))
        phone.keyboard.press("Space")
        phone.keyboard.press("ArrowDown")
        press_until(lambda: focused("Headphones"))
        phone.keyboard.press("Space")
        press_until(lambda: focused("Continue"))
        phone.keyboard.press("Enter")
        phone.locator(".player").first.wait_for()
        press_until(lambda: focused("A"))
        assert phone.get_by_role("button", name="Play A").get_attribute("aria-pressed") == "false"
        phone.keyboard.press("Space")
        phone.get_by_role("button", name="Play A, heard").wait_for()
        token = phone.evaluate("localStorage['eutectic.token']")
        assert server.state(token)["answers"] == {"engagement": "frequent", "device": "headphones"}
