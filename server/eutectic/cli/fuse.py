"""`eutectic fuse`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eutectic.cli import options
from eutectic.cli.loading import Pair, check_section, hears_network, load_engine
from eutectic.cli.morphing import morphs, refuse_others
from eutectic.cli.outputs import check_output
from eutectic.cli.terminal import console, progress
from eutectic.config import (
    Fusing,
    LearnSettings,
    Level,
    Morphing,
    Place,
    Residual,
    SamplingSettings,
    interpolating,
    sdedit,
)
from eutectic.errors import BadOutput, BadSetting

if TYPE_CHECKING:
    from eutectic.engine.engine import Engine

Blends = Annotated[
    str | None,
    typer.Option(
        "--blend", "--blends",
        help="From 0, the reference, to 1, the original (default: 0.5); several, such as "
        "0.3,0.5,0.7, make a file each: OUT-030.wav and so on.",
    ),
]  # fmt: skip
Method = Annotated[
    Fusing,
    typer.Option(
        "--method",
        help="fusion; or to compare: latents interpolated, audio-to-audio (sdedit); or without "
        "the model an equal-power mix, log spectra interpolated, cepstral cross-synthesis, audio "
        "transport.",
    ),
]
Order = Annotated[int | None, typer.Option(help="Sampler order, 1 to 3.")]
ResidualName = Annotated[Residual, typer.Option("--residual", help="How the original is inverted.")]


def fuse(
    context: typer.Context,
    original: options.Original,
    reference: options.Reference,
    out: Annotated[Path, typer.Option("-o", "--out", help="WAV file to write.")],
    prompt: options.Prompt = None,
    blend: Blends = None,
    remaining: Annotated[
        int | None, typer.Option(help="Instead of blend: steps left after the injection.")
    ] = None,
    method: Method = "fusion",
    seed: options.Seed = 0,
    steps: options.Steps = None,
    cfg: options.Cfg = None,
    negative: options.Negative = None,
    order: Order = None,
    solver: options.SolverName = None,
    eta: options.Eta = None,
    residual: ResidualName = "clean",
    residual_amount: options.Amount = 1.0,
    recall: options.Recall = None,
    slack: options.Slack = None,
    level: options.LevelName = "match",
    start: options.Start = 0.0,
    duration: options.Duration = None,
    reference_start: options.ReferenceStart = 0.0,
    reference_duration: options.ReferenceDuration = None,
    learn_method: options.LearnMethod = None,
    learn_steps: options.LearnSteps = None,
    rank: options.Rank = 16,
    budget: options.Budget = None,
    no_learn: options.NoLearn = False,
    model: options.Model = "embedded",
    compute: options.Device = None,
    force: options.Force = False,
) -> None:
    """Fuse ORIGINAL with REFERENCE.

    Where recall is less than 1, the reference is learned first if it hasn't been learned yet.
    """
    refuse_others(context, method)
    places = _places(blend, remaining)
    sampling = SamplingSettings(
        seed, cfg, negative, steps, order, solver, eta, residual, residual_amount, recall, slack
    )
    learning = LearnSettings(learn_method, learn_steps, rank, budget_seconds=budget)
    pair = Pair(
        check_section(original, start, duration),
        check_section(reference, reference_start, reference_duration),
    )
    outs = _outputs(out, places)
    for path in outs:
        check_output(path, pair.paths, force)
    if method == "latent":
        sampling = interpolating(sampling)
    elif method == "sdedit":
        sampling = sdedit(sampling)
    if method in ("fusion", "latent", "sdedit"):
        engine = load_engine(model, compute)
        engine.fuser.plan(places, sampling)
        known = learning if hears_network(engine, sampling) and not no_learn else None
        _save_fusions(engine, pair, prompt, known, places, sampling, level, outs)
    else:
        _save_morphs(pair, method, places, level, outs)


def _places(blends: str | None, remaining: int | None) -> list[Place]:
    """Where the original enters: at each of the blends, or with so many steps remaining."""
    if blends is None:
        return [Place(0.5) if remaining is None else Place(remaining=remaining)]
    try:
        return [Place(float(each), remaining) for each in blends.split(",")]
    except ValueError:
        raise BadSetting(f"blend must be numbers, not {blends!r}") from None


def _outputs(out: Path, places: Sequence[Place]) -> list[Path]:
    """The file of each place.

    Raises:
        BadOutput: not a .wav, or two of the same name.
    """
    if out.suffix.lower() != ".wav":
        raise BadOutput(f"{out}: fusions are written as .wav")
    if len(places) == 1:
        return [out]
    outs = [
        out.with_name(f"{out.stem}-{round(100 * (place.blend or 0)):03d}{out.suffix}")
        for place in places
    ]
    for path in outs:
        if outs.count(path) > 1:
            raise BadOutput(f"{path}: several blends would be written to it")
    return outs


def _save_fusions(
    engine: Engine,
    pair: Pair,
    prompt: str | None,
    learning: LearnSettings | None,
    places: list[Place],
    sampling: SamplingSettings,
    level: Level,
    outs: list[Path],
) -> None:
    """Make and write the engine's fusion for each place."""
    from eutectic.audio import save_wav

    source, known = pair.load(engine, prompt, learning)
    with progress("fusing") as watch:
        fusions = engine.fuse(source, known, places, sampling, level, watch=watch)
    for path, fusion in zip(outs, fusions, strict=True):
        save_wav(path, fusion.waveform)
        how = (
            "the reference's own sampling"
            if fusion.remaining is None
            else f"remaining {fusion.remaining}"
        )
        _report(path, fusion.waveform.seconds, fusion.blend, how, fusion.gain_db)


def _save_morphs(
    pair: Pair, method: Morphing, places: list[Place], level: Level, outs: list[Path]
) -> None:
    """Make and write a plain morph for each place."""
    from eutectic.audio import save_wav

    blends = [place.blend_or(0.5) for place in places]
    with progress("fusing") as watch:
        made = morphs(pair, method, blends, level)
        for done, (path, blend, (morph, gain_db)) in enumerate(
            zip(outs, blends, made, strict=True)
        ):
            save_wav(path, morph)
            _report(path, morph.seconds, blend, method, gain_db)
            watch.progress(done + 1, len(outs))


def _report(path: Path, seconds: float, blend: float, how: str, gain_db: float) -> None:
    console.print(f"{path}: {seconds:.2f} s, blend {blend:.2f}, {how}, gain {gain_db:+.1f} dB")
