"""Files on their way to another machine are what they were, to the bit."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from eutectic.audio import load_clip
from eutectic.errors import BadAudio
from eutectic.link import parcels
from eutectic.link.parcels import Received
from eutectic.link.protocol import ModelFacts, Source

FACTS = ModelFacts("toy", "d", 44_100, 2, 2.0, 0.05, 1.0, 8, 1.0, 0)


def ignore() -> None:
    pass


def sound_file(path: Path, rate_hz: int, channels: int, seconds: float) -> Path:
    generator = np.random.default_rng(0)
    samples = 0.3 * generator.standard_normal((round(seconds * rate_hz), channels))
    soundfile.write(path, samples, rate_hz, subtype="FLOAT")
    return path


def arrived(received: Received, parcel: parcels.Parcel) -> Path:
    arriving = received.begin(parcel.digest, parcel.name)
    for at in range(0, parcel.size, 10_000):
        arriving.take(parcel.read(at, min(at + 10_000, parcel.size)))
    assert arriving.close()
    received.keep(arriving.path)
    return arriving.path


@pytest.mark.parametrize(("rate_hz", "channels"), [(44_100, 2), (48_000, 1), (32_000, 6)])
def test_the_engine_reads_from_a_parcel_what_it_would_from_the_file(
    tmp_path: Path, rate_hz: int, channels: int
) -> None:
    path = sound_file(tmp_path / "a.wav", rate_hz, channels, 3.0)
    source = Source(str(path), 0.5, 1.25)
    parcel = parcels.sound(source, FACTS, ignore)
    there = arrived(Received(tmp_path / "data"), parcel)
    local = load_clip(path, 44_100, 2, 0.5, 1.25, 2.0)
    np.testing.assert_array_equal(load_clip(there, 44_100, 2, 0.0, None, 2.0).samples,
                                  local.samples)  # fmt: skip
    assert parcel.size < 44_100 * 2 * 4 * 1.3  # no more than the section


def test_the_longest_sound_is_no_frame_too_long_at_the_models_rate(tmp_path: Path) -> None:
    path = sound_file(tmp_path / "a.wav", 47_999, 1, 2.0)
    parcel = parcels.sound(Source(str(path)), FACTS, ignore)
    there = arrived(Received(tmp_path / "data"), parcel)
    assert load_clip(there, 44_100, 2, 0.0, None, 2.0).frames == 2 * 44_100


def test_what_cannot_be_used_is_refused_before_it_goes(tmp_path: Path) -> None:
    path = sound_file(tmp_path / "a.wav", 44_100, 1, 3.0)
    with pytest.raises(BadAudio, match=r"3\.0 s long"):
        parcels.sound(Source(str(path)), FACTS, ignore)


def test_a_file_that_changed_on_its_way_is_not_kept(tmp_path: Path) -> None:
    received = Received(tmp_path)
    digest = hashlib.sha256(b"whole").hexdigest()
    arriving = received.begin(digest, "a.safetensors")
    arriving.take(b"part")
    assert not arriving.close()
    assert received.find(digest, "a.safetensors") is None
    assert not [each for each in tmp_path.rglob("*") if each.is_file()]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_what_a_full_disk_does_not_take_is_given_up(tmp_path: Path) -> None:
    received, digest = Received(tmp_path), "0" * 64
    folder = received.path(digest, "a").parent
    folder.mkdir(parents=True)
    (folder / f".a.{os.getpid()}.part").symlink_to("/dev/full")
    arriving = received.begin(digest, "a")
    arriving.take(b"little enough to be written only as it is closed")
    arriving.abandon()
    assert not list(folder.iterdir())


@pytest.mark.parametrize("digest", ["", "../../x", "0" * 63 + "/"])
def test_no_file_of_another_name_is_reached(tmp_path: Path, digest: str) -> None:
    received = Received(tmp_path)
    with pytest.raises(ValueError, match="no file"):
        received.path(digest, "a")
    inside = received.path("0" * 64, "../../.b")
    assert inside.parent == tmp_path / parcels.FOLDER / ("0" * 64)


def test_the_least_recently_used_go_first_but_none_that_is_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parcels, "LIMIT_BYTES", 2500)
    earlier = Received(tmp_path)
    parcel = {name: _parcel(name) for name in "abcd"}
    for age, name in enumerate("abc"):
        path = arrived(earlier, parcel[name])
        os.utime(path.parent, (1000 + age, 1000 + age))
    received = Received(tmp_path)
    assert received.find(parcel["a"].digest, "a") is not None
    arrived(received, parcel["d"])
    kept = {name for name in "abcd" if received.path(parcel[name].digest, name).exists()}
    assert kept == {"a", "b", "c", "d"}
    monkeypatch.setattr(parcels, "LIMIT_BYTES", 1500)
    received.keep(received.path(parcel["d"].digest, "d"))
    kept = {name for name in "abcd" if received.path(parcel[name].digest, name).exists()}
    assert kept == {"a", "c", "d"}


def test_what_was_used_long_ago_goes_though_this_process_used_it_but_nothing_a_job_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parcels, "LIMIT_BYTES", 1500)
    received = Received(tmp_path)
    path = {name: arrived(received, _parcel(name)) for name in "abcd"}
    received.need(path["a"])
    for age, name in enumerate("abcd"):
        os.utime(path[name].parent, (1000 + age, 1000 + age))
    received.keep(path["d"])
    assert {name for name in path if path[name].exists()} == {"a", "c", "d"}
    received.release(path["a"])
    received.keep(path["d"])
    assert {name for name in path if path[name].exists()} == {"c", "d"}


def _parcel(name: str) -> parcels.Parcel:
    data = name.encode() * 1000
    return parcels.Parcel(hashlib.sha256(data).hexdigest(), name, 1000,
                          lambda start, stop: data[start:stop])  # fmt: skip
