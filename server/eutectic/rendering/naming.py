"""What renders are called: a template that is filled in for each, and stems that differ."""

from __future__ import annotations

import itertools
import re
import string
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eutectic.config import Level, Place, SamplingSettings
from eutectic.errors import BadSetting
from eutectic.fusion_options import SAMPLING
from eutectic.link.protocol import Source
from eutectic.near import nearest

KNOWN = ("original", "reference", "preset", "blend", *SAMPLING, "level")
"""What a template may hold."""

MOST_BYTES = 240
"""Of each part of a name; file systems have 255."""

STEM_BYTES = 90
"""Of a sound's own name that are used."""

_FORBIDDEN = re.compile(r'[<>:"|?*\\/\x00-\x1f\x7f]')
"""By some file system or other."""

_TAKEN = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
"""Names that mean devices to Windows."""


class _Hundredths:
    """A number from 0 to 1: `{:03d}` gives hundredths, `{:.3f}` the number; `{}` is `{:03d}`."""

    def __init__(self, value: float) -> None:
        self._value = value

    def __format__(self, spec: str) -> str:
        if not spec or spec.endswith("d"):
            return format(round(100 * self._value), spec or "03d")
        return format(self._value, spec)


class _Word:
    """Stands where a number may be left open, whatever format that has."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __format__(self, spec: str) -> str:
        return self._text


@dataclass(frozen=True)
class Template:
    """A template for the names of files, without their suffix; `/` makes folders."""

    text: str
    suffix: str

    def __post_init__(self) -> None:
        """Raises:
        BadSetting: it holds something unknown, or doesn't make names.
        """
        try:
            used = list(string.Formatter().parse(self.text))
        except ValueError as error:
            raise BadSetting(f"name {self.text!r}: {error}") from None
        for _, field, spec, conversion in used:
            if field is not None and field not in KNOWN:
                near = nearest(field, KNOWN) or f"; there are: {', '.join(KNOWN)}"
                raise BadSetting(f"name {self.text!r}: {{{field}}} is unknown{near}")
            if conversion or "{" in (spec or ""):
                raise BadSetting(f"name {self.text!r}: {{{field}}} can have a format alone")
        if self.text.lower().endswith((".wav", ".flac")):
            raise BadSetting(f"name {self.text!r}: leave out its end, which --format gives")
        check_name(self.name(_sample()), f"name {self.text!r}")

    @property
    def fields(self) -> set[str]:
        """What it holds."""
        return {field for _, field, _, _ in string.Formatter().parse(self.text) if field}

    def name(self, values: Mapping[str, Any]) -> str:
        """A file's name.

        Raises:
            BadSetting: a value doesn't fit its format.
        """
        try:
            return self.text.format_map(values) + self.suffix
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise BadSetting(f"name {self.text!r}: {error}") from None


def default_template(varied: Iterable[str], suffix: str) -> Template:
    """A template with all that usually tells renders apart, and what else has several values."""
    more = [each for each in varied if each not in ("original", "reference", "blend", "seed")]
    parts = ["-{preset}"] if "preset" in more else []
    parts += ["-{blend}"]
    parts += ["-c{recall}"] if "recall" in more else []
    parts += [f"-{each}{{{each}}}" for each in more if each not in ("preset", "recall")]
    return Template("{original}+{reference}" + "".join(parts) + "-s{seed}", suffix)


def check_template(template: Template, varied: Iterable[str]) -> None:
    """Check that a template holds all that has several values.

    Raises:
        BadSetting: it doesn't.
    """
    for each in varied:
        if each not in template.fields:
            raise BadSetting(
                f"name {template.text!r}: needs {{{each}}}, as there are several of it"
            )


def check_name(name: str, what: str) -> None:
    """Check that a name stays inside its folder, on every system.

    Raises:
        BadSetting: it doesn't.
    """
    for part in name.split("/"):
        if not part or part.startswith((".", " ")) or part.endswith((".", " ")):
            raise BadSetting(f"{what}: {name!r} has a part that is empty, or begins with a dot")
        if _FORBIDDEN.search(part) or _TAKEN.match(part):
            raise BadSetting(f"{what}: {name!r} isn't a name on every system")
        if len(part.encode()) > MOST_BYTES:
            raise BadSetting(f"{what}: {part[:40]}… is longer than {MOST_BYTES} bytes")


def values_of(preset: str, sampling: SamplingSettings, level: Level) -> dict[str, Any]:
    """What a template is filled in with, but for the sounds and the place."""
    found: dict[str, Any] = {
        name: _Word("model") if value is None else value
        for name in SAMPLING
        for value in [getattr(sampling, name)]
    }
    if sampling.recall is not None:
        found["recall"] = _Hundredths(sampling.recall)
    if sampling.negative is not None:
        found["negative"] = _clean(sampling.negative)
    return found | {"preset": _clean(preset) or "plain", "level": level}


def place_value(place: Place) -> Any:
    """A place as a template shows it: a blend in hundredths, or `r` and the steps remaining."""
    return _Word(f"r{place.remaining}") if place.blend is None else _Hundredths(place.blend)


def _sample() -> dict[str, Any]:
    sampling = SamplingSettings(
        0, 1.0, "x", 1, 1, "midpoint", 1.0, recall=1.0, slack=1.0, apg=1.0, strength=1.0
    )
    names = {"original": "x", "reference": "x", "blend": _Hundredths(0.5)}
    return values_of("x", sampling, "match") | names


def labels(sections: Sequence[Source], words: Sequence[str] = ()) -> list[str]:
    """A name for each section: its file's, with as much more as tells it from the others.

    That is the folders it is in, its file's suffix, where it starts, `words`, and at last a number.
    What is the same for all of one name is left out.
    """
    found = [_clean(Path(each.path).stem) for each in sections]
    for depth in (1, 2, 3):
        _tell_apart(found, [_in_folders(each, depth) for each in sections])
    for more in (map(_suffix, sections), map(_section, sections), words):
        _tell_apart(found, [
            _clean(f"{name}-{each}") if each else name
            for name, each in itertools.zip_longest(found, more, fillvalue="")
        ])  # fmt: skip
    return _numbered(found)


def _tell_apart(names: list[str], longer: Sequence[str]) -> None:
    """Replace equal names by longer ones, where these differ."""
    alike: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        alike.setdefault(folded(name), []).append(place)
    for places in alike.values():
        if len({folded(longer[place]) for place in places}) > 1:
            for place in places:
                names[place] = longer[place]


def _numbered(names: Sequence[str]) -> list[str]:
    """The names; of equal ones, all but the first have a number that none has."""
    taken = {folded(each) for each in names}
    seen: set[str] = set()
    found: list[str] = []
    for name in names:
        free, number = name, 1
        while folded(free) in seen or (number > 1 and folded(free) in taken):
            number += 1
            free = f"{name}-{number}"
        seen.add(folded(free))
        found.append(free)
    return found


def folded(name: str) -> str:
    """A name as file systems compare it that know no case."""
    return unicodedata.normalize("NFC", name).casefold()


def _in_folders(section: Source, depth: int) -> str:
    path = Path(section.path)
    return _clean("-".join((*path.parent.parts[1:][-depth:], path.stem)))


def _suffix(section: Source) -> str:
    return Path(section.path).suffix[1:]


def _section(section: Source) -> str:
    length = "" if section.duration_seconds is None else f"-{section.duration_seconds:g}"
    return f"at{section.start_seconds:g}{length}"


def _clean(text: str) -> str:
    """A text as part of a file's name; of a long one the end, which tells more."""
    kept = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", text))
    kept = kept.encode()[-STEM_BYTES:].decode(errors="ignore").strip(" ")
    kept = re.sub(r"^\.+|\.+$", "_", kept)
    return f"_{kept}" if _TAKEN.match(kept) else kept
