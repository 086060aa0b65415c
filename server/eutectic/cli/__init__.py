"""The command line. Nothing here computes; torch is imported by the commands that need it.

A user's mistake ends with exit code 2 and one line, Ctrl-C with 130.
"""

from __future__ import annotations

import os
import sys

import typer
from typer.exceptions import TyperException

from eutectic.cli import (
    bench,
    daemon,
    demo,
    devices,
    fuse,
    learn,
    listen,
    paper,
    patches,
    train,
    window,
)
from eutectic.cli.terminal import fail
from eutectic.client.replies import NoAnswer
from eutectic.errors import BadInput, Cancelled

app = typer.Typer(
    help="Fuse two sounds into a third: diffusion inversion for live electronic music.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(fuse.fuse)
app.command()(learn.learn)
app.command()(window.window)
app.command()(daemon.serve)
app.command(context_settings={"ignore_unknown_options": True})(daemon.send)
app.command()(daemon.status)
app.command()(devices.devices)
app.command()(patches.patches)
app.command()(listen.listen)
app.command()(paper.paper)
app.command()(bench.bench)
app.command()(train.train_embedded)


def run(arguments: list[str]) -> int:
    """Run the command line; returns the exit code."""
    try:
        code = app(arguments or ["--help"], standalone_mode=False)
    except TyperException as error:
        return fail(error.format_message(), 2)
    except (BadInput, NoAnswer) as error:
        return fail(str(error), 2)
    except (Cancelled, KeyboardInterrupt, typer.Abort):
        return fail("cancelled", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code or 0  # a command returns None; typer.Exit passes its code here
