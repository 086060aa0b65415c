"""Learning changes a copy; adapters save, load and switch; the base comes back bit for bit."""

import gc
import weakref
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import nn

from eutectic.audio import load_clip
from eutectic.config import LearnSettings, Method
from eutectic.engine.adapter import DOWN, UP, Adapter, Switch
from eutectic.engine.clips import Clip
from eutectic.engine.engine import Engine
from eutectic.engine.learn import Learned, learn
from eutectic.engine.loading import load
from eutectic.engine.model import Model
from eutectic.engine.store import Store
from eutectic.engine.watch import Watch
from eutectic.errors import BadInput, Cancelled

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
METHODS: list[Method] = ["full", "lora"]


@pytest.fixture(scope="module")
def model() -> Model:
    return load("toy", torch.device("cpu"))


@pytest.fixture(scope="module")
def clip(model: Model) -> Clip:
    engine = Engine(model, Store(Path()))
    return engine.encode(load_clip(CLIPS / "ambi_glass_rub.flac", 44100, duration_seconds=1.0))


def teach(model: Model, clip: Clip, settings: LearnSettings, watch: Watch | None = None) -> Learned:
    frames = clip.latent.shape[-1]
    return learn(model, clip.latent, frames, "glass", 1.0, settings, watch=watch or Watch())


def snapshot(model: Model) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.network.state_dict().items()}


def unchanged(model: Model, before: dict[str, torch.Tensor]) -> bool:
    after = model.network.state_dict()
    return list(after) == list(before) and all(torch.equal(after[n], before[n]) for n in before)


@pytest.mark.parametrize("method", METHODS)
def test_learning_moves_the_prompt_to_the_clip_and_leaves_the_model_unchanged(
    model: Model, clip: Clip, method: Method
) -> None:
    """The toy can memorise only the mean of each channel."""
    before, target = snapshot(model), clip.latent.mean(dim=-1)
    tokens = model.condition("glass", 1.0).tokens
    assert tokens is not None

    def distance() -> float:
        return float((model.network.mean(tokens[:, 0]) - target).norm())

    at_first = distance()
    learned = teach(model, clip, LearnSettings(method, steps=60, learning_rate=0.05))
    assert unchanged(model, before)
    assert (learned.steps, learned.capped) == (60, False)
    switch = Switch(model.network)
    switch.activate(learned.adapter)
    assert distance() < 0.6 * at_first
    switch.activate(None)
    assert unchanged(model, before)


def test_what_follows_the_clip_in_its_bucket_is_not_learned(model: Model, clip: Clip) -> None:
    settings, own = LearnSettings(steps=60, learning_rate=0.05), clip.latent[..., :32]
    followed = torch.cat([own, own + 20.0], dim=-1)
    learned = learn(model, followed, 32, "glass", 1.0, settings)
    tokens = model.condition("glass", 1.0).tokens
    assert tokens is not None
    switch, target = Switch(model.network), own.mean(dim=-1)
    switch.activate(learned.adapter)
    distance = float((model.network.mean(tokens[:, 0]) - target).norm())
    switch.activate(None)
    assert distance < 0.6 * float(target.norm())


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_learns_the_same(model: Model, clip: Clip, method: Method) -> None:
    digests = [
        teach(model, clip, LearnSettings(method, steps=3, seed=seed)).adapter.digest
        for seed in (4, 4, 5)
    ]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("method", METHODS)
def test_a_saved_adapter_is_read_back_unchanged(
    model: Model, clip: Clip, method: Method, tmp_path: Path
) -> None:
    adapter = teach(model, clip, LearnSettings(method, steps=2)).adapter
    adapter.save(tmp_path / "a.safetensors")
    again = Adapter.read(tmp_path / "a.safetensors")
    assert again.digest == adapter.digest
    assert again.about == adapter.about
    assert {"method", "model", "prompt", "seconds", "steps", "seed"} <= again.about.keys()


def test_an_adapter_moved_to_a_device_keeps_its_cache_key(model: Model, clip: Clip) -> None:
    adapter = teach(model, clip, LearnSettings("lora", steps=1)).adapter
    assert adapter.on(torch.device("cpu")) is adapter
    moved = adapter.on(torch.device("meta"))
    assert (moved.digest, moved.about) == (adapter.digest, adapter.about)
    assert all(tensor.is_meta for tensor in moved.tensors.values())


def test_switching_writes_new_weights_and_restores_the_base_to_the_bit(
    model: Model, clip: Clip
) -> None:
    before = snapshot(model)
    adapters = [
        teach(model, clip, LearnSettings(method, steps=3, seed=seed)).adapter
        for method, seed in (("full", 0), ("lora", 1), ("full", 2))
    ]
    outputs = {}
    condition = model.condition("glass", 1.0)
    state = torch.randn(1, 128, 8, generator=torch.Generator().manual_seed(0))
    for name, adapter in [("base", None), *enumerate(adapters), ("again", adapters[0])]:
        denoiser = model.denoiser(condition, adapter=adapter)
        outputs[name] = denoiser(state, torch.tensor([1.0]))
    model.switch.activate(None)
    assert unchanged(model, before)
    assert torch.equal(outputs["again"], outputs[0])
    assert not torch.equal(outputs["base"], outputs[0])
    assert not torch.equal(outputs[1], outputs[2])


def test_the_switch_keeps_no_adapter_in_memory(model: Model, clip: Clip) -> None:
    before, switch = snapshot(model), Switch(model.network)
    adapter = teach(model, clip, LearnSettings("full", steps=2)).adapter
    switch.activate(adapter)
    gone = weakref.ref(adapter)
    del adapter
    gc.collect()
    assert gone() is None
    assert not unchanged(model, before)
    switch.activate(None)
    assert unchanged(model, before)


def test_low_rank_weights_are_pefts(model: Model, clip: Clip) -> None:
    """The switch writes the weights that PEFT's own layers compute while they run."""
    adapter = teach(model, clip, LearnSettings("lora", steps=5, rank=4)).adapter
    assert adapter.changed == {"mean.weight"}
    base = model.network.mean.weight
    changed = torch.empty_like(base)
    adapter.write("mean.weight", base, changed)
    layer = nn.Linear(*reversed(changed.shape), bias=False)
    layer.weight.data.copy_(model.network.mean.weight)
    wrapped = nn.Sequential(OrderedDict(mean=layer))
    inject_adapter_in_model(LoraConfig(r=4, lora_alpha=4, target_modules=["mean"]), wrapped)
    wrapped.mean.lora_A["default"].weight.data.copy_(adapter.tensors["mean" + DOWN])
    wrapped.mean.lora_B["default"].weight.data.copy_(adapter.tensors["mean" + UP])
    tokens = torch.eye(changed.shape[1])
    torch.testing.assert_close(tokens @ changed.T, wrapped(tokens))


def test_a_switch_that_failed_half_way_can_be_undone(model: Model, clip: Clip) -> None:
    before, switch = snapshot(model), Switch(model.network)
    adapter = teach(model, clip, LearnSettings("full", steps=1)).adapter
    unfitting = Adapter({"mean.weight": torch.zeros(2, 2, 2)}, {"method": "full"})
    switch.activate(adapter)
    with pytest.raises(RuntimeError):
        switch.activate(unfitting)
    switch.activate(None)
    assert unchanged(model, before)


def test_cancelling_stops_before_a_step_and_a_budget_after_one(model: Model, clip: Clip) -> None:
    done: list[int] = []
    watch = Watch(lambda: len(done) >= 3, lambda step, _: done.append(step))
    with pytest.raises(Cancelled):
        teach(model, clip, LearnSettings(steps=50), watch)
    assert done == [1, 2, 3]
    capped = teach(model, clip, LearnSettings(steps=100_000, budget_seconds=0.1))
    assert capped.capped
    assert 1 <= capped.steps < 100_000


def test_a_damaged_file_counts_as_missing(model: Model, clip: Clip, tmp_path: Path) -> None:
    store, adapter = Store(tmp_path), teach(model, clip, LearnSettings(steps=1)).adapter
    assert store.get("key") is None
    path = store.put("key", adapter)
    found = store.get("key")
    assert found is not None
    assert found.digest == adapter.digest
    content = path.read_bytes()
    for damaged in (content[:-8] + bytes(8), content[: len(content) // 2], b"", b"nonsense"):
        path.write_bytes(damaged)
        assert store.get("key") is None


def test_another_store_s_file_is_taken_under_its_key_unless_it_is_damaged(
    model: Model, clip: Clip, tmp_path: Path
) -> None:
    one, other = Store(tmp_path / "one"), Store(tmp_path / "other")
    path = one.put("key", teach(model, clip, LearnSettings(steps=1)).adapter)
    other.adopt("reference", "key", path)
    assert (other.folder / path.name).read_bytes() == path.read_bytes()
    one.put_clip("clip", clip)
    other.adopt("clip", "clip", one.clips / "clip.safetensors")
    assert other.get_clip("clip", torch.device("cpu")) is not None
    path.write_bytes(path.read_bytes()[:-8])
    other.adopt("reference", "key", path)  # it has a whole one
    with pytest.raises(BadInput):
        other.adopt("reference", "another", path)
    assert "another" not in other and "key" in other


def test_keys_depend_on_everything_that_determines_a_reference() -> None:
    base = {"model": "a", "audio": "b", "prompt": "c", "steps": 3}
    keys = {Store.key(**base)} | {Store.key(**(base | {name: "x"})) for name in base}
    assert len(keys) == 5
