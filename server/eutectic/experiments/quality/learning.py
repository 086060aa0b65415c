"""How much of a reference the network has learned: samples of its prompt, before and after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from eutectic.audio import Waveform
from eutectic.config import Method, Place, SamplingSettings
from eutectic.engine.adapter import Adapter
from eutectic.engine.clips import Clip
from eutectic.engine.distances import log_mel_distance
from eutectic.engine.fuser import Reference
from eutectic.engine.window import round_trip
from eutectic.experiments.quality.recordings import Recording, looped_note
from eutectic.experiments.quality.setup import Setup
from eutectic.experiments.report import Row, Table, median, median_row

CURVE_CLIPS = ("loop_3d_printer", "ambi_haunted_hum", "loop_drone_g_97")
CURVE_BUDGETS = (1 / 3, 1.0, 3.0)
"""Multiples of the budget."""

GUIDANCES: dict[str, float | None] = {"guided": None, "unguided": 1.0}
"""Guidance of the prompt's own sample; None is the model's default."""


@dataclass(frozen=True)
class Run:
    """The learning of a section of a recording."""

    recording: Recording
    seconds: float
    method: Method
    budget_seconds: float


def measure(setup: Setup) -> list[Table]:
    """Learn every recording at one and two lengths, and CURVE_CLIPS by every method and budget."""
    longest = setup.engine.model.max_seconds
    lengths = sorted({min(length, longest) for length in (setup.seconds, 2 * setup.seconds)})
    every = {
        length: [
            Run(recording, length, setup.method, setup.budget_seconds)
            for recording in setup.recordings
        ]
        for length in lengths
    }
    on_curve = [each for each in setup.recordings if each.name in CURVE_CLIPS]
    curves = {
        (kind, budget): [Run(recording, lengths[0], kind, budget) for recording in on_curve]
        for kind in get_args(Method)
        for budget in (factor * setup.budget_seconds for factor in CURVE_BUDGETS)
    }
    runs = [run for group in (*every.values(), *curves.values()) for run in group]
    figures: dict[Run, dict[str, Any]] = {}
    for number, run in enumerate(runs):
        figures[run] = _known(setup, run)
        setup.watch.progress(number + 1, len(runs))
    tables = [_clips(length, every[length], figures) for length in lengths]
    return [*tables, _curves(curves, figures)] if on_curve else tables


def share(before: float, after: float, codec: float) -> float:
    """How far learning moved the sample from where it was (0) to the codec's round trip (1)."""
    return (before - after) / (before - codec) if before > codec else math.nan


def _known(setup: Setup, run: Run) -> dict[str, Any]:
    return setup.ledger.get(
        lambda: _learn(setup, run),
        part="learning", model=setup.engine.model.digest, steps=setup.steps,
        name=run.recording.name, seconds=run.seconds, method=run.method,
        budget_seconds=run.budget_seconds,
    )  # fmt: skip


def _learn(setup: Setup, run: Run) -> dict[str, Any]:
    """Steps learned, and distances from the clip: of the codec's round trip, before and after."""
    clip, prompt = setup.clip(run.recording, run.seconds), run.recording.prompt
    trip = round_trip(setup.engine, clip)
    figures: dict[str, Any] = {"codec": log_mel_distance(clip.waveform, trip)}
    if run == Run(run.recording, setup.seconds, setup.method, setup.budget_seconds):
        adapter = setup.reference(run.recording).adapter
        assert adapter is not None
    else:
        adapter = setup.learn(clip, prompt, run.method, run.budget_seconds)
    figures |= {"steps": adapter.about["steps"], "loss": adapter.about["loss"]}
    for name, cfg in GUIDANCES.items():
        before = _own_sample(setup, clip, prompt, None, cfg)
        after = _own_sample(setup, clip, prompt, adapter, cfg)
        setup.save_sound(
            f"learned-{run.recording.name}-{run.seconds:g}s-{run.method}-"
            f"{run.budget_seconds:g}s-{name}", after
        )  # fmt: skip
        figures[f"before {name}"] = log_mel_distance(clip.waveform, before)
        figures[f"after {name}"] = log_mel_distance(clip.waveform, after)
    return figures


def _own_sample(
    setup: Setup, clip: Clip, prompt: str, adapter: Adapter | None, cfg: float | None
) -> Waveform:
    settings = SamplingSettings(cfg=cfg, steps=setup.steps, recall=0.0)
    reference = Reference(prompt, clip, adapter)
    return setup.engine.fuse(clip, reference, [Place(blend=0.0)], settings, "raw")[0].waveform


def _shares(figures: dict[str, Any]) -> tuple[float, ...]:
    return tuple(
        share(figures[f"before {name}"], figures[f"after {name}"], figures["codec"])
        for name in GUIDANCES
    )


def _clips(length: float, runs: Sequence[Run], figures: dict[Run, dict[str, Any]]) -> Table:
    rows: list[Row] = []
    for run in runs:
        known = figures[run]
        distances = [known[f"{when} {name}"] for name in GUIDANCES for when in ("before", "after")]
        rows.append(
            (run.recording.name, known["steps"], known["codec"], *distances, *_shares(known))
        )
    columns = [f"{when} {name}" for name in GUIDANCES for when in ("before", "after")]
    columns += [f"share {name}" for name in GUIDANCES]
    return Table(
        f"learning: {length:g} s, {runs[0].method}, {runs[0].budget_seconds:g} s each; "
        "log-mel distance of the prompt's own sample",
        ("recording", "steps", "codec", *columns),
        (*rows, median_row("median", rows)),
        (
            "share: (before − after)/(before − codec)",
            looped_note([run.recording for run in runs], length),
        ),
    )


def _curves(
    curves: dict[tuple[Method, float], list[Run]], figures: dict[Run, dict[str, Any]]
) -> Table:
    rows: list[Row] = []
    for (method, budget), runs in curves.items():
        known = [figures[run] for run in runs]
        shares = zip(*map(_shares, known), strict=True)
        steps = median(each["steps"] for each in known)
        rows.append((f"{method}, {budget:g} s", steps, *map(median, shares)))
    names = ", ".join(run.recording.name for run in next(iter(curves.values())))
    columns = ("method, seconds", "steps", *(f"share {name}" for name in GUIDANCES))
    return Table("learning: over time, medians", columns, tuple(rows), (f"over {names}",))
