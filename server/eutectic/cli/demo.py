"""`eutectic demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eutectic.cli import options
from eutectic.cli.loading import load_engine
from eutectic.cli.outputs import check_folder, make_folder
from eutectic.cli.terminal import console, play_file, print_window, progress


def demo(
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Folder to write to (default: demo, overwritten)."),
    ] = None,
    model: options.Model = "embedded",
    compute: options.Device = None,
    play: Annotated[bool, typer.Option(help="Play the middle fusion, if possible.")] = True,
    force: options.Force = False,
) -> None:
    """Fuse recordings that ship with Eutectic.

    Five fusions along the window and a picture of them are written to a folder; those of the pair
    that fuses worst to its subfolder "worst".
    """
    if out is None:
        out, force = Path("demo"), True
    check_folder(out, (), force)
    engine = load_engine(model, compute)
    make_folder(out)
    from eutectic.experiments import demo as demo_

    with progress("learning the references") as learning, progress("fusing") as fusing:
        made = demo_.make(engine, out, learning, fusing)
    print_window(made.best.window)
    console.print(
        f"learning took {made.seconds_learning:.1f} s, fusing {made.seconds_fusing:.1f} s; "
        f"listen to the WAV files in {out}, look at {made.best.picture}"
    )
    console.print(f"the pair that fuses worst: {made.worst.picture.parent}")
    if play:
        play_file(made.best.sounds[len(made.best.sounds) // 2])
