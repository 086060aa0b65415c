"""Sound files of any kind, good and bad, written where a test wants them."""

from pathlib import Path

import numpy as np
import soundfile

RATE = 44100


def tone(rate_hz: int, seconds: float, hertz: float = 1000.0, channels: int = 2) -> np.ndarray:
    time = np.arange(round(rate_hz * seconds)) / rate_hz
    return np.tile(0.5 * np.sin(2 * np.pi * hertz * time), (channels, 1)).astype(np.float32)


def write(path: Path, samples: np.ndarray, rate_hz: int = RATE) -> Path:
    soundfile.write(path, samples.T, rate_hz, subtype="FLOAT")
    return path


BAD_CLIPS = {
    "missing": "no such file",
    "directory": "is a directory",
    "text": "can't be read as audio",
    "empty file": "can't be read as audio",
    "no samples": "0 ms long",
    "one sample": "0.0227 ms long",
    "silent": "is silent",
    "nan": "not finite",
    "an hour": "3600.0 s long, where ",
}
"""Kinds of unusable clips, and what must be said of each."""


def bad_clip(folder: Path, kind: str) -> Path:
    """Make an unusable clip."""
    path = folder / "bad.wav"
    match kind:
        case "directory":
            path.mkdir()
        case "text":
            path.write_text("not a sound")
        case "empty file":
            path.write_bytes(b"")
        case "no samples" | "one sample" | "silent":
            frames = {"no samples": 0, "one sample": 1, "silent": RATE}[kind]
            write(path, np.full((2, frames), float(kind == "one sample")))
        case "nan":
            samples = tone(RATE, 0.5)
            samples[0, 100] = np.nan
            write(path, samples)
        case "an hour":
            with soundfile.SoundFile(path, "w", 8000, 1, "PCM_U8") as file:
                file.write(np.full(3600 * 8000, 0.5, np.float32))
        case _:
            pass
    return path
