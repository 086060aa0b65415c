"""What is said of a model's speed before it is here: counted, not guessed."""

import copy

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from eutectic.config import Place, SamplingSettings
from eutectic.engine import fusion
from eutectic.engine.defaults import defaults_of
from eutectic.engine.expected import expected_seconds
from eutectic.engine.fetching import KNOWN, SA3_EVALUATIONS, SA3_GFLOP
from eutectic.engine.library import create_model_from_config
from eutectic.engine.sample import Sampler
from eutectic.engine.schedule import log_snr
from eutectic.experiments.speed import Published
from eutectic.experiments.speed.published import CONFIGURATIONS

TOKENS, FRAMES, FIRST_CHUNK = 257, 66, 8 + 4
"""Of a prompt; of 6 s; of the first chunk with its context."""


def test_operations_are_those_of_the_published_configuration() -> None:
    config = copy.deepcopy(CONFIGURATIONS[Published.SA3_SMALL_SFX])
    conditioning = config["model"]["conditioning"]
    conditioning["configs"] = [each for each in conditioning["configs"] if each["id"] != "prompt"]
    with torch.device("meta"), torch.no_grad():
        model = create_model_from_config(config)
        with FlopCounterMode(display=False) as evaluation:
            model.model(
                torch.zeros(1, 256, FRAMES), torch.zeros(1),
                cross_attn_cond=torch.zeros(1, TOKENS, 768), global_cond=torch.zeros(1, 768),
                local_add_cond=torch.zeros(1, 257, FRAMES),
            )  # fmt: skip
        with FlopCounterMode(display=False) as decoding:
            model.pretransform.decode(torch.zeros(1, 256, FIRST_CHUNK))
    network, decoder = SA3_GFLOP["small"]
    assert evaluation.get_total_flops() / 1e9 == pytest.approx(network, rel=0.02)
    assert decoding.get_total_flops() / 1e9 == pytest.approx(decoder, rel=0.02)


@pytest.mark.parametrize(
    ("is_base", "objective"), [(False, "rf_denoiser"), (True, "rectified_flow")]
)
def test_evaluations_are_those_of_a_fusion_in_the_middle(is_base: bool, objective: str) -> None:
    own = defaults_of("diffusion_cond_inpaint", objective, {})
    grid = log_snr(own.steps, own.lowest_log_snr)
    sampler = Sampler(grid, own.order, own.solver, own.eta)
    injection = fusion.at_place(Place(0.5), sampler)
    assert injection is not None and not fusion.needed([injection], sampler)
    rows = 1 if own.cfg == 1 else 2
    assert rows * injection.remaining(sampler) == SA3_EVALUATIONS[is_base]
    assert SamplingSettings().recall is None and own.recall == 0


def test_larger_models_are_expected_to_take_longer() -> None:
    seconds = {each.name: expected_seconds(each.gflop) for each in KNOWN}
    assert seconds["embedded"] == 0 < seconds["sa3-small-sfx"] < seconds["sa3-medium"]
    assert seconds["sa3-small-sfx"] < seconds["sa3-small-sfx-base"]
