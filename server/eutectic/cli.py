"""The commands. Nothing here computes; torch is imported inside the commands that need it.

A user's mistake ends in exit code 2 and one line; Ctrl-C in 130.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer.exceptions import TyperException

from eutectic.config import (
    LearnSettings,
    Level,
    Method,
    Place,
    Residual,
    SamplingSettings,
    Solver,
    data_folder,
)
from eutectic.errors import BadInput, BadOutput, BadSetting, Cancelled

if TYPE_CHECKING:
    from eutectic.engine.engine import Clip, Engine, Reference
    from eutectic.engine.watch import Watch
    from eutectic.experiments.window import Window

app = typer.Typer(
    help="Fuse two sounds into a third: diffusion inversion for live electronic music.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
errors = Console(stderr=True, highlight=False, soft_wrap=True)
console = Console(highlight=False)

Model = Annotated[str, typer.Option("--model", help="embedded, toy, a folder or a Hub id.")]
Device = Annotated[str | None, typer.Option("--compute", help="cuda, mps or cpu (default: best).")]
Prompt = Annotated[str | None, typer.Option(help="Words for the reference (default: its name).")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same sound.")]
Steps = Annotated[int | None, typer.Option(help="Sampler steps.")]
Cfg = Annotated[float | None, typer.Option(help="Guidance scale; 1 is none.")]
Negative = Annotated[str | None, typer.Option(help="Prompt to be guided away from.")]
Order = Annotated[int | None, typer.Option(help="Sampler order, 1 to 3.")]
SolverName = Annotated[str | None, typer.Option("--solver", help="midpoint, heun or pingpong.")]
Eta = Annotated[float | None, typer.Option(help="1: SDE, 0: ODE, or between.")]
ResidualName = Annotated[
    str,
    typer.Option(
        "--residual",
        help="Inversion: clean, gaussian, stochastic, scaled, ddim or edit-friendly.",
    ),
]
Amount = Annotated[float, typer.Option("--residual-amount", help="Noise of gaussian, 0 to 1.")]
LevelName = Annotated[str, typer.Option("--level", help="match the sources' loudness, or raw.")]
Start = Annotated[float, typer.Option(help="Where in the original to begin, seconds.")]
Duration = Annotated[float | None, typer.Option(help="How much of the original, seconds.")]
MethodName = Annotated[str | None, typer.Option("--method", help="lora or full.")]
LearnSteps = Annotated[int | None, typer.Option("--learn-steps", help="Steps of learning.")]
Rank = Annotated[int, typer.Option(help="Rank of lora.")]
Budget = Annotated[
    float | None, typer.Option("--budget", help="Stop learning after these seconds at the latest.")
]
NoLearn = Annotated[bool, typer.Option("--no-learn", help="Sample with the prompt alone.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]


@app.command()
def fuse(
    original: Annotated[Path, typer.Argument(help="The sound whose course is kept.")],
    reference: Annotated[Path, typer.Argument(help="The sound whose character is taken.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The WAV file to write.")],
    prompt: Prompt = None,
    blend: Annotated[
        float | None, typer.Option(help="0: the reference … 1: the original (default 0.5).")
    ] = None,
    remaining: Annotated[
        int | None, typer.Option(help="Instead of blend: steps left after the injection.")
    ] = None,
    seed: Seed = 0,
    steps: Steps = None,
    cfg: Cfg = None,
    negative: Negative = None,
    order: Order = None,
    solver: SolverName = None,
    eta: Eta = None,
    residual: ResidualName = "clean",
    residual_amount: Amount = 1.0,
    level: LevelName = "match",
    start: Start = 0.0,
    duration: Duration = None,
    method: MethodName = None,
    learn_steps: LearnSteps = None,
    rank: Rank = 16,
    budget: Budget = None,
    no_learn: NoLearn = False,
    model: Model = "embedded",
    compute: Device = None,
    force: Force = False,
) -> None:
    """Fuse ORIGINAL with REFERENCE, learning the reference first where it isn't known yet."""
    place = Place(0.5 if blend is None and remaining is None else blend, remaining)
    sampling = _sampling(seed, cfg, negative, steps, order, solver, eta, residual, residual_amount)
    learning = _learning(method, learn_steps, rank, budget, seed)
    chosen_level = _level(level)
    _check_inputs(original, reference)
    _check_output(out, (original, reference), force)
    engine = _engine(model, compute)
    engine.points([place], sampling)
    source = _load(engine, original, start, duration)
    known = _reference(engine, reference, prompt, learning, no_learn)
    with _progress("fusing") as watch:
        (fusion,) = engine.fuse(source, known, [place], sampling, chosen_level, watch=watch)
    from eutectic.audio import save_wav

    save_wav(out, fusion.waveform)
    console.print(
        f"{out}: {fusion.waveform.seconds:.2f} s, blend {fusion.blend:.2f}, "
        f"remaining {fusion.remaining}, gain {fusion.gain_db:+.1f} dB"
    )


@app.command()
def learn(
    reference: Annotated[Path, typer.Argument(help="The sound to memorise.")],
    prompt: Prompt = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Also write what was learned here.")
    ] = None,
    method: MethodName = None,
    steps: LearnSteps = None,
    rank: Rank = 16,
    budget: Budget = None,
    seed: Seed = 0,
    model: Model = "embedded",
    compute: Device = None,
    force: Force = False,
) -> None:
    """Learn REFERENCE with its prompt, and keep it for later fusions."""
    learning = _learning(method, steps, rank, budget, seed)
    _check_inputs(reference)
    if out is not None:
        _check_output(out, (reference,), force)
    engine = _engine(model, compute)
    known = _reference(engine, reference, prompt, learning, no_learn=False)
    if known.adapter is None:
        raise AssertionError("learning leaves an adapter")
    if out is not None:
        known.adapter.save(out)
    about = known.adapter.about
    console.print(
        f"{reference}: known as \u201c{known.prompt}\u201d, {about['method']}, "
        f"{about['steps']} steps, loss {about['loss']:.3f}"
    )


@app.command()
def window(
    original: Annotated[Path, typer.Argument(help="The sound whose course is kept.")],
    reference: Annotated[Path, typer.Argument(help="The sound whose character is taken.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write.")] = Path("window"),
    prompt: Prompt = None,
    points: Annotated[int, typer.Option(help="Fusions across the window, 0 and 1 included.")] = 9,
    seed: Seed = 0,
    steps: Steps = None,
    cfg: Cfg = None,
    negative: Negative = None,
    order: Order = None,
    solver: SolverName = None,
    eta: Eta = None,
    residual: ResidualName = "clean",
    residual_amount: Amount = 1.0,
    level: LevelName = "match",
    start: Start = 0.0,
    duration: Duration = None,
    method: MethodName = None,
    learn_steps: LearnSteps = None,
    rank: Rank = 16,
    budget: Budget = None,
    no_learn: NoLearn = False,
    model: Model = "embedded",
    compute: Device = None,
    force: Force = False,
) -> None:
    """Fuse across the whole window; measure and draw likeness to both sources."""
    sampling = _sampling(seed, cfg, negative, steps, order, solver, eta, residual, residual_amount)
    learning = _learning(method, learn_steps, rank, budget, seed)
    chosen_level = _level(level)
    if not 2 <= points <= 101:
        raise BadSetting(f"points must be 2 to 101, not {points}")
    _check_inputs(original, reference)
    _check_folder(out, force)
    engine = _engine(model, compute)
    source = _load(engine, original, start, duration)
    known = _reference(engine, reference, prompt, learning, no_learn)
    from eutectic.experiments import pictures
    from eutectic.experiments import window as window_

    blends = [number / (points - 1) for number in range(points)]
    with _progress("fusing") as watch:
        measured = window_.measure(
            engine, source, known, blends, sampling, chosen_level, watch=watch
        )
    _make_folder(out)
    window_.save_sounds(measured, out)
    window_.save_table(measured, out / "window.csv")
    pictures.draw_window(measured, out / "window.png", (original.stem, reference.stem))
    _print_window(measured)
    console.print(f"sounds, window.csv and window.png are in {out}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write.")] = Path("demo"),
    model: Model = "embedded",
    compute: Device = None,
    play: Annotated[
        bool, typer.Option(help="Play the middle fusion where there is a device.")
    ] = True,
) -> None:
    """Fuse two recordings that ship with Eutectic, at five points of the window."""
    _make_folder(out)
    engine = _engine(model, compute)
    from eutectic.experiments import demo as demo_

    with _progress("learning the reference") as learning, _progress("fusing") as fusing:
        made = demo_.make(engine, out, learning, fusing)
    _print_window(made.window)
    console.print(
        f"learning took {made.seconds_learning:.0f} s, fusing {made.seconds_fusing:.0f} s; "
        f"listen to the WAV files in {out}, look at {made.picture}"
    )
    if play:
        _play(made.sounds[len(made.sounds) // 2])


@app.command()
def bench(
    model: Model = "embedded",
    compute: Device = None,
    seconds: Annotated[float, typer.Option(help="Length of the clips.")] = 6.0,
    steps: Steps = None,
    runs: Annotated[int, typer.Option(help="Counted runs of each row.")] = 3,
    json: Annotated[Path | None, typer.Option(help="Also write the figures here.")] = None,
) -> None:
    """Time the engine's parts against each other and against stable-audio-tools, in one run."""
    if json is not None:
        _check_output(json, (), force=True)
    if not 1 <= runs <= 100:
        raise BadSetting(f"runs must be 1 to 100, not {runs}")
    engine = _engine(model, compute)
    if not 0.1 <= seconds <= engine.model.max_seconds:
        raise BadSetting(f"seconds must be 0.1 to {engine.model.max_seconds:.1f}, not {seconds:g}")
    from eutectic.experiments import bench as bench_

    with _progress("measuring") as watch:
        report = bench_.run(engine, seconds, SamplingSettings(steps=steps), runs, watch)
    for line in report.lines():
        console.print(line, soft_wrap=True)
    if json is not None:
        report.save(json)


@app.command("train-embedded")
def train_embedded(
    samples: Annotated[
        Path, typer.Option(help="Recordings to train on (sonic-pi-samples).")
    ] = Path("/usr/share/sonic-pi/samples"),
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for weights and checkpoints.")] = Path(
        "training"
    ),
    minutes: Annotated[float, typer.Option(help="How long to train the transformer.")] = 85.0,
    seed: Seed = 0,
) -> None:
    """Train the model that ships, going on from the checkpoints in the folder."""
    if not samples.is_dir():
        raise BadInput(f"{samples}: no such folder (Debian's package is sonic-pi-samples)")
    _make_folder(out)
    from eutectic.experiments.train_embedded import Training, train

    train(samples, out, Training(minutes=minutes, seed=seed))


def run(arguments: list[str]) -> int:
    """Run the command line; returns the exit code."""
    try:
        app(arguments, standalone_mode=False)
    except TyperException as error:
        return _fail(error.format_message(), 2)
    except BadInput as error:
        return _fail(str(error), 2)
    except (Cancelled, KeyboardInterrupt, typer.Abort):
        return _fail("cancelled", 130)
    except typer.Exit as error:
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _fail(text: str, code: int) -> int:
    errors.print("eutectic: " + " ".join(text.split()), markup=False)
    return code


def _sampling(
    seed: int,
    cfg: float | None,
    negative: str | None,
    steps: int | None,
    order: int | None,
    solver: str | None,
    eta: float | None,
    residual: str,
    residual_amount: float,
) -> SamplingSettings:
    chosen: Any = (solver, residual)  # the settings check names the user has typed
    solver_name: Solver | None = chosen[0]
    residual_name: Residual = chosen[1]
    return SamplingSettings(
        seed, cfg, negative, steps, order, solver_name, eta, residual_name, residual_amount
    )


def _learning(
    method: str | None, steps: int | None, rank: int, budget: float | None, seed: int
) -> LearnSettings:
    chosen: Any = method
    name: Method | None = chosen
    return LearnSettings(name, steps, rank, budget_seconds=budget, seed=seed)


def _level(level: str) -> Level:
    match level:
        case "match" | "raw":
            return level
        case _:
            pass
    raise BadSetting(f"level must be match or raw, not {level!r}")


def _engine(model: str, compute: str | None) -> Engine:
    with errors.status("loading the model") if errors.is_terminal else contextlib.nullcontext():
        from eutectic.engine.engine import Engine
        from eutectic.engine.model import choose_device, load
        from eutectic.engine.store import Store

        return Engine(load(model, choose_device(compute)), Store(data_folder()))


def _load(engine: Engine, path: Path, start: float = 0.0, duration: float | None = None) -> Clip:
    from eutectic.audio import load_clip

    if not start >= 0:
        raise BadSetting(f"start must be 0 or more, not {start:g}")
    if duration is not None and not duration > 0:
        raise BadSetting(f"duration must be more than 0, not {duration:g}")
    codec = engine.model.codec
    return engine.encode(
        load_clip(path, codec.rate_hz, codec.channels, start, duration, engine.model.max_seconds)
    )


def _reference(
    engine: Engine, path: Path, prompt: str | None, settings: LearnSettings, no_learn: bool
) -> Reference:
    """The reference, from the store or learned now; with `no_learn` its prompt alone."""
    from eutectic.engine.engine import Reference

    clip = _load(engine, path)
    words = prompt if prompt is not None else path.stem.replace("_", " ").replace("-", " ")
    if no_learn:
        return Reference(words, clip, None)
    known = engine.known(clip, words, settings)
    if known is not None:
        return Reference(words, clip, known)
    with _progress("learning the reference") as watch:
        learned = engine.learn(clip, words, settings, watch=watch)
    if learned.capped:
        errors.print(
            f"the budget of {settings.budget_seconds:g} s ended learning after {learned.steps} "
            "steps; the result depends on this machine's speed and is not kept"
        )
    return Reference(words, clip, learned.adapter)


def _check_inputs(*paths: Path) -> None:
    """Before a model is loaded: are these sound files?"""
    from eutectic.audio import check_clip

    for path in paths:
        check_clip(path)


def _check_output(path: Path, inputs: tuple[Path, ...], force: bool) -> None:
    """Before anything is computed: can the file be written, and would anything be lost?"""
    if path.is_dir():
        raise BadOutput(f"{path}: is a directory")
    if not path.parent.is_dir():
        raise BadOutput(f"{path}: the folder {path.parent} does not exist")
    if not os.access(path.parent, os.W_OK):
        raise BadOutput(f"{path}: no permission to write into {path.parent}")
    if path.exists():
        if any(source.exists() and path.samefile(source) for source in inputs):
            raise BadOutput(f"{path}: is one of the sounds to be fused; choose another name")
        if not force:
            raise BadOutput(f"{path}: exists; choose another name, or --force to replace it")


def _check_folder(path: Path, force: bool) -> None:
    if path.exists() and not path.is_dir():
        raise BadOutput(f"{path}: is not a folder")
    if path.is_dir() and any(path.iterdir()) and not force:
        raise BadOutput(f"{path}: is not empty; choose another folder, or --force to write into it")
    if not path.exists() and not path.absolute().parent.is_dir():
        raise BadOutput(f"{path}: the folder {path.parent} does not exist")


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise BadOutput(f"{path}: can't be made ({error.strerror})") from None
    if not os.access(path, os.W_OK):
        raise BadOutput(f"{path}: no permission to write into it")


@contextlib.contextmanager
def _progress(what: str) -> Generator[Watch]:
    """A progress bar on the terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    from eutectic.engine.watch import Watch

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Bar(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield Watch(progress=lambda done, whole: bar.update(task, completed=done, total=whole))


def _print_window(measured: Window) -> None:
    table = Table(box=None, header_style="bold")
    for heading in ("blend", "remaining", "evaluations", "seconds", "like original",
                    "like reference", "gain dB"):  # fmt: skip
        table.add_column(heading, justify="right")
    for point, to_original, to_reference in zip(
        measured.points, measured.like_original, measured.like_reference, strict=True
    ):
        fusion = point.fusion
        table.add_row(
            f"{fusion.blend:.2f}", str(fusion.remaining), str(fusion.remaining),
            f"{point.seconds:.2f}", f"{to_original:.2f}", f"{to_reference:.2f}",
            f"{fusion.gain_db:+.1f}",
        )  # fmt: skip
    console.print(table)
    if measured.crossing is not None:
        console.print(f"the sources balance at blend {measured.crossing:.2f}")


def _play(path: Path) -> None:
    """Play a file where there is a device; a machine without one says so and goes on."""
    import soundfile

    try:
        import sounddevice

        samples, rate_hz = soundfile.read(path, dtype="float32")
        sounddevice.play(samples, rate_hz, blocking=True)
    except (OSError, ValueError, RuntimeError):
        console.print(f"(no audio device here to play {path})")
    except Exception as error:  # PortAudio's own errors derive from Exception alone
        console.print(f"(no audio device here to play {path}: {error})")
