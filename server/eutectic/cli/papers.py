"""The paper's experiments, with any model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eutectic.cli.app import Device, Force, Model, app, load_engine
from eutectic.cli.terminal import check_folder, console, make_folder, progress
from eutectic.config import SamplingSettings
from eutectic.errors import BadSetting
from eutectic.experiments.paper import Figure


@app.command()
def paper(
    figure: Annotated[Figure, typer.Argument(help="Which of the paper's figures to make.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write.")] = Path("paper"),
    model: Model = "embedded",
    compute: Device = None,
    steps: Annotated[int, typer.Option(help="Sampler steps.")] = 50,
    seconds: Annotated[float, typer.Option(help="Length of the clips.")] = 6.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same figures.")] = 0,
    force: Force = False,
) -> None:
    """Make the figures of the paper's experiments: sounds, a table and a picture of each.

    A run that was cut off goes on from what it left in the folder, given --force.
    """
    figures = [each for each in Figure if each is not Figure.ALL]
    figures = figures if figure is Figure.ALL else [figure]
    for folder in [out / each for each in figures] if out.exists() else [out]:
        check_folder(folder, (), force)
    SamplingSettings(seed=seed, steps=steps)
    engine = load_engine(model, compute)
    if not 0.1 <= seconds <= engine.model.max_seconds:
        raise BadSetting(f"seconds must be 0.1 to {engine.model.max_seconds:.1f}, not {seconds:g}")
    from eutectic.engine.precision import has_native_bfloat16
    from eutectic.engine.store import Store
    from eutectic.experiments.paper.parts import make
    from eutectic.experiments.paper.study import Study

    make_folder(out)
    engine.store = Store(out)
    engine.model.bfloat16 = has_native_bfloat16(engine.model.device)
    study = Study(engine, out, seconds, steps, seed)
    for each in figures:
        make_folder(out / each)
        with progress(each) as watch:
            told = make(each, study, watch)
        for line in told.lines():
            console.print(line)
        console.print(f"sounds, {each}.csv and {each}.png are in {out / each}\n")
