"""`eutectic fuse` with many originals, under names of their own, and what their tags repeat."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from commands import read, refused
from eutectic import audio
from eutectic.cli import loading, run
from eutectic.files.tags import read_comment
from eutectic.recipe import read_recipe
from loras import write_lora
from sound_files import RATE, bad_clip, tone, write

TOY = ["--model", "toy", "--no-learn"]


@pytest.fixture
def sounds(own_data: Path) -> list[str]:
    """Three originals in the current folder, and a reference."""
    for number, name in enumerate(("one", "two", "three", "reference")):
        write(own_data / f"{name}.wav", tone(RATE, 0.5, 300.0 + 200 * number))
    return ["one.wav", "two.wav", "three.wav", "reference.wav"]


def names(folder: str = ".") -> set[str]:
    return {path.name for path in Path(folder).iterdir()}


def same(first: str, second: str) -> bool:
    return Path(first).read_bytes() == Path(second).read_bytes()


def refused_with(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """The lines of a command that is refused, and leaves nothing."""
    before = sorted(Path.cwd().rglob("*"))
    assert run(list(arguments)) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert sorted(Path.cwd().rglob("*")) == before
    return shown.err.splitlines()


def test_one_engine_fuses_many_originals_into_a_folder_that_it_makes(
    sounds: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[str] = []
    load = loading.load_engine
    monkeypatch.setattr(
        loading, "load_engine", lambda *given: (loads.append("engine"), load(*given))[1]
    )
    blends = ["--blend", "0.25,0.5", "--blend", "1", "--seed", "1", "--seed", "2,3"]
    assert run(["fuse", *sounds, "-o", "out/", *blends, *TOY]) == 0
    assert names("out") == {
        f"{original}+reference-{blend}-s{seed}.wav"
        for original in ("one", "two", "three") for blend in ("025", "050", "100")
        for seed in (1, 2, 3)
    }  # fmt: skip
    assert loads == ["engine"]
    alone = ["--blend", "0.25", "--seed", "3"]
    assert run(["fuse", "two.wav", "reference.wav", "-o", "two-alone.wav", *alone, *TOY]) == 0
    assert same("out/two+reference-025-s3.wav", "two-alone.wav")


def test_names_of_their_own_never_replace_a_file(sounds: list[str], own_data: Path) -> None:
    (own_data / "other").mkdir()
    write(own_data / "other" / "one.wav", tone(RATE, 0.4, 900.0))
    command = ["fuse", "one.wav", "other/one.wav", "reference.wav", *TOY, "--force"]
    assert run(command) == 0
    assert names() >= {"one+reference-050.wav", "one+reference-050-2.wav"}
    lengths = [read(f"one+reference-050{end}.wav").shape[1] for end in ("", "-2")]
    assert lengths == [round(0.5 * RATE), round(0.4 * RATE)]
    first = Path("one+reference-050.wav").read_bytes()
    assert run(["fuse", "one.wav", "reference.wav", *TOY, "--force"]) == 0
    assert same("one+reference-050-3.wav", "one+reference-050.wav")
    assert Path("one+reference-050.wav").read_bytes() == first


def test_patterns_stand_for_files_and_the_reference_is_not_fused_with_itself(
    sounds: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["fuse", "*.wav", "one.wav", "reference.wav", "-o", "out/", *TOY]) == 0
    assert names("out") == {f"{each}+reference-050.wav" for each in ("one", "two", "three")}
    assert "reference.wav is the reference" in capsys.readouterr().err


def test_every_mistake_has_a_line_and_nothing_is_done(
    sounds: list[str], own_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = str(bad_clip(own_data, "silent"))
    given = ["tow.wav", silent, "*.aif", "gone/two.wav", "one.wav", "reference.wav"]
    lines = refused_with(capsys, "fuse", *given, "-o", "out/", *TOY)
    assert lines == [
        "eutectic: tow.wav: no such file; did you mean two.wav or one.wav?",
        f"eutectic: {silent}: is silent (peak under -80 dB)",
        "eutectic: *.aif: no such file, nor any that it matches",
        "eutectic: gone/two.wav: no such file; there is no folder gone",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no sounds are named; name an original and a reference"),
        (["one.wav"], "one.wav: is one sound; name"),
        (["one.wav", "two.wav", "out.wav"], "out.wav: no such file; to write to it, put -o before"),
        (["one.wav", "two.wav", "three.wav", "-o", "out.wav"], "into a folder: -o out/"),
        (["one.wav", "two.wav", "-o", "out"], "as .wav or .flac, or into a folder: out/"),
        (["one.wav", "two.wav", "-o", "out.wav", "--format", "flac"], "is not flac"),
        (["one.wav", "two.wav", "--seed", "1,x"], "seed must be whole numbers, not '1,x'"),
        (["one.wav", "two.wav", "--seed", "-1"], "seed must be 0 to"),
        (["one.wav", "two.wav", "--like", "one.wav"], "no tags that say how it was made"),
        (["--like", "none.wav"], "none.wav: no such file"),
        (["one.wav", "two.wav", "-o", "none/out/"], "does not exist"),
    ],
)
def test_mistakes_in_names_are_one_line(
    sounds: list[str], capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert words in refused(capsys, "fuse", *arguments)


def test_an_original_that_fails_loses_none_of_the_others(
    sounds: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second file is replaced by silence once all have been checked."""
    load = loading.load_engine

    def damage(model: str, compute: str | None):  # type: ignore[no-untyped-def]
        write(Path("two.wav"), np.zeros((2, RATE), np.float32))
        return load(model, compute)

    monkeypatch.setattr(loading, "load_engine", damage)
    assert run(["fuse", *sounds, "-o", "out/", *TOY]) == 2
    assert names("out") == {"one+reference-050.wav", "three+reference-050.wav"}
    assert capsys.readouterr().err == "eutectic: two.wav: is silent (peak under -80 dB)\n"


@pytest.mark.parametrize("suffix", ["wav", "flac"])
@pytest.mark.parametrize(
    "options",
    [
        ["--model", "toy", "--learn-steps", "2", "--prompt", "böll \"x\" " + "y" * 2100,
         "--recall", "0.5", "--steps", "12", "--eta", "0.4", "--start", "0.1", "--seed", "7"],
        ["--model", "toy", "--no-learn", "--recall", "0", "--remaining", "3", "--level", "raw"],
        ["--model", "toy", "--no-learn", "--residual", "edit-friendly", "--recall", "0.2"],
        ["--model", "toy", "--method", "latent", "--blend", "0.123456789"],
        ["--method", "spectral", "--duration", "0.3"],
    ],
)  # fmt: skip
def test_like_repeats_a_fusion_to_the_bit(
    sounds: list[str], options: list[str], suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["fuse", "one.wav", "reference.wav", "-o", f"a.{suffix}", *options]) == 0
    assert run(["fuse", "--like", f"a.{suffix}", "-o", f"b.{suffix}"]) == 0
    assert same(f"a.{suffix}", f"b.{suffix}")
    assert run(["fuse", "--like", f"b.{suffix}"]) == 0
    assert capsys.readouterr().err == ""


def test_a_lora_is_used_instead_of_learning_and_repeated(
    sounds: list[str], own_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair, network = ["one.wav", "reference.wav", "--recall", "0", *TOY], ["--strength", "0"]
    write_lora(own_data / "tape.safetensors")
    lora = ["--lora", "tape.safetensors"]
    assert run(["fuse", *pair, *lora, "-o", "whole.wav"]) == 0
    assert run(["fuse", *pair, *lora, "--strength", "0.5", "-o", "half.wav"]) == 0
    assert run(["fuse", *pair, *lora, *network, "-o", "none.wav"]) == 0
    assert run(["fuse", *pair, "--no-learn", "-o", "base.wav"]) == 0
    assert np.array_equal(read("none.wav"), read("base.wav"))  # their tags differ
    for one, other in (("whole.wav", "half.wav"), ("half.wav", "none.wav")):
        assert np.abs(read(one) - read(other)).max() > 1e-3
    assert run(["fuse", "--like", "half.wav", "-o", "again.wav"]) == 0
    assert same("half.wav", "again.wav")
    assert capsys.readouterr().err == ""
    write_lora(own_data / "tape.safetensors", seed=1)
    assert run(["fuse", "--like", "half.wav", "-o", "other.wav"]) == 0
    assert "tape.safetensors has changed: the sound will differ" in capsys.readouterr().err
    write_lora(own_data / "tape.safetensors")
    assert run(["references", "add", "tape.safetensors", "--model", "toy"]) == 0
    (own_data / "tape.safetensors").unlink()  # its copy is found by its name
    assert run(["fuse", "--like", "half.wav", "-o", "found.wav"]) == 0
    assert np.array_equal(read("found.wav"), read("half.wav"))
    (own_data.parent / "data" / "loras" / "tape.safetensors").unlink()
    capsys.readouterr()
    assert "No such file" in refused(capsys, "fuse", "--like", "half.wav")
    assert "without meaning" in refused(capsys, "fuse", *pair[:2], *lora, "--method", "mix")
    assert run(["fuse", *pair[:2], "--recall", "1", *TOY, *lora, "-o", "full.wav"]) == 0


def test_options_that_are_given_override_those_of_the_file(sounds: list[str]) -> None:
    pair = ["one.wav", "reference.wav"]
    first = ["--seed", "5", "--steps", "9", "--remaining", "3", "--recall", "0.7"]
    assert run(["fuse", *pair, "-o", "a.wav", *first, *TOY]) == 0
    assert run(["fuse", "--like", "a.wav", "--blend", "0.7", "-o", "b.wav"]) == 0
    expected = ["--seed", "5", "--steps", "9", "--blend", "0.7", "--recall", "0.7"]
    assert run(["fuse", *pair, "-o", "c.wav", *expected, *TOY]) == 0
    assert same("b.wav", "c.wav")
    assert run(["fuse", "--like", "a.wav", "--method", "mix", "--blend", "0.5"]) == 0
    assert run(["fuse", *pair, "--method", "mix", "-o", "mix.wav"]) == 0
    assert same("one+reference-mix-050.wav", "mix.wav")
    assert run(["fuse", "--like", "a.wav", "--residual", "edit-friendly", "-o", "d.wav"]) == 0
    several = ["--blend", "0.2", "--blend", "0.4", "--seed", "1,2"]
    assert run(["fuse", "--like", "a.wav", "two.wav", "three.wav", "one.wav", *several]) == 0
    assert len(list(Path().glob("t*+one-0?0-s?.wav"))) == 8


def test_sources_that_moved_or_changed_are_noticed(
    sounds: list[str], own_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own_data / "new").mkdir()
    assert run(["fuse", "one.wav", "reference.wav", "-o", "a.wav", *TOY]) == 0
    capsys.readouterr()
    for name in ("one.wav", "reference.wav", "a.wav"):
        shutil.copy(name, "new")
    Path("one.wav").unlink()
    lines = refused_with(capsys, "fuse", "--like", "a.wav")
    where = Path("one.wav").absolute()
    assert lines == [f"eutectic: {where}: has moved; name it anew: --like a.wav ORIGINAL REFERENCE"]
    assert run(["fuse", "--like", "a.wav", "new/one.wav", "reference.wav", "-o", "b.wav"]) == 0
    assert np.array_equal(read("a.wav"), read("b.wav"))
    assert run(["fuse", "--like", "new/a.wav", "-o", "c.wav"]) == 0  # they lie beside it
    assert np.array_equal(read("a.wav"), read("c.wav"))
    assert capsys.readouterr().err == ""
    write(Path("one.wav"), tone(RATE, 0.5, 999.0))
    (line,) = refused_with(capsys, "fuse", "--like", "a.wav")
    assert "one.wav: has changed since a.wav was made" in line
    assert run(["fuse", "--like", "a.wav", "one.wav", "reference.wav", "-o", "d.wav"]) == 0
    assert "one.wav is not the original that it was made of" in capsys.readouterr().err


def test_a_reference_that_is_learned_again_is_the_same_or_said_to_differ(
    sounds: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learn = ["--model", "toy", "--learn-steps", "2", "--recall", "0"]
    assert run(["fuse", "one.wav", "reference.wav", "-o", "a.wav", *learn]) == 0
    shutil.rmtree(tmp_path / "data")
    assert run(["fuse", "--like", "a.wav", "-o", "b.wav"]) == 0
    assert same("a.wav", "b.wav")
    recipe = json.loads(read_comment(Path("a.wav")))["eutectic"]
    assert recipe["learned"]["settings"]["steps"] == 2
    assert read_recipe(Path("a.wav")).model.digest == "toy-1"  # type: ignore[union-attr]
    assert capsys.readouterr().err == ""
    assert run(["fuse", "--like", "a.wav", "-o", "c.wav", "--learn-steps", "3"]) == 0
    assert "learned anew" in capsys.readouterr().err


@pytest.mark.process
@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_other_programs_show_the_tags(sounds: list[str], name: str) -> None:
    prompt = "heavy räin"
    command = ["fuse", "one.wav", "reference.wav", "-o", name, "--prompt", prompt, *TOY]
    assert run(command) == 0
    assert shutil.which("ffprobe"), "ffprobe is missing (apt: ffmpeg)"
    probe = ["ffprobe", "-v", "error", "-show_entries", "format_tags", "-of", "json", name]
    shown = subprocess.run(probe, capture_output=True, text=True, check=True).stdout
    tags = json.loads(shown)["format"]["tags"]
    assert tags["title"] == "one + reference, blend 0.5"
    about = json.loads(tags["comment"])["eutectic"]
    assert (about["prompt"], about["place"]["blend"], about["sampling"]["seed"]) == (prompt, 0.5, 0)


def test_flac_is_written_by_its_name_and_keeps_what_it_can(
    own_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loud = write(own_data / "loud.wav", 3 * tone(RATE, 0.5))
    command = ["fuse", str(loud), str(loud), "--method", "mix", "--level", "raw", "--blend", "1"]
    assert run([*command, "-o", "a.FLAC"]) == 0
    assert "peaks of +3.5 dB were limited" in capsys.readouterr().err
    assert soundfile.info("a.FLAC").format == "FLAC"
    assert np.abs(read("a.FLAC")).max() == pytest.approx(audio.db_to_gain(-0.3), abs=0.01)
    assert run([*command, "-o", "a.wav"]) == 0
    assert np.abs(read("a.wav")).max() == pytest.approx(1.5, abs=0.01)
    assert run([*command[:-4], "--format", "flac"]) == 0
    found = "loud+loud-mix-050.flac"
    assert soundfile.info(found).subtype == "PCM_24"


@pytest.mark.process
def test_a_mistake_among_many_is_found_before_torch_is_imported(sounds: list[str]) -> None:
    for extra in (["none.wav"], ["--model", "nonsense"], ["--like", "one.wav"]):
        code = (
            "import sys; from eutectic.cli import run; "
            f"code = run(['fuse', *{[*extra, *sounds]!r}]); print(code, 'torch' in sys.modules)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "2 False", extra


@pytest.mark.process
def test_what_is_ready_when_it_is_interrupted_is_whole_and_nothing_else_is_left(
    sounds: list[str],
) -> None:
    slow = ["--model", "toy", "--no-learn", "--recall", "0.5", "--steps", "1000"]
    command = ["fuse", *sounds, "-o", "out/", "--seed", ",".join(map(str, range(50))), *slow]
    process = subprocess.Popen(
        [sys.executable, "-m", "eutectic", *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "1 of 3: one.wav\n"
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "eutectic: cancelled\n")
    written = [line.split(":")[0] for line in [first, *rest.splitlines()] if "gain" in line]
    assert {f"out/{name}" for name in names("out")} == set(written)
    assert len(written) < 150
    assert all(read(name).shape == (2, RATE // 2) for name in written)
