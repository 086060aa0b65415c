"""Tags of sound files: a title and a comment, as other programs show them.

A WAV file has them in a LIST INFO chunk, behind the sound; a FLAC file has Vorbis comments, which
libsndfile writes.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Generator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import BinaryIO

from eutectic.errors import BadAudio

TITLE, COMMENT, SOFTWARE = b"INAM", b"ICMT", b"ISFT"


@dataclass(frozen=True)
class Tags:
    """A line for people, and a comment, which may be long."""

    title: str
    comment: str

    @property
    def software(self) -> str:
        """What wrote the file."""
        return f"Eutectic {metadata.version('eutectic')}"


def append_tags(path: Path, tags: Tags) -> None:
    """Write tags behind the last chunk of a WAV file."""
    texts = ((TITLE, tags.title), (SOFTWARE, tags.software), (COMMENT, tags.comment))
    info = b"INFO" + b"".join(_chunk(name, text.encode() + b"\0") for name, text in texts)
    with path.open("r+b") as file:
        file.seek(0, io.SEEK_END)
        file.write(_chunk(b"LIST", info))
        size = file.tell() - 8
        file.seek(4)
        file.write(struct.pack("<I", size))


def read_comment(path: Path) -> str:
    """A sound file's comment; empty if it has none.

    libsndfile skips comments of WAV files that are longer than 2 KiB.

    Raises:
        BadAudio: the file can't be read.
    """
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            if file.comment or file.format != "WAV":
                return file.comment
        with path.open("rb") as file:
            file.seek(12)
            for name, content in _chunks(file):
                if name == b"LIST" and content.startswith(b"INFO"):
                    for tag, text in _chunks(io.BytesIO(content[4:])):
                        if tag == COMMENT:
                            return text.rstrip(b"\0").decode(errors="replace")
    except (soundfile.LibsndfileError, OSError) as error:
        raise BadAudio(f"{path}: can't be read as audio ({error})") from None
    return ""


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def _chunks(file: BinaryIO) -> Generator[tuple[bytes, bytes]]:
    """Names and contents; of sound, without its content."""
    while len(head := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        if name == b"data":
            file.seek(size, io.SEEK_CUR)
            yield name, b""
        else:
            yield name, file.read(size)
        file.seek(size % 2, io.SEEK_CUR)
