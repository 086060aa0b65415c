"""`eutectic paper`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eutectic.cli import options
from eutectic.cli.loading import load_engine
from eutectic.cli.outputs import check_folder, make_folder
from eutectic.cli.terminal import console, progress
from eutectic.config import SamplingSettings
from eutectic.errors import BadSetting
from eutectic.experiments.paper import Figure


def paper(
    figure: Annotated[Figure, typer.Argument(help="Figure to make.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write to.")] = Path("paper"),
    model: options.Model = "embedded",
    compute: options.Device = None,
    steps: Annotated[int, typer.Option(help="Sampler steps.")] = 50,
    seconds: Annotated[float, typer.Option(help="Clip length, in seconds.")] = 6.0,
    seed: Annotated[
        int, typer.Option(help="Random seed; the same seed gives the same figures.")
    ] = 0,
    force: options.Force = False,
) -> None:
    """Reproduce the paper's figures.

    Each leaves its sounds, a table and a picture. An interrupted run resumes from what it left in
    the folder if --force is given.
    """
    figures = [each for each in Figure if each is not Figure.ALL]
    figures = figures if figure is Figure.ALL else [figure]
    for folder in [out / each for each in figures] if out.exists() else [out]:
        check_folder(folder, (), force)
    SamplingSettings(seed=seed, steps=steps)
    engine = load_engine(model, compute)
    if not 0.1 <= seconds <= engine.model.max_seconds:
        raise BadSetting(f"seconds must be 0.1 to {engine.model.max_seconds:.1f}, not {seconds:g}")
    from eutectic.engine.store import Store
    from eutectic.experiments.paper.reproduce import make
    from eutectic.experiments.paper.study import Study

    make_folder(out)
    engine.store = Store(out)
    study = Study(engine, out, seconds, steps, seed)
    for each in figures:
        make_folder(out / each)
        with progress(each) as watch:
            table = make(each, study, watch)
        for line in table.lines():
            console.print(line)
        console.print(f"sounds, {each}.csv and {each}.png are in {out / each}\n")
