"""What libsndfile can't read: m4a, wma, the sound of a video, through the program ffmpeg.

It is a process of its own, so nothing that it makes of a file harms this one. It reads this one
file and nothing that the file may point to: no playlists, no network.
"""

from __future__ import annotations

import mimetypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dff,dsf,dts,eac3,flac,flv,iff,loas,matroska,webm,mlp,mov,"
    "mp4,m4a,3gp,mp3,mpc,mpc8,mpeg,mpegts,oga,ogg,rm,shn,sox,tak,truehd,tta,voc,w64,wav,wv,xwma"
)
"""Its names of the formats that hold what they play."""

HOW = "install it, or Eutectic's extra: pip install 'eutectic[ffmpeg]'"

SOUGHT_SECONDS, PREROLL_SECONDS = 120.0, 2.0
"""A section that starts later is sought, from so much before it; formats differ in where that leads
by some milliseconds. Others are decoded from the file's start on, and are exact."""

CHUNK_BYTES = 1 << 16
MAX_BYTES = 500_000_000


class Unreadable(ValueError):
    """ffmpeg can't read it."""


class NoSound(Unreadable):
    """It can, but there is only a picture."""


def program() -> str | None:
    """ffmpeg from the PATH, or the one of the package imageio-ffmpeg."""
    found = shutil.which("ffmpeg")
    if found is not None:
        return found
    try:
        import imageio_ffmpeg

        return imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError):
        return None


def decode(path: Path, start_seconds: float, seconds: float, alive: Callable[[], None]) -> bytes:
    """A section of a file's first sound as a WAV file of floats, its length not in its header.

    Raises:
        Unreadable: it can't be read.
    """
    sought = start_seconds - PREROLL_SECONDS if start_seconds > SOUGHT_SECONDS else 0.0
    first = start_seconds - sought
    section = f"asetpts=N/SR/TB,atrim={first:.6f}:{first + seconds:.6f},asetpts=N/SR/TB"
    command = [
        program() or "ffmpeg", "-nostdin", "-hide_banner", "-v", "error",
        "-protocol_whitelist", "file", "-format_whitelist", FORMATS,
        "-ss", f"{sought:.6f}", "-i", f"file:{path}",
        "-map", "0:a:0", "-af", section, "-c:a", "pcm_f32le", "-f", "wav", "pipe:1",
    ]  # fmt: skip
    found = bytearray()
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as process,
    ):
        assert process.stdout is not None
        while len(found) < MAX_BYTES and (chunk := process.stdout.read(CHUNK_BYTES)):
            found += chunk
            alive()
        process.kill()
        said.seek(0)
        text = said.read(CHUNK_BYTES).decode(errors="replace")
    if not found and "matches no streams" in text:
        raise NoSound
    if not found:
        raise Unreadable(text)
    return bytes(found)


def is_for_it(path: Path) -> bool:
    """Whether a file's name is that of audio or video, so that ffmpeg may read it."""
    kind, _ = mimetypes.guess_type(path.name)
    return kind is not None and kind.startswith(("audio/", "video/"))
