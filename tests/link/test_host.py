from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from eutectic.config import LearnSettings
from eutectic.link import protocol as link
from eutectic.link.host import Host, engine_command
from eutectic.link.protocol import Done, Failed, Learn, Load, ReferenceSpec, Result, Source

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
GLASS = Source(str(CLIPS / "ambi_glass_rub.flac"), 0.0, 1.0)
BUDGET = 100 << 20


class Ears:
    """Hears of one job; `ended` is its one last result."""

    def __init__(self) -> None:
        self.heard: list[Result] = []
        self.ended: asyncio.Future[Done | Failed] = asyncio.get_running_loop().create_future()
        self.begun = asyncio.Event()

    def __call__(self, result: Result) -> None:
        self.heard.append(result)
        if isinstance(result, Done | Failed):
            self.ended.set_result(result)  # a second one would raise
        else:
            self.begun.set()


def hosted(
    tmp_path: Path, scenario: Callable[[Host, list[Result]], Awaitable[None]], model: str = "toy"
) -> None:
    """Run a scenario with a real engine behind; no process may be left."""

    async def run() -> None:
        told: list[Result] = []
        host = Host(engine_command(model, tmp_path, BUDGET, "cpu"), told.append)
        host.start()
        try:
            await asyncio.wait_for(scenario(host, told), 120)
        finally:
            await host.stop()

    asyncio.run(run())
    assert not [child for child in psutil.Process().children() if "eutectic.engine" in
                " ".join(child.cmdline())]  # fmt: skip


async def loaded(host: Host) -> Done:
    ears = Ears()
    host.submit(Load(0, GLASS), ears)
    done = await ears.ended
    assert isinstance(done, Done)
    return done


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.02)


def endless(clip: Done, prompt: str) -> Learn:
    return Learn(0, ReferenceSpec(clip.found["key"], prompt, LearnSettings(steps=100_000)))


def test_work_given_before_the_engine_is_there_is_done_once_it_is(tmp_path: Path) -> None:
    async def scenario(host: Host, told: list[Result]) -> None:
        assert host.facts is None
        await loaded(host)
        assert host.facts is not None and host.facts.name == "toy"
        await until(lambda: host.state == "ready")
        states = [result.state for result in told if isinstance(result, link.State)]
        assert states[0] == "loading" and states[-1] == "ready"

    hosted(tmp_path, scenario)


def test_a_killed_engine_comes_back_fails_what_it_did_and_does_what_waited(
    tmp_path: Path,
) -> None:
    async def scenario(host: Host, told: list[Result]) -> None:
        clip = await loaded(host)
        running, waiting = Ears(), Ears()
        host.submit(endless(clip, "running"), running)
        await running.begun.wait()
        host.submit(endless(clip, "waiting"), waiting)
        assert host.pid is not None
        os.kill(host.pid, signal.SIGKILL)
        failed = await running.ended
        assert isinstance(failed, Failed) and failed.code == "engine_died"
        assert host.deaths <= 1
        await waiting.begun.wait()
        assert host.deaths == 1 and not waiting.ended.done()
        assert [result.state for result in told if isinstance(result, link.State)].count("dead")

    hosted(tmp_path, scenario)


def test_cancel_answers_at_once_while_a_job_waits_and_soon_while_it_runs(tmp_path: Path) -> None:
    async def scenario(host: Host, told: list[Result]) -> None:
        clip = await loaded(host)
        running, waiting = Ears(), Ears()
        first = host.submit(endless(clip, "running"), running)
        await running.begun.wait()
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


def test_a_model_that_can_not_be_loaded_is_not_tried_for_ever(tmp_path: Path) -> None:
    async def scenario(host: Host, told: list[Result]) -> None:
        ears = Ears()
        host.submit(Load(0, GLASS), ears)
        failed = await ears.ended
        assert isinstance(failed, Failed) and failed.code == "no_model"
        assert host.state == "failed"
        await host.restart(engine_command("toy", tmp_path, BUDGET, "cpu"))
        await loaded(host)

    hosted(tmp_path, scenario, model="nowhere")


def test_another_model_takes_over_and_jobs_that_waited_with_it(tmp_path: Path) -> None:
    async def scenario(host: Host, told: list[Result]) -> None:
        clip = await loaded(host)
        running, waiting = Ears(), Ears()
        host.submit(endless(clip, "running"), running)
        await running.begun.wait()
        pid = host.pid
        await host.restart(engine_command("toy", tmp_path, BUDGET, "cpu"))
        host.submit(Load(0, GLASS), waiting)
        assert isinstance(await waiting.ended, Done)
        assert isinstance(await running.ended, Failed)
        assert host.pid != pid and host.deaths == 0

    hosted(tmp_path, scenario)


@pytest.mark.parametrize("word", ["nothing", "{}", '{"type":"Done"}'])
def test_an_engine_that_talks_nonsense_is_taken_for_dead(tmp_path: Path, word: str) -> None:
    async def run() -> None:
        told: list[Result] = []
        host = Host(["sh", "-c", f"echo '{word}'; exec sleep 60"], told.append)
        host.start()
        await asyncio.wait_for(until(lambda: host.deaths > 0), 30)
        await host.stop()

    asyncio.run(run())
