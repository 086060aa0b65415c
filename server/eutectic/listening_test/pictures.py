"""The paper's Figures 5 and 6, drawn from the answers without a display."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from eutectic.errors import BadInput
from eutectic.files.atomic import atomic_path
from eutectic.listening_test.answers import Respondent, SetKey
from eutectic.listening_test.questions import (
    ENGAGEMENT,
    ENGAGEMENTS,
    LIKE,
    LIKENESS,
    OVERALL,
    RATING,
)

COLOURS = ("#b2452a", "#e6a37c", "#d9d6d0", "#86afd6", "#2d5f9e")
"""Colours of 1 to 5; they differ in lightness, too, for printing in grey, and 3 is neutral."""


QUESTIONS = (*LIKE.values(), OVERALL)
"""The questions drawn in Figure 6."""


def check_drawable(respondents: Sequence[Respondent]) -> None:
    """Check that there are answers for both figures.

    Raises:
        BadInput: there are none.
    """
    if not any(ENGAGEMENT in each.about for each in respondents) or not _answered(respondents):
        raise BadInput("no set has been answered yet, so there is nothing to draw")


def draw_engagement(respondents: Sequence[Respondent], path: Path) -> None:
    """Draw Figure 5: the respondents' musical engagement.

    Raises:
        BadOutput: see `atomic_path`.
    """
    counts = Counter(each.about[ENGAGEMENT] for each in respondents if ENGAGEMENT in each.about)
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    names = list(ENGAGEMENTS)
    bars = axes.barh(
        [textwrap.fill(ENGAGEMENTS[name], 32) for name in names],
        [counts[name] for name in names],
        color=COLOURS[4], height=0.7,
    )  # fmt: skip
    total = counts.total()
    axes.bar_label(
        bars, [f"{counts[name]} ({counts[name] / total:.0%})" for name in names], padding=4
    )
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("respondents")
    axes.set_title(f"Musical engagement of {_count(total, 'respondent')}", fontsize=11)
    _save(figure, path)


def draw_likeness(respondents: Sequence[Respondent], path: Path) -> None:
    """Draw Figure 6: each fusion's likeness to original and reference, and its rating.

    Raises:
        BadOutput: see `atomic_path`.
    """
    keys = _answered(respondents)
    figure = Figure(figsize=(13, 1.6 + 0.55 * len(keys)), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    titles = ("Likeness to the original", "Likeness to the reference", "Overall rating")
    for axes, question, title in zip(panels, QUESTIONS, titles, strict=True):
        table = np.array([_votes(respondents, key, question) for key in keys])
        _draw_shares(axes, table, RATING if question == OVERALL else LIKENESS)
        axes.set_title(title, fontsize=11)
    panels[0].set_yticks(range(len(keys)), _labels(keys), parse_math=False)
    panels[0].set_ylim(len(keys) - 0.4, -0.6)
    for axes, side in ((panels[0], "left"), (panels[2], "right")):
        style: dict[str, Any] = {"loc": f"outside lower {side}", "columnspacing": 1.2}
        handles = axes.get_legend_handles_labels()
        figure.legend(*handles, **style, ncols=5, fontsize=9, frameon=False, handlelength=1)
    _save(figure, path)


def _answered(respondents: Sequence[Respondent]) -> list[SetKey]:
    """The sets with answers to the drawn questions, by name."""
    return sorted(
        {
            key
            for each in respondents
            for key, given in each.answers.items()
            if given.keys() & set(QUESTIONS)
        }
    )


def _votes(respondents: Sequence[Respondent], key: SetKey, question: str) -> list[int]:
    """How often each of 1 to 5 was given."""
    given = Counter(each.answers.get(key, {}).get(question) for each in respondents)
    return [given[value] for value in range(1, 6)]


def _draw_shares(axes: Axes, table: np.ndarray, words: Sequence[str]) -> None:
    """Draw stacked shares, a row for each set, with mean and number of answers on the right."""
    totals = table.sum(axis=1)
    shares = table / np.maximum(totals, 1)[:, None]
    left = np.zeros(len(table))
    for value, (share, colour) in enumerate(zip(shares.T, COLOURS, strict=True)):
        bars = axes.barh(
            range(len(table)), share, left=left, color=colour, height=0.7,
            edgecolor="white", label=f"{value + 1} {words[value]}",
        )  # fmt: skip
        texts = [f"{part:.0%}" if part >= 0.1 else "" for part in share]
        dark = value in (0, 4)
        axes.bar_label(
            bars, texts, label_type="center", color="white" if dark else "black", fontsize=8
        )
        left += share
    means = table @ np.arange(1, 6) / np.maximum(totals, 1)
    for row, (mean, total) in enumerate(zip(means, totals, strict=True)):
        text = f"{mean:.1f}  (n {total})" if total else "no answer"
        axes.text(1.02, row, text, va="center", fontsize=9)
    axes.set_xlim(0, 1.3)
    axes.set_xticks([0, 0.5, 1], ["0", "50%", "100%"])
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("share of answers; mean and number on the right")


def _labels(keys: Sequence[SetKey]) -> list[str]:
    """The sets' names, with the sounds' digest if two share a name."""
    often = Counter(key.name for key in keys)
    return [
        textwrap.fill(textwrap.shorten(key.name, 56, placeholder="…"), 28)
        + (f"\n({key.digest[:6]})" if often[key.name] > 1 else "")
        for key in keys
    ]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _save(figure: Figure, path: Path) -> None:
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=130, format="png")
