"""Answers in SQLite: all are kept, and the latest to each question counts.

An answer is on disk before the page gets its confirmation. Nothing is ever changed or deleted: a
changed answer is another row. Neither names nor addresses are stored.
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
"""Limit of answers, and of plays, by one respondent; no person reaches it."""

BUSY_SECONDS = 2.0
"""How long to wait for another program that is writing the file."""

APPLICATION_ID = 0x45_55_54_51
"""Marks a file of answers in its header (PRAGMA application_id): "EUTQ"."""

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
    """The limit of respondents, or of one respondent's rows, is reached."""

    code = "too_many"


class SetKey(NamedTuple):
    """What answers are about: a set's name and the digest of its sounds."""

    name: str
    digest: str


RESPONDENT = SetKey("", "")
"""Stands for a set when an answer is about the respondent."""


@dataclass(frozen=True)
class Respondent:
    """A respondent's latest answers and number of plays, by set."""

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
        """The sets with answers or plays."""
        return [each for each in dict.fromkeys([*self.answers, *self.plays]) if each != RESPONDENT]


class Answers:
    """The file of answers, for use by one thread."""

    def __init__(self, path: Path, *, make: bool = True) -> None:
        """Open the file, or create it if `make` allows.

        Raises:
            BadInput: there is none, and `make` is false.
            BadOutput: it can't be opened or created, or holds something else.
        """
        if not make and not path.is_file():
            raise BadInput(f"{path}: no such file of answers")
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
        """Mark a new file as a file of answers; refuse a file of another program."""
        (application,) = self._database.execute("PRAGMA application_id").fetchone()
        (objects,) = self._database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if application == 0 and objects == 0:
            self._database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        elif application != APPLICATION_ID:
            raise sqlite3.DatabaseError("it is another program's database")

    def close(self) -> None:
        self._database.close()

    def enrol(self) -> str:
        """Add a respondent; returns their token.

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
        """The respondent with a token, or None."""
        row = self._database.execute(
            "SELECT number, token FROM respondent WHERE token = ?", (token,)
        ).fetchone()
        return None if row is None else self._read(Respondent(*row))

    def all(self) -> list[Respondent]:
        """All respondents, in order of arrival."""
        rows = self._database.execute("SELECT number, token FROM respondent ORDER BY number")
        return [self._read(Respondent(*row)) for row in rows.fetchall()]

    def answer(self, who: Respondent, about: SetKey, question: str, value: int | str) -> None:
        """Store an answer, unless it repeats the latest one.

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
        """Count that a sound was played.

        Raises:
            TooMany: the respondent has played MAX_ROWS.
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
        """A transaction that excludes other writers."""
        self._database.execute("BEGIN IMMEDIATE")
        with self._database:
            yield

    def _allow(self, query: str, values: tuple[int, ...], most: int) -> None:
        (count,) = self._database.execute(query, values).fetchone()
        if count >= most:
            raise TooMany(f"the limit of {most} is reached")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
