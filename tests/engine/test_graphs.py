"""Recorded evaluations compute the same as plain ones, which take over where recording fails.

On a GPU the recorder is CUDA's; elsewhere one that computes again into the same tensor, so that
everything around a graph is tested: static arguments, shapes, weights changed in place.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from eutectic.audio import load_clip
from eutectic.config import LearnSettings, Place, SamplingSettings
from eutectic.engine import graphs
from eutectic.engine.conditioning import Conditioning
from eutectic.engine.embedded import create_model
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.engine.graphs import IN_FLIGHT, CudaRecord, Graphs, Pace, Record, Recorded
from eutectic.engine.loading import choose_device, load
from eutectic.engine.model import Model
from eutectic.engine.store import Store
from eutectic.experiments.speed import Published
from eutectic.experiments.speed.published import CONFIGURATIONS

DEVICE = choose_device()
CLIP = Path(__file__).parents[2] / "presets" / "clips" / "perc_bell.flac"


def again(compute: Callable[[], Tensor]) -> Recorded:
    """Without CUDA: the same computation from the same tensors into the same tensor."""
    result = compute()
    return Recorded(lambda: result.copy_(compute()), result)


def record() -> Record:
    return CudaRecord() if DEVICE.type == "cuda" else again


class Counted:
    """A function of tensors over weights, and how often it was computed and recorded."""

    def __init__(self) -> None:
        self.layer = nn.Linear(4, 4, device=DEVICE).requires_grad_(False)
        self.computed = self.recorded = 0

    def __call__(self, x: Tensor, shift: Tensor | None) -> Tensor:
        self.computed += 1
        result = self.layer(x)
        return result if shift is None else result + shift

    def record(self, compute: Callable[[], Tensor]) -> Recorded:
        self.recorded += 1
        return record()(compute)


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(DEVICE)


def test_each_shape_is_recorded_once_and_computes_what_the_function_does() -> None:
    function = Counted()
    recorded = Graphs(function, lambda: function.record)
    for seed in range(3):
        for rows in (1, 2):
            for shift in (None, numbers(rows, 4, seed=9 + seed)):
                x = numbers(rows, 4, seed=seed)
                torch.testing.assert_close(recorded(x, shift), function(x, shift))
    assert function.recorded == len(recorded) == 4


def test_results_belong_to_the_caller_and_arguments_are_unchanged() -> None:
    recorded = Graphs(Counted(), record)
    x = numbers(2, 4)
    given = x.clone()
    results = [recorded(x, None) for _ in range(3)]
    kept = [result.clone() for result in results]
    recorded(numbers(2, 4, seed=1), None)
    assert all(map(torch.equal, results, kept)) and torch.equal(x, given)


def test_weights_that_change_in_place_are_followed() -> None:
    function = Counted()
    recorded, x = Graphs(function, record), numbers(2, 4)
    before = recorded(x, None)
    function.layer.weight.mul_(2.0)
    after = recorded(x, None)
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, function(x, None))


def test_the_least_recently_used_are_evicted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "MAX_GRAPHS", 2)
    function = Counted()
    recorded = Graphs(function, lambda: function.record)
    for rows in (1, 2, 1, 3, 1):
        recorded(numbers(rows, 4), None)
    assert (function.recorded, len(recorded)) == (3, 2)
    recorded(numbers(2, 4), None)
    assert function.recorded == 4


def unrecordable(compute: Callable[[], Tensor]) -> Recorded:
    raise RuntimeError("operation not permitted when stream is capturing\nmore of it")


def different(compute: Callable[[], Tensor]) -> Recorded:
    return Recorded(lambda: None, compute() + 1.0)


def empty(compute: Callable[[], Tensor]) -> Recorded:
    """Like a graph on another device's stream: the recording run is right, replays do nothing."""
    return Recorded(lambda: None, compute())


@pytest.mark.parametrize(
    ("broken", "why"),
    [(unrecordable, "not permitted"), (different, "results differ"), (empty, "results differ")],
)
def test_what_cannot_be_recorded_is_computed_without_a_graph(
    broken: Record, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    function = Counted()
    recorded, x = Graphs(function, lambda: broken), numbers(2, 4)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            torch.testing.assert_close(recorded(x, None), function(x, None))
    (line,) = caplog.messages
    assert why in line and "\n" not in line
    assert len(recorded) == 0


def test_a_shape_that_does_not_fit_in_memory_is_computed_without_a_graph() -> None:
    """Until everything is cleared, which may free memory; other shapes are recorded."""
    function, scarce = Counted(), [True]

    def hungry(compute: Callable[[], Tensor]) -> Recorded:
        if scarce and scarce.pop():
            raise torch.OutOfMemoryError("CUDA out of memory")
        return function.record(compute)

    recorded, x = Graphs(function, lambda: hungry), numbers(2, 4)
    for _ in range(2):
        torch.testing.assert_close(recorded(x, None), function(x, None))
    assert function.recorded == len(recorded) == 0
    recorded(numbers(1, 4), None)
    assert function.recorded == len(recorded) == 1
    recorded.clear()
    recorded(x, None)
    assert function.recorded == 2


def test_a_result_that_is_not_finite_does_not_disable_graphs() -> None:
    function = Counted()
    recorded = Graphs(function, lambda: function.record)
    assert bool(recorded(numbers(2, 4) * float("nan"), None).isnan().all())
    assert function.recorded == 0
    torch.testing.assert_close(recorded(numbers(2, 4), None), function(numbers(2, 4), None))
    assert function.recorded == 1


def test_once_cleared_another_recorder_is_used() -> None:
    made: list[Record] = []

    def recorder() -> Record:
        made.append(record())
        return made[-1]

    recorded = Graphs(Counted(), recorder)
    recorded(numbers(2, 4), None)
    assert len(made) == 1
    recorded.clear()
    recorded(numbers(2, 4), None)
    assert (len(made), len(recorded)) == (2, 1)


def test_the_host_is_few_evaluations_ahead() -> None:
    """Each waits for the one `IN_FLIGHT` before it, and for none that wasn't issued."""
    events: list[tuple[str, int]] = []

    class Event:
        made = 0

        def __init__(self) -> None:
            self.number = Event.made
            Event.made += 1

        def record(self) -> None:
            events.append(("issued", self.number))

        def synchronize(self) -> None:
            events.append(("waited for", self.number))

    pace = Pace(Event)
    for _ in range(IN_FLIGHT + 2):
        pace.issued()
    assert events == [
        ("issued", 0), ("issued", 1), ("issued", 2), ("waited for", 0),
        ("issued", 3), ("waited for", 1),
    ]  # fmt: skip


# A model


@pytest.mark.training
@pytest.mark.parametrize("bfloat16", [False, True])
def test_fusions_are_the_same_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bfloat16: bool
) -> None:
    """Two references, a fan and its base, each with graphs and without."""
    engine = Engine(load("embedded", DEVICE), Store(tmp_path))
    model, codec = engine.model, engine.model.codec
    model.bfloat16 = bfloat16
    clip = engine.encode(load_clip(CLIP, codec.rate_hz, codec.channels, duration_seconds=0.5))
    learned = [
        engine.learn(clip, "a bell", LearnSettings("full", steps=2, learning_rate=rate)).adapter
        for rate in (1e-3, 2e-3)
    ]
    places, settings = (
        [Place(blend=blend) for blend in (0.2, 0.5, 0.9)],
        SamplingSettings(steps=4, recall=0.0),
    )

    def fused(used: Graphs | None) -> list[Tensor]:
        monkeypatch.setattr(model, "graphs", used)
        latents: list[Tensor] = []
        for adapter in (None, *learned, None):
            engine.cache.clear()
            reference = Reference("a bell", clip, adapter)
            made = engine.fuser.latents(clip, reference, places, settings)
            latents.extend(each.latent for each in made)
        return latents

    used = Graphs(model._estimate, record)
    plain = fused(None)
    assert all(map(torch.equal, fused(used), plain))
    assert len(used) == 2  # batches of one row and of two
    assert all(map(torch.equal, fused(used), plain))
    model.bfloat16 = not bfloat16
    assert not any(map(torch.equal, fused(used), plain))


def test_the_graph_of_a_clips_first_fusion_is_recorded_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(load("embedded", DEVICE), Store(tmp_path))
    codec, used = engine.model.codec, Graphs(engine.model._estimate, record)
    monkeypatch.setattr(engine.model, "graphs", used)
    clip = engine.encode(load_clip(CLIP, codec.rate_hz, codec.channels, duration_seconds=0.5))
    engine.prepare(clip)
    assert len(used) == 1
    reference = Reference("a bell", clip, None)
    engine.fuser.latents(clip, reference, [Place(blend=0.5)], SamplingSettings(steps=4, recall=0.0))
    assert len(used) == 1


def test_graphs_are_of_the_precision_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load("embedded", DEVICE)
    used = Graphs(model._estimate, record)
    monkeypatch.setattr(model, "graphs", used)
    denoiser = model.denoiser(model.condition("a bell", 1.0), cfg=2.0)
    state, sigma = numbers(1, model.codec.network_channels, 16), torch.ones(1)
    with torch.no_grad():
        exact = denoiser(state, sigma)
        assert len(used) == 1
        model.bfloat16 = True
        assert len(used) == 0
        assert not torch.equal(denoiser(state, sigma), exact)
    denoiser(state, sigma)  # under autograd, where graphs aren't used
    assert len(used) == 1


@pytest.mark.parametrize("published", list(Published))
@pytest.mark.parametrize("guided", [False, True])
def test_nothing_is_read_back_within_an_evaluation(published: Published, guided: bool) -> None:
    """On tensors without values, at the published size: so a graph can be recorded."""
    config: dict[str, Any] = CONFIGURATIONS[published]
    with torch.device("meta"):
        wrapper = create_model(config)
    model = Model("meta", wrapper, config, "meta", torch.device("meta"))
    widths = config["model"]["diffusion"]["config"]
    rows = 2
    doubled = 2 * rows if guided else rows
    conditioning = Conditioning(
        torch.empty(doubled, 130, widths["cond_token_dim"], device="meta"),
        None,
        torch.empty(doubled, widths["global_cond_dim"], device="meta"),
    )
    state = torch.empty(rows, widths["io_channels"], 272, device="meta")
    with torch.no_grad():
        denoised = model.estimate(state, [2.0, 3.0], conditioning, 7.0 if guided else None)
    assert denoised.shape == state.shape and denoised.is_meta
