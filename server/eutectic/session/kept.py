"""What a session keeps between nights: TOML files that people can read."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Annotated

import msgspec
from filelock import FileLock, Timeout
from msgspec import Meta

from eutectic.config import MAX_STRENGTH, MAX_VOICES
from eutectic.errors import BadOutput, BadSetting
from eutectic.files import names, toml
from eutectic.files.atomic import whole_files
from eutectic.files.toml import BadState
from eutectic.fusion_options import Options, checked_options, fuse_request, sampling
from eutectic.link.protocol import ReferenceSpec, Source
from eutectic.near import nearest
from eutectic.osc.requests.time import MAX_BPM, MIN_BPM
from eutectic.osc.spec import check_title
from eutectic.osc.table import Fuse
from eutectic.session.articulation import KeptNotes
from eutectic.session.grids import Axis
from eutectic.session.pair import Clip, Pair, Reference
from eutectic.session.strips import KeptStrip

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,32}$")]
"""Of a clip or a reference."""


class KeptClip(msgspec.Struct, frozen=True):
    """A clip: its file, and its key, the hash of what was in it."""

    name: Name
    source: Source
    key: Annotated[str, Meta(pattern="^[0-9a-f]{0,64}$")]
    frames: Annotated[int, Meta(ge=1)]
    rate_hz: Annotated[int, Meta(ge=1)]
    loudness_lufs: float

    @classmethod
    def of(cls, clip: Clip) -> KeptClip:
        return cls(clip.name, clip.source, clip.key, clip.frames, clip.rate_hz, clip.loudness_lufs)

    @property
    def clip(self) -> Clip:
        return Clip(self.name, self.source, self.key, self.frames, self.rate_hz, self.loudness_lufs)


class KeptReference(msgspec.Struct, frozen=True):
    """A reference: everything that its file in the store is named after, if it is learned.

    `lora` is the file that it was loaded from.
    """

    name: Name
    clip: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{0,32}$")]
    source: Source
    spec: ReferenceSpec = msgspec.field(name="known")
    model: str
    lora: str | None = None
    strength: Annotated[float, Meta(ge=0, le=MAX_STRENGTH)] | None = None

    @classmethod
    def of(cls, reference: Reference) -> KeptReference:
        return cls(
            reference.name, reference.clip, reference.source, reference.spec, reference.model,
            reference.lora or None, None if reference.strength == 1 else reference.strength,
        )  # fmt: skip

    @property
    def reference(self) -> Reference:
        strength = 1.0 if self.strength is None else self.strength
        return Reference(
            self.name, self.clip, self.source, self.spec, self.model, self.lora or "", strength
        )


class KeptVoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A voice's settings, and the request of its newest fusion."""

    number: Annotated[int, Meta(ge=1, le=MAX_VOICES)]
    gain_db: Annotated[float, Meta(ge=-200, le=24)] = 0.0
    pan: Annotated[float, Meta(ge=-1, le=1)] = 0.0
    output: Annotated[int, Meta(ge=1)] = 1
    loop: bool = False
    crossfade_ms: Annotated[float, Meta(ge=0, le=60_000)] = 10.0
    blend: Annotated[float, Meta(ge=0, le=1)] = 0.5
    cfg: Annotated[float, Meta(ge=0, le=30)] | None = None
    request: dict[str, int | float | str] = {}
    recall: Annotated[float, Meta(ge=0, le=1)] | None = None
    strength: Annotated[float, Meta(ge=0, le=MAX_STRENGTH)] | None = None
    mute: bool | None = None
    strip: KeptStrip | None = None
    eta: Annotated[float, Meta(ge=0, le=1)] | None = None
    y: Annotated[float, Meta(ge=0, le=1)] | None = None
    pad: Annotated[list[str], Meta(min_length=4, max_length=4)] | None = None
    notes: KeptNotes | None = None


class KeptFavourite(msgspec.Struct, frozen=True):
    """A favourite: its file, the digest of its samples, and what they are a fusion of.

    `frames` is the loop's period, `tail` what follows it in the file.
    """

    name: Name
    path: str
    digest: str
    clip: KeptClip
    reference: KeptReference
    request: dict[str, int | float | str]
    blend: Annotated[float, Meta(ge=0, le=1)]
    frames: Annotated[int, Meta(ge=1)]
    tail: Annotated[int, Meta(ge=0)]
    rate_hz: Annotated[int, Meta(ge=1)]
    loop: bool = False

    @property
    def pair(self) -> Pair:
        request = fuse_request(self.request)
        clip, reference = self.clip.clip, self.reference.reference
        return Pair(clip, reference, sampling(request), request.level or "match")


class KeptSession(msgspec.Struct, frozen=True):
    """Everything that a restart restores.

    `recall` is the model's, if known; `fans` are the blends of fans by their names, `axes` the
    second axes of those that have one.
    """

    format: int
    model: str
    master_db: Annotated[float, Meta(ge=-200, le=24)] = 0.0
    fusion: Options = {}
    clips: list[KeptClip] = []
    references: list[KeptReference] = []
    voices: list[KeptVoice] = []
    recall: Annotated[float, Meta(ge=0, le=1)] | None = None
    fans: dict[str, list[float]] | None = None
    bpm: Annotated[float, Meta(ge=MIN_BPM, le=MAX_BPM)] | None = None
    favourites: list[KeptFavourite] | None = None
    axes: dict[str, Axis] | None = None
    focus: Annotated[int, Meta(ge=1, le=MAX_VOICES)] | None = None

    @property
    def what(self) -> str:
        """What it holds, in words."""
        fused = sum(bool(voice.request) for voice in self.voices)
        return counted(len(self.clips), len(self.references), fused)


def counted(clips: int, references: int, voices: int) -> str:
    """What a session holds, in words."""
    held = {"clip": clips, "reference": references, "voice": voices}
    each = [f"{count} {name}{'s' * (count != 1)}" for name, count in held.items()]
    return ", ".join(each) if any(held.values()) else "empty"


class SessionFile:
    """A session's file that this daemon has claimed.

    Threads may write it: one at a time, and never what is older than it holds already.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._claim = claim(path)
        self._writing = threading.Lock()
        self._newest = 0
        self._is_ours = True

    def write(self, session: KeptSession, number: int) -> None:
        """Write what the session held at this count; nothing once it is released.

        Raises:
            BadOutput: it can't be written.
        """
        with self._writing:
            if self._is_ours and number > self._newest:
                toml.write(self.path, session)
                self._newest = number

    def release(self) -> None:
        """Let other daemons have it, once no thread is writing it."""
        with self._writing:
            self._is_ours = False
        self._claim.release()


def read(path: Path) -> KeptSession:
    """Read a session's file, every value checked.

    Raises:
        BadState: it is missing or damaged; the text names the one saved before.
    """
    try:
        session = toml.read(path, KeptSession)
        check_session(path, session)
        return session
    except BadState as error:
        before = path.with_name(path.name + "~")
        hint = f"; {before.name} was saved before it" if before.exists() else ""
        raise BadState(f"{error}{hint}") from None


def listed(folder: Path) -> list[tuple[str, str]]:
    """The names of a folder's sessions, and what each holds or what is wrong with it."""
    found: list[tuple[str, str]] = []
    for path in whole_files(folder, ".toml"):
        try:
            found.append((names.text(path.stem), read(path).what))
        except BadState as error:
            found.append((names.text(path.stem), str(error)))
    return found


def unknown(path: Path) -> str:
    """That there is no such session, and what there is instead."""
    there = [each.stem for each in whole_files(path.parent, ".toml")]
    near = nearest(path.stem, there) or (f"; there are: {', '.join(there)}" if there else "")
    return f"no session {path.stem!r} in {path.parent}{near}"


def claim(path: Path) -> FileLock:
    """Reserve a session's file for this daemon.

    Raises:
        BadState: another daemon is using it.
        BadOutput: its folder can't be written.
    """
    lock = FileLock(path.with_name(path.name + ".lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise BadState(f"{path}: another daemon is using this session") from None
    except OSError as error:
        raise BadOutput(f"{path}: can't be written ({error.strerror})") from None
    return lock


def check_session(path: Path, session: KeptSession) -> None:
    """Check the options of fusions in a session.

    Raises:
        BadState: as `check_known`.
    """
    check_known(path, ("fusion",), session.fusion)
    for number, voice in enumerate(session.voices):
        check_known(path, (f"voices[{number}]", "request"), voice.request)
    for number, favourite in enumerate(session.favourites or []):
        check_known(path, (f"favourites[{number}]", "request"), favourite.request)


def check_known(path: Path, tables: tuple[str, ...], options: Options) -> None:
    """Check those options of fusions that this version has; others are of another version.

    Raises:
        BadState: one can't be used; the text names file, line and key.
    """
    known = {name: each for name, each in options.items() if name in Fuse.__struct_fields__}
    checked_options(path, tables, known)


def named(folder: Path, name: str) -> Path:
    """The file of a name (the OSC table checks names)."""
    return folder / f"{name}.toml"


def session_path(name: str, folder: Path) -> Path:
    """The file of a session: by its name, or by a path, which has a separator or ends in .toml.

    Raises:
        BadSetting: it is neither.
    """
    if os.sep in name or "/" in name or name.endswith(".toml"):
        return Path(name).expanduser().absolute()
    try:
        check_title(name)
    except ValueError as error:
        raise BadSetting(f"session: {error}") from None
    return named(folder, name)
