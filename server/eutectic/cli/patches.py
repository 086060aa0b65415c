"""`eutectic patches`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eutectic.cli.installing import install, shipped_folders, standard_targets, targets_under
from eutectic.cli.terminal import console
from eutectic.config import data_folder


def patches(
    install_: Annotated[
        bool, typer.Option("--install", help="Copy the patches to where Pd and Max look for them.")
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option(
            help="Copy them into this folder instead, into a subfolder per program (default: the "
            "programs' own)."
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace files that you changed, too; yours are backed up."),
    ] = False,
) -> None:
    """Show or install the patches for Pure Data and Max.

    Without options, prints where they and the presets are.
    """
    if not install_ and to is None:
        for name, folder in shipped_folders().items():
            console.print(f"{name:10} {folder}")
        return
    import platformdirs

    documents = Path(platformdirs.user_documents_dir())
    targets = standard_targets(documents, Path.home()) if to is None else targets_under(to)
    left_alone = False
    for target in targets:
        outcome = install(target, data_folder() / "replaced", force)
        console.print(f"{target.program}: {target.folder}: {outcome.in_words()}")
        left_alone |= outcome.left_alone
    if to is None and len(targets) == 1:
        console.print(f"Max: no folder of its own in {documents}; --to copies it elsewhere")
    if left_alone:
        raise typer.Exit(1)
