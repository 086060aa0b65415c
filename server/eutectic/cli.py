"""The commands. Nothing here computes; torch is imported inside the commands that need it.

A user's mistake ends in exit code 2 and one line; Ctrl-C in 130.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import math
import os
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.exceptions import TyperException

from eutectic.client import NoAnswer
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
from eutectic.experiments.quality import Part
from eutectic.messages import PORT, spec_of
from eutectic.shipped import presets_folder
from eutectic.terminal import (
    check_folder,
    check_inputs,
    check_output,
    console,
    errors,
    fail,
    make_folder,
    make_folders,
    play_file,
    print_window,
    progress,
)

if TYPE_CHECKING:
    from eutectic.daemon import Controller
    from eutectic.engine.engine import Clip, Engine, Reference

ANSWER_SECONDS = 5.0
"""A daemon that is there answers in this, whatever its engine does."""

app = typer.Typer(
    help="Fuse two sounds into a third: diffusion inversion for live electronic music.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Model = Annotated[str, typer.Option("--model", help="embedded, toy, a folder or a Hub id.")]
Device = Annotated[str | None, typer.Option("--compute", help="cuda, mps or cpu (default: best).")]
Prompt = Annotated[str | None, typer.Option(help="Words for the reference (default: its name).")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same sound.")]
Steps = Annotated[int | None, typer.Option(help="Sampler steps.")]
Cfg = Annotated[float | None, typer.Option(help="Guidance scale; 1 is none.")]
Negative = Annotated[str | None, typer.Option(help="Prompt to be guided away from.")]
Order = Annotated[int | None, typer.Option(help="Sampler order, 1 to 3.")]
SolverName = Annotated[Solver | None, typer.Option("--solver", help="Order 2's rule, or pingpong.")]
Eta = Annotated[float | None, typer.Option(help="1: SDE, 0: ODE, or between.")]
ResidualName = Annotated[Residual, typer.Option("--residual", help="How the original is inverted.")]
Amount = Annotated[float, typer.Option("--residual-amount", help="Noise of gaussian, 0 to 1.")]
LevelName = Annotated[
    Level,
    typer.Option("--level", help="match: as loud as the sources; raw: untouched."),
]
Start = Annotated[float, typer.Option(help="Where in the original to begin, seconds.")]
Duration = Annotated[float | None, typer.Option(help="How much of the original, seconds.")]
ReferenceStart = Annotated[
    float, typer.Option("--reference-start", help="Where in the reference to begin, seconds.")
]
ReferenceDuration = Annotated[
    float | None, typer.Option("--reference-duration", help="How much of the reference, seconds.")
]
MethodName = Annotated[Method | None, typer.Option("--method", help="How a reference is learned.")]
LearnSteps = Annotated[int | None, typer.Option("--learn-steps", help="Steps of learning.")]
Rank = Annotated[int, typer.Option(help="Rank of lora.")]
Budget = Annotated[
    float | None, typer.Option("--budget", help="Stop learning after these seconds at the latest.")
]
NoLearn = Annotated[bool, typer.Option("--no-learn", help="Sample with the prompt alone.")]
DaemonHost = Annotated[str, typer.Option("--host", help="Where the daemon listens.")]
DaemonPort = Annotated[int, typer.Option("--port", help="Its port.")]
LogLevel = Literal["debug", "info", "warning", "error"]
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
    reference_start: ReferenceStart = 0.0,
    reference_duration: ReferenceDuration = None,
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
    sampling = SamplingSettings(
        seed, cfg, negative, steps, order, solver, eta, residual, residual_amount
    )
    learning = LearnSettings(method, learn_steps, rank, budget_seconds=budget)
    check_inputs(original, reference)
    if out.suffix.lower() != ".wav":
        raise BadOutput(f"{out}: fusions are written as .wav")
    check_output(out, (original, reference), force)
    engine = _engine(model, compute)
    engine.points([place], sampling)
    source = _load(engine, original, start, duration)
    section = (reference_start, reference_duration)
    known = _reference(engine, reference, prompt, learning, no_learn, section)
    with progress("fusing") as watch:
        (fusion,) = engine.fuse(source, known, [place], sampling, level, watch=watch)
    from eutectic.audio import save_wav

    save_wav(out, fusion.waveform)
    console.print(
        f"{out}: {fusion.waveform.seconds:.2f} s, blend {fusion.blend:.2f}, "
        f"{_steps_left(fusion.remaining)}, gain {fusion.gain_db:+.1f} dB"
    )


@app.command()
def learn(
    reference: Annotated[Path, typer.Argument(help="The sound to memorise.")],
    prompt: Prompt = None,
    method: MethodName = None,
    steps: LearnSteps = None,
    rank: Rank = 16,
    budget: Budget = None,
    start: ReferenceStart = 0.0,
    duration: ReferenceDuration = None,
    model: Model = "embedded",
    compute: Device = None,
) -> None:
    """Learn REFERENCE with its prompt, and keep it for later fusions."""
    learning = LearnSettings(method, steps, rank, budget_seconds=budget)
    check_inputs(reference)
    engine = _engine(model, compute)
    known = _reference(engine, reference, prompt, learning, False, (start, duration))
    assert known.adapter is not None
    about = known.adapter.about
    console.print(
        f"{reference}: learned as \u201c{known.prompt}\u201d, {about['method']}, "
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
    reference_start: ReferenceStart = 0.0,
    reference_duration: ReferenceDuration = None,
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
    sampling = SamplingSettings(
        seed, cfg, negative, steps, order, solver, eta, residual, residual_amount
    )
    learning = LearnSettings(method, learn_steps, rank, budget_seconds=budget)
    if not 2 <= points <= 101:
        raise BadSetting(f"points must be 2 to 101, not {points}")
    check_inputs(original, reference)
    check_folder(out, (original, reference), force)
    engine = _engine(model, compute)
    source = _load(engine, original, start, duration)
    section = (reference_start, reference_duration)
    known = _reference(engine, reference, prompt, learning, no_learn, section)
    from eutectic.experiments import pictures
    from eutectic.experiments import window as window_

    blends = [number / (points - 1) for number in range(points)]
    with progress("fusing") as watch:
        measured = window_.measure(engine, source, known, blends, sampling, level, watch=watch)
    make_folder(out)
    window_.save_sounds(measured, out)
    window_.save_table(measured, out / "window.csv")
    pictures.draw_window(measured, out / "window.png", (original.stem, reference.stem))
    print_window(measured)
    console.print(f"sounds, window.csv and window.png are in {out}")


@app.command()
def demo(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder to write (default: demo, made anew).")
    ] = None,
    model: Model = "embedded",
    compute: Device = None,
    play: Annotated[bool, typer.Option(help="Play the middle fusion if possible.")] = True,
    force: Force = False,
) -> None:
    """Fuse two recordings that ship with Eutectic, at five points of the window."""
    if out is None:
        out, force = Path("demo"), True
    check_folder(out, (), force)
    make_folder(out)
    engine = _engine(model, compute)
    from eutectic.experiments import demo as demo_

    with progress("learning the reference") as learning, progress("fusing") as fusing:
        made = demo_.make(engine, out, learning, fusing)
    print_window(made.window)
    console.print(
        f"learning took {made.seconds_learning:.0f} s, fusing {made.seconds_fusing:.0f} s; "
        f"listen to the WAV files in {out}, look at {made.picture}"
    )
    if play:
        play_file(made.sounds[len(made.sounds) // 2])


@app.command()
def bench(
    model: Model = "embedded",
    compute: Device = None,
    part: Annotated[
        list[Part] | None,
        typer.Option("--part", help="What to measure (default: speed); may be repeated."),
    ] = None,
    samples: Annotated[
        Path, typer.Option(help="Recordings to measure on (sonic-pi-samples).")
    ] = Path("/usr/share/sonic-pi/samples"),
    seconds: Annotated[float, typer.Option(help="Length of the clips.")] = 6.0,
    steps: Steps = None,
    runs: Annotated[int, typer.Option(help="Speed: counted runs of each row.")] = 3,
    seeds: Annotated[int, typer.Option(help="Prompts: samples of each.")] = 3,
    budget: Annotated[
        float, typer.Option(help="Learning and window: seconds to learn a reference.")
    ] = 60.0,
    live: Annotated[
        bool, typer.Option("--live", help="Measure the daemon's latencies instead, through JACK.")
    ] = False,
    soak: Annotated[
        float | None, typer.Option(help="Run the daemon so many minutes under random requests.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder for sounds, pictures, references.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Also write the figures here.")] = None,
    force: Force = False,
) -> None:
    """Measure the engine's speed, or how good the model is, on recordings it never trained on.

    A run that was cut off goes on from what it left in --out, given --force.
    """
    if json is not None:
        check_output(json, (), force)
    if live or soak is not None:
        _bench_live(model, live, soak, json)
        return
    parts = _chosen_parts(part or [Part.SPEED])
    if out is not None:
        check_folder(out, (), force)
    for name, count in (("runs", runs), ("seeds", seeds)):
        if not 1 <= count <= 100:
            raise BadSetting(f"{name} must be 1 to 100, not {count}")
    if not 1 <= budget <= 3600:
        raise BadSetting(f"budget must be 1 to 3600, not {budget:g}")
    _check_tools(parts, samples)
    engine = _engine(model, compute)
    if not 0.1 <= seconds <= engine.model.max_seconds:
        raise BadSetting(f"seconds must be 0.1 to {engine.model.max_seconds:.1f}, not {seconds:g}")
    from eutectic.engine.store import Store
    from eutectic.experiments.quality import parts as parts_
    from eutectic.experiments.quality.report import save
    from eutectic.experiments.quality.setup import Setup

    if out is not None:
        make_folder(out)
    figures: dict[str, Any] = {"model": engine.model.name, "digest": engine.model.digest}
    with tempfile.TemporaryDirectory() as temporary:
        references = Store(out or Path(temporary))
        setup = Setup(engine, samples, references, seconds, steps, budget, seeds, out)
        for name in parts:
            with progress(name) as watch:
                lines, figures[name] = parts_.run(name, replace(setup, watch=watch), runs)
            for line in lines:
                console.print(line, soft_wrap=True)
            if json is not None:
                save(json, figures)


@app.command("train-embedded")
def train_embedded(
    config: Annotated[
        Path | None, typer.Option(help="TOML file of settings that differ from the defaults.")
    ] = None,
    samples: Annotated[
        Path | None, typer.Option(help="Recordings to train on (sonic-pi-samples).")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder for weights, checkpoints.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="Weights to go on from: embedded, a folder or a file.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="How long to train the transformer.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="All randomness follows from it.")] = None,
) -> None:
    """Train the model that ships, going on from the checkpoints in the folder."""
    from eutectic.experiments.train_embedded import train
    from eutectic.experiments.train_settings import read_settings

    settings = read_settings(
        config, samples=samples and str(samples), out=out and str(out), start=start,
        minutes=minutes, seed=seed,
    )  # fmt: skip
    make_folder(Path(settings.out))
    train(settings)


@app.command()
def serve(
    model: Model = "embedded",
    compute: Device = None,
    device: Annotated[
        str | None,
        typer.Option(help="Output device by name, null, or file:PATH (default: the system's)."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="UDP and TCP port; 0 takes a free one.")] = PORT,
    clips: Annotated[
        Path | None, typer.Option(help="Folder that clips are read from (default: the user's).")
    ] = None,
    renders: Annotated[
        Path | None, typer.Option(help="Folder for what is written (default: the user's).")
    ] = None,
    session: Annotated[
        str | None,
        typer.Option(help="File that everything is kept in and brought back from, or its name."),
    ] = None,
    audio: Annotated[
        str, typer.Option(help="Preset of what follows: laptop, low, safe, or a file.")
    ] = "laptop",
    voices: Annotated[int | None, typer.Option(help="Voices, 1 to 16.")] = None,
    channels: Annotated[int | None, typer.Option(help="Outputs to open.")] = None,
    rate: Annotated[int | None, typer.Option(help="Hz (default: the device's own).")] = None,
    block: Annotated[int | None, typer.Option(help="Frames of the device's blocks.")] = None,
    ring_ms: Annotated[float | None, typer.Option(help="Sound mixed ahead.")] = None,
    latency: Annotated[
        str | None, typer.Option(help="Asked of the device: low, high, seconds.")
    ] = None,
    midi: Annotated[
        str | None, typer.Option(help="Controller: a part of its MIDI port's name.")
    ] = None,
    controller: Annotated[
        str | None, typer.Option(help="Map of its controls: a name or a file (default: generic).")
    ] = None,
    input_device: Annotated[
        str | None, typer.Option("--input", help="Device that clips are recorded from.")
    ] = None,
    memory: Annotated[float, typer.Option(help="GiB for what the engine keeps at hand.")] = 2.0,
    ready: Annotated[float, typer.Option(help="GiB for fusions that are ready.")] = 1.0,
    stored: Annotated[float, typer.Option(help="GiB on disk for fusions that are ready.")] = 8.0,
    log_level: Annotated[LogLevel, typer.Option(help="What is said here.")] = "info",
) -> None:
    """Be there for a performance: take OSC messages, fuse, and play."""
    import asyncio

    from eutectic.audio_presets import chosen, read_audio_preset
    from eutectic.daemon import DaemonSettings, logging_to_terminal
    from eutectic.daemon import serve as serve_
    from eutectic.device import DeviceSettings
    from eutectic.session.folders import Folders
    from eutectic.session.kept import session_path
    from eutectic.session.session import SessionSettings

    for name, value, low, high in (
        ("port", port, 0, 65_535), ("memory", memory, 0.001, 1e4), ("ready", ready, 0.001, 1e4),
        ("stored", stored, 0.001, 1e6),
    ):  # fmt: skip
        if not low <= value <= high:
            raise BadSetting(f"{name} must be {low:g} to {high:g}, not {value:g}")
    data = data_folder().absolute()
    folders = Folders(
        (clips or data / "clips").absolute(), (renders or data / "renders").absolute(),
        presets_folder("clips"),
    )  # fmt: skip
    for folder, given in ((folders.clips, clips), (folders.renders, renders)):
        if given is not None and not folder.is_dir():
            raise BadInput(f"{given}: is not a folder")
        make_folders(folder)
    preset = read_audio_preset(audio, (data / "devices", presets_folder("devices")))
    opened = chosen(preset, device=device, rate=rate, channels=channels, block=block,
                    ring_ms=ring_ms, latency=latency, voices=voices)  # fmt: skip
    settings = DaemonSettings(
        host, port,
        DeviceSettings(opened.device, opened.rate, opened.channels, opened.block,
                       opened.ring_ms / 1000, opened.latency),
        opened.voices,
        SessionSettings(
            model, compute, folders, data,
            session_path(session, data / "sessions") if session is not None else None,
            input_device, _gib(memory), _gib(ready), _gib(stored),
        ),
        _controller(midi, controller, data / "controllers"),
    )  # fmt: skip
    with logging_to_terminal(log_level):
        asyncio.run(serve_(settings, functools.partial(print, flush=True)))


def _controller(midi: str | None, controller: str | None, own: Path) -> Controller | None:
    """The controller that was asked for: a map of the user's own comes before one that ships."""
    from eutectic.daemon import Controller
    from eutectic.toml import find

    if midi is None and controller is None:
        return None
    path = find(controller or "generic", (own, presets_folder("controllers")))
    return Controller(midi, path, path if controller == str(path) else own / path.name)


@app.command()
def status(host: DaemonHost = "127.0.0.1", port: DaemonPort = PORT) -> None:
    """Ask the daemon how it is."""
    from eutectic.client import Client

    with Client(host, port) as client:
        for _, (_, what, text) in client.request("/status", timeout=ANSWER_SECONDS).lines:
            console.print(f"{what:20} {text}")


@app.command(context_settings={"ignore_unknown_options": True})
def send(
    address: Annotated[str, typer.Argument(help="A request of PROTOCOL.md, like /fuse.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Its arguments, without id; options as @key value.")
    ] = None,
    host: DaemonHost = "127.0.0.1",
    port: DaemonPort = PORT,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for its end.")] = 3600.0,
) -> None:
    """Send the daemon a request, print what it answers, and wait until it is done."""
    from eutectic.client import Client, RequestFailed

    spec, values = spec_of(address), [_value(each) for each in arguments or []]
    with Client(host, port) as client:
        try:
            if spec.has_id:
                client.show = _print_message
                client.request(spec.address, *values, timeout=timeout)
            else:
                client.send(spec.address, *values)
                client.request("/sync", timeout=ANSWER_SECONDS)  # what is wrong comes before this
                for name, found in client.events():
                    _print_message(name, found)
                    if name == "/fail":
                        raise BadInput(found[3])
        except RequestFailed as error:
            raise BadInput(f"{error.code}: {error}") from None


@app.command()
def devices() -> None:
    """List audio devices, by the names that --device and --input take."""
    from rich.table import Table

    from eutectic.device import list_devices

    table = Table(box=None, header_style="bold")
    for heading in ("device", "by", "outputs", "inputs", "Hz", ""):
        table.add_column(heading)
    for each in list_devices():
        default = "default" if each.default else ""
        table.add_row(
            each.name,
            each.host_api,
            str(each.outputs),
            str(each.inputs),
            str(each.rate_hz),
            default,
        )
    table.add_row("null", "", "any", "", "any", "plays nowhere")
    table.add_row("file:PATH", "", "any", "", "any", "plays into a WAV file")
    console.print(table)


def run(arguments: list[str]) -> int:
    """Run the command line; returns the exit code."""
    try:
        app(arguments or ["--help"], standalone_mode=False)
    except TyperException as error:
        return fail(error.format_message(), 2)
    except BadInput as error:
        return fail(str(error), 2)
    except NoAnswer as error:
        return fail(str(error), 2)
    except (Cancelled, KeyboardInterrupt, typer.Abort):
        return fail("cancelled", 130)
    except typer.Exit as error:
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _gib(size: float) -> int:
    return round(size * (1 << 30))


def _value(text: str) -> int | float | str:
    """A number where it is one, as patches send it."""
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def _print_message(address: str, values: tuple[Any, ...]) -> None:
    console.print(" ".join((address, *(f"{each:g}" if isinstance(each, float) else str(each)
                                       for each in values))))  # fmt: skip


def _chosen_parts(chosen: list[Part]) -> list[Part]:
    """In the order in which they are run, each once."""
    every = [part for part in Part if part is not Part.ALL]
    return every if Part.ALL in chosen else [part for part in every if part in chosen]


def _bench_live(model: str, live: bool, minutes: float | None, json: Path | None) -> None:
    """The daemon, measured from outside."""
    if shutil.which("jackd") is None or importlib.util.find_spec("jack") is None:
        raise BadInput(
            "this measures through JACK: it wants jackd (apt: jackd2) and jack-client (pip)"
        )
    if minutes is not None and not 0.1 <= minutes <= 1440:
        raise BadSetting(f"soak must be 0.1 to 1440 minutes, not {minutes:g}")
    from eutectic.experiments.live import latency
    from eutectic.experiments.live import soak as soak_
    from eutectic.experiments.quality.report import save

    figures: dict[str, Any] = {"model": model}
    tables: list[Any] = []
    if live:
        with progress("live") as watch:
            tables, figures["live"] = latency.measure(model, watch.progress)
    if minutes is not None:
        with progress("soak") as watch:
            soaked = soak_.soak(model, minutes, watch.progress)
        tables.append(soak_.table(soaked))
        figures["soak"] = tables[-1].values()
    for line in (line for table in tables for line in table.lines()):
        console.print(line)
    if json is not None:
        save(json, figures)


def _check_tools(parts: list[Part], samples: Path) -> None:
    """Before long work: is there what these parts measure with?"""
    if parts != [Part.SPEED]:
        from eutectic.experiments.scenes import check_recordings

        check_recordings(samples)
    if Part.CODEC in parts and shutil.which("ffmpeg") is None:
        raise BadInput("part codec compares with Opus by ffmpeg, which is missing (apt: ffmpeg)")


def _steps_left(remaining: int | None) -> str:
    return "the reference's own sampling" if remaining is None else f"remaining {remaining}"


def _engine(model: str, compute: str | None) -> Engine:
    with errors.status("loading the model") if errors.is_terminal else contextlib.nullcontext():
        from eutectic.engine.engine import Engine
        from eutectic.engine.model import choose_device, load
        from eutectic.engine.store import Store

        return Engine(load(model, choose_device(compute)), Store(data_folder()))


def _load(engine: Engine, path: Path, start: float = 0.0, duration: float | None = None) -> Clip:
    from eutectic.audio import load_clip

    if not 0 <= start < math.inf:
        raise BadSetting(f"start must be 0 or more, not {start:g}")
    if duration is not None and not 0 < duration < math.inf:
        raise BadSetting(f"duration must be more than 0, not {duration:g}")
    codec = engine.model.codec
    return engine.encode(
        load_clip(path, codec.rate_hz, codec.channels, start, duration, engine.model.max_seconds)
    )


def _reference(
    engine: Engine,
    path: Path,
    prompt: str | None,
    settings: LearnSettings,
    no_learn: bool,
    section: tuple[float, float | None],
) -> Reference:
    """The reference, from the store or learned now; with `no_learn` its prompt alone."""
    from eutectic.engine.engine import Reference

    clip = _load(engine, path, *section)
    words = prompt if prompt is not None else path.stem.replace("_", " ").replace("-", " ")
    if no_learn:
        return Reference(words, clip, None)
    known = engine.known(clip, words, settings)
    if known is not None:
        return Reference(words, clip, known)
    with progress("learning the reference") as watch:
        learned = engine.learn(clip, words, settings, watch=watch)
    if learned.capped:
        errors.print(
            f"the budget of {settings.budget_seconds:g} s ended learning after {learned.steps} "
            "steps; the result depends on this machine's speed"
        )
    return Reference(words, clip, learned.adapter)
