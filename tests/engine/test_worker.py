from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import msgspec
import numpy as np
import psutil
import pytest
import soundfile
import torch

from engine_process import RATE_HZ, TAIL, Process, reference_spec, running
from eutectic.audio import Waveform, loudness_lufs
from eutectic.config import LearnSettings, Place, SamplingSettings
from eutectic.engine import render
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Fuser
from eutectic.engine.job_queue import Job, JobQueue
from eutectic.engine.loading import load
from eutectic.engine.store import Store
from eutectic.engine.worker import Worker
from eutectic.link import protocol as link
from eutectic.link.protocol import Canvas, Done, Failed, Loaded, Priority, ReferenceSpec, Source
from eutectic.system.shared_memory import sweep

pytestmark = pytest.mark.process

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
HELPERS = Path(__file__).parents[1] / "helpers"
WEIRDO = Source(str(CLIPS / "loop_weirdo.flac"), 0.0, 2.0)
GLASS = Source(str(CLIPS / "ambi_glass_rub.flac"), 0.0, 1.5)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def engine(store: Path) -> Generator[Process]:
    with running(store) as process:
        yield process


def loaded(engine: Process, source: Source) -> Loaded:
    done = engine.load(source)
    assert isinstance(done, Loaded)
    return done


def same(one: object, other: Loaded) -> bool:
    """Whether a load gave the same clip as another."""
    return isinstance(one, Loaded) and msgspec.structs.replace(one, job=other.job) == other


def learned(engine: Process, **settings: int) -> ReferenceSpec:
    reference = reference_spec(loaded(engine, GLASS), **({"steps": 3} | settings))
    assert isinstance(engine.end(engine.learn(reference)), Done)
    return reference


def rendered(engine: Process, job: int, canvas: Canvas) -> np.ndarray:
    """The samples of a finished job, whose chunks must cover it from start to end."""
    chunks = engine.chunks(job)
    assert chunks[0][0] == 0
    assert chunks[-1][1] == canvas.frames + canvas.tail
    assert all(left[1] == right[0] for left, right in itertools.pairwise(chunks))
    return np.array(canvas.map())


def test_the_model_is_described_before_any_job_runs(tmp_path: Path) -> None:
    with running(tmp_path) as engine:
        facts = engine.until(lambda result: isinstance(result, link.ModelFacts))
        assert isinstance(facts, link.ModelFacts)
        assert (facts.rate_hz, facts.channels, facts.recall) == (44_100, 2, 0.0)
        ready = engine.until(lambda r: isinstance(r, link.State) and r.state == "ready")
        assert isinstance(ready, link.State) and ready.fraction == 1.0


def test_a_missing_model_is_reported_in_one_line(tmp_path: Path) -> None:
    with running(tmp_path, model="nowhere") as engine:
        failed = engine.until(lambda r: isinstance(r, link.State) and r.state == "failed")
        assert isinstance(failed, link.State) and "unknown model" in failed.text
        assert engine.process.wait(20) == 2  # though a thread of it reads its commands


def test_a_fusion_has_the_originals_length_at_the_requested_rate_and_the_right_loudness(
    engine: Process,
) -> None:
    original, reference = loaded(engine, WEIRDO), learned(engine)
    job, (canvas,) = engine.fuse(original, reference, [0.6])
    assert isinstance(engine.end(job), Done)
    samples = rendered(engine, job, canvas)
    assert samples.shape == (2, round(original.frames * RATE_HZ / 44_100) + TAIL)
    glass = engine.load(GLASS)
    assert isinstance(glass, Loaded)
    target = 0.6 * original.loudness_lufs + 0.4 * glass.loudness_lufs
    assert loudness_lufs(Waveform(samples[:, :-TAIL], RATE_HZ)) == pytest.approx(target, abs=1.5)


def test_a_fan_is_rendered_place_by_place_and_differs(engine: Process) -> None:
    original, reference = loaded(engine, WEIRDO), learned(engine)
    job, canvases = engine.fuse(original, reference, [0.0, 0.5, 1.0], Priority.FAN)
    assert isinstance(engine.end(job), Done)
    sounds = [np.array(canvas.map()) for canvas in canvases]
    assert not np.allclose(sounds[0], sounds[1]) and not np.allclose(sounds[1], sounds[2])
    indices = [r.index for r in engine.results if isinstance(r, link.Fused) and r.job == job]
    assert indices == [0, 1, 2]


@pytest.mark.parametrize("recall", [1.0, 0.5, 0.0])
def test_pieces_of_what_is_heard_are_alike_where_they_overlap_and_nothing_is_kept(
    engine: Process, store: Path, recall: float
) -> None:
    reference, frames, later = learned(engine), 44_100, 10 * 1024
    noise = np.random.default_rng(5).standard_normal((2, later + frames)).astype(np.float32)
    before, kept = sorted(store.rglob("*")), list[int]()
    sounds: list[np.ndarray] = []
    for start in (0, later):
        samples = 0.1 * noise[:, start : start + frames]
        sampling = SamplingSettings(recall=recall, start=start / 44_100)
        job, canvas, memory = heard(engine, samples, reference, sampling)
        assert isinstance(engine.end(job), Done)
        sounds.append(rendered(engine, job, canvas)[:, :frames])
        memory.unlink()
        usage = engine.until(lambda result: isinstance(result, link.Usage))
        assert isinstance(usage, link.Usage)
        kept.append(usage.kept_bytes)
    difference = sounds[0][:, later : frames - 1024] - sounds[1][:, : frames - later - 1024]
    assert np.abs(difference).max() < 1e-4  # measured 1e-6
    assert sorted(store.rglob("*")) == before
    assert kept[0] == kept[1]  # of the reference alone


def test_a_piece_whose_samples_are_gone_is_cancelled(engine: Process) -> None:
    samples = np.zeros((2, 44_100), np.float32)
    memory = Canvas.make(2, 44_100, 0, 44_100)
    memory.unlink()
    job, _, _ = heard(engine, samples, learned(engine), SamplingSettings(), memory)
    gone = engine.end(job)
    assert isinstance(gone, Failed) and gone.code == "cancelled"


def heard(
    engine: Process, samples: np.ndarray, reference: ReferenceSpec, sampling: SamplingSettings,
    memory: Canvas | None = None,
) -> tuple[int, Canvas, Canvas]:  # fmt: skip
    """A job that fuses samples at 44.1 kHz, what it fills, and what holds them."""
    if memory is None:
        memory = Canvas.make(2, samples.shape[1], 0, 44_100)
        memory.map()[:] = samples
    job, canvas = next(engine.numbers), Canvas.make(2, samples.shape[1], TAIL, 44_100)
    engine.send(link.Fuse(
        job, "", reference, [Place(blend=0.6)], sampling, "raw", [canvas], Priority.LIVE, memory
    ))  # fmt: skip
    return job, canvas, memory


def test_a_clip_is_found_by_its_key_without_its_file(engine: Process, tmp_path: Path) -> None:
    path = tmp_path / "gone.wav"
    generator = np.random.default_rng(3)
    soundfile.write(path, 0.1 * generator.standard_normal((30_000, 2)), 44_100)
    first = loaded(engine, Source(str(path)))
    path.unlink()
    again = engine.load(Source(str(path)), first.key)
    assert same(again, first)
    missing = engine.load(Source(str(path)), "0" * 32)
    assert isinstance(missing, Failed) and missing.code == "no_file"


def test_another_engine_finds_clips_and_references_of_an_earlier_session(
    engine: Process, store: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "glass.wav"
    samples, rate_hz = soundfile.read(GLASS.path)
    soundfile.write(copy, samples[: round(1.2 * rate_hz)], rate_hz, subtype="FLOAT")
    clip = loaded(engine, Source(str(copy)))
    reference = reference_spec(clip, steps=4)
    assert isinstance(engine.end(engine.learn(reference)), Done)
    copy.unlink()
    with running(store) as later:
        job, (canvas,) = later.fuse(clip, reference, [0.5])
        assert isinstance(later.end(job), Done)
        assert np.abs(canvas.map()).max() > 0


def test_a_damaged_entry_is_encoded_again_from_the_file(tmp_path: Path) -> None:
    with running(tmp_path) as engine:
        clip = loaded(engine, WEIRDO)
    (entry,) = (tmp_path / "encoded").iterdir()
    damaged = bytearray(entry.read_bytes())
    damaged[-1000] ^= 0x40
    entry.write_bytes(damaged)
    with running(tmp_path) as engine:
        again = engine.load(WEIRDO, clip.key)
        assert same(again, clip)


def test_an_unknown_clip_and_an_unlearned_reference_are_stale(engine: Process) -> None:
    original, reference = loaded(engine, WEIRDO), learned(engine)
    unlearned = reference_spec(loaded(engine, GLASS), prompt="never learned", steps=3)
    job, _ = engine.fuse(original, unlearned, [0.5])
    failed = engine.end(job)
    assert isinstance(failed, Failed) and failed.code == "stale_reference"
    job, _ = engine.fuse(msgspec.structs.replace(original, key="f" * 32), reference, [0.5])
    failed = engine.end(job)
    assert isinstance(failed, Failed) and failed.code == "stale_clip"


def test_what_is_only_remembered_is_fused_with(
    engine: Process,
) -> None:
    original, glass = loaded(engine, WEIRDO), loaded(engine, GLASS)
    job, (canvas,) = engine.fuse(original, ReferenceSpec(glass.key, "never learned"), [0.5])
    assert isinstance(engine.end(job), Done)
    assert np.abs(rendered(engine, job, canvas)).max() > 0.01
    job, _ = engine.fuse(original, ReferenceSpec("f" * 32, "gone"), [0.5])
    failed = engine.end(job)
    assert isinstance(failed, Failed) and failed.code == "stale_clip"


def test_a_trigger_preempts_learning_which_continues_as_if_undisturbed(
    engine: Process, tmp_path: Path
) -> None:
    original, reference = loaded(engine, WEIRDO), learned(engine)
    long = reference_spec(loaded(engine, GLASS), prompt="long", steps=1500)
    learning = engine.learn(long)
    engine.begun(learning)
    job, _ = engine.fuse(original, reference, [0.5])
    assert isinstance(engine.end(job), Done)
    over = [r for r in engine.results if isinstance(r, Done | Failed) and r.job == learning]
    assert not over
    assert isinstance(engine.end(learning), Done)
    overtaken, (canvas,) = engine.fuse(original, long, [0.3], Priority.RENDER)
    assert isinstance(engine.end(overtaken), Done)
    with running(tmp_path) as alone:
        loaded(alone, WEIRDO)
        loaded(alone, GLASS)
        assert isinstance(alone.end(alone.learn(long)), Done)
        job, (undisturbed,) = alone.fuse(original, long, [0.3], Priority.RENDER)
        assert isinstance(alone.end(job), Done)
        assert np.allclose(canvas.map(), undisturbed.map(), atol=1e-5)


def test_cancelling_ends_learning_between_steps_and_queued_jobs_before_they_begin(
    engine: Process,
) -> None:
    clip = loaded(engine, GLASS)
    first = engine.learn(reference_spec(clip, prompt="first", steps=100_000))
    engine.begun(first)
    second = engine.learn(reference_spec(clip, prompt="second", steps=100_000))
    engine.send(link.Cancel(second))
    engine.send(link.Cancel(first))
    failed = [engine.until(lambda result: isinstance(result, Done | Failed)) for _ in range(2)]
    assert {(one.job, one.code) for one in failed if isinstance(one, Failed)} == {
        (first, "cancelled"), (second, "cancelled"),
    }  # fmt: skip


def test_a_job_cancelled_behind_a_long_one_does_not_wait_for_it(engine: Process) -> None:
    original, reference = loaded(engine, WEIRDO), learned(engine)
    long = engine.learn(reference_spec(loaded(engine, GLASS), prompt="longer", steps=100_000))
    engine.begun(long)
    behind, _ = engine.fuse(original, reference, [0.4], Priority.AHEAD)
    engine.send(link.Cancel(behind))
    failed = engine.end(behind)
    assert isinstance(failed, Failed) and failed.code == "cancelled"
    engine.send(link.Cancel(long))
    engine.end(long)


class Inline:
    """A worker that runs its jobs here and now."""

    def __init__(self, model: str, store: Path) -> None:
        self.sent: list[link.Result] = []
        self.queue = JobQueue()
        engine = Engine(load(model, torch.device("cpu")), Store(store))
        self.worker = Worker(engine, self.queue, self.sent.append)

    def do(self, *commands: link.Work) -> list[link.Result]:
        """What it sends while it runs these, queued together."""
        self.sent.clear()
        for command in commands:
            self.queue.put(Job(command, command.priority))
        while len(self.queue) and (job := self.queue.take()):
            self.worker.run(job)
        return list(self.sent)

    def load_six_seconds(self) -> str:
        """The key of a clip."""
        source = Source(str(CLIPS / "ambi_lunar_land.flac"), 0.0, 6.0)
        (clip,) = (r for r in self.do(link.Load(0, source)) if isinstance(r, Loaded))
        return clip.key


def fuse_six_seconds(
    number: int, reference: ReferenceSpec, blend: float, sampling: SamplingSettings
) -> link.Fuse:
    """A trigger of a reference's own clip."""
    return link.Fuse(
        number, reference.clip, reference, [Place(blend=blend)], sampling, "match",
        [Canvas.make(2, 6 * RATE_HZ, TAIL, RATE_HZ)], Priority.TRIGGER,
    )  # fmt: skip


def test_thousands_of_jobs_cancelled_at_once_each_end(tmp_path: Path) -> None:
    inline = Inline("toy", tmp_path)
    for number in range(2000):
        inline.queue.put(Job(link.Load(number, WEIRDO), Priority.LOAD))
    for number in range(2000):
        inline.queue.cancel(number)
    inline.worker.run(Job(None, Priority.WARM))
    ended = [result for result in inline.sent if isinstance(result, Failed)]
    assert [each.code for each in ended] == ["cancelled"] * 2000
    assert {each.job for each in ended} == set(range(2000))


def test_triggers_start_in_the_order_received_also_while_sounds_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each begins as soon as the one before has a lead, and none before that."""
    monkeypatch.setattr(render, "WHOLE_SECONDS", 0.0)
    inline = Inline("toy", tmp_path)
    reference = ReferenceSpec(inline.load_six_seconds(), "x")
    sampling = SamplingSettings(steps=4, recall=0.5)
    numbers = list(range(1, 9))
    inline.worker._lead.took(1e-3)
    sent = inline.do(
        *(fuse_six_seconds(number, reference, number / 10, sampling) for number in numbers)
    )
    chunks = [each.job for each in sent if isinstance(each, link.Chunk)]
    assert list(dict.fromkeys(chunks)) == numbers
    ended = [each.job for each in sent if isinstance(each, Done) and each.job]
    assert ended != numbers  # they were nested
    sweep(os.getpid())


def test_a_trigger_does_not_wait_for_the_rest_of_another_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It completes first and changes no frame of the other, unless time may not suffice."""
    monkeypatch.setattr(render, "WHOLE_SECONDS", 0.0)
    inline = Inline("embedded", tmp_path)
    do, numbers = inline.do, itertools.count()

    def fusion(blend: float) -> link.Fuse:
        return fuse_six_seconds(next(numbers), reference, blend, SamplingSettings(steps=4))

    reference = ReferenceSpec(inline.load_six_seconds(), "x", LearnSettings(steps=1))
    do(link.Learn(next(numbers), reference))
    alone = [fusion(blend) for blend in (0.4, 0.6)]
    for each in alone * 2:  # the second time with the gain measured the first time
        do(each)
    first, second = fusion(0.4), fusion(0.6)
    results = do(first, second)
    order = [(type(r).__name__, r.job) for r in results if isinstance(r, link.Chunk | Done)]
    begun = order.index(("Chunk", second.job))
    assert 0 < begun < order.index(("Done", second.job)) < order.index(("Done", first.job))
    assert order[begun - 1] == ("Chunk", first.job)
    for made, expected in zip((first, second), alone, strict=True):
        assert np.array_equal(made.canvases[0].map(), expected.canvases[0].map())
    inline.worker._lead.took(1e6)
    results = do(fusion(0.4), fusion(0.6))
    ended = [r.job for r in results if isinstance(r, Done)]
    assert ended == sorted(ended)
    sweep(os.getpid())


def test_the_cache_stays_within_its_limit_and_fusions_still_work(tmp_path: Path) -> None:
    with running(tmp_path, memory_bytes=1 << 20) as engine:
        original, reference = loaded(engine, WEIRDO), learned(engine)
        for blend in (0.2, 0.5, 0.8, 0.2):
            job, _ = engine.fuse(original, reference, [blend])
            assert isinstance(engine.end(job), Done)
        loaded(engine, GLASS)
        usages = [result for result in engine.results if isinstance(result, link.Usage)]
        assert max(usage.kept_bytes for usage in usages) <= 1 << 20
        assert usages[-1].evicted > 0


def test_the_process_ends_when_its_pipe_closes_and_unlinks_shared_memory(
    tmp_path: Path,
) -> None:
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from engine_process import running\n"
        "from eutectic.link.protocol import Canvas\n"
        "with running(Path(sys.argv[1])) as engine:\n"
        "    canvas = Canvas.make(2, 1000, 0, 48000)\n"
        "    print(engine.process.pid, canvas.path, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path), str(HELPERS)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as daemon:
        assert daemon.stdout is not None
        number, path = daemon.stdout.readline().split()
        engine = psutil.Process(int(number))
        assert Path(path).exists()
        os.kill(daemon.pid, signal.SIGKILL)
    engine.wait(timeout=20)
    assert not Path(path).exists()


def test_shared_memory_of_dead_processes_is_unlinked() -> None:
    gone = subprocess.run(
        [sys.executable, "-c", "from eutectic.link.protocol import Canvas; "
         "print(Canvas.make(2, 1000, 0, 48000).path)"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    mine = Canvas.make(1, 10, 0, 48_000)
    assert Path(gone).exists()
    sweep()
    assert not Path(gone).exists()
    assert Path(mine.path).exists()
    mine.unlink()


class ShortOfMemory(Fuser):
    """Runs out of memory a given number of times."""

    failures = 0

    def latents(self, *arguments: object, **named: object) -> object:  # type: ignore[override]
        if self.failures > 0:
            self.failures -= 1
            raise torch.OutOfMemoryError
        return super().latents(*arguments, **named)  # type: ignore[arg-type]


@pytest.mark.parametrize(("failures", "code"), [(1, None), (2, "out_of_memory")])
def test_out_of_memory_is_retried_once_with_empty_caches(
    tmp_path: Path, failures: int, code: str | None
) -> None:
    engine = Engine(load("toy", torch.device("cpu")), Store(tmp_path))
    engine.fuser = short = ShortOfMemory(engine.model, engine.cache)
    results: list[link.Result] = []
    queue = JobQueue()
    worker = Worker(engine, queue, results.append)

    def do(command: link.Load | link.Learn | link.Fuse) -> link.Result:
        worker.run(Job(command, command.priority))
        while queue and (job := queue.take()):
            worker.run(job)
        return next(r for r in reversed(results) if isinstance(r, Done | Failed))

    clip = do(link.Load(1, WEIRDO))
    assert isinstance(clip, Loaded)
    reference = ReferenceSpec(clip.key, "x", LearnSettings(steps=2))
    assert isinstance(do(link.Learn(2, reference)), Done)
    short.failures = failures
    canvas = Canvas.make(2, 88_200, 0, 44_100)
    fuse = link.Fuse(
        3, clip.key, reference, [Place(blend=0.5)],
        SamplingSettings(), "match", [canvas],
    )  # fmt: skip
    result = do(fuse)
    if code is None:
        assert isinstance(result, Done) and np.abs(canvas.map()).max() > 0
    else:
        assert isinstance(result, Failed) and result.code == code
        assert isinstance(do(msgspec.structs.replace(fuse, job=4)), Done)
    canvas.unlink()
