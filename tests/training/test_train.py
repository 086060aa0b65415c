"""Training the model that ships: a short run leaves a folder that loads and can be resumed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from eutectic.cli import run
from eutectic.engine.embedded import FOLDER, create_model
from eutectic.engine.embedded.kernels import use_plain_kernels
from eutectic.engine.loading import load
from eutectic.training.recordings import HELD_OUT_CLIPS, is_held_out
from eutectic.training.settings import DEFAULTS, TrainingSettings, read_settings
from eutectic.training.train import start_from, train
from eutectic.training.trainer import drop_words

pytestmark = pytest.mark.training

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
CONFIG = json.loads((FOLDER / "model_config.json").read_text())


@pytest.fixture
def settings(tmp_path: Path) -> TrainingSettings:
    """Two short scenes of three recordings."""
    samples = tmp_path / "samples"
    samples.mkdir()
    for number, path in enumerate(sorted(CLIPS.glob("*.flac"))[:3]):
        shutil.copy(path, samples / f"recording_{number}.flac")
    config = tmp_path / "short.toml"
    config.write_text("minutes = 0.01\nscenes = 2\nlengths_frames = [44, 86]\n")
    return read_settings(config, samples=(str(samples),), out=str(tmp_path / "out"))


def test_the_clips_that_ship_are_held_out() -> None:
    assert sorted(path.stem for path in CLIPS.glob("*.flac")) == sorted(HELD_OUT_CLIPS)
    assert all(is_held_out(name) for name in HELD_OUT_CLIPS)


def test_a_short_run_leaves_a_model_and_a_second_resumes_from_it(
    settings: TrainingSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    out = Path(settings.out)
    train(settings)
    first = load(str(out), torch.device("cpu"))
    latents = out / "training" / "scenes-0-2x86" / "latents.npy"
    staged = latents.stat().st_mtime_ns
    spent = torch.load(out / "training" / "checkpoint.pt")["seconds"]
    train(replace(settings, minutes=spent / 60 + 0.001))
    second = load(str(out), torch.device("cpu"))
    assert latents.stat().st_mtime_ns == staged
    assert sorted(path.name for path in latents.parent.iterdir()) == [
        "codec.safetensors", "latents.npy", "prompts.txt",
    ]  # fmt: skip
    assert first.digest != second.digest
    steps = [int(line.split()[3]) for line in capsys.readouterr().out.splitlines()
             if line.startswith("exported at step")]  # fmt: skip
    assert 0 < steps[0] < steps[-1]


def test_training_starts_from_the_weights_that_fit_but_never_from_their_codec(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = create_model(CONFIG)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    given = {name: torch.full_like(value, 0.5) for name, value in state.items()}
    given["model.model.transformer.project_in.weight"] = torch.zeros(3, 3)
    given["pretransform.rotation"] = torch.zeros(3, 3)
    save_file(given, tmp_path / "model.safetensors")
    start_from(model, tmp_path / "model.safetensors")
    for name, value in model.state_dict().items():
        kept = name.startswith("pretransform.") or "project_in" in name
        assert torch.equal(value, state[name] if kept else given[name]), name
    own = [name for name in state if not name.startswith("pretransform.")]
    assert f"{len(own) - 1} of {len(own)} tensors fit" in capsys.readouterr().out


def test_weights_of_other_statistics_compute_the_same_in_the_new_latents(tmp_path: Path) -> None:
    torch.manual_seed(0)
    given, model = create_model(CONFIG), create_model(CONFIG)
    for parameter in given.model.parameters():
        parameter.data.normal_(std=parameter.shape[-1] ** -0.5 / 4)
    rng = np.random.default_rng(0)
    channels = given.pretransform.network_channels
    spread = rng.uniform(0.5, 2, channels)
    given.pretransform.fit(rng.normal(size=(3000, channels), scale=spread).astype(np.float32))
    model.pretransform.fit(rng.normal(size=(3000, channels), scale=spread).astype(np.float32))
    save_file(given.state_dict(), tmp_path / "model.safetensors")
    start_from(model, tmp_path / "model.safetensors")

    codecs = given.pretransform, model.pretransform
    change = codecs[1].change_from(codecs[0])
    sounds = 0.1 * torch.randn(2, 2, 65536)
    one, two = ((z[0] - z[1]) for z in (codec.encode(sounds)[:, :channels] for codec in codecs))
    torch.testing.assert_close(two, change @ one, rtol=1e-3, atol=1e-3)
    z, t = torch.randn(1, channels, 64), torch.tensor([0.3])
    conditions = given.conditioner([{"prompt": "a", "seconds_total": 1}], "cpu")
    inputs = given.get_conditioning_inputs(conditions)
    with torch.inference_mode():
        old, new = given.model(z, t, **inputs), model.model(change @ z, t, **inputs)
    assert (change - torch.eye(channels)).abs().max() > 0.5
    torch.testing.assert_close(new, change @ old, rtol=1e-3, atol=1e-3)


def test_a_run_from_weights_stays_close_to_them(settings: TrainingSettings, tmp_path: Path) -> None:
    model = create_model(CONFIG)
    name = "model.model.transformer.layers.0.to_scale_shift_gate"
    model.get_parameter(name).data.fill_(3.0)
    save_file(model.state_dict(), tmp_path / "earlier.safetensors")
    train(replace(settings, start=str(tmp_path / "earlier.safetensors")))
    trained = load_file(Path(settings.out) / "model.safetensors")[name]
    assert (trained - 3).abs().max() < 0.1


@pytest.mark.parametrize("tokens", [43, 500])
def test_plain_kernels_compute_what_the_originals_do(tokens: int) -> None:
    torch.manual_seed(0)
    transformer = create_model(CONFIG).model.get_submodule("model.transformer")
    for parameter in transformer.parameters():  # branches start at zero
        parameter.data.normal_(std=parameter.shape[-1] ** -0.5)
    config = CONFIG["model"]["diffusion"]["config"]
    channels, width = config["io_channels"] * config["patch_size"], config["embed_dim"]
    inputs, context = torch.randn(2, tokens, channels), torch.randn(2, 17, width)
    conditions = {"context": context, "global_cond": torch.randn(2, width)}
    with torch.inference_mode():
        expected = transformer(inputs, **conditions, use_checkpointing=False)
        use_plain_kernels(transformer)
        actual = transformer(inputs, **conditions, use_checkpointing=False)
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)


def test_the_defaults_cover_every_setting_and_a_file_changes_some(tmp_path: Path) -> None:
    path = tmp_path / "some.toml"
    path.write_text(f"samples = ['{CLIPS}']\nminutes = 3\nseed = 4\n")
    settings = read_settings(path, seed=5, start=None)
    assert (settings.minutes, settings.seed, settings.start) == (3.0, 5, "")
    defaults = read_settings(DEFAULTS, samples=(str(CLIPS),))
    assert defaults == replace(settings, minutes=defaults.minutes, seed=defaults.seed)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("minuts = 3", "minuts: no such setting"),
        ("minutes = 'long'", "minutes must be a number, not 'long'"),
        ("scenes = 2.5", "scenes must be a whole number, not 2.5"),
        ("scenes = true", "scenes must be a whole number, not True"),
        ("start = 0", "start must be text in quotes, not 0"),
        ("lengths_frames = [43, 'x']", "lengths_frames must be a list of whole numbers, not "),
        ("lengths_frames = [44, 43]", "lengths_frames must be multiples of 2, "),
        ("lengths_frames = []", "lengths_frames must be at least one number, all above 0"),
        ("minutes = 0", "minutes must be above 0, not 0"),
        ("ema_decay = nan", "ema_decay must be 0 to 1, not nan"),
        ("minutes = ", "not a TOML file ("),
        (None, "No such file or directory"),
    ],
)
def test_a_mistake_in_the_settings_is_one_line_and_nothing_is_written(
    text: str | None, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "settings.toml", tmp_path / "out"
    if text is not None:
        path.write_text(text)
    assert run(["train-embedded", "--config", str(path), "-o", str(out)]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"eutectic: {path}: {complaint}") and message.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--minutes", "0", "minutes must be above 0"),
        ("--seed", "-1", "seed must be 0 or more"),
        ("--start", "nowhere", "nowhere: no such weights to start from"),
    ],
)
def test_a_mistake_in_an_option_is_one_line_and_nothing_is_written(
    option: str, value: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = ["train-embedded", "--samples", str(CLIPS), "-o", str(out), option, value]
    assert run(command) == 2
    message = capsys.readouterr().err
    assert complaint in message and message.count("\n") == 1
    assert not out.exists()


def test_prompts_are_whole_thinned_or_a_few_words_in_order() -> None:
    prompt = "low harmonic drone hum dark tonal steady"
    words = prompt.split()
    prompts = [drop_words(np.random.default_rng(seed), prompt, 0.15) for seed in range(300)]
    assert 0.3 < np.mean([each == prompt for each in prompts]) < 0.7
    assert np.mean([1 <= len(each.split()) <= 3 for each in prompts]) > 0.2
    for each in prompts:
        places = [words.index(word) for word in each.split()]
        assert places == sorted(places)
    assert drop_words(np.random.default_rng(0), "", 0.15) == ""
