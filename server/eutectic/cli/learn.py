"""`eutectic learn`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eutectic.cli import options
from eutectic.cli.inputs import check_model, check_sounds
from eutectic.cli.loading import hand, remember, wanted
from eutectic.cli.terminal import console
from eutectic.config import LearnSettings


def learn(
    reference: Annotated[Path, typer.Argument(help="The sound to learn.")],
    prompt: options.Prompt = None,
    method: options.LearnMethod = None,
    steps: options.LearnSteps = None,
    rank: options.Rank = 16,
    budget: options.Budget = None,
    start: options.ReferenceStart = 0.0,
    duration: options.ReferenceDuration = None,
    model: options.Model = "embedded",
    compute: options.Device = None,
    alone: options.Alone = False,
) -> None:
    """Learn REFERENCE and store it for later fusions."""
    learning = LearnSettings(method, steps, rank, budget_seconds=budget)
    (sound,) = check_sounds([(reference, start, duration)], check_model(model))
    asked = wanted(sound.source, prompt, learning)
    about = remember(hand(model, compute, alone), asked).about
    assert about is not None
    console.print(
        f"{reference}: learned as \u201c{asked.prompt}\u201d, {about['method']}, "
        f"{about['steps']} steps, loss {about['loss']:.3f}"
    )
