"""`eutectic train-embedded`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eutectic.cli.outputs import make_folder
from eutectic.files.shipped import training_defaults

DEFAULTS = training_defaults()


def _default(name: str) -> str:
    value = DEFAULTS[name]
    text = ", ".join(value) if isinstance(value, list) else value
    return f"(default: {text if text != '' else 'none'})"


def train_embedded(
    config: Annotated[
        Path | None,
        typer.Option(
            help="TOML file with the settings that differ from the defaults (default: none)."
        ),
    ] = None,
    samples: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of recordings to train on (sonic-pi-samples); several: repeat "
            f"{_default('samples')}."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help=f"Folder for weights and checkpoints {_default('out')}."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            help=f"Weights to start from: embedded, a folder or a file {_default('start')}."
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(help=f"How long to train the transformer, in minutes {_default('minutes')}."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help=f"Random seed {_default('seed')}.")] = None,
) -> None:
    """Train the embedded model.

    Resumes from the checkpoint in the folder if there is one.
    """
    from eutectic.training.settings import read_settings
    from eutectic.training.train import train

    settings = read_settings(
        config, samples=samples and tuple(map(str, samples)), out=out and str(out), start=start,
        minutes=minutes, seed=seed,
    )  # fmt: skip
    make_folder(Path(settings.out))
    train(settings)
