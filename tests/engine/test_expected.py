"""What is said of a model's speed before it is here: counted, not guessed."""

import copy

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from eutectic.config import Place
from eutectic.engine import fusion
from eutectic.engine.defaults import defaults_of
from eutectic.engine.expected import expected_seconds
from eutectic.engine.fetching import (
    KNOWN,
    OPEN_EVALUATIONS,
    OPEN_GFLOP,
    SA3_EVALUATIONS,
    SA3_GFLOP,
)
from eutectic.engine.library import create_model_from_config
from eutectic.engine.sample import Sampler
from eutectic.engine.schedule import log_snr, polyexponential
from eutectic.experiments.speed import Published
from eutectic.experiments.speed.published import CONFIGURATIONS


@pytest.mark.parametrize(
    ("published", "tokens", "frames", "first_chunk", "expected"),
    [
        (Published.SA3_SMALL_SFX, 257, 66, 8 + 4, SA3_GFLOP["small"]),
        (Published.OPEN_1_0, 130, 144, 8 + 4, OPEN_GFLOP["1.0"]),
        (Published.SMALL, 130, 144, 8 + 4, OPEN_GFLOP["small"]),
    ],
)
def test_operations_are_those_of_the_published_configuration(
    published: Published, tokens: int, frames: int, first_chunk: int, expected: tuple[float, float]
) -> None:
    """The first chunk is decoded with its context."""
    config = copy.deepcopy(CONFIGURATIONS[published])
    channels, network = config["model"]["io_channels"], config["model"]["diffusion"]["config"]
    conditioning = config["model"]["conditioning"]
    conditioning["configs"] = [each for each in conditioning["configs"] if each["id"] != "prompt"]
    inputs = {"cross_attn_cond": (tokens, 768), "global_cond": (network["global_cond_dim"],)}
    if "local_add_cond_dim" in network:
        inputs["local_add_cond"] = (network["local_add_cond_dim"], frames)
    with torch.device("meta"), torch.no_grad():
        model = create_model_from_config(config)
        with FlopCounterMode(display=False) as evaluation:
            model.model(
                torch.zeros(1, channels, frames), torch.zeros(1),
                **{name: torch.zeros(1, *shape) for name, shape in inputs.items()},
            )  # fmt: skip
        with FlopCounterMode(display=False) as decoding:
            model.pretransform.decode(torch.zeros(1, channels, first_chunk))
    counted = (evaluation.get_total_flops() / 1e9, decoding.get_total_flops() / 1e9)
    assert counted == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    ("kind", "objective", "expected"),
    [
        ("diffusion_cond_inpaint", "rf_denoiser", SA3_EVALUATIONS[False]),
        ("diffusion_cond_inpaint", "rectified_flow", SA3_EVALUATIONS[True]),
        ("diffusion_cond", "rf_denoiser", OPEN_EVALUATIONS["small"]),
        ("diffusion_cond", "v", OPEN_EVALUATIONS["1.0"]),
    ],
)
def test_evaluations_are_those_of_a_fusion_in_the_middle(
    kind: str, objective: str, expected: int
) -> None:
    own = defaults_of(kind, objective, {})
    if own.grid == "log_snr":
        grid = log_snr(own.steps, own.lowest_log_snr)
    else:
        grid = polyexponential(own.steps, own.s_min, own.s_max, own.rho)
    sampler = Sampler(grid, own.order, own.solver, own.eta)
    injection = fusion.at_place(Place(0.5), sampler)
    assert injection is not None
    evaluations = fusion.needed([injection], sampler) + injection.remaining(sampler)
    assert evaluations * (1 if own.cfg == 1 else 2) == expected
    assert own.recall == 0


def test_larger_models_are_expected_to_take_longer() -> None:
    seconds = {each.name: expected_seconds(each.gflop) for each in KNOWN}
    assert seconds["embedded"] == 0 < seconds["sa3-small-sfx"] < seconds["sa3-medium"]
    assert seconds["sa3-small-sfx"] < seconds["sa3-small-sfx-base"]
