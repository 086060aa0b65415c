"""Commands as users type them: a mistake is one line and exit code 2, and loses nothing."""

import csv
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from commands import read, refused
from eutectic.cli import COMMANDS, run
from eutectic.engine.adapter import Adapter
from eutectic.osc.table import spec_of
from sound_files import BAD_CLIPS, RATE, bad_clip, tone, write

CLIPS = Path(__file__).parents[2] / "presets" / "clips"
GLASS, WEIRDO = str(CLIPS / "ambi_glass_rub.flac"), str(CLIPS / "loop_weirdo.flac")
TOY = ["--model", "toy", "--learn-steps", "2"]


@pytest.mark.parametrize("kind", BAD_CLIPS)
@pytest.mark.parametrize("command", ["fuse original", "fuse reference", "learn", "window"])
def test_bad_clips_are_refused_by_every_command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str, command: str
) -> None:
    path = str(bad_clip(tmp_path, kind))
    arguments = {
        "fuse original": ["fuse", path, GLASS, "-o", "out.wav"],
        "fuse reference": ["fuse", GLASS, path, "-o", "out.wav"],
        "learn": ["learn", path],
        "window": ["window", path, GLASS, "-o", "out"],
    }[command]
    assert BAD_CLIPS[kind] in refused(capsys, *arguments, *TOY)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--blend", "1.5"], "blend must be 0 to 1, not 1.5"),
        (["--blend", "nan"], "blend must be 0 to 1"),
        (["--blend", "loud"], "blend must be numbers, not 'loud'"),
        (["--blend", "0.3,1.5"], "blend must be 0 to 1, not 1.5"),
        (["--blend", "0.3,,0.5"], "blend must be numbers"),
        (["--blend", "0.301,0.5,0.302"], "out-030.wav: several blends"),
        (["--blend", "0.3,0.5", "--remaining", "3"], "either blend or remaining"),
        (["--remaining", "26"], "remaining must be 0 to 25 with this grid, not 26"),
        (["--remaining", "3", "--blend", "0.5"], "either blend or remaining"),
        (["--model", "nonsense"], "unknown model 'nonsense'"),
        (["--model", "."], "has no model_config.json"),
        (["--compute", "abacus"], "no device 'abacus'"),
        (["--order", "7"], "order must be 1 to 3"),
        (["--steps", "0"], "steps must be 1 to 1000"),
        (["--seed", "-4"], "seed must be"),
        (["--recall", "1.1"], "recall must be 0 to 1, not 1.1"),
        (["--slack", "0"], "slack must be 0.01 to 10, not 0"),
        (["--level", "loud"], "'loud' is not one of 'match', 'raw'"),
        (["--residual", "noisy"], "'noisy' is not one of 'clean'"),
        (["--method", "magic"], "'magic' is not one of 'fusion', 'latent'"),
        (["--learn-method", "magic"], "'magic' is not one of 'lora', 'full'"),
        (["--start", "900"], "ends before"),
        (["--negative", "hiss"], "negative prompt needs guidance"),
        (["--start", "inf"], "start must be 0 or more"),
        (["--duration", "inf"], "duration must be more than 0"),
        (["--reference-start", "-1"], "start must be 0 or more"),
        (["--start", "-1"], "start must be 0 or more"),
        (["--duration", "0"], "duration must be more than 0"),
        (["--volume", "11"], "No such option"),
    ],
)
def test_bad_options_are_refused(
    capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert words in refused(capsys, "fuse", WEIRDO, GLASS, "-o", "out.wav", *TOY, *options)


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("none/out.wav", "does not exist"),
        ("none/out/", "does not exist"),
        ("file.wav/", "is not a folder"),
        ("/proc/out.wav", ""),
        ("out.mp3", "written as .wav"),
        ("a" * 300 + ".wav", "can't be written"),
    ],
)
def test_unwritable_outputs_are_refused(
    capsys: pytest.CaptureFixture[str], out: str, words: str
) -> None:
    if out.startswith("/proc") and not Path("/proc").is_dir():
        out = "none/out.wav"
    if out.startswith("file"):
        Path(out).touch()
    assert words in refused(capsys, "fuse", WEIRDO, GLASS, "-o", out, *TOY)


def test_nothing_is_overwritten_unless_forced(
    capsys: pytest.CaptureFixture[str], own_data: Path
) -> None:
    mine = own_data / "mine.wav"
    write(mine, tone(RATE, 0.5))
    before = mine.read_bytes()
    assert "exists" in refused(capsys, "fuse", WEIRDO, GLASS, "-o", "mine.wav", *TOY)
    words = refused(capsys, "fuse", "mine.wav", GLASS, "-o", "./mine.wav", "--force", *TOY)
    assert "is one of the sounds" in words
    assert "not empty" in refused(capsys, "window", WEIRDO, GLASS, "-o", ".", *TOY)
    assert "not empty" in refused(capsys, "demo", "-o", ".", *TOY[:2])
    words = refused(capsys, "window", "mine.wav", GLASS, "-o", ".", "--force", *TOY)
    assert "holds one of the sounds" in words
    assert "exists" in refused(capsys, "bench", "--json", "mine.wav", *TOY[:2])
    assert mine.read_bytes() == before
    assert run(["fuse", WEIRDO, GLASS, "-o", "mine.wav", "--force", *TOY]) == 0
    assert mine.read_bytes() != before


@pytest.mark.parametrize(("rate_hz", "channels"), [(8000, 1), (192000, 2), (48000, 6)])
def test_unusual_clips_are_fused(own_data: Path, rate_hz: int, channels: int) -> None:
    path = write(own_data / "odd.wav", tone(rate_hz, 0.7, 440.0, channels), rate_hz)
    assert run(["fuse", str(path), GLASS, "-o", "out.wav", *TOY]) == 0
    assert read("out.wav").shape == (2, round(0.7 * 44100))


def test_the_same_command_gives_the_identical_file_and_another_seed_another(
    own_data: Path,
) -> None:
    for name, seed in (("a.wav", "1"), ("b.wav", "1"), ("c.wav", "2")):
        assert run(["fuse", WEIRDO, GLASS, "-o", name, "--seed", seed, "--no-learn", *TOY]) == 0
    a, b, c = ((own_data / name).read_bytes() for name in ("a.wav", "b.wav", "c.wav"))
    assert a == b
    assert a != c


def test_at_full_recall_nothing_is_learned_and_the_prompt_does_not_matter(tmp_path: Path) -> None:
    fuse = ["fuse", WEIRDO, GLASS, *TOY]
    made = {
        "full": ["--recall", "1"], "prompt": ["--recall", "1", "--prompt", "else"],
        "no-learn": ["--no-learn"], "slack": ["--recall", "1", "--slack", "2"],
        "network": ["--no-learn", "--recall", "0"],
    }  # fmt: skip
    for name, options in made.items():
        assert run([*fuse, *options, "-o", f"{name}.wav"]) == 0
    assert not (tmp_path / "data" / "references").exists()
    full = read("full.wav")
    for name in made:
        same = np.array_equal(read(f"{name}.wav"), full)
        assert same == (name in ("full", "prompt", "no-learn")), name
    assert run([*fuse, "-o", "half.wav", "--recall", "0.5"]) == 0
    assert len(list((tmp_path / "data" / "references").iterdir())) == 1


def test_a_reference_is_learned_once_and_damage_is_repaired(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["learn", GLASS, "--prompt", "glass", *TOY]) == 0
    assert "learned as \u201cglass\u201d, full, 2 steps" in capsys.readouterr().out
    (kept,) = (tmp_path / "data" / "references").iterdir()
    learned = Adapter.read(kept)
    first = kept.read_bytes()
    made = kept.stat().st_ino  # a file that is written anew is another one
    fuse = ["fuse", WEIRDO, GLASS, "--prompt", "glass", *TOY]
    assert run([*fuse, "-o", "a.wav"]) == 0
    assert kept.stat().st_ino == made
    kept.write_bytes(first[:-20] + bytes(20))
    assert run([*fuse, "-o", "b.wav"]) == 0
    assert Adapter.read(kept).digest == learned.digest
    assert Path("a.wav").read_bytes() == Path("b.wav").read_bytes()


def test_a_budget_caps_learning_reports_it_and_finds_the_result_under_that_budget(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    command = ["learn", GLASS, "--model", "toy", "--learn-steps", "50000", "--budget"]
    ended = "ended learning after"
    assert run([*command, "0.2"]) == 0
    assert f"the budget of 0.2 s {ended}" in " ".join(capsys.readouterr().err.split())
    assert run([*command, "0.2"]) == 0
    assert ended not in capsys.readouterr().err
    assert run([*command, "0.3"]) == 0
    assert ended in " ".join(capsys.readouterr().err.split())
    assert len(list((tmp_path / "data" / "references").iterdir())) == 2


def test_a_section_is_fused_at_its_own_length() -> None:
    section = ["--start", "1", "--duration", "0.75"]
    assert run(["fuse", WEIRDO, GLASS, "-o", "out.wav", *section, *TOY]) == 0
    assert read("out.wav").shape == (2, round(0.75 * 44100))


def test_the_window_leaves_sounds_a_table_and_a_picture(
    capsys: pytest.CaptureFixture[str], own_data: Path
) -> None:
    assert run(["window", WEIRDO, GLASS, "-o", "out", "--points", "3", *TOY]) == 0
    names = sorted(path.name for path in (own_data / "out").iterdir())
    assert names == ["fusion-000.wav", "fusion-050.wav", "fusion-100.wav", "original.wav",
                     "reference.wav", "window.csv", "window.png"]  # fmt: skip
    lines = (own_data / "out" / "window.csv").read_text().splitlines()
    assert lines[0].startswith("blend,remaining,")
    assert [line.split(",")[0] for line in lines[1:]] == ["0.0000", "0.5000", "1.0000"]
    assert (own_data / "out" / "window.png").read_bytes().startswith(b"\x89PNG")


def test_choices_of_the_sampler_are_compared(
    capsys: pytest.CaptureFixture[str], own_data: Path
) -> None:
    choices = ["--steps", "4,8", "--orders", "1,2", "--residuals", "clean,edit-friendly"]
    command = ["window", WEIRDO, GLASS, "-o", "out", "--points", "3", "--duration", "1", *choices]
    assert run([*command, *TOY]) == 0
    with (own_data / "out" / "choices.csv").open(newline="") as file:
        rows = {row["choice"]: row for row in csv.DictReader(file)}
    kinds = ("order 1, clean", "order 2, clean", "order 1, edit-friendly")
    expected = [f"{steps} steps, {kind}" for kind in kinds for steps in (4, 8)]
    assert list(rows) == [*expected, "8 steps, order 1, clean, another seed"]
    for name, row in rows.items():
        alike = float(row["as most steps"])
        assert (alike == 1.0) == (name.startswith("8") and "seed" not in name), name
        assert 0 <= float(row["width"]) <= 1
        assert int(row["whole"]) > int(row["evaluations"]) > 0
        assert (own_data / "out" / f"{name.replace(', ', '-').replace(' ', '-')}.wav").exists()
    assert (own_data / "out" / "choices.png").read_bytes().startswith(b"\x89PNG")
    assert "another seed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--steps", "25,many", "steps must be whole numbers, not '25,many'"),
        ("--orders", "1,4", "order must be 1 to 3, not 4"),
        ("--residuals", "clean,clear", "residual must be one of"),
        ("--residuals=edit-friendly", "--order=2,3", "edit-friendly samples at order 1"),
    ],
)
def test_invalid_choices_are_refused(
    capsys: pytest.CaptureFixture[str], option: str, value: str, words: str
) -> None:
    assert words in refused(capsys, "window", WEIRDO, GLASS, "-o", "out", option, value, *TOY)


def test_the_demo_needs_no_arguments(capsys: pytest.CaptureFixture[str], own_data: Path) -> None:
    assert run(["demo", "--model", "toy", "--no-play"]) == 0
    made = {path.name for path in (own_data / "demo").iterdir()}
    assert {"original.wav", "reference.wav", "fusion-030.wav", "fusion.png", "worst"} <= made
    assert (own_data / "demo" / "worst" / "fusion.png").stat().st_size
    assert "like original" in capsys.readouterr().out


def test_names_are_taken_literally(capsys: pytest.CaptureFixture[str], own_data: Path) -> None:
    """Brackets aren't markup, dollars aren't mathematics; the same sound twice has no scale."""
    odd = write(own_data / "take[a] $_$^ x.wav", tone(RATE, 0.3))
    command = ["window", str(odd), str(odd), "-o", "out", "--points", "2", "--prompt", "[/b]"]
    assert run([*command, *TOY]) == 0
    assert run(["learn", str(odd), "--prompt", "[/b]", *TOY]) == 0
    assert "take[a] $_$^ x.wav" in capsys.readouterr().out
    assert "can't be read as audio" in refused(capsys, "learn", "n" * 300 + ".wav", *TOY)


def test_training_without_recordings_names_their_package(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = refused(capsys, "train-embedded", "--samples", "none", "-o", "out")
    assert "Debian's package is sonic-pi-samples" in words


def test_without_arguments_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "Stage:" in capsys.readouterr().out


def eutectic(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "eutectic", *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("command", [[], *([name] for name in (
    "fuse", "learn", "window", "demo", "listen", "paper", "bench", "train-embedded"))])  # fmt: skip
def test_every_command_has_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command, "--help"]) == 0
    assert "--help" in capsys.readouterr().out


@pytest.mark.process
def test_help_and_refusals_do_not_import_torch() -> None:
    """Nobody should wait a second for the report of a typing mistake."""
    code = (
        "import sys; from eutectic.cli import run; codes = [run(['--help']), "
        f"run(['fuse', 'none.wav', {GLASS!r}, '-o', 'out.wav'])]; "
        "print(codes, [name for name in ('torch', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[0, 2] []"


@pytest.mark.process
def test_a_mistake_in_a_real_process_is_one_line_without_traceback() -> None:
    done = eutectic("fuse", WEIRDO, GLASS, "-o", "out.wav", "--remaining", "99", *TOY)
    assert done.returncode == 2
    assert done.stderr == "eutectic: remaining must be 0 to 25 with this grid, not 99\n"
    assert done.stdout == ""


@pytest.mark.process
def test_the_list_of_commands_waits_for_no_large_library() -> None:
    code = "import sys, eutectic.cli; print({'numpy', 'torch'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_help_groups_all_commands_with_whole_sentences(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["-h"]) == 0
    shown = capsys.readouterr().out
    assert [f"{title}:" in shown for title in COMMANDS] == [True] * 3
    assert "Learn REFERENCE and store it for later fusions.\n" in shown


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"{metadata.version('eutectic')}\n"


def test_send_shows_a_request_s_own_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["send", "/fuse", "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(
        "Fuse, and play on a voice.\n/eutectic/fuse id voice original reference"
    )
    for option in spec_of("/fuse").options:
        assert f"\n  @{option.name} " in shown
    assert run(["send", "-h", "/fusee"]) == 2
    assert "did you mean /fuse?" in capsys.readouterr().err
    assert run(["send", "--help"]) == 0
    assert "/fuse" in capsys.readouterr().out


def test_a_window_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    window = ["window", WEIRDO, GLASS, "-o", "out", "--points", "3", "--json", *TOY]
    assert run(window) == 0
    (line,) = capsys.readouterr().out.splitlines()
    figures = json.loads(line)
    assert [point["blend"] for point in figures["points"]] == [0, 0.5, 1]
    assert figures["folder"] == "out"
    assert run([*window, "--force", "--orders", "1,2"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"]
