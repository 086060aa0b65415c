"""The paper's experiments: each runs, leaves its files, is reproducible, and can be resumed."""

import csv
from pathlib import Path

import pytest
import soundfile
import torch

from eutectic.cli import run
from eutectic.engine.engine import Engine
from eutectic.engine.fusion import at_remaining
from eutectic.engine.loading import load
from eutectic.engine.sample import Row, sample
from eutectic.engine.store import Store
from eutectic.engine.watch import Watch
from eutectic.errors import Cancelled
from eutectic.experiments.paper import Figure, fig4, figc1, inversions, methods, reproduce
from eutectic.experiments.paper.study import Study
from eutectic.window import Curves
from oracle import relative_rms

pytestmark = pytest.mark.training

CPU = torch.device("cpu")
EVERY = [figure for figure in Figure if figure is not Figure.ALL]
COLUMNS = {
    Figure.FIG1: {"original", "residual", "t", "remaining", "log_mel", "flatness_db"},
    Figure.FIG2: {"method", "sigma", "original_log_mel", "scratch_log_mel"},
    Figure.FIG3: {"reference", "learned", "log_mel", "texture", "latent_error"},
    Figure.FIG4: {"original", "reference", "order", "like_original", "equilibrium", "width"},
    Figure.FIG_A1: {"original", "order", "t", "log_mel"},
    Figure.FIG_C1: {"residual", "eta", "sigma", "map_rms", "deviation"},
    Figure.FIG_D1: {"clip", "between", "log_mel"},
    Figure.INVERSIONS: {"method", "inversion_evaluations", "latent_error", "like_reference"},
}
SHORT = ["--model", "toy", "--seconds", "0.5", "--steps", "8"]


def read(folder: Path, figure: Figure) -> list[dict[str, str]]:
    with (folder / figure / f"{figure}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def left_in(folder: Path) -> dict[str, bytes]:
    """Every file except those that contain times."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(("figures.jsonl", "inversions.csv"))
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All figures of the toy, made by the command."""
    folder = tmp_path_factory.mktemp("papers") / "paper"
    assert run(["paper", "all", *SHORT, "-o", str(folder)]) == 0
    return folder


@pytest.fixture
def toy(tmp_path: Path) -> Study:
    engine = Engine(load("toy", CPU), Store(tmp_path))
    return Study(engine, tmp_path, seconds=0.5, steps=8)


@pytest.mark.parametrize("figure", EVERY)
def test_every_figure_leaves_sounds_a_table_and_a_picture(made: Path, figure: Figure) -> None:
    rows = read(made, figure)
    assert rows and set(rows[0]) >= COLUMNS[figure]
    assert (made / figure / f"{figure}.png").read_bytes().startswith(b"\x89PNG")
    sounds = list((made / figure).rglob("*.wav"))
    assert sounds
    for path in sounds:
        assert soundfile.info(path).frames == 22050, path
    assert not [path for path in (made / figure).rglob("*") if path.name.startswith(".")]


def test_fusions_at_the_equilibrium_are_laid_out_as_sets(made: Path) -> None:
    for original, reference in fig4.PAIRS:
        folder = made / "fig4" / "sets" / f"{original}-{reference}"
        kinds = {"original.wav", "reference.wav", "fusion.wav"}
        assert {path.name for path in folder.iterdir()} == kinds


def test_a_second_run_makes_nothing_again(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = left_in(made)
    known = {figure: (made / figure / "figures.jsonl") for figure in EVERY}
    sizes = {figure: path.stat().st_size for figure, path in known.items() if path.exists()}
    forbidden = "the network was asked again"
    monkeypatch.setattr("eutectic.engine.checks.check_network", lambda _: None)  # as it is loaded
    monkeypatch.setattr(
        "eutectic.engine.model.Model.predict", lambda *_, **__: pytest.fail(forbidden)
    )
    assert run(["paper", "all", *SHORT, "-o", str(made)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert run(["paper", "all", *SHORT, "-o", str(made), "--force"]) == 0
    assert left_in(made) == before
    assert {figure: known[figure].stat().st_size for figure in sizes} == sizes


def test_the_same_seed_gives_the_same_figures_and_another_others(made: Path, toy: Study) -> None:
    figure = Figure.FIG1
    for seed, same in ((0, True), (1, False)):
        folder = toy.folder / str(seed)
        (folder / figure).mkdir(parents=True)
        again = Study(toy.engine, folder, toy.seconds, toy.steps, seed)
        reproduce.make(figure, again)
        assert (read(folder, figure) == read(made, figure)) == same


def test_an_interrupted_run_resumes(toy: Study) -> None:
    progress: list[int] = []
    cut = Watch(lambda: len(progress) >= 5, lambda done, _: progress.append(done))
    (toy.folder / Figure.FIG_A1).mkdir()
    with pytest.raises(Cancelled):
        reproduce.make(Figure.FIG_A1, toy, cut)
    made_before = {path: path.stat().st_mtime_ns for path in toy.folder.rglob("*order*.wav")}
    assert len(made_before) == 5
    reproduce.make(Figure.FIG_A1, toy)
    after = {path: path.stat().st_mtime_ns for path in toy.folder.rglob("*order*.wav")}
    assert len(after) == 45
    assert {path: after[path] for path in made_before} == made_before


def test_a_sound_that_is_missing_damaged_or_of_other_settings_is_made_again(toy: Study) -> None:
    (folder := toy.folder / Figure.FIG1).mkdir()
    reproduce.make(Figure.FIG1, toy)
    path = folder / "perc_bell-b-t80.wav"
    expected, table = path.read_bytes(), read(toy.folder, Figure.FIG1)
    other = folder / "perc_bell-b-t0.wav"
    for spoil in (path.unlink, lambda: path.write_bytes(b"RIFF"),
                  lambda: path.write_bytes(other.read_bytes())):  # fmt: skip
        spoil()
        reproduce.make(Figure.FIG1, toy)
        assert path.read_bytes() == expected
    assert read(toy.folder, Figure.FIG1) == table


def test_noise_maps_lead_back_along_the_inversion(made: Path) -> None:
    """Appendix C: measured at most 2e-13; gaussian's noise outweighs x0 by 1e3."""
    rows = read(made, Figure.FIG_C1)
    assert {(row["residual"], row["eta"]) for row in rows} == {
        (kind, str(eta)) for kind, eta in figc1.CASES
    }
    assert max(float(row["deviation"]) for row in rows) < 1e-11
    for row in rows:
        if row["residual"] == "clean" and float(row["sigma"]):
            assert float(row["map_rms"]) == 0


def test_nothing_left_to_run_is_the_round_trip(made: Path) -> None:
    """Except for its loudness, at which peaks are limited, and the floor of the distance."""
    left = [row for row in read(made, Figure.FIG4) if row["remaining"] == "0"]
    assert len(left) == len(fig4.PAIRS) * len(fig4.ORDERS)
    assert min(float(row["like_original"]) for row in left) > 0.6  # measured: 0.73


def test_inversions_count_their_network_evaluations(made: Path) -> None:
    rows = {row["method"]: row for row in read(made, Figure.INVERSIONS)}
    assert list(rows) == [method.name for method in methods.METHODS]
    asked = {name: (int(row["inversion_evaluations"]), int(row["sampling_evaluations"]))
             for name, row in rows.items()}  # fmt: skip
    for name in ("SDE, clean", "SDE, gaussian", "ODE, clean"):
        assert asked[name] == (0, 8)
    for name in ("DDIM", "edit-friendly, order 1", "edit-friendly, order 2"):
        assert asked[name] == (7, 8)
    assert asked["DDIM, guided"] == (7, 16)
    assert asked["null-text"][0] > 7 + 2 * 8
    assert asked["null-text"][1] == 16


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("embedded")
    return Study(Engine(load("embedded", CPU), Store(folder)), folder, seconds=0.7, steps=8)


@pytest.mark.parametrize("order", [1, 2])
def test_edit_friendly_noise_reconstructs_a_clip(embedded: Study, order: int) -> None:
    """From the top and from mid-grid to the lowest level; beyond that there is only D."""
    method = methods.Method("edit-friendly", "edit-friendly", order, 1.0)
    inverted = methods.invert(embedded, "loop_weirdo", method)
    trajectory, sampler = inverted.trajectory, inverted.sampler
    grid = sampler.grid
    assert trajectory.noise is not None
    row = Row(trajectory.at(grid.s_max), 0, grid.s_max)
    (row,) = sample(inverted.back, [row], sampler, trajectory.noise, until=grid.steps - 1)
    assert relative_rms(row.state, trajectory.at(grid.s_min)) < 1e-5  # measured 0
    ends = methods.reconstruct(
        embedded, inverted, [at_remaining(left, sampler) for left in (8, 5, 2)]
    )
    for end in ends[1:]:
        assert relative_rms(end, ends[0]) < 1e-5


def test_null_text_keeps_guided_sampling_closer_to_the_clip(embedded: Study) -> None:
    """Relative latent error when sampled from the top, guided."""
    errors = {}
    for name in ("DDIM, guided", "null-text"):
        (method,) = [each for each in methods.METHODS if each.name == name]
        inverted = methods.invert(embedded, "loop_weirdo", method)
        top = at_remaining(8, inverted.sampler)
        (latent,) = methods.reconstruct(embedded, inverted, [top])
        errors[name] = relative_rms(latent, inverted.trajectory.x0)
    print(errors)
    assert errors["null-text"] < 0.7 * errors["DDIM, guided"]


def test_a_model_without_tokens_has_no_null_text(
    toy: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row has no figures."""
    monkeypatch.setattr(inversions, "has_tokens", lambda _: False)
    (toy.folder / Figure.INVERSIONS).mkdir()
    table = reproduce.make(Figure.INVERSIONS, toy)
    (row,) = [row for row in table.lines() if row.startswith("null-text")]
    assert row.count("–") == len(table.columns) - 1


def test_curves_cross_where_both_likenesses_are_equal() -> None:
    curves = Curves((0.0, 0.5, 1.0), (0.0, 0.4, 1.0), (0.8, 0.6, 0.0))
    assert curves.crossing == pytest.approx(0.5 + 0.5 * 0.2 / 1.2)
    # the original counts from 0.3125 on, the reference up to 1 - 0.5 / 3
    assert curves.width == pytest.approx(1 - 0.5 / 3 - 0.3125, abs=2e-3)
    assert Curves((0.0, 1.0), (0.0, 0.2), (0.8, 0.6)).crossing is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fig5"], "'fig5' is not one of 'fig1'"),
        (["fig1", "--steps", "0"], "steps must be 1 to 1000, not 0"),
        (["fig1", "--seed", "-1"], "seed must be"),
        (["fig1", "--seconds", "0"], "seconds must be 0.1 to"),
        (["fig1", "--seconds", "nan"], "seconds must be 0.1 to"),
        (["fig1", "-o", "none/paper"], "does not exist"),
    ],
)
def test_bad_options_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: list[str], words: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert run(["paper", *arguments, "--model", "toy"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert words in error
    assert not list(tmp_path.iterdir())
