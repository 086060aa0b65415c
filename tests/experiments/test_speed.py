"""The benchmark compares what it claims, and measures each part's time and floor."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from eutectic.config import SamplingSettings
from eutectic.engine.embedded import create_model
from eutectic.engine.engine import Engine
from eutectic.engine.fusion import needed
from eutectic.engine.loading import load
from eutectic.engine.precision import has_native_bfloat16
from eutectic.engine.store import Store
from eutectic.experiments.speed import Published, costs, faithful, floors, ratios, recalls
from eutectic.experiments.speed.parts import Parts
from eutectic.experiments.speed.published import CONFIGURATIONS

pytestmark = pytest.mark.training

CPU = torch.device("cpu")


def new_engine(folder: Path) -> Engine:
    return Engine(load("embedded", CPU), Store(folder))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return new_engine(tmp_path_factory.mktemp("data"))


def test_every_ratio_is_measured(engine: Engine) -> None:
    table = ratios.measure(Parts(engine, 0.5, SamplingSettings(steps=4)), runs=1)
    assert [row[:2] for row in table.rows] == [
        ("full sampling", "generate_diffusion_cond"),
        ("trigger at 0.5, first chunk", "generate_diffusion_cond"),
        ("trigger at 0.5, whole", "generate_diffusion_cond"),
        ("fusion at 0.5 from a warm prefix", "Algorithm 1 run whole"),
        ("fan of 5", "its single fusions"),
        ("fan of 9", "its single fusions"),
        ("inversion", "DDIM inversion"),
        ("inversion", "edit-friendly inversion"),
    ]
    assert all(isinstance(cell, float) and cell > 0 for row in table.rows for cell in row[2:])


@pytest.mark.realtime
def test_the_less_is_recalled_the_longer_a_fusion_takes(tmp_path: Path) -> None:
    table = recalls.measure(Parts(new_engine(tmp_path), 0.5, SamplingSettings(steps=20)), 2)
    assert table.column("recall") == ("1", "0.7", "0")
    recalled, between, network = table.column("over 0")
    assert 0 < float(recalled) < float(between)
    assert network == 1


@pytest.mark.realtime
def test_every_cost_is_measured_and_none_is_below_its_floor(tmp_path: Path) -> None:
    parts = Parts(new_engine(tmp_path), 0.5, SamplingSettings(steps=4))
    table = costs.measure(parts, runs=2, learn_steps=2)
    rows = {str(row[0]): row for row in table.rows}
    assert {
        "inversion, every level", "prefix, the whole grid", "decoding the first chunk",
        "learning, full, 2 steps", "learning, lora, 2 steps", "fan of 9, decoded",
        "trigger at 0.5, known prefix: queue", "trigger at 0.5, known prefix: decode",
        "trigger at 0.8, cold prefix, to its first chunk",
    } <= set(rows)  # fmt: skip
    assert all(row[1] > 0 for row in table.rows)  # type: ignore[operator]
    over = [row[4] for row in table.rows if not math.isnan(float(row[4]))]
    assert len(over) >= 6
    assert all(float(each) > 1 for each in over)


def test_what_does_not_fit_into_memory_is_reported_and_not_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when learning in full at the size of Stable Audio Open on a small machine."""
    monkeypatch.setitem(costs.LEARNING_COPIES, "full", 1_000_000)
    parts = Parts(new_engine(tmp_path), 0.5, SamplingSettings(steps=3))
    rows = costs.measure(parts, runs=1, learn_steps=1).rows
    learning = [str(row[0]) for row in rows if str(row[0]).startswith("learning")]
    assert [name.partition(",")[2].split()[0] for name in learning] == ["full:", "lora,"]
    assert "GB" in learning[0]


def test_what_is_faster_is_the_same_or_its_error_is_reported(tmp_path: Path) -> None:
    parts = Parts(new_engine(tmp_path), 0.5, SamplingSettings(steps=6))
    parts.model.bfloat16 = True
    rows = {row[0]: row for row in faithful.measure(parts).rows}
    assert parts.model.bfloat16
    same, error, decibels, distance = zip(*(row[2:] for row in rows.values()), strict=True)
    assert set(same) == {"yes", "no"}
    for equal, each, level, apart in zip(same, error, decibels, distance, strict=True):
        assert (equal == "yes") == (each == 0.0) == (apart == 0.0) == (level == -math.inf)
    for precision in {name.rpartition(", ")[2] for name in rows if ", " in str(name)}:
        assert rows[f"fusion from a kept prefix, {precision}"][2] == "yes"
    assert float(rows["fan of 5, float32"][3]) < 1e-4
    assert float(rows["decoding by chunks"][4]) < -100
    if has_native_bfloat16(CPU):
        assert 1e-4 < float(rows["bfloat16"][3]) < 0.2
        assert float(rows["decoding in bfloat16 (not used)"][4]) > -80


def test_operations_are_those_of_the_products() -> None:
    left, right = torch.ones(3, 5), torch.ones(5, 7)
    assert floors.operations(lambda: left @ right) == 2 * 3 * 5 * 7
    machine = floors.Machine(100.0, 10.0)
    assert machine.floor_seconds(200, 10) == 2.0
    assert machine.floor_seconds(200, 50) == 5.0


@pytest.mark.parametrize(
    ("published", "network_millions", "codec_millions"),
    [
        (Published.OPEN_1_0, 1057, 156),
        (Published.SMALL, 341, 156),
        (Published.SA3_SMALL_SFX, 459, 108),
    ],  # as published
)
def test_random_models_have_the_published_sizes(
    published: Published, network_millions: int, codec_millions: int
) -> None:
    with torch.device("meta"):
        wrapper = create_model(CONFIGURATIONS[published])
    for module, millions in ((wrapper.model, network_millions),
                             (wrapper.pretransform, codec_millions)):  # fmt: skip
        count = sum(weight.numel() for weight in module.parameters())
        assert round(count / 1e6) == millions


@pytest.mark.parametrize(("cfg", "each"), [(1.0, 1), (3.0, 2)])  # guided: a doubled batch
def test_both_sides_of_a_comparison_do_the_same_work(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, cfg: float, each: int
) -> None:
    """Counts evaluations, the rows of the network's batches, on each side."""
    rows: list[int] = []
    # The transformer itself: guidance doubles the batch inside or outside the network.
    prompted = engine.model._prompted  # a twin that gets keys and values
    assert prompted is not None
    handles = [
        network.model.transformer.register_forward_pre_hook(
            lambda _, inputs: rows.append(len(inputs[0]))
        )
        for network in (engine.model.network, prompted.network)
    ]
    monkeypatch.setattr(engine.model, "defaults", replace(engine.model.defaults, cfg=cfg))
    parts = Parts(engine, 0.5, SamplingSettings(steps=8))

    def count(function: object) -> int:
        rows.clear()
        assert callable(function)
        function()
        return sum(rows)

    assert count(parts.sample) == count(parts.generate) == 8 * each
    middle = parts.middle
    assert middle is not None
    assert count(parts.fuse_warm) == each * middle.remaining(parts.sampler)
    whole = needed([middle], parts.sampler) + middle.remaining(parts.sampler)
    assert 8 <= whole <= 9  # between two levels the history takes one more estimate
    assert count(parts.fuse_whole) == each * whole
    assert count(parts.fan) == count(parts.fan_singly)
    assert count(parts.invert) == 0
    assert count(parts.invert_ddim) == 7
    for handle in handles:
        handle.remove()
