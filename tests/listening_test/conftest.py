"""A questionnaire that a module's tests share."""

from collections.abc import Generator
from pathlib import Path

import pytest

from questionnaire import Server, make_sets


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sets(tmp_path_factory.mktemp("sets"))


@pytest.fixture(scope="module")
def server(sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    with Server(sets, tmp_path_factory.mktemp("answers") / "answers.sqlite") as process:
        yield process
