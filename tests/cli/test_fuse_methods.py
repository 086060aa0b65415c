"""`eutectic fuse --method`: plain morphs are made without a model, and otherwise as fusions are."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from commands import read, refused
from eutectic import audio
from eutectic.cli import run
from eutectic.morphs import MORPHS
from sound_files import BAD_CLIPS, RATE, bad_clip, tone, write

FRAMES = round(0.6 * RATE)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    """A quiet tone, and a louder, longer one of another pitch."""
    quiet = write(tmp_path / "quiet.wav", 0.1 * tone(RATE, 0.6, 440.0))
    return str(quiet), str(write(tmp_path / "loud.wav", tone(RATE, 0.9, 1500.0)))


@pytest.mark.parametrize("method", MORPHS)
def test_a_morph_has_the_length_and_the_loudness_of_a_fusion(
    pair: tuple[str, str], method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["fuse", *pair, "-o", "out.wav", "--method", method]) == 0
    assert f"out.wav: 0.60 s, blend 0.50, {method}, gain " in capsys.readouterr().out
    made = audio.load_clip(Path("out.wav"), RATE)
    assert made.samples.shape == (2, FRAMES)
    assert made.samples[:, -1].tolist() == [0, 0]  # faded out
    quiet, loud = (audio.loudness_lufs(audio.load_clip(Path(path), RATE)) for path in pair)
    assert audio.loudness_lufs(made) == pytest.approx((quiet + loud) / 2, abs=0.2)


def test_latent_and_sdedit_are_the_models_own_settings(pair: tuple[str, str]) -> None:
    fuse, learning = ["fuse", *pair, "--model", "toy"], ["--learn-steps", "2"]
    latent = ["--recall", "1", "--eta", "0", "--order", "1"]
    noised = ["--residual", "gaussian", "--recall", "0", *learning]
    for method, same, others in (("latent", latent, []), ("sdedit", noised, learning)):
        assert run([*fuse, "--method", method, *others, "-o", f"{method}.wav"]) == 0
        assert run([*fuse, *same, "-o", "same.wav", "--force"]) == 0
        assert np.array_equal(read(f"{method}.wav"), read("same.wav"))


@pytest.mark.parametrize(
    ("method", "option", "value"),
    [("latent", "--eta", "1"), ("latent", "--prompt", "x"), ("sdedit", "--residual", "clean"),
     ("sdedit", "--recall", "1")],
)  # fmt: skip
def test_options_that_a_method_of_the_model_sets_itself_are_refused(
    capsys: pytest.CaptureFixture[str], pair: tuple[str, str], method: str, option: str, value: str
) -> None:
    words = refused(capsys, "fuse", *pair, "-o", "out.wav", "--method", method, option, value)
    assert words == f"eutectic: {option}: without meaning for the method {method}\n"


def test_at_either_end_is_one_of_the_sounds(pair: tuple[str, str]) -> None:
    for method in MORPHS:
        command = ["fuse", *pair, "--method", method, "--level", "raw"]
        assert run([*command, "-o", f"{method}.wav", "--blends", "1,0"]) == 0
        for name, path in (("100", pair[0]), ("000", pair[1])):
            made, source = read(f"{method}-{name}.wav"), read(path)
            until = FRAMES - round(audio.FADE_END_SECONDS * RATE)
            assert np.abs(made[:, :until] - source[:, :until]).max() < 1e-6, (method, name)


@pytest.mark.parametrize("method", [["--model", "toy", "--no-learn"], ["--method", "mix"]])
def test_several_blends_make_a_file_each(
    pair: tuple[str, str], own_data: Path, capsys: pytest.CaptureFixture[str], method: list[str]
) -> None:
    fuse, names = ["fuse", *pair, *method], ["out-030.wav", "out-056.wav", "out-100.wav"]
    assert run([*fuse, "-o", "out.wav", "--blend", "0.3,0.555,1"]) == 0
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == names
    assert sorted(path.name for path in own_data.iterdir()) == names
    assert "exists" in refused(capsys, *fuse, "-o", "out.wav", "--blend", "0.2,0.3")
    assert run([*fuse, "-o", "one.wav", "--blend", "0.3"]) == 0
    assert Path("one.wav").read_bytes() == Path("out-030.wav").read_bytes()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--prompt", "bell"], "--prompt"),
        (["--seed", "0"], "--seed"),
        (["--remaining", "3"], "--remaining"),
        (["--learn-method", "lora", "--rank", "4"], "--learn-method, --rank"),
        (["--no-learn"], "--no-learn"),
        (["--model", "embedded", "--compute", "cpu"], "--model, --compute"),
        (["--steps", "9", "--order", "1", "--eta", "0"], "--steps, --order, --eta"),
        (["--residual", "clean"], "--residual"),
    ],
)
def test_options_of_the_model_are_refused_without_it(
    capsys: pytest.CaptureFixture[str], pair: tuple[str, str], options: list[str], named: str
) -> None:
    words = refused(capsys, "fuse", *pair, "-o", "out.wav", "--method", "transport", *options)
    assert words == f"eutectic: {named}: without meaning for the method transport\n"


@pytest.mark.parametrize("kind", BAD_CLIPS)
def test_bad_clips_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, pair: tuple[str, str], kind: str
) -> None:
    path = str(bad_clip(tmp_path, kind))
    for sounds in ((path, pair[0]), (pair[0], path)):
        words = refused(capsys, "fuse", *sounds, "-o", "out.wav", "--method", "mix")
        assert BAD_CLIPS[kind] in words


def test_sections_are_chosen_of_both_sounds(pair: tuple[str, str], tmp_path: Path) -> None:
    """Silence of the reference is skipped, and the original's second half is kept."""
    late = np.concatenate([np.zeros((2, RATE // 2), np.float32), tone(RATE, 0.5, 1500.0)], axis=1)
    sounds = [pair[0], str(write(tmp_path / "late.wav", late))]
    sections = ["--start", "0.2", "--duration", "0.3", "--reference-start", "0.5"]
    command = ["fuse", *sounds, "-o", "out.wav", "--method", "mix", "--blend", "0", *sections]
    assert run([*command, "--level", "raw"]) == 0
    made = read("out.wav")
    assert made.shape == (2, round(0.3 * RATE))
    assert np.abs(made[:, : RATE // 4] - late[:, RATE // 2 : RATE // 2 + RATE // 4]).max() < 1e-6


@pytest.mark.process
def test_plain_morphs_wait_for_no_torch_and_leave_no_data(
    pair: tuple[str, str], tmp_path: Path
) -> None:
    code = (
        "import sys; from eutectic.cli import run; "
        f"code = run(['fuse', *{pair!r}, '-o', 'out.wav', '--method', 'transport']); "
        "print(code, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"
    assert not (tmp_path / "data").exists()
