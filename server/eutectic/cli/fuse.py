"""`eutectic fuse`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eutectic.cli import options
from eutectic.cli.fusing import Work, fuse_all, morph_all
from eutectic.cli.inputs import (
    MORPH_MAX_SECONDS,
    Sound,
    check_model,
    check_sounds,
    expand,
    numbers,
)
from eutectic.cli.loading import hand
from eutectic.cli.morphing import refuse_others
from eutectic.cli.naming import Format, outputs
from eutectic.cli.repeating import (
    check_unchanged,
    is_given,
    remarks_on_sounds,
    sources,
    use_settings,
)
from eutectic.cli.terminal import warn
from eutectic.config import (
    Fusing,
    LearnSettings,
    Place,
    SamplingSettings,
    interpolating,
    sdedit,
)
from eutectic.errors import BadInput

if TYPE_CHECKING:
    from eutectic.recipe import Recipe

Sounds = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ORIGINAL... REFERENCE",
        help="The sounds whose course in time is kept, one or many; last, the sound that gives "
        "the character.",
        show_default=False,
    ),
]
Out = Annotated[
    str | None,
    typer.Option(
        "-o", "--out",
        help="File to write, .wav or .flac, or a folder, FOLDER/ (default: a name such as "
        "ORIGINAL+REFERENCE-050.wav in the current folder; names like that never replace a file).",
    ),
]  # fmt: skip
FileFormat = Annotated[
    Format | None,
    typer.Option("--format", help="Of files whose name -o doesn't give (default: wav)."),
]
Like = Annotated[
    Path | None,
    typer.Option(
        help="Repeat this fusion, with the sounds and settings in its tags; other sounds and "
        "options that are given take precedence (default: none).",
        is_eager=True,
        callback=use_settings,
    ),
]
Blends = Annotated[
    list[str] | None,
    typer.Option(
        "--blend", "--blends",
        help="From 0, the reference, to 1, the original (default: 0.5); several, such as "
        "0.3,0.5,0.7, make a file each: OUT-030.wav and so on.",
    ),
]  # fmt: skip
Seeds = Annotated[
    list[str] | None,
    typer.Option(
        "--seed", "--seeds",
        help="Random seed; the same seed gives the same sound (default: 0); several, such as "
        "1,2,3, make a file each: OUT-s1.wav and so on.",
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
Remaining = Annotated[
    int | None,
    typer.Option(help="Instead of blend: steps left after the injection (default: as blend)."),
]


def fuse(
    context: typer.Context,
    sounds: Sounds = None,
    out: Out = None,
    file_format: FileFormat = None,
    like: Like = None,
    prompt: options.Prompt = None,
    blend: Blends = None,
    remaining: Remaining = None,
    method: Method = "fusion",
    seed: Seeds = None,
    steps: options.Steps = None,
    cfg: options.Cfg = None,
    negative: options.Negative = None,
    order: options.Order = None,
    solver: options.SolverName = None,
    eta: options.Eta = None,
    residual: options.ResidualName = "clean",
    residual_amount: options.Amount = 1.0,
    recall: options.Recall = None,
    slack: options.Slack = None,
    lora: options.Lora = None,
    strength: options.Strength = None,
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
    alone: options.Alone = False,
    force: options.Force = False,
) -> None:
    """Fuse each ORIGINAL with REFERENCE.

    Where recall is less than 1, the reference is learned first if it hasn't been learned yet. A
    file's tags say how it was made; --like repeats it. A daemon that is running with the same model
    does the work, so that what it knows sounds at once; the sound is the same.
    """
    refuse_others(context, method)
    earlier: Recipe | None = context.obj
    if is_given(context, "remaining") != is_given(context, "blend"):  # the other is the file's
        blend, remaining = (None, remaining) if is_given(context, "remaining") else (blend, None)
    if is_given(context, "residual") and residual == "edit-friendly":  # which has its own
        order = order if is_given(context, "order") else None
        solver = solver if is_given(context, "solver") else None
        eta = eta if is_given(context, "eta") else None
    places = _places(blend, remaining)
    sampling = SamplingSettings(
        0, cfg, negative, steps, order, solver, eta, residual, residual_amount, recall, slack,
        0.0 if earlier is None or earlier.sampling is None else earlier.sampling.start,
        strength=strength,
    )  # fmt: skip
    sampling = {"latent": interpolating, "sdedit": sdedit}.get(method, _as_it_is)(sampling)
    settings = [replace(sampling, seed=each) for each in numbers("seed", seed or ["0"], int)]
    learning = LearnSettings(learn_method, learn_steps, rank, budget_seconds=budget)
    plain = method not in ("fusion", "latent", "sdedit")
    longest = MORPH_MAX_SECONDS if plain else check_model(model)
    paths = _named(sounds, like, earlier)
    sections = [(path, start, duration) for path in paths[:-1]]
    *originals, reference = check_sounds(
        [*sections, (paths[-1], reference_start, reference_duration)], longest
    )
    if earlier is not None and like is not None:
        _compare(earlier, like, bool(sounds), originals, reference)
    originals = _without_repeats(originals, reference)
    named = outputs(out, file_format, len(originals), len(places), len(settings))
    work = Work(originals, reference, method, places, settings, level, named)
    named.check(work.paths, tuple(paths), force)
    if method in ("fusion", "latent", "sdedit"):
        learning = None if no_learn else learning
        engine = hand(model, compute, alone)
        failed = fuse_all(work, prompt, learning, engine, earlier, lora)
    else:
        failed = morph_all(work, method)
    if failed:
        raise typer.Exit(2)


def _as_it_is(settings: SamplingSettings) -> SamplingSettings:
    return settings


def _places(blends: list[str] | None, remaining: int | None) -> list[Place]:
    """Where the original enters: at each of the blends, or with so many steps remaining."""
    if not blends:
        return [Place(0.5) if remaining is None else Place(remaining=remaining)]
    return [Place(blend, remaining) for blend in numbers("blend", blends, float)]


def _named(sounds: list[str] | None, like: Path | None, earlier: Recipe | None) -> list[Path]:
    """The originals and, last, the reference.

    Raises:
        BadInput: there are too few.
    """
    if not sounds and like is not None and earlier is not None:
        return sources(earlier, like)
    paths = expand(sounds or [])
    if len(paths) < 2:
        what = f"{paths[0]}: is one sound" if paths else "no sounds are named"
        raise BadInput(
            f"{what}; name an original and a reference: eutectic fuse ORIGINAL REFERENCE"
        )
    if len(paths) > 2 and not paths[-1].exists() and paths[-1].parent.is_dir():
        raise BadInput(f"{paths[-1]}: no such file; to write to it, put -o before it")
    return paths


def _compare(
    earlier: Recipe, like: Path, named: bool, originals: Sequence[Sound], reference: Sound
) -> None:
    """Compare the sounds with those of the fusion that is to be repeated."""
    if not named:
        check_unchanged(earlier, like, originals[0], reference)
    elif len(originals) == 1:
        for remark in remarks_on_sounds(earlier, originals[0], reference):
            warn(remark)


def _without_repeats(originals: Sequence[Sound], reference: Sound) -> list[Sound]:
    """Each original once; of many, without the reference, which patterns may match, too."""
    if len(originals) == 1:
        return list(originals)
    kept = {sound.path.resolve(): sound for sound in reversed(originals)}
    if len(kept) > 1 and kept.pop(reference.path.resolve(), None) is not None:
        warn(f"{reference.path} is the reference, and isn't fused with itself")
    return [sound for sound in originals if kept.get(sound.path.resolve()) is sound]
