"""Rows and sounds such as workers put into a destination, with no model."""

from __future__ import annotations

import hashlib
import importlib
import itertools
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, Popen

import msgspec
import numpy as np

from eutectic.audio import Waveform
from eutectic.files.tags import Tags
from eutectic.rendering.destination import Destination
from eutectic.rendering.journal import KeySet
from eutectic.rendering.opening import open_destination
from eutectic.rendering.work import Row
from eutectic.saving import save_sound

TAGS = Tags("a + b, blend 0.5", "{}")


def key(name: str) -> str:
    return hashlib.md5(name.encode()).hexdigest()


def row(name: str, **more: object) -> Row:
    """A row of a sound of this name."""
    given: dict[str, object] = {
        "key": key(name), "original": "/sounds/Größe.wav", "original_digest": "0" * 64,
        "reference": "/sounds/glass.wav", "reference_digest": "1" * 64, "prompt": "glass",
        "blend": 0.5, "cfg": 1.0, "duration": 0.1, "loudness": -20.25, "from_original": 1 / 3,
    }  # fmt: skip
    return msgspec.convert(given | {"name": name} | more, Row)


def sound(name: str, frames: int = 4410) -> Waveform:
    """Noise that is always the same for a name."""
    random = np.random.default_rng(int(key(name)[:8], 16))
    return Waveform(random.uniform(-0.5, 0.5, (2, frames)).astype(np.float32), 44_100)


def plan(count: int) -> Iterator[str]:
    """Names of some sounds, of both formats, in two folders."""
    for number in range(count):
        yield f"{'ab'[number % 2]}/{number}.{('wav', 'flac')[number % 3 == 0]}"


def bad(name: str) -> bool:
    """Whether a sound of the plan can't be made."""
    return name.endswith("7.wav")


def render(destination: Destination, names: Iterator[str], worker: str) -> None:
    """Put what isn't there yet, as a worker does."""
    done = KeySet(each.key for each in destination.rows())
    sink = destination.sink(worker)
    for name in names:
        if key(name) in done:
            continue
        if bad(name):
            sink.put(row(name, reason="it is silent"), None, None)
        else:
            sink.put(row(name, worker=worker), sound(name), TAGS)
        say(name)
    sink.close()


def say(text: str) -> None:
    """In one piece: who is killed within `print` may leave half a line."""
    os.write(1, f"{text}\n".encode())


class Killed(Counter[str]):
    """Runs into a destination, each killed at a random moment, until one comes to its end.

    It counts the sounds that all of them said were there. `kills`: how often that was.
    """

    def __init__(self, url: str, count: int, between: int, pause_seconds: float) -> None:
        super().__init__()
        self.kills, chance = 0, random.Random(count)
        command = [sys.executable, __file__, url, str(count)]
        with Popen(command, stdin=PIPE, stdout=PIPE, text=True) as process:
            assert process.stdin is not None and process.stdout is not None
            for run in itertools.count():
                assert run < 10 * count, "it doesn't get anywhere"
                process.stdin.write("run\n")
                process.stdin.flush()
                for _ in range(chance.randint(1, between)):
                    line = process.stdout.readline().strip()
                    self[line] += 1
                    if line == "whole":
                        return
                time.sleep(chance.random() * pause_seconds)
                process.stdin.write("kill\n")
                process.stdin.flush()
                while (line := process.stdout.readline().strip()) not in ("killed", "whole"):
                    self[line] += 1
                self.kills += line == "killed"
                if line == "whole":
                    process.stdin.close()
                    return


def main(url: str, count: int) -> None:
    """Render in a process of its own at each `run`, and kill it at each `kill`, by stdin.

    What they import is imported once.
    """
    if url.startswith("s3:"):
        importlib.import_module("s3fs")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("x.wav", "x.flac"):
            save_sound(Path(folder) / name, sound(name), TAGS)
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            where = open_destination(url)
            where.settle()
            say("settled")
            render(where, plan(count), "worker")
            say("whole")
            os._exit(0)
        if sys.stdin.readline():
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            say("killed")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
