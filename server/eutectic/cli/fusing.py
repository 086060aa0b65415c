"""Fusing files: the whole job, without the daemon."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from eutectic.cli.app import Device, Force, Model, Steps, app, load_engine
from eutectic.cli.terminal import (
    check_folder,
    check_inputs,
    check_output,
    console,
    errors,
    make_folder,
    play_file,
    print_window,
    progress,
)
from eutectic.config import LearnSettings, Level, Method, Place, Residual, SamplingSettings, Solver
from eutectic.errors import BadOutput, BadSetting
from eutectic.link.protocol import Source

if TYPE_CHECKING:
    from eutectic.engine.engine import Clip, Engine, Reference

Prompt = Annotated[str | None, typer.Option(help="Words for the reference (default: its name).")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same sound.")]
Cfg = Annotated[float | None, typer.Option(help="Guidance scale; 1 is none.")]
Negative = Annotated[str | None, typer.Option(help="Prompt to be guided away from.")]
Order = Annotated[int | None, typer.Option(help="Sampler order, 1 to 3.")]
SolverName = Annotated[Solver | None, typer.Option("--solver", help="Order 2's rule, or pingpong.")]
Eta = Annotated[float | None, typer.Option(help="1: SDE, 0: ODE, or between.")]
ResidualName = Annotated[Residual, typer.Option("--residual", help="How the original is inverted.")]
Amount = Annotated[float, typer.Option("--residual-amount", help="Noise of gaussian, 0 to 1.")]
SeveralSteps = Annotated[
    str | None, typer.Option("--steps", help="Sampler steps; several, as 25,50,100, are compared.")
]
Orders = Annotated[
    str | None, typer.Option("--order", "--orders", help="Sampler order, 1 to 3, or several: 1,2.")
]
Residuals = Annotated[
    str,
    typer.Option(
        "--residual", "--residuals",
        help="How the original is inverted; several, as clean,ddim, or all, are compared.",
    ),
]  # fmt: skip
LevelName = Annotated[
    Level,
    typer.Option("--level", help="match: as loud as the sources; raw: untouched."),
]
Start = Annotated[float, typer.Option(help="Where in the original to begin, seconds.")]
Duration = Annotated[float | None, typer.Option(help="How much of the original, seconds.")]
ReferenceStart = Annotated[
    float, typer.Option("--reference-start", help="Where in the reference to begin, seconds.")
]
ReferenceDuration = Annotated[
    float | None, typer.Option("--reference-duration", help="How much of the reference, seconds.")
]
MethodName = Annotated[Method | None, typer.Option("--method", help="How a reference is learned.")]
LearnSteps = Annotated[int | None, typer.Option("--learn-steps", help="Steps of learning.")]
Rank = Annotated[int, typer.Option(help="Rank of lora.")]
Budget = Annotated[
    float | None, typer.Option("--budget", help="Stop learning after these seconds at the latest.")
]
NoLearn = Annotated[bool, typer.Option("--no-learn", help="Sample with the prompt alone.")]


@app.command()
def fuse(
    original: Annotated[Path, typer.Argument(help="The sound whose course is kept.")],
    reference: Annotated[Path, typer.Argument(help="The sound whose character is taken.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The WAV file to write.")],
    prompt: Prompt = None,
    blend: Annotated[
        float | None, typer.Option(help="0: the reference … 1: the original (default 0.5).")
    ] = None,
    remaining: Annotated[
        int | None, typer.Option(help="Instead of blend: steps left after the injection.")
    ] = None,
    seed: Seed = 0,
    steps: Steps = None,
    cfg: Cfg = None,
    negative: Negative = None,
    order: Order = None,
    solver: SolverName = None,
    eta: Eta = None,
    residual: ResidualName = "clean",
    residual_amount: Amount = 1.0,
    level: LevelName = "match",
    start: Start = 0.0,
    duration: Duration = None,
    reference_start: ReferenceStart = 0.0,
    reference_duration: ReferenceDuration = None,
    method: MethodName = None,
    learn_steps: LearnSteps = None,
    rank: Rank = 16,
    budget: Budget = None,
    no_learn: NoLearn = False,
    model: Model = "embedded",
    compute: Device = None,
    force: Force = False,
) -> None:
    """Fuse ORIGINAL with REFERENCE, learning the reference first where it isn't known yet."""
    place = Place(0.5 if blend is None and remaining is None else blend, remaining)
    sampling = SamplingSettings(
        seed, cfg, negative, steps, order, solver, eta, residual, residual_amount
    )
    learning = LearnSettings(method, learn_steps, rank, budget_seconds=budget)
    check_inputs(original, reference)
    if out.suffix.lower() != ".wav":
        raise BadOutput(f"{out}: fusions are written as .wav")
    check_output(out, (original, reference), force)
    engine = load_engine(model, compute)
    engine.points([place], sampling)
    source = _open(engine, original, start, duration)
    section = (reference_start, reference_duration)
    known = _reference(engine, reference, prompt, learning, no_learn, section)
    with progress("fusing") as watch:
        (fusion,) = engine.fuse(source, known, [place], sampling, level, watch=watch)
    from eutectic.audio import save_wav

    save_wav(out, fusion.waveform)
    console.print(
        f"{out}: {fusion.waveform.seconds:.2f} s, blend {fusion.blend:.2f}, "
        f"{_steps_left(fusion.remaining)}, gain {fusion.gain_db:+.1f} dB"
    )


@app.command()
def learn(
    reference: Annotated[Path, typer.Argument(help="The sound to memorise.")],
    prompt: Prompt = None,
    method: MethodName = None,
    steps: LearnSteps = None,
    rank: Rank = 16,
    budget: Budget = None,
    start: ReferenceStart = 0.0,
    duration: ReferenceDuration = None,
    model: Model = "embedded",
    compute: Device = None,
) -> None:
    """Learn REFERENCE with its prompt, and keep it for later fusions."""
    learning = LearnSettings(method, steps, rank, budget_seconds=budget)
    check_inputs(reference)
    engine = load_engine(model, compute)
    known = _reference(engine, reference, prompt, learning, False, (start, duration))
    assert known.adapter is not None
    about = known.adapter.about
    console.print(
        f"{reference}: learned as \u201c{known.prompt}\u201d, {about['method']}, "
        f"{about['steps']} steps, loss {about['loss']:.3f}"
    )


@app.command()
def window(
    original: Annotated[Path, typer.Argument(help="The sound whose course is kept.")],
    reference: Annotated[Path, typer.Argument(help="The sound whose character is taken.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write.")] = Path("window"),
    prompt: Prompt = None,
    points: Annotated[int, typer.Option(help="Fusions across the window, 0 and 1 included.")] = 9,
    seed: Seed = 0,
    steps: SeveralSteps = None,
    cfg: Cfg = None,
    negative: Negative = None,
    order: Orders = None,
    solver: SolverName = None,
    eta: Eta = None,
    residual: Residuals = "clean",
    residual_amount: Amount = 1.0,
    level: LevelName = "match",
    start: Start = 0.0,
    duration: Duration = None,
    reference_start: ReferenceStart = 0.0,
    reference_duration: ReferenceDuration = None,
    method: MethodName = None,
    learn_steps: LearnSteps = None,
    rank: Rank = 16,
    budget: Budget = None,
    no_learn: NoLearn = False,
    model: Model = "embedded",
    compute: Device = None,
    force: Force = False,
) -> None:
    """Fuse across the whole window; measure and draw likeness to both sources.

    Several steps, orders or residuals are compared: what each choice costs and gives.
    """
    sampling = SamplingSettings(
        seed, cfg, negative, solver=solver, eta=eta, residual_amount=residual_amount
    )
    choices = _choices(sampling, steps, order, residual)
    learning = LearnSettings(method, learn_steps, rank, budget_seconds=budget)
    if not 2 <= points <= 101:
        raise BadSetting(f"points must be 2 to 101, not {points}")
    check_inputs(original, reference)
    check_folder(out, (original, reference), force)
    engine = load_engine(model, compute)
    for choice in choices:
        engine.points([Place(blend=0.5)], choice)
    source = _open(engine, original, start, duration)
    section = (reference_start, reference_duration)
    known = _reference(engine, reference, prompt, learning, no_learn, section)
    places = [Place(blend=number / (points - 1)) for number in range(points)]
    if len(choices) > 1:
        _compare(engine, source, known, places, choices, level, out)
        return
    from eutectic.experiments import pictures
    from eutectic.experiments import window as window_

    with progress("fusing") as watch:
        measured = window_.measure(engine, source, known, places, choices[0], level, watch=watch)
    make_folder(out)
    window_.save_sounds(measured, out)
    window_.save_table(measured, out / "window.csv")
    pictures.draw_window(measured, out / "window.png", (original.stem, reference.stem))
    print_window(measured)
    console.print(f"sounds, window.csv and window.png are in {out}")


def _choices(
    sampling: SamplingSettings, steps: str | None, order: str | None, residual: str
) -> list[SamplingSettings]:
    """Every combination; among several, edit-friendly is at order 1 alone, the one it has."""
    kinds = get_args(Residual) if residual == "all" else residual.split(",")
    every = list(itertools.product(kinds, _numbers("order", order), _numbers("steps", steps)))
    possible = [each for each in every if each[0] != "edit-friendly" or each[1] in (None, 1)]
    return [
        replace(sampling, residual=kind, order=rule, steps=count)
        for kind, rule, count in dict.fromkeys(possible or every)
    ]


def _numbers(name: str, text: str | None) -> list[int | None]:
    """Whole numbers between commas; the model's own (None) where nothing is said."""
    if text is None:
        return [None]
    try:
        return [int(each) for each in text.split(",")]
    except ValueError:
        raise BadSetting(f"{name} must be whole numbers, not {text!r}") from None


def _compare(
    engine: Engine,
    source: Clip,
    known: Reference,
    places: list[Place],
    choices: list[SamplingSettings],
    level: Level,
    out: Path,
) -> None:
    """A window for each choice: sounds amid it, a table and a picture."""
    from eutectic.experiments import choices as choices_
    from eutectic.experiments import pictures
    from eutectic.experiments.report import save_csv

    with progress("fusing") as watch:
        made = choices_.measure(engine, source, known, places, choices, level, watch)
    figures = choices_.table(made)
    make_folder(out)
    choices_.save_sounds(made, out)
    save_csv(figures, out / "choices.csv")
    pictures.draw_choices(made, out / "choices.png")
    for line in figures.lines():
        console.print(line)
    console.print(f"the fusions amid the window, choices.csv and choices.png are in {out}")


@app.command()
def demo(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder to write (default: demo, made anew).")
    ] = None,
    model: Model = "embedded",
    compute: Device = None,
    play: Annotated[bool, typer.Option(help="Play the middle fusion if possible.")] = True,
    force: Force = False,
) -> None:
    """Fuse two recordings that ship with Eutectic, at five points of the window."""
    if out is None:
        out, force = Path("demo"), True
    check_folder(out, (), force)
    make_folder(out)
    engine = load_engine(model, compute)
    from eutectic.experiments import demo as demo_

    with progress("learning the reference") as learning, progress("fusing") as fusing:
        made = demo_.make(engine, out, learning, fusing)
    print_window(made.window)
    console.print(
        f"learning took {made.seconds_learning:.0f} s, fusing {made.seconds_fusing:.0f} s; "
        f"listen to the WAV files in {out}, look at {made.picture}"
    )
    if play:
        play_file(made.sounds[len(made.sounds) // 2])


def _steps_left(remaining: int | None) -> str:
    return "the reference's own sampling" if remaining is None else f"remaining {remaining}"


def _open(engine: Engine, path: Path, start: float = 0.0, duration: float | None = None) -> Clip:
    if not 0 <= start < math.inf:
        raise BadSetting(f"start must be 0 or more, not {start:g}")
    if duration is not None and not 0 < duration < math.inf:
        raise BadSetting(f"duration must be more than 0, not {duration:g}")
    return engine.open(Source(str(path), start, duration))


def _reference(
    engine: Engine,
    path: Path,
    prompt: str | None,
    settings: LearnSettings,
    no_learn: bool,
    section: tuple[float, float | None],
) -> Reference:
    """The reference, from the store or learned now; with `no_learn` its prompt alone."""
    from eutectic.engine.engine import Reference

    clip = _open(engine, path, *section)
    words = prompt if prompt is not None else path.stem.replace("_", " ").replace("-", " ")
    if no_learn:
        return Reference(words, clip, None)
    known = engine.known(clip, words, settings)
    if known is not None:
        return Reference(words, clip, known)
    with progress("learning the reference") as watch:
        learned = engine.learn(clip, words, settings, watch=watch)
    if learned.capped:
        errors.print(
            f"the budget of {settings.budget_seconds:g} s ended learning after {learned.steps} "
            "steps; the result depends on this machine's speed"
        )
    return Reference(words, clip, learned.adapter)
