"""Pictures and windows: what they show, and that they come from a real daemon's files."""

from __future__ import annotations

import io
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from daemons import daemon, prepare
from eutectic.audio import Waveform
from eutectic.client.daemon_process import Daemon
from eutectic.engine import distances as engine
from eutectic.osc.spec import PREFIX
from eutectic.page import artist as artist_
from eutectic.page.artist import Artist
from eutectic.page.distances import LogMel, log_mel, log_mel_distance, texture_distance
from eutectic.page.pictures import (
    COLUMNS,
    HIGH_HZ,
    LOW_HZ,
    OVERVIEW_COLUMNS,
    ROWS,
    overview,
    spectrogram,
)
from eutectic.page.windows import Found, window_of
from pages import page_port, settings, tab

RATE_HZ = 48_000


def tone(hz: float, seconds: float = 1.0, rate_hz: int = RATE_HZ) -> np.ndarray:
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.tile(0.5 * np.sin(2 * np.pi * hz * at), (2, 1)).astype(np.float32)


def noise(seconds: float = 1.0, rate_hz: int = RATE_HZ) -> np.ndarray:
    generator = np.random.default_rng(1)
    return 0.1 * generator.standard_normal((2, round(seconds * rate_hz))).astype(np.float32)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_distances_are_the_engine_s(rate_hz: int) -> None:
    sounds = [
        tone(220, 0.7, rate_hz), noise(1.1, rate_hz),
        tone(3000, 1.3, rate_hz) + noise(1.3, rate_hz), np.zeros((2, 9000), np.float32),
    ]  # fmt: skip
    for one in sounds:
        for other in sounds:
            ours = [log_mel(each, rate_hz) for each in (one, other)]
            theirs = [Waveform(each, rate_hz) for each in (one, other)]
            for mine, yours in (
                (log_mel_distance(*ours), engine.log_mel_distance(*theirs)),
                (texture_distance(*ours), engine.texture_distance(*theirs)),
            ):
                assert mine == pytest.approx(yours, abs=1e-3)  # measured: under 2e-5


@pytest.mark.parametrize("hz", [100, 440, 2000, 9000])
def test_a_tone_is_bright_at_its_height_and_dark_elsewhere(hz: float) -> None:
    picture = spectrogram(tone(hz), RATE_HZ)
    assert picture.shape == (ROWS, COLUMNS)
    row = ROWS - 1 - ROWS * np.log(hz / LOW_HZ) / np.log(HIGH_HZ / LOW_HZ)
    middle = picture[:, COLUMNS // 4 : -COLUMNS // 4].mean(axis=1)
    assert middle.max() > 230
    assert abs(np.average(np.arange(ROWS), weights=middle.astype(float) ** 4) - row) < 6
    assert middle[np.abs(np.arange(ROWS) - row) > 40].max() < 60


def test_time_goes_from_left_to_right() -> None:
    early = np.concatenate([tone(440, 0.5), np.zeros((2, RATE_HZ // 2), np.float32)], axis=1)
    picture = spectrogram(early, RATE_HZ)
    assert picture[:, : COLUMNS // 2 - 8].max() > 230 and picture[:, COLUMNS // 2 + 8 :].max() == 0
    peaks, _ = overview(early, RATE_HZ)
    half = OVERVIEW_COLUMNS // 2
    assert peaks[: half - 1].min() > 200 and peaks[half + 1 :].max() == 0


def test_brightness_rises_with_height() -> None:
    rows = [overview(tone(hz), RATE_HZ) for hz in (60, 200, 800, 3000, 12_000)]
    brightness = [row[1].astype(float).mean() for row in rows]
    assert sorted(brightness) == brightness
    assert brightness[0] < 40 and brightness[-1] > 240


@pytest.mark.parametrize("frames", [1, 100, 5000])
def test_silence_and_short_sounds_are_black_or_small_but_pictures(frames: int) -> None:
    silence = np.zeros((2, frames), np.float32)
    assert spectrogram(silence, RATE_HZ).max() == 0
    assert overview(silence, RATE_HZ)[0].max() == 0
    click = silence.copy()
    click[:, 0] = 1.0
    assert overview(click, RATE_HZ)[0].max() == 255


def planted(level: float, spread: float = 0.0) -> LogMel:
    rows = np.full((64, 10), level, np.float32)
    rows[:, ::2] += spread
    rows[:, 1::2] -= spread
    return rows


def test_a_window_has_the_scale_of_the_offline_one() -> None:
    """Likeness to the original is 0 at blend 0 and 1 at 1; to the reference, 1 at no distance."""
    fusions = [planted(0.0), planted(1.0), planted(3.0), planted(4.0)]
    found = window_of([0.0, 0.25, 0.75, 1.0], fusions, planted(0.0))
    assert np.allclose(found.rows, [
        (0, 0, 1), (0.25, 0.25, 0.75), (0.75, 0.75, 0.25), (1, 1, 0)
    ])  # fmt: skip
    assert found.balance == pytest.approx(0.5)


def test_a_window_without_its_ends_or_of_one_sound_is_empty() -> None:
    ends = [planted(0.0), planted(4.0)]
    assert window_of([0.0, 0.5], ends, None) == Found()
    assert window_of([0.25, 1.0], ends, None) == Found()
    assert window_of([1.0], ends[:1], None) == Found()
    assert window_of([], [], None) == Found()
    assert window_of([0.0, 1.0], [planted(0.0), planted(0.0)], None) == Found()


# With a daemon


@pytest.fixture(scope="module")
def paged(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    """A daemon with a page, and a fan that is ready."""
    with daemon(tmp_path_factory.mktemp("paged"), "--page", "0") as process:
        with process.client() as client:
            prepare(client)
            client.request("/fan", "a", "r", 5)
        yield process
        assert "Traceback" not in process.log


@pytest.mark.process
def test_a_browser_is_shown_its_clips_and_fusions(paged: Daemon) -> None:
    with tab(page_port(paged)) as one:
        one.send("/notify", 1)
        one.of(f"{PREFIX}/clip", -1, "b")
        peaks, brightness = one.picture(1, "clip", "a")
        assert peaks.shape == (OVERVIEW_COLUMNS,) and peaks[5:-5].min() > 200
        assert brightness[5:-5].max() < one.picture(2, "clip", "b")[1].min()
        one.send("/fan/list", 3, "a", "r")
        places = [one.of(f"{PREFIX}/fan.reply", 3, k) for k in range(5)]
        assert [place[4] for place in places] == [0, 0.25, 0.5, 0.75, 1]
        for number, place in enumerate(places, 10):
            picture = one.picture(number, "fusion", place[6])
            assert picture.shape == (ROWS, COLUMNS) and picture.max() > 200
        one.send("/page/window", 20, "a", "r")
        _, _, rows, balance = one.of("/page/window", 20)
        assert [row[0] for row in rows] == [0, 0.25, 0.5, 0.75, 1]
        assert rows[0][1] == 0 and rows[-1][1] == 1 and rows[-1][2] == 0
        assert -1 <= balance <= 1
    assert len(list((paged.data / "pictures").iterdir())) == 7


@pytest.mark.process
@pytest.mark.parametrize(
    "wanted",
    [("fusion", "0" * 32), ("fusion", "../../a"), ("fusion", ""), ("fusion", 5), ("clip", "nobody"),
     ("clip", "../a.wav"), ("clip", 3.5)],
)  # fmt: skip
def test_what_isn_t_there_is_answered(paged: Daemon, wanted: tuple[str, str]) -> None:
    with tab(page_port(paged)) as one:
        one.send("/page/picture", 1, *wanted)
        assert one.of("/page/fail", 1)[2]
        one.send("/page/window", 2, "a", "nobody")
        assert "nobody" in one.of("/page/fail", 2)[2]


@pytest.mark.process
def test_a_clip_whose_file_has_gone_is_answered(paged: Daemon) -> None:
    with tab(page_port(paged)) as one:
        path = paged.data.parent / "clips" / "gone.wav"
        path.write_bytes((path.parent / "c.wav").read_bytes())
        one.send("/notify", 1)
        one.of(f"{PREFIX}/snapshot")
        one.ask("/clip/load", 1, "gone", "gone.wav")
        one.until(lambda each: each[:3] == [f"{PREFIX}/clip", -1, "gone"] and each[5] == "loaded")
        path.unlink()
        one.send("/page/picture", 2, "clip", "gone")
        assert "no such file" in one.of("/page/fail", 2)[2]
        one.ask("/clip/free", 3, "gone")


def test_pictures_are_kept_and_a_damaged_one_is_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = settings(tmp_path)
    artist = Artist(given)
    (tmp_path / "clips" / "a.wav").write_bytes(_wav())
    first = artist._draw_clip("a.wav", 1.0)
    (kept,) = (tmp_path / "pictures").iterdir()
    kept.write_bytes(b"\7" * first.size)
    assert (artist._draw_clip("a.wav", 1.0) == 7).all()
    kept.write_bytes(b"damaged")
    assert (artist._draw_clip("a.wav", 1.0) == first).all()
    monkeypatch.setattr(artist_, "MAX_KEPT_BYTES", 2 * first.size)
    for seconds in (0.2, 0.3, 0.4, 0.5):
        artist._draw_clip("a.wav", seconds)
    assert len(list((tmp_path / "pictures").iterdir())) == 2
    artist.close()


def _wav() -> bytes:
    out = io.BytesIO()
    soundfile.write(out, tone(440).T, RATE_HZ, format="WAV")
    return out.getvalue()
