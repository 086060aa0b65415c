"""The blind questionnaire that the page shows; translates between places and sounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eutectic.errors import BadInput
from eutectic.listening_test import blind
from eutectic.listening_test.answers import RESPONDENT, Answers, Respondent, SetKey
from eutectic.listening_test.blind import Place
from eutectic.listening_test.questions import (
    ABOUT_RESPONDENT,
    ABOUT_SET,
    COMMENT,
    LIKE,
    LIKE_A,
    LIKE_B,
    Question,
)
from eutectic.listening_test.sets import ROLES, Role, SoundSet

_PLACE_OF: dict[str, Place] = {LIKE_A: "a", LIKE_B: "b"}


class Survey:
    """The sets, their sounds, and the answers about them."""

    def __init__(
        self,
        sets: list[SoundSet],
        sounds: dict[tuple[str, Role], Path],
        answers: Answers,
        title: str,
    ) -> None:
        """Make a survey of sets and the sounds that `prepare` wrote for them."""
        self.answers, self.title = answers, title
        self._names = {each.digest: each.name for each in sets}
        self._sounds = sounds

    def questions(self) -> dict[str, Any]:
        """The questions, which are the same for every respondent."""
        return {
            "title": self.title, "sets": len(self._names),
            "about_respondent": ABOUT_RESPONDENT, "about_set": ABOUT_SET, "optional": [COMMENT],
        }  # fmt: skip

    def state(self, who: Respondent) -> dict[str, Any]:
        """A respondent's progress: the sets in their order, with plays and answers."""
        order = blind.shuffled(who.token, self._names)
        return {"answers": who.about, "sets": [self._seen(who, digest) for digest in order]}

    def _seen(self, who: Respondent, digest: str) -> dict[str, Any]:
        key = SetKey(self._names[digest], digest)
        roles = blind.roles(who.token, digest)
        given, plays = who.answers.get(key, {}), who.plays.get(key, {})
        kept = {question.name: _kept_as(question.name, roles) for question in ABOUT_SET}
        return {
            "id": blind.set_id(who.token, digest),
            "plays": {place: plays.get(role, 0) for place, role in roles.items()},
            "answers": {name: given[role] for name, role in kept.items() if role in given},
        }

    def answer(self, who: Respondent, set_id: str | None, question: str, value: int | str) -> None:
        """Store an answer about a set, or about the respondent.

        Raises:
            BadInput: there is no such set or question, the answer is invalid, or some of the set's
            sounds weren't played.
            TooMany: see `Answers.answer`.
        """
        asked = ABOUT_RESPONDENT if set_id is None else ABOUT_SET
        _check(asked, question, value)
        if set_id is None:
            self.answers.answer(who, RESPONDENT, question, value)
            return
        key = self._key(who, set_id)
        if any(role not in who.plays.get(key, {}) for role in ROLES):
            raise BadInput("please listen to all three sounds first")
        kept = _kept_as(question, blind.roles(who.token, key.digest))
        self.answers.answer(who, key, kept, value)

    def play(self, who: Respondent, set_id: str, place: Place) -> None:
        """Count that a sound was played.

        Raises:
            BadInput: no such set.
            TooMany: see `Answers.play`.
        """
        key = self._key(who, set_id)
        self.answers.play(who, key, blind.roles(who.token, key.digest)[place])

    def sound(self, who: Respondent, set_id: str, place: Place) -> Path:
        """The file of the sound that a respondent has in a place.

        Raises:
            BadInput: no such set.
        """
        digest = self._key(who, set_id).digest
        return self._sounds[digest, blind.roles(who.token, digest)[place]]

    def _key(self, who: Respondent, set_id: str) -> SetKey:
        for digest, name in self._names.items():
            if blind.set_id(who.token, digest) == set_id:
                return SetKey(name, digest)
        raise BadInput("no such set; please reload the page")


def _kept_as(question: str, roles: dict[Place, Role]) -> str:
    return LIKE[roles[_PLACE_OF[question]]] if question in _PLACE_OF else question


def _check(asked: tuple[Question, ...], name: str, value: int | str) -> None:
    for question in asked:
        if question.name == name:
            if not question.takes(value):
                raise BadInput(f"{name} takes {question.expected()}")
            return
    raise BadInput(f"no such question; choose from {', '.join(each.name for each in asked)}")
