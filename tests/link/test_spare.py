"""A spare engine takes the place of one that dies, at once; nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from eutectic.link import protocol as link
from eutectic.link import spare
from eutectic.link.host import STABLE_SECONDS, Host
from eutectic.link.protocol import Done, Failed, Load, Result, Source
from hosts import engines, hosted, local, until

pytestmark = pytest.mark.process

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
GLASS = Source(str(CLIPS / "ambi_glass_rub.flac"), 0.0, 1.0)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spare, "IDLE_SECONDS", 0.1)
    monkeypatch.setattr(spare, "POLL_SECONDS", 0.1)


async def waiting(host: Host) -> int:
    """The process id of a spare that waits."""
    assert host.spare is not None
    await until(lambda: host.state == "ready" and host.spare is not None and host.spare.waits)
    (pid,) = set(engines()) - {host.pid}
    return pid


async def load(host: Host) -> Done | Failed:
    ended: asyncio.Future[Done | Failed] = asyncio.get_running_loop().create_future()

    def listen(result: Result) -> None:
        if isinstance(result, Done | Failed):
            ended.set_result(result)

    host.submit(Load(0, GLASS), listen)
    return await ended


def test_the_spare_takes_the_place_of_an_engine_that_dies_and_another_comes(tmp_path: Path) -> None:
    async def scenario(host: Host, results: list[Result]) -> None:
        for death in range(1, 4):
            spare_pid, old = await waiting(host), host.pid
            assert old is not None
            os.kill(old, signal.SIGKILL)
            assert isinstance(await load(host), Done)
            assert host.pid == spare_pid != old and host.deaths == death
        states = [each.state for each in results if isinstance(each, link.State)]
        assert states.count("dead") == 3

    hosted(tmp_path, scenario, with_spare=True)


def test_a_spare_that_dies_is_replaced_and_nobody_notices(tmp_path: Path) -> None:
    async def scenario(host: Host, results: list[Result]) -> None:
        first, engine = await waiting(host), host.pid
        os.kill(first, signal.SIGKILL)
        assert host.spare is not None
        await until(lambda: host.spare is not None and not host.spare.waits)
        assert await waiting(host) != first
        assert host.pid == engine and host.deaths == 0
        assert isinstance(await load(host), Done)

    hosted(tmp_path, scenario, with_spare=True)


def test_a_change_of_model_uses_it(tmp_path: Path) -> None:
    async def scenario(host: Host, results: list[Result]) -> None:
        spare_pid = await waiting(host)
        await host.restart(local(tmp_path, "embedded", host.spare))
        await until(lambda: host.facts is not None and host.facts.name == "embedded")
        assert host.pid == spare_pid and host.deaths == 0

    hosted(tmp_path, scenario, with_spare=True)


def test_there_is_none_while_memory_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spare, "NEEDED_BYTES", 1 << 60)

    async def scenario(host: Host, results: list[Result]) -> None:
        await until(lambda: host.state == "ready")
        await asyncio.sleep(0.5)
        assert host.spare is not None
        assert not host.spare.waits and engines() == [host.pid]

    hosted(tmp_path, scenario, with_spare=True)


def test_an_engine_that_dies_at_once_is_waited_for_longer_and_longer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One that was ready for a while isn't."""

    async def scenario(host: Host, results: list[Result]) -> None:
        await until(lambda: host.state == "ready")
        await asyncio.sleep(STABLE_SECONDS + 0.1)
        for deaths in range(1, 4):
            await until(lambda: host.pid is not None)
            assert host.pid is not None
            os.kill(host.pid, signal.SIGKILL)
            await until(lambda deaths=deaths: host.deaths == deaths)

    hosted(tmp_path, scenario, with_spare=True)
    said = [each.getMessage() for each in caplog.records if "restarting" in each.getMessage()]
    assert [each.split()[-2] for each in said] == ["0.0", "0.4", "0.8"]


def test_none_is_started_while_one_job_follows_another_but_in_the_end_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spare, "IDLE_SECONDS", 1.0)

    async def scenario(host: Host, results: list[Result]) -> None:
        await until(lambda: host.state == "ready")
        for _ in range(15):
            assert isinstance(await load(host), Done)
            assert host.spare is not None and not host.spare.waits
            await asyncio.sleep(0.1)
        monkeypatch.setattr(spare, "BUSY_SECONDS", 1.0)
        for _ in range(100):
            assert isinstance(await load(host), Done)
            await asyncio.sleep(0.1)
            if host.spare is not None and host.spare.waits:
                return
        raise AssertionError("no spare came")

    hosted(tmp_path, scenario, with_spare=True)
