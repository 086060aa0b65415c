"""The benchmark compares what it says, and each part's own time."""

import pytest
import torch

from eutectic.config import SamplingSettings
from eutectic.engine.engine import Engine
from eutectic.engine.fusion import needed
from eutectic.engine.model import load
from eutectic.engine.store import Store
from eutectic.experiments import bench


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    device = torch.device("cpu")
    return Engine(load("embedded", device), Store(tmp_path_factory.mktemp("data")))


def test_every_row_is_measured(engine: Engine) -> None:
    report = bench.run(engine, 0.5, SamplingSettings(steps=4), runs=1)
    assert [(row.part, row.over) for row in report.ratios] == [
        ("full sampling", "generate_diffusion_cond"),
        ("fusion at 0.5 from a warm prefix", "Algorithm 1 run whole"),
        ("fan of 5", "its single fusions"),
        ("inversion", "DDIM inversion"),
    ]
    assert all(row.ratio > 0 and row.part_seconds > 0 for row in report.ratios)
    parts = [row.part for row in report.timings]
    assert parts[0] == "guided evaluation, 6 s, float32"
    assert parts[-2:] == ["decoding 0.7 s", "decoding the first chunk"]
    assert all(row.seconds > 0 for row in report.timings)
    assert len(report.lines()) == 1 + len(report.ratios) + len(report.timings)


@pytest.mark.parametrize(("cfg", "each"), [(1.0, 1), (3.0, 2)])  # guided: a doubled batch
def test_both_sides_of_a_comparison_do_the_same_work(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, cfg: float, each: int
) -> None:
    """Evaluations counted: rows of the network's batches on each side."""
    rows: list[int] = []
    # The transformer itself: guidance doubles the batch inside or outside the network.
    handle = engine.model.network.model.transformer.register_forward_pre_hook(
        lambda _, inputs: rows.append(len(inputs[0]))
    )
    monkeypatch.setitem(engine.model.defaults, "cfg", cfg)
    parts = bench.Parts(engine, 0.5, SamplingSettings(steps=8))

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
    handle.remove()
