"""A session out of one file: checked whole, then put where a daemon finds it.

Nothing is overwritten. Sounds go to a folder of the session's own among the clips, what the engine
made to where it looks for it, and presets and controller maps to the user's own, under another name
where there are others of the same. The session's file comes last; before it there is no session.
"""

from __future__ import annotations

import contextlib
import filecmp
import itertools
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from eutectic.errors import BadOutput
from eutectic.files import names, packed, toml
from eutectic.files.learned import LORAS as ADDED
from eutectic.files.packed import BadPack, Pack, Progress
from eutectic.files.placing import Placing, all_or_none
from eutectic.files.toml import BadState
from eutectic.link.protocol import Source
from eutectic.osc.spec import check_title
from eutectic.session import kept, packing
from eutectic.session.kept import KeptClip, KeptReference, KeptSession
from eutectic.session.packing import (
    CLIPS,
    CONTROLLERS,
    ENCODED,
    FAVOURITES,
    FOLDERS,
    FUSIONS,
    LORAS,
    PRESETS,
    REFERENCES,
    SESSION,
)

MADE = (ENCODED, REFERENCES, FUSIONS)
"""Folders of what the engine made, whose files are named by all that determines them."""

_BEGUN = ".unpack-"
"""Of folders that are being unpacked to."""

_KEY = re.compile("([0-9a-f]{1,64})?")


@dataclass(frozen=True)
class Unpacked:
    """A session that was unpacked, its file, the model that it is for, and remarks, a line each."""

    name: str
    path: Path
    session: KeptSession
    remarks: list[str]


def unpack(
    path: Path, data: Path, name: str | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Unpacked:  # fmt: skip
    """Unpack a session into a data folder, under its own name or another.

    Raises:
        BadPack: it can't be believed, whole or in part; nothing is written.
        BadOutput: there is a session of this name, or it can't be written; nothing is.
    """
    disk = next(each for each in (data, *data.parents) if each.is_dir())
    with packed.opened(path, FOLDERS, disk) as pack:
        _check_names(pack)
        name = _title(pack, name)
        target = kept.named(data / "sessions", name)
        if names.found(target).exists():
            raise BadOutput(f"{target}: exists; --name gives the session another name")
        with _Room(data) as room:
            pack.extract(room, progress)
            session = _session(pack, room)
            with all_or_none() as placing:
                return _place(placing, room, data, name, session)


class _Room:
    """A folder to unpack to, of one unpacking at a time; it is gone afterwards.

    So is a data folder that was made for it, if that failed and nobody else uses it.
    """

    def __init__(self, data: Path) -> None:
        self._data, self._lock = data, FileLock(data / f"{_BEGUN}lock")

    def __enter__(self) -> Path:
        self._is_new = not self._data.exists()
        try:
            self._data.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            for left in self._data.glob(f"{_BEGUN}*/"):  # of one that was interrupted
                shutil.rmtree(left, ignore_errors=True)
            self._room = Path(tempfile.mkdtemp(prefix=_BEGUN, dir=self._data))
        except Timeout:
            raise BadOutput(f"{self._data}: another session is being unpacked here") from None
        except OSError as error:
            raise BadOutput(f"{self._data}: can't be written ({error.strerror})") from None
        return self._room

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        shutil.rmtree(self._room, ignore_errors=True)
        self._lock.release()
        if kind is not None and self._is_new:
            with contextlib.suppress(OSError):  # it stays if a daemon has begun to use it
                Path(self._lock.lock_file).unlink(missing_ok=True)
                self._data.rmdir()


def _title(pack: Pack, name: str | None) -> str:
    name = pack.manifest.name if name is None else name
    try:
        check_title(name)
    except ValueError as error:
        raise BadPack(f"session: {error}") from None
    return name


def _check_names(pack: Pack) -> None:
    """Check that every folder has what belongs there."""
    listed = {each.path for each in pack.manifest.files}
    if SESSION not in listed:
        raise BadPack(f"{pack.path}: is no packed session")
    for each in listed - {SESSION}:
        folder, _, file = each.partition("/")
        stem, _, suffix = file.rpartition(".")
        is_made = folder in MADE and suffix == "safetensors" and stem and _KEY.fullmatch(stem)
        is_own = folder in (PRESETS, CONTROLLERS) and suffix == "toml" and stem
        is_sound = folder in (CLIPS, LORAS) or (folder == FAVOURITES and suffix == "wav")
        if not (is_made or is_own or is_sound):
            raise BadPack(f"{pack.path}: has {each}, which is no part of a session")


def _session(pack: Pack, room: Path) -> KeptSession:
    """What is in the session's file; all its paths are in the pack, or would be."""
    try:
        session = kept.read(room / SESSION)
    except BadState as error:
        raise BadPack(str(error).replace(str(room / SESSION), f"{pack.path}: {SESSION}")) from None
    favourites = session.favourites or []
    clips = [*session.clips, *(each.clip for each in favourites)]
    references = [*session.references, *(each.reference for each in favourites)]
    paths = [each.source.path for each in (*clips, *references) if each.source.path]
    paths += [each.lora for each in references if each.lora]
    _check_paths(pack, paths, (CLIPS, LORAS))
    _check_paths(pack, [each.path for each in favourites], (FAVOURITES,))
    keys = [key for each in references for key in (each.spec.clip, each.spec.lora)]
    if not all(map(_KEY.fullmatch, keys)):
        raise BadPack(f"{pack.path}: its session has a reference of no clip or LoRA file")
    return session


def _check_paths(pack: Pack, paths: list[str], folders: tuple[str, ...]) -> None:
    """Check that paths are in these folders of the pack, or would be."""
    for path in paths:
        folder, _, file = path.partition("/")
        if folder not in folders or not packed.is_name(file):
            raise BadPack(f"{pack.path}: its session names {path!r}, which isn't in it")


def _place(placing: Placing, room: Path, data: Path, name: str, session: KeptSession) -> Unpacked:
    remarks: list[str] = []
    sounds = _free(lambda number: data / CLIPS / _numbered(name, number))
    if (room / CLIPS).is_dir():
        placing.folder(room / CLIPS, sounds)
    placed = {
        f"{folder}/{each.name}": _place_own(placing, each, target)
        for folder, target in _own_folders(data).items()
        for each in _files(room / folder)
    }
    for each in _made(session, room):
        at = data / each.relative_to(room)
        if not at.exists():
            placing.file(each, at)
    for folder in (PRESETS, CONTROLLERS):
        for each in _files(room / folder):
            at = _place_own(placing, each, data / folder)
            if at.name != each.name:
                remarks.append(f"{folder[:-1]} {each.stem}: there is another; this is {at.stem}")
    absolute = _absolute(session, sounds, placed, _own_folders(data))
    toml.write(room / "absolute.toml", absolute)
    target = kept.named(data / "sessions", name)
    placing.file(room / "absolute.toml", target)
    return Unpacked(name, target, absolute, remarks)


def _made(session: KeptSession, room: Path) -> list[Path]:
    """What the engine made; of clips and fusions those alone that are the session's own.

    Any others would pass for what this engine made of sounds that the pack doesn't have.
    """
    clips = {each.key for each in session.clips} | {each.spec.clip for each in session.references}
    encoded = [each for each in _files(room / ENCODED) if each.stem in clips]
    fusions = packing.ready_fusions(session, room / FUSIONS) if (room / FUSIONS).is_dir() else ()
    return [*encoded, *_files(room / REFERENCES), *fusions]


def _place_own(placing: Placing, file: Path, folder: Path) -> Path:
    """Place a file under its name, or one like it if another has that; returns where it is."""
    for number in itertools.count(1):
        target = folder / f"{_numbered(file.stem, number, '-')}{file.suffix}"
        if not target.exists():
            placing.file(file, target)
            return target
        if target.is_file() and filecmp.cmp(file, target, shallow=False):
            return target
    raise AssertionError  # numbers don't end


def _own_folders(data: Path) -> dict[str, Path]:
    """Where the files of some of a pack's folders go, beside those of other sessions."""
    return {LORAS: data / ADDED, FAVOURITES: data / FAVOURITES}


def _absolute(
    session: KeptSession, sounds: Path, placed: dict[str, Path], folders: dict[str, Path]
) -> KeptSession:
    """The session with its paths as they are here."""

    def here(path: str) -> str:
        folder, _, file = path.partition("/")
        return str(placed.get(path, folders.get(folder, sounds) / file))

    def source(there: Source) -> Source:
        return msgspec.structs.replace(there, path=here(there.path)) if there.path else there

    def clip(each: KeptClip) -> KeptClip:
        return msgspec.structs.replace(each, source=source(each.source))

    def reference(each: KeptReference) -> KeptReference:
        lora = here(each.lora) if each.lora else None
        return msgspec.structs.replace(each, source=source(each.source), lora=lora)

    favourites = [
        msgspec.structs.replace(
            each, path=here(each.path), clip=clip(each.clip), reference=reference(each.reference)
        )
        for each in session.favourites or []
    ]
    return msgspec.structs.replace(
        session, clips=[clip(each) for each in session.clips],
        references=[reference(each) for each in session.references],
        favourites=favourites or None,
    )  # fmt: skip


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _free(path: Callable[[int], Path]) -> Path:
    """The first of several paths where nothing is."""
    return next(each for number in itertools.count(1) if not (each := path(number)).exists())


def _numbered(name: str, number: int, between: str = " ") -> str:
    return name if number == 1 else f"{name}{between}{number}"
