"""`eutectic doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from eutectic.cli import options
from eutectic.cli.terminal import console, print_json
from eutectic.config import data_folder
from eutectic.osc.spec import PORT

if TYPE_CHECKING:
    from eutectic.doctor.findings import Finding

SIGNS = {"ok": " ", "note": "·", "bad": "!"}
"""What a line begins with, by its state."""

WIDTH = 20


def doctor(
    port: Annotated[int, typer.Option(help="The daemon's port for OSC.")] = PORT,
    compute: options.Device = None,
    paths: Annotated[
        bool, typer.Option("--paths", help="Show whole paths, which may name you.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Check all that the daemon needs of this machine, and say what to do.

    The exit code is 1 if something doesn't work. A report of a fault should hold its output.
    """
    from importlib.metadata import version

    from eutectic.doctor import engine, machine, network, sound

    findings = [
        machine.python(),
        machine.byte_code("byte code", ["eutectic"]),
        *machine.folders(data_folder(), paths),
        machine.ffmpeg(),
        *sound.devices(),
        sound.midi(),
        *machine.limits(),
        *network.ports(port),
        machine.clock(),
        *engine.engine(compute, paths),
    ]
    own = version("eutectic")
    if json:
        import msgspec

        print_json({"version": own, "findings": msgspec.to_builtins(findings)})
    else:
        _print(own, findings)
    if any(each.state == "bad" for each in findings):
        raise typer.Exit(1)


def _print(version: str, findings: Sequence[Finding]) -> None:
    console.print(f"  {'Eutectic':{WIDTH}}{version}")
    for each in findings:
        console.print(f"{SIGNS[each.state]} {each.name:{WIDTH}}{each.text}")
        if each.advice:
            console.print(f"  {'':{WIDTH}}→ {each.advice}")
    bad = sum(each.state == "bad" for each in findings)
    console.print(f"{bad} of {len(findings)} to mend" if bad else "nothing to mend")
