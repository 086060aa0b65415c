"""Options that several commands share, with their real defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eutectic.config import Level, Method, Residual, Solver
from eutectic.engine import model_files
from eutectic.engine.defaults import defaults_of

EMBEDDED = defaults_of("diffusion_cond", "v", model_files.own_settings("embedded"))
"""Of the model that ships."""


def of_model(value: float | str) -> str:
    """What help says of an option whose default is the model's; `value` is the embedded one's."""
    text = value if isinstance(value, str) else f"{value:g}"
    return f"(default: the model's; embedded: {text})"


Original = Annotated[Path, typer.Argument(help="The sound whose course in time is kept.")]
Reference = Annotated[Path, typer.Argument(help="The sound that gives the character.")]
Start = Annotated[float, typer.Option(help="Where to start in the original, in seconds.")]
Duration = Annotated[
    float | None, typer.Option(help="How much of the original, in seconds (default: to its end).")
]
ReferenceStart = Annotated[
    float, typer.Option("--reference-start", help="Where to start in the reference, in seconds.")
]
ReferenceDuration = Annotated[
    float | None,
    typer.Option(
        "--reference-duration", help="How much of the reference, in seconds (default: to its end)."
    ),
]

Prompt = Annotated[
    str | None, typer.Option(help="Prompt for the reference (default: its file name).")
]
LearnMethod = Annotated[
    Method | None,
    typer.Option(
        "--learn-method", help=f"How the reference is learned {of_model(EMBEDDED.learn.method)}."
    ),
]
LearnSteps = Annotated[
    int | None,
    typer.Option("--learn-steps", help=f"Learning steps {of_model(EMBEDDED.learn.steps)}."),
]
Rank = Annotated[int, typer.Option(help="Rank for lora.")]
Budget = Annotated[
    float | None,
    typer.Option("--budget", help="Stop learning after this many seconds (default: no limit)."),
]
NoLearn = Annotated[
    bool,
    typer.Option(
        "--no-learn",
        help="Skip learning: the reference is remembered; with --recall 0, the prompt alone.",
    ),
]

Seed = Annotated[int, typer.Option(help="Random seed; the same seed gives the same sound.")]
Steps = Annotated[int | None, typer.Option(help=f"Sampler steps {of_model(EMBEDDED.steps)}.")]
Cfg = Annotated[
    float | None,
    typer.Option(help=f"Guidance scale; 1 turns guidance off {of_model(EMBEDDED.cfg)}."),
]
Negative = Annotated[str | None, typer.Option(help="Prompt to steer away from (default: none).")]
Order = Annotated[
    int | None,
    typer.Option(help=f"Sampler order, 1 to 3 {of_model(EMBEDDED.order)}."),
]
SolverName = Annotated[
    Solver | None,
    typer.Option("--solver", help=f"Second-order update, or pingpong {of_model(EMBEDDED.solver)}."),
]
Eta = Annotated[
    float | None,
    typer.Option(
        help=f"Share of fresh noise: 1 solves the SDE, 0 the ODE {of_model(EMBEDDED.eta)}."
    ),
]
ResidualName = Annotated[Residual, typer.Option("--residual", help="How the original is inverted.")]
Amount = Annotated[
    float,
    typer.Option(
        "--residual-amount",
        help="Amount of noise for gaussian, or of the pull towards noise for rf-inversion "
        "(1: its published gamma of 0.5), 0 to 1.",
    ),
]
Recall = Annotated[
    float | None,
    typer.Option(
        help="From 0, what the network has learned of the reference, to 1, the reference as it "
        f"is remembered, which needs no learning {of_model(EMBEDDED.recall)}."
    ),
]
Slack = Annotated[
    float | None,
    typer.Option(
        help=f"Deviation that is allowed around what is remembered {of_model(EMBEDDED.slack)}."
    ),
]
Lora = Annotated[
    Path | None,
    typer.Option(
        help="A LoRA file of stable-audio-tools, .safetensors or .ckpt, for the model; instead of "
        "learning the reference (default: none)."
    ),
]
Strength = Annotated[
    float | None,
    typer.Option(help="Of the learned weights: 0 off, 1 as learned, up to 2 (default: 1)."),
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
Alone = Annotated[
    bool,
    typer.Option("--alone", help="Use no daemon's engine, even if one with this model is running."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
