"""`eutectic listen` as a process, with sets of tones to rate."""

import http.client
import io
import json
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from eutectic.cli import run

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


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run `eutectic listen` that must be refused; returns its one line."""
    assert run(["listen", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err
