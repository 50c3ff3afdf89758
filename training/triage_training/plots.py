"""Plots of reports as inline SVG: the same bytes for the same figures, text as text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from triage_ml.evaluate import LearningCurve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["curve_plot", "reliability_plot"]

_BLUE = "#2a6fbb"


def reliability_plot(rows: Sequence[tuple[float, float, float]]) -> str:
    """Confidence against the share that was right; a dot's area is its number of tickets."""
    figure = _figure(4.2, 4.0)
    axes = figure.subplots()
    confidence, share, tickets = np.array(rows).T
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--")
    axes.scatter(confidence, share, s=20 + 380 * tickets / tickets.max(), alpha=0.75, color=_BLUE)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="probability that was stated", ylabel="share that was right")
    return _svg(figure)


def curve_plot(curve: LearningCurve) -> str:
    """Macro-F1 by tickets fitted on, and where the line leads at twice as many."""
    figure = _figure(4.6, 3.0)
    axes = figure.subplots()
    tickets, figures = zip(*curve.points, strict=True)
    axes.plot(tickets, figures, marker="o", color=_BLUE)
    axes.plot([tickets[-1], 2 * tickets[-1]], [figures[-1], curve.doubled], marker="o", color=_BLUE, linestyle=":")
    axes.set(xscale="log", xlabel="tickets fitted on", ylabel="macro-F1")
    axes.set_xticks([*tickets, 2 * tickets[-1]], [f"{count:,}" for count in (*tickets, 2 * tickets[-1])])
    axes.minorticks_off()
    axes.grid(axis="y", color="0.9")
    return _svg(figure)


def _figure(width: float, height: float) -> Figure:
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "triage-ml"
    mpl.rcParams["svg.fonttype"] = "none"
    return Figure(figsize=(width, height), layout="tight")


def _svg(figure: Figure) -> str:
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None}, transparent=True)
    svg = drawn.getvalue()
    return svg[svg.index("<svg") :]
