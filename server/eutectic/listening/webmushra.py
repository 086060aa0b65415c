"""The sets as a configuration of webMUSHRA, which runs listening tests on a server of one's own.

Configurations follow webMUSHRA's guide for experimenters
(https://github.com/audiolabs/webMUSHRA/blob/master/doc/experimenter.md). Each set is a `mushra`
page whose reference is the fusion and whose conditions are the sources, so that what is rated is
likeness to the fusion; webMUSHRA adds the fusion itself, hidden, as a check of the listener. A
`likert_single_stimulus` page asks for the fusion's rating, and the last page asks about the
respondent. Both the order of the sets and that of the conditions are shuffled by webMUSHRA.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from eutectic.audio import Waveform, atomic_path
from eutectic.listening.questions import ABOUT_RESPONDENT, ABOUT_SET, OVERALL, Question
from eutectic.listening.sets import RATE_HZ, ROLES, Role, SoundSet, save_pcm

FOLDER = "configs/eutectic"
"""Where, under webMUSHRA's own folder, what is written here has to lie."""

STRICT_SECONDS = 12.0
"""webMUSHRA refuses longer sounds, as BS.1534 does, where a page is strict."""

CONDITIONS: dict[Role, str] = {"original": "source_original", "reference": "source_reference"}
"""Names in the results; `reference` alone is webMUSHRA's for the hidden one."""


def save_webmushra(sets: list[SoundSet], title: str, folder: Path) -> Path:
    """Write eutectic.yaml and the sounds, level-matched; returns the configuration's path.

    webMUSHRA wants the sounds of a page at one length: shorter ones end in silence.

    Raises:
        BadAudio: a sound can't be used.
        BadOutput: the folder can't be written.
    """
    pages: list[Any] = ["random"]
    for number, each in enumerate(sets, 1):
        sounds = _of_one_length({role: each.load(role) for role in ROLES})
        files: dict[Role, str] = {}
        for role, waveform in sounds.items():
            save_pcm(folder / f"set{number}-{role}.wav", waveform)
            files[role] = f"{FOLDER}/set{number}-{role}.wav"
        strict = sounds["fusion"].seconds <= STRICT_SECONDS
        pages.append(_pages(f"set{number}", each.name, files, strict))
    path = folder / "eutectic.yaml"
    _save(_test(title, pages), path)
    return path
