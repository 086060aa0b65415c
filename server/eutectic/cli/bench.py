"""`eutectic bench`."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eutectic.cli import options
from eutectic.cli.loading import load_engine
from eutectic.cli.outputs import check_folder, check_output, make_folder
from eutectic.cli.terminal import console, progress
from eutectic.config import data_folder
from eutectic.errors import BadInput, BadSetting
from eutectic.experiments.quality import Part
from eutectic.experiments.speed import Published

if TYPE_CHECKING:
    from eutectic.engine.engine import Engine
    from eutectic.experiments.quality.setup import Setup


RESTARTS = 5
"""Starts and kills whose times are measured."""


def bench(
    model: options.Model = "embedded",
    compute: options.Device = None,
    part: Annotated[
        list[Part] | None,
        typer.Option("--part", help="What to measure (default: speed); repeatable."),
    ] = None,
    samples: Annotated[
        Path, typer.Option(help="Folder of recordings to measure on (sonic-pi-samples).")
    ] = Path("/usr/share/sonic-pi/samples"),
    seconds: Annotated[float, typer.Option(help="Clip length, in seconds.")] = 6.0,
    steps: options.Steps = None,
    random_weights: Annotated[
        Published | None,
        typer.Option(
            help="speed: use a published model's configuration, with random weights (default: the "
            "model's own)."
        ),
    ] = None,
    runs: Annotated[
        int, typer.Option(help="speed, throughput, scaling: timed runs of each row.")
    ] = 3,
    learn_steps: Annotated[
        int | None,
        typer.Option(help="speed: learning steps (default: 100; with random weights 2)."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="prompts: samples of each prompt.")] = 3,
    budget: Annotated[
        float, typer.Option(help="learning, window, ear: most seconds to learn a reference.")
    ] = 60.0,
    pairs: Annotated[
        Path | None,
        typer.Option(
            help="ear: what to fuse: a folder, or a list of original and reference as CSV or TOML "
            "([[pair]]) (default: held-out recordings)."
        ),
    ] = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(
            help="ear: fuse with these settings, too, such as order=1,eta=0,budget=0 (budget 0: "
            "without learning); repeatable (default: none)."
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Measure the daemon's latencies through JACK instead.")
    ] = False,
    soak: Annotated[
        float | None,
        typer.Option(
            help="Load the daemon with random requests for this many minutes instead (default: "
            "don't)."
        ),
    ] = None,
    kills: Annotated[
        int | None,
        typer.Option(
            help="Time the daemon's starts and restarts instead, and kill its engine so often "
            "while it plays (default: don't)."
        ),
    ] = None,
    wire: Annotated[
        int | None,
        typer.Option(
            help="Time so many fusions by an engine on another machine instead, on loopback and "
            "over long lines, beside those by this machine's (default: don't)."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="Folder for sounds, pictures and references, and for what a soak recorded "
            "(default: none; they aren't kept).",
        ),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="Also write the figures to this JSON file (default: none).")
    ] = None,
    force: options.Force = False,
) -> None:
    """Measure the engine's speed or the model's quality.

    Quality is measured on recordings that the embedded model never trained on. An interrupted run
    resumes from what it left in --out if --force is given.
    """
    if json is not None:
        check_output(json, (), force)
    if wire is not None:
        _bench_wire(model, wire, json)
        return
    if out is not None:
        check_folder(out, (), force)
    if live or soak is not None or kills is not None:
        _bench_live(model, live, soak, kills, out, json)
        return
    parts = _chosen_parts(part or [Part.SPEED])
    if learn_steps is None:
        learn_steps = 100 if random_weights is None else 2
    counts = (("runs", runs, 100), ("seeds", seeds, 100), ("learn-steps", learn_steps, 100_000))
    for name, count, most in counts:
        if not 1 <= count <= most:
            raise BadSetting(f"{name} must be 1 to {most}, not {count}")
    if not 1 <= budget <= 3600:
        raise BadSetting(f"budget must be 1 to 3600, not {budget:g}")
    _check_tools(parts, samples)
    if Part.EAR in parts:
        _check_ear(pairs, samples, variant or [])
    engine = _random_engine(random_weights, compute) or load_engine(model, compute)
    engine.model.bfloat16 = False  # where bfloat16 is measured, a part says so
    if not 0.1 <= seconds <= engine.model.max_seconds:
        raise BadSetting(f"seconds must be 0.1 to {engine.model.max_seconds:.1f}, not {seconds:g}")
    from eutectic.engine.store import Store
    from eutectic.experiments.quality.setup import Setup

    if out is not None:
        make_folder(out)
    figures: dict[str, Any] = {"model": engine.model.name, "digest": engine.model.digest}
    with tempfile.TemporaryDirectory() as temporary:
        engine.store = Store(Path(temporary))
        references = Store(out or Path(temporary))
        setup = Setup(
            engine, samples, references, seconds, steps, budget, seeds, out,
            pairs=pairs, variants=tuple(variant or ()),
        )  # fmt: skip
        _measure(parts, setup, (runs, learn_steps), figures, json)


def _measure(
    parts: list[Part], setup: Setup, counts: tuple[int, int], figures: dict[str, Any],
    json: Path | None,
) -> None:  # fmt: skip
    """Print each table when it is done; `counts` are timed runs and learning steps of speed."""
    from eutectic.experiments import bench as parts_
    from eutectic.experiments.report import save

    for name in parts:
        figures[name] = []
        with progress(name) as watch:
            for table in parts_.run(name, replace(setup, watch=watch), *counts):
                figures[name].append(table.values())
                for line in (*table.lines(), ""):
                    console.print(line)
                if json is not None:
                    save(json, figures)


def _random_engine(published: Published | None, compute: str | None) -> Engine | None:
    """An engine with random weights; None unless it is requested."""
    if published is None:
        return None
    from eutectic.engine.engine import Engine
    from eutectic.engine.loading import choose_device
    from eutectic.engine.store import Store
    from eutectic.experiments.speed.published import build

    return Engine(build(published, choose_device(compute)), Store(data_folder()))


def _chosen_parts(chosen: list[Part]) -> list[Part]:
    """The chosen parts, each once, in the order they run in."""
    every = [part for part in Part if part is not Part.ALL]
    return every if Part.ALL in chosen else [part for part in every if part in chosen]


def _bench_wire(model: str, runs: int, json: Path | None) -> None:
    """Measure engines at the end of a wire."""
    if not 1 <= runs <= 10_000:
        raise BadSetting(f"wire must be 1 to 10000 fusions, not {runs}")
    from eutectic.experiments.live import far
    from eutectic.experiments.report import save

    with progress("wire") as watch:
        table = far.measure(model, runs, watch.progress)
    for line in table.lines():
        console.print(line)
    if json is not None:
        save(json, {"model": model, "wire": table.values()})


def _bench_live(
    model: str, live: bool, minutes: float | None, kills: int | None, out: Path | None,
    json: Path | None,
) -> None:  # fmt: skip
    """Measure the daemon from outside."""
    if shutil.which("jackd") is None or importlib.util.find_spec("jack") is None:
        raise BadInput(
            "measuring the daemon requires JACK: jackd (apt: jackd2) and jack-client (pip)"
        )
    if minutes is not None and not 0.1 <= minutes <= 1440:
        raise BadSetting(f"soak must be 0.1 to 1440 minutes, not {minutes:g}")
    if kills is not None and not 1 <= kills <= 1000:
        raise BadSetting(f"kills must be 1 to 1000, not {kills}")
    from eutectic.experiments.live import expected, lag, latency, mixing, pads, restarts, shares
    from eutectic.experiments.live import soak as soak_
    from eutectic.experiments.report import save

    figures: dict[str, Any] = {"model": model}
    tables: list[Any] = []
    if live:
        with progress("live") as watch:
            tables, figures["live"] = latency.measure(model, watch.progress)
        with progress("pads") as watch:
            tables.append(pads.measure(model, watch.progress))
        figures["pads"] = tables[-1].values()
        tables.append(mixing.measure())
        figures["mixing"] = tables[-1].values()
        with progress("lag") as watch:
            tables.append(lag.measure(model, watch.progress))
        figures["lag"] = tables[-1].values()
        with progress("expected") as watch:
            tables.append(expected.measure(model, watch.progress))
        figures["expected"] = tables[-1].values()
        tables.append(shares.measure())
        figures["shares"] = tables[-1].values()
    if minutes is not None:
        if out is not None:
            make_folder(out)
        with progress("soak") as watch:
            soaked = soak_.soak(model, minutes, watch.progress, out=out)
        tables.append(soak_.table(soaked))
        figures["soak"] = tables[-1].values()
    if kills is not None:
        with progress("starts") as watch:
            tables.append(restarts.times(model, RESTARTS, watch.progress))
        with progress("kills") as watch:
            tables.append(restarts.kills(model, kills, watch.progress))
        figures["restarts"], figures["kills"] = (table.values() for table in tables[-2:])
    for line in (line for table in tables for line in table.lines()):
        console.print(line)
    if json is not None:
        save(json, figures)


def _check_tools(parts: list[Part], samples: Path) -> None:
    """Check, before any long work, that recordings and ffmpeg are there for these parts."""
    if not set(parts) <= {Part.SPEED, Part.THROUGHPUT, Part.SCALING}:
        from eutectic.training.recordings import check_recordings

        check_recordings(samples)
    needing = [part for part in (Part.CODEC, Part.EAR) if part in parts]
    if needing and shutil.which("ffmpeg") is None:
        raise BadInput(f"part {needing[0]} needs ffmpeg, for Opus; it is missing (apt: ffmpeg)")


def _check_ear(pairs: Path | None, samples: Path, variants: list[str]) -> None:
    """Check, before any long work, what only part ear needs."""
    from eutectic.experiments.ear import PACKAGES, check_package
    from eutectic.experiments.ear.pairs import files_of, find_pairs, unrelated_files
    from eutectic.experiments.ear.variants import Variant

    for package in PACKAGES:
        check_package(package)
    for text in variants:
        Variant.read(text)
    unrelated_files(samples, files_of(find_pairs(pairs, samples)))
