"""A prompt's keys and values are computed once for each prompt and weights, and change nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import stable_audio_3
from eutectic.audio import load_clip
from eutectic.config import LearnSettings
from eutectic.engine.engine import Engine
from eutectic.engine.loading import load
from eutectic.engine.model import Model
from eutectic.engine.prompted import Prompted
from eutectic.engine.store import Store

CPU = torch.device("cpu")
CLIP = Path(__file__).parents[2] / "presets" / "clips" / "perc_bell.flac"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("models") / "base"
    return load(str(stable_audio_3.write_checkpoint(folder, stable_audio_3.SMALL_BASE)), CPU)


@pytest.fixture
def projections(model: Model) -> Iterator[list[Tensor]]:
    """What a layer of the network has projected."""
    layers = model.network.model.transformer.layers
    seen: list[Tensor] = []

    def note(_module: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor) -> None:
        seen.append(inputs[0])

    model.forget_graphs()
    kept = model._prompted
    assert kept is not None
    hooks = [layer.register_forward_hook(note) for layer in (kept._layers[0],)]
    hooks += [layers[0].cross_attn.to_kv.register_forward_hook(note)]
    yield seen
    for hook in hooks:
        hook.remove()


def state(rows: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(rows, stable_audio_3.LATENT_CHANNELS, 24, generator=generator)


@torch.no_grad()
def denoised(model: Model, cfg: float, rows: int = 2, prompt: str = "a bell") -> Tensor:
    sigmas = torch.linspace(1, 2, rows, dtype=torch.float64)
    return model.denoiser(model.condition(prompt, 2.0), cfg)(state(rows), sigmas)


@pytest.mark.parametrize("bfloat16", [False, True])
@pytest.mark.parametrize(("cfg", "rows"), [(1.0, 1), (1.0, 3), (7.0, 2)])
def test_nothing_changes_to_the_bit(
    model: Model, monkeypatch: pytest.MonkeyPatch, bfloat16: bool, cfg: float, rows: int
) -> None:
    model.bfloat16 = bfloat16
    with_keys = denoised(model, cfg, rows)
    monkeypatch.setattr(model, "_prompted", None)
    assert torch.equal(denoised(model, cfg, rows), with_keys)
    monkeypatch.undo()
    model.bfloat16 = False


def test_a_prompt_is_projected_once(model: Model, projections: list[Tensor]) -> None:
    for rows in (1, 2, 3):
        denoised(model, 1.0, rows)
    assert len(projections) == 1 and len(projections[0]) == 1
    denoised(model, 1.0, prompt="hiss")
    denoised(model, 1.0)
    assert len(projections) == 2
    for _ in range(2):
        denoised(model, 7.0)  # beside no prompt, for all rows
    assert len(projections) == 3 and len(projections[2]) == 2


def test_other_weights_project_it_anew(model: Model, tmp_path: Path) -> None:
    engine = Engine(model, Store(tmp_path))
    clip = engine.encode(load_clip(CLIP, 44100, 2, 0.3, 1.1))
    settings = LearnSettings("lora", steps=2, learning_rate=1e-2)
    learned = engine.learn(clip, "a bell", settings).adapter

    def under(adapter: object) -> Tensor:
        condition = model.condition("a bell", 2.0)
        with torch.no_grad():
            return model.denoiser(condition, 1.0, adapter=adapter)(state(1), torch.ones(1))

    base, own, again = under(None), under(learned), under(None)
    assert torch.equal(base, again) and not torch.equal(base, own)
    model.forget_graphs()
    assert torch.equal(under(learned), own)


def test_the_twin_takes_no_memory(model: Model) -> None:
    own = {weight.data_ptr() for weight in model.network.parameters()}
    assert {weight.data_ptr() for weight in Prompted(model.network).network.parameters()} <= own
