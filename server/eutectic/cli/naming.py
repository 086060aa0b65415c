"""What fusions are called: the name that was asked for, or one of their own that is still free."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eutectic.cli.outputs import check_output, make_folder, writable
from eutectic.config import Fusing, Place
from eutectic.errors import BadOutput

Format = Literal["wav", "flac"]


@dataclass(frozen=True)
class Outputs:
    """Where fusions go: to files called `stem`, or, if that is None, under names of their own.

    `blends`, `seeds`: there are several, so that file names tell them apart.
    """

    folder: Path
    stem: str | None
    suffix: str
    blends: bool
    seeds: bool

    def path(
        self, original: Path, reference: Path, method: Fusing, place: Place, seed: int
    ) -> Path:
        """The file of a fusion; under a name of its own it may exist."""
        where = (
            f"-r{place.remaining}" if place.blend is None else f"-{round(100 * place.blend):03d}"
        )
        which = f"-s{seed}" if self.seeds else ""
        if self.stem is not None:
            return self.folder / f"{self.stem}{where if self.blends else ''}{which}{self.suffix}"
        how = "" if method == "fusion" else f"-{method}"
        return self.folder / f"{original.stem}+{reference.stem}{how}{where}{which}{self.suffix}"

    def check(self, paths: list[Path], inputs: tuple[Path, ...], force: bool) -> None:
        """Check, before any work, that all can be written without losing anything.

        Raises:
            BadOutput: one can't, or several would be written to it.
        """
        if self.stem is None:
            _check_folder(self.folder, paths)
            return
        for path in paths:
            if paths.count(path) > 1:
                raise BadOutput(f"{path}: several blends or seeds would be written to it")
            check_output(path, inputs, force)

    @contextlib.contextmanager
    def free(self, path: Path) -> Generator[Path]:
        """Where to write: a name of its own is counted up until it is free, and then claimed."""
        if self.stem is not None:
            yield path
            return
        make_folder(self.folder)
        claimed = _claim(path)
        try:
            yield claimed
        except BaseException:
            claimed.unlink(missing_ok=True)
            raise


def outputs(
    out: str | None, file_format: Format | None, originals: int, blends: int, seeds: int
) -> Outputs:
    """What `-o` asks for: a file, a folder, or nothing.

    Raises:
        BadOutput: the file's name is of no use for this.
    """
    suffix = f".{file_format or 'wav'}"
    several = blends > 1, seeds > 1
    if out is None:
        return Outputs(Path(), None, suffix, *several)
    from eutectic.saving import FORMATS

    path = Path(out)
    with writable(path):
        is_folder = out.endswith(("/", os.sep)) or path.is_dir()
    if is_folder:
        return Outputs(path, None, suffix, *several)
    if path.suffix.lower() not in FORMATS:
        raise BadOutput(f"{out}: fusions are written as .wav or .flac, or into a folder: {out}/")
    if file_format is not None and path.suffix.lower() != suffix:
        raise BadOutput(f"{out}: is not {file_format}; leave --format out, or name a folder")
    if originals > 1:
        raise BadOutput(f"{out}: {originals} originals are written into a folder: -o {path.stem}/")
    return Outputs(path.parent, path.stem, path.suffix, *several)


def _check_folder(folder: Path, paths: list[Path]) -> None:
    with writable(folder):
        if not folder.exists():
            check_output(folder, (), force=True)
        elif not folder.is_dir():
            raise BadOutput(f"{folder}: is not a folder")
        elif not os.access(folder, os.W_OK):
            raise BadOutput(f"{folder}: no permission to write into it")
    for path in paths:
        with writable(path):
            path.exists()  # fails where the name is too long


def _claim(path: Path) -> Path:
    """An empty file under this name, or with `-2`, `-3`, … behind it."""
    with writable(path):
        for number in itertools.count(1):
            free = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
            with contextlib.suppress(FileExistsError):
                free.touch(exist_ok=False)
                return free
    raise AssertionError
