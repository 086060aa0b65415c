"""LoRA files as references of a real daemon: loaded, turned up and down, and kept."""

from __future__ import annotations

import itertools
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from daemons import daemon, fails, prepare, until, wait_for
from eutectic.client.daemon_process import Daemon, NotServing, until_ready
from eutectic.client.replies import RequestFailed
from eutectic.client.sync import Client
from eutectic.osc.answers import Engine, Queued, Started
from eutectic.recipe import read_recipe
from loras import write_lora

pytestmark = pytest.mark.process

numbers = itertools.count()
LOADED = ("tape", "both")


def states(client: Client) -> dict[str, tuple[str, str]]:
    """Of references by name: their clips and states."""
    return {each.reference: (each.clip, each.state) for each in client.references()}


def rendered(client: Client, name: str, *options: int | float | str) -> NDArray[np.float64]:
    reply = client.request("/render", "a", name, f"of-loras/{next(numbers)}", *options)
    return soundfile.read(reply.found.path)[0]


def differs(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return float(np.abs(one - other).max()) > 1e-3


@pytest.fixture
def lora(running: Daemon) -> Iterator[Path]:
    """A file where the daemon finds it by its name."""
    path = write_lora(running.data.parent / "clips" / "warm_tape.safetensors")
    yield path
    path.unlink(missing_ok=True)


def test_a_lora_without_a_clip_is_played_by_the_network_alone(client: Client, lora: Path) -> None:
    loaded = client.load_reference("tape", lora.name)
    assert (loaded.kind, loaded.rank) == ("lora", 4)
    (listed,) = [each for each in client.references() if each.reference == "tape"]
    assert (listed.clip, listed.prompt, listed.state) == ("", "warm tape", "learned")
    number = client.begin("/fuse", 1, "a", "tape", "@blend", 0.4)
    wait_for(client, Started, lambda started: started.id == number)
    client.end("/fuse", number)
    client.fan("a", "tape", 3)
    client.send("/scrub", 1, 0.9)
    client.request("/fan", "a", "tape", 3, "@even", 1)
    plain = rendered(client, "tape")
    assert np.array_equal(rendered(client, "tape", "@recall", 0.8), plain)
    for strength in (0, 0.3, 2):
        assert differs(rendered(client, "tape", "@strength", strength), plain)


def test_with_a_clip_it_is_remembered_too(client: Client, lora: Path) -> None:
    client.load_reference("alone", lora.name, prompt="tape")
    client.load_reference("both", lora.name, prompt="tape", clip="b", strength=0.5)
    assert states(client)["both"] == ("b", "learned")
    alone = rendered(client, "alone", "@strength", 0.5)
    assert np.array_equal(rendered(client, "both", "@recall", 0, "@level", "raw"),
                          rendered(client, "alone", "@strength", 0.5, "@level", "raw"))  # fmt: skip
    assert differs(rendered(client, "both", "@recall", 0.5), alone)
    number = client.begin("/fuse", 1, "a", "both", "@recall", 1)
    client.end("/fuse", number)
    for options in ((), ("@strength", 2), ("@cfg", 3)):  # what only the network hears
        number = client.begin("/fuse", 1, "a", "both", "@recall", 1, *options)
        assert not client.end("/fuse", number).of(Queued)


def test_what_cannot_be_loaded_changes_nothing(
    running: Daemon, client: Client, lora: Path, tmp_path: Path
) -> None:
    folder = lora.parent
    (folder / "text.safetensors").write_text("not one")
    shutil.copy(lora, folder / "tape.bin")
    outside = write_lora(Path("/tmp") / f"outside-{running.data.parent.name}.safetensors")
    client.load_reference("tape", lora.name)
    before = states(client)
    try:
        assert fails(client, "/reference/load", "tape", "absent.safetensors") == "no_file"
        assert fails(client, "/reference/load", "tape", "text.safetensors") == "bad_reference"
        assert fails(client, "/reference/load", "tape", "tape.bin") == "bad_reference"
        assert fails(client, "/reference/load", "tape", "a.wav") == "bad_reference"
        assert fails(client, "/reference/load", "tape", str(outside)) == "bad_path"
        assert fails(client, "/reference/load", "tape", lora.name, "@clip", "nobody") == (
            "unknown_clip"
        )
        assert fails(client, "/reference/load", "tape", lora.name, "@strength", 3) == "bad_option"
    finally:
        outside.unlink()
        for name in ("text.safetensors", "tape.bin"):
            (folder / name).unlink()
    assert states(client) == before


def test_its_copy_in_the_store_is_deleted_with_the_last_that_has_it(
    running: Daemon, client: Client, lora: Path
) -> None:
    write_lora(lora, seed=1)
    store = running.data / "references"
    before = set(store.iterdir())
    client.load_reference("one", lora.name)
    client.load_reference("two", lora.name, prompt="another")
    (copy,) = set(store.iterdir()) - before
    size = copy.stat().st_size // 1000
    assert client.delete_reference("one").kb == 0
    rendered(client, "two")
    assert client.delete_reference("two").kb == size
    assert set(store.iterdir()) == before and lora.exists()
    client.load_reference("one", lora.name)
    rendered(client, "one")


def test_a_render_says_which_file_it_was_made_with(client: Client, lora: Path) -> None:
    client.load_reference("both", lora.name, clip="b", strength=0.5)
    reply = client.request("/render", "a", "both", f"of-loras/{next(numbers)}")
    recipe = read_recipe(Path(reply.found.path))
    assert recipe.lora is not None and recipe.lora.file == lora
    assert recipe.sampling is not None and recipe.sampling.strength == 0.5


def test_it_outlives_its_file_the_engine_and_the_daemon(tmp_path: Path) -> None:
    options = ("--session", "night")
    with daemon(tmp_path, *options) as process, process.client() as client:
        prepare(client)
        client.notify()
        lora = write_lora(tmp_path / "clips" / "tape.safetensors")
        client.load_reference("tape", lora.name, strength=0.5)
        client.load_reference("both", lora.name, clip="b")
        before = [rendered(client, name, "@seed", 7) for name in LOADED]
        lora.unlink()
        process.engine().send_signal(signal.SIGKILL)
        wait_for(client, Engine, lambda engine: engine.state == "dead")
        before += [rendered(client, name, "@seed", 8) for name in LOADED]
    shutil.rmtree(process.data / "fusions")
    with daemon(tmp_path, *options) as process, process.client() as client:
        until_ready(client)
        until(lambda: states(client) == {
            "r": ("b", "learned"), "tape": ("", "learned"), "both": ("b", "learned")
        })  # fmt: skip
        after = [rendered(client, name, "@seed", seed) for seed in (7, 8) for name in LOADED]
        assert all(np.array_equal(*each) for each in zip(before, after, strict=True))
    shutil.rmtree(process.data / "fusions")
    for path in (process.data / "references").iterdir():
        path.unlink()
    with daemon(tmp_path, *options) as process, process.client() as client:
        until_ready(client)
        until(lambda: states(client)["tape"][1] == "missing")
        write_lora(tmp_path / "clips" / "tape.safetensors")
        client.load_reference("tape", "tape.safetensors", strength=0.5)
        assert np.array_equal(rendered(client, "tape", "@seed", 7), before[0])


def test_a_preset_loads_loras(running: Daemon, client: Client, lora: Path) -> None:
    path = running.data / "presets" / "tapes.toml"
    path.parent.mkdir(exist_ok=True)
    good = (
        'format = 1\n[[references]]\nname = "alone"\nprompt = "tape"\n'
        'lora = "warm_tape.safetensors"'
        '\n[[references]]\nname = "both"\nprompt = "tape"\nlora = "warm_tape.safetensors"\n'
        'clip = "b"\nstrength = 0.5\n'
    )
    path.write_text(good)
    loaded = client.load_preset("tapes")
    assert loaded.references == ["alone", "both"]
    assert states(client)["alone"] == ("", "learned") and states(client)["both"][0] == "b"
    client.load_reference("other", lora.name, prompt="tape")
    for name, options in (("alone", ()), ("both", ("@recall", 0, "@level", "raw", "@strength", 1))):
        other = rendered(client, "other", *options)
        assert np.array_equal(rendered(client, name, *options), other)
    before = states(client)
    for old, new, code in (
        ("warm_tape", "absent", "no_file"), ('lora = "warm_tape.safetensors"', "", "bad_state"),
        ("strength = 0.5", "strength = 3", "bad_state"),
    ):  # fmt: skip
        path.write_text(good.replace(old, new))
        assert fails(client, "/preset/load", "tapes") == code
    assert states(client) == before
    path.unlink()


def test_pads_of_a_preset_with_loras_wait_for_them(
    running: Daemon, client: Client, lora: Path
) -> None:
    """Even those pressed in the same moment as the preset."""
    path = running.data / "presets" / "tapes.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        'format = 1\n[[clips]]\nname = "new"\npath = "c.wav"\n'
        '[[references]]\nname = "fresh"\nprompt = "tape"\nlora = "warm_tape.safetensors"\n'
        '[[references]]\nname = "wrong"\nprompt = "tape"\nlora = "wrong.safetensors"\n'
        '[[references]]\nname = "old"\nprompt = "c"\nclip = "new"\nsteps = 2\n'
    )
    (lora.parent / "wrong.safetensors").write_text("not one")
    loading = client.begin("/preset/load", "tapes")
    pads = [client.begin("/fuse", 1 + n, "new", name) for n, name in enumerate(("fresh", "old"))]
    for pad in pads:
        client.end("/fuse", pad)
    with pytest.raises(RequestFailed) as failed:
        client.end("/preset/load", loading)
    assert failed.value.code == "bad_reference"  # but the others are there
    assert [states(client)[name][1] for name in ("fresh", "old")] == ["learned"] * 2
    path.unlink()


def test_a_lora_that_another_model_cannot_have_says_so_and_comes_back(tmp_path: Path) -> None:
    with daemon(tmp_path) as process, process.client() as client:
        prepare(client)
        lora = write_lora(tmp_path / "clips" / "tape.safetensors")
        client.load_reference("tape", lora.name)
        client.load_reference("both", lora.name, clip="b")
        client.request("/model/set", "embedded", timeout=120)
        until(lambda: [states(client)[name][1] for name in LOADED] == ["missing"] * 2)
        with pytest.raises(RequestFailed, match=r"tape: .*is for another model"):
            client.request("/fuse", 1, "a", "tape")
        assert "b.wav is missing" not in process.log
        client.request("/model/set", "toy", timeout=120)
        until(lambda: [states(client)[name][1] for name in LOADED] == ["learned"] * 2)
        rendered(client, "tape")


def test_what_is_on_a_full_or_read_only_disk_is_used_from_memory(tmp_path: Path) -> None:
    with daemon(tmp_path) as process, process.client() as client:
        prepare(client)
        shutil.rmtree(process.data / "references")
        (process.data / "references").write_text("no folder")
        write_lora(tmp_path / "clips" / "tape.safetensors")
        client.load_reference("tape", "tape.safetensors")
        rendered(client, "tape")
    assert "is kept in memory alone" in process.log


def test_a_session_cannot_name_a_file_elsewhere(tmp_path: Path) -> None:
    options = ("--session", "night")
    with daemon(tmp_path, *options) as process, process.client() as client:
        prepare(client)
        write_lora(tmp_path / "clips" / "tape.safetensors")
        client.load_reference("tape", "tape.safetensors")
    path = process.data / "sessions" / "night.toml"
    key = next(line for line in path.read_text().splitlines() if line.startswith("lora = ") and
               "/" not in line)  # fmt: skip
    path.write_text(path.read_text().replace(key, 'lora = "../clips/tape"'))
    with pytest.raises(NotServing, match="lora: expected"), daemon(tmp_path, *options):
        pass
