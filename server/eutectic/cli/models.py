"""`eutectic models`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from eutectic.cli import options
from eutectic.cli.terminal import console, print_json, print_table
from eutectic.errors import BadSetting

Action = Literal["list", "get", "check"]


def models(
    action: Annotated[
        Action, typer.Argument(help="list those that are known, get one, or check one.")
    ] = "list",
    name: Annotated[
        str | None,
        typer.Argument(
            help="For get and check: a name of the list, or a Hub id; for check also a folder.",
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            help="get: also copy the files into this new folder, for a machine without a network: "
            "there, --model FOLDER (default: none)."
        ),
    ] = None,
    compute: options.Device = None,
    json: options.Json = False,
) -> None:
    """List known models, get one from the Hub, or check one."""
    if action != "list" and name is None:
        raise BadSetting(f"{action} needs a model's name; eutectic models lists them")
    if action == "list":
        _list(json)
    elif action == "get":
        _get(str(name), to)
    else:
        _check(str(name), compute)


def _list(json: bool) -> None:
    from rich.table import Table

    from eutectic.engine.expected import expected_seconds
    from eutectic.engine.fetching import KNOWN, size_here

    rows: list[dict[str, Any]] = []
    for each in KNOWN:
        here = size_here(each.name)
        rows.append({
            "name": each.name, "what": each.what, "bytes": here or each.size,
            "here": here is not None, "runs_on": each.runs_on,
            "seconds_on_cpu": round(expected_seconds(each.gflop), 2), "licence": each.licence,
        })  # fmt: skip
    if json:
        print_json(rows)
        return
    table = Table(box=None, header_style="bold")
    for heading in ("name", "what", "GB", "here", "runs on", "s on CPU", "licence"):
        table.add_column(heading)
    for row in rows:
        size = f"{row['bytes'] / 1e9:.2f}" if row["bytes"] else ""
        here = "yes" if row["here"] else "no"
        seconds = f"{row['seconds_on_cpu']:.2g}" if row["seconds_on_cpu"] < 100 else "minutes"
        table.add_row(row["name"], row["what"], size, here, row["runs_on"], seconds, row["licence"])
    print_table(table)
    console.print(
        "s on CPU: how soon a new fusion of 6 s should begin on this machine without a GPU; those "
        "from memory (recall 1), and those that are ready, begin at once"
    )


def _get(name: str, to: Path | None) -> None:
    from eutectic.engine.fetching import fetch

    files = fetch(name, to)
    size = sum(path.stat().st_size for path in files) / 1e9
    console.print(f"{name}: {len(files)} files, {size:.2f} GB, whole, in {files[0].parent}")


def _check(name: str, compute: str | None) -> None:
    from eutectic.cli.loading import load_engine
    from eutectic.engine.expected import first_sound_seconds

    engine = load_engine(name, compute)
    device = engine.model.device
    alone, remembered = (first_sound_seconds(engine, recall) for recall in (0.0, 1.0))
    console.print(
        f"{name}: its codec, text encoder and network do what they should on {device.type}; a new "
        f"fusion of 6 s begins after {alone:.2g} s, one from memory (recall 1) after "
        f"{remembered:.2g} s"
    )
