"""A model that computes nonsense is refused when it is loaded, by the name of the check."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from torch import Tensor, nn

import stable_audio_3
from checkpoints import write_weights
from eutectic.config import SHORT_NAMES
from eutectic.engine import checks
from eutectic.engine.loading import load
from eutectic.errors import BadModel

CPU = torch.device("cpu")
OUT = "model.model.postprocess_conv.weight"
ENCODER = "pretransform.model.encoder.layers.2.weight"
DECODER = "pretransform.model.decoder.layers.1.weight"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    return stable_audio_3.write_checkpoint(root / "small", stable_audio_3.SMALL)


def copied(folder: Path, tmp_path: Path, change: Callable[[dict[str, Tensor]], object]) -> Path:
    from safetensors.torch import load_file

    other = tmp_path / "small"
    shutil.copytree(folder, other)
    weights = load_file(folder / "model.safetensors")
    change(weights)
    write_weights(other / "model.safetensors", weights)
    return other


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda w: w[OUT].fill_(torch.nan), "check of its evaluation: the result isn't finite"),
        (lambda w: w[OUT].mul_(1e7), r"check of its evaluation: the result is of size \de\+0"),
        (lambda w: w[ENCODER].fill_(torch.inf), "check of its encoding: the result isn't finite"),
        (lambda w: w[DECODER].fill_(torch.nan), "check of its round trip: .* of size 0"),
    ],
)
def test_a_model_that_computes_nonsense_is_refused_by_the_name_of_the_check(
    folder: Path, tmp_path: Path, change: Callable[[dict[str, Tensor]], object], match: str
) -> None:
    with pytest.raises(BadModel, match=match) as caught:
        load(str(copied(folder, tmp_path, change)), CPU)
    assert "\n" not in str(caught.value) and "files complete" in str(caught.value)


def test_a_codec_of_another_ratio_than_the_configuration_says_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(str(folder), CPU)
    monkeypatch.setattr(model.codec, "ratio", 2 * stable_audio_3.RATIO)
    with pytest.raises(BadModel, match=r"latents per second: .* 16 channels and 5.38 frames"):
        checks.check(model)


def test_a_device_whose_round_trip_is_not_the_cpus_is_refused_with_what_is_known(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a device computes wrongly is here a codec rounded to a few bits."""
    model = load(str(folder), CPU)
    exact = checks.round_trip(model.codec)
    checks.check(model, exact)
    decoder: Any = model.wrapper.pretransform.model.decoder
    with torch.no_grad():
        for weight in decoder.parameters():
            weight.copy_((weight * 4).round() / 4)
    monkeypatch.setattr(model, "device", torch.device("mps"))
    with pytest.raises(BadModel, match=r"round trip: it differs from the CPU's .*MPS .*--compute"):
        checks.check(model, exact)


def test_a_codec_that_does_not_give_a_sound_back_is_reported(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "eutectic.engine"):
        load(str(folder), CPU)
    assert "doesn't give a sound back" in caplog.text  # its weights are random


def test_the_check_leaves_nothing_behind(folder: Path) -> None:
    once, again = load(str(folder), CPU), load(str(folder), CPU)
    assert once.evaluations == 0
    before = [weight.clone() for weight in once.network.parameters()]
    state = torch.get_rng_state()
    checks.check(once)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(map(torch.equal, once.network.parameters(), before))
    np.testing.assert_array_equal(checks.round_trip(once.codec), checks.round_trip(again.codec))


# The text encoder


def test_the_text_encoder_is_the_models_own(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline, and with an empty cache; that of a base is beside it."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    root = tmp_path / "models"
    for name in ("small", "small-base"):
        shutil.copytree(folder, root / name)
    shutil.rmtree(root / "small-base" / stable_audio_3.TEXT_ENCODER)
    (own, beside) = (load(str(root / name), CPU) for name in ("small", "small-base"))
    tokens = [model.condition("a bell", 1.0).tokens for model in (own, beside)]
    assert torch.equal(*tokens)  # type: ignore[arg-type]
    shutil.rmtree(root / "small" / stable_audio_3.TEXT_ENCODER)
    with pytest.raises(BadModel, match="stable-audio-3-small-sfx: the Hub can't be reached"):
        load(str(root / "small-base"), CPU)


def no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def other_width(folder: Path) -> None:
    shutil.rmtree(folder)
    stable_audio_3.write_text_encoder(folder, width=512)


def other_kind(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "t5"}', encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (other_width, "a wrong text encoder: 512 wide, 768 is needed"),
        (other_kind, "not a T5Gemma text encoder"),
        (no_weights, "the text encoder can't be loaded .*model.safetensors"),
    ],
)
def test_a_wrong_text_encoder_is_named(
    folder: Path, tmp_path: Path, spoil: Callable[[Path], None], match: str
) -> None:
    shutil.copytree(folder, tmp_path / "small")
    spoil(tmp_path / "small" / stable_audio_3.TEXT_ENCODER)
    with pytest.raises(BadModel, match=match) as caught:
        load(str(tmp_path / "small"), CPU)
    assert "\n" not in str(caught.value)


# Names


def test_a_short_name_is_a_hub_id(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the Hub's cache, where its text encoder is, too."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for name in ("sa3-small-sfx", "sa3-medium-base"):
        repository = tmp_path / f"models--{SHORT_NAMES[name].replace('/', '--')}"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text("1" * 40, encoding="utf-8")
        shutil.copytree(folder, repository / "snapshots" / ("1" * 40))
        assert load(name, CPU).name == name


def test_every_published_model_has_a_short_name() -> None:
    assert SHORT_NAMES["sa3-small-music-base"] == "stabilityai/stable-audio-3-small-music-base"
    assert len(SHORT_NAMES) == 6


def test_times_stay_in_float32_in_bfloat16(folder: Path) -> None:
    model = load(str(folder), CPU)
    model.bfloat16 = True
    network: Any = model._plain_network
    assert isinstance(network, nn.Module)
    embed = network.model.to_timestep_embed
    assert embed[0].weight.dtype == torch.float32 != embed[2].weight.dtype
