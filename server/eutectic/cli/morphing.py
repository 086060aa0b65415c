"""Plain morphs for the command line: what `eutectic fuse --method` makes without a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from eutectic.cli.inputs import MORPH_MAX_SECONDS
from eutectic.cli.repeating import is_given
from eutectic.config import Fusing, Level, Morphing
from eutectic.errors import BadSetting

if TYPE_CHECKING:
    from eutectic.audio import Waveform
    from eutectic.link.protocol import Source

RATE_HZ, CHANNELS = 44_100, 2
"""As the embedded model's, so that morphs compare with its fusions."""

PLAIN = frozenset(
    ("sounds", "out", "file_format", "like", "blend", "level", "start", "duration",
     "reference_start", "reference_duration", "method", "force")
)  # fmt: skip
"""Parameters of `eutectic fuse` that mean something without a model."""

INTERPOLATING = PLAIN | {"model", "compute", "alone"}
"""Those that mean something where latents are interpolated."""

NOT_SDEDIT = frozenset(("residual", "residual_amount", "recall", "slack"))
"""Those that mean nothing in audio-to-audio."""


@dataclass(frozen=True)
class Pair:
    """The two sounds of a morph."""

    original: Source
    reference: Source


def refuse_others(context: typer.Context, method: Fusing) -> None:
    """Refuse options that were given and mean nothing with a method.

    Raises:
        BadSetting: names them.
    """
    names = {parameter.name or "" for parameter in context.command.params}
    match method:
        case "fusion":
            meaningful = names
        case "sdedit":
            meaningful = names - NOT_SDEDIT
        case "latent":
            meaningful = INTERPOLATING
        case _:
            meaningful = PLAIN
    given = [
        next(each for each in parameter.opts if each.startswith("--"))
        for parameter in context.command.params
        if parameter.name not in meaningful and is_given(context, parameter.name or "")
    ]  # fmt: skip
    if given:
        raise BadSetting(f"{', '.join(given)}: without meaning for the method {method}")


def morphs(
    pair: Pair, method: Morphing, blends: Sequence[float], level: Level
) -> Iterator[tuple[Waveform, float]]:
    """A morph for each blend, and the gain in dB that brought it to its level.

    Opened, ended and brought to level as the engine's fusions are.

    Raises:
        BadAudio: a file can't be read or used.
    """
    from eutectic import audio
    from eutectic.morphs import MORPHS

    original, reference = (_open(source) for source in (pair.original, pair.reference))
    loudness = audio.loudness_lufs(original), audio.loudness_lufs(reference)
    for blend in blends:
        morph, gain = audio.fade_end(MORPHS[method](original, reference, blend)), 1.0
        if level == "match":
            target = blend * loudness[0] + (1 - blend) * loudness[1]
            morph, gain = audio.match_loudness(morph, target)
        yield morph, audio.gain_to_db(gain)


def _open(source: Source) -> Waveform:
    from eutectic import audio

    return audio.fade_end(
        audio.load_clip(
            Path(source.path), RATE_HZ, CHANNELS,
            source.start_seconds, source.duration_seconds, MORPH_MAX_SECONDS,
        )
    )  # fmt: skip
