"""`eutectic fuse`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eutectic.cli import options
from eutectic.cli.loading import Pair, check_section, load_engine
from eutectic.cli.outputs import check_output
from eutectic.cli.terminal import console, progress
from eutectic.config import LearnSettings, Place, Residual, SamplingSettings
from eutectic.errors import BadOutput

Order = Annotated[int | None, typer.Option(help="Sampler order, 1 to 3.")]
ResidualName = Annotated[Residual, typer.Option("--residual", help="How the original is inverted.")]


def fuse(
    original: options.Original,
    reference: options.Reference,
    out: Annotated[Path, typer.Option("-o", "--out", help="WAV file to write.")],
    prompt: options.Prompt = None,
    blend: Annotated[
        float | None, typer.Option(help="From 0, the reference, to 1, the original (default: 0.5).")
    ] = None,
    remaining: Annotated[
        int | None, typer.Option(help="Instead of blend: steps left after the injection.")
    ] = None,
    seed: options.Seed = 0,
    steps: options.Steps = None,
    cfg: options.Cfg = None,
    negative: options.Negative = None,
    order: Order = None,
    solver: options.SolverName = None,
    eta: options.Eta = None,
    residual: ResidualName = "clean",
    residual_amount: options.Amount = 1.0,
    level: options.LevelName = "match",
    start: options.Start = 0.0,
    duration: options.Duration = None,
    reference_start: options.ReferenceStart = 0.0,
    reference_duration: options.ReferenceDuration = None,
    method: options.MethodName = None,
    learn_steps: options.LearnSteps = None,
    rank: options.Rank = 16,
    budget: options.Budget = None,
    no_learn: options.NoLearn = False,
    model: options.Model = "embedded",
    compute: options.Device = None,
    force: options.Force = False,
) -> None:
    """Fuse ORIGINAL with REFERENCE.

    The reference is learned first if it hasn't been learned yet.
    """
    place = Place(0.5 if blend is None and remaining is None else blend, remaining)
    sampling = SamplingSettings(
        seed, cfg, negative, steps, order, solver, eta, residual, residual_amount
    )
    learning = LearnSettings(method, learn_steps, rank, budget_seconds=budget)
    pair = Pair(
        check_section(original, start, duration),
        check_section(reference, reference_start, reference_duration),
    )
    if out.suffix.lower() != ".wav":
        raise BadOutput(f"{out}: fusions are written as .wav")
    check_output(out, pair.paths, force)
    engine = load_engine(model, compute)
    engine.plan([place], sampling)
    source, known = pair.load(engine, prompt, None if no_learn else learning)
    with progress("fusing") as watch:
        (fusion,) = engine.fuse(source, known, [place], sampling, level, watch=watch)
    from eutectic.audio import save_wav

    save_wav(out, fusion.waveform)
    remaining_steps = (
        "the reference's own sampling"
        if fusion.remaining is None
        else f"remaining {fusion.remaining}"
    )
    console.print(
        f"{out}: {fusion.waveform.seconds:.2f} s, blend {fusion.blend:.2f}, "
        f"{remaining_steps}, gain {fusion.gain_db:+.1f} dB"
    )
