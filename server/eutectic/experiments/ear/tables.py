"""The figures as tables: every pair of every contender, medians, and how often one did as well."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from eutectic.experiments.ear import coding
from eutectic.experiments.ear.judging import (
    COLUMNS,
    HEARD_LUFS,
    HIGHER_IS_BETTER,
    LOWER_IS_BETTER,
    Figures,
)
from eutectic.experiments.report import Row, Table, median, median_row

MIX_NOTE = (
    "Untrained listeners call a mix a morph two times in three: read no figure without the mix's."
)


def compared(
    pairs: Sequence[str], figures: Mapping[str, Sequence[Figures]], ours: Sequence[str]
) -> list[Table]:
    """Tables of contenders: each one's pairs, all medians, and the wins of ours.

    Args:
        pairs: their names.
        figures: of each contender, those of each pair.
        ours: the contenders whose wins over the others are counted.
    """
    return [
        *(_pairs(name, pairs, each) for name, each in figures.items()),
        _medians(len(pairs), figures),
        *(_wins(name, figures) for name in ours),
    ]


def coded(figures: Sequence[tuple[str, coding.Figures]]) -> list[Table]:
    """Tables of the codec beside Opus, by recording, one for each measure."""
    tables: list[Table] = []
    for name, meaning in coding.MEASURES.items():
        rows: list[Row] = [
            (recording, *(each[name][coder] for coder in coding.CODERS))
            for recording, each in figures
        ]
        columns = ("recording", *coding.CODERS)
        title = f"ear: {name} of round trips (opus: constant kbit/s)"
        tables.append(Table(title, columns, (*rows, median_row("median", rows)), (meaning,)))
    return tables


def wins(own: Sequence[Figures], others: Sequence[Figures], column: str) -> str:
    """On how many pairs the first did at least as well: "n of m", m those with both figures."""
    sign = -1 if column in LOWER_IS_BETTER else 1
    both = [(sign * a[column], sign * b[column]) for a, b in zip(own, others, strict=True)]
    both = [(a, b) for a, b in both if not (math.isnan(a) or math.isnan(b))]
    return f"{sum(a >= b for a, b in both)} of {len(both)}"


def _pairs(name: str, pairs: Sequence[str], figures: Sequence[Figures]) -> Table:
    rows: list[Row] = [
        (pair, *(each[column] for column in COLUMNS))
        for pair, each in zip(pairs, figures, strict=True)
    ]
    columns = ("original → reference", *COLUMNS)
    return Table(f"ear: {name}", columns, (*rows, median_row("median", rows)))


def _medians(count: int, figures: Mapping[str, Sequence[Figures]]) -> Table:
    rows: list[Row] = [
        (name, *(median(each[column] for each in of_pairs) for column in COLUMNS))
        for name, of_pairs in figures.items()
    ]
    notes = (
        *(f"{name}: {meaning}" for name, meaning in COLUMNS.items()),
        "likeness: cosine of sound-effects embeddings (aisfx) without the mean of unrelated "
        f"recordings; 0 for unrelated sounds, all heard at {HEARD_LUFS:g} LUFS",
        MIX_NOTE,
    )
    return Table(f"ear: medians of {count} pairs", ("contender", *COLUMNS), tuple(rows), notes)


def _wins(name: str, figures: Mapping[str, Sequence[Figures]]) -> Table:
    columns = (*HIGHER_IS_BETTER, *LOWER_IS_BETTER)
    rows: list[Row] = [
        (other, *(wins(figures[name], of_pairs, column) for column in columns))
        for other, of_pairs in figures.items()
        if other != name
    ]
    title = f"ear: pairs on which {name} does at least as well"
    return Table(title, ("as", *columns), tuple(rows))
