"""Packs: a zip of files with a manifest that has the size and the digest of each.

A pack may come from anywhere, so nothing in it is believed. All names are checked before anything
is written, each file is read no further than the manifest says it goes, and one whose digest is
another is refused. The same files give the same pack, byte for byte.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
from msgspec import Meta

from eutectic.errors import BadInput, BadOutput
from eutectic.files.atomic import atomic_path

FORMAT = 1
MANIFEST = "manifest.json"

MAX_FILES = 20_000
MAX_MANIFEST_BYTES = 16 << 20
MAX_RATIO = 100
"""Sounds and weights hardly shrink: what grows by more when it is unpacked is a bomb."""

MIN_BOMB_BYTES = 1 << 20
"""Text shrinks a lot, but there is little of it."""

SPARED_BYTES = 256 << 20
"""Stays free on a disk that is unpacked to: something may be recorded there."""

PIECE_BYTES = 1 << 20

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a pack, so that packs of the same files are the same."""

_NAME = re.compile(r'(?![. ])[^/\\:*?"<>|\x00-\x1f\x7f]{1,200}(?<![. ])')
_TAKEN = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
"""Names that mean devices to Windows."""

Progress = Callable[[int, int], None]
"""Called with the bytes that are done, and all of them; it may raise."""


class BadPack(BadInput):
    """A file that isn't a pack, or a damaged or a hostile one."""

    code = "bad_pack"


class PackedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file in a pack: its path there, its size and its digest (BLAKE2b, 32 bytes, hex)."""

    path: str
    bytes: Annotated[int, Meta(ge=0)]
    blake2b: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a pack is of, and the model that it was made with; all files but the manifest."""

    format: int
    name: str
    model: str
    model_digest: str
    files: list[PackedFile]


def is_name(name: str) -> bool:
    """Whether every system can have a file of this name, and none reads more into it."""
    return _NAME.fullmatch(name) is not None and _TAKEN.match(name) is None


def clash_key(path: str) -> str:
    """The same for paths that some system takes for the same."""
    return unicodedata.normalize("NFC", path).casefold()


def write(
    path: Path, about: Manifest, files: Mapping[str, Path | bytes],
    progress: Progress = lambda _done, _total: None,
) -> None:  # fmt: skip
    """Write a pack, whole or not at all; of `about`, the files are filled in.

    Raises:
        BadOutput: it can't be written.
        BadInput: one of the files can't be read.
    """
    total = sum(len(each) if isinstance(each, bytes) else _size(each) for each in files.values())
    done, packed = 0, list[PackedFile]()
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as pack:
        for name in sorted(files):
            digest, size = hashlib.blake2b(digest_size=32), 0
            with _entry(pack, name, files[name]) as entry:
                for piece in _pieces(files[name]):
                    entry.write(piece)
                    digest.update(piece)
                    size += len(piece)
                    progress(done + size, total)
            done += size
            packed.append(PackedFile(name, size, digest.hexdigest()))
        manifest = msgspec.structs.replace(about, format=FORMAT, files=packed)
        with _entry(pack, MANIFEST, b"") as entry:
            entry.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1))


@contextlib.contextmanager
def _entry(pack: zipfile.ZipFile, name: str, content: Path | bytes) -> Generator[BinaryIO]:
    """A file of a pack to be written, as it is: what is large hardly shrinks."""
    info = zipfile.ZipInfo(name, _EPOCH)
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    info.create_system = 3
    large = not isinstance(content, bytes) and _size(content) >= zipfile.ZIP64_LIMIT
    with pack.open(info, "w", force_zip64=large) as entry:
        yield entry  # pyright: ignore[reportReturnType]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise BadInput(f"{path}: can't be read ({error.strerror})") from None


def _pieces(content: Path | bytes) -> Generator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    try:
        with content.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece
    except OSError as error:
        raise BadInput(f"{content}: can't be read ({error.strerror})") from None


@dataclass(frozen=True)
class Pack:
    """A pack whose names and sizes are checked; the digests are, as its files are read."""

    path: Path
    manifest: Manifest
    _zip: zipfile.ZipFile

    def extract(self, to: Path, progress: Progress = lambda _done, _total: None) -> None:
        """Write all files into a folder that exists.

        Raises:
            BadPack: one isn't what the manifest says.
            BadOutput: they can't be written.
        """
        total, done = sum(each.bytes for each in self.manifest.files), 0
        for each in self.manifest.files:
            target = to / each.path
            try:
                target.parent.mkdir(exist_ok=True)
                with target.open("xb") as file:
                    for piece in self._checked(each):
                        file.write(piece)
                        done += len(piece)
                        progress(done, total)
            except OSError as error:
                raise BadOutput(f"{target}: can't be written ({error.strerror})") from None

    def _checked(self, packed: PackedFile) -> Generator[bytes]:
        digest, left = hashlib.blake2b(digest_size=32), packed.bytes
        with _refusing(self.path), self._zip.open(packed.path) as entry:
            while piece := entry.read(min(PIECE_BYTES, left + 1)):
                left -= len(piece)
                if left < 0:
                    raise BadPack(f"{self.path}: {packed.path} is longer than it should be")
                digest.update(piece)
                yield piece
        if left or digest.hexdigest() != packed.blake2b:
            raise BadPack(f"{self.path}: {packed.path} is damaged")


@contextlib.contextmanager
def opened(path: Path, folders: Iterable[str], room: Path) -> Generator[Pack]:
    """A pack whose files lie at its top or in one of these folders.

    `room` is a folder on the disk that it would be unpacked to.

    Raises:
        BadPack: it isn't one, it is damaged, or there is something in it that nobody would put
            there.
        BadOutput: there is no room for it.
    """
    with contextlib.ExitStack() as stack:
        with _refusing(path):
            pack = stack.enter_context(zipfile.ZipFile(path))
            entries, size = pack.infolist(), path.stat().st_size
        if len(entries) > MAX_FILES:
            raise BadPack(f"{path}: has more than {MAX_FILES} files")
        _check_entries(path, entries)
        _check_growth(path, "it", sum(each.file_size for each in entries), size)
        manifest = _manifest(path, pack)
        _check_files(path, manifest, {each.filename: each for each in entries}, set(folders))
        total = sum(each.bytes for each in manifest.files)
        free = shutil.disk_usage(room).free
        if total > free - SPARED_BYTES:
            raise BadOutput(
                f"{path}: takes {total / 1e6:.0f} MB, but {free / 1e6:.0f} are free, of which "
                f"{SPARED_BYTES / 1e6:.0f} are spared"
            )
        yield Pack(path, manifest, pack)


@contextlib.contextmanager
def _refusing(path: Path) -> Generator[None]:
    """Turn whatever a file that isn't a proper zip leads to into one line."""
    try:
        yield
    except BadInput:
        raise
    except FileNotFoundError:
        raise BadPack(f"{path}: there is no such file") from None
    except (OSError, EOFError, ValueError, LookupError, RuntimeError, NotImplementedError,
            zipfile.BadZipFile, zlib.error) as error:  # fmt: skip
        raise BadPack(f"{path}: is no pack, or a damaged one ({error})") from None


def _check_entries(path: Path, entries: Iterable[zipfile.ZipInfo]) -> None:
    """Check what a zip says of its files, in its own words."""
    known = dict[str, str]()
    for each in entries:
        name, kind = each.orig_filename, stat.S_IFMT(each.external_attr >> 16)
        parts = name.split("/")
        if name != each.filename or len(parts) > 2 or not all(map(is_name, parts)):
            raise BadPack(f"{path}: has a file named {name[:80]!r}, which leads elsewhere")
        if kind not in (0, stat.S_IFREG):
            raise BadPack(f"{path}: {name} is a link, or no file at all")
        if each.flag_bits & 1 or each.compress_type not in (zipfile.ZIP_STORED,
                                                            zipfile.ZIP_DEFLATED):  # fmt: skip
            raise BadPack(f"{path}: {name} is encrypted, or packed in an unusual way")
        _check_growth(path, name, each.file_size, each.compress_size)
        if clash_key(name) in known:
            raise BadPack(f"{path}: has {known[clash_key(name)]} and {name}, the same to some")
        known[clash_key(name)] = name


def _check_growth(path: Path, name: str, size: int, packed_size: int) -> None:
    """Check that something isn't out of all proportion to what is packed of it."""
    if size > max(MAX_RATIO * packed_size, MIN_BOMB_BYTES):
        raise BadPack(f"{path}: {name} is {size / 1e6:.0f} MB of almost nothing")


def _manifest(path: Path, pack: zipfile.ZipFile) -> Manifest:
    with _refusing(path), pack.open(MANIFEST) as file:
        text = file.read(MAX_MANIFEST_BYTES + 1)
    if len(text) > MAX_MANIFEST_BYTES:
        raise BadPack(f"{path}: its manifest is too long")
    with _refusing(path):
        found = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        version = msgspec.json.decode(found.get("format", b"null"))
        if version != FORMAT:
            raise BadPack(f"{path}: is a pack of format {version}, which this version can't read")
        return msgspec.json.decode(text, type=Manifest)


def _check_files(
    path: Path, manifest: Manifest, entries: Mapping[str, zipfile.ZipInfo], folders: set[str]
) -> None:
    """Check that there is what the manifest says, and nothing else."""
    listed = {each.path: each for each in manifest.files}
    if len(listed) != len(manifest.files) or set(listed) != set(entries) - {MANIFEST}:
        raise BadPack(f"{path}: its files aren't those of its manifest")
    for name, each in listed.items():
        folder = name.partition("/")[0]
        if "/" in name and folder not in folders:
            raise BadPack(f"{path}: has a folder {folder}, which isn't known")
        if entries[name].file_size != each.bytes:
            raise BadPack(f"{path}: {name} isn't as long as its manifest says")
