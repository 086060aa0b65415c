"""The sounds that the page shows: clips' files, and the fusions that the daemon keeps."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eutectic import audio
from eutectic.errors import BadInput, NoFile
from eutectic.files import tensors
from eutectic.page.settings import PageSettings

MAX_SECONDS = 600.0
"""Of a clip; what is longer is shown up to there."""


class Sounds:
    """Finds and reads sounds; used by the thread that draws."""

    def __init__(self, settings: PageSettings) -> None:
        self._folders, self.rate_hz = settings.folders, settings.rate_hz
        self._fusions = settings.data / "fusions"

    def fusion_path(self, key: str) -> Path:
        """Where a fusion is kept.

        Raises:
            BadInput: that can't be a fusion's name.
        """
        if not re.fullmatch(r"[A-Za-z0-9]{1,128}", key):
            raise BadInput("there is no such fusion")
        return self._fusions / f"{key}.safetensors"

    def fusion(self, key: str) -> NDArray[np.float32]:
        """A fusion's samples (channel, frame), without what the loop's seam fades from.

        Raises:
            BadInput: it isn't kept, or can't be read.
        """
        path = self.fusion_path(key)
        try:
            found, about = tensors.read(path, "np")
            samples, tail = found["samples"], int(about.get("tail", 0))
        except (ValueError, KeyError):
            raise BadInput("the fusion isn't kept any more") from None
        return samples[:, : samples.shape[1] - tail]

    def clip_path(self, shown: str) -> Path:
        """The file of a clip, by the name that the daemon shows.

        Raises:
            BadInput: there is none.
        """
        whole = shown if Path(shown).is_absolute() else f"./{shown}"  # ~ is a folder's name here
        return self._folders.to_read(whole, local=True)

    def clip(self, shown: str, seconds: float) -> NDArray[np.float32]:
        """A clip's samples (channel, frame) at the fusions' rate.

        Raises:
            BadInput: its file is missing, or can't be read.
        """
        path, most = self.clip_path(shown), min(seconds or MAX_SECONDS, MAX_SECONDS)
        waveform = audio.load_clip(path, self.rate_hz, 2, duration_seconds=most)
        if not waveform.frames:
            raise NoFile(f"{shown}: is empty")
        return waveform.samples
