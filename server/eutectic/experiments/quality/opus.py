"""Round trips through Opus, as a yardstick for codecs, by ffmpeg."""

from __future__ import annotations

import subprocess

import numpy as np
from numpy.typing import NDArray

from eutectic.audio import Waveform, resample
from eutectic.errors import BadInput

RATE_HZ = 48_000
LONGEST_SHIFT = 16
"""ffmpeg compensates for the codec's delay, but filters still shift low sounds by a few frames."""


def round_trip(waveform: Waveform, kilobits: int) -> Waveform:
    """Encode at a constant rate (kbit/s), decode and align; keeps rate, channels and length.

    Raises:
        BadInput: ffmpeg is missing, or lacks libopus.
    """
    form = ["-f", "f32le", "-ar", str(RATE_HZ), "-ac", str(waveform.samples.shape[0])]
    coding = ["-c:a", "libopus", "-b:a", f"{kilobits}k", "-vbr", "off", "-f", "ogg"]
    sound = resample(waveform.samples, waveform.rate_hz, RATE_HZ)
    coded = _ffmpeg([*form, "-i", "pipe:", *coding, "pipe:"], sound.T.tobytes())
    decoded = np.frombuffer(_ffmpeg(["-i", "pipe:", *form, "pipe:"], coded), np.float32)
    samples = decoded.reshape(-1, waveform.samples.shape[0]).T
    samples = resample(np.ascontiguousarray(samples), RATE_HZ, waveform.rate_hz)
    return Waveform(_align(samples, waveform.samples), waveform.rate_hz)


def _ffmpeg(arguments: list[str], data: bytes) -> bytes:
    command = ["ffmpeg", "-v", "error", *arguments]
    try:
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout
    except FileNotFoundError:
        raise BadInput("ffmpeg is missing (Debian: apt install ffmpeg)") from None
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise BadInput(f"ffmpeg failed: {lines[-1]}") from None


def _align(samples: NDArray[np.float32], original: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shift by up to LONGEST_SHIFT frames for the best correlation; cut or pad to length."""
    frames = original.shape[1]
    padded = np.zeros((len(original), frames + 2 * LONGEST_SHIFT), np.float32)
    kept = min(samples.shape[1], frames + LONGEST_SHIFT)
    padded[:, LONGEST_SHIFT : LONGEST_SHIFT + kept] = samples[:, :kept]
    shifted = [padded[:, start : start + frames] for start in range(2 * LONGEST_SHIFT + 1)]
    return max(shifted, key=lambda each: float((each * original).sum()))
