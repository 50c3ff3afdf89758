"""Train, write the bundle, write the report, register: what `triage train` does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triage_ml.answer import write_model
from triage_ml.files import atomic_file
from triage_ml.settings import Settings
from triage_ml.taxonomy import Taxonomy
from triage_training.model_report import render_report
from triage_training.registry import Registry, Version
from triage_training.train import Trained

__all__ = ["Registered", "register_model"]


@dataclass(frozen=True)
class Registered:
    """A model that is in the registry: its version, its bundle, and its report on this machine."""

    version: Version
    bundle: Path
    report: Path


def register_model(
    trained: Trained,
    taxonomy: Taxonomy,
    settings: Settings,
    registry: Registry,
    *,
    step: Callable[[str], None] = lambda _: None,
) -> Registered:
    """Keep what `train` made: on disk, then in MLflow."""
    step("writing the bundle")
    draft = settings.paths.bundles / ".training"
    digest = write_model(draft, trained.classifier, taxonomy)
    bundle = settings.paths.bundles / digest.removeprefix("sha256:")
    if not bundle.exists():
        draft.rename(bundle)
    html = render_report(trained, digest)
    report = settings.paths.reports / f"model-{digest[7:15]}.html"
    with atomic_file(report) as page:
        page.write_text(html, encoding="utf-8")
    step("logging to MLflow")
    version = registry.register(
        bundle,
        digest,
        params=_params(trained),
        metrics=_metrics(trained),
        tags={"digest": digest, "data_sha256": trained.profile["sha256"]},
        files={"report.html": html},
    )
    return Registered(version, bundle, report)


def _params(trained: Trained) -> dict[str, Any]:
    model = {name: value for name, value in trained.classifier.get_params(deep=False).items() if name != "features"}
    features = {f"features.{name}": value for name, value in trained.classifier.features_.get_params().items()}
    split = trained.split
    parts = {"split": split.how, "fit": len(split.fit), "calibration": len(split.calibration), "test": len(split.test)}
    return {**model, **features, **parts, "targets": list(trained.classifier.classes_)}


def _metrics(trained: Trained) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for name, figures in trained.evaluation.targets.items():
        metrics |= {
            f"{name}.accuracy": figures.accuracy.value,
            f"{name}.macro_f1": figures.macro_f1.value,
            f"{name}.ece": figures.ece,
        }
        for promise, row in figures.coverage.items():
            metrics[f"{name}.coverage_at_{promise}"] = row.coverage
            if row.precision is not None:
                metrics[f"{name}.precision_at_{promise}"] = row.precision
        for each in figures.classes:
            metrics |= {
                f"{name}.class.{each.label}.precision": each.precision,
                f"{name}.class.{each.label}.recall": each.recall,
                f"{name}.class.{each.label}.f1": each.f1,
            }
    return metrics
