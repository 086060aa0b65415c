"""Recordings to train on: which ones, the words of their names, and their layers of a scene."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from eutectic.errors import BadInput
from eutectic.training.signals import SAMPLE_RATE_HZ, Audio, beat_starts, hits, stereo

HELD_OUT_SHARE = 10
"""One recording in this many is never trained on, chosen by a hash of its name."""

HELD_OUT_CLIPS = (
    "ambi_dark_woosh",
    "ambi_glass_rub",
    "ambi_haunted_hum",
    "ambi_lunar_land",
    "loop_3d_printer",
    "loop_drone_g_97",
    "loop_weirdo",
    "perc_bell",
)
"""The clips that ship as presets are never trained on: on them the model is judged fairly."""

NAME_WORDS = {
    "ambi": "ambient",
    "bd": "bass drum kick",
    "elec": "electronic",
    "guit": "guitar",
    "misc": "",
    "perc": "percussion",
    "sn": "snare drum",
    "amen": "amen breakbeat drums",
    "na": "",
    "dhec": "",
    "ghe": "low",
    "ke": "",
    "re": "",
    "tas": "",
    "te": "",
    "tun": "",
    "ne": "",
    "o": "",
    "s": "",
    "m": "",
    "c": "",
    "f": "",
    "g": "",
    "e": "",
    "em": "minor",
}


@dataclass(frozen=True)
class Recording:
    """One file: its sound in stereo and the words of its name."""

    name: str
    words: str
    audio: Audio


def is_held_out(name: str) -> bool:
    """Whether a recording is never trained on: by name, or because its hash is in the tenth."""
    return name in HELD_OUT_CLIPS or zlib.crc32(name.encode()) % HELD_OUT_SHARE == 0


FORMATS = {".flac", ".ogg", ".wav"}

EXCLUDED = ("explosion huge", "heavy rocket hit")
"""Recordings of folders that are otherwise free to train on, under licences that aren't."""


def check_recordings(folder: Path) -> None:
    """Raise BadInput if there is no such folder."""
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder (Debian's package is sonic-pi-samples)")


def load_recordings(folders: Sequence[Path]) -> list[Recording]:
    """The recordings in these folders that may be trained on, sorted by name, each name once."""
    paths = {
        path.stem: path
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.suffix in FORMATS and path.stem not in EXCLUDED and not is_held_out(path.stem)
    }
    return [_read(name, path) for name, path in sorted(paths.items())]


def _read(name: str, path: Path) -> Recording:
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    audio = soxr.resample(audio, rate, SAMPLE_RATE_HZ)
    stereo = audio.T if audio.shape[1] == 2 else np.repeat(audio.T[:1], 2, axis=0)
    return Recording(name, name_words(name), stereo)


def name_words(name: str) -> str:
    """Words for a file name: abbreviations spelled out, digits and note names dropped."""
    parts = [
        "".join(c for c in part if not c.isdigit())
        for part in re.split(r"[^a-z0-9]+", name.lower())
    ]
    return " ".join(NAME_WORDS.get(part, part) for part in parts if part).strip()


def recorded_layer(
    rng: np.random.Generator, recordings: Sequence[Recording], samples: int
) -> tuple[Audio, str]:
    """One recording, resampled and placed in the scene, with its words."""
    recording = _pick(rng, recordings)
    audio, words = recording.audio, [recording.words]
    if rng.random() < 0.6:
        semitones = float(np.clip(rng.normal(0, 6), -14, 14))
        audio = resample(audio, semitones)
        if abs(semitones) > 4:
            words.append("high fast" if semitones > 0 else "low slow")
    if rng.random() < 0.1:
        audio, words = audio[:, ::-1], [*words, "reversed"]
    placed, placing_words = place(rng, audio, samples)
    return stereo(rng, placed), " ".join([*words, *placing_words])


def resample(audio: Audio, semitones: float) -> Audio:
    """Change pitch and speed together, as a tape would."""
    ratio = 2 ** (semitones / 12)
    return soxr.resample(audio.T, SAMPLE_RATE_HZ * ratio, SAMPLE_RATE_HZ, quality="MQ").T


def place(rng: np.random.Generator, audio: Audio, samples: int) -> tuple[Audio, list[str]]:
    """Fill the scene with a slice of a long sound, a loop, a beat or scattered hits."""
    length = audio.shape[1]
    if length >= samples:
        start = int(rng.integers(0, length - samples + 1))
        return audio[:, start : start + samples], []
    if length > 1.5 * SAMPLE_RATE_HZ:
        if rng.random() < 0.7:
            return _loop(rng, audio, samples), ["looped"] if rng.random() < 0.5 else []
        return hits(audio, np.array([int(rng.integers(0, samples - length // 2))]), samples), []
    if rng.random() < 0.6:
        return hits(audio, beat_starts(rng, samples), samples), ["rhythm pattern"]
    count = int(rng.integers(2, 16))
    return hits(audio, rng.integers(0, samples - 1000, count), samples), ["scattered"]


def _pick(rng: np.random.Generator, recordings: Sequence[Recording]) -> Recording:
    """Pick long recordings more often than short ones, as they hold more to learn."""
    weights = np.sqrt([min(r.audio.shape[1], 8 * SAMPLE_RATE_HZ) for r in recordings])
    return recordings[int(rng.choice(len(recordings), p=weights / weights.sum()))]


def _loop(rng: np.random.Generator, audio: Audio, samples: int) -> Audio:
    start = int(rng.integers(0, audio.shape[1]))
    repeats = -(-(samples + start) // audio.shape[1])
    return np.tile(audio, repeats)[:, start : start + samples]
