"""Sounds as files that say how they were made: WAV, or FLAC, as the file's name asks for."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import numpy as np

from eutectic.audio import Waveform, gain_to_db, limit, save_wav
from eutectic.errors import BadOutput
from eutectic.files.atomic import atomic_path
from eutectic.files.tags import Tags

FORMATS = (".wav", ".flac")
"""Ends of the names of the files that are written."""


def save_sound(path: Path, waveform: Waveform, tags: Tags | None = None) -> str:
    """Write a sound atomically; returns a remark about it, or nothing.

    WAV holds 32-bit floats. FLAC holds 24 bits: peaks over full scale are limited.

    Raises:
        BadOutput: as `atomic_path`.
    """
    if path.suffix.lower() != ".flac":
        save_wav(path, waveform, tags)
        return ""
    peak = float(np.abs(waveform.samples).max(initial=0))
    if peak <= 1:
        _save_flac(path, waveform, tags)
        return ""
    limited = Waveform(limit(waveform.samples, waveform.rate_hz), waveform.rate_hz)
    _save_flac(path, limited, tags)
    return f"peaks of {gain_to_db(peak):+.1f} dB were limited, which .wav would keep"


def _save_flac(path: Path, waveform: Waveform, tags: Tags | None) -> None:
    import soundfile

    channels = waveform.samples.shape[0]
    try:
        with (
            atomic_path(path) as temporary,
            soundfile.SoundFile(
                temporary, "w", waveform.rate_hz, channels, "PCM_24", format="FLAC"
            ) as file,
        ):
            if tags is not None:
                file.title, file.comment = tags.title, tags.comment
                file.software = tags.software
            file.write(waveform.samples.T)
    except soundfile.LibsndfileError as error:  # which doesn't say that a disk is full
        is_full = shutil.disk_usage(path.parent).free < waveform.samples.nbytes
        why = os.strerror(errno.ENOSPC) if is_full else error
        raise BadOutput(f"{path}: can't be written ({why})") from None
