"""A session in one file: what belongs in it, and where that is found.

In a pack all paths are relative: `session.toml`, sounds in `clips`, LoRA files in `loras`, what the
engine made of both in `encoded` and `references`, `favourites`, the user's `presets` and
`controllers`, and, on request, `fusions` that are ready. The copies that the engine encoded go
along because a reference is found by what is in its sound, to the bit; they also stand in for
sounds that are gone.
"""

from __future__ import annotations

import itertools
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from eutectic.audio import Waveform
from eutectic.config import Place
from eutectic.errors import BadInput
from eutectic.files import names, packed, tensors, toml
from eutectic.files.atomic import whole_files
from eutectic.files.learned import LearnedFile, learned_files
from eutectic.files.packed import Manifest, Progress
from eutectic.files.toml import BadState
from eutectic.fusion_options import fuse_request, sampling
from eutectic.link.protocol import Source
from eutectic.session.grids import Grids
from eutectic.session.kept import KeptFavourite, KeptReference, KeptSession
from eutectic.session.pair import Knobs, Pair
from eutectic.session.presets import read_preset

SUFFIX = ".zip"
SESSION = "session.toml"
CLIPS, LORAS, ENCODED, REFERENCES = "clips", "loras", "encoded", "references"
PRESETS, CONTROLLERS, FUSIONS = "presets", "controllers", "fusions"
FAVOURITES = "favourites"
FOLDERS = (CLIPS, LORAS, ENCODED, REFERENCES, FAVOURITES, PRESETS, CONTROLLERS, FUSIONS)

RATES_HZ = (44_100, 48_000, 88_200, 96_000, 176_400, 192_000)
"""That fusions may have been made at, beside the model's."""

MAX_NAME = 80
"""Characters of a file's name that are kept."""

PLACE = ("blend", "remaining")
"""Options that say where in its fan a fusion is."""


class Missing(BadInput):
    """Something of a session is gone, and a pack would lack it."""

    code = "no_file"


@dataclass(frozen=True)
class Wanted:
    """What is packed: a session by its name, the model's digest if known, and its data folder.

    `fusions`: those that are ready, too. `without_missing`: go on without what is gone.
    """

    name: str
    session: KeptSession
    data: Path
    model_digest: str = ""
    fusions: bool = False
    without_missing: bool = False


@dataclass
class _Packing:
    """Files by their paths in the pack, and what there is to say about them."""

    files: dict[str, Path | bytes] = field(default_factory=dict[str, Path | bytes])
    missing: list[str] = field(default_factory=list[str])
    remarks: list[str] = field(default_factory=list[str])
    _known: dict[Path, str] = field(default_factory=dict[Path, str])

    def add(self, folder: str, path: Path) -> str:
        """Pack a file under its own name, or one like it that is free; returns its path there."""
        if path not in self._known:
            name = self._free(folder, _plain(path))
            self.files[name], self._known[path] = path, name
        return self._known[path]

    def reserve(self, folder: str, path: Path) -> str:
        """A name for a file that is gone."""
        return self._known.setdefault(path, self._free(folder, _plain(path)))

    def _free(self, folder: str, path: Path) -> str:
        taken = {packed.clash_key(each) for each in (*self.files, *self._known.values())}
        name, number = f"{folder}/{path.name}", 1
        while packed.clash_key(name) in taken:
            number += 1
            name = f"{folder}/{path.stem}-{number}{path.suffix}"
        return name


def pack(path: Path, wanted: Wanted, progress: Progress = lambda _done, _total: None) -> list[str]:
    """Write a session with all that belongs to it; returns remarks, a line each.

    Raises:
        Missing: something is gone, of which there isn't even the engine's copy.
        BadOutput: the pack can't be written.
        BadInput: a file can't be read.
    """
    packing, session, data = _Packing(), wanted.session, wanted.data
    sources = [_source(packing, each.name, each.source, each.key, data) for each in session.clips]
    clips = [
        msgspec.structs.replace(clip, source=source)
        for clip, source in zip(session.clips, sources, strict=True)
    ]
    learned = learned_files(data / REFERENCES)
    references = [_reference(packing, each, data, learned) for each in session.references]
    favourites = [_favourite(packing, each) for each in session.favourites or []]
    if packing.missing and not wanted.without_missing:
        raise Missing(f"{wanted.name} can't be packed whole: {'; '.join(packing.missing)}")
    _add_own(packing, data)
    if wanted.fusions:
        for file in ready_fusions(session, data / FUSIONS):
            packing.files[f"{FUSIONS}/{file.name}"] = file
    relative = msgspec.structs.replace(
        session, clips=clips, references=references, favourites=favourites or None
    )
    packing.files[SESSION] = toml.text(relative).encode()
    about = Manifest(packed.FORMAT, wanted.name, session.model, wanted.model_digest
                     or next((each.model for each in session.references), ""), [])  # fmt: skip
    packed.write(path, about, packing.files, progress)
    return [*packing.missing, *packing.remarks]


def _source(packing: _Packing, name: str, source: Source, key: str, data: Path) -> Source:
    """A source of a clip or a reference, as a path in the pack."""
    kept = data / ENCODED / f"{key}.safetensors"
    has_copy = bool(re.fullmatch("[0-9a-f]{1,64}", key)) and kept.exists()
    if has_copy:
        packing.files[f"{ENCODED}/{kept.name}"] = kept
    path = _found(source.path)
    if path is not None:
        return msgspec.structs.replace(source, path=packing.add(CLIPS, path))
    gone = f"{name}: {source.path} is gone"
    if has_copy:
        packing.remarks.append(f"{gone}; the engine's copy is packed, for this model alone")
    else:
        packing.missing.append(gone)
    return msgspec.structs.replace(source, path=packing.reserve(CLIPS, Path(source.path)))


def _reference(
    packing: _Packing, reference: KeptReference, data: Path, learned: list[LearnedFile]
) -> KeptReference:
    spec, source = reference.spec, reference.source
    if reference.clip:
        source = _source(packing, reference.name, source, spec.clip, data)
    lora = reference.lora
    if lora:
        lora = _lora(packing, reference, data)
        source = source if reference.clip else Source(lora)
    elif spec.settings is not None:
        files = _learned_of(reference, data, learned)
        for each in files:
            packing.files[f"{REFERENCES}/{each.path.name}"] = each.path
        if not files:
            packing.missing.append(f"{reference.name}: what was learned of it is gone")
    return msgspec.structs.replace(reference, source=source, lora=lora)


def _favourite(packing: _Packing, favourite: KeptFavourite) -> KeptFavourite:
    """A favourite, and what it was made of as far as that is there: it plays without."""

    def at(folder: str, path: str) -> str:
        found = _found(path)
        return packing.reserve(folder, Path(path)) if found is None else packing.add(folder, found)

    def source(there: Source) -> Source:
        return msgspec.structs.replace(there, path=at(CLIPS, there.path)) if there.path else there

    if _found(favourite.path) is None:
        packing.missing.append(f"favourite {favourite.name}: {favourite.path} is gone")
    clip, reference = favourite.clip, favourite.reference
    lora = at(LORAS, reference.lora) if reference.lora else None
    of = Source(lora) if lora and not reference.clip else source(reference.source)
    return msgspec.structs.replace(
        favourite, path=at(FAVOURITES, favourite.path),
        clip=msgspec.structs.replace(clip, source=source(clip.source)),
        reference=msgspec.structs.replace(reference, source=of, lora=lora),
    )  # fmt: skip


def _lora(packing: _Packing, reference: KeptReference, data: Path) -> str:
    stored = data / REFERENCES / f"{reference.spec.lora}.safetensors"
    has_copy = bool(reference.spec.lora) and stored.exists()
    if has_copy:
        packing.files[f"{REFERENCES}/{stored.name}"] = stored
    path = _found(reference.lora or "")
    if path is not None:
        return packing.add(LORAS, path)
    gone = f"{reference.name}: {reference.lora} is gone"
    if has_copy:
        packing.remarks.append(f"{gone}; the engine's copy is packed, for this model alone")
    else:
        packing.missing.append(gone)
    return packing.reserve(LORAS, Path(reference.lora or ""))


def _learned_of(
    reference: KeptReference, data: Path, learned: list[LearnedFile]
) -> list[LearnedFile]:
    """What was learned of a reference, as far as files say how they were learned."""
    spec, settings = reference.spec, reference.spec.settings
    assert settings is not None
    wanted: dict[str, Any] = {
        "model": reference.model, "prompt": spec.prompt, "seed": settings.seed,
        "method": settings.method, "learning_rate": settings.learning_rate,
        "steps": None if settings.budget_seconds is not None else settings.steps,
        "audio": _digest(data / ENCODED / f"{spec.clip}.safetensors"),
    }  # fmt: skip
    asked = {name: each for name, each in wanted.items() if each is not None}

    def is_it(about: dict[str, Any]) -> bool:
        same_rank = about.get("method") != "lora" or about.get("rank") == settings.rank
        return same_rank and all(about.get(name, each) == each for name, each in asked.items())

    return [each for each in learned if each.about and is_it(each.about)]


def _digest(encoded: Path) -> str | None:
    """Of the sound in the engine's copy of a clip; None if there is none."""
    try:
        found, metadata = tensors.read(encoded, "np")
        return Waveform(found["samples"], json.loads(metadata["about"])["rate_hz"]).digest
    except (ValueError, LookupError, TypeError):
        return None


def _add_own(packing: _Packing, data: Path) -> None:
    """The user's own presets and controller maps."""
    for folder in (PRESETS, CONTROLLERS):
        for path in whole_files(data / folder, ".toml"):
            if packed.is_name(path.name) and path.is_file():
                packing.files[f"{folder}/{path.name}"] = path
                if folder == PRESETS and _names_files(path):
                    packing.remarks.append(f"preset {path.stem}: the files that it names stay here")


def _names_files(preset: Path) -> bool:
    try:
        found = read_preset(preset)
    except BadState:
        return False
    return bool(found.clips) or any(each.lora for each in found.references)


def _found(path: str) -> Path | None:
    """A file by its name, if it is there."""
    try:
        found = names.found(Path(path))
        return found if found.is_file() else None
    except OSError:
        return None


def _plain(path: Path) -> Path:
    """A file's name as every system can have it."""
    name = unicodedata.normalize("NFC", names.text(path.name))
    name = re.sub(r'[/\\:*?"<>|\x00-\x1f\x7f]', "_", name)
    suffix = Path(name).suffix[:MAX_NAME]
    name = name.removesuffix(suffix)[:MAX_NAME].strip(". ") + suffix
    return Path(name if packed.is_name(name) else f"sound{suffix.rstrip('. ')}")


def ready_fusions(session: KeptSession, folder: Path) -> Iterator[Path]:
    """Files of the fusions of a session's pairs that are ready, at the places of their fans."""
    there = {path.stem: path for path in whole_files(folder, ".safetensors")}
    grids = Grids({each.name: each.reference for each in session.references}.get)
    grids.restore(session.fans or {}, session.axes)
    found: dict[str, Path] = {}
    for pair in _pairs(session):
        for _, row, blend in grids.places(pair):
            for rate_hz in (*RATES_HZ, pair.original.rate_hz):
                key = row.key_at(Place(blend), rate_hz)
                if key in there:
                    found[key] = there[key]
    yield from (found[key] for key in sorted(found))


def _pairs(session: KeptSession) -> Iterator[Pair]:
    """All pairs of a session's clips and references, with each voice's settings."""
    asked = [session.fusion]
    for voice in session.voices:
        own = {"cfg": voice.cfg, "recall": voice.recall, "strength": voice.strength,
               "eta": voice.eta}  # fmt: skip
        asked += [
            session.fusion | {name: each for name, each in own.items() if each is not None},
            voice.request,
        ]
    pairs: dict[str, Pair] = {}
    for options in asked:
        request = fuse_request({name: options[name] for name in options if name not in PLACE})
        for clip, kept in itertools.product(session.clips, session.references):
            reference = kept.reference
            pair = Pair(clip.clip, reference, sampling(request), request.level or "match")
            own = Knobs(session.recall if reference.learned else 1.0, reference.strength)
            pair = pair.at(pair.knobs.over(own))
            pairs[pair.key] = pair
    yield from pairs.values()
