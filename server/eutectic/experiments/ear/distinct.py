"""How far the shipped presets are from one another, to the ear."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from eutectic.experiments.ear.comparison import Comparison
from eutectic.experiments.ear.judging import as_heard
from eutectic.experiments.ear.pairs import find_pairs
from eutectic.experiments.quality.setup import Setup
from eutectic.experiments.report import Row, Table
from eutectic.files.shipped import presets_folder
from eutectic.fusion_options import fuse_request, place, sampling
from eutectic.session.presets import Preset, read_preset

PAIRS = 5
"""Pairs that presets are compared on, the first."""


def measure(setup: Setup) -> list[Table]:
    """Fuse pairs by every preset that ships: mean distances, 1 − likeness, of the presets.

    Raises:
        BadInput: recordings or aisfx are missing.
        BadState: a preset isn't valid.
        Cancelled: the watch was asked to stop.
    """
    pairs = tuple(find_pairs(setup.pairs, setup.samples))[:PAIRS]
    run, presets = Comparison(setup, pairs), shipped()
    heard: list[Float[np.ndarray, "preset feature"]] = []
    for number, pair in enumerate(pairs):
        original, reference = (
            setup.engine.encode(run.sections[path]) for path in (pair.original, pair.reference)
        )
        learned = run.learned(reference)
        rows: list[Float[np.ndarray, " feature"]] = []
        for done, preset in enumerate(presets.values(), start=1):
            request = fuse_request(preset.fusion)
            (fusion,) = setup.engine.fuse(
                original, learned, [place(request)], sampling(request), watch=run.quiet
            )
            rows.append(run.ear.hear(as_heard(fusion.waveform)).numpy())
            setup.watch.progress(number * len(presets) + done, len(pairs) * len(presets))
        heard.append(np.stack(rows))
    distances = 1 - np.mean([each @ each.T for each in heard], axis=0)
    return _tables(list(presets), distances, [pair.name for pair in pairs])


def shipped() -> dict[str, Preset]:
    """The fusions that ship, by name."""
    paths = sorted(presets_folder("fusions").glob("*.toml"))
    return {path.stem: read_preset(path) for path in paths}


def _tables(
    names: list[str], distances: Float[np.ndarray, "preset preset"], pairs: list[str]
) -> list[Table]:
    rows = tuple(
        (name, *(round(float(each), 2) for each in row))
        for name, row in zip(names, distances, strict=True)
    )
    note = f"means of 1 - likeness over {len(pairs)} pairs: {', '.join(pairs)}"
    alone = distances + np.diag(np.full(len(names), np.inf))
    nearest: tuple[Row, ...] = tuple(
        (name, names[int(row.argmin())], round(float(row.min()), 2))
        for name, row in zip(names, alone, strict=True)
    )
    return [
        Table("presets: distance to each other", ("preset", *names), rows, (note,)),
        Table("presets: the nearest other", ("preset", "nearest", "distance"), nearest),
    ]
