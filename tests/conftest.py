"""Shapes in annotations are checked as tests run; only tests marked for it start processes."""

from __future__ import annotations

import sys
from collections.abc import Generator
from types import ModuleType

import pytest
from jaxtyping import _import_hook, install_import_hook


def exec_module(self: _import_hook._JaxtypingLoader, module: ModuleType) -> None:
    """As jaxtyping's own, which hides the byte code of all that the module imports."""
    exec(self.source_to_code(self.get_data(self.path), self.path), module.__dict__)


_import_hook._JaxtypingLoader.exec_module = exec_module
install_import_hook("eutectic.engine", "beartype.beartype")

# What `make quick` runs starts no process

SLOW = ("process", "realtime", "training")
_running: list[pytest.Item] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    _running.append(item)
    try:
        return (yield)
    finally:
        _running.pop()


def refuse_unmarked_processes(event: str, arguments: tuple[object, ...]) -> None:
    if event != "subprocess.Popen" or not _running:
        return
    if not any(_running[-1].get_closest_marker(mark) for mark in SLOW):
        pytest.fail(f"starts {arguments[0]}; mark it as one of {', '.join(SLOW)}")


sys.addaudithook(refuse_unmarked_processes)
