"""Shared by the commands: messages, progress bars, tables, and checks of output paths."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from eutectic.errors import BadOutput

if TYPE_CHECKING:
    from eutectic.engine.watch import Watch
    from eutectic.experiments.window import Window

errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
console = Console(highlight=False, soft_wrap=True, markup=False)


def fail(text: str, code: int) -> int:
    """Print an error as one line; returns the exit code."""
    errors.print("eutectic: " + " ".join(text.split()))
    return code


def check_output(path: Path, inputs: tuple[Path, ...], force: bool) -> None:
    """Check, before any work, that a file can be written without losing anything.

    Raises:
        BadOutput: it can't.
    """
    with _readable(path):
        if path.is_dir():
            raise BadOutput(f"{path}: is a directory")
        if not path.parent.is_dir():
            raise BadOutput(f"{path}: the folder {path.parent} does not exist")
        if not os.access(path.parent, os.W_OK):
            raise BadOutput(f"{path}: no permission to write into {path.parent}")
        if not path.exists():
            return
        if any(path.samefile(source) for source in inputs):
            raise BadOutput(f"{path}: is one of the sounds to be fused; choose another name")
        if not force:
            raise BadOutput(f"{path}: exists; choose another name, or --force to replace it")


def check_folder(path: Path, inputs: tuple[Path, ...], force: bool) -> None:
    """Check, before any work, that results can be written to a folder without losing anything.

    Raises:
        BadOutput: they can't.
    """
    with _readable(path):
        if not path.exists():
            check_output(path, (), force)
            return
        if not path.is_dir():
            raise BadOutput(f"{path}: is not a folder")
        if any(source.absolute().parent.samefile(path) for source in inputs):
            raise BadOutput(f"{path}: holds one of the sounds to be fused; choose another folder")
        if any(path.iterdir()) and not force:
            raise BadOutput(f"{path}: is not empty; choose another, or --force to write into it")
        if not os.access(path, os.W_OK):
            raise BadOutput(f"{path}: no permission to write into it")


@contextlib.contextmanager
def _readable(path: Path) -> Generator[None]:
    """Turn file system errors, such as for a path that is too long, into BadOutput."""
    try:
        yield
    except OSError as error:
        raise BadOutput(f"{path}: can't be written ({error.strerror})") from None


def make_folder(path: Path) -> None:
    """Make a folder for results, unless it exists.

    Raises:
        BadOutput: it can't be made.
    """
    with _readable(path):
        path.mkdir(exist_ok=True)


def make_folders(path: Path) -> None:
    """Make a folder and its parents, unless they exist.

    Raises:
        BadOutput: it can't be made.
    """
    with _readable(path):
        path.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def progress(what: str) -> Generator[Watch]:
    """Show a progress bar on the terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    from eutectic.engine.watch import Watch

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Bar(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield Watch(progress=lambda done, whole: bar.update(task, completed=done, total=whole))


def print_window(measured: Window) -> None:
    """Print a row for each fusion, and where the sources balance."""
    table = Table(box=None, header_style="bold")
    for heading in ("blend", "remaining", "evaluations", "seconds", "like original",
                    "like reference", "gain dB"):  # fmt: skip
        table.add_column(heading, justify="right")
    for point, to_original, to_reference in zip(
        measured.points, measured.like_original, measured.like_reference, strict=True
    ):
        fusion = point.fusion
        table.add_row(
            f"{fusion.blend:.2f}", "–" if fusion.remaining is None else str(fusion.remaining),
            str(point.evaluations),
            f"{point.seconds:.2f}", f"{to_original:.2f}", f"{to_reference:.2f}",
            f"{fusion.gain_db:+.1f}",
        )  # fmt: skip
    console.print(table)
    crossing = measured.curves.crossing
    if crossing is not None:
        console.print(f"the sources balance at blend {crossing:.2f}")


def play_file(path: Path) -> None:
    """Play a file, or print that this machine has no audio device."""
    import soundfile

    try:
        import sounddevice

        samples, rate_hz = soundfile.read(path, dtype="float32")
        sounddevice.play(samples, rate_hz, blocking=True)
    except (OSError, ValueError, RuntimeError):
        console.print(f"(no audio device to play {path})")
    except Exception as error:  # PortAudio's errors derive from Exception directly
        console.print(f"(no audio device to play {path}: {error})")
