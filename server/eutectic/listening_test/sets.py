"""Sets of three sounds, found in folders and prepared for comparison.

A set is an original, a reference and their fusion. All are matched to one loudness, so that none
is preferred for being louder, and converted to one format that every browser plays.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from eutectic.audio import Waveform, load_clip, match_loudness
from eutectic.errors import BadInput, BadSetting
from eutectic.files.atomic import atomic_path

Role = Literal["original", "reference", "fusion"]
ROLES: tuple[Role, ...] = get_args(Role)

LEVEL_LUFS = -23.0
"""EBU R 128: low enough that peaks are hardly ever limited."""

RATE_HZ, CHANNELS = 44_100, 2
MAX_SECONDS = 60.0
MAX_SETS = 50


@dataclass(frozen=True)
class SoundSet:
    """One set: the name of its folder, and the file of each sound."""

    name: str
    paths: dict[Role, Path]

    @cached_property
    def digest(self) -> str:
        """Hash of the name and the three files: the same name with other sounds is another set."""
        parts = (self.name.encode(), *(self.paths[role].read_bytes() for role in ROLES))
        hashes = (hashlib.sha256(part).digest() for part in parts)
        return hashlib.sha256(b"".join(hashes)).hexdigest()[:16]

    def load(self, role: Role) -> Waveform:
        """A sound at LEVEL_LUFS, (CHANNELS, frame) at RATE_HZ.

        Raises:
            BadAudio: it can't be used, or is longer than MAX_SECONDS.
        """
        clip = load_clip(self.paths[role], RATE_HZ, CHANNELS, max_seconds=MAX_SECONDS)
        return match_loudness(clip, LEVEL_LUFS)[0]


def find_sets(folders: list[Path], blend: float) -> list[SoundSet]:
    """The sets in folders that are sets themselves or have subfolders that are, by name.

    Of fusions at several blends, the one nearest to `blend` is taken.

    Raises:
        BadInput: no folder is given, one holds no set, two sets share a name, or there are too
            many.
        BadSetting: blend is outside 0 to 1.
    """
    if not folders:
        raise BadInput("name a folder of sets, such as `eutectic window` writes")
    if not 0 <= blend <= 1:
        raise BadSetting(f"blend must be 0 to 1, not {blend:g}")
    found: dict[str, SoundSet] = {}
    for folder in folders:
        for each in _sets_of(folder, blend):
            if each.name in found:
                raise BadInput(f"{folder}: there is already a set named {each.name}; rename one")
            found[each.name] = each
    if len(found) > MAX_SETS:
        raise BadInput(f"{len(found)} sets are too many to listen to; {MAX_SETS} at most")
    return list(found.values())


def _sets_of(folder: Path, blend: float) -> list[SoundSet]:
    try:
        if not folder.is_dir():
            raise BadInput(f"{folder}: is not a folder")
        candidates = [folder, *sorted(each for each in folder.iterdir() if each.is_dir())]
        found = [each for each in (_set_at(folder, blend) for folder in candidates) if each]
    except OSError as error:
        raise BadInput(f"{folder}: can't be read ({error.strerror})") from None
    if not found:
        raise BadInput(
            f"{folder}: holds no set; a set is original.wav and reference.wav, with fusion.wav or "
            "the fusions that `eutectic window` writes"
        )
    return found


def _set_at(folder: Path, blend: float) -> SoundSet | None:
    fusion = _fusion(folder, blend)
    original, reference = folder / "original.wav", folder / "reference.wav"
    if fusion is None or not original.is_file() or not reference.is_file():
        return None
    paths: dict[Role, Path] = {"original": original, "reference": reference, "fusion": fusion}
    return SoundSet(folder.resolve().name, paths)


def _fusion(folder: Path, blend: float) -> Path | None:
    """fusion.wav, or the nearest of fusion-000.wav to fusion-100.wav."""
    if (folder / "fusion.wav").is_file():
        return folder / "fusion.wav"
    blends = {
        path: int(name[1]) / 100
        for path in sorted(folder.glob("fusion-*.wav"))
        if (name := re.fullmatch(r"fusion-(\d{3})\.wav", path.name))
    }
    return min(blends, key=lambda path: abs(blends[path] - blend), default=None)


def prepare(sets: list[SoundSet], folder: Path) -> dict[tuple[str, Role], Path]:
    """Write every sound, ready to be played, into a folder; paths by set digest and role.

    Raises:
        BadAudio: one can't be used.
        BadOutput: the folder can't be written.
    """
    prepared: dict[tuple[str, Role], Path] = {}
    for each in sets:
        for role in ROLES:
            path = prepared[each.digest, role] = folder / f"{len(prepared)}.wav"
            save_pcm(path, each.load(role))
    return prepared


def save_pcm(path: Path, waveform: Waveform) -> None:
    """Write 16-bit WAV, which every browser plays, atomically.

    Raises:
        BadOutput: see `atomic_path`.
    """
    import soundfile

    with atomic_path(path) as temporary:
        soundfile.write(temporary, waveform.samples.T, waveform.rate_hz, subtype="PCM_16")
