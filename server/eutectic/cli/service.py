"""`eutectic service`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from eutectic.cli.terminal import console, warn
from eutectic.errors import BadInput, BadOutput
from eutectic.files.atomic import atomic_path

Action = Literal["install", "remove", "status"]


def service(
    action: Annotated[Action, typer.Argument(help="What to do.", show_default=False)],
    options: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- OPTION...]",
            help="Options of serve that it is started with, such as -- --session NIGHT.",
            show_default=False,
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--print", help="Print what would be installed, and change nothing.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace one that differs.")] = False,
) -> None:
    """Start the daemon whenever you log in, and again if it dies.

    On Linux by systemd, on macOS by launchd; on Windows it prints the command that does it.
    """
    from eutectic.cli import units

    if sys.platform == "win32":
        console.print(units.windows(options or []))
        return
    unit = (units.launchd if sys.platform == "darwin" else units.systemd)(options or [])
    if show:
        console.print(unit.text, end="")
    elif action == "status":
        text = "installed" if unit.path.exists() else "not installed"
        console.print(f"{text}: {unit.path}")
        _run([unit.status])
    elif action == "remove":
        if not unit.path.exists():
            raise BadInput("not installed")
        _run(unit.remove)
        unit.path.unlink()
        console.print(f"removed {unit.path}")
    else:
        if unit.path.exists() and unit.path.read_text() != unit.text and not force:
            raise BadOutput(f"{unit.path}: exists and differs; --force replaces it")
        try:
            unit.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadOutput(f"{unit.path.parent}: can't be created ({error.strerror})") from None
        with atomic_path(unit.path) as temporary:
            temporary.write_text(unit.text)
        console.print(f"installed {unit.path}")
        _run(unit.install)


def _run(commands: Sequence[Sequence[str]]) -> None:
    """Run the system's commands; say what to do where that isn't possible."""
    for command in commands:
        line = " ".join(command)
        if shutil.which(command[0]) is None:
            warn(f"{command[0]} isn't here; on the machine that is to start it: {line}")
            continue
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = done.stdout.strip() or done.stderr.strip()
        if done.returncode:
            warn(f"{line}: {said or f'exit status {done.returncode}'}")
        elif said:
            console.print(said)
