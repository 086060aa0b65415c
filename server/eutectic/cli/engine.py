"""`eutectic engine`: this machine's engine for a daemon on another, and the keys between them."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from eutectic.cli import options
from eutectic.cli.terminal import console, errors
from eutectic.config import data_folder
from eutectic.errors import BadSetting

LogLevel = Literal["debug", "info", "warning", "error"]


def engine(
    action: Annotated[
        Literal["keys"] | None,
        typer.Argument(
            help="keys: make a key for one more daemon's machine, and show it once.",
            show_default=False,
        ),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where to wait for the daemon; 0.0.0.0 or [::] for all networks.",
            show_default=False,
        ),
    ] = None,
    model: options.Model = "embedded",
    compute: options.Device = None,
    memory: Annotated[float, typer.Option(help="The engine's cache, in GiB.")] = 2.0,
    spare: Annotated[
        bool,
        typer.Option(
            help="Keep a spare engine, which takes the place of one that dies in half a second."
        ),
    ] = True,
    log_level: Annotated[LogLevel, typer.Option(help="Log level.")] = "info",
    take: Annotated[
        bool,
        typer.Option("--take", help="With keys: take one that the engine's machine has shown."),
    ] = False,
    anew: Annotated[
        bool,
        typer.Option("--new", help="With keys: those shown before open nothing any more."),
    ] = False,
) -> None:
    """Lend this machine's engine to a daemon on another one: serve --engine HOST:PORT.

    Beyond this machine the two need a key: `eutectic engine keys` shows one here, and
    `eutectic engine keys --take` takes it there. All that goes between them is encrypted.
    """
    if action == "keys":
        _keys(take, anew)
    elif take or anew:
        raise BadSetting("--take and --new belong to: eutectic engine keys")
    elif listen is None:
        raise BadSetting("choose where to wait: --listen HOST:PORT, or eutectic engine keys")
    else:
        _listen(listen, model, compute, memory, spare, log_level)


def _keys(take: bool, anew: bool) -> None:
    from eutectic.link import keys

    data = data_folder().absolute()
    if take:
        if sys.stdin.isatty():
            line = typer.prompt("the key", hide_input=True, prompt_suffix=": ")
        else:
            line = sys.stdin.readline()
        keys.take(data, line)
        console.print("taken: this machine's daemon can use that engine")
        return
    line = keys.make(data, anew)
    errors.print("on the daemon's machine run `eutectic engine keys --take`, and paste this line; "
                 "it isn't shown again:")  # fmt: skip
    console.print(line)


def _listen(
    listen: str, model: str, compute: str | None, memory: float, spare: bool, log_level: LogLevel
) -> None:
    import asyncio
    import functools

    from eutectic.link.agent import Agent, Lent
    from eutectic.link.remote import split
    from eutectic.link.spare import Spare
    from eutectic.system.logs import logging_to_terminal

    host, port = split(listen)
    if not 0.001 <= memory <= 1e4:
        raise BadSetting(f"memory must be 0.001 to 10000, not {memory:g}")
    lent = Lent(host, port, model, compute, round(memory * (1 << 30)), data_folder().absolute())

    async def run() -> None:
        await Agent(lent, Spare(spare)).run(functools.partial(print, flush=True))

    with logging_to_terminal(log_level):
        asyncio.run(run())
