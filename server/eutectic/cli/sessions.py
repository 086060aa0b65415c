"""`eutectic sessions`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from eutectic.cli import options
from eutectic.cli.outputs import check_output
from eutectic.cli.terminal import console, print_json, print_table, stages, warn
from eutectic.config import data_folder
from eutectic.errors import BadSetting
from eutectic.files.toml import BadState

if TYPE_CHECKING:
    from eutectic.session.packing import Wanted

Action = Literal["list", "pack", "unpack"]


def sessions(
    action: Annotated[
        Action,
        typer.Argument(
            help="list those that are saved, pack one into a file with all its sounds, or unpack "
            "such a file."
        ),
    ] = "list",
    what: Annotated[
        str | None,
        typer.Argument(
            help="For pack a session, its name or its file; for unpack a packed one.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="pack: the new file (default: NAME.zip, here)."),
    ] = None,
    fusions: Annotated[
        bool, typer.Option("--fusions", help="pack: the fusions that are ready, too.")
    ] = False,
    without_missing: Annotated[
        bool,
        typer.Option(
            "--without-missing", help="pack: without what is gone, instead of not at all."
        ),
    ] = False,
    name: Annotated[
        str | None, typer.Option(help="unpack: the session's new name (default: its own).")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="The data folder whose sessions are meant (default: the user's, or EUTECTIC_DATA)."
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """List sessions, or pack one with all its sounds for another machine, and unpack it there.

    Nothing is overwritten. What comes out of a file from elsewhere is checked before anything is
    written.
    """
    folder = (data or data_folder()).absolute()
    for option, is_given, of in (
        ("--out", out is not None, "pack"), ("--fusions", fusions, "pack"),
        ("--without-missing", without_missing, "pack"), ("--name", name is not None, "unpack"),
        ("--json", json, "list"),
    ):  # fmt: skip
        if is_given and action != of:
            raise BadSetting(f"{option} is for {of} alone")
    if action == "list":
        if what is not None:
            raise BadSetting("list takes no session")
        _list(folder / "sessions", json)
    elif what is None:
        raise BadSetting(f"{action} needs a session; eutectic sessions lists them")
    elif action == "unpack":
        _unpack(Path(what), folder, name)
    else:
        from eutectic.session import kept
        from eutectic.session.packing import SUFFIX, Wanted

        path = kept.session_path(what, folder / "sessions")
        if not path.exists():
            raise BadState(kept.unknown(path))
        wanted = Wanted(
            path.stem, kept.read(path), folder, fusions=fusions, without_missing=without_missing
        )
        _pack(wanted, out or Path(f"{path.stem}{SUFFIX}"))


def _list(folder: Path, json: bool) -> None:
    from rich.table import Table

    from eutectic.session import kept

    found = kept.listed(folder)
    if json:
        print_json([{"name": name, "what": text} for name, text in found])
        return
    table = Table(box=None, show_header=False)
    for name, text in found:
        table.add_row(name, text)
    print_table(table)
    console.print(f"{len(found)}, in {folder}")


def _pack(wanted: Wanted, out: Path) -> None:
    from eutectic.session.packing import pack

    check_output(out, (), force=False)
    with stages("packing") as report:
        remarks = pack(out, wanted, lambda done, total: report("packing", done, total))
    for each in remarks:
        warn(each)
    size = out.stat().st_size / 1e6
    console.print(f"session {wanted.name}: {wanted.session.what}; {size:.1f} MB in {out}")


def _unpack(path: Path, data: Path, name: str | None) -> None:
    from eutectic.session.unpacking import unpack

    with stages("unpacking") as report:
        done = unpack(path, data, name, lambda done, total: report("unpacking", done, total))
    for each in done.remarks:
        warn(each)
    console.print(f"session {done.name}: {done.session.what}, in {done.path}")
    console.print(f"try: eutectic serve --model {done.session.model} --session {done.name!r}")
