"""The commands. Nothing here computes; torch is imported inside the commands that need it.

A user's mistake ends in exit code 2 and one line; Ctrl-C in 130.
"""

from __future__ import annotations

import os
import sys

import typer
from typer.exceptions import TyperException

from eutectic.cli import fusing, listening, measuring, papers, stage
from eutectic.cli.app import app
from eutectic.cli.terminal import fail
from eutectic.client.sync import NoAnswer
from eutectic.errors import BadInput, Cancelled

__all__ = ["fusing", "listening", "measuring", "papers", "run", "stage"]


def run(arguments: list[str]) -> int:
    """Run the command line; returns the exit code."""
    try:
        code = app(arguments or ["--help"], standalone_mode=False)
    except TyperException as error:
        return fail(error.format_message(), 2)
    except BadInput as error:
        return fail(str(error), 2)
    except NoAnswer as error:
        return fail(str(error), 2)
    except (Cancelled, KeyboardInterrupt, typer.Abort):
        return fail("cancelled", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code or 0  # a command returns nothing; typer.Exit's code comes this way
