"""`eutectic train-embedded`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eutectic.cli.outputs import make_folder


def train_embedded(
    config: Annotated[
        Path | None, typer.Option(help="TOML file with the settings that differ from the defaults.")
    ] = None,
    samples: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of recordings to train on (sonic-pi-samples); several: repeat."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder for weights and checkpoints.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="Weights to start from: embedded, a folder or a file.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="How long to train the transformer, in minutes.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed.")] = None,
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
