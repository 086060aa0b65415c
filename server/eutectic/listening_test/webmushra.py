"""The sets as configurations for webMUSHRA, a self-hosted server for listening tests.

The configurations follow webMUSHRA's guide for experimenters
(https://github.com/audiolabs/webMUSHRA/blob/master/doc/experimenter.md). There are two, each with
one type of page: under PHP 8, webMUSHRA's service can lose the results of mixed types, as it looks
for the first page's type. In `likeness.yaml` a set is a `mushra` page whose reference is the
fusion and whose conditions are the sources, so that likeness to the fusion is rated; webMUSHRA
adds the fusion itself, hidden, to check the listener. In `rating.yaml` a `likert_single_stimulus`
page asks for the fusion's rating. The last page of each asks about the respondent. webMUSHRA
shuffles the sets and the conditions.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from eutectic.audio import Waveform
from eutectic.files.atomic import atomic_path
from eutectic.listening_test.questions import ABOUT_RESPONDENT, ABOUT_SET, OVERALL, Question
from eutectic.listening_test.sets import ROLES, Role, SoundSet, save_pcm

FOLDER = "configs/eutectic"
"""Where the files belong in webMUSHRA's folder."""

STRICT_SECONDS = 12.0
"""On a strict page webMUSHRA refuses longer sounds, following BS.1534."""

CONDITIONS: dict[Role, str] = {"original": "source_original", "reference": "source_reference"}
"""Names in the results; `reference` alone is webMUSHRA's name for the hidden one."""


def save_webmushra(sets: list[SoundSet], title: str, folder: Path) -> list[Path]:
    """Write both configurations and the level-matched sounds; returns the configurations' paths.

    webMUSHRA needs a page's sounds to be of one length: shorter ones are padded with silence.

    Raises:
        BadAudio: a sound can't be used.
        BadOutput: the folder can't be written.
    """
    for each in sets:  # check before writing anything
        for role in ROLES:
            each.load(role)
    likeness: list[Any] = []
    rating: list[Any] = []
    for number, each in enumerate(sets, 1):
        sounds = _of_one_length({role: each.load(role) for role in ROLES})
        files: dict[Role, str] = {}
        for role, waveform in sounds.items():
            save_pcm(folder / f"set{number}-{role}.wav", waveform)
            files[role] = f"{FOLDER}/set{number}-{role}.wav"
        strict = sounds["fusion"].seconds <= STRICT_SECONDS
        likeness.append(_likeness(each.name, files, strict))
        rating.append(_rating(each.name, files["fusion"]))
    volume = likeness[0]["reference"]
    return [
        _save(folder / f"{kind}.yaml", _test(f"eutectic-{kind}", title, volume, pages))
        for kind, pages in (("likeness", likeness), ("rating", rating))
    ]


def _save(path: Path, test: dict[str, Any]) -> Path:
    with atomic_path(path) as temporary:
        temporary.write_text(_plain_yaml(test), encoding="utf-8")
    return path


class _Indented(yaml.SafeDumper):
    """Indents lists below the key that they belong to."""

    def increase_indent(
        self,
        flow: bool = False,
        indentless: bool = False,  # noqa: ARG002 (yaml passes it by name)
    ) -> None:
        super().increase_indent(flow, indentless=False)


def _plain_yaml(value: Any) -> str:
    """YAML that webMUSHRA's parser (yaml.js) accepts: no folded text, a line for every dash."""
    text = yaml.dump(value, Dumper=_Indented, sort_keys=False, width=10**6, allow_unicode=True)
    return re.sub(r"^( *)- (?=- )", r"\1-\n\1  ", text, flags=re.MULTILINE)


def _of_one_length(sounds: dict[Role, Waveform]) -> dict[Role, Waveform]:
    longest = max(each.frames for each in sounds.values())
    return {
        role: Waveform(np.pad(each.samples, ((0, 0), (0, longest - each.frames))), each.rate_hz)
        for role, each in sounds.items()
    }


def _likeness(name: str, files: dict[Role, str], strict: bool) -> dict[str, Any]:
    """A page on how similar a set's sounds are; the set's name appears only in the results."""
    return {
        "type": "mushra", "id": name, "name": "How similar?",
        "content": "The reference was made as a fusion of two sounds. How similar is each of the "
        "others to it? 0: not at all, 100: the same.",
        "showWaveform": False, "enableLooping": True, "strict": strict, "randomize": True,
        "showConditionNames": False, "createAnchor35": False, "createAnchor70": False,
        "reference": files["fusion"],
        "stimuli": {CONDITIONS[role]: files[role] for role in CONDITIONS},
    }  # fmt: skip


def _rating(name: str, fusion: str) -> dict[str, Any]:
    """A page on how good a set's fusion is."""
    overall = next(question for question in ABOUT_SET if question.name == OVERALL)
    return {
        "type": "likert_single_stimulus", "id": name, "name": "How good?",
        "content": escape(overall.text.replace("A and B", "two others")),
        "mustRate": True, "mustPlayback": "ended", "stimuli": {"fusion": fusion},
        "response": _responses(overall),
    }  # fmt: skip


def _responses(question: Question) -> list[dict[str, Any]]:
    choices = question.choices or {str(value): text for value, text in enumerate(question.scale, 1)}
    return [{"value": value, "label": escape(text)} for value, text in choices.items()]


def _test(name: str, title: str, volume: str, pages: list[Any]) -> dict[str, Any]:
    about = [
        {"type": "likert", "name": question.name, "label": escape(question.text),
         "response": _responses(question)}
        for question in ABOUT_RESPONDENT
    ]  # fmt: skip
    comment = {"type": "long_text", "name": "feedback", "label": "Comments", "optional": True}
    return {
        "testname": title, "testId": name, "bufferSize": 2048, "stopOnErrors": True,
        "showButtonPreviousPage": True, "remoteService": "service/write.php",
        "pages": [
            {
                "type": "generic", "id": "welcome", "name": "Welcome",
                "content": "You will hear fusions of two sounds, each along with its sources.",
            },
            {
                "type": "volume", "id": "volume", "name": "Volume", "defaultVolume": 0.5,
                "content": "Set a comfortable volume, and leave it there.",
                "stimulus": volume,
            },
            ["random", *pages],
            {
                "type": "finish", "name": "Thank you", "content": "About you:",
                "popupContent": "Your answers have been sent. Thank you!",
                "showResults": False, "writeResults": True, "questionnaire": [*about, comment],
            },
        ],
    }  # fmt: skip
