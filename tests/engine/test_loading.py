"""Loading models: what is read from folders and from the Hub's cache, and what is refused.

Checkpoints of Stable Audio Open 1.0's and Small's configuration (see `checkpoints`), without a
network.
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

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file
from torch import Tensor

from checkpoints import write_weights
from eutectic.config import SamplingSettings
from eutectic.engine.loading import choose_device, load
from eutectic.engine.model import Model
from eutectic.errors import BadModel

CPU = torch.device("cpu")
FORMATS = ["1.0", "small"]


def opened(folder: Path) -> Model:
    return load(str(folder), CPU)


def saved(folder: Path) -> dict[str, Tensor]:
    if (folder / "model.safetensors").exists():
        return load_file(folder / "model.safetensors")
    return torch.load(folder / "model.ckpt", weights_only=True)["state_dict"]


@pytest.mark.parametrize("name", FORMATS)
def test_every_tensor_that_was_saved_is_loaded(folders: dict[str, Path], name: str) -> None:
    """In full precision, whatever `model_half` is: Small's base configuration sets it."""
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
def test_a_models_defaults_are_its_cards(
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


def test_a_hub_id_is_loaded_from_the_hubs_cache(folders: dict[str, Path], hub: Path) -> None:
    """From either file of weights: Small has only model.ckpt."""
    repository = hub / "models--someone--open-small"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("1" * 40, encoding="utf-8")
    shutil.copytree(folders["small"], repository / "snapshots" / ("1" * 40))
    model = load("someone/open-small", CPU)
    assert (model.name, model.digest) == ("someone/open-small", opened(folders["small"]).digest)


# What is refused, each with one line that tells the user what to do


@contextlib.contextmanager
def refused(match: str) -> Iterator[None]:
    with pytest.raises(BadModel, match=match) as caught:
        yield
    assert "\n" not in str(caught.value)


def configured(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    """Break a folder by changing its configuration."""

    def apply(folder: Path) -> None:
        path = folder / "model_config.json"
        config = json.loads(path.read_text(encoding="utf-8"))
        change(config)
        path.write_text(json.dumps(config), encoding="utf-8")

    return apply


def weighted(change: Callable[[dict[str, Tensor]], object]) -> Callable[[Path], object]:
    """Break a folder by changing its weights."""

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
    """Creates a folder when it is unpickled; any code could run."""

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
    assert place.exists()  # the payload does work


@pytest.mark.parametrize("name", ["embeded", "./nothing/here", "a/b/c", "~/models"])
def test_an_unknown_model_is_refused(name: str) -> None:
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
    """Point the Hub's client, online and with an empty cache, to an address."""

    def point(endpoint: str) -> None:
        template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)

    return point


def test_an_unreachable_hub_is_not_reported_as_a_missing_model(
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
def test_the_hubs_refusal_is_reported(
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
def test_an_unavailable_device_is_refused(name: str) -> None:
    if torch.cuda.is_available() and name.startswith("cuda"):
        pytest.skip("this machine has one")
    with refused(f"no device '{name}' here; available: .*cpu"):
        choose_device(name)
