"""The command line. Nothing here computes; torch is imported by the commands that need it.

A user's mistake ends with exit code 2 and one line, Ctrl-C with 130.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from eutectic import environment
from eutectic.cli import (
    bench,
    daemon,
    demo,
    devices,
    doctor,
    engine,
    fuse,
    learn,
    listen,
    models,
    paper,
    patches,
    references,
    remote,
    render,
    service,
    sessions,
    setup,
    train,
    window,
)
from eutectic.cli.terminal import fail
from eutectic.client.replies import NoAnswer
from eutectic.errors import BadInput, BadInputs, Cancelled
from eutectic.osc.spec import words_of

COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    "Fuse": (
        demo.demo,
        fuse.fuse,
        render.render,
        learn.learn,
        models.models,
        references.references,
        window.window,
    ),
    "Stage": (
        daemon.serve,
        sessions.sessions,
        remote.send,
        remote.status,
        devices.devices,
        engine.engine,
        setup.setup,
        doctor.doctor,
        service.service,
        patches.patches,
    ),
    "Research": (listen.listen, paper.paper, bench.bench, train.train_embedded),
}
"""All commands, as the help groups them."""


CANCELLED = 130
"""Exit code after Ctrl-C, as shells have it."""


class _Grouped(TyperGroup):
    """Lists commands in groups, with whole sentences."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        for title, functions in COMMANDS.items():
            rows = [(_name(each), _sentence(each)) for each in functions]
            with formatter.section(title):
                formatter.write_dl(rows)


def _name(command: Callable[..., None]) -> str:
    return command.__name__.replace("_", "-")


def _sentence(command: Callable[..., None]) -> str:
    """The first paragraph of its help."""
    return words_of((command.__doc__ or "").split("\n\n")[0])


app = typer.Typer(
    cls=_Grouped,
    help="Fuse two sounds into a third: diffusion inversion for live electronic music.",
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for _command in itertools.chain(*COMMANDS.values()):
    _verbatim = {"ignore_unknown_options": True} if _command is remote.send else None
    app.command(context_settings=_verbatim, short_help=_sentence(_command))(_command)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(version("eutectic"))
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Fuse two sounds into a third: diffusion inversion for live electronic music."""


def run(arguments: list[str]) -> int:
    """Run the command line, where torch is if it is needed; returns the exit code."""
    try:
        return _run(arguments)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in environment.PACKAGES or environment.is_elsewhere or environment.is_here():
            raise
    try:
        command = [*environment.command("eutectic"), *arguments]
    except environment.NoEngine as error:
        return fail(str(error), 2)
    if os.name == "posix":
        os.execv(command[0], command)
    try:
        return subprocess.call(command)  # elsewhere execv doesn't wait
    except KeyboardInterrupt:
        return CANCELLED


def _run(arguments: list[str]) -> int:
    try:
        if remote.print_help_of_request(arguments):
            return 0
        code = app(arguments or ["--help"], standalone_mode=False)
        if code == CANCELLED:  # Typer's answer to Ctrl-C
            return fail("cancelled", CANCELLED)
    except TyperException as error:
        return fail(error.format_message(), 2)
    except BadInputs as error:
        for each in error.all:
            fail(str(each), 2)
        return 2
    except (BadInput, NoAnswer) as error:
        return fail(str(error), 2)
    except (Cancelled, KeyboardInterrupt, typer.Abort):
        return fail("cancelled", CANCELLED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code or 0  # a command returns None; typer.Exit passes its code here
