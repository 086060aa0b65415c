"""`eutectic references`."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eutectic.cli import options
from eutectic.cli.inputs import check_model
from eutectic.cli.loading import load_engine
from eutectic.cli.terminal import console, print_json, print_table, progress
from eutectic.config import data_folder
from eutectic.errors import BadSetting
from eutectic.files.atomic import atomic_path
from eutectic.files.learned import SHORT

if TYPE_CHECKING:
    from eutectic.files.learned import LearnedFile

ADD = "add"


def references(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]... | add FILE...",
            help="Those that are meant, by their ids or beginnings of them. Or add and LoRA files, "
            ".safetensors or .ckpt, that --model is to have ready.",
            show_default=False,
        ),
    ] = None,
    unused: Annotated[
        float | None,
        typer.Option(help="Only those that weren't used for this many days (default: all)."),
    ] = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete those that are named, or that are unused.")
    ] = False,
    model: options.Model = "embedded",
    compute: options.Device = None,
    json: options.Json = False,
) -> None:
    """List or delete the references that were learned, or add LoRA files.

    A reference whose file is deleted can be learned again from its sound. LoRA files that were
    added are copied, and named by their file names from then on.
    """
    from eutectic.files.learned import chosen, learned_files
    from eutectic.files.tensors import delete as delete_file

    if unused is not None and not unused >= 0:
        raise BadSetting(f"unused must be a number of days, not {unused:g}")
    if ids and ids[0] == ADD:
        if delete or json or unused is not None:
            raise BadSetting(f"{ADD} takes --model and --compute alone")
        _add([Path(each) for each in ids[1:]], model, compute)
        return
    if delete and not ids and unused is None:
        raise BadSetting("--delete needs the ids of references, or --unused DAYS")
    folder = data_folder() / "references"
    found = chosen(learned_files(folder), ids or [], unused)
    if delete:
        for each in found:
            delete_file(each.path)
    if json:
        print_json({"folder": str(folder), "deleted": delete, "references": _values(found)})
        return
    _print(found)
    size = sum(each.size for each in found) / 1e6
    console.print(f"{'deleted ' if delete else ''}{len(found)}, {size:.0f} MB, in {folder}")


def _add(files: Sequence[Path], model: str, compute: str | None) -> None:
    """Copy LoRA files to where `/reference/load` finds them, and have them ready for a model."""
    from eutectic.files.learned import free_lora

    if not files:
        raise BadSetting(f"{ADD} needs LoRA files")
    check_model(model)
    copies = [free_lora(data_folder(), file) for file in files]
    engine = load_engine(model, compute)
    for file, copy in zip(files, copies, strict=True):
        with progress(f"adding {file.name}") as watch:
            key, adapter = engine.open_lora(str(file), watch)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists():
            with atomic_path(copy) as temporary:
                shutil.copyfile(file, temporary)
        about = adapter.about
        console.print(
            f"{file}: {about['kind']} of rank {about['rank']}, {len(adapter.changed)} layers of "
            f"{engine.model.name}; id {key[:SHORT]}; /reference/load NAME {copy.name}"
        )


def _print(found: Sequence[LearnedFile]) -> None:
    from rich.table import Table

    if not found:
        return
    table = Table(box=None, header_style="bold")
    for heading in ("id", "prompt", "s", "method", "steps", "model", "MB", "last used"):
        table.add_column(heading)
    for each in found:
        about = each.about
        table.add_row(
            each.id, str(about.get("file", about.get("prompt", "damaged"))),
            f"{about['seconds']:.1f}" if "seconds" in about else "",
            str(about.get("kind") or about.get("method", "")), str(about.get("steps", "")),
            str(about.get("model_name") or about.get("model", ""))[:24], f"{each.size / 1e6:.1f}",
            f"{each.used:%Y-%m-%d %H:%M}",
        )  # fmt: skip
    print_table(table)


def _values(found: Sequence[LearnedFile]) -> list[dict[str, Any]]:
    return [
        {
            "id": each.path.stem, "bytes": each.size,
            "used": each.used.isoformat(timespec="seconds"), "about": each.about,
        }
        for each in found
    ]  # fmt: skip
