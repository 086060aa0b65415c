"""The work of `eutectic fuse`: many originals with one reference and one engine, file by file."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eutectic.cli.inputs import Sound
from eutectic.cli.loading import Hand, remember, wanted
from eutectic.cli.morphing import Pair, morphs
from eutectic.cli.naming import Outputs
from eutectic.cli.repeating import remarks_on_engine
from eutectic.cli.terminal import console, fail, progress, stages, warn
from eutectic.config import Fusing, LearnSettings, Level, Morphing, Place, SamplingSettings
from eutectic.errors import BadInput

if TYPE_CHECKING:
    from eutectic.audio import Waveform
    from eutectic.link.errands import Known, Wanted
    from eutectic.recipe import Recipe, Section
    from eutectic.window import Made


@dataclass(frozen=True)
class Work:
    """What is to be fused, and where to; `settings` holds one sampling for each seed."""

    originals: Sequence[Sound]
    reference: Sound
    method: Fusing
    places: Sequence[Place]
    settings: Sequence[SamplingSettings]
    level: Level
    outputs: Outputs

    def path(self, original: Sound, place: Place, seed: int) -> Path:
        """Where a fusion goes."""
        return self.outputs.path(original.path, self.reference.path, self.method, place, seed)

    @property
    def paths(self) -> list[Path]:
        """Where all fusions go."""
        return [
            self.path(original, place, sampling.seed)
            for original in self.originals
            for sampling in self.settings
            for place in self.places
        ]

    def recipe(self, original: Sound, place: Place) -> Recipe:
        """How one is made, as far as no model takes part."""
        from importlib.metadata import version

        from eutectic.recipe import FORMAT, Recipe

        return Recipe(
            format=FORMAT, version=version("eutectic"), method=self.method,
            original=_section(original), reference=_section(self.reference), place=place,
            level=self.level,
        )  # fmt: skip


def fuse_all(
    work: Work,
    prompt: str | None,
    learning: LearnSettings | None,
    engine: Hand,
    earlier: Recipe | None,
    lora: Path | None = None,
) -> int:
    """Make the engine's fusions; returns how many originals failed.

    `learning`: None to learn nothing. `lora`: a file to use instead. `earlier`: of the fusion that
    is to be repeated.
    """
    reference = wanted(
        work.reference.source, prompt, learning, lora, work.settings[0], tuple(work.places)
    )
    known = remember(engine, reference)
    if earlier is not None:
        for remark in remarks_on_engine(earlier, known):
            warn(remark)
    return sum(
        not _survives(original, _fuse(work, engine, original, reference, known))
        for original in _counted(work.originals)
    )


def morph_all(work: Work, method: Morphing) -> int:
    """Make plain morphs; returns how many originals failed."""
    return sum(
        not _survives(original, _morph(work, method, original))
        for original in _counted(work.originals)
    )


def _counted(originals: Sequence[Sound]) -> Generator[Sound]:
    """The originals; of many, with a line on the terminal for where it is."""
    for number, original in enumerate(originals, 1):
        if len(originals) > 1:
            console.print(f"{number} of {len(originals)}: {original.path}")
        yield original


def _survives(original: Sound, files: Generator[None]) -> bool:
    """Whether an original's files could be written; one that fails loses none of the others."""
    try:
        for _ in files:
            pass
    except (BadInput, MemoryError, RuntimeError) as error:  # torch's, of memory, is the last
        text = str(error) or type(error).__name__
        fail(text if isinstance(error, BadInput) else f"{original.path}: {text}", 2)
        return False
    return True


def _fuse(
    work: Work, engine: Hand, original: Sound, reference: Wanted, known: Known
) -> Generator[None]:
    """Write an original's fusions, one after another."""
    from eutectic.link.errands import Fuse
    from eutectic.rendering.rows import with_engine

    for sampling in work.settings:
        with stages("fusing") as report:
            places = tuple(work.places)
            fuse = Fuse(original.source, reference, places, sampling, work.level)
            fused = engine.fuse(fuse, report)
        for place, made in zip(work.places, fused.made, strict=True):
            recipe = with_engine(work.recipe(original, place), reference, known, fused.sampling)
            path = work.path(original, place, sampling.seed)
            _save(work, path, made.waveform, recipe, made.blend, _how(made), made.gain_db)
            yield


def _morph(work: Work, method: Morphing, original: Sound) -> Generator[None]:
    """Write an original's morphs, one after another."""
    blends = [place.blend_or(0.5) for place in work.places]
    pair = Pair(original.source, work.reference.source)
    with progress("fusing") as watch:
        made = morphs(pair, method, blends, work.level)
        for done, (place, blend, (morph, gain_db)) in enumerate(
            zip(work.places, blends, made, strict=True)
        ):
            path = work.path(original, place, 0)
            _save(work, path, morph, work.recipe(original, place), blend, method, gain_db)
            watch.progress(done + 1, len(blends))
            yield


def _save(
    work: Work, path: Path, waveform: Waveform, recipe: Recipe, blend: float, how: str,
    gain_db: float,
) -> None:  # fmt: skip
    """Write one sound, and say so."""
    from eutectic.saving import save_sound

    with work.outputs.free(path) as free:
        remark = save_sound(free, waveform, recipe.tags)
    console.print(
        f"{free}: {waveform.seconds:.2f} s, blend {blend:.2f}, {how}, gain {gain_db:+.1f} dB"
    )
    if remark:
        warn(f"{free}: {remark}")


def _how(made: Made) -> str:
    if made.remaining is None:
        return "the reference's own sampling"
    return f"remaining {made.remaining}"


def _section(sound: Sound) -> Section:
    from eutectic.recipe import Section

    return Section.of(sound.path, sound.digest, sound.start, sound.duration)
