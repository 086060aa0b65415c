"""A browser that a module's tests share."""

from collections.abc import Generator

import pytest
from playwright.sync_api import Browser

from browsers import chromium


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with chromium() as found:
        yield found
