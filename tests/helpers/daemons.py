"""Daemons for tests: the real process, mostly with the toy model, and clips to play with."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from eutectic.client.daemon_process import Daemon
from eutectic.client.replies import AnyAnswer, RequestFailed
from eutectic.client.sync import Client
from eutectic.osc.answers import Answer, Done, Fail

SECONDS = 1.0


def make_clips(folder: Path, seconds: float = SECONDS) -> Path:
    """Sounds a.wav (a tone), b.wav (noise) and c.wav (another tone)."""
    folder.mkdir(exist_ok=True)
    at = np.arange(round(seconds * 44_100)) / 44_100
    generator = np.random.default_rng(0)
    soundfile.write(folder / "a.wav", 0.3 * np.sin(2 * np.pi * 220 * at), 44_100)
    soundfile.write(folder / "b.wav", 0.1 * generator.standard_normal(len(at)), 44_100)
    soundfile.write(folder / "c.wav", 0.3 * np.sin(2 * np.pi * 330 * at), 44_100)
    return folder


def daemon(
    folder: Path, *options: str, device: str = "null", model: str = "toy", home: str | None = None,
    seconds: float = SECONDS,
) -> Daemon:  # fmt: skip
    """A daemon of the toy model, its clips and data under `folder`; maybe with another home.

    It has an input if `options` name one: each costs a process.
    """
    data = folder / "data"
    data.mkdir(exist_ok=True)
    clips = make_clips(folder / "clips", seconds)
    return Daemon(
        data,
        "--model",
        model,
        "--device",
        device,
        "--clips",
        str(clips),
        "--no-spare",
        *(() if "--input" in options else ("--input", "off")),
        *options,
        **({} if home is None else {"HOME": home}),
    )


def prepare(client: Client) -> None:
    """Clips a and b, and b learned as r."""
    client.request("/clip/load", "a", "a.wav")
    client.request("/clip/load", "b", "b.wav")
    client.request("/reference/learn", "r", "b", "white", "noise", "@steps", 2)


@contextmanager
def silenced(process: Daemon) -> Generator[Client]:
    """A client, after which nothing plays and nothing that it asked for is under way."""
    with process.client() as client:
        yield client
        client.send("/panic")
        client.request("/sync")


@contextmanager
def restored(process: Daemon) -> Generator[Daemon]:
    """Lend a prepared daemon; reset its voices, clips, references and presets afterwards."""
    begin, learned = len(process.log), set((process.data / "references").iterdir())
    with process.client() as client:
        client.request("/preset/save", "before")
    yield process
    with silenced(process) as client:
        client.request("/preset/load", "before")
        for each in client.clips():
            if each.clip not in ("a", "b"):
                client.free_clip(each.clip)
        for each in client.references():
            if each.reference != "r":
                client.free_reference(each.reference)
    for path in (process.data / "presets").iterdir():
        if path.stem != "before":
            path.unlink()
    for path in set((process.data / "references").iterdir()) - learned:
        path.unlink()  # or what the next test learns would only be found
    assert "Traceback" not in process.log[begin:]


def fails(client: Client, address: str, *values: int | float | str) -> str:
    """The code that a request fails with."""
    try:
        client.request(address, *values)
    except RequestFailed as error:
        return error.code
    raise AssertionError(f"{address} {values} was done")


def wait_for(
    client: Client, kind: type[AnyAnswer], matches: Callable[[AnyAnswer], bool] = lambda _: True,
    seconds: float = 20.0,
) -> AnyAnswer:  # fmt: skip
    """The first answer of a kind that matches; all others are kept."""
    seen: list[Answer] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        seen += client.events(0.02)
        for answer in seen:
            if isinstance(answer, kind) and matches(answer):
                seen.remove(answer)
                client.keep(seen)
                return answer
    raise AssertionError(f"no such {kind.__name__}; received: {seen}")


def next_end(client: Client) -> Done | Fail:
    """The answer of the next request to end."""
    end = wait_for(client, Answer, lambda answer: isinstance(answer, Done | Fail))
    assert isinstance(end, Done | Fail)
    return end


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)
