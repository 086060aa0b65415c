"""Ready fusions: what is found again, in memory and on disk, and what is evicted."""

import asyncio
import hashlib
import logging
import os
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from eutectic.playback.sounds import Sound
from eutectic.session.shelf import Ready, Shelf


def ready(seed: int, frames: int = 1000) -> Ready:
    samples = np.random.default_rng(seed).standard_normal((2, frames)).astype(np.float32)
    return Ready(Sound.of(samples, 100), 0.25)


def put(shelf: Shelf, **fusions: Ready) -> None:
    async def all_written() -> None:
        for key, fusion in fusions.items():
            shelf.put(key, fusion)
            await shelf.close()

    asyncio.run(all_written())


def fetch(shelf: Shelf, key: str) -> Ready | None:
    return asyncio.run(shelf.fetch(key))


def test_a_fusion_is_found_after_a_restart(tmp_path: Path) -> None:
    made = ready(0)
    put(Shelf(tmp_path, 1 << 20), a=made)
    found = fetch(Shelf(tmp_path, 1 << 20), "a")
    assert found is not None
    assert (found.sound.tail, found.blend) == (100, 0.25)
    assert np.array_equal(found.sound.samples, made.sound.samples)
    assert fetch(Shelf(tmp_path, 1 << 20), "b") is None


def test_a_file_of_an_earlier_version_is_found(tmp_path: Path) -> None:
    """As written with safetensors.numpy.save."""
    samples = ready(1).sound.samples
    about = {
        "format": "1", "blend": "0.5", "tail": "100",
        "digest": hashlib.blake2b(samples.data, digest_size=16).hexdigest(),
    }  # fmt: skip
    content = safetensors.numpy.save({"samples": samples}, about)
    (tmp_path / "a.safetensors").write_bytes(content)
    found = fetch(Shelf(tmp_path, 1 << 20), "a")
    assert found is not None and found.blend == 0.5
    assert np.array_equal(found.sound.samples, samples)


def test_a_damaged_file_counts_as_missing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(Shelf(tmp_path, 1 << 20), a=ready(2))
    path = tmp_path / "a.safetensors"
    content = path.read_bytes()
    for damaged in (content[:-8] + bytes(8), content[: len(content) // 2], b""):
        path.write_bytes(damaged)
        with caplog.at_level(logging.WARNING):
            assert fetch(Shelf(tmp_path, 1 << 20), "a") is None
        assert "a.safetensors" in caplog.text


def test_memory_and_disk_keep_the_most_recently_used(tmp_path: Path) -> None:
    size = ready(0).sound.samples.nbytes
    shelf = Shelf(tmp_path, 2 * size, 3 * size)
    put(shelf, a=ready(0), b=ready(1))
    for name, age in (("a", 20), ("b", 10)):
        os.utime(tmp_path / f"{name}.safetensors", (1e9 - age, 1e9 - age))
    put(shelf, c=ready(2))
    assert {path.stem for path in tmp_path.iterdir()} == {"b", "c"}
    assert [key for key in "abc" if shelf.memory.get(key)] == ["b", "c"]
    assert fetch(shelf, "a") is None
