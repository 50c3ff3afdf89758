"""The files that a training logs beside its bundle: what it was, what it measured, where. No ticket text, unless asked for."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

import pandas as pd

from triage_ml import __version__
from triage_ml.evaluate import LearningCurve, TargetFigures, slice_figures
from triage_training.model_card import model_card
from triage_training.model_report import render_report
from triage_training.train import Trained

__all__ = ["environment", "examples", "run_files"]

_PACKAGES = ("numpy", "scipy", "scikit-learn", "pandas", "pyarrow", "mlflow", "sqlalchemy", "model2vec")
_EXAMPLES = 100
_EXAMPLE_LENGTH = 500


def run_files(
    trained: Trained, digest: str, curves: Mapping[str, LearningCurve], *, with_examples: bool = False
) -> dict[str, str]:
    """Name in the run -> content."""
    files = {
        "report.html": render_report(trained, digest, curves),
        "model_card.md": model_card(trained, digest),
        "profile.json": json.dumps(trained.profile, indent=1),
        "environment.json": json.dumps(environment(), indent=1),
        "figures.json": json.dumps(_figures(trained, curves), indent=1),
    }
    for name, figures in trained.evaluation.targets.items():
        files[f"confusion/{_file_name(name)}.csv"] = _confusion(figures)
    if with_examples:
        files["examples.jsonl"] = examples(trained)
    return files


def environment() -> dict[str, object]:
    """Where it was trained: versions and machine, without names of users or folders."""
    return {
        "triage-ml": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def examples(trained: Trained) -> str:
    """Test tickets that were answered wrong, surest first, as JSON Lines with redacted text; the first 100 of each target."""
    lines = []
    texts = dict(zip(trained.test.keys, trained.test.texts, strict=True))
    for name in trained.evaluation.targets:
        rows = trained.answers[trained.answers[f"{name}_truth"].notna()]
        wrong = rows[rows[name] != rows[f"{name}_truth"]].sort_values(
            f"{name}_probability", ascending=False, kind="stable"
        )
        for row in wrong.head(_EXAMPLES).to_dict("records"):
            one = {
                "target": name,
                "ticket": row["ticket"],
                "truth": row[f"{name}_truth"],
                "answer": row[name],
                "probability": round(float(row[f"{name}_probability"]), 4),
                "text": texts[row["ticket"]][:_EXAMPLE_LENGTH],
            }
            lines.append(json.dumps(one, ensure_ascii=False))
    return "\n".join(lines) + "\n"


def _figures(trained: Trained, curves: Mapping[str, LearningCurve]) -> dict[str, object]:
    """Everything that was measured, as data: targets, the ticket as a whole, slices, learning curves."""
    slices = {
        name: [row.to_dict() for row in slice_figures(trained.answers, name)] for name in trained.evaluation.targets
    }
    return trained.evaluation.to_dict() | {
        "with_repeats": trained.with_repeats.to_dict() if trained.with_repeats else None,
        "slices": slices,
        "learning_curves": {name: {"points": one.points, "doubled": one.doubled} for name, one in curves.items()},
        "notes": trained.notes,
    }


def _confusion(figures: TargetFigures) -> str:
    """Rows are the truth, columns the answers."""
    table = pd.DataFrame(figures.confusion, index=pd.Index(figures.labels, name="truth"), columns=figures.labels)
    text: str = table.to_csv()
    return text


def _file_name(target: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in target)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
