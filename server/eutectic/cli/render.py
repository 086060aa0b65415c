"""`eutectic render`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from eutectic.cli import options
from eutectic.cli.inputs import check_range
from eutectic.cli.naming import Format
from eutectic.cli.repeating import is_given
from eutectic.config import LearnSettings
from eutectic.errors import BadInput, BadSetting

List = Annotated[
    Path | None,
    typer.Argument(
        metavar="[LIST]",
        help="A .toml or .csv file of what is to be fused; what it leaves open is taken from the "
        "options.",
        show_default=False,
    ),
]
Out = Annotated[
    str,
    typer.Option(
        "-o", "--out",
        help="Folder to write to, or an address that fsspec knows, such as s3://BUCKET/FOLDER. "
        "What is there already isn't made again.",
    ),
]  # fmt: skip
Originals = Annotated[
    list[str] | None,
    typer.Option(
        "--original", "--originals",
        help="Sounds whose course in time is kept: files, folders, patterns in quotes; may be "
        "repeated.",
    ),
]  # fmt: skip
References = Annotated[
    list[str] | None,
    typer.Option(
        "--reference", "--references",
        help="Sounds that give the character, named as originals are; may be repeated.",
    ),
]  # fmt: skip
Blends = Annotated[
    list[str] | None,
    typer.Option(
        "--blend", "--blends",
        help="From 0, the reference, to 1, the original: 0.3,0.5,0.7 (default: the preset's, or "
        "0.5).",
    ),
]  # fmt: skip
Recalls = Annotated[
    list[str] | None,
    typer.Option(
        "--recall", "--recalls",
        help="From 0, what the network has learned of the reference, to 1, the reference as it is "
        f"remembered: 0.5,1 {options.of_model(options.EMBEDDED.recall)}.",
    ),
]  # fmt: skip
Seeds = Annotated[
    list[str] | None,
    typer.Option(
        "--seed", "--seeds", help="Random seeds: 1,2,3 or 1-20 (default: the preset's, or 0)."
    ),
]
Presets = Annotated[
    list[str] | None,
    typer.Option(
        "--preset", "--presets",
        help="Presets of fusions by name, such as rust,glaze; options that are given take "
        "precedence (default: none).",
    ),
]  # fmt: skip
Name = Annotated[
    str | None,
    typer.Option(
        "--name",
        help="Template of the files' names; / makes folders (default: all that tells them apart, "
        "such as {original}+{reference}-{blend:03d}-s{seed}).",
    ),
]
FileFormat = Annotated[Format, typer.Option("--format", help="Of the sounds.")]
Manifest = Annotated[
    Literal["csv", "parquet"], typer.Option("--manifest", help="Of the list of what was made.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        help="Processes that make sounds (default: one a GPU, or as many as the processors take).",
        min=1,
    ),
]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Make them on the Ray cluster at HOST:PORT or ray://HOST:PORT, auto: the one this "
        "machine is part of, local: one of this machine's own (default: without Ray).",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Only say how many there are, how long they take, and how big."),
]
Gallery = Annotated[
    bool, typer.Option("--gallery/--no-gallery", help="Whether to write a page to hear them on.")
]


def render(
    context: typer.Context,
    out: Out,
    wanted: List = None,
    original: Originals = None,
    reference: References = None,
    blend: Blends = None,
    recall: Recalls = None,
    seed: Seeds = None,
    preset: Presets = None,
    name: Name = None,
    file_format: FileFormat = "flac",
    manifest: Manifest = "csv",
    gallery: Gallery = True,
    dry_run: DryRun = False,
    workers: Workers = None,
    ray: Ray = None,
    prompt: options.Prompt = None,
    steps: options.Steps = None,
    cfg: options.Cfg = None,
    negative: options.Negative = None,
    order: options.Order = None,
    solver: options.SolverName = None,
    eta: options.Eta = None,
    residual: options.ResidualName = "clean",
    residual_amount: options.Amount = 1.0,
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
) -> None:
    """Fuse many originals with many references, over night if need be.

    All originals with all references at all blends, recalls, seeds and presets, with a manifest and
    a page to hear them on. It can be stopped or killed at any moment: the same command goes on with
    what is missing. A sound that can't be used is left out, and the manifest says why.
    """
    from eutectic.cli.rendering import Asked, dry, go
    from eutectic.rendering import cluster
    from eutectic.rendering.wishes import Wish, axis

    if ray is not None:
        cluster.check(ray)
    for what, texts in {"out": [out], "original": original, "reference": reference}.items():
        if not all(map(str.strip, texts or ())):
            raise BadSetting(f"--{what} is empty")
    check_range(start, duration)
    check_range(reference_start, reference_duration)
    axes = {"blends": blend, "recalls": recall, "seeds": seed}
    numbers: dict[str, Any] = {
        key: axis(key, ",".join(texts)) for key, texts in axes.items() if texts
    }
    given = {
        "steps": steps, "cfg": cfg, "negative": negative, "order": order, "solver": solver,
        "eta": eta, "slack": slack, "strength": strength,
        "residual": residual if is_given(context, "residual") else None,
        "residual_amount": residual_amount if is_given(context, "residual_amount") else None,
        "level": level if is_given(context, "level") else None,
    }  # fmt: skip
    wish = Wish(
        originals=tuple(original or ()), references=tuple(reference or ()),
        presets=_presets(preset),
        options=_checked({key: value for key, value in given.items() if value is not None}),
        prompt=prompt, lora=None if lora is None else str(lora),
        original_start=start, original_duration=duration,
        reference_start=reference_start, reference_duration=reference_duration,
        **numbers,
    )  # fmt: skip
    learning = LearnSettings(learn_method, learn_steps, rank, budget_seconds=budget)
    asked = Asked(
        wish, wanted, out, name, file_format, manifest, gallery,
        None if no_learn else learning, model, compute, workers, ray,
    )  # fmt: skip
    code = dry(asked) if dry_run else go(asked)
    if code:
        raise typer.Exit(code)


def _presets(texts: list[str] | None) -> tuple[str, ...]:
    """The names of presets, each once.

    Raises:
        BadSetting: there is none where some are given.
    """
    stripped = [each.strip() for text in texts or () for each in text.split(",")]
    found = tuple(dict.fromkeys(filter(None, stripped)))
    if texts and not found:
        raise BadSetting("--preset is empty")
    return found


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """Options of fusions, checked.

    Raises:
        BadInput: one is out of range, or two exclude each other.
    """
    from eutectic.fusion_options import checked, fuse_request, sampling

    try:
        found = checked(given)
    except ValueError as error:
        raise BadInput(str(error)) from None
    sampling(fuse_request(found))
    return found
