"""The answers as CSV: a line for each set of each respondent, complete or not."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from eutectic.files.atomic import atomic_path
from eutectic.listening_test import blind
from eutectic.listening_test.answers import RESPONDENT, Respondent, SetKey
from eutectic.listening_test.questions import COMMENT, DEVICE, ENGAGEMENT, LIKE, OVERALL
from eutectic.listening_test.sets import ROLES

COLUMNS = (
    "respondent", ENGAGEMENT, DEVICE, "set", "sounds", "place", "a",
    *LIKE.values(), OVERALL, *(f"plays_{role}" for role in ROLES), COMMENT,
)  # fmt: skip


def save_csv(respondents: Iterable[Respondent], path: Path) -> None:
    """Write the latest answers; missing ones are empty.

    `place` is the set's position in the respondent's order, `a` the source that was A, `sounds`
    the digest of the set's sounds. The token, which would allow answers to be changed, isn't
    written, nor are earlier answers, which remain in the file of answers.

    Raises:
        BadOutput: see `atomic_path`.
    """
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for respondent in respondents:
            for key in respondent.sets or [RESPONDENT]:
                writer.writerow(_row(respondent, key))


def _row(respondent: Respondent, key: SetKey) -> dict[str, int | str]:
    order = blind.shuffled(respondent.token, (each.digest for each in respondent.sets))
    plays = respondent.plays.get(key, Counter())
    row = {"respondent": respondent.number, **respondent.about}
    if key == RESPONDENT:
        return row
    return {
        **row, "set": key.name, "sounds": key.digest, "place": order.index(key.digest) + 1,
        "a": blind.roles(respondent.token, key.digest)["a"],
        **{f"plays_{role}": plays[role] for role in ROLES}, **respondent.answers.get(key, {}),
    }  # fmt: skip
