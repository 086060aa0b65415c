"""Shapes in annotations are checked, processes only started where marked, a daemon is shared."""

from __future__ import annotations

import sys
from collections.abc import Generator
from types import ModuleType

import pytest
from jaxtyping import _import_hook, install_import_hook

from daemons import daemon, prepare, restored, silenced
from eutectic.client.daemon_process import Daemon
from eutectic.client.sync import Client


def exec_module(self: _import_hook._JaxtypingLoader, module: ModuleType) -> None:
    """Run a checked module; jaxtyping's own method hides the byte code of all it imports."""
    exec(self.source_to_code(self.get_data(self.path), self.path), module.__dict__)


_import_hook._JaxtypingLoader.exec_module = exec_module
install_import_hook(["eutectic.engine", "eutectic.morphs"], "beartype.beartype")


@pytest.fixture(autouse=True)
def denormals() -> Generator[None]:
    """Numbers near zero are as ever after a command has loaded a model."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


# Only marked tests start processes; `make quick` leaves those out

SLOW = ("training", "process", "realtime")
_current: list[pytest.Item] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    _current.append(item)
    try:
        return (yield)
    finally:
        _current.pop()


def refuse_unmarked_processes(event: str, arguments: tuple[object, ...]) -> None:
    if event != "subprocess.Popen" or not _current:
        return
    if not any(_current[-1].get_closest_marker(mark) for mark in SLOW):
        pytest.fail(f"starts {arguments[0]}; mark it as one of {', '.join(SLOW)}")


sys.addaudithook(refuse_unmarked_processes)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Slow files come first, so that workers end together."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: [item.get_closest_marker(mark) is None for mark in SLOW])


# One daemon for all tests that don't restart or configure it


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    """A daemon with the toy model, clips a and b, and b learned as r."""
    folder = tmp_path_factory.mktemp("toy")
    with daemon(folder, "--session", str(folder / "session.toml")) as process:
        with process.client() as client:
            prepare(client)
        yield process


@pytest.fixture(scope="module")
def running(toy: Daemon) -> Generator[Daemon]:
    with restored(toy):
        yield toy


@pytest.fixture
def client(running: Daemon) -> Generator[Client]:
    with silenced(running) as client:
        yield client
