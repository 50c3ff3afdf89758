"""One page about a trained model: figures, confusion, reliability, classes. Self-contained HTML without ticket text."""

from __future__ import annotations

import io
from typing import Any

import jinja2
import numpy as np

from triage_ml import __version__
from triage_ml.evaluate import TargetFigures, slice_figures
from triage_training.train import Trained

__all__ = ["render_report"]

_MOST_CLASSES = 40


def render_report(trained: Trained, digest: str) -> str:
    """The page as a string."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("triage_training"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    targets = [
        {
            "name": name,
            "figures": figures,
            "again": trained.with_repeats.targets[name] if trained.with_repeats else None,
            "confusion": _confusion(figures),
            "reliability": _reliability(figures),
            "classes": sorted(figures.classes, key=lambda row: -row.tickets),
            "slices": slice_figures(trained.answers, name),
        }
        for name, figures in trained.evaluation.targets.items()
    ]
    return environment.get_template("model.html").render(
        trained=trained, digest=digest, targets=targets, version=__version__
    )


def _confusion(figures: TargetFigures) -> dict[str, Any]:
    """The largest classes as a table: share of each true class (row) that got each answer (column)."""
    order = np.argsort(-figures.confusion.sum(axis=1), kind="stable")[:_MOST_CLASSES]
    counts = figures.confusion[np.ix_(order, order)]
    shares = counts / np.maximum(figures.confusion[order].sum(axis=1, keepdims=True), 1)
    labels = [figures.labels[index] for index in order]
    cells = [
        {"label": label, "cells": list(zip(row.tolist(), share.tolist(), strict=True))}
        for label, row, share in zip(labels, counts, shares, strict=True)
    ]
    return {"labels": labels, "rows": cells, "left_out": len(figures.labels) - len(labels)}


def _reliability(figures: TargetFigures) -> str:
    """Confidence against the share that was right, as inline SVG; a dot's area is its number of tickets."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "triage-ml"
    mpl.rcParams["svg.fonttype"] = "none"
    figure = Figure(figsize=(4.2, 4.0), layout="tight")
    axes = figure.subplots()
    confidence, share, tickets = np.array(figures.reliability).T
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--")
    axes.scatter(confidence, share, s=20 + 380 * tickets / tickets.max(), alpha=0.75, color="#2a6fbb")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="probability that was stated", ylabel="share that was right")
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None}, transparent=True)
    svg = drawn.getvalue()
    return svg[svg.index("<svg") :]
