"""What the commands show on the terminal: messages, progress bars and tables."""

from __future__ import annotations

import contextlib
import functools
import json
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eutectic.errors import one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status
    from rich.table import Table

    from eutectic.engine.watch import Watch
    from eutectic.link.errands import Progress
    from eutectic.window import Window


class Terminal:
    """Standard output, or error; rich, which takes long to import, only where it is needed."""

    def __init__(self, stderr: bool) -> None:
        self._stderr = stderr

    @functools.cached_property
    def console(self) -> Console:
        from rich.console import Console

        return Console(stderr=self._stderr, highlight=False, soft_wrap=True, markup=False)

    @property
    def is_terminal(self) -> bool:
        return (sys.stderr if self._stderr else sys.stdout).isatty()

    def print(self, text: str, end: str = "\n") -> None:
        """Print words as they are."""
        print(text, end=end, file=sys.stderr if self._stderr else sys.stdout, flush=True)

    def status(self, text: str) -> Status:
        """Show what takes a while, as long as the block takes."""
        return self.console.status(text)


errors, console = Terminal(stderr=True), Terminal(stderr=False)


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
    from eutectic.engine.watch import Watch

    with stages(what) as report:
        yield Watch(progress=functools.partial(report, what))


@contextlib.contextmanager
def stages(first: str = "", rate: bool = False) -> Generator[Progress]:
    """Show a progress bar on the terminal, for one stage of the work after another.

    `rate`: with how many are done a second.
    """
    if not errors.is_terminal:
        yield _no_report
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    speed = (TextColumn("{task.fields[speed]}"),) if rate else ()
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), *speed,
        TimeRemainingColumn(),
    )  # fmt: skip
    with Bar(*columns, console=errors.console, transient=True) as bar:
        task = bar.add_task(first, total=None, speed="")

        def report(what: str, done: int, total: int) -> None:
            (shown,) = bar.tasks
            if what.partition(",")[0] != shown.description.partition(",")[0]:
                bar.reset(task)  # another stage has another speed
            speed = f"{shown.speed:.3g} a second" if shown.speed else ""
            bar.update(task, description=what, completed=done, total=total, speed=speed)

        yield report


def _no_report(_what: str, _done: int, _total: int) -> None:
    pass


def print_table(table: Table) -> None:
    """Print a table as wide as it is: a terminal wraps what doesn't fit, and nothing is cut."""
    from rich.console import Console

    wide = Console(width=MAX_WIDTH, highlight=False, soft_wrap=True, markup=False)
    wide.print(table, crop=False)


def print_window(measured: Window) -> None:
    """Print a row for each fusion, and where the sources balance."""
    from rich.table import Table

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
