"""Answers in SQLite: every one is kept, the newest of each question counts.

An answer is on the disk before the page hears that it was taken. Nothing is ever changed or
deleted: an answer given anew is another row. Neither names nor addresses are stored.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from eutectic.errors import BadInput, BadOutput
from eutectic.listening_test.sets import Role

MAX_RESPONDENTS = 10_000
MAX_ROWS = 10_000
"""Of answers, and of plays, by one respondent: more come from no person."""

BUSY_SECONDS = 2.0
"""How long is waited for another program that writes the file."""

APPLICATION_ID = 0x45_55_54_51
"""In the file's header (PRAGMA application_id), "EUTQ": it holds answers."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS respondent (
    number INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS answer (
    id INTEGER PRIMARY KEY, respondent INTEGER NOT NULL REFERENCES respondent, at TEXT NOT NULL,
    set_name TEXT NOT NULL, set_digest TEXT NOT NULL, question TEXT NOT NULL, value ANY NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS play (
    id INTEGER PRIMARY KEY, respondent INTEGER NOT NULL REFERENCES respondent, at TEXT NOT NULL,
    set_name TEXT NOT NULL, set_digest TEXT NOT NULL, sound TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS answer_of ON answer (respondent);
CREATE INDEX IF NOT EXISTS play_of ON play (respondent);
"""

Values = dict[str, int | str]


class TooMany(BadInput):
    """As many respondents, or rows of one, as are taken."""

    code = "too_many"


class SetKey(NamedTuple):
    """What answers are about: a set's name and the digest of its sounds."""

    name: str
    digest: str


RESPONDENT = SetKey("", "")
"""In the place of a set: the answer is about the respondent."""


@dataclass(frozen=True)
class Respondent:
    """What one respondent has told: by set, the newest answers, and how often each was played."""

    number: int
    token: str
    answers: dict[SetKey, Values] = field(default_factory=dict[SetKey, Values])
    plays: dict[SetKey, Counter[str]] = field(default_factory=dict[SetKey, Counter[str]])

    @property
    def about(self) -> Values:
        """The answers about the respondent."""
        return self.answers.get(RESPONDENT, {})

    @property
    def sets(self) -> list[SetKey]:
        """Those that were answered or played."""
        return [each for each in dict.fromkeys([*self.answers, *self.plays]) if each != RESPONDENT]


class Answers:
    """The answers' file, used by one thread."""

    def __init__(self, path: Path, *, make: bool = True) -> None:
        """Open it; where there is none, make it or not.

        Raises:
            BadInput: there is none, and none is to be made.
            BadOutput: it can't be opened or made, or holds something else.
        """
        if not make and not path.is_file():
            raise BadInput(f"{path}: no answers there")
        if not path.parent.is_dir():
            raise BadOutput(f"{path}: the folder {path.parent} does not exist")
        self.path = path
        try:
            self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            self._claim()
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute("PRAGMA foreign_keys = ON")
            self._database.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise BadOutput(f"{path}: can't be used as a file of answers ({error})") from None

    def _claim(self) -> None:
        """Mark a new file as one of answers; leave any other's as it is."""
        (application,) = self._database.execute("PRAGMA application_id").fetchone()
        (objects,) = self._database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if application == 0 and objects == 0:
            self._database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        elif application != APPLICATION_ID:
            raise sqlite3.DatabaseError("it is a database of something else")

    def close(self) -> None:
        self._database.close()

    def enrol(self) -> str:
        """A new respondent's token.

        Raises:
            TooMany: there are MAX_RESPONDENTS.
        """
        token = secrets.token_urlsafe(16)
        with self._writing():
            self._allow("SELECT count(*) FROM respondent", (), MAX_RESPONDENTS)
            self._database.execute(
                "INSERT INTO respondent (token, at) VALUES (?, ?)", (token, _now())
            )
        return token

    def find(self, token: str) -> Respondent | None:
        """What the respondent of a token has told; None where there is no such respondent."""
        row = self._database.execute(
            "SELECT number, token FROM respondent WHERE token = ?", (token,)
        ).fetchone()
        return None if row is None else self._read(Respondent(*row))

    def all(self) -> list[Respondent]:
        """Every respondent, in the order in which they came."""
        rows = self._database.execute("SELECT number, token FROM respondent ORDER BY number")
        return [self._read(Respondent(*row)) for row in rows.fetchall()]

    def answer(self, who: Respondent, about: SetKey, question: str, value: int | str) -> None:
        """Keep an answer; the same value again is no other answer.

        Raises:
            TooMany: the respondent has given MAX_ROWS.
        """
        with self._writing():
            last = self._database.execute(
                "SELECT value FROM answer WHERE respondent = ? AND set_name = ? AND set_digest = ?"
                " AND question = ? ORDER BY id DESC LIMIT 1",
                (who.number, *about, question),
            ).fetchone()
            if last == (value,):
                return
            self._allow("SELECT count(*) FROM answer WHERE respondent = ?", (who.number,), MAX_ROWS)
            self._database.execute(
                "INSERT INTO answer (respondent, at, set_name, set_digest, question, value)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (who.number, _now(), *about, question, value),
            )

    def play(self, who: Respondent, about: SetKey, sound: Role) -> None:
        """Count that a sound was heard.

        Raises:
            TooMany: the respondent has heard MAX_ROWS.
        """
        with self._writing():
            self._allow("SELECT count(*) FROM play WHERE respondent = ?", (who.number,), MAX_ROWS)
            self._database.execute(
                "INSERT INTO play (respondent, at, set_name, set_digest, sound)"
                " VALUES (?, ?, ?, ?, ?)",
                (who.number, _now(), *about, sound),
            )

    def _read(self, respondent: Respondent) -> Respondent:
        for name, digest, question, value in self._database.execute(
            "SELECT set_name, set_digest, question, value FROM answer WHERE respondent = ?"
            " ORDER BY id",
            (respondent.number,),
        ):
            respondent.answers.setdefault(SetKey(name, digest), {})[question] = value
        for name, digest, sound in self._database.execute(
            "SELECT set_name, set_digest, sound FROM play WHERE respondent = ? ORDER BY id",
            (respondent.number,),
        ):
            respondent.plays.setdefault(SetKey(name, digest), Counter())[sound] += 1
        return respondent

    @contextlib.contextmanager
    def _writing(self) -> Generator[None]:
        """One transaction, which no other writer comes between."""
        self._database.execute("BEGIN IMMEDIATE")
        with self._database:
            yield

    def _allow(self, query: str, values: tuple[int, ...], most: int) -> None:
        (count,) = self._database.execute(query, values).fetchone()
        if count >= most:
            raise TooMany(f"no more than {most} are taken")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
