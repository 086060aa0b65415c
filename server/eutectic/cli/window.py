"""`eutectic window`."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from eutectic.cli import options
from eutectic.cli.inputs import check_model, check_sounds
from eutectic.cli.loading import Own, hand, load_engine, remember, wanted
from eutectic.cli.outputs import check_folder, make_folder
from eutectic.cli.terminal import console, print_json, print_window, progress, stages
from eutectic.config import LearnSettings, Level, Place, Residual, SamplingSettings
from eutectic.errors import BadSetting

if TYPE_CHECKING:
    from eutectic.engine.engine import Engine
    from eutectic.link.errands import Wanted
    from eutectic.link.protocol import Source

Steps = Annotated[
    str | None,
    typer.Option(
        "--steps",
        help="Sampler steps; several, such as 25,50,100, are compared "
        f"{options.of_model(options.EMBEDDED.steps)}.",
    ),
]
Orders = Annotated[
    str | None,
    typer.Option(
        "--order",
        "--orders",
        help="Sampler order, 1 to 3; several, such as 1,2, are compared "
        f"{options.of_model(options.EMBEDDED.order)}.",
    ),
]
Residuals = Annotated[
    str,
    typer.Option(
        "--residual", "--residuals",
        help="How the original is inverted; several, such as clean,ddim, or all, are compared.",
    ),
]  # fmt: skip


def window(
    original: options.Original,
    reference: options.Reference,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write to.")] = Path("window"),
    prompt: options.Prompt = None,
    points: Annotated[int, typer.Option(help="Fusions along the window, 0 and 1 included.")] = 9,
    seed: options.Seed = 0,
    steps: Steps = None,
    cfg: options.Cfg = None,
    negative: options.Negative = None,
    order: Orders = None,
    solver: options.SolverName = None,
    eta: options.Eta = None,
    residual: Residuals = "clean",
    residual_amount: options.Amount = 1.0,
    recall: options.Recall = None,
    slack: options.Slack = None,
    level: options.LevelName = "match",
    start: options.Start = 0.0,
    duration: options.Duration = None,
    reference_start: options.ReferenceStart = 0.0,
    reference_duration: options.ReferenceDuration = None,
    method: options.LearnMethod = None,
    learn_steps: options.LearnSteps = None,
    rank: options.Rank = 16,
    budget: options.Budget = None,
    no_learn: options.NoLearn = False,
    model: options.Model = "embedded",
    compute: options.Device = None,
    alone: options.Alone = False,
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Fuse at points all along the window, and measure them.

    The likeness to both sources is measured and drawn. Several steps, orders or residuals are
    compared: what each choice costs and what it yields.
    """
    sampling = SamplingSettings(
        seed, cfg, negative, solver=solver, eta=eta, residual_amount=residual_amount,
        recall=recall, slack=slack,
    )  # fmt: skip
    choices = _choices(sampling, steps, order, residual)
    learning = LearnSettings(method, learn_steps, rank, budget_seconds=budget)
    if not 2 <= points <= 101:
        raise BadSetting(f"points must be 2 to 101, not {points}")
    sections = (original, start, duration), (reference, reference_start, reference_duration)
    sounds = check_sounds(sections, check_model(model))
    from eutectic.window import at_blends, save_sounds, save_table, values  # NumPy takes long

    source, other = (sound.source for sound in sounds)
    check_folder(out, (original, reference), force)
    middle = (Place(blend=0.5),)
    asked = wanted(other, prompt, None if no_learn else learning, None, sampling, middle)
    places = at_blends([number / (points - 1) for number in range(points)])
    if len(choices) > 1:
        _compare(load_engine(model, compute), source, asked, places, choices, level, out, json)
        return
    from eutectic.experiments import pictures
    from eutectic.link.errands import Fuse, Measure

    engine = hand(model, compute, alone)
    remember(engine, asked)
    with stages("fusing") as report:
        fuse = Fuse(source, asked, tuple(places), choices[0], level)
        measured = engine.measure(Measure(fuse), report)
    make_folder(out)
    save_sounds(measured, out)
    save_table(measured, out / "window.csv")
    pictures.draw_window(measured, out / "window.png", (original.stem, reference.stem))
    if json:
        print_json(values(measured) | {"folder": str(out)})
        return
    print_window(measured)
    console.print(f"sounds, window.csv and window.png are in {out}")


def _choices(
    sampling: SamplingSettings, steps: str | None, order: str | None, residual: str
) -> list[SamplingSettings]:
    """Every combination; edit-friendly, if one of several, only at its own order, 1."""
    kinds = get_args(Residual) if residual == "all" else residual.split(",")
    every = list(itertools.product(kinds, _numbers("order", order), _numbers("steps", steps)))
    possible = [each for each in every if each[0] != "edit-friendly" or each[1] in (None, 1)]
    return [
        replace(sampling, residual=kind, order=rule, steps=count)
        for kind, rule, count in dict.fromkeys(possible or every)
    ]


def _numbers(name: str, text: str | None) -> list[int | None]:
    """Whole numbers separated by commas; None, the model's default, without a text."""
    if text is None:
        return [None]
    try:
        return [int(each) for each in text.split(",")]
    except ValueError:
        raise BadSetting(f"{name} must be whole numbers, not {text!r}") from None


def _compare(
    engine: Engine,
    original: Source,
    reference: Wanted,
    places: list[Place],
    choices: list[SamplingSettings],
    level: Level,
    out: Path,
    json: bool,
) -> None:
    """Measure a window for each choice; save the middle fusions, a table and a picture."""
    from eutectic.engine.errands import Errands
    from eutectic.engine.watch import UNWATCHED
    from eutectic.experiments import choices as choices_
    from eutectic.experiments import pictures
    from eutectic.experiments.report import save_csv

    for choice in choices:
        engine.fuser.plan([Place(blend=0.5)], choice)
    own = Errands(engine)
    remember(Own(own), reference)
    source, known = engine.open(original), own.reference(reference, lambda _: UNWATCHED)
    with progress("fusing") as watch:
        made = choices_.measure(engine, source, known, places, choices, level, watch)
    figures = choices_.table(made)
    make_folder(out)
    choices_.save_sounds(made, out)
    save_csv(figures, out / "choices.csv")
    pictures.draw_choices(made, out / "choices.png")
    if json:
        print_json(figures.values() | {"folder": str(out)})
        return
    for line in figures.lines():
        console.print(line)
    console.print(f"the fusions at mid-window, choices.csv and choices.png are in {out}")
