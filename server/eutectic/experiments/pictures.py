"""Spectrograms and curves as pictures, drawn without a display."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray
from PIL import Image

from eutectic.audio import Waveform
from eutectic.files.atomic import atomic_path
from eutectic.window import Window

if TYPE_CHECKING:
    from eutectic.experiments.choices import Choice

DPI = 100
PANEL_WIDTH, PANEL_HEIGHT = 2.2, 1.7
"""Size of a spectrogram among many, in inches."""

RANGE_DB, STEP_DB = 90.0, 5.0
"""Range of the colour scale, and of one colour; few colours make small files."""

LOW_HZ, HIGH_HZ, ROWS = 40.0, 20_000.0, 300
ORIGINAL_COLOUR, REFERENCE_COLOUR = "#c2542d", "#2d6cc2"


Panel = tuple[Waveform, str]
"""A sound and the title of its spectrogram."""


def draw_spectrogram(axes: Axes, waveform: Waveform, title: str, peak: float | None = None) -> None:
    """Draw the mono power spectrogram in dB below `peak` (None: its own), over log frequency."""
    power, hertz = _power(waveform)
    peak = max(float(power.max()) if peak is None else peak, 1e-20)
    decibels = 10 * np.log10(power / peak + 1e-12)
    axes.imshow(
        decibels.T, origin="lower", aspect="auto", interpolation="antialiased",
        cmap=colormaps["magma"].resampled(round(RANGE_DB / STEP_DB)),
        vmin=-RANGE_DB, vmax=0, extent=(0, waveform.seconds, *np.log10(hertz[[0, -1]])),
    )  # fmt: skip
    axes.set_yticks([2, 3, 4], ["100", "1k", "10k"])
    axes.set_title(title, fontsize=10, parse_math=False)


def _power(waveform: Waveform) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Power (time, row) of the mono mix, and the rows' frequencies in Hz."""
    window, hop = 2048, 512
    mono = np.pad(waveform.samples.mean(axis=0), window // 2)
    frames = np.lib.stride_tricks.sliding_window_view(mono, window)[::hop]
    power = np.abs(np.fft.rfft(frames * np.hanning(window))) ** 2
    hertz = np.geomspace(LOW_HZ, min(HIGH_HZ, waveform.rate_hz / 2), ROWS)
    return power[:, np.rint(hertz * window / waveform.rate_hz).astype(int)], hertz


def draw_rows(figure: Figure | SubFigure, rows: Sequence[Sequence[Panel]]) -> None:
    """Draw rows of spectrograms on one scale, with 0 dB at the loudest."""
    peak = max(float(_power(waveform)[0].max()) for row in rows for waveform, _ in row)
    columns = max(map(len, rows))
    grid = figure.subplots(len(rows), columns, squeeze=False, sharex=True, sharey=True)
    for cells, row in zip(grid, rows, strict=True):
        for cell, (waveform, title) in zip(cells, row, strict=False):
            draw_spectrogram(cell, waveform, title, peak)
        for cell in cells[len(row) :]:
            cell.set_axis_off()
        cells[0].set_ylabel("Hz")
    for cell in grid[-1]:
        cell.set_xlabel("seconds")
    image = grid[0, 0].images[0]
    figure.colorbar(image, ax=grid, label="dB", shrink=0.9 if len(rows) == 1 else 0.5, pad=0.01)


def draw_panels(rows: Sequence[Sequence[Panel]], path: Path) -> None:
    """Draw a picture of spectrograms alone (see `draw_rows`)."""
    columns = max(map(len, rows))
    size = (PANEL_WIDTH * columns + 0.8, PANEL_HEIGHT * len(rows) + 0.3)
    figure = Figure(figsize=size, layout="constrained")
    draw_rows(figure, rows)
    save_figure(figure, path)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG with at most 256 colours.

    Raises:
        BadOutput: it can't be written.
    """
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=DPI, format="png")
    with atomic_path(path) as temporary, Image.open(drawn) as image:
        few = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(temporary, format="png", optimize=True)


def draw_window(window: Window, path: Path, names: tuple[str, str]) -> None:
    """Draw the spectrograms of original, reference and every fusion, and the likeness curves."""
    sounds = [
        (window.original, f"original: {names[0]}"),
        (window.reference, f"reference: {names[1]}"),
        *((p.fusion.waveform, f"blend {p.fusion.blend:.2f}") for p in window.points),
    ]
    rows = -(-len(sounds) // 4)
    figure = Figure(figsize=(14, 2.4 * rows + 3.2), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[2.4 * rows, 3.2], squeeze=False)[:, 0]
    grid = above.subplots(rows, 4, squeeze=False)
    _fill(grid.flatten().tolist(), sounds)
    _draw_curve(below.subplots(), window)
    save_figure(figure, path)


def _fill(cells: Sequence[Axes], sounds: Sequence[tuple[Waveform, str]]) -> None:
    for cell, (waveform, title) in zip(cells, sounds, strict=False):
        draw_spectrogram(cell, waveform, title)
    for number, cell in enumerate(cells):
        if number >= len(sounds):
            cell.set_axis_off()
        if number % 4 == 0:
            cell.set_ylabel("Hz")
        if number >= len(sounds) - 4:
            cell.set_xlabel("seconds")


def _draw_curve(axes: Axes, window: Window) -> None:
    axes.plot(
        window.blends, window.like_original, "o-", color=ORIGINAL_COLOUR,
        label="likeness to the original (log-mel)",
    )  # fmt: skip
    axes.plot(
        window.blends, window.like_reference, "s-", color=REFERENCE_COLOUR,
        label="likeness to the reference (texture)",
    )  # fmt: skip
    crossing = window.curves.crossing
    if crossing is not None:
        axes.axvline(crossing, color="0.5", linestyle=":")
        axes.annotate(
            f"balance at blend {crossing:.2f}", (crossing, 0.02),
            xycoords=("data", "axes fraction"), xytext=(5, 2), textcoords="offset points",
        )  # fmt: skip
    axes.set_xlabel("blend (0: the reference's own sampling, 1: the original)")
    axes.set_ylabel("likeness")
    axes.set_xlim(-0.02, 1.02)
    axes.grid(alpha=0.3)
    axes.legend(loc="best", fontsize=9)


def draw_choices(made: Sequence[Choice], path: Path) -> None:
    """Draw the likeness curves of every choice: inversions in rows, orders in columns."""
    made = [choice for choice in made if not choice.again]
    residuals = list(dict.fromkeys(choice.settings.residual for choice in made))
    orders = sorted({choice.order for choice in made})
    steps = sorted({choice.steps for choice in made})
    colours = colormaps["viridis"](np.linspace(0.85, 0.0, len(steps)))
    size = (4.2 * len(orders) + 0.6, 2.8 * len(residuals) + 0.6)
    figure = Figure(figsize=(max(6.5, size[0]), size[1]), layout="constrained")
    grid = figure.subplots(len(residuals), len(orders), squeeze=False, sharex=True, sharey=True)
    for row, residual in enumerate(residuals):
        for column, order in enumerate(orders):
            axes = grid[row, column]
            shown = [
                choice
                for choice in made
                if (choice.settings.residual, choice.order) == (residual, order)
            ]
            if not shown:
                axes.set_axis_off()
                continue
            axes.set_title(f"{residual}, order {order}", fontsize=10)
            axes.grid(alpha=0.3)
            for choice in shown:
                _draw_choice(axes, choice, colours[steps.index(choice.steps)])
            axes.set_xlabel("blend" if row == len(residuals) - 1 else "")
            axes.set_ylabel("likeness" if column == 0 else "")
    figure.legend(
        *grid[0, 0].get_legend_handles_labels(), loc="outside right upper", fontsize=8,
        title="solid: to the original\ndotted: to the reference", title_fontsize=8,
    )  # fmt: skip
    save_figure(figure, path)


def _draw_choice(axes: Axes, choice: Choice, colour: Any) -> None:
    window = choice.window
    axes.plot(window.blends, window.like_original, "-", color=colour, label=f"{choice.steps} steps")
    axes.plot(window.blends, window.like_reference, ":", color=colour)
