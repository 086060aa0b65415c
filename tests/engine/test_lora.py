"""LoRA files: every kind gives the weights that stable-audio-tools gives, at every strength."""

import copy
import itertools
import json
import math
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from stable_audio_tools.models.lora import (
    LoRAParametrization,
    add_lora,
    get_lora_params,
    get_lora_state_dict,
    load_and_apply_loras,
    save_lora_safetensors,
    set_lora_strength,
)
from torch import Tensor

import stable_audio_3
from eutectic import audio
from eutectic.audio import load_clip
from eutectic.config import LearnSettings, Place, SamplingSettings
from eutectic.engine import checked, lora
from eutectic.engine.adapter import FORMAT_OF_KEYS, LORA, Adapter
from eutectic.engine.clips import Clip
from eutectic.engine.engine import Engine
from eutectic.engine.fuser import Reference
from eutectic.engine.loading import load
from eutectic.engine.model import Model
from eutectic.engine.store import Store
from eutectic.engine.watch import Watch
from eutectic.errors import BadModel, BadReference

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
CPU = torch.device("cpu")
KINDS = [
    f"{method}{small}"
    for method in ("lora", "dora-rows", "dora-cols", "bora")
    for small in ("", "-xs")
]
RANK, ALPHA = 4, 6
PLACES = [Place(blend=blend) for blend in (0.0, 0.5)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    configs = {"small": stable_audio_3.SMALL, "small-base": stable_audio_3.SMALL_BASE}
    return {
        name: stable_audio_3.write_checkpoint(root / name, config, seed)
        for seed, (name, config) in enumerate(configs.items())
    }


@pytest.fixture(scope="module")
def models(folders: dict[str, Path]) -> dict[str, Model]:
    return {name: load(str(folder), CPU) for name, folder in folders.items()}


@pytest.fixture
def model(models: dict[str, Model]) -> Iterator[Model]:
    yield models["small-base"]
    models["small-base"].switch.activate(None)


class Library(torch.nn.Module):
    """What LoRA files are about of a model of stable-audio-tools."""

    def __init__(self, wrapper: Any) -> None:
        super().__init__()
        self.model, self.conditioner = wrapper.model, wrapper.conditioner


@pytest.fixture
def wrapper(folders: dict[str, Path], model: Model) -> Any:
    """stable-audio-tools' own model, with the same weights."""
    built = stable_audio_3.build(stable_audio_3.SMALL_BASE, folders["small-base"])
    built.load_state_dict(model.wrapper.state_dict())
    return built


@pytest.fixture
def library(wrapper: Any) -> Library:
    return Library(wrapper)


@pytest.fixture
def engine(model: Model, tmp_path: Path) -> Engine:
    return Engine(model, Store(tmp_path / "store"))


@pytest.fixture
def clip(engine: Engine) -> Clip:
    return engine.encode(load_clip(CLIPS / "perc_bell.flac", 44100, 2, 0.3, 1.1))


def trained(library: Library, kind: str) -> dict[str, Tensor]:
    """What stable-audio-tools' training would save of a kind, with random values."""
    library = copy.deepcopy(library)
    common = {"rank": RANK, "lora_alpha": ALPHA, "adapter_type": kind}
    config = {
        torch.nn.Linear: {"weight": partial(LoRAParametrization.from_linear, **common)},
        torch.nn.Conv1d: {"weight": partial(LoRAParametrization.from_conv1d, **common)},
    }
    generator = torch.Generator().manual_seed(3)
    state: dict[str, Tensor] = {}
    for part in (library.model, library.conditioner):
        add_lora(part, config)
        for weight in get_lora_params(part):
            noise = torch.randn(weight.shape, generator=generator)
            weight.data = weight.data * (1 + 0.1 * noise) + 0.2 * noise
        state |= get_lora_state_dict(part)
    return state


def write(library: Library, kind: str, path: Path) -> Path:
    config = {"rank": RANK, "alpha": ALPHA, "adapter_type": kind}
    if path.suffix == ".ckpt":
        torch.save({"state_dict": trained(library, kind), "lora_config": config}, path)
    else:
        save_lora_safetensors(trained(library, kind), config, path)
    return path


def applied(library: Library, path: Path, strength: float) -> dict[str, Tensor]:
    """The weights that stable-audio-tools makes of a file, by our names."""
    library = copy.deepcopy(library)
    load_and_apply_loras(library, [str(path)], "diffusion_cond_inpaint")
    found: dict[str, Tensor] = {}
    for part in (library.model, library.conditioner):
        set_lora_strength(part, strength)
        for name, module in part.named_modules():
            if isinstance(module, torch.nn.Linear | torch.nn.Conv1d):
                found[f"{name}.weight"] = module.weight.detach()
    return found


def weights(model: Model) -> dict[str, Tensor]:
    named = (*model.network.named_parameters(), *model.wrapper.conditioner.named_parameters())
    return {name: weight.clone() for name, weight in named}


# Against stable-audio-tools


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_librarys_weights(
    engine: Engine, library: Library, tmp_path: Path, kind: str, suffix: str
) -> None:
    path = write(library, kind, tmp_path / f"strange{suffix}")
    before = weights(engine.model)
    _, adapter = engine.open_lora(str(path))
    assert adapter.about["kind"] == kind and adapter.about["rank"] == RANK
    for strength in (1.0, 0.4, 2.0, 0.0):
        expected = applied(library, path, strength)
        engine.model.switch.activate(adapter, strength)
        found = weights(engine.model)
        assert adapter.changed == expected.keys()
        for name, weight in expected.items():
            torch.testing.assert_close(found[name], weight, atol=2e-5, rtol=2e-5)
        changed = [name for name in expected if not found[name].equal(before[name])]
        assert len(changed) == (0 if strength == 0 else len(expected))
    engine.model.switch.activate(None)
    for name, weight in weights(engine.model).items():
        assert weight.equal(before[name])


def test_fusions_are_the_librarys_with_the_length_that_it_learned(
    engine: Engine, wrapper: Any, clip: Clip, tmp_path: Path
) -> None:
    """A file's weights for `seconds_total` are in the conditioning, and in that of no other."""
    path = write(Library(wrapper), "dora-rows", tmp_path / "strange.safetensors")
    _, adapter = engine.open_lora(str(path))
    model, seconds = engine.model, engine.fuser.seconds(clip)
    load_and_apply_loras(wrapper, [str(path)], "diffusion_cond_inpaint")
    metadata = [{"prompt": "a bell", "seconds_start": 0.0, "seconds_total": seconds}]
    expected = wrapper.conditioner(metadata, CPU)["seconds_total"][0]
    plain = model.condition("a bell", seconds)
    under = model.condition("a bell", seconds, adapter)
    assert under.global_embedding is not None and plain.global_embedding is not None
    torch.testing.assert_close(under.global_embedding, expected[:, 0], atol=1e-5, rtol=1e-5)
    assert not under.global_embedding.allclose(plain.global_embedding, atol=1e-3)
    assert model.condition("a bell", seconds) is plain
    model.switch.activate(adapter)
    fresh = model.condition("another", seconds)
    assert fresh.global_embedding is not None
    assert fresh.global_embedding.equal(plain.global_embedding)

    state = torch.randn(clip.latent.shape, generator=torch.Generator().manual_seed(1))
    denoise = engine.fuser.denoiser(
        clip, Reference("a bell", None, adapter), SamplingSettings(cfg=1.0)
    )
    inputs = wrapper.get_conditioning_inputs(
        wrapper.conditioner(metadata, CPU) | {"inpaint_mask": [torch.zeros(1, 1, state.shape[-1])],
        "inpaint_masked_input": [torch.zeros_like(state)]}
    )  # fmt: skip
    t = torch.tensor([0.5])
    with torch.no_grad():
        velocity = wrapper.model(0.5 * state, t, **inputs)
        denoised = denoise(state, torch.ones(1))
    torch.testing.assert_close(denoised, 0.5 * state - 0.5 * velocity, atol=2e-4, rtol=2e-4)


def test_the_bases_singular_vectors_count_for_what_was_trained_from_it(
    models: dict[str, Model], library: Library, tmp_path: Path
) -> None:
    path = write(library, "lora-xs", tmp_path / "small.safetensors")
    changes = []
    for name in ("small-base", "small"):
        before = weights(models[name])
        _, adapter = Engine(models[name], Store(tmp_path / name)).open_lora(str(path))
        models[name].switch.activate(adapter)
        changes.append({key: w - before[key] for key, w in weights(models[name]).items()})
        models[name].switch.activate(None)
    for name, change in changes[0].items():
        torch.testing.assert_close(changes[1][name], change, atol=1e-5, rtol=0)


def test_singular_vectors_are_the_bases_whatever_plays_meanwhile(
    engine: Engine, library: Library, clip: Clip, tmp_path: Path
) -> None:
    """A trigger with other weights may run between any two layers."""
    path = write(library, "bora-xs", tmp_path / "small.safetensors")
    _, expected = Engine(engine.model, Store(tmp_path / "other")).open_lora(str(path))
    other = engine.learn(clip, "a bell", LearnSettings("full", steps=2, learning_rate=1e-2)).adapter

    def plays() -> bool:
        engine.model.switch.activate(other)
        return False

    _, found = engine.open_lora(str(path), Watch(cancelled=plays))
    assert found.digest == expected.digest


def test_the_base_must_be_here_for_singular_vectors(
    folders: dict[str, Path], library: Library, tmp_path: Path
) -> None:
    alone = shutil.copytree(folders["small"], tmp_path / "alone")
    engine = Engine(load(str(alone), CPU), Store(tmp_path / "store"))
    path = write(library, "lora-xs", tmp_path / "small.safetensors")
    with pytest.raises(BadModel, match="weights of its base are needed"):
        engine.open_lora(str(path))
    engine.open_lora(str(write(library, "lora", tmp_path / "large.safetensors")))


def test_a_rank_above_a_layers_width_is_as_good_as_any(
    engine: Engine, clip: Clip, library: Library
) -> None:
    adapter = engine.learn(clip, "a bell", LearnSettings("lora", steps=1, rank=80)).adapter
    (path,) = engine.store.folder.iterdir()
    _, opened = engine.open_lora(str(path))
    assert opened.digest == adapter.digest


def test_alpha_is_what_the_file_says(engine: Engine, library: Library, tmp_path: Path) -> None:
    good = write(library, "lora", tmp_path / "good.safetensors")
    for alpha, scale in ((8, 2.0), (0, 0.0), (math.inf, 1.0), ("much", 1.0), (None, 1.0)):
        config = {"rank": RANK, "alpha": alpha, "adapter_type": "lora"}
        assert lora.read(renamed(good, tmp_path / "odd.safetensors", config)).scale == scale


def test_what_was_learned_is_a_lora_file_for_the_library(
    engine: Engine, library: Library, clip: Clip
) -> None:
    settings = LearnSettings("lora", steps=3, rank=4)
    adapter = engine.learn(clip, "a bell", settings).adapter
    (path,) = engine.store.folder.iterdir()
    expected = applied(library, path, 1.0)
    engine.model.switch.activate(adapter)
    found = weights(engine.model)
    for name in adapter.changed:
        torch.testing.assert_close(found[name], expected[name], atol=1e-6, rtol=1e-6)
    _, opened = engine.open_lora(str(path))
    assert opened.digest == adapter.digest


# Older and odder files


def renamed(path: Path, to: Path, config: dict[str, Any] | None, *odd: tuple[str, Tensor]) -> Path:
    metadata = None if config is None else {"lora_config": json.dumps(config)}
    save_file(load_file(path) | dict(odd), to, metadata=metadata)
    return to


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_known_by_its_tensors_where_the_file_does_not_say(
    engine: Engine, library: Library, tmp_path: Path, kind: str
) -> None:
    path = write(library, kind, tmp_path / "said.safetensors")
    bare = renamed(path, tmp_path / "bare.safetensors", None)
    if kind.startswith("dora-cols"):  # then a row is a matrix, as old files have it
        tensors = load_file(bare)
        rows = {name: t[None] for name, t in tensors.items() if name.endswith("magnitude")}
        save_file(tensors | rows, bare)
    assert lora.read(bare).kind == kind


def test_an_older_file_of_ours_is_read(engine: Engine, clip: Clip, tmp_path: Path) -> None:
    """Its names were shorter, and its place in the store is the same."""
    settings = LearnSettings("lora", steps=2, rank=4)
    adapter = engine.learn(clip, "a bell", settings).adapter
    (path,) = engine.store.folder.iterdir()
    short = {name.replace(LORA, "."): tensor for name, tensor in adapter.tensors.items()}
    about = {"format": FORMAT_OF_KEYS, "digest": checked.digest(short)} | adapter.about
    checked.save(path, short, about)
    found = engine.find_adapter(clip, "a bell", settings)
    assert found is not None and found.digest == adapter.digest
    assert Adapter.read(path).about == adapter.about


class Planted:
    """Runs when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_checkpoint_with_code_is_refused_and_not_run(library: Library, tmp_path: Path) -> None:
    path, ran = tmp_path / "trap.ckpt", tmp_path / "ran"
    torch.save({"state_dict": trained(library, "lora"), "callbacks": Planted(ran)}, path)
    with pytest.raises(BadReference, match="more than weights; it isn't opened"):
        lora.read(path)
    assert not ran.exists()


def test_what_is_no_lora_for_this_model_is_refused(
    engine: Engine, library: Library, tmp_path: Path
) -> None:
    good = write(library, "dora-rows", tmp_path / "good.safetensors")
    config = {"rank": RANK, "alpha": ALPHA, "adapter_type": "dora-rows"}
    key = next(name for name in load_file(good) if name.endswith("lora_A"))
    layer = key.removesuffix("lora_A")
    cut = load_file(good)[key][:, :-1].contiguous()
    (tmp_path / "text.safetensors").write_text("not one")
    (tmp_path / "text.ckpt").write_text("not one")
    torch.save([1, 2], tmp_path / "list.ckpt")
    torch.save({"state_dict": None, "lora_config": 3}, tmp_path / "none.ckpt")
    renamed(good, tmp_path / "scalar.safetensors", config, (key, torch.ones(())))
    renamed(good, tmp_path / "empty.safetensors", config, (key, torch.ones(0, 64)))
    save_file({"model.weight": torch.ones(2)}, tmp_path / "weights.safetensors")
    renamed(good, tmp_path / "shape.safetensors", config, (key, cut))
    renamed(good, tmp_path / "nan.safetensors", config, (key, torch.full((RANK, 64), torch.nan)))
    renamed(good, tmp_path / "kind.safetensors", config | {"adapter_type": "loha"})
    renamed(good, tmp_path / "bora.safetensors", config | {"adapter_type": "bora"})
    renamed(good, tmp_path / "layer.safetensors", config, *(
        (f"model.elsewhere{LORA}{part}", load_file(good)[layer + part])
        for part in ("lora_A", "lora_B", "magnitude")
    ))  # fmt: skip
    expected = {
        "absent.safetensors": "No such file", "absent.wav": "isn't a LoRA file",
        "text.safetensors": "damaged, or not a LoRA file", "text.ckpt": "is damaged, or holds more",
        "list.ckpt": "holds no LoRA", "none.ckpt": "holds no LoRA",
        "scalar.safetensors": r"lora_A of .* is \(\)", "empty.safetensors": r"is \(0, 64\)",
        "weights.safetensors": "holds no LoRA",
        "shape.safetensors": r"doesn't fit .* expected \(4, ", "nan.safetensors": "contains NaN",
        "kind.safetensors": "unknown kind, loha; known are lora", "bora.safetensors": "magnitude_r",
        "layer.safetensors": "no layer model.elsewhere",
    }  # fmt: skip
    for name, text in expected.items():
        with pytest.raises(BadReference, match=text) as caught:
            engine.open_lora(str(tmp_path / name))
        assert "\n" not in str(caught.value)
    assert not engine.store.folder.exists()


# As references


def test_strength_is_between_the_weights(engine: Engine, clip: Clip) -> None:
    """Of fully learned references, too; 0 is the model's own, bit for bit."""
    settings = LearnSettings("full", steps=3, learning_rate=1e-3)
    adapter, model = engine.learn(clip, "a bell", settings).adapter, engine.model
    base = weights(model)
    model.switch.activate(adapter)
    whole = weights(model)
    model.switch.activate(adapter, 0.25)
    for name, weight in weights(model).items():
        torch.testing.assert_close(weight, torch.lerp(base[name], whole[name], 0.25))
    model.switch.activate(adapter, 0.0)
    assert model.switch.active is None
    assert all(weight.equal(base[name]) for name, weight in weights(model).items())


def test_a_lora_without_a_clip_fuses_and_is_as_loud_as_the_original(
    engine: Engine, library: Library, clip: Clip, tmp_path: Path
) -> None:
    path = write(library, "lora", tmp_path / "strange.safetensors")
    key, adapter = engine.open_lora(str(path))
    path.unlink()
    again = engine.find_lora(key)
    assert again is not None and again.digest == adapter.digest
    plain, with_clip = Reference("a bell", None, adapter), Reference("a bell", clip, adapter)

    def fuse(reference: Reference, **settings: Any) -> list[str]:
        made = engine.fuse(clip, reference, PLACES, SamplingSettings(steps=4, **settings))
        for each in made:
            loudness = audio.loudness_lufs(each.waveform)
            assert loudness == pytest.approx(clip.loudness_lufs, abs=0.5)
        return [each.waveform.digest for each in made]

    first = fuse(plain, recall=0.7)
    assert fuse(plain, recall=0.0) == fuse(plain) == first
    assert fuse(with_clip, recall=0.7)[0] != first[0]
    assert fuse(plain, strength=0.5)[0] != first[0]
    assert fuse(plain, strength=0.0) == fuse(Reference("a bell", None, None))


def test_a_lora_that_cannot_be_stored_is_used_from_memory(
    model: Model, library: Library, clip: Clip, tmp_path: Path
) -> None:
    (tmp_path / "store").write_text("no folder")
    engine = Engine(model, Store(tmp_path / "store"))
    path = write(library, "lora", tmp_path / "strange.safetensors")
    key, adapter = engine.open_lora(str(path))
    assert engine.find_lora(key) is adapter


def test_no_weights_are_switched_to_encode_a_prompt(
    engine: Engine, library: Library, clip: Clip, tmp_path: Path
) -> None:
    """Unless a LoRA has weights for that."""
    learned = engine.learn(clip, "a bell", LearnSettings("lora", steps=1)).adapter
    _, strange = engine.open_lora(str(write(library, "lora", tmp_path / "strange.safetensors")))
    switch, seconds = engine.model.switch, itertools.count(1)
    for active, adapter, expected in (
        (learned, None, learned), (learned, learned, learned), (strange, learned, None),
        (learned, strange, strange), (strange, None, None),
    ):  # fmt: skip
        switch.activate(active)
        engine.model.condition("a bell", float(next(seconds)), adapter)
        assert switch.active == (None if expected is None else (expected.digest, 1.0))
