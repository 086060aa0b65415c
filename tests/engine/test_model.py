"""Models in stable-audio-tools' format: what is loaded, computed and refused.

Checkpoints of Stable Audio Open 1.0's and Small's configuration (see `checkpoints`), loaded from
folders and from a Hub cache without a network, against stable-audio-tools' own arithmetic.
"""

import contextlib
import http.server
import json
import math
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import k_diffusion
import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file
from stable_audio_tools.inference.sampling import sample_rf
from torch import Tensor

from checkpoints import OPEN_1_0, OPEN_SMALL, write_checkpoint, write_text_encoder, write_weights
from eutectic.audio import load_clip
from eutectic.config import LearnSettings, Method, Place, SamplingSettings
from eutectic.engine.conditioning import Conditioning
from eutectic.engine.engine import Engine, Reference
from eutectic.engine.loading import choose_device, load
from eutectic.engine.model import Model
from eutectic.engine.sample import Row, sample
from eutectic.engine.store import Store
from eutectic.errors import BadModel
from oracle import Quiet, relative_rms

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
CPU = torch.device("cpu")
FORMATS = ["1.0", "small"]
SECONDS = 3.0


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The Hub's client, offline, with a cache that holds t5-base."""
    cache = tmp_path_factory.mktemp("hub")
    write_text_encoder(cache)
    with pytest.MonkeyPatch.context() as patch:
        # Its environment variables are read once, when it is imported.
        patch.setattr(constants, "HF_HUB_CACHE", str(cache))
        patch.setattr(constants, "HF_HUB_OFFLINE", True)
        yield cache


@pytest.fixture(scope="module")
def folders(hub: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A checkpoint of either format, in the files in which it is published."""
    root = tmp_path_factory.mktemp("models")
    return {
        "1.0": write_checkpoint(root / "open-1.0", OPEN_1_0, "model.safetensors"),
        "small": write_checkpoint(root / "open-small", OPEN_SMALL, "model.ckpt"),
    }


def opened(folder: Path) -> Model:
    return load(str(folder), CPU)


def saved(folder: Path) -> dict[str, Tensor]:
    if (folder / "model.safetensors").exists():
        return load_file(folder / "model.safetensors")
    return torch.load(folder / "model.ckpt", weights_only=True)["state_dict"]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# What stable-audio-tools computes itself


@torch.no_grad()
def told(model: Model, prompt: str, rows: int = 1, negative: bool = False) -> dict[str, Any]:
    """The arguments its own generation would give the network."""
    metadata = {"prompt": prompt, "seconds_start": 0.0, "seconds_total": SECONDS}
    tensors = model.wrapper.conditioner([metadata] * rows, "cpu")
    return model.wrapper.get_conditioning_inputs(tensors, negative=negative)


@torch.no_grad()
def denoised(model: Model, state: Tensor, sigma: Tensor, **arguments: Any) -> Tensor:
    """k-diffusion's wrapper of a v model; x − t·v for a flow model."""
    if model.objective == "v":
        return k_diffusion.external.VDenoiser(model.network)(state, sigma, **arguments)
    t = torch.where(sigma.isinf(), 1.0, sigma / (1 + sigma))
    x = torch.where(sigma.isinf(), 1.0, 1 - t)[:, None, None] * state
    return x - t[:, None, None] * model.network(x, t, **arguments)


# Loading


@pytest.mark.parametrize("name", FORMATS)
def test_every_tensor_that_was_saved_is_loaded(folders: dict[str, Path], name: str) -> None:
    """In full precision, whatever `model_half` says: Small's base configuration asks for half."""
    loaded, expected = opened(folders[name]).wrapper.state_dict(), saved(folders[name])
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[key], expected[key]) for key in expected)


@pytest.mark.parametrize(
    ("name", "objective", "sampler", "cfg", "max_seconds"),
    [
        ("1.0", "v", (100, 2, "midpoint", 0.3, 500.0), 7.0, 47.55),
        ("small", "rf_denoiser", (8, 1, "pingpong", math.exp(-1), math.exp(5)), 1.0, 11.89),
    ],
)
def test_a_model_brings_its_cards_defaults(
    folders: dict[str, Path],
    name: str,
    objective: str,
    sampler: tuple[object, ...],
    cfg: float,
    max_seconds: float,
) -> None:
    model = opened(folders[name])
    made = model.sampler(SamplingSettings())
    steps, order, solver, s_min, s_max = sampler
    assert (model.objective, model.defaults.cfg) == (objective, cfg)
    assert (made.steps, made.order, made.solver, made.eta) == (steps, order, solver, 1.0)
    assert (made.grid.s_min, made.grid.s_max) == pytest.approx((s_min, s_max))
    assert model.max_seconds == pytest.approx(max_seconds, abs=0.01)


def test_a_hub_id_is_taken_from_the_hubs_cache(folders: dict[str, Path], hub: Path) -> None:
    """Whichever of its two files the weights are in: Small has only model.ckpt."""
    repository = hub / "models--someone--open-small"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("1" * 40, encoding="utf-8")
    shutil.copytree(folders["small"], repository / "snapshots" / ("1" * 40))
    model = load("someone/open-small", CPU)
    assert (model.name, model.digest) == ("someone/open-small", opened(folders["small"]).digest)


# The whole job


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("method", ["lora", "full"])
def test_the_whole_job_runs(
    folders: dict[str, Path], tmp_path: Path, name: str, method: Method
) -> None:
    engine = Engine(opened(folders[name]), Store(tmp_path))
    original, clip = (
        engine.encode(load_clip(CLIPS / file, 44100, 2, 0.3, seconds))
        for file, seconds in [("loop_drone_g_97.flac", 1.5), ("perc_bell.flac", 1.1)]
    )
    learned = engine.learn(clip, "a bell", LearnSettings(method, steps=2))
    assert learned.steps == 2 and all(map(math.isfinite, learned.losses))
    reference = Reference("a bell", clip, learned.adapter)
    places = [Place(blend) for blend in (0.0, 0.5, 1.0)]
    results = {}
    for negative in (None, "", "hiss"):
        settings = SamplingSettings(steps=6, cfg=3.0, negative=negative)
        own, between, copy = engine.fuse(original, reference, places, settings)
        for fusion in (own, between, copy):
            assert fusion.waveform.samples.shape == original.waveform.samples.shape
            assert torch.isfinite(torch.from_numpy(fusion.waveform.samples)).all()
        assert own.remaining is None
        assert copy.remaining == 0 < (between.remaining or 0)
        assert torch.equal(copy.latent, original.latent)
        results[negative] = between.latent
    # Measured at least 2e-2.
    assert relative_rms(results[""], results[None]) > 1e-3
    assert relative_rms(results["hiss"], results[""]) > 1e-3


# Against stable-audio-tools


@pytest.mark.parametrize(
    ("name", "sigma"),
    [(name, sigma) for name in FORMATS for sigma in (0.03, 0.3, 1.0, 7.0, 60.0, 500.0)]
    + [("small", math.inf)],  # a flow model's time 1
)
@pytest.mark.parametrize(
    ("cfg", "negative"), [(1.0, None), (7.0, None), (7.0, ""), (7.0, "hiss"), (0.0, None)]
)
def test_the_denoiser_is_the_librarys_own(
    folders: dict[str, Path], name: str, sigma: float, cfg: float, negative: str | None
) -> None:
    """Guidance, too: the transformer's own, with the null condition or negative tokens."""
    model = opened(folders[name])
    state = noise(2, 8, 24) * (1.0 if math.isinf(sigma) else math.hypot(1.0, sigma))
    levels = torch.tensor([sigma, sigma / 2])
    arguments = told(model, "a bell", rows=2) | {"cfg_scale": cfg}
    if negative is not None:
        arguments |= told(model, negative, rows=2, negative=True)
    expected = denoised(model, state, levels, **arguments)
    against = None if negative is None else model.condition(negative, SECONDS)
    ours = model.denoiser(model.condition("a bell", SECONDS), cfg, against)
    with torch.no_grad():
        result = ours(state, levels.double())
    # Measured at most 9.4e-6: towards time 1 the network answers to the time's last bits.
    assert relative_rms(result, expected) < 3e-5


@pytest.mark.parametrize("name", FORMATS)
def test_no_prompt_is_zero_tokens_and_the_empty_prompt_is_not(
    folders: dict[str, Path], name: str
) -> None:
    model = opened(folders[name])
    prompted, empty = model.condition("a bell", SECONDS), model.condition("", SECONDS)
    null = prompted.unprompted()
    assert null.tokens is not None and prompted.tokens is not None and empty.tokens is not None
    assert null.tokens.shape == prompted.tokens.shape and not null.tokens.any()
    assert torch.equal(null.global_embedding, prompted.global_embedding)  # type: ignore[arg-type]
    assert empty.tokens[:, 0].any()  # the end of the prompt is a token itself
    state, level = noise(1, 8, 24) * 7, torch.tensor([7.0], dtype=torch.float64)

    def guided(negative: Conditioning | None) -> Tensor:
        with torch.no_grad():
            return model.denoiser(prompted, 7.0, negative)(state, level)

    assert torch.equal(guided(null), guided(None))
    assert relative_rms(guided(empty), guided(None)) > 1e-3  # measured 0.03 and 0.18


@pytest.mark.parametrize("name", FORMATS)
def test_the_length_asked_for_reaches_the_network(folders: dict[str, Path], name: str) -> None:
    model = opened(folders[name])
    short, long = model.condition("a bell", 1.0), model.condition("a bell", 10.0)
    assert not torch.equal(short.global_embedding, long.global_embedding)  # type: ignore[arg-type]
    assert not torch.equal(short.tokens, long.tokens)  # type: ignore[arg-type]


@pytest.mark.parametrize("cfg", [1.0, 3.0])
def test_pingpong_is_the_librarys_own_run(folders: dict[str, Path], cfg: float) -> None:
    """Small's eight steps; its distribution shift is for training and moves no sampling time."""
    model, first = opened(folders["small"]), noise(1, 8, 48)
    torch.manual_seed(3)
    draws = [torch.randn_like(first) for _ in range(8)]
    sampler = model.sampler(SamplingSettings())
    denoiser = model.denoiser(model.condition("a bell", SECONDS), cfg)
    (row,) = sample(denoiser, [Row(first, 0, math.inf)], sampler, Quiet(draws))
    torch.manual_seed(3)
    expected = sample_rf(
        model.network, first, steps=8, sampler_type="pingpong", device="cpu", cfg_scale=cfg,
        dist_shift=model.wrapper.dist_shift, **told(model, "a bell"),
    )  # fmt: skip
    assert model.wrapper.dist_shift is not None
    assert relative_rms(row.state, expected) < 2e-6  # measured 2.8e-7 and 7.9e-7


@pytest.mark.parametrize("order", [2, 3])
def test_a_guided_run_is_the_librarys_own(folders: dict[str, Path], order: int) -> None:
    """Open 1.0's card: 100 steps from 500 to 0.3, CFG 7, over the same noise."""
    model, first = opened(folders["1.0"]), noise(1, 8, 48) * 500
    draws = [noise(1, 8, 48, seed=1 + index) for index in range(100)]
    sampler = model.sampler(SamplingSettings(order=order))
    denoiser = model.denoiser(model.condition("a bell", SECONDS), model.defaults.cfg)
    (row,) = sample(denoiser, [Row(first, 0, 500.0)], sampler, Quiet(draws))
    sampling, shared = k_diffusion.sampling, iter(draws)
    run = {2: sampling.sample_dpmpp_2m_sde, 3: sampling.sample_dpmpp_3m_sde}[order]
    expected = run(
        k_diffusion.external.VDenoiser(model.network),
        first,
        sampling.get_sigmas_polyexponential(100, 0.3, 500.0, 1.0),
        noise_sampler=lambda *_: next(shared),
        extra_args=told(model, "a bell") | {"cfg_scale": 7.0},
        disable=True,
    )
    assert relative_rms(row.state, expected) < 1e-5  # measured 1.5e-6 and 1.4e-6


# What is refused: every time one line that says what to do


@contextlib.contextmanager
def refused(match: str) -> Iterator[None]:
    with pytest.raises(BadModel, match=match) as caught:
        yield
    assert "\n" not in str(caught.value)


def configured(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    """Break a folder by a change of its configuration."""

    def apply(folder: Path) -> None:
        path = folder / "model_config.json"
        config = json.loads(path.read_text(encoding="utf-8"))
        change(config)
        path.write_text(json.dumps(config), encoding="utf-8")

    return apply


def weighted(change: Callable[[dict[str, Tensor]], object]) -> Callable[[Path], object]:
    """Break a folder by a change of its weights."""

    def apply(folder: Path) -> None:
        weights = saved(folder)
        change(weights)
        write_weights(folder / "model.safetensors", weights)

    return apply


def written(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text, encoding="utf-8")


def truncated(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


CONFIG, WEIGHTS = "model_config.json", "model.safetensors"
WEIGHT = "model.model.transformer.layers.1.self_attn.to_out.weight"


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda folder: (folder / CONFIG).unlink(), "has no model_config.json"),
        (lambda folder: (folder / WEIGHTS).unlink(), "neither model.safetensors nor model.ckpt"),
        (written(CONFIG, "{"), "not a stable-audio-tools configuration"),
        (written(CONFIG, "[]"), "not a stable-audio-tools configuration"),
        (written(CONFIG, '{"model": 3}'), "not a stable-audio-tools configuration"),
        (configured(lambda c: c.update(sample_rate=0)), "not a stable-audio-tools configuration"),
        (configured(lambda c: c["model"].pop("pretransform")), "configuration .*pretransform"),
        (configured(lambda c: c["model"].pop("conditioning")), "configuration .*conditioning"),
        (
            configured(lambda c: c["model"]["diffusion"].update(diffusion_objective="x0")),
            "dit with objective x0 is not usable",
        ),
        (
            configured(lambda c: c["model"]["diffusion"].update(type="adp_1d")),
            "adp_1d with objective v is not usable",
        ),
        (
            configured(lambda c: c.update(model_type="diffusion_cond_inpaint")),
            "a diffusion_cond_inpaint dit .* is not usable",
        ),
        (
            configured(lambda c: c["model"]["conditioning"]["configs"][1].update(id="bpm")),
            "conditioned on bpm is not usable",
        ),
        (
            configured(lambda c: c["model"]["pretransform"].update(type="mp3")),
            "no model can be built from it .*mp3",
        ),
        (
            configured(lambda c: c["model"]["diffusion"]["config"].update(width=3)),
            "no model can be built from it .*width",
        ),
        (
            configured(lambda c: c["model"]["diffusion"]["config"].update(depth=3)),
            "lacks .* weights .*layers.2",
        ),
        (weighted(lambda w: w.pop(WEIGHT)), f"lacks 1 weights .*{WEIGHT}"),
        (
            weighted(lambda w: w.update({WEIGHT: w[WEIGHT][:64].clone()})),
            rf"{WEIGHT} has shape \(64, 128\), but .* \(128, 128\)",
        ),
        (written(WEIGHTS, "not weights"), "can't be read as weights"),
        (truncated, "can't be read as weights"),
    ],
)
def test_a_spoiled_folder_is_refused(
    folders: dict[str, Path], tmp_path: Path, spoil: Callable[[Path], object], match: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(folders["1.0"], folder)
    spoil(folder)
    with refused(match):
        opened(folder)


class Payload:
    """Makes a folder where it is unpickled, as any code could."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.mkdir, (self.place,)


def test_weights_that_carry_code_are_refused_and_the_code_does_not_run(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder, place = tmp_path / "model", tmp_path / "made by the payload"
    shutil.copytree(folders["small"], folder)
    path = folder / "model.ckpt"
    torch.save({"state_dict": saved(folder), "payload": Payload(place)}, path)
    with refused("can't be read as weights"):
        opened(folder)
    assert not place.exists()
    torch.load(path, weights_only=False)
    assert place.exists()  # so it was a payload


@pytest.mark.parametrize("name", ["embeded", "./nothing/here", "a/b/c", "~/models"])
def test_a_name_that_is_no_model_is_refused(name: str) -> None:
    with refused("unknown model .* embedded, toy, a folder, or a Hub id"):
        load(name, CPU)


def test_a_missing_text_encoder_is_named(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with refused("text encoder can't be fetched from the Hub; run once with a connection"):
        opened(folders["1.0"])


@pytest.fixture
def client(hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Point the Hub's client, online and with nothing cached, to an address."""

    def point(endpoint: str) -> None:
        template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)

    return point


def test_a_hub_out_of_reach_is_not_taken_for_a_missing_model(
    hub: Path, client: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with refused("the Hub can't be reached .* pass its folder with --model DIR"):
        load("stabilityai/stable-audio-open-1.0", CPU)
    client("http://127.0.0.1:9")
    monkeypatch.setattr(time, "sleep", lambda _: None)  # the client tries five times, 23 s in all
    with refused("the Hub can't be reached .* pass its folder with --model DIR"):
        load("stabilityai/stable-audio-open-1.0", CPU)


@pytest.mark.parametrize(
    ("status", "error", "match"),
    [
        (403, "GatedRepo", "accept its licence on the Hub's page"),
        (401, "RepoNotFound", "the Hub has no such stable-audio-tools model"),
        (404, "EntryNotFound", "the Hub has no such stable-audio-tools model"),
    ],
)
def test_the_hubs_refusal_is_passed_on(
    client: Callable[[str], None], status: int, error: str, match: str
) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", error)
            self.send_header("X-Repo-Commit", "2" * 40)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD  # noqa: N815

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client(f"http://127.0.0.1:{server.server_port}")
        with refused(match):
            load("stabilityai/stable-audio-open-1.0", CPU)
        server.shutdown()


@pytest.mark.parametrize("name", ["npu", "cuda:0"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    if torch.cuda.is_available() and name.startswith("cuda"):
        pytest.skip("there is one here")
    with refused(f"no device '{name}' here; available: .*cpu"):
        choose_device(name)
