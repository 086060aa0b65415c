"""Likeness by embeddings trained to index libraries of sound effects.

Ma and Lerch, *Representation Learning for the Automatic Indexing of Sound Effects Libraries*, ISMIR
2022 (`aisfx`; weights CC BY 4.0). Its network hears windows of a mel spectrogram, 2.3 s each.
All embeddings point much the same way, so the mean over unrelated recordings is taken away before
they are compared: unrelated sounds then score about 0, and a sound with itself 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchaudio
from jaxtyping import Float
from torch import Tensor

from eutectic.audio import Waveform, load_clip, resample
from eutectic.errors import BadAudio
from eutectic.experiments.ear import check_package
from eutectic.experiments.ear.pairs import unrelated_files

RATE_HZ, STFT_WINDOW, STFT_HOP = 44_100, 2048, 1024
MEL_BANDS, HIGH_HZ = 96, 22_050.0
MEL_SCALE, MEL_LARGEST = 1e4, 9.457798957824707
"""log10(1 + MEL_SCALE·power) is divided by the largest value of the network's training set."""

BLOCK_FRAMES, BLOCK_HOP = 100, 50

UNRELATED = 60
"""Recordings whose mean embedding is taken away."""

LONGEST_UNRELATED_SECONDS = 12.0

Embedding = Float[Tensor, " feature"]


@dataclass(frozen=True, eq=False)
class Ear:
    """Compares sounds by what they are.

    Attributes:
        mean: the mean embedding of unrelated recordings.
    """

    mean: Embedding

    @classmethod
    def used_to(cls, unrelated: Iterable[Waveform]) -> Ear:
        """The ear for which these recordings are nothing special.

        Raises:
            BadInput: aisfx isn't installed.
        """
        return cls(torch.stack([embedding(each) for each in unrelated]).mean(0))

    def hear(self, waveform: Waveform) -> Embedding:
        """A sound's direction from the mean, of unit length; compare two by their dot product."""
        return torch.nn.functional.normalize(embedding(waveform) - self.mean, dim=0)

    def likeness(self, one: Waveform, other: Waveform) -> float:
        """Cosine of two sounds' embeddings without the mean: 1 for equal ones, -1 at least."""
        return float(self.hear(one) @ self.hear(other))


@torch.no_grad()
def embedding(waveform: Waveform) -> Embedding:
    """The mean over the windows of a sound, 512 features.

    Raises:
        BadInput: aisfx isn't installed.
    """
    return _network()(blocks(log_mel(waveform))).mean(0)


def log_mel(waveform: Waveform) -> Float[Tensor, "frame band"]:
    """The network's own spectrogram of the mono mix; the level counts, and silence is 0."""
    mono = waveform.samples.mean(axis=0, keepdims=True)
    mono = torch.from_numpy(resample(mono, waveform.rate_hz, RATE_HZ))[0]
    window = torch.hann_window(STFT_WINDOW)
    spectrum = torch.stft(
        mono, STFT_WINDOW, STFT_HOP, window=window, pad_mode="constant", return_complex=True
    )
    power = spectrum.abs().square().T @ _filters()
    return torch.log10(1 + MEL_SCALE * power) / MEL_LARGEST


def blocks(mel: Float[Tensor, "frame band"]) -> Float[Tensor, "block 100 band"]:
    """Windows of a spectrogram; what follows the last whole one is dropped, as aisfx does.

    A sound shorter than a window is followed by silence. Repeating it would make a rhythm of it.
    """
    missing = max(0, BLOCK_FRAMES - len(mel))
    padded = torch.nn.functional.pad(mel, (0, 0, 0, missing))
    return padded.unfold(0, BLOCK_FRAMES, BLOCK_HOP).transpose(1, 2)


def unrelated(folder: Path, besides: Iterable[Path], count: int = UNRELATED) -> list[Waveform]:
    """Recordings below a folder, evenly picked from those that aren't compared.

    Args:
        folder: where to look, as `unrelated_files` does.
        besides: the files that are compared.
        count: how many to pick; all if there are fewer.

    Raises:
        BadInput: there is no such folder, or it has too few others.
    """
    files = unrelated_files(folder, besides)
    golden = (np.sqrt(5) - 1) / 2  # any beginning of this order is spread over the whole
    spread = (files[place] for place in np.argsort(np.arange(len(files)) * golden % 1))
    return list(itertools.islice(_readable(spread), count))


def _readable(paths: Iterable[Path]) -> Iterable[Waveform]:
    for path in paths:
        try:
            yield load_clip(path, RATE_HZ, 1, duration_seconds=LONGEST_UNRELATED_SECONDS)
        except BadAudio:  # too short or silent
            continue


@cache
def _filters() -> Float[Tensor, "bin band"]:
    """Mel filters (HTK's scale) whose weights add up to 1 each."""
    filters = torchaudio.functional.melscale_fbanks(
        STFT_WINDOW // 2 + 1, 0.0, HIGH_HZ, MEL_BANDS, RATE_HZ, mel_scale="htk"
    )
    return filters / filters.sum(0)


@cache
def _network() -> torch.nn.Module:
    """The network that ships with aisfx (`X-Sequential-CE`), without its classifiers.

    Raises:
        BadInput: aisfx isn't installed.
    """
    check_package("aisfx")
    from aisfx.inference import get_path_modelWeights
    from aisfx.models.cnn2d import EmbeddingNet

    scalar: Any = np.int64(0).__reduce__()[0]  # the weights come with counts that are scalars
    with torch.serialization.safe_globals(
        [(scalar, "numpy.core.multiarray.scalar"), np.dtype, np.dtypes.Int64DType]
    ):
        weights, _ = torch.load(get_path_modelWeights(), map_location="cpu", weights_only=True)
    prefix = "embedding_net."
    own = {name.removeprefix(prefix): weights[name] for name in weights if name.startswith(prefix)}
    network = EmbeddingNet("max", 3, 1, 64)
    network.load_state_dict(own)
    return network.eval().requires_grad_(False)
