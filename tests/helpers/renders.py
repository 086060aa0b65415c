"""Rows and sounds such as workers put into a destination, with no model."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator

import msgspec
import numpy as np

from eutectic.audio import Waveform
from eutectic.files.tags import Tags
from eutectic.rendering.destination import Destination
from eutectic.rendering.journal import KeySet
from eutectic.rendering.opening import open_destination
from eutectic.rendering.work import Row

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
        print(name, flush=True)
    sink.close()


if __name__ == "__main__":
    where, count = open_destination(sys.argv[1]), int(sys.argv[2])
    where.settle()
    print("settled", flush=True)
    render(where, plan(count), "worker")
