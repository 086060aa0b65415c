"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eutectic.config import Level, Method, Solver

Original = Annotated[Path, typer.Argument(help="The sound whose course in time is kept.")]
Reference = Annotated[Path, typer.Argument(help="The sound that gives the character.")]
Start = Annotated[float, typer.Option(help="Where to start in the original, in seconds.")]
Duration = Annotated[float | None, typer.Option(help="How much of the original, in seconds.")]
ReferenceStart = Annotated[
    float, typer.Option("--reference-start", help="Where to start in the reference, in seconds.")
]
ReferenceDuration = Annotated[
    float | None,
    typer.Option("--reference-duration", help="How much of the reference, in seconds."),
]

Prompt = Annotated[
    str | None, typer.Option(help="Prompt for the reference (default: its file name).")
]
LearnMethod = Annotated[
    Method | None, typer.Option("--learn-method", help="How the reference is learned.")
]
LearnSteps = Annotated[int | None, typer.Option("--learn-steps", help="Learning steps.")]
Rank = Annotated[int, typer.Option(help="Rank for lora.")]
Budget = Annotated[
    float | None, typer.Option("--budget", help="Stop learning after this many seconds.")
]
NoLearn = Annotated[
    bool,
    typer.Option(
        "--no-learn",
        help="Skip learning: the reference is remembered; with --recall 0, the prompt alone.",
    ),
]

Seed = Annotated[int, typer.Option(help="Random seed; the same seed gives the same sound.")]
Steps = Annotated[int | None, typer.Option(help="Sampler steps.")]
Cfg = Annotated[float | None, typer.Option(help="Guidance scale; 1 turns guidance off.")]
Negative = Annotated[str | None, typer.Option(help="Prompt to steer away from.")]
SolverName = Annotated[
    Solver | None, typer.Option("--solver", help="Second-order update, or pingpong.")
]
Eta = Annotated[
    float | None, typer.Option(help="Share of fresh noise: 1 solves the SDE, 0 the ODE.")
]
Amount = Annotated[
    float, typer.Option("--residual-amount", help="Amount of noise for gaussian, 0 to 1.")
]
Recall = Annotated[
    float | None,
    typer.Option(
        help="From 0, what the network has learned of the reference, to 1, the reference as it "
        "is remembered, which needs no learning."
    ),
]
Slack = Annotated[
    float | None, typer.Option(help="Deviation that is allowed around what is remembered.")
]
LevelName = Annotated[
    Level, typer.Option("--level", help="match: as loud as the sources; raw: as sampled.")
]

Model = Annotated[str, typer.Option("--model", help="Model: embedded, toy, a folder or a Hub id.")]
Device = Annotated[
    str | None,
    typer.Option("--compute", help="Where to compute: cuda, mps or cpu (default: the best)."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace existing files.")]
