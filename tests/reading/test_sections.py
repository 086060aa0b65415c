"""Sound files of every kind and layout, whatever their headers claim, against what was written.

ffmpeg writes them, as other people's programs do; the sound is a tone a second, one after another.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile

from eutectic import audio
from eutectic.errors import BadAudio, NoFile
from eutectic.reading import ffmpeg, sections

pytestmark = pytest.mark.process

RATE = 48_000
HERTZ = (300.0, 600.0, 1200.0)

CODECS = {
    "a.m4a": ("aac",), "a.mp4": ("aac",), "a.wma": ("wmav2",), "a.mp3": ("libmp3lame",),
    "a.opus": ("libopus",), "a.ogg": ("libvorbis",), "flac.ogg": ("flac",), "a.flac": ("flac",),
    "a.wv": ("wavpack",), "a.w64": ("pcm_s24le",), "a.caf": ("pcm_s16be",),
    "a.aiff": ("pcm_s16be",), "a.webm": ("libopus",), "a.mov": ("pcm_s16le",), "a.tta": ("tta",),
    "a.au": ("pcm_s16be",), "rf64.wav": ("pcm_s24le", "-rf64", "always"), "a.aac": ("aac",),
    "adpcm.wav": ("adpcm_ms",), "a.ac3": ("ac3",),
}  # fmt: skip


def tones(channels: int = 2) -> np.ndarray:
    time = np.arange(RATE) / RATE
    sound = np.concatenate([0.5 * np.sin(2 * np.pi * hertz * time) for hertz in HERTZ])
    return np.tile(sound[:, None], (1, channels)).astype(np.float32)


def encode(source: Path, path: Path, *options: str) -> Path:
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(source), *options, str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain.wav"
    soundfile.write(path, tones(), RATE, "PCM_16")
    return path


def hertz_of(samples: np.ndarray, rate_hz: int) -> float:
    """The loudest frequency of the first channel."""
    spectrum = np.abs(np.fft.rfft(samples[0] * np.hanning(samples.shape[1])))
    return float(np.argmax(spectrum)) * rate_hz / samples.shape[1]


def whole(path: Path) -> audio.Waveform:
    return audio.load_clip(path, RATE)


@pytest.mark.parametrize("name", CODECS)
def test_every_format_is_read_whole_and_in_sections(plain: Path, name: str) -> None:
    codec, *options = CODECS[name]
    path = encode(plain, plain.parent / name, "-c:a", codec, *options)
    sections.check(path)
    sound = whole(path)
    assert sound.seconds == pytest.approx(3, abs=0.15)
    for second, hertz in enumerate(HERTZ):
        part = audio.load_clip(path, RATE, 2, second + 0.3, 0.5, 10.0)
        assert part.seconds == pytest.approx(0.5, abs=0.001)
        assert hertz_of(part.samples, RATE) == pytest.approx(hertz, abs=5)
        start = round((second + 0.3) * RATE)
        inside = sound.samples[:, start : start + part.frames]
        error = np.sqrt(np.mean((part.samples - inside) ** 2) / np.mean(inside**2))
        assert error < 0.05, "a section isn't where it is in the whole"


@pytest.mark.parametrize("name", ["piped.flac", "piped.ogg", "piped.opus", "piped.wav"])
def test_what_was_written_to_a_pipe_says_no_length_and_is_read_whole(
    plain: Path, name: str
) -> None:
    """As streams are recorded: the writer couldn't go back to say how long it became."""
    path = plain.parent / name
    command = ["ffmpeg", "-v", "error", "-i", str(plain), "-f", path.suffix[1:], "-"]
    path.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    assert whole(path).seconds == pytest.approx(3, abs=0.05)
    with pytest.raises(BadAudio, match=r"where 2\.0 s is the most"):
        audio.load_clip(path, RATE, max_seconds=2.0)


@pytest.mark.parametrize("claim", [0, 2**32 - 1, 2**31 - 1, 10**9, 12_345_678])
def test_a_wav_files_own_sizes_are_not_believed_beyond_what_there_is(
    plain: Path, claim: int
) -> None:
    data = bytearray(plain.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", claim)
    data[4:8] = struct.pack("<I", claim)
    plain.write_bytes(data)
    assert whole(plain).frames == 3 * RATE


def test_a_recording_that_was_cut_off_is_read_as_far_as_it_goes(plain: Path) -> None:
    data = plain.read_bytes()
    plain.write_bytes(data[: len(data) // 2 + 1])
    assert whole(plain).seconds == pytest.approx(1.5, abs=0.01)


def test_odd_chunks_without_padding_are_passed_over(plain: Path) -> None:
    data = plain.read_bytes()
    at = data.index(b"data")
    plain.write_bytes(data[:at] + struct.pack("<4sI", b"note", 5) + b"hello" + data[at:])
    assert whole(plain).frames == 3 * RATE


def test_a_chain_of_ogg_streams_is_one_sound(plain: Path) -> None:
    first = encode(plain, plain.parent / "first.ogg", "-t", "1", "-c:a", "libvorbis")
    mono = ("-ss", "1", "-t", "1", "-ac", "1", "-ar", "44100", "-c:a", "libvorbis")
    second = encode(plain, plain.parent / "second.ogg", *mono)  # of another rate, too
    chain = plain.parent / "chain.ogg"
    chain.write_bytes(first.read_bytes() + second.read_bytes())
    sound = whole(chain)
    assert sound.seconds == pytest.approx(2, abs=0.02)
    for start, hertz in ((0.2, 300.0), (1.2, 600.0)):
        part = audio.load_clip(chain, RATE, 2, start, 0.5)
        assert hertz_of(part.samples, RATE) == pytest.approx(hertz, abs=5)


@pytest.mark.parametrize("tagged", [".mp3", ".wav", ".flac"])
def test_tags_in_front_of_a_sound_are_no_sound(plain: Path, tagged: str) -> None:
    path = plain.with_name(f"tagged{tagged}")
    encode(plain, path)
    tag = b"ID3\x04\x00\x00" + bytes((0, 0, 8, 0)) + b"\0" * 1024
    path.write_bytes(tag + path.read_bytes())
    assert whole(path).seconds == pytest.approx(3, abs=0.1)


LAYOUTS = {
    "3.0": "FL FR FC", "quad": "FL FR BL BR", "5.0": "FL FR FC BL BR",
    "5.1": "FL FR FC LFE BL BR", "7.1": "FL FR FC LFE BL BR SL SR", "2.1": "FL FR LFE",
}  # fmt: skip


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".opus", ".m4a"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_channels_are_heard_where_they_belong(tmp_path: Path, layout: str, suffix: str) -> None:
    """A tone for each second on each channel in turn."""
    if suffix == ".m4a" and layout in ("quad", "2.1"):
        suffix = ".wav"  # AAC has no such layout
    if suffix in (".ogg", ".opus") and (layout == "2.1" or (layout, suffix) == ("5.0", ".opus")):
        suffix = ".flac"  # they have no 2.1, and some versions of ffmpeg mix up the other
    names = LAYOUTS[layout].split()
    time = np.arange(RATE) / RATE
    sound = np.zeros((len(names) * RATE, len(names)), np.float32)
    for number in range(len(names)):
        sound[number * RATE : (number + 1) * RATE, number] = 0.5 * np.sin(600 * np.pi * time)
    source = tmp_path / "source.wav"
    soundfile.write(source, sound, RATE, "PCM_16")
    places = "|".join(map(str, range(len(names))))
    path = encode(
        source, tmp_path / f"made{suffix}", "-af", f"channelmap={places}:channel_layout={layout}"
    )
    stereo = whole(path).samples
    for number, name in enumerate(names):
        part = stereo[:, round((number + 0.25) * RATE) : round((number + 0.75) * RATE)]
        left, right = np.sqrt(np.mean(part**2, axis=1)) / (0.5 / np.sqrt(2))
        wanted = {"L": (1.0, 0.0), "R": (0.0, 1.0), "C": (1.0, 1.0), "E": (0.0, 0.0)}[name[-1]]
        gain = 1.0 if name in ("FL", "FR") else 0.7071
        assert (left, right) == pytest.approx((gain * wanted[0], gain * wanted[1]), abs=0.06), (
            f"{layout} {name}"
        )


def test_ambisonics_is_folded_to_stereo(tmp_path: Path) -> None:
    sound = np.zeros((RATE, 4), np.float32)
    sound[:, 0] = sound[:, 2] = tones()[:RATE, 0]  # from the left
    path = tmp_path / "b-format.amb"
    soundfile.write(path, sound, RATE, "FLOAT", format="WAVEX")
    data = bytearray(path.read_bytes())
    at = data.index(b"fmt ") + 8
    data[at + 20 : at + 40] = struct.pack("<IH", 0, 3) + bytes(2) + bytes.fromhex(
        "2107d3118644c8c1ca000000"
    )  # fmt: skip
    path.write_bytes(data)
    left, right = np.abs(whole(path).samples).max(axis=1)
    assert left > 3 * right > 0


SPACES = ("\u00a0", "\u202f", "\u3000", "\u2009")


@pytest.mark.parametrize("name", [*(f"a{space}b.wav" for space in SPACES), "a\u200db.wav"])
def test_names_with_any_spaces_are_found_and_said_as_they_are(plain: Path, name: str) -> None:
    there = plain.rename(plain.with_name(name))
    assert whole(there).frames == 3 * RATE
    there.unlink()
    with pytest.raises(NoFile) as missing:
        whole(there)
    assert name in str(missing.value)


def test_names_are_found_in_every_normal_form(plain: Path) -> None:
    written = unicodedata.normalize("NFD", "Café Ångström")
    asked = unicodedata.normalize("NFC", written)
    assert written != asked
    folder = plain.parent / written
    folder.mkdir()
    shutil.copy(plain, folder / f"{written}.wav")
    assert whole(plain.parent / asked / f"{asked}.wav").frames == 3 * RATE
    shutil.copy(plain, folder / f"{asked}.wav")  # the name that is asked for comes first
    soundfile.write(folder / f"{written}.wav", tones()[:RATE], RATE)
    assert whole(folder / f"{asked}.wav").frames == 3 * RATE


def test_a_film_without_sound_says_so(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=size=64x64:duration=1", path]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    with pytest.raises(BadAudio, match="there is no sound in it"):
        sections.check(path)


@pytest.mark.parametrize("text", ["ffconcat version 1.0\nfile plain.wav\n", "#EXTM3U\nplain.wav\n"])
def test_lists_of_other_files_are_not_followed(plain: Path, text: str) -> None:
    path = plain.with_name("list.m4a")
    path.write_text(text)
    with pytest.raises(BadAudio, match="can't be read as audio"):
        whole(path)


def test_without_ffmpeg_the_line_says_how_to_get_it(
    plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = encode(plain, plain.parent / "a.m4a")
    monkeypatch.setattr(ffmpeg, "program", lambda: None)
    with pytest.raises(BadAudio, match=r"without ffmpeg; install it, or .*eutectic\[ffmpeg\]"):
        whole(path)


def test_the_extra_brings_an_ffmpeg_of_its_own(
    plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = encode(plain, plain.parent / "a.m4a")
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    program = ffmpeg.program()
    assert program is not None and "imageio" in program
    assert whole(path).seconds == pytest.approx(3, abs=0.1)
