"""The questionnaire over real HTTP: what it serves, stores and refuses."""

import csv
import io
import json
import signal
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import soundfile

from eutectic.audio import Waveform, loudness_lufs
from eutectic.cli import run
from eutectic.listening_test import answers as answers_
from eutectic.listening_test.questions import COMMENT_CHARACTERS
from eutectic.listening_test.sets import LEVEL_LUFS
from questionnaire import (
    FULL,
    HERTZ,
    NAMES,
    Server,
    make_sets,
    refused,
    tone,
)

pytestmark = pytest.mark.process


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
