"""One page about a trained model: figures, confusion, reliability, classes. Self-contained HTML without ticket text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jinja2
import numpy as np

from triage_ml import __version__
from triage_ml.evaluate import GOOD_CALIBRATION, LearningCurve, TargetFigures, slice_figures
from triage_training.plots import curve_plot, reliability_plot
from triage_training.train import Trained

__all__ = ["render_report"]

_MOST_CLASSES = 40


def render_report(trained: Trained, digest: str, curves: Mapping[str, LearningCurve] | None = None) -> str:
    """The page as a string; `curves` by target, where they were measured."""
    curves = curves or {}
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("triage_training"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    targets = [
        {
            "name": name,
            "figures": figures,
            "again": trained.with_repeats.targets[name] if trained.with_repeats else None,
            "confusion": _confusion(figures),
            "reliability": reliability_plot(figures.reliability),
            "classes": sorted(figures.classes, key=lambda row: -row.tickets),
            "slices": slice_figures(trained.answers, name),
            "curve": curve_plot(curves[name]) if name in curves else "",
            "doubled": curves[name].doubled if name in curves else None,
        }
        for name, figures in trained.evaluation.targets.items()
    ]
    return environment.get_template("model.html").render(
        trained=trained, digest=digest, targets=targets, version=__version__, good_calibration=GOOD_CALIBRATION
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
