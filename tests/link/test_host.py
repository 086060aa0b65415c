from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from eutectic import environment
from eutectic.config import LearnSettings
from eutectic.link import protocol as link
from eutectic.link.host import MIN_WAIT_SECONDS, Host, NotLoaded
from eutectic.link.protocol import Done, Failed, Learn, Load, Loaded, ReferenceSpec, Result, Source
from eutectic.link.spare import Spare
from eutectic.link.wire import Local
from hosts import engines, hosted, local, until

pytestmark = pytest.mark.process

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
GLASS = Source(str(CLIPS / "ambi_glass_rub.flac"), 0.0, 1.0)


class Listener:
    """Receives one job's results; `ended` is the last."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[Done | Failed] = asyncio.get_running_loop().create_future()
        self.started = asyncio.Event()

    def __call__(self, result: Result) -> None:
        if isinstance(result, Done | Failed):
            self.ended.set_result(result)  # a second one would raise
        else:
            self.started.set()


async def loaded(host: Host) -> Loaded:
    listener = Listener()
    host.submit(Load(0, GLASS), listener)
    done = await listener.ended
    assert isinstance(done, Loaded)
    return done


def endless(clip: Loaded, prompt: str) -> Learn:
    return Learn(0, ReferenceSpec(clip.key, prompt, LearnSettings(steps=100_000)))


def test_work_submitted_before_the_engine_runs_is_done_once_it_does(tmp_path: Path) -> None:
    async def scenario(host: Host, results: list[Result]) -> None:
        assert host.facts is None
        await loaded(host)
        assert host.facts is not None and host.facts.name == "toy"
        await until(lambda: host.state == "ready")
        states = [result.state for result in results if isinstance(result, link.State)]
        assert states[0] == "loading" and states[-1] == "ready"

    hosted(tmp_path, scenario)


def test_a_killed_engine_is_restarted_its_running_job_fails_and_queued_ones_run(
    tmp_path: Path,
) -> None:
    async def scenario(host: Host, results: list[Result]) -> None:
        clip = await loaded(host)
        running, waiting = Listener(), Listener()
        host.submit(endless(clip, "running"), running)
        await running.started.wait()
        host.submit(endless(clip, "waiting"), waiting)
        assert host.pid is not None
        os.kill(host.pid, signal.SIGKILL)
        failed = await running.ended
        assert isinstance(failed, Failed) and failed.code == "engine_died"
        assert host.deaths <= 1
        await waiting.started.wait()
        assert host.deaths == 1 and not waiting.ended.done()
        assert [result.state for result in results if isinstance(result, link.State)].count("dead")

    hosted(tmp_path, scenario)


def test_cancel_acts_at_once_on_a_queued_job_and_soon_on_a_running_one(tmp_path: Path) -> None:
    async def scenario(host: Host, results: list[Result]) -> None:
        clip = await loaded(host)
        running, waiting = Listener(), Listener()
        first = host.submit(endless(clip, "running"), running)
        await running.started.wait()
        second = host.submit(endless(clip, "waiting"), waiting)
        host.cancel(second)
        assert waiting.ended.done() and waiting.ended.result() == Failed(
            second, "cancelled", "cancelled"
        )
        host.cancel(first)
        failed = await running.ended
        assert isinstance(failed, Failed) and failed.code == "cancelled"
        await loaded(host)

    hosted(tmp_path, scenario)


def test_a_model_that_cannot_be_loaded_is_not_retried(tmp_path: Path) -> None:
    async def scenario(host: Host, results: list[Result]) -> None:
        listener = Listener()
        host.submit(Load(0, GLASS), listener)
        failed = await listener.ended
        assert isinstance(failed, Failed) and failed.code == "no_model"
        assert host.state == "failed"
        await host.restart(local(tmp_path, "toy", host.spare))
        await loaded(host)

    hosted(tmp_path, scenario, model="nowhere")


def test_restarting_with_another_command_fails_the_running_job_and_keeps_queued_ones(
    tmp_path: Path,
) -> None:
    async def scenario(host: Host, results: list[Result]) -> None:
        clip = await loaded(host)
        running, waiting = Listener(), Listener()
        host.submit(endless(clip, "running"), running)
        await running.started.wait()
        pid = host.pid
        await host.restart(local(tmp_path, "toy", host.spare))
        host.submit(Load(0, GLASS), waiting)
        assert isinstance(await waiting.ended, Done)
        assert isinstance(await running.ended, Failed)
        assert host.pid != pid and host.deaths == 0

    hosted(tmp_path, scenario)


def test_another_model_is_loaded_while_the_one_in_use_goes_on(tmp_path: Path) -> None:
    async def scenario(host: Host, results: list[Result]) -> None:
        clip = await loaded(host)
        await until(lambda: host.state == "ready")
        running = Listener()
        host.submit(endless(clip, "running"), running)
        await running.started.wait()
        pid, heard = host.pid, len(results)
        embedded = local(tmp_path, "embedded", host.spare)
        beside = await host.load_beside(embedded, 0)
        assert beside is not None and host.pid == pid and len(results) == heard
        assert host.facts is not None and host.facts.name == "toy" and not running.ended.done()
        await host.drain()  # which waits for no learning
        await host.restart(embedded, beside)
        assert isinstance(await running.ended, Failed)
        await until(lambda: host.facts is not None and host.facts.name == "embedded")
        assert host.pid == beside.pid and host.deaths == 0
        await loaded(host)
        states = [each.state for each in results[heard:] if isinstance(each, link.State)]
        assert states == ["loading", "ready"]

    hosted(tmp_path, scenario)


def test_a_model_that_cannot_be_loaded_beside_it_changes_nothing(tmp_path: Path) -> None:
    async def scenario(host: Host, results: list[Result]) -> None:
        await until(lambda: host.state == "ready")
        pid, heard = host.pid, len(results)
        with pytest.raises(NotLoaded, match="nowhere"):
            await host.load_beside(local(tmp_path, "nowhere", host.spare), 0)
        assert host.pid == pid and len(results) == heard and engines() == [pid]

    hosted(tmp_path, scenario)


def test_one_is_loaded_beside_it_only_where_there_is_memory_for_both(tmp_path: Path) -> None:
    async def scenario(host: Host, results: list[Result]) -> None:
        embedded = local(tmp_path, "embedded", host.spare)
        await until(lambda: host.state == "ready")
        assert await host.load_beside(embedded, 1 << 60) is None
        assert engines() == [host.pid]

    hosted(tmp_path, scenario)


def test_without_an_engine_it_fails_and_says_what_to_do_until_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(environment.VARIABLE, str(tmp_path / "nowhere"))

    async def scenario(host: Host, results: list[Result]) -> None:
        await until(lambda: host.state == "failed")
        assert host.failure.endswith("no engine is installed; this installs it: eutectic setup")
        await asyncio.sleep(MIN_WAIT_SECONDS)
        assert len(results) == 1 and host.deaths == 0
        monkeypatch.delenv(environment.VARIABLE)
        await host.restart(local(tmp_path, "toy", host.spare))
        await loaded(host)

    hosted(tmp_path, scenario)


def test_a_model_whose_engine_dies_as_it_is_loaded_beside_it_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(host: Host, results: list[Result]) -> None:
        await until(lambda: host.state == "ready")
        pid = host.pid
        monkeypatch.setattr(environment, "command", lambda module: ["false"])
        embedded = local(tmp_path, "embedded", host.spare)
        assert await host.load_beside(embedded, 0) is None
        assert host.pid == pid and host.deaths == 0

    hosted(tmp_path, scenario)


def test_engines_that_die_before_a_word_after_a_failure_are_deaths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(host: Host, results: list[Result]) -> None:
        await until(lambda: host.state == "failed")
        monkeypatch.setattr(environment, "command", lambda module: ["false"])
        await host.restart(local(tmp_path, "toy", host.spare))
        await until(lambda: host.deaths > 0)

    hosted(tmp_path, scenario, model="nowhere")


@pytest.mark.parametrize("word", ["nothing", "{}", '{"type":"Done"}'])
def test_an_engine_that_breaks_the_protocol_is_treated_as_dead(
    word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["sh", "-c", f"echo '{word}'; exec sleep 60"]
    monkeypatch.setattr(environment, "command", lambda module: command)

    async def run() -> None:
        spare = Spare()
        host = Host(Local(spare, []), lambda result: None, spare)
        host.start()
        await asyncio.wait_for(until(lambda: host.deaths > 0), 30)
        await host.stop()

    asyncio.run(run())
