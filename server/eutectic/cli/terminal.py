"""What the commands show on the terminal: messages, progress bars and tables."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from eutectic.errors import one_line

if TYPE_CHECKING:
    from eutectic.engine.watch import Watch
    from eutectic.experiments.window import Window

errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
console = Console(highlight=False, soft_wrap=True, markup=False)


MAX_WIDTH = 1000
"""Of tables, in characters."""


def fail(text: str, code: int) -> int:
    """Print an error as one line; returns the exit code."""
    errors.print("eutectic: " + one_line(text))
    return code


def warn(text: str) -> None:
    """Print a remark as one line, apart from the results."""
    errors.print("note: " + " ".join(text.split()))


def print_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


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


def print_table(table: Table) -> None:
    """Print a table as wide as it is: a terminal wraps what doesn't fit, and nothing is cut."""
    wide = Console(width=MAX_WIDTH, highlight=False, soft_wrap=True, markup=False)
    wide.print(table, crop=False)


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
    print_table(table)
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
