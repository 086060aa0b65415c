"""`eutectic fuse --like FILE`: the settings of an earlier fusion, and the sounds it was made of."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from eutectic.cli.inputs import Sound
from eutectic.errors import BadInput, BadInputs

if TYPE_CHECKING:
    from eutectic.link.errands import Known
    from eutectic.recipe import Recipe, Section

GIVEN = ("COMMANDLINE", "ENVIRONMENT")
"""Where options come from that a user gave."""


def is_given(context: typer.Context, name: str) -> bool:
    """Whether the user gave an option, rather than the file or the default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name in GIVEN


def use_settings(context: typer.Context, path: Path | None) -> Path | None:
    """Make an earlier fusion's settings the defaults of all options: the callback of `--like`."""
    if path is not None:
        from eutectic.recipe import read_recipe

        recipe = read_recipe(path)
        if recipe.lora is not None and recipe.lora.path == recipe.reference.path:
            raise BadInput(f"{path}: was made with a LoRA alone; only the daemon can repeat it")
        context.obj = recipe
        context.default_map = {
            name: value for name, value in _parameters(recipe).items() if value is not None
        }
    return path


def _parameters(recipe: Recipe) -> dict[str, Any]:
    """The parameters of `eutectic fuse` that repeat a fusion."""
    place, sampling, learned = recipe.place, recipe.sampling, recipe.learned
    original, reference = recipe.original, recipe.reference
    values: dict[str, Any] = {
        "prompt": recipe.prompt, "method": recipe.method, "level": recipe.level,
        "blend": None if place.blend is None else [repr(place.blend)],
        "remaining": place.remaining,
        "start": original.start, "duration": original.duration,
        "reference_start": reference.start, "reference_duration": reference.duration,
        "model": None if recipe.model is None else recipe.model.name,
    }  # fmt: skip
    if sampling is not None:
        values |= asdict(sampling) | {
            "start": original.start, "seed": [str(sampling.seed)],
            "no_learn": learned is None and recipe.lora is None and sampling.recall != 1,
        }  # fmt: skip
    if recipe.lora is not None:
        file = recipe.lora.file
        values["lora"] = str(file if file.exists() else file.name)
    if learned is not None:
        settings = learned.settings
        values |= {
            "learn_method": settings.method, "learn_steps": settings.steps, "rank": settings.rank,
            "budget": settings.budget_seconds,
        }  # fmt: skip
    return values


def sources(recipe: Recipe, path: Path) -> list[Path]:
    """Original and reference of the fusion in `path`: where they were, or beside it.

    Raises:
        BadInputs: they have moved.
    """
    found: list[Path] = []
    missing: list[BadInput] = []
    for section in (recipe.original, recipe.reference):
        file = section.file
        places = [each for each in (file, path.parent / file.name) if each.is_file()]
        if places:
            found.append(places[0])
        else:
            text = f"{file}: has moved; name it anew: --like {path} ORIGINAL REFERENCE"
            missing.append(BadInput(text))
    if missing:
        raise BadInputs(missing)
    return found


def check_unchanged(recipe: Recipe, path: Path, original: Sound, reference: Sound) -> None:
    """Check that the fusion's sources hold what they held.

    Raises:
        BadInputs: one doesn't.
    """
    changed: list[BadInput] = [
        BadInput(
            f"{sound.path}: has changed since {path} was made; to fuse it all the same, name both: "
            f"--like {path} ORIGINAL REFERENCE"
        )
        for sound, section in ((original, recipe.original), (reference, recipe.reference))
        if _differs(sound, section)
    ]
    if changed:
        raise BadInputs(changed)


def remarks_on_sounds(recipe: Recipe, original: Sound, reference: Sound) -> list[str]:
    """Which of the named sounds aren't those that the fusion was made of."""
    return [
        f"{sound.path} is not the {role} that it was made of"
        for role, sound, section in (
            ("original", original, recipe.original), ("reference", reference, recipe.reference)
        )
        if _differs(sound, section)
    ]  # fmt: skip


def remarks_on_engine(recipe: Recipe, known: Known) -> list[str]:
    """Why an engine's fusion may differ from the earlier one."""
    used, remarks = recipe.model, list[str]()
    if used is None or used.name != known.model:
        return remarks
    compute = known.device
    if used.digest != known.model_digest:
        remarks.append(f"{used.name} has other weights now: the sound will differ")
    elif used.compute not in ("", compute):
        remarks.append(f"it was made on {used.compute}, not {compute}: the last bits may differ")
    about = known.about
    if recipe.learned is not None and about is not None and "file" not in about:
        same = recipe.learned.digest in ("", known.digest)
        if not same and used.digest == known.model_digest:
            remarks.append("the reference was learned anew, and not to the bit: the sound differs")
    file_digest = None if about is None else about.get("file_digest")
    if recipe.lora is not None and recipe.lora.digest not in ("", file_digest):
        remarks.append(f"{recipe.lora.file} has changed: the sound will differ")
    return remarks


def _differs(sound: Sound, section: Section) -> bool:
    same = (sound.start, sound.duration) == (section.start, section.duration)
    return same and section.digest not in ("", sound.digest)
