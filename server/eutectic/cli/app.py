"""The program that commands belong to, and what several of them share."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated

import typer

from eutectic.cli.terminal import errors
from eutectic.config import data_folder

if TYPE_CHECKING:
    from eutectic.engine.engine import Engine

app = typer.Typer(
    help="Fuse two sounds into a third: diffusion inversion for live electronic music.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Model = Annotated[str, typer.Option("--model", help="embedded, toy, a folder or a Hub id.")]
Device = Annotated[str | None, typer.Option("--compute", help="cuda, mps or cpu (default: best).")]
Steps = Annotated[int | None, typer.Option(help="Sampler steps.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]


def load_engine(model: str, compute: str | None) -> Engine:
    """The engine of a model, torch and all."""
    with errors.status("loading the model") if errors.is_terminal else contextlib.nullcontext():
        from eutectic.engine.engine import Engine
        from eutectic.engine.model import choose_device, load
        from eutectic.engine.store import Store

        return Engine(load(model, choose_device(compute)), Store(data_folder()))
